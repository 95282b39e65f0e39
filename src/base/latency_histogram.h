// LatencyHistogram: how long something took, each time that it was done, within 1%.
//
// A log-linear histogram of whole numbers from 1 to 10^9: of commands in nanoseconds, up to 1 s; of
// what takes longer in a larger unit. There are 128 counters per power of two from 128 on (256
// below), the layout of HdrHistogram with two significant digits, so that percentiles agree with
// Redis's. The library itself is not packaged in Debian 12.
//
//   value   0..255: one counter each | 256..511: one per 2 | 512..1023: one per 4 | ...
//
// Cost:   Record is a count of leading zeros and one increment. Reading is O(counters).
// Memory: 8 bytes; 24 KiB from the first value on.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace aeris {

class LatencyHistogram {
 public:
  // Values beyond the range count as its ends.
  void Record(std::int64_t value);
  void Reset() { counters_.reset(); }
  bool empty() const { return counters_ == nullptr; }
  std::uint64_t count() const { return counters_ == nullptr ? 0 : counters_->total; }
  // The largest value that counts as equal to the one at `percentile` (0 to 100); 0 while empty.
  std::int64_t ValueAt(double percentile) const;
  // LATENCY HISTOGRAM, of nanoseconds: upper bounds in microseconds, about doubling from 1, each
  // with the number of values at or below it; bounds that add nothing are left out.
  std::vector<std::pair<std::int64_t, std::uint64_t>> CumulativeByPowersOfTwo() const;

 private:
  static constexpr unsigned kSubBits = 7;
  static constexpr std::int64_t kHighest = 1'000'000'000;
  static constexpr std::size_t kCounters = (22 + 2) << kSubBits;
  struct Counters {
    std::uint64_t total = 0;
    std::array<std::uint64_t, kCounters> of{};
  };
  static std::size_t IndexOf(std::int64_t value);
  static std::int64_t HighestEquivalent(std::size_t index);

  std::unique_ptr<Counters> counters_;
};

}  // namespace aeris
