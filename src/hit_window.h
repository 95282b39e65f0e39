// HitWindow: the hits and misses of the last minute, or hour, from their totals.
//
// Keeps what the totals were at the end of each sixtieth of the window, so that the answer is about
// the last 59 to 60 sixtieths; less from the start on.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "src/base/clock.h"

namespace aeris {

struct HitCounts {
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;

  std::uint64_t requests() const { return hits + misses; }
  // From 0 to 1; 0 without requests.
  double ratio() const {
    return requests() == 0 ? 0 : static_cast<double>(hits) / static_cast<double>(requests());
  }
};

class HitWindow {
 public:
  explicit HitWindow(std::chrono::seconds length)
      : interval_(MonotonicTime::duration(length) / std::int64_t{kIntervals}) {}

  // To be called more often than once in a sixtieth; what was missed counts for the last one.
  void Sample(const HitCounts& totals, MonotonicTime now);
  // What has been added to the totals within the window.
  HitCounts Last(const HitCounts& totals) const;
  // The totals begin again at 0.
  void Reset() { then_ = {}; }

 private:
  static constexpr std::size_t kIntervals = 60;

  MonotonicTime::duration interval_;
  std::array<HitCounts, kIntervals> then_{};  // a ring
  std::size_t oldest_ = 0;
  MonotonicTime interval_begin_{};  // zero: there was no sample
};

}  // namespace aeris
