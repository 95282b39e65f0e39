// What an allocation takes of the allocator, for accounts that are true to used memory without
// asking it: jemalloc's size classes, four for each doubling from 64 bytes on. Resident memory
// differs: a large allocation, above 14 KiB, begins anywhere in its first page and touches no page
// behind its end.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>

namespace aeris::storage {

constexpr std::size_t AllocatedBytes(std::size_t bytes) {
  constexpr std::size_t kStepMin = 16;
  if (bytes <= 8) return bytes == 0 ? 0 : 8;
  const std::size_t step = std::max(kStepMin, std::bit_floor(bytes - 1) / 4);
  return (bytes + step - 1) / step * step;
}

// Of a text that does not lie in the std::string itself, with its final zero.
constexpr std::size_t TextHeapBytes(std::size_t capacity) {
  constexpr std::size_t kInsideMax = 15;
  return capacity <= kInsideMax ? 0 : AllocatedBytes(capacity + 1);
}

}  // namespace aeris::storage
