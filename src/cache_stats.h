// CacheStats: how well the server does as a cache. INFO cache shows it (docs/cache_info.md).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "src/base/clock.h"
#include "src/base/latency_histogram.h"
#include "src/hit_window.h"

namespace aeris {

// INFO cache tells how the server would do with up to so many times the memory.
inline constexpr std::size_t kCacheMultipleMax = 4;

class CacheStats {
 public:
  // A key had to make room, so long after its last use; whether it had never been read.
  void Evicted(std::uint64_t idle_seconds, bool never_read);
  // The totals of hits and misses now: ten times a second.
  void Sample(const HitCounts& totals, MonotonicTime now);
  // CONFIG RESETSTAT: the totals begin again at 0, too.
  void Reset() { *this = CacheStats(); }

  HitCounts LastMinute(const HitCounts& totals) const { return minute_.Last(totals); }
  HitCounts LastHour(const HitCounts& totals) const { return hour_.Last(totals); }

  std::uint64_t evicted() const { return ages_.count(); }
  // The idle time that a percentile (0 to 100) of the evicted keys did not exceed, within 1%.
  std::uint64_t EvictedAgeSeconds(double percentile) const;
  // From 0 to 1; 0 without evictions.
  double never_read_ratio() const;

 private:
  HitWindow minute_{std::chrono::minutes(1)};
  HitWindow hour_{std::chrono::hours(1)};
  LatencyHistogram ages_;  // its values are seconds here, plus 1: it has no 0
  std::uint64_t never_read_ = 0;
};

}  // namespace aeris
