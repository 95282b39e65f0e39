#include "src/memory_info.h"

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "src/base/unique_fd.h"

#ifdef AERIS_JEMALLOC
#include <jemalloc/jemalloc.h>

// Blocks of streams and lists fill sizes 4096 and 8192. By default jemalloc keeps an account of 128
// bytes for each block of these sizes; in stretches of 16 pages, one for 16 or 8 of them: 3% less
// for a stream, 1.5% for a list. Read by the library as it starts, under this name.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "slab_sizes:4096-4096:16|8192-8192:16";
}
#endif
#ifdef __SANITIZE_ADDRESS__
// As in <sanitizer/allocator_interface.h>, which Debian's g++ does not bring.
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();
#endif

namespace aeris {
namespace {

#ifdef AERIS_JEMALLOC
std::size_t ReadJemalloc(const char* name) {
  std::size_t value = 0;
  std::size_t size = sizeof value;
  return mallctl(name, &value, &size, nullptr, 0) == 0 ? value : 0;
}

#define AERIS_TEXT_OF(number) #number
#define AERIS_TEXT(number) AERIS_TEXT_OF(number)
constexpr char kName[] = "jemalloc-" AERIS_TEXT(JEMALLOC_VERSION_MAJOR) "." AERIS_TEXT(
    JEMALLOC_VERSION_MINOR) "." AERIS_TEXT(JEMALLOC_VERSION_BUGFIX);

void RefreshJemalloc() {
  // Statistics are copied out when the epoch moves.
  std::uint64_t epoch = 1;
  std::size_t size = sizeof epoch;
  mallctl("epoch", &epoch, &size, &epoch, size);
}
#endif

}  // namespace

#ifdef AERIS_JEMALLOC

const char* AllocatorName() { return kName; }

std::size_t AllocatedBytes() {
  RefreshJemalloc();
  return ReadJemalloc("stats.allocated");
}

ThreadAllocation::ThreadAllocation() {
  std::uint64_t* allocated = nullptr;
  std::uint64_t* freed = nullptr;
  std::size_t size = sizeof allocated;
  if (mallctl("thread.allocatedp", &allocated, &size, nullptr, 0) != 0) return;
  if (mallctl("thread.deallocatedp", &freed, &size, nullptr, 0) != 0) return;
  allocated_ = allocated;
  freed_ = freed;
}

AllocatorInfo ReadAllocatorInfo() {
  RefreshJemalloc();
  return {.allocated = ReadJemalloc("stats.allocated"),
          .active = ReadJemalloc("stats.active"),
          .resident = ReadJemalloc("stats.resident"),
          .retained = ReadJemalloc("stats.retained")};
}

std::string AllocatorReport() {
  std::string report;
  malloc_stats_print([](void* text, const char* part) { *static_cast<std::string*>(text) += part; },
                     &report, nullptr);
  return report;
}

bool UseAllocatorThread(bool on) {
  // Ten seconds by default. Blocks that are replaced all the time are used again long before two.
  constexpr ssize_t kUnusedMs = 2000;
  ssize_t decay = kUnusedMs;
  mallctl("arenas.dirty_decay_ms", nullptr, nullptr, &decay, sizeof decay);  // of arenas to come
  unsigned arenas = 0;
  std::size_t size = sizeof arenas;
  mallctl("arenas.narenas", &arenas, &size, nullptr, 0);
  for (unsigned i = 0; i < arenas; ++i) {
    const std::string name = "arena." + std::to_string(i) + ".dirty_decay_ms";
    decay = kUnusedMs;
    mallctl(name.c_str(), nullptr, nullptr, &decay, sizeof decay);  // unless it is not in use yet
  }
  std::size_t threads = 1;
  mallctl("max_background_threads", nullptr, nullptr, &threads, sizeof threads);
  return mallctl("background_thread", nullptr, nullptr, &on, sizeof on) == 0;
}

bool PurgeAllocator() {
  // 4096 is MALLCTL_ARENAS_ALL.
  return mallctl("arena.4096.purge", nullptr, nullptr, nullptr, 0) == 0;
}

#else

const char* AllocatorName() { return "libc"; }

std::size_t AllocatedBytes() { return ReadAllocatorInfo().allocated; }

ThreadAllocation::ThreadAllocation() = default;

AllocatorInfo ReadAllocatorInfo() {
#ifdef __SANITIZE_ADDRESS__
  // The sanitizer's allocator leaves mallinfo empty.
  const std::size_t bytes = __sanitizer_get_current_allocated_bytes();
  return {.allocated = bytes, .active = bytes, .resident = bytes, .retained = 0};
#endif
  const struct mallinfo2 info = mallinfo2();
  const std::size_t allocated = info.uordblks + info.hblkhd;
  return {.allocated = allocated,
          .active = info.arena + info.hblkhd,
          .resident = info.arena + info.hblkhd,
          .retained = 0};
}

std::string AllocatorReport() {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* const stream = open_memstream(&text, &size);
  if (stream == nullptr) return "Stats not available";
  malloc_info(0, stream);
  std::fclose(stream);
  std::string report(text, size);
  std::free(text);
  return report;
}

bool UseAllocatorThread(bool) { return true; }

bool PurgeAllocator() {
  malloc_trim(0);  // 0 says that there was nothing to return
  return true;
}

#endif

std::size_t ResidentBytes() {
  const UniqueFd fd(open("/proc/self/statm", O_RDONLY | O_CLOEXEC));
  if (!fd) return 0;
  char text[128];
  const ssize_t got = read(fd.get(), text, sizeof text);
  if (got <= 0) return 0;
  const char* const end = text + got;
  // "size resident shared ...", in pages.
  const char* at = static_cast<const char*>(std::memchr(text, ' ', static_cast<std::size_t>(got)));
  if (at == nullptr) return 0;
  std::size_t pages = 0;
  std::from_chars(at + 1, end, pages);
  return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace aeris
