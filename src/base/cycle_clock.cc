#include "src/base/cycle_clock.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

namespace aeris {
namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds kAnchorEvery = std::chrono::milliseconds(1);
// The two readings of a pair are some 20 ns apart, so over 10 ms the rate is right to 1 in 100,000:
// 10 ns in the millisecond until the next anchor.
constexpr nanoseconds kRateSpanMin = std::chrono::milliseconds(10);
constexpr nanoseconds kRateSpanMax = std::chrono::seconds(1);
// A pair of readings further apart was interrupted.
constexpr nanoseconds kPairGapMax = std::chrono::microseconds(1);
constexpr int kPairAttempts = 4;
constexpr int kPointBits = 32;

__extension__ using Wide = unsigned __int128;

std::uint64_t Scale(std::uint64_t value, std::uint64_t multiplier) {
  return static_cast<std::uint64_t>(Wide{value} * multiplier >> kPointBits);
}

#if defined(__x86_64__)
std::uint64_t ReadCounter() { return __rdtsc(); }

// The counter ticks at one rate in all states of the core, and the kernel has found it good: it
// takes another clock where a hypervisor or a second socket makes the counter drift.
bool CounterUsable() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  constexpr unsigned kPowerManagement = 0x80000007;
  constexpr unsigned kInvariantTsc = 1u << 8;
  if (__get_cpuid(kPowerManagement, &eax, &ebx, &ecx, &edx) == 0) return false;
  if ((edx & kInvariantTsc) == 0) return false;
  std::ifstream file("/sys/devices/system/clocksource/clocksource0/current_clocksource");
  std::string name;
  return static_cast<bool>(file >> name) && name == "tsc";
}
#else
std::uint64_t ReadCounter() { return 0; }
bool CounterUsable() { return false; }
#endif

class Processor final : public CycleSource {
 public:
  bool Usable() const override { return CounterUsable(); }
  std::uint64_t Cycles() const override { return ReadCounter(); }
  MonotonicTime Kernel() const override { return std::chrono::steady_clock::now(); }
};

const Processor kProcessor;

}  // namespace

CycleClock::CycleClock() : CycleClock(kProcessor) {}

CycleClock::CycleClock(const CycleSource& source) : source_(source), usable_(source.Usable()) {
  if (!usable_) return;
  anchor_ = ReadBoth();
  rate_begin_ = anchor_;
}

MonotonicTime CycleClock::Monotonic() const {
  if (!usable_) return source_.Kernel();
  const std::uint64_t cycles = &source_ == &kProcessor ? ReadCounter() : source_.Cycles();
  // Unsigned: a counter that jumped back is out of the window as well.
  if (cycles - anchor_.cycles < window_) [[likely]] {
    return At(cycles);
  }
  return Anchor();
}

MonotonicTime CycleClock::At(std::uint64_t cycles) const {
  return anchor_.time + nanoseconds(Scale(cycles - anchor_.cycles, multiplier_));
}

// The counter and the kernel's clock at one moment, as near as can be.
auto CycleClock::ReadBoth() const -> Reading {
  Reading best;
  nanoseconds gap_min = nanoseconds::max();
  for (int attempt = 0; attempt < kPairAttempts && gap_min > kPairGapMax; ++attempt) {
    const MonotonicTime before = source_.Kernel();
    const std::uint64_t cycles = source_.Cycles();
    const MonotonicTime after = source_.Kernel();
    if (after - before >= gap_min) continue;
    gap_min = after - before;
    best = {.cycles = cycles, .time = before + gap_min / 2};
  }
  return best;
}

MonotonicTime CycleClock::Anchor() const {
  const Reading now = ReadBoth();
  // What may have been returned until now, at most: the end of the window.
  const MonotonicTime last = window_ == 0 ? anchor_.time : At(anchor_.cycles + window_);
  const MonotonicTime last_possible = now.cycles - anchor_.cycles < window_ ? At(now.cycles) : last;
  Calibrate(now);
  anchor_ = {.cycles = now.cycles, .time = std::max(now.time, last_possible)};
  // Ahead of the kernel: a thousandth slower until it has caught up.
  if (window_ != 0 && anchor_.time > now.time) multiplier_ -= multiplier_ / 1024;
  return anchor_.time;
}

// Takes the rate from the two ends of up to a second.
void CycleClock::Calibrate(const Reading& now) const {
  const nanoseconds span = now.time - rate_begin_.time;
  if (span < kRateSpanMin) return;
  const std::uint64_t cycles = now.cycles - rate_begin_.cycles;
  const auto elapsed = static_cast<std::uint64_t>(span.count());
  if (now.cycles <= rate_begin_.cycles || cycles / elapsed > 1000) {
    // The counter was set: begin anew.
    window_ = 0;
    rate_begin_ = now;
    return;
  }
  multiplier_ = static_cast<std::uint64_t>((Wide{elapsed} << kPointBits) / cycles);
  window_ = static_cast<std::uint64_t>(Wide{static_cast<std::uint64_t>(kAnchorEvery.count())} *
                                       cycles / elapsed);
  if (span > kRateSpanMax) rate_begin_ = now;
}

}  // namespace aeris
