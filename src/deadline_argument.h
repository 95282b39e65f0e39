// A deadline as commands take it: seconds or milliseconds, from now or since 1970.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "src/base/clock.h"
#include "src/command_context.h"

namespace aeris {

struct DeadlineUnit {
  bool seconds = false;   // else milliseconds
  bool absolute = false;  // since 1970, else from now
  bool operator==(const DeadlineUnit&) const = default;
};

// `value` in `unit` as a time since 1970. nullopt when it does not fit 64 bits.
std::optional<UnixMs> DeadlineFrom(std::int64_t value, DeadlineUnit unit, UnixMs now);

// EX, PX, EXAT or PXAT as argument `index`; nullopt for any other word.
std::optional<DeadlineUnit> DeadlineUnitArg(const CommandContext& context, std::size_t index);

// Argument `index` as the deadline of SET, GETEX, MSETEX, SETEX, PSETEX: more than zero. nullopt
// after the error reply ("invalid expire time in 'set' command").
std::optional<UnixMs> PositiveDeadlineArg(const CommandContext& context, std::size_t index,
                                          DeadlineUnit unit);

// "ERR invalid expire time in 'x' command".
void ReplyInvalidExpire(const CommandContext& context);

}  // namespace aeris
