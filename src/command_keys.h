// Which arguments of a command are keys, found from its key specs. For COMMAND GETKEYS, and for
// everything that must know keys before a handler runs.
//
// The arguments are a client's: a count among them is compared with the arguments that are there
// before anything is computed from it, so no sum can overflow and no index leaves the request.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "src/command.h"

namespace aeris {

struct KeyPosition {
  std::uint32_t index;  // among the arguments; the command's name is 0
  KeyFlags flags;
};

// The keys of one command, in the order of its key specs. Up to kInlineMax need no allocation.
class KeyPositions {
 public:
  static constexpr std::size_t kInlineMax = 16;

  void Add(std::size_t index, KeyFlags flags);
  void Clear();
  std::span<const KeyPosition> keys() const {
    return overflow_.empty() ? std::span(inline_).first(size_) : std::span(overflow_);
  }
  bool empty() const { return size_ == 0; }

 private:
  std::array<KeyPosition, kInlineMax> inline_;
  std::vector<KeyPosition> overflow_;  // all of them, once they are more than fit inline
  std::size_t size_ = 0;
};

// True for a command that can have keys at all, as COMMAND GETKEYS asks. Channels are not keys.
bool HasKeys(const CommandSpec& spec);

// Adds the keys of one request; its arity has been checked. False when the arguments make no sense
// for the command or when the key specs do not suffice, and then no key is added. O(arguments).
[[nodiscard]] bool FindKeys(const CommandSpec& spec, std::span<const std::string_view> arguments,
                            KeyPositions& positions);

// For the rows of commands whose key flags depend on their options.
bool FindSetKeys(std::span<const std::string_view> arguments, KeyPositions& positions);
bool FindDelExKeys(std::span<const std::string_view> arguments, KeyPositions& positions);
bool FindBitFieldKeys(std::span<const std::string_view> arguments, KeyPositions& positions);

// What COMMAND said about keys before there were key specs: all zero when one range cannot say it.
struct LegacyKeyRange {
  int first = 0;
  int last = 0;  // negative: from the end of the arguments
  int step = 0;

  friend bool operator==(const LegacyKeyRange&, const LegacyKeyRange&) = default;
};
LegacyKeyRange LegacyRange(std::span<const KeySpec> specs);

// True when some key has no fixed position, so that the row must have Flag::kMovableKeys.
bool KeysMove(std::span<const KeySpec> specs);

}  // namespace aeris
