#include "tools/load_generator/load_run.h"

#include <time.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "tools/load_generator/connection.h"
#include "tools/load_generator/reply_wait.h"

namespace aeris::load {
namespace {

using std::chrono::nanoseconds;

// Batches of one connection that wait in an open loop; what is due beyond waits unsent, and its
// latency counts all the same.
constexpr std::size_t kBatchesWaitingMax = 4096;

nanoseconds Nanoseconds(double seconds) {
  return nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
}

class Load {
 public:
  explicit Load(const Options& options)
      : options_(options),
        tape_(options, KeysOf(options)),
        wait_(options),
        requests_left_(RequestsOf(options)) {
    for (std::size_t i = 0; i < options.connections; ++i) {
      connections_.push_back(std::make_unique<Connection>(options, wait_.epoll_fd()));
    }
  }

  LoadResult Run() {
    const double own_before = CpuSeconds(0);
    const double server_before = options_.server_pid == 0 ? 0 : CpuSeconds(options_.server_pid);
    begin_ = clock_.Monotonic();
    options_.rate > 0 ? OpenLoop() : ClosedLoop();
    result_.seconds = Seconds(clock_.Monotonic() - begin_);
    result_.own_cpu_seconds = CpuSeconds(0) - own_before;
    if (options_.server_pid != 0) {
      result_.server_cpu_seconds = CpuSeconds(options_.server_pid) - server_before;
    }
    result_.asked = tape_.asked();
    for (const auto& connection : connections_) AddCounts(connection->counts());
    return std::move(result_);
  }

 private:
  static double Seconds(nanoseconds time) { return std::chrono::duration<double>(time).count(); }

  static std::uint64_t RequestsOf(const Options& options) {
    const bool all = options.seconds > 0 || options.workload == Workload::kLoad ||
                     options.workload == Workload::kDelete;
    return all ? ~std::uint64_t{0} : options.requests;
  }

  void AddCounts(const ReplyCounts& counts) {
    result_.replies.statuses += counts.statuses;
    result_.replies.integers += counts.integers;
    result_.replies.values += counts.values;
    result_.replies.nulls += counts.nulls;
    result_.replies.value_bytes += counts.value_bytes;
  }

  // False when there is nothing more to send.
  bool SendNext(Connection& connection, MonotonicTime due) {
    const Batch batch = tape_.Next(
        static_cast<std::size_t>(std::min<std::uint64_t>(requests_left_, options_.pipeline)));
    if (batch.requests == 0) return false;
    requests_left_ -= batch.requests;
    ++waiting_;
    connection.Send(batch, due);
    return true;
  }

  bool InTime(MonotonicTime now) const {
    return options_.seconds <= 0 || now - begin_ < Nanoseconds(options_.seconds);
  }

  // Waits for events and calls on_batch(connection, due, now) for each batch that is answered.
  template <typename OnBatch>
  void Turn(int wait_ms, OnBatch on_batch) {
    wait_.Turn(wait_ms, [&](Connection& connection, MonotonicTime due) {
      const MonotonicTime now = clock_.Monotonic();
      --waiting_;
      result_.latencies.Record((now - due).count());
      on_batch(connection, now);
    });
  }

  // A connection sends its next batch when all replies to the last one are there.
  void ClosedLoop() {
    for (const auto& connection : connections_) {
      if (!SendNext(*connection, clock_.Monotonic())) break;
    }
    while (waiting_ != 0) {
      Turn(100, [&](Connection& connection, MonotonicTime now) {
        if (InTime(now)) SendNext(connection, now);
      });
    }
  }

  // Batches fall due at equal distances, over the connections in turn, whatever the replies do.
  void OpenLoop() {
    const double per_second = options_.rate / static_cast<double>(options_.pipeline);
    bool more = true;
    std::uint64_t sent = 0;
    while (more || waiting_ != 0) {
      const MonotonicTime now = clock_.Monotonic();
      while (more) {
        const MonotonicTime due = begin_ + Nanoseconds(static_cast<double>(sent) / per_second);
        Connection& connection = *connections_[sent % connections_.size()];
        if (due > now || connection.batches_waiting() >= kBatchesWaitingMax) break;
        more = InTime(due) && SendNext(connection, due);
        ++sent;
      }
      Turn(0, [](Connection&, MonotonicTime) {});
    }
  }

  const Options& options_;
  const SystemClock clock_;
  RequestTape tape_;
  ReplyWait wait_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::uint64_t requests_left_;
  std::size_t waiting_ = 0;  // batches
  MonotonicTime begin_;
  LoadResult result_;
};

// memcached says nothing of a key that it does not have. What a --command is answered with only its
// writer knows.
void CheckKinds(const Options& options, const LoadResult& result) {
  if (!options.command.empty()) return;
  const RequestCounts& asked = result.asked;
  const ReplyCounts& got = result.replies;
  const bool silent = options.protocol == Protocol::kMemcached;
  const bool values = silent ? got.values <= asked.values && got.nulls == 0
                             : got.values + got.nulls == asked.values;
  if (!values || got.statuses != asked.statuses || got.integers != asked.integers) {
    Fail("replies of a wrong kind");
  }
}

}  // namespace

double CpuSeconds(pid_t pid) {
  clockid_t id = CLOCK_PROCESS_CPUTIME_ID;
  timespec time{};
  if ((pid != 0 && ::clock_getcpuclockid(pid, &id) != 0) || ::clock_gettime(id, &time) != 0) {
    Fail("CPU time of the server", errno);
  }
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

LoadResult RunLoad(const Options& options) {
  LoadResult result = Load(options).Run();
  CheckKinds(options, result);
  return result;
}

}  // namespace aeris::load
