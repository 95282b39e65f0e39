#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ae/event_loop.h"
#include "src/base/random.h"
#include "tests/support/fake_poller.h"
#include "tests/support/manual_clock.h"

namespace aeris::ae {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class TimeEventTest : public ::testing::Test {
 protected:
  TimeEvent Note(milliseconds delay, std::string name) {
    return loop_.AddTimeEvent(delay, [this, name] {
      order_.push_back(name);
      return std::nullopt;
    });
  }

  aeris::testing::ManualClock clock_;
  aeris::testing::FakePoller poller_{clock_};
  EventLoop loop_{{.poller = poller_, .clock = clock_, .fds_max = 100}};
  std::vector<std::string> order_;
};

TEST_F(TimeEventTest, RunsByDeadlineThenByAge) {
  const TimeEvent late = Note(milliseconds(30), "late");
  const TimeEvent twin = Note(milliseconds(20), "twin 1");
  const TimeEvent early = Note(milliseconds(10), "early");
  const TimeEvent other_twin = Note(milliseconds(20), "twin 2");
  clock_.Advance(milliseconds(100));
  EXPECT_EQ(loop_.RunOnce(kForever), 4U);
  EXPECT_THAT(order_, ElementsAre("early", "twin 1", "twin 2", "late"));
}

TEST_F(TimeEventTest, SleepsUntilTheNearestDeadline) {
  const TimeEvent far = Note(milliseconds(500), "far");
  const TimeEvent near = Note(milliseconds(70), "near");
  EXPECT_EQ(loop_.RunOnce(kForever), 1U);
  EXPECT_EQ(loop_.RunOnce(milliseconds(30)), 0U);
  EXPECT_EQ(loop_.RunOnce(kForever), 1U);
  EXPECT_THAT(poller_.timeouts(),
              ElementsAre(milliseconds(70), milliseconds(30), milliseconds(400)));
  EXPECT_THAT(order_, ElementsAre("near", "far"));
}

TEST_F(TimeEventTest, RoundsTheWaitUpSoThatItDoesNotSpin) {
  const TimeEvent timer = Note(milliseconds(10), "timer");
  clock_.Advance(std::chrono::microseconds(9900));  // 0.1 ms are left
  EXPECT_EQ(loop_.RunOnce(kForever), 1U);
  EXPECT_THAT(poller_.timeouts(), ElementsAre(milliseconds(1)));
}

TEST_F(TimeEventTest, DoesNotRunBeforeItsDeadline) {
  const TimeEvent timer = Note(milliseconds(10), "timer");
  clock_.Advance(std::chrono::nanoseconds(9'999'999));
  EXPECT_EQ(loop_.RunOnce(milliseconds(0)), 0U);
  clock_.Advance(std::chrono::nanoseconds(1));
  EXPECT_EQ(loop_.RunOnce(milliseconds(0)), 1U);
}

TEST_F(TimeEventTest, RepeatsAfterTheDelayThatItReturns) {
  std::vector<milliseconds> times;
  const MonotonicTime start = clock_.Monotonic();
  const TimeEvent timer = loop_.AddTimeEvent(milliseconds(5), [&]() -> std::optional<milliseconds> {
    times.push_back(std::chrono::duration_cast<milliseconds>(loop_.now() - start));
    if (times.size() == 4) return std::nullopt;
    return milliseconds(10);
  });
  while (timer.active()) loop_.RunOnce(kForever);
  EXPECT_THAT(times,
              ElementsAre(milliseconds(5), milliseconds(15), milliseconds(25), milliseconds(35)));
  EXPECT_EQ(loop_.timer_count(), 0U);
}

// After a long pause it runs once, not once for each interval missed.
TEST_F(TimeEventTest, DoesNotCatchUp) {
  int runs = 0;
  const TimeEvent timer = loop_.AddTimeEvent(milliseconds(10), [&] {
    ++runs;
    return milliseconds(10);
  });
  clock_.Advance(std::chrono::seconds(5));
  loop_.RunOnce(milliseconds(0));
  loop_.RunOnce(milliseconds(0));
  EXPECT_EQ(runs, 1);
}

TEST_F(TimeEventTest, CountsTheNextDelayFromTheEndOfItsCallback) {
  const TimeEvent timer = loop_.AddTimeEvent(milliseconds(0), [&] {
    clock_.Advance(milliseconds(500));  // a slow callback
    return milliseconds(10);
  });
  loop_.RunOnce(milliseconds(0));
  loop_.RunOnce(kForever);
  EXPECT_THAT(poller_.timeouts(), ElementsAre(milliseconds(0), milliseconds(10)));
}

TEST_F(TimeEventTest, RunsOncePerTurnWithADelayOfZero) {
  int runs = 0;
  const TimeEvent timer = loop_.AddTimeEvent(milliseconds(0), [&] {
    ++runs;
    return milliseconds(0);
  });
  const TimeEvent other = Note(milliseconds(0), "other");
  for (int turn = 1; turn <= 5; ++turn) {
    loop_.RunOnce(kForever);
    EXPECT_EQ(runs, turn);
  }
  EXPECT_THAT(order_, ElementsAre("other"));
}

TEST_F(TimeEventTest, RunsATimerMadeInACallbackInTheNextTurn) {
  TimeEvent inner;
  const TimeEvent outer = loop_.AddTimeEvent(milliseconds(0), [&] {
    inner = Note(milliseconds(-5), "inner");  // a negative delay counts as 0
    return std::nullopt;
  });
  EXPECT_EQ(loop_.RunOnce(kForever), 1U);
  EXPECT_THAT(order_, IsEmpty());
  EXPECT_EQ(loop_.RunOnce(kForever), 1U);
  EXPECT_THAT(order_, ElementsAre("inner"));
}

TEST_F(TimeEventTest, CancelsWhenDestroyed) {
  { const TimeEvent timer = Note(milliseconds(1), "timer"); }
  EXPECT_EQ(loop_.timer_count(), 0U);
  clock_.Advance(milliseconds(10));
  EXPECT_EQ(loop_.RunOnce(milliseconds(0)), 0U);
}

TEST_F(TimeEventTest, KeepsADetachedTimer) {
  Note(milliseconds(1), "timer").Detach();
  EXPECT_EQ(loop_.RunOnce(kForever), 1U);
  EXPECT_EQ(loop_.timer_count(), 0U);
}

TEST_F(TimeEventTest, MovesWithItsOwner) {
  TimeEvent first = Note(milliseconds(1), "kept");
  TimeEvent second = Note(milliseconds(1), "overwritten");
  second = std::move(first);
  EXPECT_EQ(loop_.timer_count(), 1U);
  TimeEvent third(std::move(second));
  loop_.RunOnce(kForever);
  EXPECT_THAT(order_, ElementsAre("kept"));
  EXPECT_FALSE(third.active());
}

// The closure owns memory, so that AddressSanitizer sees it freed under its own feet.
TEST_F(TimeEventTest, CancelsItselfInsideItsCallback) {
  auto text = std::make_unique<std::string>("still here");
  TimeEvent timer;
  timer = loop_.AddTimeEvent(milliseconds(0), [this, &timer, text = std::move(text)] {
    timer.Reset();
    order_.push_back(*text);
    return milliseconds(1);  // of no effect
  });
  EXPECT_EQ(loop_.RunOnce(kForever), 1U);
  EXPECT_THAT(order_, ElementsAre("still here"));
  EXPECT_EQ(loop_.timer_count(), 0U);
}

TEST_F(TimeEventTest, ReplacesItselfInsideItsCallback) {
  TimeEvent timer;
  timer = loop_.AddTimeEvent(milliseconds(0), [&] {
    timer = Note(milliseconds(1), "replacement");  // may get the same id
    return milliseconds(0);                        // of no effect
  });
  EXPECT_EQ(loop_.RunOnce(kForever), 1U);
  EXPECT_TRUE(timer.active());
  EXPECT_EQ(loop_.timer_count(), 1U);
  EXPECT_EQ(loop_.RunOnce(kForever), 1U);
  EXPECT_THAT(order_, ElementsAre("replacement"));
}

TEST_F(TimeEventTest, CancelsAnotherThatIsDueInTheSameTurn) {
  TimeEvent second;
  const TimeEvent first = loop_.AddTimeEvent(milliseconds(1), [&] {
    second.Reset();
    return std::nullopt;
  });
  second = Note(milliseconds(1), "second");
  EXPECT_EQ(loop_.RunOnce(kForever), 1U);
  EXPECT_THAT(order_, IsEmpty());
}

TEST_F(TimeEventTest, LeavesTheNextTimerOfItsIdAlone) {
  TimeEvent done = Note(milliseconds(0), "done");
  loop_.RunOnce(kForever);
  const TimeEvent next = Note(milliseconds(1), "next");  // the id of `done`
  done.Reset();
  EXPECT_TRUE(next.active());
  EXPECT_EQ(loop_.timer_count(), 1U);
}

TEST_F(TimeEventTest, IsNotMovedByTheWallClock) {
  const TimeEvent timer = Note(milliseconds(100), "timer");
  clock_.SetUnix(4'000'000'000'000);  // decades ahead
  EXPECT_EQ(loop_.RunOnce(milliseconds(0)), 0U);
  clock_.SetUnix(0);
  EXPECT_EQ(loop_.RunOnce(kForever), 1U);
  EXPECT_THAT(poller_.timeouts(), ElementsAre(milliseconds(0), milliseconds(100)));
}

TEST_F(TimeEventTest, TakesTheLongestDelay) {
  const TimeEvent timer = Note(milliseconds::max(), "never");
  EXPECT_EQ(loop_.RunOnce(milliseconds(10)), 0U);
  EXPECT_TRUE(timer.active());
}

TEST(TimeEvent, IsDestroyedWithTheLoopWhatItsCallbackHolds) {
  aeris::testing::ManualClock clock;
  aeris::testing::FakePoller poller(clock);
  const auto held = std::make_shared<int>(1);
  {
    EventLoop loop({.poller = poller, .clock = clock, .fds_max = 100});
    // A closure that owns a timer of the same loop.
    loop.AddTimeEvent(
            milliseconds(5),
            [held, inner = loop.AddTimeEvent(milliseconds(1), [held] { return std::nullopt; })] {
              return std::nullopt;
            })
        .Detach();
    EXPECT_EQ(held.use_count(), 3);
  }
  EXPECT_EQ(held.use_count(), 1);
}

// Timers that re-arm, cancel and make others at random, against the order that a sorted list gives.
TEST_F(TimeEventTest, NeverRunsEarlyOrOutOfOrderUnderRandomOperations) {
  constexpr std::uint64_t kSeed = 11;
  SCOPED_TRACE(::testing::Message() << "seed " << kSeed);
  Random random(kSeed);
  struct One {
    TimeEvent event;
    MonotonicTime deadline;
    std::size_t runs = 0;
  };
  std::vector<std::unique_ptr<One>> timers;
  MonotonicTime last_deadline{};
  const auto make = [&] {
    auto one = std::make_unique<One>();
    const milliseconds delay(random.Below(50));
    one->deadline = clock_.Monotonic() + delay;
    one->event = loop_.AddTimeEvent(delay, [&, raw = one.get()]() -> std::optional<milliseconds> {
      EXPECT_LE(raw->deadline, loop_.now());
      EXPECT_GE(raw->deadline, last_deadline);
      last_deadline = raw->deadline;
      ++raw->runs;
      if (random.Below(3) == 0) return std::nullopt;
      const milliseconds next(random.Below(50));
      raw->deadline = clock_.Monotonic() + next;
      return next;
    });
    timers.push_back(std::move(one));
  };
  std::size_t runs = 0;
  for (int turn = 0; turn < 3000; ++turn) {
    while (timers.size() < 50) make();
    last_deadline = MonotonicTime{};
    runs += loop_.RunOnce(milliseconds(random.Below(20)));
    for (const auto& one : timers) {
      if (one->event.active()) {
        ASSERT_GE(one->deadline, loop_.now()) << "overdue";
      }
    }
    const std::size_t victim = random.Below(timers.size());
    timers.erase(timers.begin() + static_cast<std::ptrdiff_t>(victim));
    std::erase_if(timers, [](const auto& one) { return !one->event.active(); });
    ASSERT_EQ(loop_.timer_count(), timers.size());
  }
  EXPECT_GT(runs, 1000U);
}

}  // namespace
}  // namespace aeris::ae
