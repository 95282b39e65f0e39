#include "src/commands/value_condition.h"

#include <xxhash.h>

#include "src/text.h"

namespace aeris {

DigestText DigestOf(storage::EntryView entry) {
  storage::IntegerText scratch;
  const std::string_view text = entry.Text(scratch);
  std::uint64_t hash = XXH3_64bits(text.data(), text.size());
  DigestText digits;
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit) {
    *digit = "0123456789abcdef"[hash % 16];
    hash /= 16;
  }
  return digits;
}

std::optional<bool> ValueCondition::Holds(const CommandContext& context,
                                          storage::EntryView entry) const {
  if (test == Test::kEqual || test == Test::kNotEqual) {
    storage::IntegerText scratch;
    return (entry.Text(scratch) == operand) == (test == Test::kEqual);
  }
  // As in Redis, nothing but the length is looked at: other characters equal no digest.
  DigestText digest;
  if (operand.size() != digest.size()) {
    context.reply().Error("ERR must be exactly 16 hexadecimal characters");
    return std::nullopt;
  }
  digest = DigestOf(entry);
  return EqualsIgnoringCase(operand, {digest.data(), digest.size()}) ==
         (test == Test::kDigestEqual);
}

ValueCondition::Test ValueTestArg(const CommandContext& context, std::size_t index) {
  if (context.ArgIs(index, "ifeq")) return ValueCondition::Test::kEqual;
  if (context.ArgIs(index, "ifne")) return ValueCondition::Test::kNotEqual;
  if (context.ArgIs(index, "ifdeq")) return ValueCondition::Test::kDigestEqual;
  if (context.ArgIs(index, "ifdne")) return ValueCondition::Test::kDigestNotEqual;
  return ValueCondition::Test::kNone;
}

}  // namespace aeris
