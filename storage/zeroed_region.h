// ZeroedRegion: memory that starts as zeros and can be given back from its front.
//
// From 64 KiB on it is mapped: creating it costs one system call whatever its size, a page costs
// memory only once it is written, and ReleasePrefix() unmaps what a sweep has left behind, so that
// destroying the rest at the end of the sweep is cheap too. Smaller ones come from the allocator.
//
// Mapped regions are kept off huge pages: a fault would clear 2 MiB (some 100 us, and 5 to 13 ms
// when the kernel has to compact memory first) in the middle of a command. Those at rest get them
// in another way (huge_page.h).
#pragma once

#include <cstddef>
#include <utility>

#include "storage/allocated_bytes.h"

namespace aeris::storage {

class ZeroedRegion {
 public:
  static constexpr std::size_t kMappedBytesMin = std::size_t{64} << 10;
  static constexpr std::size_t kReleaseBytes = std::size_t{64} << 10;

  ZeroedRegion() = default;
  // Empty when there is no memory for it.
  explicit ZeroedRegion(std::size_t bytes);
  ~ZeroedRegion() { Free(); }
  ZeroedRegion(ZeroedRegion&& other) noexcept { Swap(other); }
  ZeroedRegion& operator=(ZeroedRegion&& other) noexcept {
    ZeroedRegion taken(std::move(other));
    Swap(taken);
    return *this;
  }

  // Aligned to 64 bytes. Null when empty.
  std::byte* data() const { return data_; }
  std::size_t size_bytes() const { return size_bytes_; }
  // Not the allocator's.
  bool mapped() const { return size_bytes_ >= kMappedBytesMin; }
  // From the front, so far.
  std::size_t released_bytes() const { return released_bytes_; }
  // Bytes that take memory, if nothing from byte `written_end` on has been written yet.
  std::size_t ResidentBytes(std::size_t written_end) const {
    if (!mapped()) return AllocatedBytes(size_bytes_);
    const std::size_t end = written_end < size_bytes_ ? written_end : size_bytes_;
    return end < released_bytes_ ? 0 : end - released_bytes_;
  }
  // Those of them that are not the allocator's.
  std::size_t MappedBytes(std::size_t written_end) const {
    return mapped() ? ResidentBytes(written_end) : 0;
  }

  // The first `bytes` will never be touched again. Acts in multiples of kReleaseBytes.
  void ReleasePrefix(std::size_t bytes) {
    if (bytes >= released_bytes_ + kReleaseBytes) Release(bytes / kReleaseBytes * kReleaseBytes);
  }

 private:
  void Release(std::size_t end);
  void Free();
  void Swap(ZeroedRegion& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_bytes_, other.size_bytes_);
    std::swap(released_bytes_, other.released_bytes_);
  }

  std::byte* data_ = nullptr;
  std::size_t size_bytes_ = 0;  // a multiple of 64
  std::size_t released_bytes_ = 0;
};

}  // namespace aeris::storage
