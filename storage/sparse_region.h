// SparseRegion: a ZeroedRegion that is written here and there by and by, and knows how much of it
// has been.
//
// The kernel gives a page of a mapped region when it is first written, and so it is counted here:
// the codes of the first few keys with deadlines in a large table are a few pages, not all that
// the table will have. What is small enough to come from the allocator counts as a whole.
//
// Cost:   a bit to test for each write.
// Memory: a bit for each 4 KiB of the region.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "storage/zeroed_region.h"

namespace aeris::storage {

class SparseRegion {
 public:
  static constexpr std::size_t kPageBytes = 4096;

  SparseRegion() = default;
  // Empty when there is no memory for it.
  explicit SparseRegion(std::size_t bytes) : region_(bytes) {
    if (!region_.mapped()) return;
    pages_ = std::make_unique<Pages>();
    pages_->touched.resize(region_.size_bytes() / kPageBytes / kBits + 1);
  }

  std::byte* data() const { return region_.data(); }
  std::size_t size_bytes() const { return region_.size_bytes(); }

  // The byte at `offset`, and no other, is going to be written.
  void Touch(std::size_t offset) {
    if (pages_ == nullptr) return;
    const std::size_t page = offset / kPageBytes;
    const std::uint64_t bit = std::uint64_t{1} << (page % kBits);
    std::uint64_t& word = pages_->touched[page / kBits];
    if ((word & bit) != 0) return;
    word |= bit;
    ++pages_->count;
  }
  // As ZeroedRegion's. O(pages given back / 64), all calls together.
  void ReleasePrefix(std::size_t bytes) {
    region_.ReleasePrefix(bytes);
    if (pages_ == nullptr) return;
    std::size_t& released = pages_->released;
    for (const std::size_t end = region_.released_bytes() / kPageBytes; released < end;) {
      const std::size_t bits = std::min(kBits - released % kBits, end - released);
      std::uint64_t& word = pages_->touched[released / kBits];
      const std::uint64_t gone = ~std::uint64_t{0} >> (kBits - bits) << (released % kBits);
      pages_->count -= static_cast<std::size_t>(std::popcount(word & gone));
      word &= ~gone;
      released += bits;
    }
  }

  // Bytes that take memory.
  std::size_t resident_bytes() const {
    return region_.mapped() ? mapped_bytes() : region_.ResidentBytes(0);
  }
  // Those of them that are not the allocator's.
  std::size_t mapped_bytes() const { return pages_ ? pages_->count * kPageBytes : 0; }

 private:
  static constexpr std::size_t kBits = 64;

  struct Pages {
    std::vector<std::uint64_t> touched;  // a bit for each
    std::size_t count = 0;               // touched, and not given back
    std::size_t released = 0;
  };

  ZeroedRegion region_;
  std::unique_ptr<Pages> pages_;  // none unless mapped: small tables are many
};

}  // namespace aeris::storage
