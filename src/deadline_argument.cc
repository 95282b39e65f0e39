#include "src/deadline_argument.h"

#include <fmt/format.h>

#include "src/command_table.h"

namespace aeris {

std::optional<UnixMs> DeadlineFrom(std::int64_t value, DeadlineUnit unit, UnixMs now) {
  std::int64_t milliseconds = value;
  if (unit.seconds && __builtin_mul_overflow(value, std::int64_t{1000}, &milliseconds)) {
    return std::nullopt;
  }
  if (!unit.absolute && __builtin_add_overflow(milliseconds, now, &milliseconds)) {
    return std::nullopt;
  }
  return milliseconds;
}

std::optional<DeadlineUnit> DeadlineUnitArg(const CommandContext& context, std::size_t index) {
  if (context.ArgIs(index, "ex")) return DeadlineUnit{.seconds = true, .absolute = false};
  if (context.ArgIs(index, "px")) return DeadlineUnit{.seconds = false, .absolute = false};
  if (context.ArgIs(index, "exat")) return DeadlineUnit{.seconds = true, .absolute = true};
  if (context.ArgIs(index, "pxat")) return DeadlineUnit{.seconds = false, .absolute = true};
  return std::nullopt;
}

std::optional<UnixMs> PositiveDeadlineArg(const CommandContext& context, std::size_t index,
                                          DeadlineUnit unit) {
  const std::optional<std::int64_t> value = context.IntegerArg(index);
  if (!value) return std::nullopt;
  const std::optional<UnixMs> deadline =
      *value > 0 ? DeadlineFrom(*value, unit, context.now()) : std::nullopt;
  if (!deadline) ReplyInvalidExpire(context);
  return deadline;
}

void ReplyInvalidExpire(const CommandContext& context) {
  context.reply().Error(
      fmt::format("ERR invalid expire time in '{}' command", context.command().full_name()));
}

}  // namespace aeris
