#include "ae/listener.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ae/poller_factory.h"
#include "ae/socket.h"
#include "tests/ae/loopback.h"
#include "tests/support/fake_poller.h"
#include "tests/support/manual_clock.h"

namespace aeris::ae {
namespace {

using std::chrono::milliseconds;
using testing::AwaitReadable;
using testing::Connect;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Leaves the process without a free descriptor while it lives.
class DescriptorFamine {
 public:
  DescriptorFamine() {
    EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &old_), 0);
    rlimit low = old_;
    low.rlim_cur = 256;
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
    for (;;) {
      UniqueFd fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
      if (!fd) break;
      held_.push_back(std::move(fd));
    }
    EXPECT_EQ(errno, EMFILE);
  }
  ~DescriptorFamine() { EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &old_), 0); }
  // Frees room for `count` descriptors.
  void Ease(std::size_t count) { held_.resize(held_.size() - count); }

 private:
  rlimit old_{};
  std::vector<UniqueFd> held_;
};

// Answers whatever comes.
struct Echo final : FileHandler {
  explicit Echo(UniqueFd from) : fd(std::move(from)) {}
  void OnReady(Ready) override {
    char bytes[256];
    const IoResult got = Read(fd.get(), bytes);
    ASSERT_EQ(got.kind, IoKind::kDone);
    ASSERT_EQ(Write(fd.get(), {bytes, got.bytes}).bytes, got.bytes);
  }
  UniqueFd fd;
  FileEvent event;
};

class ListenerTest : public ::testing::TestWithParam<const char*> {
 protected:
  void Start(Listener::Options options) {
    auto fd = ListenTcp({.address = "127.0.0.1"});
    ASSERT_TRUE(fd.has_value());
    port_ = LocalPort(fd->get());
    options.on_pause = [this](int sys_errno) { pause_errnos_.push_back(sys_errno); };
    auto listener = Listener::Create(
        loop_, std::move(*fd), std::move(options), [this](UniqueFd connection, std::string peer) {
          auto echo = std::make_unique<Echo>(std::move(connection));
          echo->event = *loop_.Watch(echo->fd.get(), Ready::kRead, *echo);
          accepted_.push_back(std::move(echo));
          peers_.push_back(std::move(peer));
        });
    ASSERT_TRUE(listener.has_value());
    listener_ = std::move(*listener);
  }
  void Turn() { loop_.RunOnce(milliseconds(0)); }
  // Connections made before are in the backlog once connect(2) has returned, on the loopback.
  void AwaitBacklog() { AwaitReadable(listener_->fd()); }

  aeris::testing::ManualClock clock_;
  std::unique_ptr<Poller> real_poller_ = std::move(*MakePoller(GetParam()));
  aeris::testing::SleeplessPoller poller_{*real_poller_, clock_};
  EventLoop loop_{{.poller = poller_, .clock = clock_, .fds_max = 1000}};
  std::uint16_t port_ = 0;
  std::vector<std::unique_ptr<Echo>> accepted_;
  std::vector<std::string> peers_;
  std::vector<int> pause_errnos_;
  std::unique_ptr<Listener> listener_;
};

INSTANTIATE_TEST_SUITE_P(BackEnds, ListenerTest, ::testing::Values("epoll", "poll", "select"),
                         [](const auto& back_end) { return back_end.param; });

TEST_P(ListenerTest, HandsOverEachConnectionWithItsPeer) {
  Start({});
  const UniqueFd first = Connect(port_);
  const UniqueFd second = Connect(port_);
  AwaitBacklog();
  Turn();
  EXPECT_THAT(peers_, ElementsAre(LocalAddress(first.get()), LocalAddress(second.get())));
  EXPECT_EQ(listener_->accept_count(), 2U);
  EXPECT_FALSE(listener_->paused());
}

TEST_P(ListenerTest, AcceptsABoundedNumberPerTurn) {
  Start({.accepts_per_turn_max = 3});
  std::vector<UniqueFd> clients;
  for (int i = 0; i < 7; ++i) clients.push_back(Connect(port_));
  AwaitBacklog();
  for (const std::size_t expected : {3U, 6U, 7U, 7U}) {
    Turn();
    EXPECT_EQ(accepted_.size(), expected);
  }
}

TEST_P(ListenerTest, PausesWithoutDescriptorsInsteadOfSpinning) {
  Start({});
  const UniqueFd served = Connect(port_);
  AwaitBacklog();
  Turn();
  ASSERT_EQ(accepted_.size(), 1U);
  const UniqueFd waiting = Connect(port_);
  AwaitBacklog();

  DescriptorFamine famine;
  const std::size_t waits_before = poller_.wait_count();
  const MonotonicTime end = clock_.Monotonic() + std::chrono::seconds(10);
  while (clock_.Monotonic() < end) loop_.RunOnce(kForever);
  // One wait finds the connection; from then on the loop wakes for the retries alone.
  EXPECT_LE(poller_.wait_count() - waits_before, 102U);
  EXPECT_GE(poller_.wait_count() - waits_before, 99U);
  EXPECT_TRUE(listener_->paused());
  EXPECT_EQ(listener_->pause_count(), 1U);
  EXPECT_THAT(pause_errnos_, ElementsAre(EMFILE));
  EXPECT_EQ(accepted_.size(), 1U);
}

TEST_P(ListenerTest, ServesItsConnectionsWhileItPauses) {
  Start({});
  const UniqueFd served = Connect(port_);
  AwaitBacklog();
  Turn();
  const UniqueFd waiting = Connect(port_);
  AwaitBacklog();
  DescriptorFamine famine;
  Turn();
  ASSERT_TRUE(listener_->paused());
  ASSERT_EQ(::send(served.get(), "ping", 4, 0), 4);
  AwaitReadable(accepted_[0]->fd.get());
  Turn();
  EXPECT_EQ(testing::ReadExactly(served.get(), 4), "ping");
}

TEST_P(ListenerTest, AcceptsAgainOnceThereAreDescriptors) {
  Start({.pause = milliseconds(250)});
  std::vector<UniqueFd> clients;
  for (int i = 0; i < 5; ++i) clients.push_back(Connect(port_));
  AwaitBacklog();
  DescriptorFamine famine;
  Turn();
  EXPECT_THAT(accepted_, IsEmpty());

  famine.Ease(2);
  clock_.Advance(milliseconds(249));
  Turn();
  EXPECT_THAT(accepted_, IsEmpty());
  clock_.Advance(milliseconds(1));
  Turn();
  EXPECT_EQ(accepted_.size(), 2U);  // still one pause: it has not found the backlog empty
  EXPECT_TRUE(listener_->paused());
  EXPECT_EQ(listener_->pause_count(), 1U);

  famine.Ease(10);
  clock_.Advance(milliseconds(250));
  Turn();
  EXPECT_EQ(accepted_.size(), 5U);
  EXPECT_FALSE(listener_->paused());
  EXPECT_EQ(loop_.timer_count(), 0U);

  clients.push_back(Connect(port_));  // without waiting for a timer
  AwaitBacklog();
  Turn();
  EXPECT_EQ(accepted_.size(), 6U);
}

// accept(2) fails at once on what is no listening socket: it must not spin either.
TEST_P(ListenerTest, PausesWhenTheListeningSocketIsBroken) {
  Start({});
  const UniqueFd client = Connect(port_);
  AwaitBacklog();
  ASSERT_EQ(::shutdown(listener_->fd(), SHUT_RDWR), 0);  // no longer listens: EINVAL
  const std::size_t waits_before = poller_.wait_count();
  const MonotonicTime end = clock_.Monotonic() + std::chrono::seconds(1);
  while (clock_.Monotonic() < end) loop_.RunOnce(kForever);
  EXPECT_LE(poller_.wait_count() - waits_before, 12U);
  EXPECT_THAT(pause_errnos_, ElementsAre(EINVAL));
}

TEST_P(ListenerTest, MayBeDestroyedByItsCallback) {
  auto fd = ListenTcp({.address = "127.0.0.1"});
  ASSERT_TRUE(fd.has_value());
  const std::uint16_t port = LocalPort(fd->get());
  std::unique_ptr<Listener> listener;
  std::vector<std::string> peers;
  const auto held = std::make_shared<std::string>("closure");  // freed under the callback's feet
  listener =
      std::move(*Listener::Create(loop_, std::move(*fd), {}, [&, held](UniqueFd, std::string peer) {
        listener.reset();
        peers.push_back(std::move(peer) + *held);
      }));
  const UniqueFd first = Connect(port);
  const UniqueFd second = Connect(port);
  AwaitReadable(listener->fd());
  Turn();
  EXPECT_EQ(peers.size(), 1U);
  EXPECT_EQ(loop_.watch_count(), 0U);
}

}  // namespace
}  // namespace aeris::ae
