#include "src/hit_window.h"

#include <gtest/gtest.h>

namespace aeris {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr MonotonicTime kStart{seconds(1000)};

TEST(HitWindow, HasAllSinceTheStartAtFirst) {
  HitWindow window(seconds(60));
  EXPECT_EQ(window.Last({.hits = 3, .misses = 1}).hits, 3U);
  window.Sample({.hits = 3, .misses = 1}, kStart);
  EXPECT_EQ(window.Last({.hits = 6, .misses = 2}).ratio(), 0.75);
  EXPECT_EQ(window.Last({.hits = 6, .misses = 2}).requests(), 8U);
}

TEST(HitWindow, ForgetsWhatIsOlderThanItsLength) {
  HitWindow window(seconds(60));
  HitCounts totals;
  // A request in each second: hits for a minute, then misses.
  for (int i = 0; i < 600; ++i) window.Sample(totals, kStart + milliseconds(100 * i));
  for (int second = 0; second < 120; ++second) {
    ++(second < 60 ? totals.hits : totals.misses);
    for (int i = 0; i < 10; ++i) {
      window.Sample(totals, kStart + seconds(60 + second) + milliseconds(100 * i));
    }
    const HitCounts last = window.Last(totals);
    if (second < 59) {
      EXPECT_EQ(last.ratio(), 1.0);
    }
    EXPECT_LE(last.requests(), 60U);
    if (second >= 60) {
      EXPECT_GE(last.requests(), 59U);
    }
    if (second == 90) {
      EXPECT_NEAR(last.ratio(), 0.5, 0.03);
    }
  }
  EXPECT_EQ(window.Last(totals).ratio(), 0);
}

TEST(HitWindow, CoversAnHourInMinutes) {
  HitWindow window(seconds(3600));
  HitCounts totals;
  for (int second = 0; second < 3 * 3600; ++second) {
    ++totals.hits;
    window.Sample(totals, kStart + seconds(second));
  }
  const std::uint64_t requests = window.Last(totals).requests();
  EXPECT_LE(requests, 3600U);
  EXPECT_GE(requests, 3540U);
}

TEST(HitWindow, TakesAPauseForNoTraffic) {
  HitWindow window(seconds(60));
  window.Sample({.hits = 100, .misses = 0}, kStart);
  window.Sample({.hits = 100, .misses = 0}, kStart + seconds(1'000'000));
  EXPECT_EQ(window.Last({.hits = 100, .misses = 5}).hits, 0U);
  EXPECT_EQ(window.Last({.hits = 100, .misses = 5}).misses, 5U);
}

TEST(HitWindow, BeginsAgainWithTheTotals) {
  HitWindow window(seconds(60));
  window.Sample({.hits = 100, .misses = 0}, kStart);
  window.Sample({.hits = 100, .misses = 0}, kStart + seconds(100));
  window.Reset();
  EXPECT_EQ(window.Last({.hits = 1, .misses = 0}).hits, 1U);
  EXPECT_EQ(window.Last({}).ratio(), 0);
}

}  // namespace
}  // namespace aeris
