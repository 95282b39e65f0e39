#include "storage/zeroed_region.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>

#include "src/base/check.h"
#include "storage/unmap_in_steps.h"

namespace aeris::storage {

ZeroedRegion::ZeroedRegion(std::size_t bytes) : size_bytes_((bytes + 63) / 64 * 64) {
  if (size_bytes_ == 0) return;
  if (mapped()) {
    void* pages = mmap(nullptr, size_bytes_, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pages == MAP_FAILED) {
      size_bytes_ = 0;
      return;
    }
    data_ = static_cast<std::byte*>(pages);
    // Fails where the kernel knows no huge pages, which is just as well.
    static_cast<void>(madvise(data_, size_bytes_, MADV_NOHUGEPAGE));
  } else {
    data_ = static_cast<std::byte*>(std::aligned_alloc(64, size_bytes_));
    if (data_ == nullptr) {
      size_bytes_ = 0;
      return;
    }
    std::memset(data_, 0, size_bytes_);
  }
}

void ZeroedRegion::Release(std::size_t end) {
  if (!mapped()) return;
  // Fails only when the kernel has no memory to note the change; then the pages go back at the end.
  if (munmap(data_ + released_bytes_, end - released_bytes_) == 0) released_bytes_ = end;
}

void ZeroedRegion::Free() {
  if (data_ == nullptr) return;
  if (mapped()) {
    const std::size_t left = size_bytes_ - released_bytes_;
    AERIS_CHECK(UnmapInSteps(data_ + released_bytes_, left, left));
  } else {
    std::free(data_);
  }
  data_ = nullptr;
}

}  // namespace aeris::storage
