// LatencyHistogram: how long something took, each time that it was done, within 1%.
//
// A log-linear histogram of whole numbers from 1 to 10^9: of commands in nanoseconds, up to 1 s; of
// what takes longer in a larger unit. There are 128 counters per power of two from 128 on (256
// below), the layout of HdrHistogram with two significant digits, so that percentiles agree with
// Redis's. The library itself is not packaged in Debian 12.
//
//   value   0..255: one counter each | 256..511: one per 2 | 512..1023: one per 4 | ...
//
// What is alike lasts about alike, so counters are there only where values have come: in groups of
// 32, a quarter of a power of two, of 16 bits each. What they pass 65,535 by is counted beside.
//
// Cost:     Record is a count of leading zeros, a look at the group's place and one increment.
//           Reading is O(counters that are there).
// Memory:   8 bytes; 224 more from the first value on, 64 for each further group: 1 KiB for a
//           command that is called often, and thrice that once a counter has passed 65,535. At most
//           18 KiB.
// Rejected: all counters at once, 24 KiB: a server near its limit lost keys to the first calls of
//           commands, 2.4 MiB to a hundred of them.
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
  // Values beyond the range count as its ends. `times`: that it was seen, at least once.
  void Record(std::int64_t value, std::uint16_t times = 1);
  void Reset() { counters_.reset(); }
  bool empty() const { return counters_ == nullptr; }
  std::uint64_t count() const;
  // What it has allocated.
  std::size_t memory_bytes() const;
  // The largest value that counts as equal to the one at `percentile` (0 to 100); 0 while empty.
  std::int64_t ValueAt(double percentile) const;
  // LATENCY HISTOGRAM, of nanoseconds: upper bounds in microseconds, about doubling from 1, each
  // with the number of values at or below it; bounds that add nothing are left out.
  std::vector<std::pair<std::int64_t, std::uint64_t>> CumulativeByPowersOfTwo() const;

 private:
  friend class HistogramSum;  // adds and subtracts counters
  static constexpr unsigned kSubBits = 7;
  static constexpr std::int64_t kHighest = 1'000'000'000;
  static constexpr std::size_t kCounters = (22 + 2) << kSubBits;
  static constexpr std::size_t kGroup = 32;
  static constexpr std::size_t kGroups = kCounters / kGroup;
  struct Counters {
    std::vector<std::uint16_t> of;              // of the groups that are there, in order of arrival
    std::array<std::uint8_t, kGroups> place{};  // of each group among them, plus 1; 0: not there
    std::vector<std::uint32_t> carries;         // 65,536 of each of `of`; as far as there are any
  };
  static_assert(kGroups < 256, "a group's place is a byte");
  static std::size_t IndexOf(std::int64_t value);
  static std::int64_t HighestEquivalent(std::size_t index);
  void RecordFirst(std::size_t index, std::uint16_t times);
  void AddCarry(std::size_t position);
  // visit(index, count), in the order of values.
  template <typename Visit>
  void ForEachCounter(Visit visit) const {
    if (empty()) return;
    const Counters& counters = *counters_;
    for (std::size_t group = 0; group < kGroups; ++group) {
      if (counters.place[group] == 0) continue;
      const std::size_t first = (counters.place[group] - std::size_t{1}) * kGroup;
      for (std::size_t i = 0; i < kGroup; ++i) {
        const std::uint64_t carried =
            first + i < counters.carries.size() ? counters.carries[first + i] : 0;
        visit(group * kGroup + i, carried << 16 | counters.of[first + i]);
      }
    }
  }
  // Which of `count` values in their order stands at a percentile, from 1 on.
  static std::uint64_t RankOf(double percentile, std::uint64_t count);

  std::unique_ptr<Counters> counters_;
};

}  // namespace aeris
