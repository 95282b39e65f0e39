// The contract of ae/poller.h, run against every back end.
#include "ae/poller.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/time.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <string>
#include <vector>

#include "ae/poller_factory.h"
#include "src/base/random.h"
#include "tests/ae/socket_pair.h"

namespace aeris::ae {
namespace {

using std::chrono::milliseconds;
using testing::FdPair;
using testing::MakePipe;
using testing::MakeSocketPair;
using testing::Put;
using testing::Take;

class PollerContract : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    auto poller = MakePoller(GetParam());
    ASSERT_TRUE(poller.has_value()) << poller.error().message;
    poller_ = std::move(*poller);
  }

  void Add(const UniqueFd& fd, Ready interest) {
    ASSERT_TRUE(poller_->Add(fd.get(), interest).has_value());
  }
  void Change(const UniqueFd& fd, Ready interest) {
    ASSERT_TRUE(poller_->Change(fd.get(), interest).has_value());
  }
  // What is ready now.
  std::map<int, Ready> Ask() {
    std::vector<Fired> fired{{77, Ready::kBoth}};  // must go
    poller_->Wait(milliseconds(0), fired);
    std::map<int, Ready> ready;
    for (const Fired& one : fired) {
      EXPECT_TRUE(ready.emplace(one.fd, one.ready).second) << "reported twice: " << one.fd;
    }
    return ready;
  }
  Ready Ask(const UniqueFd& fd) {
    const std::map<int, Ready> ready = Ask();
    const auto found = ready.find(fd.get());
    return found == ready.end() ? Ready::kNone : found->second;
  }

  std::unique_ptr<Poller> poller_;
};

INSTANTIATE_TEST_SUITE_P(BackEnds, PollerContract, ::testing::Values("epoll", "poll", "select"),
                         [](const auto& back_end) { return back_end.param; });

TEST_P(PollerContract, HasTheNameItWasMadeBy) { EXPECT_EQ(poller_->name(), GetParam()); }

TEST_P(PollerContract, ReportsNothingWithoutDescriptors) {
  EXPECT_TRUE(Ask().empty());
  std::vector<Fired> fired;
  poller_->Wait(milliseconds(1), fired);
  EXPECT_TRUE(fired.empty());
}

TEST_P(PollerContract, ReportsBytesUntilTheyAreRead) {
  const FdPair pair = MakeSocketPair();
  Add(pair.first, Ready::kRead);
  EXPECT_EQ(Ask(pair.first), Ready::kNone);
  Put(pair.second, "x");
  EXPECT_EQ(Ask(pair.first), Ready::kRead);
  EXPECT_EQ(Ask(pair.first), Ready::kRead);
  Take(pair.first);
  EXPECT_EQ(Ask(pair.first), Ready::kNone);
}

TEST_P(PollerContract, WaitsForeverUntilSomethingIsReady) {
  const FdPair pair = MakeSocketPair();
  Add(pair.first, Ready::kRead);
  Put(pair.second, "x");
  std::vector<Fired> fired;
  poller_->Wait(kForever, fired);
  ASSERT_EQ(fired.size(), 1U);
  EXPECT_EQ(fired[0].fd, pair.first.get());
}

TEST_P(PollerContract, ReportsRoomToWriteUntilTheBufferIsFull) {
  const FdPair pair = MakeSocketPair();
  Add(pair.first, Ready::kWrite);
  EXPECT_EQ(Ask(pair.first), Ready::kWrite);
  const std::string block(4096, 'x');
  while (::write(pair.first.get(), block.data(), block.size()) > 0) {
  }
  EXPECT_EQ(Ask(pair.first), Ready::kNone);
}

TEST_P(PollerContract, ReportsBothDirectionsInOneEntry) {
  const FdPair pair = MakeSocketPair();
  Add(pair.first, Ready::kBoth);
  EXPECT_EQ(Ask(pair.first), Ready::kWrite);
  Put(pair.second, "x");
  EXPECT_EQ(Ask(pair.first), Ready::kBoth);
}

TEST_P(PollerContract, FollowsEveryChangeOfInterest) {
  const FdPair pair = MakeSocketPair();
  Put(pair.second, "x");
  Add(pair.first, Ready::kNone);
  EXPECT_EQ(Ask(pair.first), Ready::kNone);
  constexpr Ready kAll[] = {Ready::kNone, Ready::kRead, Ready::kWrite, Ready::kBoth};
  for (const Ready from : kAll) {
    for (const Ready to : kAll) {
      Change(pair.first, from);
      EXPECT_EQ(Ask(pair.first), from);
      Change(pair.first, to);
      EXPECT_EQ(Ask(pair.first), to);
    }
  }
}

TEST_P(PollerContract, ReportsNothingAfterRemove) {
  const FdPair pair = MakeSocketPair();
  Put(pair.second, "x");
  for (const Ready interest : {Ready::kRead, Ready::kNone, Ready::kBoth}) {
    Add(pair.first, interest);
    poller_->Remove(pair.first.get());
    EXPECT_TRUE(Ask().empty());
  }
}

TEST_P(PollerContract, WatchesANumberThatIsUsedAgain) {
  FdPair old = MakeSocketPair();
  const int fd = old.first.get();
  Add(old.first, Ready::kWrite);
  poller_->Remove(fd);
  const FdPair pair = MakeSocketPair();
  ASSERT_EQ(::dup3(pair.first.get(), fd, O_CLOEXEC), fd);
  ASSERT_TRUE(poller_->Add(fd, Ready::kRead).has_value());
  EXPECT_TRUE(Ask().empty());
  Put(pair.second, "x");
  EXPECT_EQ(Ask(), (std::map<int, Ready>{{fd, Ready::kRead}}));
  poller_->Remove(fd);
}

TEST_P(PollerContract, ReportsTheEndOfAStreamAsReadable) {
  FdPair pair = MakeSocketPair();
  Add(pair.first, Ready::kRead);
  pair.second.Reset();
  EXPECT_TRUE(Has(Ask(pair.first), Ready::kRead));
}

TEST_P(PollerContract, ReportsAHangUpWithoutBytesAsReadable) {
  FdPair pipe = MakePipe();  // poll(2) gives POLLHUP alone here
  Add(pipe.first, Ready::kRead);
  pipe.second.Reset();
  EXPECT_TRUE(Has(Ask(pipe.first), Ready::kRead));
}

TEST_P(PollerContract, ReportsAnErrorAsWritable) {
  FdPair pipe = MakePipe();  // a full pipe without a reader: POLLERR
  const std::string block(4096, 'x');
  while (::write(pipe.second.get(), block.data(), block.size()) > 0) {
  }
  Add(pipe.second, Ready::kWrite);
  EXPECT_EQ(Ask(pipe.second), Ready::kNone);
  pipe.first.Reset();
  EXPECT_TRUE(Has(Ask(pipe.second), Ready::kWrite));
}

// Otherwise a client that is paused and hangs up would make the loop spin.
TEST_P(PollerContract, KeepsAHangUpSilentWithoutInterest) {
  FdPair pair = MakeSocketPair();
  Add(pair.first, Ready::kRead);
  Change(pair.first, Ready::kNone);
  pair.second.Reset();
  EXPECT_TRUE(Ask().empty());
  Change(pair.first, Ready::kRead);
  EXPECT_TRUE(Has(Ask(pair.first), Ready::kRead));
}

std::atomic<int> alarm_count = 0;

TEST_P(PollerContract, EndsTheWaitAtASignal) {
  struct sigaction action {};
  action.sa_handler = [](int) { ++alarm_count; };  // no SA_RESTART
  struct sigaction old {};
  ASSERT_EQ(::sigaction(SIGALRM, &action, &old), 0);
  const itimerval every_ms{.it_interval = {0, 1000}, .it_value = {0, 1000}};
  ASSERT_EQ(::setitimer(ITIMER_REAL, &every_ms, nullptr), 0);
  const FdPair pair = MakeSocketPair();
  Add(pair.first, Ready::kRead);
  std::vector<Fired> fired;
  poller_->Wait(kForever, fired);  // hangs if the signal does not end it
  EXPECT_TRUE(fired.empty());
  EXPECT_GT(alarm_count, 0);
  const itimerval none{};
  ASSERT_EQ(::setitimer(ITIMER_REAL, &none, nullptr), 0);
  ASSERT_EQ(::sigaction(SIGALRM, &old, nullptr), 0);
}

// Random operations on 40 connections against a map of what must be ready.
TEST_P(PollerContract, AgreesWithAModelOverRandomOperations) {
  constexpr std::uint64_t kSeed = 20240611;
  SCOPED_TRACE(::testing::Message() << "seed " << kSeed);
  struct Connection {
    FdPair pair;
    bool added = false;
    bool has_bytes = false;
    Ready interest = Ready::kNone;
  };
  Random random(kSeed);
  std::vector<Connection> connections(40);
  for (Connection& connection : connections) connection.pair = MakeSocketPair();

  for (int step = 0; step < 4000; ++step) {
    Connection& connection = connections[random.Below(connections.size())];
    const auto interest = static_cast<Ready>(random.Below(4));
    switch (random.Below(4)) {
      case 0:
        if (connection.added) {
          poller_->Remove(connection.pair.first.get());
        } else {
          Add(connection.pair.first, interest);
          connection.interest = interest;
        }
        connection.added = !connection.added;
        break;
      case 1:
        if (!connection.added) break;
        Change(connection.pair.first, interest);
        connection.interest = interest;
        break;
      case 2:
        Put(connection.pair.second, "x");
        connection.has_bytes = true;
        break;
      default:
        Take(connection.pair.first);
        connection.has_bytes = false;
        break;
    }
    std::map<int, Ready> expected;
    for (const Connection& one : connections) {
      const Ready possible = one.has_bytes ? Ready::kBoth : Ready::kWrite;
      if (one.added && Has(one.interest, possible)) {
        expected[one.pair.first.get()] = one.interest & possible;
      }
    }
    ASSERT_EQ(Ask(), expected) << "step " << step;
  }
}

TEST(PollerFactory, RefusesAnUnknownNameAndListsTheKnown) {
  const auto poller = MakePoller("kqueue");
  ASSERT_FALSE(poller.has_value());
  EXPECT_EQ(poller.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(poller.error().message, ::testing::HasSubstr("epoll, poll and select"));
}

TEST(SelectPoller, RefusesDescriptorsBeyondItsSet) {
  const auto poller = MakePoller("select");
  ASSERT_TRUE(poller.has_value());
  const auto added = (*poller)->Add(FD_SETSIZE, Ready::kRead);
  ASSERT_FALSE(added.has_value());
  EXPECT_EQ(added.error().code, ErrorCode::kLimit);
}

TEST(EpollPoller, RefusesWhatTheKernelCannotWatch) {
  const auto poller = MakePoller("epoll");
  ASSERT_TRUE(poller.has_value());
  const UniqueFd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  const auto added = (*poller)->Add(file.get(), Ready::kRead);
  ASSERT_FALSE(added.has_value());
  EXPECT_EQ(added.error().code, ErrorCode::kSystem);
  EXPECT_EQ(added.error().sys_errno, EPERM);
}

}  // namespace
}  // namespace aeris::ae
