// LatencyMonitor: for each kind of event, the latest moments at which it took longer than
// latency-monitor-threshold. LATENCY LATEST, HISTORY, GRAPH, DOCTOR and RESET read it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace aeris {

class LatencyMonitor {
 public:
  static constexpr std::size_t kSamples = 160;  // per event, as in Redis

  struct Sample {
    std::int64_t unix_seconds = 0;  // 0: not used yet
    std::int64_t milliseconds = 0;
  };
  struct Series {
    std::array<Sample, kSamples> samples{};  // a ring
    std::size_t next = 0;
    std::int64_t max_ms = 0;

    Sample latest() const { return samples[(next + kSamples - 1) % kSamples]; }
    std::vector<Sample> OldestFirst() const;  // those in use
  };
  using Events = std::map<std::string, Series, std::less<>>;

  // Two samples of one second are one, the larger.
  void Add(std::string_view event, std::int64_t unix_seconds, std::int64_t milliseconds);
  // Removes one event's series, or all. Returns how many.
  std::size_t Reset(std::string_view event);
  std::size_t ResetAll();

  const Events& events() const { return events_; }
  const Series* Find(std::string_view event) const;

 private:
  Events events_;
};

}  // namespace aeris
