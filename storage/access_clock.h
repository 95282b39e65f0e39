// The 16-bit access clock of an entry: when, or how often, its key was used.
//
//   LRU   seconds modulo 2^16. OBJECT IDLETIME is exact to a second for 18 hours after the last
//   use;
//         older keys answer modulo 2^16 until a sweep that marks them is there.
//   LFU   high byte: minutes modulo 256 of the last use; low byte: a counter that grows with the
//         logarithm of the uses and loses one per decay period, as Redis has it.
//
// A read writes the clock only when it changes, so keys read more than once a second stay clean in
// the CPU's caches.
#pragma once

#include <cstdint>

#include "src/base/clock.h"
#include "src/base/random.h"

namespace aeris::storage {

// How keys age; the server's maxmemory-policy and lfu-* directives.
struct AccessPolicy {
  bool lfu = false;
  int lfu_log_factor = 10;
  int lfu_decay_minutes = 1;
};

inline constexpr std::uint8_t kLfuNewKey = 5;  // so that a new key is not the next victim

// The LRU clock of a key that is used now.
inline std::uint16_t AccessClockOf(UnixMs now) { return static_cast<std::uint16_t>(now / 1000); }

// The clock of a key that is created now.
std::uint16_t FirstAccessClock(const AccessPolicy& policy, UnixMs now);
// The clock after one more use. Draws a random number in LFU only.
std::uint16_t NextAccessClock(std::uint16_t clock, const AccessPolicy& policy, UnixMs now,
                              Random& random);

// OBJECT IDLETIME in seconds and OBJECT FREQ, from an entry's access clock.
std::uint64_t IdleSeconds(std::uint16_t access_clock, UnixMs now);
std::uint8_t LfuFrequency(std::uint16_t access_clock, UnixMs now, int decay_minutes);
// The LFU counter that so many uses reach on average from 0, without decay.
std::uint8_t FrequencyOfUses(std::uint64_t uses, int log_factor);
// Seconds since the last use, whichever meaning the clock has: whole minutes in LFU.
std::uint64_t SecondsSinceUse(std::uint16_t access_clock, const AccessPolicy& policy, UnixMs now);
// The inverse, for RESTORE's IDLETIME and FREQ. Idle times above 2^16 - 1 seconds become that.
std::uint16_t ClockFromIdleSeconds(std::uint64_t idle_seconds, UnixMs now);
std::uint16_t ClockFromFrequency(std::uint8_t frequency, UnixMs now);

}  // namespace aeris::storage
