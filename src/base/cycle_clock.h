// CycleClock: the monotonic clock from the processor's cycle counter, for readers that ask for
// every command.
//
// The kernel's clock is read once a millisecond and is the truth: it anchors the counter and gives
// its rate. In between a reading is one RDTSC, a multiplication and a shift. Where the counter is
// not what the kernel itself keeps time by (another architecture, a virtual machine with a clock of
// its own) every reading asks the kernel.
//
// Holds:    never goes backwards; within a few microseconds of the kernel's clock.
// Threads:  one.
#pragma once

#include <cstdint>

#include "src/base/clock.h"

namespace aeris {

// Where cycles and the kernel's time come from; tests give their own.
class CycleSource {
 public:
  virtual bool Usable() const = 0;  // one rate, whatever the core does
  virtual std::uint64_t Cycles() const = 0;
  virtual MonotonicTime Kernel() const = 0;

 protected:
  ~CycleSource() = default;
};

class CycleClock final : public Clock {
 public:
  CycleClock();  // the processor's counter
  explicit CycleClock(const CycleSource& source);

  MonotonicTime Monotonic() const override;
  std::int64_t UnixMicros() const override { return SystemClock().UnixMicros(); }

 private:
  struct Reading {
    std::uint64_t cycles = 0;
    MonotonicTime time{};
  };
  Reading ReadBoth() const;
  MonotonicTime At(std::uint64_t cycles) const;
  MonotonicTime Anchor() const;
  void Calibrate(const Reading& now) const;

  const CycleSource& source_;
  const bool usable_;
  // What the kernel said last: a cache, so reading the clock is const as it is for any clock.
  mutable Reading rate_begin_;            // the rate is measured from here to the latest anchor
  mutable Reading anchor_;                // its time is not before any that was returned
  mutable std::uint64_t window_ = 0;      // cycles for which the anchor is good, 0: no rate yet
  mutable std::uint64_t multiplier_ = 0;  // nanoseconds per cycle, 32 bits after the point
};

}  // namespace aeris
