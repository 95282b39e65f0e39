// A clock that stands still until a test moves it.
#pragma once

#include "src/base/clock.h"

namespace aeris::testing {

class ManualClock final : public Clock {
 public:
  MonotonicTime Monotonic() const override { return monotonic_ += step_; }
  std::int64_t UnixMicros() const override { return unix_micros_; }

  // Moves both clocks forward.
  void Advance(std::chrono::nanoseconds by) {
    monotonic_ += by;
    unix_micros_ += std::chrono::duration_cast<std::chrono::microseconds>(by).count();
  }
  // Each reading of the monotonic clock moves it by this first, as if work took time.
  void set_step(std::chrono::nanoseconds step) { step_ = step; }
  // Moves the wall clock alone, as an administrator would.
  void SetUnix(UnixMs now) { unix_micros_ = now * 1000; }

 private:
  mutable MonotonicTime monotonic_{std::chrono::seconds(1000)};
  std::chrono::nanoseconds step_{0};
  std::int64_t unix_micros_ = 1'700'000'000'000'000;
};

}  // namespace aeris::testing
