#include "src/command_keys.h"

#include <algorithm>
#include <optional>

#include "src/base/number_text.h"
#include "src/text.h"

namespace aeris {
namespace {

using Arguments = std::span<const std::string_view>;

// Keys at first, first + step, ... up to and including last.
struct Range {
  std::int64_t first;
  std::int64_t last;
  std::int64_t step;
};

enum class Search : std::uint8_t { kFound, kAbsent, kInvalid };

std::int64_t CountOf(Arguments arguments) { return static_cast<std::int64_t>(arguments.size()); }

// The argument behind the keyword. A negative start counts from the end and searches backwards.
// The last argument is no candidate, since nothing could follow it.
Search FindKeyword(const KeySpec& spec, Arguments arguments, std::int64_t& first) {
  const std::int64_t count = CountOf(arguments);
  const std::int64_t step = spec.index > 0 ? 1 : -1;
  for (std::int64_t i = spec.index > 0 ? spec.index : count + spec.index; i > 0 && i < count - 1;
       i += step) {
    if (EqualsIgnoringCase(arguments[static_cast<std::size_t>(i)], spec.keyword)) {
      first = i + 1;
      return Search::kFound;
    }
  }
  return Search::kAbsent;
}

Search FindBegin(const KeySpec& spec, Arguments arguments, std::int64_t& first) {
  switch (spec.begin) {
    case KeySpec::Begin::kIndex:
      first = spec.index;
      return Search::kFound;
    case KeySpec::Begin::kKeyword:
      return FindKeyword(spec, arguments, first);
    case KeySpec::Begin::kUnknown:
      break;
  }
  return Search::kInvalid;
}

std::optional<Range> FixedRange(const KeySpec& spec, Arguments arguments, std::int64_t first) {
  const std::int64_t count = CountOf(arguments);
  std::int64_t last = first + spec.last;
  if (spec.last < 0) {
    last = spec.limit == 0 ? count + spec.last : first + (count - first) / spec.limit + spec.last;
  }
  return Range{first, last, spec.step};
}

std::optional<Range> CountedRange(const KeySpec& spec, Arguments arguments, std::int64_t begin) {
  const std::int64_t count = CountOf(arguments);
  const std::int64_t count_at = begin + spec.keynum_index;
  const std::int64_t first = begin + spec.first_key;
  if (count_at >= count || first >= count) return std::nullopt;
  const std::optional<std::int64_t> keys =
      ParseInt64(arguments[static_cast<std::size_t>(count_at)]);
  const std::int64_t keys_max = (count - 1 - first) / spec.step + 1;
  if (!keys || *keys < 1 || *keys > keys_max) return std::nullopt;
  return Range{first, first + (*keys - 1) * spec.step, spec.step};
}

std::optional<Range> FindRange(const KeySpec& spec, Arguments arguments, std::int64_t first) {
  switch (spec.find) {
    case KeySpec::Find::kRange:
      return FixedRange(spec, arguments, first);
    case KeySpec::Find::kKeynum:
      return CountedRange(spec, arguments, first);
    case KeySpec::Find::kUnknown:
      break;
  }
  return std::nullopt;
}

// Adds the keys of one key spec. An incomplete one gives some keys only, which is not an answer.
bool AddKeys(const KeySpec& spec, Arguments arguments, KeyPositions& positions) {
  std::int64_t first = 0;
  const Search search = FindBegin(spec, arguments, first);
  if (search == Search::kInvalid || spec.flags.has(KeyFlag::kIncomplete)) return false;
  if (search == Search::kAbsent) return true;
  const std::optional<Range> range = FindRange(spec, arguments, first);
  const std::int64_t count = CountOf(arguments);
  if (!range || range->first < 1 || range->last < range->first || range->last >= count) {
    return false;
  }
  for (std::int64_t i = range->first; i <= range->last; i += range->step) {
    positions.Add(static_cast<std::size_t>(i), spec.flags);
  }
  return true;
}

bool IsKey(const KeySpec& spec) { return !spec.flags.has(KeyFlag::kNotKey); }

bool HasVariableFlags(const KeySpec& spec) { return spec.flags.has(KeyFlag::kVariableFlags); }

bool FindBySpecs(std::span<const KeySpec> specs, Arguments arguments, KeyPositions& positions) {
  for (const KeySpec& spec : specs) {
    if (IsKey(spec) && !AddKeys(spec, arguments, positions)) {
      positions.Clear();
      return false;
    }
  }
  return true;
}

bool HasFixedRange(const KeySpec& spec) {
  return spec.begin == KeySpec::Begin::kIndex && spec.find == KeySpec::Find::kRange;
}

}  // namespace

void KeyPositions::Add(std::size_t index, KeyFlags flags) {
  const KeyPosition position{static_cast<std::uint32_t>(index), flags};
  if (size_ < kInlineMax) {
    inline_[size_] = position;
  } else {
    if (overflow_.empty()) overflow_.assign(inline_.begin(), inline_.end());
    overflow_.push_back(position);
  }
  ++size_;
}

void KeyPositions::Clear() {
  overflow_.clear();
  size_ = 0;
}

bool HasKeys(const CommandSpec& spec) {
  return spec.find_keys != nullptr || std::ranges::any_of(spec.keys, IsKey);
}

bool FindKeys(const CommandSpec& spec, Arguments arguments, KeyPositions& positions) {
  if (!spec.keys.empty() && std::ranges::none_of(spec.keys, HasVariableFlags) &&
      FindBySpecs(spec.keys, arguments, positions)) {
    return true;
  }
  if (spec.find_keys == nullptr) return false;
  if (spec.find_keys(arguments, positions)) return true;
  positions.Clear();
  return false;
}

// SET only writes its key, unless it returns the old value or compares it.
bool FindSetKeys(Arguments arguments, KeyPositions& positions) {
  if (arguments.size() < 3) return false;
  constexpr std::string_view kReading[] = {"get", "ifeq", "ifne", "ifdeq", "ifdne"};
  const bool reads = std::ranges::any_of(arguments.subspan(3), [&](std::string_view argument) {
    return std::ranges::any_of(
        kReading, [&](std::string_view word) { return EqualsIgnoringCase(argument, word); });
  });
  positions.Add(1, reads ? KeyFlag::kReadWrite | KeyFlag::kAccess | KeyFlag::kUpdate
                         : KeyFlag::kOverwrite | KeyFlag::kUpdate);
  return true;
}

// DELEX only removes its key, unless it compares the value.
bool FindDelExKeys(Arguments arguments, KeyPositions& positions) {
  if (arguments.size() < 2) return false;
  positions.Add(1, arguments.size() > 2 ? KeyFlag::kReadWrite | KeyFlag::kAccess | KeyFlag::kDelete
                                        : KeyFlag::kRemove | KeyFlag::kDelete);
  return true;
}

// BITFIELD only reads its key when all it does is GET. An operation that is cut short counts as a
// write, which is the safe side.
bool FindBitFieldKeys(Arguments arguments, KeyPositions& positions) {
  if (arguments.size() < 2) return false;
  bool reads_only = true;
  for (std::size_t i = 2; i < arguments.size() && reads_only; ++i) {
    const std::size_t left = arguments.size() - 1 - i;
    if (EqualsIgnoringCase(arguments[i], "get") && left >= 2) {
      i += 2;
    } else if (EqualsIgnoringCase(arguments[i], "overflow") && left >= 1) {
      i += 1;
    } else {
      reads_only = false;
    }
  }
  positions.Add(1, reads_only ? KeyFlag::kReadOnly | KeyFlag::kAccess
                              : KeyFlag::kReadWrite | KeyFlag::kAccess | KeyFlag::kUpdate);
  return true;
}

// One key spec with a range is said as it is. Several count as one range when they adjoin with
// step 1; specs that search are left out, which Flag::kMovableKeys tells.
LegacyKeyRange LegacyRange(std::span<const KeySpec> specs) {
  const auto absolute_last = [](const KeySpec& spec) {
    return spec.last >= 0 ? spec.index + spec.last : spec.last;
  };
  if (specs.size() == 1 && HasFixedRange(specs[0])) {
    return {specs[0].index, absolute_last(specs[0]), specs[0].step};
  }
  LegacyKeyRange range;
  for (const KeySpec& spec : specs) {
    if (!HasFixedRange(spec)) continue;
    if (spec.step != 1 || (range.step != 0 && range.last != spec.index - 1)) return {};
    // A last key counted from the end is behind every other.
    const int last = absolute_last(spec);
    range = {range.step == 0 ? spec.index : std::min(range.first, spec.index),
             range.last < 0 || last < 0 ? std::min(range.last, last) : std::max(range.last, last),
             1};
  }
  return range;
}

bool KeysMove(std::span<const KeySpec> specs) { return !std::ranges::all_of(specs, HasFixedRange); }

}  // namespace aeris
