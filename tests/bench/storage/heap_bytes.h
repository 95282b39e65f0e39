// What malloc holds for its callers, headers and rounding included: the bytes per entry of the
// baselines that are made of standard containers.
#pragma once

#include <malloc.h>

#include <cstddef>

namespace aeris {

inline std::size_t HeapBytes() {
  const struct mallinfo2 info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

}  // namespace aeris
