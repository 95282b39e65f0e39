#include "storage/access_clock.h"

#include <gtest/gtest.h>

#include "tests/storage/keyspace_fixture.h"

namespace aeris::storage {
namespace {

using testing::kNow;

TEST(AccessClock, TellsIdleSecondsForEighteenHours) {
  for (const std::uint64_t idle : {0u, 1u, 59u, 3600u, 65'535u}) {
    EXPECT_EQ(IdleSeconds(ClockFromIdleSeconds(idle, kNow), kNow), idle);
  }
  const std::uint16_t clock = FirstAccessClock({}, kNow);
  EXPECT_EQ(IdleSeconds(clock, kNow), 0u);
  EXPECT_EQ(IdleSeconds(clock, kNow + 999), 0u);
  EXPECT_EQ(IdleSeconds(clock, kNow + 18 * 3600 * 1000), 18u * 3600);
  EXPECT_EQ(IdleSeconds(ClockFromIdleSeconds(1'000'000, kNow), kNow), 65'535u);
}

TEST(AccessClock, StartsNewKeysAtFiveInLfu) {
  const AccessPolicy lfu{.lfu = true};
  EXPECT_EQ(LfuFrequency(FirstAccessClock(lfu, kNow), kNow, 1), 5);
}

TEST(AccessClock, LosesOnePerDecayPeriod) {
  const std::uint16_t clock = ClockFromFrequency(100, kNow);
  EXPECT_EQ(LfuFrequency(clock, kNow, 1), 100);
  EXPECT_EQ(LfuFrequency(clock, kNow + 10 * 60'000, 1), 90);
  EXPECT_EQ(LfuFrequency(clock, kNow + 10 * 60'000, 5), 98);
  EXPECT_EQ(LfuFrequency(clock, kNow + 10 * 60'000, 0), 100);
  EXPECT_EQ(LfuFrequency(clock, kNow + 200 * 60'000, 1), 0);
}

// The table in redis.conf: with factor 10 the counter stands at 10 after 100 uses, at 18 after
// 1,000, and at 142 after 100,000; with factor 0 at 255 after 1,000.
TEST(AccessClock, CountsUsesLogarithmically) {
  Random random(5);
  const auto after = [&](int uses, int factor) {
    const AccessPolicy lfu{.lfu = true, .lfu_log_factor = factor, .lfu_decay_minutes = 1};
    std::uint16_t clock = FirstAccessClock(lfu, kNow);
    for (int i = 0; i < uses; ++i) clock = NextAccessClock(clock, lfu, kNow, random);
    return static_cast<int>(LfuFrequency(clock, kNow, 1));
  };
  EXPECT_NEAR(after(100, 10), 10, 4);
  EXPECT_NEAR(after(1'000, 10), 18, 6);
  EXPECT_NEAR(after(100'000, 10), 142, 15);
  EXPECT_EQ(after(1'000, 0), 255);
}

TEST(AccessClock, KnowsTheCounterThatUsesReach) {
  EXPECT_EQ(FrequencyOfUses(0, 10), 0);
  EXPECT_EQ(FrequencyOfUses(100, 0), 100);
  EXPECT_EQ(FrequencyOfUses(1'000'000, 0), 255);
  EXPECT_EQ(FrequencyOfUses(~std::uint64_t{0}, 10), 255);
  Random random(5);
  // From 5 on, where a counter counts as from 0.
  const AccessPolicy lfu{.lfu = true, .lfu_log_factor = 10, .lfu_decay_minutes = 1};
  std::uint16_t clock = FirstAccessClock(lfu, kNow);
  for (int i = 0; i < 100'000; ++i) clock = NextAccessClock(clock, lfu, kNow, random);
  EXPECT_NEAR(FrequencyOfUses(100'000, 10), LfuFrequency(clock, kNow, 1) - kLfuNewKey, 15);
}

TEST(AccessClock, TellsTheSecondsSinceTheLastUseInBothMeanings) {
  const AccessPolicy lru, lfu{.lfu = true};
  EXPECT_EQ(SecondsSinceUse(FirstAccessClock(lru, kNow), lru, kNow + 3'000'000), 3000U);
  EXPECT_EQ(SecondsSinceUse(FirstAccessClock(lfu, kNow), lfu, kNow), 0U);
  EXPECT_EQ(SecondsSinceUse(FirstAccessClock(lfu, kNow), lfu, kNow + 3'000'000), 3000U);
  EXPECT_EQ(SecondsSinceUse(FirstAccessClock(lfu, kNow), lfu, kNow + 256 * 60'000), 0U);
}

TEST(AccessClock, DecaysBeforeItCounts) {
  Random random(5);
  const AccessPolicy lfu{.lfu = true, .lfu_log_factor = 1'000'000, .lfu_decay_minutes = 1};
  const UnixMs later = kNow + 20 * 60'000;
  const std::uint16_t clock = NextAccessClock(ClockFromFrequency(100, kNow), lfu, later, random);
  EXPECT_EQ(LfuFrequency(clock, later, 1), 80);
}

}  // namespace
}  // namespace aeris::storage
