#include "storage/bucket_array.h"

#include <cstring>
#include <utility>

namespace aeris::storage {

BucketArray::BucketArray(std::uint64_t homes, std::uint64_t tail)
    : homes_(homes),
      tail_(tail),
      buckets_(static_cast<std::size_t>(homes + tail) * sizeof(Bucket)) {}

bool BucketArray::EnlargeTail(std::uint64_t first_live) {
  BucketArray larger(homes_, tail_ * 2);
  const auto first = static_cast<std::size_t>(first_live);
  if (!larger.allocated()) return false;
  if (codes_.allocated() && !codes_.Grow(larger.slots(), first * Bucket::kSlots)) return false;
  std::memcpy(larger.buckets_.data() + first * sizeof(Bucket),
              buckets_.data() + first * sizeof(Bucket),
              (static_cast<std::size_t>(buckets()) - first) * sizeof(Bucket));
  larger.codes_ = std::move(codes_);
  *this = std::move(larger);
  return true;
}

void BucketArray::ReleaseBefore(std::uint64_t bucket) {
  buckets_.ReleasePrefix(static_cast<std::size_t>(bucket) * sizeof(Bucket));
  codes_.ReleaseBefore(static_cast<std::size_t>(bucket) * Bucket::kSlots);
}

std::size_t BucketArray::ResidentBytes(std::uint64_t written_end) const {
  const auto written = static_cast<std::size_t>(std::min(written_end, buckets()));
  return buckets_.ResidentBytes(written * sizeof(Bucket)) + codes_.resident_bytes();
}

std::size_t BucketArray::MappedBytes(std::uint64_t written_end) const {
  const auto written = static_cast<std::size_t>(std::min(written_end, buckets()));
  return buckets_.MappedBytes(written * sizeof(Bucket)) + codes_.mapped_bytes();
}

}  // namespace aeris::storage
