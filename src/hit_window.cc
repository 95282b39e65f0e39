#include "src/hit_window.h"

#include <algorithm>

namespace aeris {

void HitWindow::Sample(const HitCounts& totals, MonotonicTime now) {
  if (interval_begin_ == MonotonicTime{}) interval_begin_ = now;
  const auto passed = (now - interval_begin_) / interval_;
  interval_begin_ += passed * interval_;
  const auto ended = std::min<std::size_t>(static_cast<std::size_t>(passed), kIntervals);
  for (std::size_t i = 0; i < ended; ++i) {
    then_[oldest_] = totals;
    oldest_ = (oldest_ + 1) % kIntervals;
  }
}

HitCounts HitWindow::Last(const HitCounts& totals) const {
  const HitCounts& then = then_[oldest_];
  return {.hits = totals.hits - then.hits, .misses = totals.misses - then.misses};
}

}  // namespace aeris
