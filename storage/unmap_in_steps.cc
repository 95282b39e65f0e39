#include "storage/unmap_in_steps.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>

#include "storage/huge_page.h"

namespace aeris::storage {

bool UnmapInSteps(std::byte* begin, std::size_t used_bytes, std::size_t bytes) {
  constexpr std::size_t kStep = HugePage::kBytes;
  if (used_bytes > kStep) {
    // The first step ends where a huge page may begin, so that none is split.
    std::size_t step = kStep - reinterpret_cast<std::uintptr_t>(begin) % kStep;
    for (std::size_t done = 0; done < used_bytes; done += step, step = kStep) {
      // Fails only for locked memory, which then goes with the range.
      static_cast<void>(madvise(begin + done, std::min(step, used_bytes - done), MADV_DONTNEED));
    }
  }
  return munmap(begin, bytes) == 0;
}

}  // namespace aeris::storage
