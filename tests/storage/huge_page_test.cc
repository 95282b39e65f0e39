#include "storage/huge_page.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace aeris::storage {
namespace {

constexpr std::size_t kMapped = 4 * HugePage::kBytes;

class HugePageTest : public ::testing::Test {
 protected:
  HugePageTest() {
    void* const pages =
        mmap(nullptr, kMapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_NE(pages, MAP_FAILED);
    memory = {static_cast<std::byte*>(pages), kMapped};
    EXPECT_EQ(madvise(pages, kMapped, MADV_NOHUGEPAGE), 0);
    for (std::size_t i = 0; i < kMapped; ++i) memory[i] = At(i);
  }
  ~HugePageTest() override { munmap(memory.data(), kMapped); }

  static std::byte At(std::size_t i) { return static_cast<std::byte>(i * 31 >> 7); }
  void ExpectContents() {
    for (std::size_t i = 0; i < kMapped; ++i) ASSERT_EQ(memory[i], At(i)) << i;
  }

  std::span<std::byte> memory;
};

// KiB of huge pages in the mapping that starts at `address`.
std::size_t HugeKiBAt(const std::byte* address) {
  std::ifstream maps("/proc/self/smaps");
  bool found = false;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t first = 0;
    char dash = 0;
    std::istringstream range(line);
    if (range >> std::hex >> first >> dash && dash == '-') {
      found = first == reinterpret_cast<std::uintptr_t>(address);
    }
    if (found && line.starts_with("AnonHugePages:")) return std::stoul(line.substr(14));
  }
  return 0;
}

TEST_F(HugePageTest, BlocksAreTheAlignedPart) {
  const std::span<std::byte> blocks = HugePage::Blocks(memory);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(blocks.data()) % HugePage::kBytes, 0u);
  EXPECT_EQ(blocks.size() % HugePage::kBytes, 0u);
  EXPECT_GE(blocks.size(), kMapped - HugePage::kBytes);
  EXPECT_GE(blocks.data(), memory.data());
  EXPECT_LE(blocks.data() + blocks.size(), memory.data() + memory.size());
  EXPECT_EQ(HugePage::Blocks(blocks).size(), blocks.size());
  EXPECT_TRUE(HugePage::Blocks(blocks.subspan(1, 2 * HugePage::kBytes - 2)).empty());
  EXPECT_TRUE(HugePage::Blocks(blocks.first(HugePage::kBytes - 1)).empty());
  EXPECT_TRUE(HugePage::Blocks({}).empty());
}

TEST_F(HugePageTest, TakesThePlaceOfABlockWithWhatItHolds) {
  HugePage page = HugePage::Make();
  if (!page) GTEST_SKIP() << "this kernel gives no huge page";
  const std::span<std::byte> block = HugePage::Blocks(memory).first(HugePage::kBytes);
  EXPECT_EQ(HugeKiBAt(block.data()), 0u);
  ASSERT_TRUE(page.TakePlaceOf(block));
  EXPECT_FALSE(page);
  EXPECT_EQ(HugeKiBAt(block.data()), HugePage::kBytes / 1024);
  ExpectContents();
  // It is memory like any other: parts of it can be given back.
  ASSERT_EQ(madvise(block.data(), HugePage::kBytes / 2, MADV_DONTNEED), 0);
  EXPECT_EQ(block[0], std::byte{0});
  EXPECT_EQ(block[HugePage::kBytes / 2],
            At(static_cast<std::size_t>(block.data() - memory.data()) + HugePage::kBytes / 2));
}

TEST_F(HugePageTest, GoesWithItsOwner) {
  std::vector<HugePage> pages;
  for (int i = 0; i < 3; ++i) pages.push_back(HugePage::Make());
  pages[0] = std::move(pages[1]);
  EXPECT_FALSE(HugePage());
  pages.clear();
  ExpectContents();
}

}  // namespace
}  // namespace aeris::storage
