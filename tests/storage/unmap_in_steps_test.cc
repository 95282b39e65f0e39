#include "storage/unmap_in_steps.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace aeris::storage {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kMib = std::size_t{1} << 20;

bool Mapped(std::byte* page) { return msync(page, kPage, MS_ASYNC) == 0; }

// The range goes as a whole, wherever it begins and however much of it was used, and its neighbours
// keep what they hold.
TEST(UnmapInSteps, TakesTheRangeAndNothingElse) {
  for (const std::size_t offset : {kPage, kMib, 2 * kMib, 3 * kMib + 5 * kPage}) {
    for (const std::size_t bytes : {kPage, 2 * kMib, 2 * kMib + kPage, 7 * kMib - kPage}) {
      for (const std::size_t used : {std::size_t{0}, kPage, bytes / 2 / kPage * kPage, bytes}) {
        const std::size_t whole = offset + bytes + kMib;
        void* const range = mmap(nullptr, whole, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        ASSERT_NE(range, MAP_FAILED);
        auto* const begin = static_cast<std::byte*>(range);
        std::memset(begin, 1, offset + used);
        std::memset(begin + offset + bytes, 2, kMib);
        ASSERT_TRUE(UnmapInSteps(begin + offset, used, bytes));
        for (std::size_t at = 0; at < bytes; at += kPage) ASSERT_FALSE(Mapped(begin + offset + at));
        EXPECT_EQ(std::count(begin, begin + offset, std::byte{1}),
                  static_cast<std::ptrdiff_t>(offset));
        EXPECT_EQ(std::count(begin + offset + bytes, begin + whole, std::byte{2}),
                  static_cast<std::ptrdiff_t>(kMib));
        munmap(begin, offset);
        munmap(begin + offset + bytes, kMib);
      }
    }
  }
}

}  // namespace
}  // namespace aeris::storage
