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

// What is rare are calls at the end, so that nothing has to be saved for them.
void LatencyHistogram::Record(std::int64_t value, std::uint16_t times) {
  if (static_cast<std::uint64_t>(value) - 1 >= kHighest) [[unlikely]] {
    value = std::clamp<std::int64_t>(value, 1, kHighest);
  }
  const std::size_t index = IndexOf(value);
  if (counters_ == nullptr || counters_->place[index / kGroup] == 0) [[unlikely]]
    return RecordFirst(index, times);
  const std::size_t first = (counters_->place[index / kGroup] - std::size_t{1}) * kGroup;
  std::uint16_t& counter = counters_->of[first + index % kGroup];
  counter = static_cast<std::uint16_t>(counter + times);
  if (counter < times) [[unlikely]]
    return AddCarry(first + index % kGroup);
}

// Of its group.
void LatencyHistogram::RecordFirst(std::size_t index, std::uint16_t times) {
  if (counters_ == nullptr) counters_ = std::make_unique<Counters>();
  std::vector<std::uint16_t>& of = counters_->of;
  const std::size_t first = of.size();
  // No more than is needed: groups come seldom, and only so many.
  of.reserve(first + kGroup);
  of.resize(first + kGroup);
  of[first + index % kGroup] = times;
  counters_->place[index / kGroup] = static_cast<std::uint8_t>(of.size() / kGroup);
}

void LatencyHistogram::AddCarry(std::size_t position) {
  std::vector<std::uint32_t>& carries = counters_->carries;
  if (carries.size() <= position) {
    carries.reserve(counters_->of.size());
    carries.resize(counters_->of.size());
  }
  ++carries[position];
}

std::uint64_t LatencyHistogram::count() const {
  std::uint64_t total = 0;
  ForEachCounter([&](std::size_t, std::uint64_t count) { total += count; });
  return total;
}

std::size_t LatencyHistogram::memory_bytes() const {
  if (empty()) return 0;
  return sizeof(Counters) + counters_->of.capacity() * sizeof(std::uint16_t) +
         counters_->carries.capacity() * sizeof(std::uint32_t);
}

std::uint64_t LatencyHistogram::RankOf(double percentile, std::uint64_t count) {
  const double share = std::min(percentile, 100.0) / 100.0;
  return static_cast<std::uint64_t>(
      std::max(1.0, std::floor(share * static_cast<double>(count) + 0.5)));
}

std::int64_t LatencyHistogram::ValueAt(double percentile) const {
  if (empty()) return 0;
  const std::uint64_t rank = RankOf(percentile, count());
  std::uint64_t seen = 0;
  std::size_t found = 0;
  ForEachCounter([&](std::size_t index, std::uint64_t count) {
    if (seen < rank) found = index;
    seen += count;
  });
  return HighestEquivalent(found);
}

std::vector<std::pair<std::int64_t, std::uint64_t>> LatencyHistogram::CumulativeByPowersOfTwo()
    const {
  std::vector<std::pair<std::int64_t, std::uint64_t>> buckets;
  std::int64_t power = 1024;
  std::uint64_t seen = 0;
  std::uint64_t shown = 0;
  // A bound takes in its whole bucket, so it shows as the highest value that the bucket stands for:
  // 1, 2, 4, 8, 16, 33, 67 microseconds.
  const auto show = [&] {
    const std::size_t last = std::min(IndexOf(power), kCounters - 1);
    if (seen != shown) buckets.emplace_back(HighestEquivalent(last) / 1000, seen);
    shown = seen;
  };
  ForEachCounter([&](std::size_t index, std::uint64_t count) {
    for (; index > IndexOf(power); power *= 2) show();
    seen += count;
  });
  show();
  return buckets;
}

}  // namespace aeris
