// Prefetch: asks for the cache lines at an address that will be read or written soon.
//
// Not __builtin_prefetch: GCC 12 takes a function that does nothing but prefetch for one without
// effects, and drops the calls. Whole passes of prefetches vanished so from optimised builds, and a
// batch of 32 lookups cost twice its time.
#pragma once

#include <cstddef>

namespace aeris::storage {

inline void Prefetch(const void* address) {
#if defined(__x86_64__)
  asm volatile("prefetcht0 %0" : : "m"(*static_cast<const char*>(address)));
#else
  __builtin_prefetch(address);
  asm volatile("");
#endif
}

// All lines that hold some of the `bytes`, at least one, from there on.
inline void Prefetch(const std::byte* address, std::size_t bytes) {
  constexpr std::size_t kCacheLine = 64;
  Prefetch(address);
  for (std::size_t at = kCacheLine; at < bytes; at += kCacheLine) Prefetch(address + at);
  Prefetch(address + bytes - 1);
}

}  // namespace aeris::storage
