// What freed slots hold in builds with checks, so that whoever reads one is found out.
#pragma once

#include <cstddef>
#include <cstring>

namespace aeris::storage {

inline void FillFreed([[maybe_unused]] std::byte* bytes, [[maybe_unused]] std::size_t size) {
#ifdef AERIS_DCHECKS
  std::memset(bytes, 0xdf, size);
#endif
}

}  // namespace aeris::storage
