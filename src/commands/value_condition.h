// Conditions on the value of a string: IFEQ and IFNE of SET and DELEX compare the value itself,
// IFDEQ and IFDNE its digest, which DIGEST replies.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "src/command_context.h"

namespace aeris {

// A value's 64-bit XXH3 hash as lower-case hexadecimal digits. Clients compute it too, so it is
// keyed by nothing: no table of ours may use it.
using DigestText = std::array<char, 16>;

// Of a string. O(bytes).
DigestText DigestOf(storage::EntryView entry);

struct ValueCondition {
  enum class Test : std::uint8_t { kNone, kEqual, kNotEqual, kDigestEqual, kDigestNotEqual };

  Test test = Test::kNone;
  std::string_view operand;  // lives as long as the arguments

  bool is_set() const { return test != Test::kNone; }
  // What an absent key means for SET, which creates it or not.
  bool HoldsWhenAbsent() const { return test == Test::kNotEqual || test == Test::kDigestNotEqual; }
  // Of a string; nullopt after the error reply, which a digest of another length gets.
  std::optional<bool> Holds(const CommandContext& context, storage::EntryView entry) const;
};

// The test that argument `index` names; kNone for any other word.
ValueCondition::Test ValueTestArg(const CommandContext& context, std::size_t index);

}  // namespace aeris
