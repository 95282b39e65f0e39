#include "src/cache_stats.h"

#include <gtest/gtest.h>

namespace aeris {
namespace {

using std::chrono::seconds;

constexpr MonotonicTime kStart{seconds(1000)};

TEST(CacheStats, KnowsNothingOfNoEvictions) {
  const CacheStats stats;
  EXPECT_EQ(stats.evicted(), 0U);
  EXPECT_EQ(stats.EvictedAgeSeconds(50), 0U);
  EXPECT_EQ(stats.never_read_ratio(), 0);
}

TEST(CacheStats, HasPercentilesOfTheAgesOfEvictedKeys) {
  CacheStats stats;
  for (std::uint64_t age = 0; age < 1000; ++age) stats.Evicted(age, age % 4 == 0);
  EXPECT_EQ(stats.evicted(), 1000U);
  EXPECT_NEAR(static_cast<double>(stats.EvictedAgeSeconds(50)), 500, 6);
  EXPECT_NEAR(static_cast<double>(stats.EvictedAgeSeconds(90)), 900, 10);
  EXPECT_EQ(stats.never_read_ratio(), 0.25);
}

TEST(CacheStats, TellsAKeyUsedInThisSecondFromOneOfTheLast) {
  CacheStats stats;
  stats.Evicted(0, false);
  EXPECT_EQ(stats.EvictedAgeSeconds(50), 0U);
  stats.Reset();
  stats.Evicted(1, false);
  EXPECT_EQ(stats.EvictedAgeSeconds(50), 1U);
}

TEST(CacheStats, TakesTheGreatestAgeThatTheAccessClockHas) {
  CacheStats stats;
  stats.Evicted(65'535, true);
  EXPECT_NEAR(static_cast<double>(stats.EvictedAgeSeconds(50)), 65'535, 700);
}

TEST(CacheStats, HasAMinuteAndAnHour) {
  CacheStats stats;
  HitCounts totals;
  for (int second = 0; second < 600; ++second) {
    ++(second < 500 ? totals.hits : totals.misses);
    stats.Sample(totals, kStart + seconds(second));
  }
  EXPECT_EQ(stats.LastMinute(totals).ratio(), 0);
  EXPECT_NEAR(stats.LastHour(totals).ratio(), 5.0 / 6, 1e-9);
  stats.Reset();
  EXPECT_EQ(stats.LastHour({.hits = 2, .misses = 0}).requests(), 2U);
}

}  // namespace
}  // namespace aeris
