#include "storage/intset.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <random>
#include <set>
#include <string>

namespace aeris::storage {
namespace {

TEST(Intset, IsRedisBytes) {
  std::string bytes = EmptyIntset();
  EXPECT_TRUE(IntsetInsert(bytes, 3));
  EXPECT_TRUE(IntsetInsert(bytes, -1));
  EXPECT_FALSE(IntsetInsert(bytes, 3));
  EXPECT_EQ(bytes, std::string("\2\0\0\0\2\0\0\0\xff\xff\3\0", 12));
  EXPECT_TRUE(IntsetInsert(bytes, 70000));
  EXPECT_EQ(bytes, std::string("\4\0\0\0\3\0\0\0\xff\xff\xff\xff\3\0\0\0\x70\x11\1\0", 20));
}

TEST(Intset, AgreesWithAModel) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  std::string bytes = EmptyIntset();
  std::set<std::int64_t> model;
  for (int step = 0; step < 20000; ++step) {
    // Wide ones come late, so that each width is seen.
    const int bits = step < 5000 ? 10 : step < 10000 ? 20 : 64;
    const auto value = static_cast<std::int64_t>(random()) >> (64 - bits);
    if (random() % 2 == 0) {
      ASSERT_EQ(IntsetInsert(bytes, value), model.insert(value).second);
    } else {
      ASSERT_EQ(IntsetErase(bytes, value), model.erase(value) == 1);
    }
    ASSERT_EQ(IntsetView(bytes).Contains(value), model.contains(value));
    if (step % 100 != 0 || model.empty()) continue;
    ASSERT_TRUE(IntsetView::Valid(bytes));
    const IntsetView view(bytes);
    ASSERT_EQ(view.size(), model.size());
    std::size_t index = 0;
    for (const std::int64_t each : model) ASSERT_EQ(view[index++], each);
  }
}

TEST(Intset, DamagedBytesAreRefusedOrStillASet) {
  std::string good = EmptyIntset();
  for (const std::int64_t value : {std::int64_t{1}, std::int64_t{-500}, std::int64_t{70000},
                                   std::numeric_limits<std::int64_t>::max()}) {
    IntsetInsert(good, value);
  }
  EXPECT_TRUE(IntsetView::Valid(good));
  EXPECT_FALSE(IntsetView::Valid(EmptyIntset()));
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(IntsetView::Valid(good.substr(0, size)));
  }
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[at] = static_cast<char>(static_cast<unsigned char>(bad[at]) ^ 1u << bit);
      if (at < 8) {
        EXPECT_FALSE(IntsetView::Valid(bad));
      } else if (IntsetView::Valid(bad)) {
        EXPECT_EQ(IntsetView(bad).size(), 4U);
      }
    }
  }
}

}  // namespace
}  // namespace aeris::storage
