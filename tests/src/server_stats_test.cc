#include "src/server_stats.h"

#include <gtest/gtest.h>

namespace aeris {
namespace {

using std::chrono::milliseconds;

TEST(RateSampler, KnowsNoRateFromOneSample) {
  RateSampler rate;
  rate.Sample(1'000'000, MonotonicTime(milliseconds(100)));
  EXPECT_EQ(rate.per_second(), 0U);
}

TEST(RateSampler, AveragesTheLastSixteenSamples) {
  RateSampler rate;
  MonotonicTime now{};
  std::uint64_t total = 0;
  rate.Sample(total, now);
  for (int i = 0; i < 8; ++i) rate.Sample(total += 100, now += milliseconds(100));
  EXPECT_EQ(rate.per_second(), 500U);  // half of the samples are there
  for (int i = 0; i < 8; ++i) rate.Sample(total += 100, now += milliseconds(100));
  EXPECT_EQ(rate.per_second(), 1000U);
  for (int i = 0; i < 16; ++i) rate.Sample(total, now += milliseconds(100));
  EXPECT_EQ(rate.per_second(), 0U);
}

TEST(RateSampler, DividesByTheTimeThatPassed) {
  RateSampler rate;
  MonotonicTime now{};
  std::uint64_t total = 0;
  rate.Sample(total, now);
  for (int i = 0; i < 16; ++i) rate.Sample(total += 300, now += milliseconds(3000));
  EXPECT_EQ(rate.per_second(), 100U);
  rate.Sample(total += 1000, now);  // no time has passed
  EXPECT_EQ(rate.per_second(), 100U);
}

TEST(RateSampler, StartsAgainAfterReset) {
  RateSampler rate;
  MonotonicTime now{};
  rate.Sample(0, now);
  rate.Sample(100, now += milliseconds(100));
  rate.Reset();
  EXPECT_EQ(rate.per_second(), 0U);
  rate.Sample(5, now += milliseconds(100));
  EXPECT_EQ(rate.per_second(), 0U);
}

}  // namespace
}  // namespace aeris
