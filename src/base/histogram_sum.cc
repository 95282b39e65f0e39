#include "src/base/histogram_sum.h"

#include <cstddef>

namespace aeris {

void HistogramSum::Add(const LatencyHistogram& histogram) {
  histogram.ForEachCounter([this](std::size_t index, std::uint64_t count) {
    of_[index] += count;
    count_ += count;
  });
}

HistogramSum HistogramSum::Since(const HistogramSum& earlier) const {
  HistogramSum since;
  for (std::size_t i = 0; i < of_.size(); ++i) {
    since.of_[i] = of_[i] >= earlier.of_[i] ? of_[i] - earlier.of_[i] : of_[i];
    since.count_ += since.of_[i];
  }
  return since;
}

std::int64_t HistogramSum::ValueAt(double percentile) const {
  if (count_ == 0) return 0;
  const std::uint64_t rank = LatencyHistogram::RankOf(percentile, count_);
  std::size_t index = 0;
  for (std::uint64_t seen = of_[0]; seen < rank; seen += of_[index]) ++index;
  return LatencyHistogram::HighestEquivalent(index);
}

}  // namespace aeris
