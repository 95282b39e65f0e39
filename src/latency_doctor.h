// LATENCY DOCTOR: what the samples say, and what to do about it, in words.
#pragma once

#include <cstdint>
#include <string>

#include "src/latency_monitor.h"

namespace aeris {

struct LatencyReportOptions {
  std::int64_t threshold_ms;            // latency-monitor-threshold; 0: nothing is sampled
  std::int64_t slowlog_slower_than_us;  // slowlog-log-slower-than; negative: no slow log
  std::int64_t now_seconds;             // since 1970
};
std::string LatencyReport(const LatencyMonitor& latency, const LatencyReportOptions& options);

}  // namespace aeris
