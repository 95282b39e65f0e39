#include "src/latency_monitor.h"

#include <algorithm>

namespace aeris {

std::vector<LatencyMonitor::Sample> LatencyMonitor::Series::OldestFirst() const {
  std::vector<Sample> ordered;
  for (std::size_t i = 0; i < kSamples; ++i) {
    const Sample& sample = samples[(next + i) % kSamples];
    if (sample.unix_seconds != 0) ordered.push_back(sample);
  }
  return ordered;
}

void LatencyMonitor::Add(std::string_view event, std::int64_t unix_seconds,
                         std::int64_t milliseconds) {
  auto found = events_.find(event);
  if (found == events_.end()) found = events_.emplace(std::string(event), Series{}).first;
  Series& series = found->second;
  series.max_ms = std::max(series.max_ms, milliseconds);
  Sample& latest = series.samples[(series.next + kSamples - 1) % kSamples];
  if (latest.unix_seconds == unix_seconds) {
    latest.milliseconds = std::max(latest.milliseconds, milliseconds);
    return;
  }
  series.samples[series.next] = {unix_seconds, milliseconds};
  series.next = (series.next + 1) % kSamples;
}

std::size_t LatencyMonitor::Reset(std::string_view event) {
  const auto found = events_.find(event);
  if (found == events_.end()) return 0;
  events_.erase(found);
  return 1;
}

std::size_t LatencyMonitor::ResetAll() {
  const std::size_t count = events_.size();
  events_.clear();
  return count;
}

const LatencyMonitor::Series* LatencyMonitor::Find(std::string_view event) const {
  const auto found = events_.find(event);
  return found == events_.end() ? nullptr : &found->second;
}

}  // namespace aeris
