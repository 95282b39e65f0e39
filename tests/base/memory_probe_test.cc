#include "src/base/memory_probe.h"

#include <gtest/gtest.h>

#include <cstddef>

namespace aeris {
namespace {

TEST(CanAllocate, TellsWhatCanBeHadFromWhatCannot) {
  EXPECT_TRUE(CanAllocate(1));
  EXPECT_TRUE(CanAllocate(std::size_t{1} << 20));
  EXPECT_FALSE(CanAllocate(std::size_t{1} << 60));
}

}  // namespace
}  // namespace aeris
