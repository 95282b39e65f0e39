#include "storage/huge_page.h"

#include <emmintrin.h>
#include <sys/mman.h>

#include "src/base/check.h"

#if defined(__SANITIZE_ADDRESS__)
#define AERIS_NO_ASAN __attribute__((no_sanitize_address))
#else
#define AERIS_NO_ASAN
#endif

namespace aeris::storage {
namespace {

constexpr int kMadvCollapse = 25;  // MADV_COLLAPSE, which glibc 2.36 has no name for

void Unmap(std::byte* begin, std::size_t bytes) {
  if (bytes == 0) return;
  const int result = munmap(begin, bytes);
  AERIS_CHECK(result == 0);
}

// Past the caches, which hold what is in use. Whatever parts of the block are poisoned are copied
// as well.
AERIS_NO_ASAN void CopyBlock(const std::byte* from, std::byte* to) {
  const auto* source = reinterpret_cast<const __m128i*>(from);
  auto* target = reinterpret_cast<__m128i*>(to);
  for (std::size_t i = 0; i < HugePage::kBytes / sizeof(__m128i); ++i) {
    _mm_stream_si128(target + i, _mm_load_si128(source + i));
  }
  _mm_sfence();
}

}  // namespace

HugePage HugePage::Make() {
  // Kernels before 6.7 do not align by themselves.
  void* const range = mmap(nullptr, 2 * kBytes, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (range == MAP_FAILED) return {};
  auto* const begin = static_cast<std::byte*>(range);
  std::byte* const page = Blocks({begin, 2 * kBytes}).data();
  Unmap(begin, static_cast<std::size_t>(page - begin));
  Unmap(page + kBytes, static_cast<std::size_t>(begin + kBytes - page));
  HugePage made(page);
  static_cast<void>(madvise(page, kBytes, MADV_HUGEPAGE));
  *page = std::byte{0};
  // Whether that write got a huge page; the kernel's last chance to make it one.
  if (madvise(page, kBytes, kMadvCollapse) != 0) return {};
  return made;
}

HugePage::~HugePage() {
  if (data_ != nullptr) Unmap(data_, kBytes);
}

bool HugePage::TakePlaceOf(std::span<std::byte> block) {
  AERIS_DCHECK(data_ != nullptr && block.size() == kBytes);
  AERIS_DCHECK(reinterpret_cast<std::uintptr_t>(block.data()) % kBytes == 0);
  CopyBlock(block.data(), data_);
  void* const moved = mremap(data_, kBytes, kBytes, MREMAP_MAYMOVE | MREMAP_FIXED, block.data());
  if (moved == MAP_FAILED) return false;
  data_ = nullptr;
  return true;
}

}  // namespace aeris::storage
