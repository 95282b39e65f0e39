#include "storage/zeroed_region.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>

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

// The kernel's flags of the mapping that holds `address`, as in "rd wr mr ... nh".
std::string MappingFlags(const std::byte* address) {
  std::ifstream maps("/proc/self/smaps");
  bool found = false;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t first = 0, end = 0;
    char dash = 0;
    std::istringstream range(line);
    if (range >> std::hex >> first >> dash >> end && dash == '-') {
      const auto wanted = reinterpret_cast<std::uintptr_t>(address);
      found = wanted >= first && wanted < end;
    }
    if (found && line.starts_with("VmFlags:")) return line.substr(8) + " ";
  }
  return {};
}

TEST(ZeroedRegion, TakesNoHugePagesByItself) {
  ZeroedRegion region(std::size_t{8} << 20);
  EXPECT_EQ(MappingFlags(region.data()).find(" hg "), std::string::npos);
}

TEST(ZeroedRegion, GivesBackItsFront) {
  constexpr std::size_t kBytes = std::size_t{8} << 20;
  ZeroedRegion region(kBytes);
  std::fill(region.data(), region.data() + kBytes, std::byte{7});
  region.ReleasePrefix(kBytes / 2 + 1);
  EXPECT_EQ(region.ResidentBytes(kBytes), kBytes / 2);
  EXPECT_EQ(std::count(region.data() + kBytes / 2, region.data() + kBytes, std::byte{7}),
            static_cast<std::ptrdiff_t>(kBytes / 2));
}

}  // namespace
}  // namespace aeris::storage
