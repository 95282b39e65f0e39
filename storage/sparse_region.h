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
#include <vector>

#include "storage/zeroed_region.h"

namespace aeris::storage {

class SparseRegion {
 public:
  static constexpr std::size_t kPageBytes = 4096;

  SparseRegion() = default;
  // Empty when there is no memory for it.
  explicit SparseRegion(std::size_t bytes) : region_(bytes) {
    if (region_.mapped()) touched_.resize(region_.size_bytes() / kPageBytes / kBits + 1);
  }

  std::byte* data() const { return region_.data(); }
  std::size_t size_bytes() const { return region_.size_bytes(); }

  // The byte at `offset`, and no other, is going to be written.
  void Touch(std::size_t offset) {
    if (touched_.empty()) return;
    const std::size_t page = offset / kPageBytes;
    const std::uint64_t bit = std::uint64_t{1} << (page % kBits);
    if ((touched_[page / kBits] & bit) != 0) return;
    touched_[page / kBits] |= bit;
    ++pages_;
  }
  // As ZeroedRegion's. O(pages given back / 64), all calls together.
  void ReleasePrefix(std::size_t bytes) {
    region_.ReleasePrefix(bytes);
    for (const std::size_t end = region_.released_bytes() / kPageBytes; released_ < end;) {
      const std::size_t bits = std::min(kBits - released_ % kBits, end - released_);
      std::uint64_t& word = touched_[released_ / kBits];
      const std::uint64_t gone = ~std::uint64_t{0} >> (kBits - bits) << (released_ % kBits);
      pages_ -= static_cast<std::size_t>(std::popcount(word & gone));
      word &= ~gone;
      released_ += bits;
    }
  }

  // Bytes that take memory.
  std::size_t resident_bytes() const {
    return region_.mapped() ? mapped_bytes() : region_.ResidentBytes(0);
  }
  // Those of them that are not the allocator's.
  std::size_t mapped_bytes() const { return pages_ * kPageBytes; }

 private:
  static constexpr std::size_t kBits = 64;

  ZeroedRegion region_;
  std::vector<std::uint64_t> touched_;  // a bit for each page; none unless mapped
  std::size_t pages_ = 0;               // touched, and not given back
  std::size_t released_ = 0;            // pages
};

}  // namespace aeris::storage
