// Text of single configuration values: numbers, memory sizes, words.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aeris {

// Octal file mode, for example "777"; a minus is allowed, so that the range check names the range.
std::optional<std::int64_t> ParseConfigOctal(std::string_view text);
// Bytes: digits, then nothing, b, k, kb, m, mb, g or gb in any case; k is 1000 and kb 1024. No
// digits mean 0, as in Redis. What is beyond 2^64-1 is 2^64-1.
std::optional<std::uint64_t> ParseConfigBytes(std::string_view text);
// The largest exact unit of 1024: 104857600 -> "100mb".
std::string BytesWithUnit(std::uint64_t bytes);

// The pieces between single blanks, empty ones included; nothing for an empty text.
std::vector<std::string_view> SplitAtBlanks(std::string_view text);

// True for CR, LF and NUL, which the lines of a file cannot hold.
bool HasLineBreaker(std::string_view text);

}  // namespace aeris
