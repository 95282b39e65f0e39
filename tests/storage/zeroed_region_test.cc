#include "storage/zeroed_region.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace aeris::storage {
namespace {

TEST(ZeroedRegion, StartsAsZerosWhetherMappedOrNot) {
  for (const std::size_t bytes : {std::size_t{1}, std::size_t{64}, ZeroedRegion::kMappedBytesMin}) {
    const ZeroedRegion region(bytes);
    EXPECT_GE(region.size_bytes(), bytes);
    EXPECT_EQ(std::count(region.data(), region.data() + bytes, std::byte{0}),
              static_cast<std::ptrdiff_t>(bytes));
  }
}

TEST(ZeroedRegion, IsEmptyWhereTheKernelHasNoRoom) {
  ZeroedRegion region(std::size_t{1} << 60);
  EXPECT_EQ(region.data(), nullptr);
  EXPECT_EQ(region.size_bytes(), 0u);
  EXPECT_EQ(region.ResidentBytes(1000), 0u);
  region = ZeroedRegion(100);
  EXPECT_NE(region.data(), nullptr);
}

}  // namespace
}  // namespace aeris::storage
