#include "tools/load_generator/pause_watch.h"

#include <chrono>
#include <limits>
#include <utility>

#include "tools/load_generator/connection.h"
#include "tools/load_generator/longest.h"
#include "tools/load_generator/reply_wait.h"

namespace aeris::load {
namespace {

using std::chrono::nanoseconds;

constexpr double kUsualRate = 1000;
constexpr double kUsualSeconds = 5;
constexpr double kTurnSeconds = 0.25;
// Batches of the worker under way, so that the server finds the next one when it is through.
constexpr std::size_t kBatchesAhead = 2;
// Into the watched time, when the command is given.
constexpr double kCommandAfter = 0.1;

double Seconds(nanoseconds time) { return std::chrono::duration<double>(time).count(); }

Options PingOptions(Options options) {
  options.workload = Workload::kPing;
  options.pipeline = 1;
  options.command.clear();
  return options;
}

Options IdleOptions(const Options& options) {
  Options idle = PingOptions(options);
  if (options.idle_port != 0) idle.port = options.idle_port;
  return idle;
}

Options WorkOptions(Options options) {
  options.workload = options.command.empty() ? Workload::kLoad : Workload::kCommand;
  if (!options.command.empty()) options.pipeline = 1;
  return options;
}

class Watch {
 public:
  explicit Watch(const Options& options)
      : options_(options),
        ping_options_(PingOptions(options)),
        idle_options_(IdleOptions(options)),
        work_options_(WorkOptions(options)),
        interval_(static_cast<std::int64_t>(1e9 / (options.rate > 0 ? options.rate : kUsualRate))),
        wait_(options),
        idle_(idle_options_, wait_.epoll_fd()),
        pinger_(ping_options_, wait_.epoll_fd()),
        worker_(work_options_, wait_.epoll_fd()),
        pings_(ping_options_, KeysOf(ping_options_)),
        work_(work_options_, KeysOf(work_options_)) {}

  WatchResult Run() {
    options_.command.empty() ? WatchWrites() : WatchCommand();
    return std::move(result_);
  }

 private:
  void WatchWrites() {
    const double length =
        options_.seconds > 0 ? options_.seconds : std::numeric_limits<double>::infinity();
    bool more = true;
    while (more && result_.watched_seconds < length) {
      PingIdle(kTurnSeconds);
      PingWatched(kTurnSeconds, [&](double) {
        while (more && worker_.batches_waiting() < kBatchesAhead) {
          const Batch batch = work_.Next(work_options_.pipeline);
          more = batch.requests != 0;
          if (more) worker_.Send(batch, clock_.Monotonic());
        }
        return more;
      });
    }
  }

  void WatchCommand() {
    const double length = options_.seconds > 0 ? options_.seconds : kUsualSeconds;
    PingIdle(length);
    bool given = false;
    PingWatched(length, [&](double passed) {
      if (!given && passed >= kCommandAfter * length) {
        given = true;
        worker_.Send(work_.Next(1), clock_.Monotonic());
      }
      return true;
    });
  }

  void PingIdle(double seconds) {
    const auto record = [&](MonotonicTime due, MonotonicTime now) {
      result_.idle.Record((now - due).count());
    };
    PingFor(idle_, seconds, record, [](double) { return true; });
  }

  // `work(seconds passed)` gives the server work, and says whether there is more.
  template <typename Work>
  void PingWatched(double seconds, Work work) {
    const MonotonicTime begin = clock_.Monotonic();
    const auto record = [&](MonotonicTime due, MonotonicTime now) {
      result_.watched.Record((now - due).count());
      const LongPing ping{(now - due).count(), result_.watched_seconds + Seconds(due - begin)};
      KeepLongest(result_.longest, ping);
    };
    PingFor(pinger_, seconds, record, work);
    result_.watched_seconds += Seconds(clock_.Monotonic() - begin);
  }

  // Pings are due at equal distances whatever the replies do. Spins, so that no wake-up of our own
  // is measured; ends when all replies are there.
  template <typename Record, typename Work>
  void PingFor(Connection& connection, double seconds, Record record, Work work) {
    const MonotonicTime begin = clock_.Monotonic();
    MonotonicTime due = begin;
    bool more = true;
    while (more || !connection.idle() || !worker_.idle()) {
      const MonotonicTime now = clock_.Monotonic();
      const double passed = Seconds(now - begin);
      more = more && passed < seconds;
      if (more) more = work(passed);
      // While the work goes on after the end, too.
      for (; due <= now && (more || !worker_.idle()); due += interval_) {
        connection.Send(pings_.Next(1), due);
      }
      wait_.Turn(0, [&](const Connection& answered, MonotonicTime sent) {
        if (&answered == &connection) record(sent, clock_.Monotonic());
      });
    }
  }

  const Options& options_;
  const Options ping_options_;
  const Options idle_options_;
  const Options work_options_;
  const nanoseconds interval_;
  const SystemClock clock_;
  ReplyWait wait_;
  Connection idle_;
  Connection pinger_;
  Connection worker_;
  RequestTape pings_;
  RequestTape work_;
  WatchResult result_;
};

}  // namespace

WatchResult RunWatch(const Options& options) { return Watch(options).Run(); }

}  // namespace aeris::load
