#include "src/base/memory_probe.h"

#include <cstdlib>

namespace aeris {

bool CanAllocate(std::size_t bytes) {
  void* memory = std::malloc(bytes);
  // Or the compiler would leave out both calls.
  asm volatile("" : "+r"(memory));
  std::free(memory);
  return memory != nullptr;
}

}  // namespace aeris
