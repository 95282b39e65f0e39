// ReplyWait: where connections wait for their replies, all of a run together, until its time is
// over.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "src/base/clock.h"
#include "src/base/unique_fd.h"
#include "tools/load_generator/connection.h"
#include "tools/load_generator/options.h"

namespace aeris::load {

class ReplyWait {
 public:
  // The run begins. `options` outlive it; a failure, and Options::timeout_seconds, end the program.
  explicit ReplyWait(const Options& options)
      : options_(options), begin_(clock_.Monotonic()), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    if (!epoll_) Fail("epoll_create1", errno);
  }

  // For the connections.
  int epoll_fd() const { return epoll_.get(); }

  // Waits for at most that long, 0 for not at all; sends what sockets did not take before, and
  // calls on_batch(connection, due) for each batch whose last reply has arrived.
  template <typename OnBatch>
  void Turn(int wait_ms, OnBatch on_batch) {
    std::array<epoll_event, kEventsMax> events;
    const int ready =
        ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), wait_ms);
    if (ready < 0 && errno != EINTR) Fail("epoll_wait", errno);
    for (int i = 0; i < ready; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      auto& connection = *static_cast<Connection*>(event.data.ptr);
      if ((event.events & EPOLLOUT) != 0) connection.Flush();
      if ((event.events & ~EPOLLOUT) == 0) continue;
      connection.Receive([&](MonotonicTime due) { on_batch(connection, due); });
    }
    // Who spins must not read the clock each time.
    if ((wait_ms != 0 && ready <= 0) || ++turns_ % 1024 == 0) CheckTimeout();
  }

 private:
  static constexpr std::size_t kEventsMax = 256;

  void CheckTimeout() const {
    const std::chrono::duration<double> passed = clock_.Monotonic() - begin_;
    if (passed.count() >= options_.timeout_seconds) FailTimeout(options_);
  }

  const Options& options_;
  const SystemClock clock_;
  MonotonicTime begin_;
  UniqueFd epoll_;
  std::uint64_t turns_ = 0;
};

}  // namespace aeris::load
