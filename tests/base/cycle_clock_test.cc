#include "src/base/cycle_clock.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>

namespace aeris {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

// A processor of 3 GHz whose time a test moves.
class FakeProcessor final : public CycleSource {
 public:
  bool Usable() const override { return usable; }
  std::uint64_t Cycles() const override { return cycles; }
  MonotonicTime Kernel() const override {
    ++kernel_readings;
    return kernel;
  }

  void Advance(nanoseconds by) {
    kernel += by;
    cycles += static_cast<std::uint64_t>(by.count() * cycles_per_us / 1000);
  }

  bool usable = true;
  std::int64_t cycles_per_us = 3000;
  std::uint64_t cycles = std::uint64_t{1} << 40;
  MonotonicTime kernel{seconds(500)};
  mutable int kernel_readings = 0;
};

// Lets the clock learn the rate.
void Calibrate(FakeProcessor& processor, const CycleClock& clock) {
  for (int i = 0; i < 12; ++i) {
    processor.Advance(milliseconds(1));
    (void)clock.Monotonic();
  }
}

TEST(CycleClock, AsksTheKernelUntilTheRateIsKnown) {
  FakeProcessor processor;
  const CycleClock clock(processor);
  for (int i = 0; i < 9; ++i) {
    processor.Advance(milliseconds(1));
    EXPECT_EQ(clock.Monotonic(), processor.kernel);
  }
}

TEST(CycleClock, CountsCyclesBetweenTwoReadingsOfTheKernelsClock) {
  FakeProcessor processor;
  const CycleClock clock(processor);
  Calibrate(processor, clock);
  const int readings = processor.kernel_readings;
  const MonotonicTime begin = clock.Monotonic();
  for (int i = 1; i <= 100; ++i) {
    processor.Advance(microseconds(9));
    const auto error = clock.Monotonic() - (begin + microseconds(9 * i));
    EXPECT_LE(std::abs(error.count()), 20);
  }
  EXPECT_EQ(processor.kernel_readings, readings);
  processor.Advance(milliseconds(1));
  (void)clock.Monotonic();
  EXPECT_GT(processor.kernel_readings, readings);
}

TEST(CycleClock, AsksTheKernelAlwaysWhereTheCounterIsNotUsable) {
  FakeProcessor processor;
  processor.usable = false;
  const CycleClock clock(processor);
  Calibrate(processor, clock);
  processor.cycles += 1'000'000;
  EXPECT_EQ(clock.Monotonic(), processor.kernel);
}

TEST(CycleClock, FollowsAKernelThatSlewsAndNeverGoesBack) {
  std::mt19937_64 random(20'240'601);
  FakeProcessor processor;
  const CycleClock clock(processor);
  Calibrate(processor, clock);
  MonotonicTime last = clock.Monotonic();
  for (int i = 0; i < 200'000; ++i) {
    // Up to 500 parts in a million either way, as time daemons do it.
    if (i % 5000 == 0) processor.cycles_per_us = 3000 + static_cast<std::int64_t>(random() % 4) - 2;
    processor.Advance(nanoseconds(10 + random() % 30'000));
    const MonotonicTime now = clock.Monotonic();
    ASSERT_GE(now, last) << "step " << i;
    ASSERT_LE(std::abs((now - processor.kernel).count()), 5000) << "step " << i;
    last = now;
  }
}

TEST(CycleClock, BeginsAnewWhenTheCounterWasSet) {
  FakeProcessor processor;
  const CycleClock clock(processor);
  Calibrate(processor, clock);
  for (const std::uint64_t cycles : {std::uint64_t{5}, std::uint64_t{1} << 62}) {
    MonotonicTime last = clock.Monotonic();
    processor.cycles = cycles;
    for (int i = 0; i < 5000; ++i) {
      processor.Advance(microseconds(50));
      const MonotonicTime now = clock.Monotonic();
      ASSERT_GE(now, last);
      ASSERT_LE(std::abs((now - processor.kernel).count()), nanoseconds(milliseconds(2)).count());
      last = now;
    }
    EXPECT_LE(std::abs((last - processor.kernel).count()), 5000);
  }
}

TEST(CycleClock, AgreesWithTheKernelOnThisMachine) {
  const CycleClock clock;
  const SystemClock kernel;
  MonotonicTime last = clock.Monotonic();
  const MonotonicTime end = kernel.Monotonic() + milliseconds(50);
  while (last < end) {
    const MonotonicTime before = kernel.Monotonic();
    const MonotonicTime now = clock.Monotonic();
    const MonotonicTime after = kernel.Monotonic();
    EXPECT_GE(now, last);
    EXPECT_GE(now, before - milliseconds(1));
    EXPECT_LE(now, after + milliseconds(1));
    last = now;
  }
}

}  // namespace
}  // namespace aeris
