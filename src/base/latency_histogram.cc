#include "src/base/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace aeris {

std::size_t LatencyHistogram::IndexOf(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  const unsigned shift = static_cast<unsigned>(std::bit_width(bits | 255U)) - (kSubBits + 1);
  return (std::size_t{shift} << kSubBits) + static_cast<std::size_t>(bits >> shift);
}

std::int64_t LatencyHistogram::HighestEquivalent(std::size_t index) {
  if (index < 256) return static_cast<std::int64_t>(index);
  const std::size_t shift = (index >> kSubBits) - 1;
  const std::size_t sub = index - (shift << kSubBits);
  return static_cast<std::int64_t>(((sub + 1) << shift) - 1);
}

void LatencyHistogram::Record(std::int64_t value) {
  if (counters_ == nullptr) [[unlikely]] {
    counters_ = std::make_unique<Counters>();
  }
  ++counters_->total;
  ++counters_->of[IndexOf(std::clamp<std::int64_t>(value, 1, kHighest))];
}

std::int64_t LatencyHistogram::ValueAt(double percentile) const {
  if (empty()) return 0;
  const auto total = static_cast<double>(counters_->total);
  const auto rank = static_cast<std::uint64_t>(
      std::max(1.0, std::floor(std::min(percentile, 100.0) / 100.0 * total + 0.5)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kCounters; ++i) {
    seen += counters_->of[i];
    if (seen >= rank) return HighestEquivalent(i);
  }
  return kHighest;
}

std::vector<std::pair<std::int64_t, std::uint64_t>> LatencyHistogram::CumulativeByPowersOfTwo()
    const {
  std::vector<std::pair<std::int64_t, std::uint64_t>> buckets;
  if (empty()) return buckets;
  std::uint64_t seen = 0;
  std::uint64_t shown = 0;
  std::size_t next = 0;
  // A bound takes in its whole bucket, so it shows as the highest value that the bucket stands for:
  // 1, 2, 4, 8, 16, 33, 67 microseconds.
  for (std::int64_t power = 1024; shown < counters_->total; power *= 2) {
    const std::size_t last = IndexOf(power);
    for (; next < kCounters && next <= last; ++next) seen += counters_->of[next];
    const std::int64_t bound = std::min(HighestEquivalent(last), HighestEquivalent(kCounters - 1));
    if (seen != shown) buckets.emplace_back(bound / 1000, seen);
    shown = seen;
  }
  return buckets;
}

}  // namespace aeris
