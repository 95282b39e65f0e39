#include "src/base/histogram_sum.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

namespace aeris {

void HistogramSum::Add(const LatencyHistogram& histogram) { histogram.AddTo(counters_); }

HistogramSum HistogramSum::Since(const HistogramSum& earlier) const {
  HistogramSum since;
  for (std::size_t i = 0; i < counters_.size(); ++i) {
    const std::uint64_t now = counters_[i];
    const std::uint64_t then = earlier.counters_[i];
    since.counters_[i] = now >= then ? now - then : now;
  }
  return since;
}

std::uint64_t HistogramSum::count() const {
  return std::accumulate(counters_.begin(), counters_.end(), std::uint64_t{0});
}

std::int64_t HistogramSum::ValueAt(double percentile) const {
  const auto total = static_cast<double>(count());
  if (total == 0) return 0;
  const auto rank = static_cast<std::uint64_t>(
      std::max(1.0, std::floor(std::min(percentile, 100.0) / 100.0 * total + 0.5)));
  std::uint64_t seen = 0;
  std::size_t index = 0;
  while (index + 1 < counters_.size() && (seen += counters_[index]) < rank) ++index;
  return LatencyHistogram::HighestEquivalent(index);
}

}  // namespace aeris
