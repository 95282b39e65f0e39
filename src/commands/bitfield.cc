#include "src/commands/bitfield.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "src/base/number_text.h"
#include "src/commands/bit_arguments.h"
#include "src/error_replies.h"
#include "storage/bit_field.h"

namespace aeris {
namespace {

using storage::BitFieldOverflow;
using storage::BitFieldType;
using storage::BitFieldValue;

enum class Operation : std::uint8_t { kGet, kSet, kIncrBy };

struct Step {
  Operation operation;
  BitFieldType type;
  BitFieldOverflow overflow;
  std::uint64_t offset;
  std::int64_t operand = 0;  // of SET and INCRBY
};

struct Program {
  std::vector<Step> steps;
  bool writes = false;
  std::uint64_t last_bit_written = 0;
};

// "i1" to "i64", "u1" to "u63".
std::optional<BitFieldType> TypeArg(const CommandContext& context, std::size_t index) {
  const std::string_view text = context.arg(index);
  if (text.starts_with('i') || text.starts_with('u')) {
    const bool is_signed = text[0] == 'i';
    const std::optional<std::int64_t> bits = ParseInt64(text.substr(1));
    if (bits && *bits >= 1 && *bits <= (is_signed ? 64 : 63)) {
      return BitFieldType{.is_signed = is_signed, .bits = static_cast<int>(*bits)};
    }
  }
  context.reply().Error(
      "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but "
      "i64 is.");
  return std::nullopt;
}

std::optional<BitFieldOverflow> OverflowArg(const CommandContext& context, std::size_t index) {
  if (context.ArgIs(index, "wrap")) return BitFieldOverflow::kWrap;
  if (context.ArgIs(index, "sat")) return BitFieldOverflow::kSaturate;
  if (context.ArgIs(index, "fail")) return BitFieldOverflow::kFail;
  context.reply().Error("ERR Invalid OVERFLOW type specified");
  return std::nullopt;
}

// Which operation stands at `index`, with all of its arguments behind it.
std::optional<Operation> OperationArg(const CommandContext& context, std::size_t index) {
  const std::size_t left = context.argc() - 1 - index;
  if (left >= 2 && context.ArgIs(index, "get")) return Operation::kGet;
  if (left >= 3 && context.ArgIs(index, "set")) return Operation::kSet;
  if (left >= 3 && context.ArgIs(index, "incrby")) return Operation::kIncrBy;
  context.reply().Error(err::kSyntax);
  return std::nullopt;
}

// Reads one operation at `index`, which moves to its last argument. False after an error reply.
bool ParseStep(const CommandContext& context, std::size_t& index, BitFieldOverflow overflow,
               Program& program) {
  const auto operation = OperationArg(context, index);
  if (!operation) return false;
  const auto type = TypeArg(context, index + 1);
  if (!type) return false;
  const auto offset = BitOffsetArg(context, index + 2, type->bits);
  if (!offset) return false;
  Step step{*operation, *type, overflow, *offset};
  index += 2;
  if (*operation != Operation::kGet) {
    const auto operand = context.IntegerArg(++index);
    if (!operand) return false;
    step.operand = *operand;
    program.writes = true;
    const std::uint64_t last = *offset + static_cast<std::uint64_t>(type->bits) - 1;
    program.last_bit_written = std::max(program.last_bit_written, last);
  }
  program.steps.push_back(step);
  return true;
}

bool ParseProgram(const CommandContext& context, Program& program) {
  BitFieldOverflow overflow = BitFieldOverflow::kWrap;
  for (std::size_t i = 2; i < context.argc(); ++i) {
    if (context.ArgIs(i, "overflow") && i + 1 < context.argc()) {
      const auto given = OverflowArg(context, ++i);
      if (!given) return false;
      overflow = *given;
    } else if (!ParseStep(context, i, overflow, program)) {
      return false;
    }
  }
  return true;
}

// What SET or INCRBY did.
enum class Written : std::uint8_t { kRefused, kSame, kOther };

// Runs SET or INCRBY and replies.
Written RunWrite(const CommandContext& context, const Step& step, std::span<char> text) {
  const std::int64_t old = storage::ReadField({text.data(), text.size()}, step.offset, step.type);
  const bool set = step.operation == Operation::kSet;
  const BitFieldValue result =
      set ? storage::FitField(step.operand, step.type, step.overflow)
          : storage::AddToField(old, step.operand, step.type, step.overflow);
  if (result.overflowed && step.overflow == BitFieldOverflow::kFail) {
    context.reply().Null();
    return Written::kRefused;
  }
  storage::WriteField(text, step.offset, step.type, result.value);
  context.reply().Integer(set ? old : result.value);
  return old != result.value ? Written::kOther : Written::kSame;
}

void ReadAll(const CommandContext& context, const Program& program) {
  storage::EntryView entry;
  if (!context.FindStringForRead(1, entry)) return;
  storage::IntegerText scratch;
  const std::string_view text = entry ? entry.Text(scratch) : std::string_view{};
  context.reply().Array(program.steps.size());
  for (const Step& step : program.steps) {
    context.reply().Integer(storage::ReadField(text, step.offset, step.type));
  }
}

void RunAll(const CommandContext& context, const Program& program) {
  storage::EntryView entry;
  if (!context.FindStringForWrite(1, entry)) return;
  const bool made = !entry;
  const std::size_t old_size = entry ? entry.text_size() : 0;
  const auto bits = BitsForWrite(context, entry, program.last_bit_written);
  if (!bits) return;
  const std::span<char> text = *bits;
  // The key is there even if every step is refused, which is no change to Redis.
  if (made) context.Notify(KeyEvent::kNew, "new", 1);
  const bool grown = text.size() != old_size;
  bool changed = false;
  context.reply().Array(program.steps.size());
  for (const Step& step : program.steps) {
    if (step.operation == Operation::kGet) {
      context.reply().Integer(
          storage::ReadField({text.data(), text.size()}, step.offset, step.type));
      continue;
    }
    const Written written = RunWrite(context, step, text);
    changed |= written == Written::kOther || (grown && written == Written::kSame);
  }
  if (!changed) return;
  context.Changed();
  context.Notify(KeyEvent::kString, "setbit", 1);
}

}  // namespace

void BitField(CommandContext& context) {
  Program program;
  if (!ParseProgram(context, program)) return;
  if (program.writes) {
    RunAll(context, program);
  } else {
    ReadAll(context, program);
  }
}

void BitFieldRo(CommandContext& context) {
  Program program;
  if (!ParseProgram(context, program)) return;
  if (program.writes) {
    return context.reply().Error("ERR BITFIELD_RO only supports the GET subcommand");
  }
  ReadAll(context, program);
}

}  // namespace aeris
