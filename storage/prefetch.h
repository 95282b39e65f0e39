// Prefetch: asks for the cache line at an address that will be read or written soon.
//
// Not __builtin_prefetch: GCC 12 takes a function that does nothing but prefetch for one without
// effects, and drops the calls. Whole passes of prefetches vanished so from optimised builds, and a
// batch of 32 lookups cost twice its time.
#pragma once

namespace aeris::storage {

inline void Prefetch(const void* address) {
#if defined(__x86_64__)
  asm volatile("prefetcht0 %0" : : "m"(*static_cast<const char*>(address)));
#else
  __builtin_prefetch(address);
  asm volatile("");
#endif
}

}  // namespace aeris::storage
