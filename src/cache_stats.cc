#include "src/cache_stats.h"

namespace aeris {

void CacheStats::Evicted(std::uint64_t idle_seconds, bool never_read) {
  ages_.Record(static_cast<std::int64_t>(idle_seconds) + 1);
  if (never_read) ++never_read_;
}

void CacheStats::Sample(const HitCounts& totals, MonotonicTime now) {
  minute_.Sample(totals, now);
  hour_.Sample(totals, now);
}

std::uint64_t CacheStats::EvictedAgeSeconds(double percentile) const {
  if (ages_.empty()) return 0;
  return static_cast<std::uint64_t>(ages_.ValueAt(percentile) - 1);
}

double CacheStats::never_read_ratio() const {
  if (evicted() == 0) return 0;
  return static_cast<double>(never_read_) / static_cast<double>(evicted());
}

}  // namespace aeris
