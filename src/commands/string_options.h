// The options of SET, GETEX and MSETEX: conditions and deadlines, in any order.
#pragma once

#include <cstddef>
#include <cstdint>

#include "src/command_context.h"
#include "src/commands/value_condition.h"
#include "src/deadline_argument.h"

namespace aeris {

// Whose options are read: GETEX has PERSIST and deadlines; MSETEX has NX, XX, KEEPTTL and
// deadlines; SET has these, GET and conditions on the value.
enum class StringOptionsOf : std::uint8_t { kSet, kMSetEx, kGetEx };

struct StringOptions {
  bool only_if_absent = false;
  bool only_if_present = false;
  bool get = false;
  bool keep_ttl = false;
  bool persist = false;
  std::size_t deadline_arg = 0;  // 0: none
  DeadlineUnit unit;
  ValueCondition condition;

  bool has_deadline() const { return deadline_arg != 0; }
  bool has_existence() const { return only_if_absent || only_if_present; }

  // Reads the arguments from `first` on. False when a word is unknown or two make no sense
  // together; one that is given twice counts as its last.
  bool Parse(const CommandContext& context, std::size_t first, StringOptionsOf command);
  // Into `deadline`: the one that was given, or none. False after the error reply. It is not an
  // optional, since g++ writes one in two pieces and copies it as one: 9 ns of each SET.
  bool Deadline(const CommandContext& context, UnixMs& deadline) const;

 private:
  bool ParseWord(const CommandContext& context, std::size_t index, StringOptionsOf command);
  bool ParseDeadline(const CommandContext& context, std::size_t& index);
  bool ParseCondition(const CommandContext& context, std::size_t& index);
};

}  // namespace aeris
