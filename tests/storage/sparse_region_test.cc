#include "storage/sparse_region.h"

#include <gtest/gtest.h>

#include <set>

#include "src/base/random.h"

namespace aeris::storage {
namespace {

constexpr std::size_t kPage = SparseRegion::kPageBytes;

void Write(SparseRegion& region, std::size_t offset) {
  region.Touch(offset);
  region.data()[offset] = std::byte{1};
}

TEST(SparseRegion, CountsEachPageWhenItIsWritten) {
  SparseRegion region(100 * kPage);
  EXPECT_EQ(region.resident_bytes(), 0U);
  Write(region, 0);
  Write(region, kPage - 1);
  EXPECT_EQ(region.resident_bytes(), kPage);
  Write(region, 100 * kPage - 1);
  EXPECT_EQ(region.resident_bytes(), 2 * kPage);
  EXPECT_EQ(region.mapped_bytes(), 2 * kPage);
}

TEST(SparseRegion, CountsASmallOneAsAWhole) {
  SparseRegion region(1000);
  EXPECT_GE(region.resident_bytes(), 1000U);
  EXPECT_EQ(region.mapped_bytes(), 0U);
  Write(region, 999);
  EXPECT_EQ(region.mapped_bytes(), 0U);
  EXPECT_EQ(SparseRegion().resident_bytes(), 0U);
}

TEST(SparseRegion, ForgetsWhatIsGivenBack) {
  Random random(7);
  constexpr std::size_t kPages = 1000;
  constexpr std::size_t kStep = ZeroedRegion::kReleaseBytes / kPage;
  SparseRegion region(kPages * kPage);
  std::set<std::size_t> expected;
  for (std::size_t released = 0; released < kPages; released += random.Below(90)) {
    region.ReleasePrefix(released * kPage);
    expected.erase(expected.begin(), expected.lower_bound(released / kStep * kStep));
    ASSERT_EQ(region.resident_bytes(), expected.size() * kPage);
    for (int i = 0; i < 50; ++i) {
      const std::size_t page = released + random.Below(kPages - released);
      Write(region, page * kPage + random.Below(kPage));
      expected.insert(page);
      ASSERT_EQ(region.resident_bytes(), expected.size() * kPage);
    }
  }
}

}  // namespace
}  // namespace aeris::storage
