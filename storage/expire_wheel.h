// ExpireWheel: the arithmetic of a timing wheel whose links are one byte per key.
//
// A key with a deadline carries a code that says when to look at it next. Time is cut into ticks
// of 64 ms since 1970, and ticks into four levels, each 64 times coarser than the one below:
//
//   level   one unit   63 units      code = 1 + 63 * level + unit % 63       (0: no deadline)
//     0       64 ms      4.0 s
//     1      4.1 s       4.3 min     A code is due when the clock enters its unit. At level 0 the
//     2      4.4 min     4.6 h       deadline has passed then; at the others the key is filed
//     3      4.7 h       12.2 d      again, one level down or more. So a key is looked at no more
//                                    than four times; farther ones once more per 12 days.
//
// The holder of the bytes sweeps them in passes: Begin() takes all ticks since the last pass and
// gives the set of codes that became due; whoever has one of these codes is looked at, and erased
// or given the code of its deadline again; End() closes the pass. A pass may be interrupted and go
// on later.
//
// Holds:    every filed code is due no later than the tick of its deadline. A code that fires too
//           early costs one look; one that fires too late would be a mistake, so every doubt (clock
//           set back, clock jumped, code filed before the first pass) is resolved towards early.
//           A code filed while the clock had been set back unnoticed is made good by the next pass.
// Floor:    a pass that is closed has shown that no key has a deadline before the pass's own tick,
//           but for the keys that were filed again meanwhile. floor() is that proof kept up to
//           date; entries rely on it to leave out the high bits of their deadlines.
// Given:    a key is given in (deadline, deadline + 64 ms + time between two passes].
// Cost:     filing and asking O(1); Begin O(ticks since the last pass), at most 252 codes.
// Measured: tests/bench/storage/expire_wheel_bench.cc. FileCode 5 ns. 10^6 keys over ten minutes,
//           swept every 100 ms: 2.5 looks and 210 to 300 ns per key, erasing it included.
// Rejected: links between entries (two cache misses per change, 8 bytes); vectors of references
//           (faster per expired key, 6 to 11 bytes, stale references to clean up).
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "src/base/clock.h"

namespace aeris::storage {

class ExpireWheel {
 public:
  static constexpr std::int64_t kTickMs = 64;
  static constexpr unsigned kLevels = 4;
  static constexpr unsigned kUnits = 63;                       // codes per level
  static constexpr std::size_t kCodes = 1 + kLevels * kUnits;  // 0 included
  static_assert(kCodes <= 256, "a code is one byte");

  // The code under which a key with this deadline is filed now. Never 0.
  std::uint8_t FileCode(UnixMs deadline);
  // The code for a key that is due in the current pass and has to wait for the next one.
  std::uint8_t DelayCode();
  // Whether a key may keep `filed` instead of getting `wanted`: it is looked at early enough.
  bool DueNoLater(std::uint8_t filed, std::uint8_t wanted) const;

  // Starts a pass over everything that became due up to `now`. False, and no pass, when nothing
  // did. Must not be called within a pass. A clock that was set back is followed.
  bool Begin(UnixMs now);
  void End();
  bool in_pass() const { return due_count_ != 0; }
  // Within a pass: notices a clock that was set back meanwhile.
  void Observe(UnixMs now);
  // Forgets everything and stands at `now`. Only while no key is filed.
  void Reset(UnixMs now);

  // The codes of the current pass.
  std::span<const std::uint8_t> due_codes() const { return {due_codes_.data(), due_count_}; }
  bool IsDue(std::uint8_t code) const { return is_due_[code]; }
  // Whether Begin(now) would find something to do.
  bool Behind(UnixMs now) const;
  // No key that is filed under one of these codes has a deadline before this, and a pass after it
  // finds one of the codes due; kNoDeadline for none. Not within a pass. O(codes)
  UnixMs EarliestLook(const std::bitset<256>& codes) const;

  // No filed key has a deadline before this.
  UnixMs floor() const { return floor_; }

 private:
  std::uint8_t NextCode() const;
  std::int64_t NextTick(std::uint8_t code) const;

  std::int64_t tick_ = 0;  // everything up to this tick is done, or part of the current pass
  UnixMs floor_ = std::numeric_limits<UnixMs>::min();
  UnixMs pass_floor_ = std::numeric_limits<UnixMs>::min();  // the floor when this pass ends
  std::size_t due_count_ = 0;
  std::array<std::uint8_t, kCodes> due_codes_{};
  std::bitset<256> is_due_;
};

}  // namespace aeris::storage
