// Time. Intervals and timers run on the monotonic clock; deadlines of keys are wall-clock times,
// since they are stored. Both come from one object, so that tests move them by hand.
#pragma once

#include <chrono>
#include <cstdint>

namespace aeris {

using UnixMs = std::int64_t;  // wall-clock time, milliseconds since 1970
inline constexpr UnixMs kNoDeadline = -1;

using MonotonicTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;

class Clock {
 public:
  virtual MonotonicTime Monotonic() const = 0;
  virtual std::int64_t UnixMicros() const = 0;
  UnixMs Unix() const { return UnixMicros() / 1000; }

 protected:
  ~Clock() = default;
};

class SystemClock final : public Clock {
 public:
  MonotonicTime Monotonic() const override { return std::chrono::steady_clock::now(); }
  std::int64_t UnixMicros() const override {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
};

}  // namespace aeris
