#include "storage/access_clock.h"

#include <algorithm>
#include <cmath>

namespace aeris::storage {
namespace {

constexpr std::uint8_t kCounterMax = 255;

std::uint8_t Minutes(UnixMs now) { return static_cast<std::uint8_t>(now / 60'000); }

std::uint16_t LfuClock(std::uint8_t counter, UnixMs now) {
  return static_cast<std::uint16_t>(Minutes(now) << 8 | counter);
}

// One use more, with a chance that falls with the count: a million uses reach about 255 at
// factor 10.
std::uint8_t CountUse(std::uint8_t counter, int log_factor, Random& random) {
  if (counter == kCounterMax) return counter;
  const auto above = static_cast<std::uint64_t>(std::max(0, counter - kLfuNewKey));
  const std::uint64_t one_in = above * static_cast<std::uint64_t>(std::max(0, log_factor)) + 1;
  return random.Below(one_in) == 0 ? static_cast<std::uint8_t>(counter + 1) : counter;
}

}  // namespace

std::uint16_t FirstAccessClock(const AccessPolicy& policy, UnixMs now) {
  return policy.lfu ? LfuClock(kLfuNewKey, now) : AccessClockOf(now);
}

std::uint16_t NextAccessClock(std::uint16_t clock, const AccessPolicy& policy, UnixMs now,
                              Random& random) {
  if (!policy.lfu) return AccessClockOf(now);
  const std::uint8_t decayed = LfuFrequency(clock, now, policy.lfu_decay_minutes);
  return LfuClock(CountUse(decayed, policy.lfu_log_factor, random), now);
}

std::uint64_t IdleSeconds(std::uint16_t access_clock, UnixMs now) {
  return static_cast<std::uint16_t>(AccessClockOf(now) - access_clock);
}

std::uint8_t LfuFrequency(std::uint16_t access_clock, UnixMs now, int decay_minutes) {
  const int counter = access_clock & 0xff;
  if (decay_minutes <= 0) return static_cast<std::uint8_t>(counter);
  const int idle_minutes = static_cast<std::uint8_t>(Minutes(now) - (access_clock >> 8));
  return static_cast<std::uint8_t>(std::max(0, counter - idle_minutes / decay_minutes));
}

std::uint8_t FrequencyOfUses(std::uint64_t uses, int log_factor) {
  // From c to c + 1 it takes c * factor + 1 uses on average, so c * c * factor / 2 + c of them to
  // c.
  const double factor = std::max(0, log_factor);
  const auto n = static_cast<double>(uses);
  const double counter = factor == 0 ? n : (std::sqrt(1 + 2 * factor * n) - 1) / factor;
  return static_cast<std::uint8_t>(std::min(counter, double{kCounterMax}));
}

std::uint64_t SecondsSinceUse(std::uint16_t access_clock, const AccessPolicy& policy, UnixMs now) {
  if (!policy.lfu) return IdleSeconds(access_clock, now);
  return std::uint64_t{static_cast<std::uint8_t>(Minutes(now) - (access_clock >> 8))} * 60;
}

std::uint16_t ClockFromIdleSeconds(std::uint64_t idle_seconds, UnixMs now) {
  const auto idle = static_cast<std::uint16_t>(std::min<std::uint64_t>(idle_seconds, 0xffff));
  return static_cast<std::uint16_t>(AccessClockOf(now) - idle);
}

std::uint16_t ClockFromFrequency(std::uint8_t frequency, UnixMs now) {
  return LfuClock(frequency, now);
}

}  // namespace aeris::storage
