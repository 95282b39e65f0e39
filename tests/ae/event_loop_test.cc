// File events, hooks and the turn itself; time events have their own file.
#include "ae/event_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ae/poller_factory.h"
#include "tests/ae/socket_pair.h"
#include "tests/support/fake_poller.h"
#include "tests/support/manual_clock.h"

namespace aeris::ae {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Writes down what it gets, and does what the test says.
struct Recorder final : FileHandler {
  void OnReady(Ready ready) override {
    seen.push_back(ready);
    if (action) action();
  }
  std::vector<Ready> seen;
  std::function<void()> action;
};

class EventLoopTest : public ::testing::Test {
 protected:
  FileEvent Watch(int fd, Ready interest, FileHandler& handler) {
    auto event = loop_.Watch(fd, interest, handler);
    EXPECT_TRUE(event.has_value());
    return std::move(*event);
  }
  std::size_t Turn(std::vector<Fired> fired) {
    poller_.Script(std::move(fired));
    return loop_.RunOnce(kForever);
  }

  aeris::testing::ManualClock clock_;
  aeris::testing::FakePoller poller_{clock_};
  EventLoop loop_{{.poller = poller_, .clock = clock_, .fds_max = 100}};
};

TEST_F(EventLoopTest, CallsTheHandlerOfEachReadyDescriptor) {
  Recorder three;
  Recorder four;
  const FileEvent event_three = Watch(3, Ready::kRead, three);
  const FileEvent event_four = Watch(4, Ready::kBoth, four);
  EXPECT_EQ(Turn({{4, Ready::kWrite}, {3, Ready::kRead}}), 2U);
  EXPECT_THAT(three.seen, ElementsAre(Ready::kRead));
  EXPECT_THAT(four.seen, ElementsAre(Ready::kWrite));
  EXPECT_EQ(Turn({{3, Ready::kRead}}), 1U);
  EXPECT_THAT(four.seen, ElementsAre(Ready::kWrite));
}

TEST_F(EventLoopTest, PassesAHangUpOnWhole) {
  Recorder handler;
  const FileEvent event = Watch(3, Ready::kWrite, handler);
  Turn({{3, Ready::kBoth}});
  EXPECT_THAT(handler.seen, ElementsAre(Ready::kBoth));
}

TEST_F(EventLoopTest, EndsAWatchWithItsFileEvent) {
  Recorder handler;
  {
    const FileEvent event = Watch(3, Ready::kRead, handler);
    EXPECT_EQ(loop_.watch_count(), 1U);
    EXPECT_EQ(poller_.interests().size(), 1U);
  }
  EXPECT_EQ(loop_.watch_count(), 0U);
  EXPECT_THAT(poller_.interests(), IsEmpty());
}

TEST_F(EventLoopTest, MovesAWatchWithItsFileEvent) {
  Recorder handler;
  FileEvent first = Watch(3, Ready::kRead, handler);
  FileEvent second = std::move(first);
  EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): the state after a move is what is tested
  FileEvent third = Watch(4, Ready::kRead, handler);
  third = std::move(second);  // ends the watch of 4
  EXPECT_EQ(poller_.interests(), (std::map<int, Ready>{{3, Ready::kRead}}));
  EXPECT_EQ(Turn({{3, Ready::kRead}}), 1U);
}

TEST_F(EventLoopTest, AsksThePollerOnlyWhenTheInterestChanges) {
  Recorder handler;
  FileEvent event = Watch(3, Ready::kRead, handler);
  ASSERT_TRUE(event.SetInterest(Ready::kRead));
  EXPECT_EQ(poller_.change_count(), 0U);
  ASSERT_TRUE(event.SetInterest(Ready::kBoth));
  ASSERT_TRUE(event.SetInterest(Ready::kBoth));
  EXPECT_EQ(poller_.change_count(), 1U);
  EXPECT_EQ(event.interest(), Ready::kBoth);
}

TEST_F(EventLoopTest, KeepsTheOldInterestWhenAChangeFails) {
  Recorder handler;
  FileEvent event = Watch(3, Ready::kRead, handler);
  poller_.FailNext(ENOMEM);
  const auto changed = event.SetInterest(Ready::kBoth);
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().sys_errno, ENOMEM);
  EXPECT_EQ(event.interest(), Ready::kRead);
}

TEST_F(EventLoopTest, RefusesDescriptorsAtItsLimit) {
  Recorder handler;
  const auto event = loop_.Watch(100, Ready::kRead, handler);
  ASSERT_FALSE(event);
  EXPECT_EQ(event.error().code, ErrorCode::kLimit);
  EXPECT_TRUE(loop_.Watch(99, Ready::kRead, handler));
}

TEST_F(EventLoopTest, WatchesNothingWhenThePollerRefuses) {
  Recorder handler;
  poller_.FailNext(ENOSPC);
  const auto event = loop_.Watch(3, Ready::kRead, handler);
  ASSERT_FALSE(event);
  EXPECT_EQ(event.error().sys_errno, ENOSPC);
  EXPECT_EQ(loop_.watch_count(), 0U);
  EXPECT_TRUE(loop_.Watch(3, Ready::kRead, handler));
}

TEST_F(EventLoopTest, LetsAHandlerEndTheWatchOfAnother) {
  Recorder first;
  Recorder second;
  FileEvent event_first = Watch(3, Ready::kRead, first);
  FileEvent event_second = Watch(4, Ready::kRead, second);
  first.action = [&] { event_second.Reset(); };
  second.action = [&] { event_first.Reset(); };
  EXPECT_EQ(Turn({{3, Ready::kRead}, {4, Ready::kRead}}), 1U);
  EXPECT_THAT(second.seen, IsEmpty());
  EXPECT_EQ(loop_.watch_count(), 1U);
}

// The new watch has the number that a queued event names, but the event is the old watch's.
TEST_F(EventLoopTest, KeepsQueuedEventsFromTheNextOwnerOfANumber) {
  Recorder closer;
  Recorder old_owner;
  Recorder new_owner;
  const FileEvent event_closer = Watch(3, Ready::kRead, closer);
  FileEvent event = Watch(4, Ready::kRead, old_owner);
  closer.action = [&] {
    event.Reset();
    event = Watch(4, Ready::kRead, new_owner);
  };
  EXPECT_EQ(Turn({{3, Ready::kRead}, {4, Ready::kRead}}), 1U);
  EXPECT_THAT(old_owner.seen, IsEmpty());
  EXPECT_THAT(new_owner.seen, IsEmpty());
  closer.action = nullptr;
  EXPECT_EQ(Turn({{4, Ready::kRead}}), 1U);
  EXPECT_THAT(new_owner.seen, ElementsAre(Ready::kRead));
}

TEST_F(EventLoopTest, DropsQueuedEventsThatNobodyWaitsForAnyMore) {
  Recorder first;
  Recorder second;
  const FileEvent event_first = Watch(3, Ready::kRead, first);
  FileEvent event_second = Watch(4, Ready::kRead, second);
  first.action = [&] { ASSERT_TRUE(event_second.SetInterest(Ready::kWrite)); };
  EXPECT_EQ(Turn({{3, Ready::kRead}, {4, Ready::kRead}}), 1U);
  EXPECT_THAT(second.seen, IsEmpty());
}

// Owns its own watch, and goes with it.
struct Suicidal final : FileHandler {
  void OnReady(Ready) override { self->reset(); }
  std::unique_ptr<Suicidal>* self = nullptr;
  FileEvent event;
};

TEST_F(EventLoopTest, LetsAHandlerDestroyItself) {
  auto handler = std::make_unique<Suicidal>();
  handler->self = &handler;
  handler->event = Watch(3, Ready::kRead, *handler);
  EXPECT_EQ(Turn({{3, Ready::kRead}}), 1U);
  EXPECT_EQ(handler, nullptr);
  EXPECT_EQ(loop_.watch_count(), 0U);
}

TEST_F(EventLoopTest, LetsTheTableGrowUnderAHandler) {
  Recorder handler;
  std::vector<FileEvent> events;
  events.push_back(Watch(3, Ready::kRead, handler));
  handler.action = [&] {
    for (int fd = 10; fd < 90; ++fd) events.push_back(Watch(fd, Ready::kRead, handler));
    handler.action = nullptr;
  };
  EXPECT_EQ(Turn({{3, Ready::kRead}}), 1U);
  EXPECT_EQ(Turn({{89, Ready::kRead}, {3, Ready::kRead}}), 2U);
}

TEST_F(EventLoopTest, RunsATurnInItsOrder) {
  std::vector<std::string> order;
  Recorder handler;
  handler.action = [&] { order.push_back("file"); };
  const FileEvent event = Watch(3, Ready::kRead, handler);
  const TimeEvent timer = loop_.AddTimeEvent(milliseconds(0), [&] {
    order.push_back("time");
    return std::nullopt;
  });
  loop_.SetBeforeSleep([&] { order.push_back("before"); });
  loop_.SetAfterSleep([&] { order.push_back("after"); });
  EXPECT_EQ(Turn({{3, Ready::kRead}}), 2U);
  EXPECT_THAT(order, ElementsAre("before", "after", "file", "time"));
}

TEST_F(EventLoopTest, KeepsItsTimeForTheTurnAndRefreshesItAfterTheWait) {
  const MonotonicTime start = clock_.Monotonic();
  loop_.RunOnce(milliseconds(50));  // the fake poller sleeps it
  EXPECT_EQ(loop_.now(), start + milliseconds(50));
  clock_.Advance(milliseconds(5));
  EXPECT_EQ(loop_.now(), start + milliseconds(50));
  loop_.RunOnce(milliseconds(0));
  EXPECT_EQ(loop_.now(), start + milliseconds(55));
}

TEST_F(EventLoopTest, RunsUntilStopped) {
  int turns = 0;
  loop_.SetBeforeSleep([&] { ++turns; });
  const TimeEvent timer = loop_.AddTimeEvent(milliseconds(1), [&] {
    if (turns == 3) loop_.Stop();
    return milliseconds(1);
  });
  loop_.Run();
  EXPECT_EQ(turns, 3);
}

TEST_F(EventLoopTest, DoesNotSleepOnceStopped) {
  loop_.SetBeforeSleep([&] { loop_.Stop(); });
  loop_.Run();  // the fake poller refuses to wait for ever
  EXPECT_THAT(poller_.timeouts(), ElementsAre(milliseconds(0)));
}

TEST_F(EventLoopTest, DoesNotStartWhenStoppedBefore) {
  loop_.Stop();
  loop_.Run();
  EXPECT_THAT(poller_.timeouts(), IsEmpty());
  // The stop is used up.
  const TimeEvent timer = loop_.AddTimeEvent(milliseconds(1), [&] {
    loop_.Stop();
    return std::nullopt;
  });
  loop_.Run();
  EXPECT_EQ(poller_.timeouts().size(), 1U);
}

// The same promises over real descriptors and every back end.
class EventLoopOverPoller : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    auto poller = MakePoller(GetParam());
    ASSERT_TRUE(poller.has_value());
    poller_ = std::move(*poller);
    loop_ = std::make_unique<EventLoop>(
        EventLoop::Options{.poller = *poller_, .clock = clock_, .fds_max = 1000});
  }

  SystemClock clock_;
  std::unique_ptr<Poller> poller_;
  std::unique_ptr<EventLoop> loop_;
};

INSTANTIATE_TEST_SUITE_P(BackEnds, EventLoopOverPoller,
                         ::testing::Values("epoll", "poll", "select"),
                         [](const auto& back_end) { return back_end.param; });

// Owns its descriptors and its watch, as a client of the server does.
struct Connection final : FileHandler {
  explicit Connection(std::function<void(Connection&)>& action) : on_ready(action) {}
  void OnReady(Ready) override { on_ready(*this); }
  std::function<void(Connection&)>& on_ready;
  testing::FdPair pair = testing::MakeSocketPair();
  FileEvent event;
};

TEST_P(EventLoopOverPoller, DeliversBytesWhileATimerWaits) {
  std::string text;
  std::function<void(Connection&)> read = [&](Connection& connection) {
    text += testing::Take(connection.pair.first);
  };
  Connection connection(read);
  connection.event = *loop_->Watch(connection.pair.first.get(), Ready::kRead, connection);
  const TimeEvent timer = loop_->AddTimeEvent(std::chrono::hours(1), [] { return std::nullopt; });
  testing::Put(connection.pair.second, "hello");
  EXPECT_EQ(loop_->RunOnce(kForever), 1U);
  EXPECT_EQ(text, "hello");
}

// Three connections are ready; whichever is called first destroys them all, itself included, and
// makes new ones, to which the kernel gives the same numbers.
TEST_P(EventLoopOverPoller, SurvivesCloseAndReuseOfNumbersInOneTurn) {
  std::vector<std::unique_ptr<Connection>> connections;
  std::function<void(Connection&)> on_ready;
  const auto connect = [&] {
    std::vector<int> fds;
    for (int i = 0; i < 3; ++i) {
      auto connection = std::make_unique<Connection>(on_ready);
      fds.push_back(connection->pair.first.get());
      connection->event = *loop_->Watch(fds.back(), Ready::kRead, *connection);
      testing::Put(connection->pair.second, "x");
      connections.push_back(std::move(connection));
    }
    return fds;
  };
  const std::vector<int> old_fds = connect();
  std::vector<int> new_fds;
  on_ready = [&](Connection&) {
    connections.clear();
    new_fds = connect();
  };
  EXPECT_EQ(loop_->RunOnce(kForever), 1U);
  EXPECT_EQ(new_fds, old_fds);
  on_ready = [](Connection& connection) { testing::Take(connection.pair.first); };
  EXPECT_EQ(loop_->RunOnce(kForever), 3U);
}

}  // namespace
}  // namespace aeris::ae
