// Glob patterns as KEYS, SCAN MATCH, CONFIG GET and PSUBSCRIBE know them.
#pragma once

#include <cstdint>
#include <string_view>

namespace aeris {

enum class GlobCase : std::uint8_t { kSensitive, kIgnore };

// True when `pattern` matches the whole of `text`: `*` any bytes, `?` one byte, `[a-z]` one of a
// class, `[^...]` one not of it, `\x` the byte x itself. Bytes, not characters; any byte may occur,
// NUL included. The odd cases are Redis 7.0's: see glob.cc.
//
// An empty text is matched by the empty pattern alone: commands that take "*" for everything (KEYS,
// SCAN) ask for that text themselves, as Redis does.
//
// Cost: O(pattern * text) at worst and linear in the number of stars, without recursion, since only
// the last star is ever tried again: what an earlier one could match, the later one can too.
[[nodiscard]] bool GlobMatch(std::string_view pattern, std::string_view text,
                             GlobCase letters = GlobCase::kSensitive);

}  // namespace aeris
