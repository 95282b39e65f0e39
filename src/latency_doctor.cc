#include "src/latency_doctor.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace aeris {
namespace {

struct Summary {
  std::size_t spikes = 0;
  std::int64_t average_ms = 0;
  std::int64_t mean_deviation_ms = 0;
  double period_seconds = 0;  // between spikes
};

Summary Summarise(const LatencyMonitor::Series& series, std::int64_t now_seconds) {
  const std::vector<LatencyMonitor::Sample> samples = series.OldestFirst();
  Summary summary{.spikes = samples.size()};
  const auto count = static_cast<std::int64_t>(samples.size());
  std::int64_t sum = 0;
  for (const LatencyMonitor::Sample& sample : samples) sum += sample.milliseconds;
  summary.average_ms = sum / count;
  std::int64_t deviations = 0;
  for (const LatencyMonitor::Sample& sample : samples) {
    deviations += std::max(sample.milliseconds, summary.average_ms) -
                  std::min(sample.milliseconds, summary.average_ms);
  }
  summary.mean_deviation_ms = deviations / count;
  const auto seconds = std::max<std::int64_t>(now_seconds - samples.front().unix_seconds, 1);
  summary.period_seconds = static_cast<double>(seconds) / static_cast<double>(count);
  return summary;
}

void AppendCommandAdvice(const LatencyReportOptions& options, std::string& out) {
  if (options.slowlog_slower_than_us < 0) {
    out +=
        "- The slow log is off, so nothing tells which commands were slow. CONFIG SET "
        "slowlog-log-slower-than 10000 switches it on.\n";
  } else if (options.slowlog_slower_than_us > options.threshold_ms * 1000) {
    out +=
        "- The slow log starts at longer times than this monitor does. A smaller "
        "slowlog-log-slower-than shows the commands behind these spikes.\n";
  }
  out +=
      "- SLOWLOG GET names the slow commands and their arguments. Commands that walk over many "
      "keys or long values (KEYS, big MGET, BITCOUNT, LCS) hold up everybody: SCAN and smaller "
      "pieces do not.\n";
}

constexpr std::string_view kFastCommandAdvice =
    "- Commands of constant cost were slow, so something outside took the time: swapping, a CPU "
    "shared with other work, or a virtual machine that was stopped. redis-cli "
    "--intrinsic-latency 100, run on this machine, shows how long it stands still by itself.\n";
constexpr std::string_view kExpireAdvice =
    "- Many keys were due at one moment. A random part in the deadlines of keys that are written "
    "together spreads the work.\n";

}  // namespace

std::string LatencyReport(const LatencyMonitor& latency, const LatencyReportOptions& options) {
  if (latency.events().empty()) {
    if (options.threshold_ms == 0) {
      return "I'm sorry, Dave, I can't do that. Latency monitoring is disabled here: CONFIG SET "
             "latency-monitor-threshold <milliseconds> enables it.\n";
    }
    return fmt::format(
        "Dave, nothing has taken {} milliseconds or more since the start or the last LATENCY "
        "RESET.\n",
        options.threshold_ms);
  }
  std::string out = "Dave, I have observed latency spikes in this instance.\n\n";
  std::size_t number = 0;
  for (const auto& [event, series] : latency.events()) {
    const Summary summary = Summarise(series, options.now_seconds);
    out += fmt::format(
        "{}. {}: {} latency spikes (average {}ms, mean deviation {}ms, period {:.2f} sec). Worst "
        "all time event {}ms.\n",
        ++number, event, summary.spikes, summary.average_ms, summary.mean_deviation_ms,
        summary.period_seconds, series.max_ms);
  }
  out += "\nWhat may help:\n\n";
  if (latency.Find("command") != nullptr) AppendCommandAdvice(options, out);
  if (latency.Find("fast-command") != nullptr) out += kFastCommandAdvice;
  if (latency.Find("expire-cycle") != nullptr) out += kExpireAdvice;
  return out;
}

}  // namespace aeris
