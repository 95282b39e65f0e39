// What SCAN, HSCAN, SSCAN and ZSCAN have in common: cursor, options and the frame of the reply.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "src/command_context.h"

namespace aeris {

// A cursor as strtoul(3) reads it, since clients send back what some other server gave them: a
// sign, leading zeros and an empty text (0) are taken, blanks and overflow are not. Replies the
// error when there is none.
std::optional<std::uint64_t> CursorArg(const CommandContext& context, std::size_t index);

struct ScanOptions {
  std::size_t count = 10;
  std::string_view pattern = "*";
  std::string_view type{};  // SCAN; empty: all
  bool no_values = false;   // HSCAN

  // Whether a key, field or member is to be shown.
  bool Matches(std::string_view name) const;
};

// Options from argument `first` on; those of one command only where it says so. False after an
// error reply.
struct ScanForm {
  std::size_t first = 3;
  bool type = false;
  bool no_values = false;
};
bool ParseScanOptions(const CommandContext& context, const ScanForm& form, ScanOptions& options);

// The head of the reply: an array of the next cursor and what follows, an array of `count`.
void ReplyScanHead(const CommandContext& context, std::uint64_t cursor, std::size_t count);

}  // namespace aeris
