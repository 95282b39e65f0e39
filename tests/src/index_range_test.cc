#include "src/commands/index_range.h"

#include <gtest/gtest.h>

#include <limits>

namespace aeris {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();

struct Case {
  IndexEnds ends;
  std::size_t size;
  IndexRange items;
  IndexRange text;
};

TEST(IndexRange, ResolvesEndsOfItemsAndOfText) {
  const Case cases[] = {
      {{0, -1}, 5, {0, 5}, {0, 5}},
      {{1, 3}, 5, {1, 4}, {1, 4}},
      {{-2, -1}, 5, {3, 5}, {3, 5}},
      {{2, 2}, 5, {2, 3}, {2, 3}},
      {{3, 1}, 5, {}, {}},
      {{5, 9}, 5, {}, {}},
      {{-100, 100}, 5, {0, 5}, {0, 5}},
      {{kMin, kMax}, 5, {0, 5}, {0, 5}},
      {{kMax, kMin}, 5, {}, {}},
      {{0, -1}, 0, {}, {}},
      {{-1, -5}, 5, {}, {}},
      {{kMin, kMin}, 5, {}, {0, 1}},
      {{0, -6}, 5, {}, {0, 1}},
      {{0, -5}, 5, {0, 1}, {0, 1}},
      {{-1, -5}, 1, {}, {0, 1}},
      {{1, -6}, 5, {}, {}},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(::testing::Message()
                 << each.ends.start << " " << each.ends.stop << " of " << each.size);
    const IndexRange items = each.ends.OfItems(each.size);
    EXPECT_EQ(items.first, each.items.first);
    EXPECT_EQ(items.end, each.items.end);
    const IndexRange text = each.ends.OfText(each.size);
    EXPECT_EQ(text.first, each.text.first);
    EXPECT_EQ(text.end, each.text.end);
  }
}

TEST(IndexRange, IsCrossedFromTheEndOnlyWhenBothEndsAre) {
  EXPECT_TRUE((IndexEnds{-1, -2}).crossed_from_end());
  EXPECT_TRUE((IndexEnds{-1, kMin}).crossed_from_end());
  EXPECT_FALSE((IndexEnds{-2, -2}).crossed_from_end());
  EXPECT_FALSE((IndexEnds{3, 1}).crossed_from_end());
  EXPECT_FALSE((IndexEnds{3, -9}).crossed_from_end());
}

}  // namespace
}  // namespace aeris
