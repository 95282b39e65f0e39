#include "tools/load_generator/growth_probe.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "tools/load_generator/connection.h"
#include "tools/load_generator/longest.h"
#include "tools/load_generator/reply_wait.h"

namespace aeris::load {
namespace {

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
        wait_(options),
        idle_(idle_options_, wait_.epoll_fd()),
        prober_(options, wait_.epoll_fd()),
        filler_(options, wait_.epoll_fd()),
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
      wait_.Turn(0, [&](const Connection& answered, MonotonicTime sent) {
        if (&answered != &filler_) on_probe((clock_.Monotonic() - sent).count());
      });
    }
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
      KeepLongest(result_.longest, LongInsert{time, tape_.asked().requests});
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

  const Options& options_;
  const Options idle_options_;
  const Options fill_options_;
  const SystemClock clock_;
  ReplyWait wait_;
  Connection idle_;
  Connection prober_;
  Connection filler_;
  RequestTape idle_tape_;
  RequestTape tape_;
  MonotonicTime begin_;
  GrowthResult result_;
};

}  // namespace

GrowthResult RunGrowth(const Options& options) { return Growth(options).Run(); }

}  // namespace aeris::load
