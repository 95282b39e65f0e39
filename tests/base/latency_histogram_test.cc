#include "src/base/latency_histogram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

namespace aeris {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(LatencyHistogram, IsEmptyUntilTheFirstValueAndAfterReset) {
  LatencyHistogram histogram;
  EXPECT_TRUE(histogram.empty());
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.ValueAt(50), 0);
  EXPECT_THAT(histogram.CumulativeByPowersOfTwo(), IsEmpty());
  histogram.Record(5);
  EXPECT_FALSE(histogram.empty());
  histogram.Reset();
  EXPECT_TRUE(histogram.empty());
}

TEST(LatencyHistogram, AgreesWithASortedVectorWithinOnePercent) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 20; ++round) {
    LatencyHistogram histogram;
    std::vector<std::int64_t> values(1 + random() % 5000);
    // Spread over all orders of magnitude.
    std::uniform_real_distribution<double> exponent(0, 9);
    for (std::int64_t& value : values) {
      value = static_cast<std::int64_t>(std::pow(10, exponent(random)));
      histogram.Record(value);
    }
    std::ranges::sort(values);
    ASSERT_EQ(histogram.count(), values.size());
    for (const double percentile : {0.0, 1.0, 25.0, 50.0, 90.0, 99.0, 99.9, 100.0}) {
      const double count = static_cast<double>(values.size());
      const auto rank =
          static_cast<std::size_t>(std::max(1.0, std::floor(percentile / 100 * count + 0.5)));
      const std::int64_t exact = values[rank - 1];
      const std::int64_t got = histogram.ValueAt(percentile);
      EXPECT_GE(got, exact) << percentile;
      EXPECT_LE(static_cast<double>(got), static_cast<double>(exact) * 1.01) << percentile;
    }
  }
}

TEST(LatencyHistogram, CountsValuesBeyondItsRangeAsItsEnds) {
  LatencyHistogram histogram;
  histogram.Record(-5);
  histogram.Record(0);
  histogram.Record(std::int64_t{1} << 62);
  EXPECT_EQ(histogram.count(), 3U);
  EXPECT_EQ(histogram.ValueAt(50), 1);
  EXPECT_GE(histogram.ValueAt(100), 1'000'000'000);
  EXPECT_LE(histogram.ValueAt(100), 1'010'000'000);
}

// The figures are redis-server 7.0.15's for DEBUG SLEEP of these lengths.
TEST(LatencyHistogram, ShowsBoundsThatDoubleAsRedisDoes) {
  LatencyHistogram histogram;
  for (const std::int64_t us : {1100, 3100, 9200, 40'100, 100'200, 300'200}) {
    histogram.Record(us * 1000);
  }
  EXPECT_THAT(histogram.CumulativeByPowersOfTwo(),
              ElementsAre(Pair(2113, 1), Pair(4227, 2), Pair(16908, 3), Pair(67633, 4),
                          Pair(135266, 5), Pair(541065, 6)));
}

TEST(LatencyHistogram, EndsItsBoundsWithTheLongestValue) {
  LatencyHistogram histogram;
  histogram.Record(1'300'000'000);
  EXPECT_THAT(histogram.CumulativeByPowersOfTwo(), ElementsAre(Pair(1073741, 1)));
}

TEST(LatencyHistogram, CumulativeCountsAgreeWithASortedVector) {
  std::mt19937_64 random(7);
  LatencyHistogram histogram;
  std::vector<std::int64_t> values(3000);
  for (std::int64_t& value : values) {
    value = static_cast<std::int64_t>(random() % (std::uint64_t{1} << (1 + random() % 29))) + 1;
    histogram.Record(value);
  }
  std::ranges::sort(values);
  std::uint64_t before = 0;
  for (const auto& [microseconds, count] : histogram.CumulativeByPowersOfTwo()) {
    EXPECT_GT(count, before);
    before = count;
    const auto below = static_cast<std::uint64_t>(
        std::ranges::upper_bound(values, microseconds * 1000 + 999) - values.begin());
    EXPECT_LE(count, below);
    const auto surely = static_cast<std::uint64_t>(
        std::ranges::lower_bound(values, microseconds * 1000 * 99 / 100) - values.begin());
    EXPECT_GE(count, surely);
  }
  EXPECT_EQ(before, values.size());
}

TEST(LatencyHistogram, CountsFurtherThanOneCounterReaches) {
  LatencyHistogram histogram;
  for (int i = 0; i < 200'000; ++i) histogram.Record(300);
  for (int i = 0; i < 65'536; ++i) histogram.Record(5000);
  histogram.Record(9'000'000);
  EXPECT_EQ(histogram.count(), 265'537U);
  EXPECT_EQ(histogram.ValueAt(50), 301);
  EXPECT_EQ(histogram.ValueAt(90), 5023);
  EXPECT_EQ(histogram.ValueAt(100), 9'043'967);
  EXPECT_THAT(histogram.CumulativeByPowersOfTwo(),
              ElementsAre(Pair(1, 200'000), Pair(8, 265'536), Pair(16908, 265'537)));
}

// A first call near maxmemory must not cost keys.
TEST(LatencyHistogram, TakesMemoryOnlyForTheRangesThatAreInUse) {
  LatencyHistogram histogram;
  EXPECT_EQ(histogram.memory_bytes(), 0U);
  histogram.Record(1000);
  EXPECT_LE(histogram.memory_bytes(), 256U);
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> usual(6.2, 0.35);  // of 500 ns
  for (int i = 0; i < 1'000'000; ++i) {
    histogram.Record(static_cast<std::int64_t>(usual(random)));
  }
  EXPECT_LE(histogram.memory_bytes(), 4000U);
  for (std::int64_t value = 1; value < 1'000'000'000; value += 1 + value / 200) {
    histogram.Record(value);
  }
  EXPECT_LE(histogram.memory_bytes(), 18U << 10);
  histogram.Reset();
  EXPECT_EQ(histogram.memory_bytes(), 0U);
}

}  // namespace
}  // namespace aeris
