// BucketArray: buckets in hash order, and what lies parallel to them.
//
//   home buckets 0 .. homes-1, in the order of hashes            tail: room for what spills over
//   [b0][b1][b2] ...................................... [b n-1]  [t0][t1] ...
//
// A hash's home is the product's high word of hash * homes, for any number of homes. The hash's low
// 16 bits take no part, so that each boundary between homes is a multiple of 2^16 in hash space:
// these units of 2^16 are SCAN's cursors (48 bits, exact in a double).
//
// The tail takes the spill of the last homes. Should a run of full buckets ever pass its end, which
// a keyed hash does not do (32 buckets; a run of 10 is one in 10^9), EnlargeTail() copies the
// array.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "storage/bucket.h"
#include "storage/deadline_codes.h"
#include "storage/zeroed_region.h"

namespace aeris::storage {

class BucketArray {
 public:
  static constexpr unsigned kUnitShift = 16;
  static constexpr unsigned kUnitBits = 64 - kUnitShift;
  static constexpr std::uint64_t kUnits = std::uint64_t{1} << kUnitBits;  // of the hash space
  static constexpr std::uint64_t kTailMax = 32;

  BucketArray() = default;
  // Without memory the array is not allocated() and of no use.
  explicit BucketArray(std::uint64_t homes) : BucketArray(homes, TailFor(homes)) {}
  BucketArray(BucketArray&& other) noexcept = default;
  BucketArray& operator=(BucketArray&& other) noexcept = default;

  bool allocated() const { return buckets_.data() != nullptr; }
  std::uint64_t homes() const { return homes_; }
  std::uint64_t buckets() const { return homes_ + tail_; }  // tail included
  std::size_t slots() const { return static_cast<std::size_t>(buckets()) * Bucket::kSlots; }

  std::uint64_t Home(std::uint64_t hash) const {
    __extension__ using Wide = unsigned __int128;
    constexpr std::uint64_t kPlacing = ~((std::uint64_t{1} << kUnitShift) - 1);
    return static_cast<std::uint64_t>((static_cast<Wide>(hash & kPlacing) * homes_) >> 64);
  }
  // The first unit of hash space whose home is `home`; kUnits for homes().
  std::uint64_t StartUnit(std::uint64_t home) const {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>(((static_cast<Wide>(home) << kUnitBits) + homes_ - 1) /
                                      homes_);
  }

  Bucket& operator[](std::uint64_t bucket) const {
    AERIS_DCHECK(bucket < buckets());
    return data()[bucket];
  }
  std::uint64_t IndexOf(const Bucket* bucket) const {
    return static_cast<std::uint64_t>(bucket - data());
  }
  std::size_t SlotNumber(std::uint64_t bucket, unsigned slot) const {
    return static_cast<std::size_t>(bucket) * Bucket::kSlots + slot;
  }

  DeadlineCodes& codes() { return codes_; }
  const DeadlineCodes& codes() const { return codes_; }

  // Copies buckets from `first_live` on, those before it being empty for good, to an array with
  // twice the tail. Each entry keeps its place. False, and nothing done, without memory. O(n).
  [[nodiscard]] bool EnlargeTail(std::uint64_t first_live);
  // The memory of the buckets. Not of the codes, pages of which may never be written.
  std::span<std::byte> bucket_bytes() const { return {buckets_.data(), buckets_.size_bytes()}; }
  // The buckets before this one are empty for good; their pages go back to the kernel.
  void ReleaseBefore(std::uint64_t bucket);
  // Resident bytes, if no bucket from `written_end` on has been written yet.
  std::size_t ResidentBytes(std::uint64_t written_end) const;
  // The part of them that is mapped, not the allocator's.
  std::size_t MappedBytes(std::uint64_t written_end) const;

 private:
  BucketArray(std::uint64_t homes, std::uint64_t tail);

  // Small arrays have small tails; up to 34 keys cannot pass it at all.
  static std::uint64_t TailFor(std::uint64_t homes) { return std::min(kTailMax, 2 + homes / 4); }
  Bucket* data() const { return reinterpret_cast<Bucket*>(buckets_.data()); }

  std::uint64_t homes_ = 0;
  std::uint64_t tail_ = 0;
  ZeroedRegion buckets_;
  DeadlineCodes codes_;
};

}  // namespace aeris::storage
