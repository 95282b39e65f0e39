#include "tools/load_generator/growth_probe.h"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <functional>
#include <utility>

#include "src/base/unique_fd.h"
#include "tools/load_generator/connection.h"

namespace aeris::load {
namespace {

constexpr std::size_t kLongestKept = 10;
constexpr std::uint64_t kTurnProbes = 1000;

Options IdleOptions(Options options) {
  if (options.idle_port != 0) options.port = options.idle_port;
  options.workload = Workload::kSet;
  options.pipeline = 1;
  options.keys = 1;
  options.command.clear();
  return options;
}

// A batch of the filler before each probe: the keys that are not probes, spread evenly.
Options FillOptions(Options options) {
  options.pipeline = std::max<std::size_t>(
      1, static_cast<std::size_t>((options.keys - options.probes) / options.probes));
  return options;
}

class Growth {
 public:
  explicit Growth(const Options& options)
      : options_(options),
        idle_options_(IdleOptions(options)),
        fill_options_(FillOptions(options)),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)),
        idle_(idle_options_, epoll_.get()),
        prober_(options, epoll_.get()),
        filler_(options, epoll_.get()),
        idle_tape_(idle_options_, KeysOf(idle_options_)),
        tape_(fill_options_, KeysOf(fill_options_)),
        begin_(clock_.Monotonic()) {}

  GrowthResult Run() {
    for (std::uint64_t done = 0; done < options_.probes; done += kTurnProbes) {
      const std::uint64_t count = std::min(kTurnProbes, options_.probes - done);
      for (std::uint64_t i = 0; i < count; ++i) ProbeIdle();
      for (std::uint64_t i = 0; i < count; ++i) ProbeGrowing();
    }
    FillRest();
    result_.seconds = std::chrono::duration<double>(clock_.Monotonic() - begin_).count();
    return std::move(result_);
  }

 private:
  // Reads until no reply is missing; spins, so that no wake-up of our own is measured. Calls
  // on_probe(nanoseconds) when the reply of a connection other than the filler arrives.
  template <typename OnProbe>
  void WaitForReplies(OnProbe on_probe) {
    while (!idle_.idle() || !prober_.idle() || !filler_.idle()) {
      std::array<epoll_event, 3> events;
      const int ready = ::epoll_wait(epoll_.get(), events.data(), events.size(), 0);
      if (ready < 0 && errno != EINTR) Fail("epoll_wait", errno);
      for (int i = 0; i < ready; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        auto& connection = *static_cast<Connection*>(event.data.ptr);
        if ((event.events & EPOLLOUT) != 0) connection.Flush();
        if ((event.events & ~EPOLLOUT) == 0) continue;
        connection.Receive([&](MonotonicTime sent) {
          if (&connection != &filler_) on_probe((clock_.Monotonic() - sent).count());
        });
      }
      CheckTimeout();
    }
  }

  void CheckTimeout() {
    if (++turns_ % 1024 != 0) return;
    const std::chrono::duration<double> passed = clock_.Monotonic() - begin_;
    if (passed.count() >= options_.timeout_seconds) FailTimeout(options_);
  }

  void ProbeIdle() {
    idle_.Send(idle_tape_.Next(1), clock_.Monotonic());
    WaitForReplies([&](std::int64_t time) { result_.idle.Record(time); });
  }

  // The filler's batch first: each probe meets a server at work, and every pause meets a probe.
  void ProbeGrowing() {
    if (options_.keys >= 2 * options_.probes) {
      filler_.Send(tape_.Next(fill_options_.pipeline), clock_.Monotonic());
    }
    prober_.Send(tape_.Next(1), clock_.Monotonic());
    WaitForReplies([&](std::int64_t time) {
      result_.growing.Record(time);
      Keep({time, tape_.asked().requests});
    });
  }

  // What the division left over.
  void FillRest() {
    for (;;) {
      const Batch rest = tape_.Next(fill_options_.pipeline);
      if (rest.requests == 0) return;
      filler_.Send(rest, clock_.Monotonic());
      WaitForReplies([](std::int64_t) {});
    }
  }

  void Keep(const LongInsert& insert) {
    std::vector<LongInsert>& longest = result_.longest;
    if (longest.size() == kLongestKept && insert.nanoseconds <= longest.back().nanoseconds) return;
    const auto place = std::ranges::upper_bound(longest, insert.nanoseconds, std::greater{},
                                                &LongInsert::nanoseconds);
    longest.insert(place, insert);
    if (longest.size() > kLongestKept) longest.pop_back();
  }

  const Options& options_;
  const Options idle_options_;
  const Options fill_options_;
  const SystemClock clock_;
  UniqueFd epoll_;
  Connection idle_;
  Connection prober_;
  Connection filler_;
  RequestTape idle_tape_;
  RequestTape tape_;
  MonotonicTime begin_;
  std::uint64_t turns_ = 0;
  GrowthResult result_;
};

}  // namespace

GrowthResult RunGrowth(const Options& options) { return Growth(options).Run(); }

}  // namespace aeris::load
