#include "src/commands/string_options.h"

#include <optional>

namespace aeris {

bool StringOptions::Parse(const CommandContext& context, std::size_t first,
                          StringOptionsOf command) {
  for (std::size_t i = first; i < context.argc(); ++i) {
    if (ParseWord(context, i, command) || ParseDeadline(context, i)) continue;
    if (command != StringOptionsOf::kSet || !ParseCondition(context, i)) return false;
  }
  return true;
}

bool StringOptions::Deadline(const CommandContext& context, UnixMs& deadline) const {
  deadline = kNoDeadline;
  if (!has_deadline()) return true;
  const std::optional<UnixMs> given = PositiveDeadlineArg(context, deadline_arg, unit);
  if (given) deadline = *given;
  return given.has_value();
}

// A word without an argument.
bool StringOptions::ParseWord(const CommandContext& context, std::size_t index,
                              StringOptionsOf command) {
  if (command == StringOptionsOf::kGetEx) {
    if (!context.ArgIs(index, "persist") || has_deadline()) return false;
    return persist = true;
  }
  if (context.ArgIs(index, "nx") && !only_if_present && !condition.is_set()) {
    return only_if_absent = true;
  }
  if (context.ArgIs(index, "xx") && !only_if_absent && !condition.is_set()) {
    return only_if_present = true;
  }
  if (context.ArgIs(index, "keepttl") && !has_deadline()) return keep_ttl = true;
  if (command == StringOptionsOf::kSet && context.ArgIs(index, "get")) return get = true;
  return false;
}

// EX, PX, EXAT or PXAT with its value behind it, which `index` then names. A unit may be given
// again, and two units may not.
bool StringOptions::ParseDeadline(const CommandContext& context, std::size_t& index) {
  const std::optional<DeadlineUnit> given = DeadlineUnitArg(context, index);
  if (!given || keep_ttl || persist || index + 1 == context.argc()) return false;
  if (has_deadline() && unit != *given) return false;
  unit = *given;
  deadline_arg = ++index;
  return true;
}

// IFEQ, IFNE, IFDEQ or IFDNE with its operand behind it, which `index` then names.
bool StringOptions::ParseCondition(const CommandContext& context, std::size_t& index) {
  const ValueCondition::Test test = ValueTestArg(context, index);
  if (test == ValueCondition::Test::kNone || has_existence() || index + 1 == context.argc()) {
    return false;
  }
  if (condition.is_set() && condition.test != test) return false;
  condition = {test, context.arg(++index)};
  return true;
}

}  // namespace aeris
