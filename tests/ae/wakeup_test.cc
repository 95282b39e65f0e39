#include "ae/wakeup.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "ae/poller_factory.h"

namespace aeris::ae {
namespace {

using std::chrono::milliseconds;

class WakeupTest : public ::testing::Test {
 protected:
  SystemClock clock_;
  std::unique_ptr<Poller> poller_ = std::move(*MakePoller("epoll"));
  EventLoop loop_{{.poller = *poller_, .clock = clock_, .fds_max = 1000}};
};

TEST_F(WakeupTest, MakesOneCallOfManyRings) {
  int calls = 0;
  const auto wakeup = std::move(*Wakeup::Create(loop_, [&] { ++calls; }));
  EXPECT_EQ(loop_.RunOnce(milliseconds(0)), 0U);
  for (int i = 0; i < 100; ++i) wakeup->Ring();
  EXPECT_EQ(loop_.RunOnce(kForever), 1U);
  EXPECT_EQ(loop_.RunOnce(milliseconds(0)), 0U);
  EXPECT_EQ(calls, 1);
}

TEST_F(WakeupTest, HearsARingFromItsOwnCallbackInTheNextTurn) {
  int calls = 0;
  std::unique_ptr<Wakeup> wakeup;
  wakeup = std::move(*Wakeup::Create(loop_, [&] {
    if (++calls < 3) wakeup->Ring();
  }));
  wakeup->Ring();
  for (int turn = 1; turn <= 3; ++turn) {
    EXPECT_EQ(loop_.RunOnce(kForever), 1U);
    EXPECT_EQ(calls, turn);
  }
  EXPECT_EQ(loop_.RunOnce(milliseconds(0)), 0U);
}

// `written` is no atomic: under ThreadSanitizer this proves that Ring() publishes it.
TEST_F(WakeupTest, ShowsWhatAThreadWroteBeforeItsRing) {
  constexpr int kRounds = 300;
  int written = 0;
  int heard = 0;
  std::atomic<int> acknowledged = 0;
  const auto wakeup = std::move(*Wakeup::Create(loop_, [&] {
    heard = written;
    acknowledged.store(heard, std::memory_order_release);
    acknowledged.notify_one();
  }));
  std::thread ringer([&] {
    for (int round = 1; round <= kRounds; ++round) {
      written = round;
      wakeup->Ring();
      acknowledged.wait(round - 1, std::memory_order_acquire);
    }
  });
  while (heard < kRounds) loop_.RunOnce(kForever);  // hangs if a ring is lost
  ringer.join();
  EXPECT_EQ(heard, kRounds);
}

TEST_F(WakeupTest, LosesNoRingOfSeveralThreads) {
  constexpr int kThreads = 4;
  constexpr int kRings = 5000;
  std::atomic<int> rings = 0;
  int seen = 0;
  const auto wakeup = std::move(*Wakeup::Create(loop_, [&] { seen = rings.load(); }));
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int ring = 0; ring < kRings; ++ring) {
        ++rings;
        wakeup->Ring();
      }
    });
  }
  while (seen < kThreads * kRings) loop_.RunOnce(kForever);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(seen, kThreads * kRings);
}

}  // namespace
}  // namespace aeris::ae
