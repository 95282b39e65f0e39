#include "storage/expire_wheel.h"

#include <algorithm>

#include "src/base/check.h"

namespace aeris::storage {
namespace {

constexpr unsigned kLevelShift = 6;
constexpr std::int64_t kUnitsSigned = ExpireWheel::kUnits;

std::int64_t TickOf(UnixMs now) { return std::max<UnixMs>(now, 0) / ExpireWheel::kTickMs; }

std::uint8_t Code(unsigned level, std::int64_t unit) {
  const auto place = static_cast<unsigned>(unit % kUnitsSigned);
  return static_cast<std::uint8_t>(1 + ExpireWheel::kUnits * level + place);
}

}  // namespace

std::uint8_t ExpireWheel::FileCode(UnixMs deadline) {
  floor_ = std::min(floor_, deadline);
  pass_floor_ = std::min(pass_floor_, deadline);
  // The first tick at which the deadline lies in the past.
  const std::int64_t due = TickOf(deadline) + 1;
  if (due <= tick_) return NextCode();
  for (unsigned level = 0;; ++level) {
    const std::int64_t position = tick_ >> (kLevelShift * level);
    const std::int64_t distance = (due >> (kLevelShift * level)) - position;
    // 63 units ahead is the code of the present unit, whose keys have been looked at, or are being:
    // then one look may come to nothing.
    if (distance <= kUnitsSigned || level == kLevels - 1) {
      return Code(level, position + std::min(distance, kUnitsSigned));
    }
  }
}

std::uint8_t ExpireWheel::DelayCode() {
  pass_floor_ = std::min(pass_floor_, floor_);
  return NextCode();
}

std::uint8_t ExpireWheel::NextCode() const { return Code(0, tick_ + 1); }

bool ExpireWheel::DueNoLater(std::uint8_t filed, std::uint8_t wanted) const {
  return NextTick(filed) <= NextTick(wanted);
}

std::int64_t ExpireWheel::NextTick(std::uint8_t code) const {
  AERIS_DCHECK(code != 0 && code < kCodes);
  const unsigned level = (code - 1U) / kUnits;
  const std::int64_t place = (code - 1) % kUnitsSigned;
  const std::int64_t next = (tick_ >> (kLevelShift * level)) + 1;
  const std::int64_t distance = (place - next % kUnitsSigned + kUnitsSigned) % kUnitsSigned;
  return (next + distance) << (kLevelShift * level);
}

bool ExpireWheel::Begin(UnixMs now) {
  AERIS_DCHECK(!in_pass());
  const std::int64_t to = TickOf(now);
  for (unsigned level = 0; level < kLevels; ++level) {
    const std::int64_t first = (tick_ >> (kLevelShift * level)) + 1;
    const std::int64_t last = to >> (kLevelShift * level);
    if (last < first) break;
    // After a jump over the whole level each of its codes is due, once.
    for (std::int64_t unit = std::max(first, last - kUnitsSigned + 1); unit <= last; ++unit) {
      const std::uint8_t code = Code(level, unit);
      is_due_[code] = true;
      due_codes_[due_count_++] = code;
    }
  }
  tick_ = to;
  if (in_pass()) pass_floor_ = to * kTickMs;
  return in_pass();
}

void ExpireWheel::End() {
  floor_ = pass_floor_;
  for (const std::uint8_t code : due_codes()) is_due_[code] = false;
  due_count_ = 0;
}

// Codes filed while the old tick was right come up again on the way there from the new one, each no
// later than it would have. But between the clock's jump and this, deadlines that lie before the
// old tick have been filed under the next code of level 0, which may be 63 ticks from here: so all
// codes of that level are looked at once.
void ExpireWheel::Observe(UnixMs now) {
  const std::int64_t to = TickOf(now);
  if (to < tick_) tick_ = std::max<std::int64_t>(to - kUnitsSigned, 0);
}

UnixMs ExpireWheel::EarliestLook(const std::bitset<256>& codes) const {
  std::int64_t earliest = std::numeric_limits<std::int64_t>::max();
  for (std::size_t code = 1; code < kCodes; ++code) {
    if (codes[code]) earliest = std::min(earliest, NextTick(static_cast<std::uint8_t>(code)));
  }
  if (codes.none()) return kNoDeadline;
  // A code fires when its tick begins; the deadlines under it lie in the tick before or later, but
  // for those that were due already and had to wait.
  const UnixMs before = (earliest - 1) * kTickMs;
  return codes[NextCode()] ? std::min(floor_, before) : before;
}

void ExpireWheel::Reset(UnixMs now) {
  tick_ = TickOf(now);
  pass_floor_ = tick_ * kTickMs;
  End();
}

bool ExpireWheel::Behind(UnixMs now) const { return TickOf(now) > tick_; }

}  // namespace aeris::storage
