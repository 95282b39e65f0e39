#include "ae/signals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <utility>
#include <vector>

#include "ae/poller_factory.h"

namespace aeris::ae {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

constexpr std::array kSignals = {SIGUSR1, SIGUSR2};

bool IsBlocked(int signo) {
  sigset_t mask;
  pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  return sigismember(&mask, signo) == 1;
}

class SignalsTest : public ::testing::Test {
 protected:
  std::unique_ptr<SignalEvent> Make() {
    auto event = SignalEvent::Create(
        loop_, kSignals, [this](int signo, pid_t sender) { seen_.emplace_back(signo, sender); });
    EXPECT_TRUE(event.has_value());
    return std::move(*event);
  }

  SystemClock clock_;
  std::unique_ptr<Poller> poller_ = std::move(*MakePoller("epoll"));
  EventLoop loop_{{.poller = *poller_, .clock = clock_, .fds_max = 1000}};
  std::vector<std::pair<int, pid_t>> seen_;
};

TEST_F(SignalsTest, NamesTheSignalAndItsSender) {
  const auto event = Make();
  ASSERT_EQ(::kill(::getpid(), SIGUSR1), 0);
  EXPECT_EQ(loop_.RunOnce(kForever), 1U);
  EXPECT_THAT(seen_, ElementsAre(Pair(SIGUSR1, ::getpid())));
}

TEST_F(SignalsTest, GivesEverySignalOfItsSet) {
  const auto event = Make();
  ASSERT_EQ(::kill(::getpid(), SIGUSR2), 0);
  ASSERT_EQ(::kill(::getpid(), SIGUSR1), 0);
  EXPECT_EQ(loop_.RunOnce(kForever), 1U);
  EXPECT_EQ(loop_.RunOnce(kForever), 1U);
  EXPECT_EQ(loop_.RunOnce(milliseconds(0)), 0U);
  EXPECT_THAT(seen_, UnorderedElementsAre(Pair(SIGUSR1, ::getpid()), Pair(SIGUSR2, ::getpid())));
}

TEST_F(SignalsTest, BlocksItsSignalsWhileItLives) {
  EXPECT_FALSE(IsBlocked(SIGUSR1));
  {
    const auto event = Make();
    EXPECT_TRUE(IsBlocked(SIGUSR1));
    EXPECT_FALSE(IsBlocked(SIGHUP));
  }
  EXPECT_FALSE(IsBlocked(SIGUSR1));
}

// Unblocked with the signal still pending, the process would die of it.
TEST_F(SignalsTest, DropsPendingSignalsWhenDestroyed) {
  {
    const auto event = Make();
    ASSERT_EQ(::kill(::getpid(), SIGUSR1), 0);
  }
  EXPECT_THAT(seen_, IsEmpty());
}

TEST_F(SignalsTest, LeavesSignalsBlockedThatWereBlockedBefore) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  ASSERT_EQ(pthread_sigmask(SIG_BLOCK, &set, nullptr), 0);
  { const auto event = Make(); }
  EXPECT_TRUE(IsBlocked(SIGUSR2));
  ASSERT_EQ(pthread_sigmask(SIG_UNBLOCK, &set, nullptr), 0);
}

}  // namespace
}  // namespace aeris::ae
