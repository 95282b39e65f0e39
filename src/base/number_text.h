// Numbers to text and back, exactly as Redis reads and prints them. Parsing is strict: the whole
// text must be used up, nothing is skipped, and a number has one spelling where Redis gives it one.
// Formatting writes into the caller's buffer, adds no terminator and returns the bytes written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace aeris {

inline constexpr std::size_t kInt64TextMax = 20;   // "-9223372036854775808"
inline constexpr std::size_t kDoubleTextMax = 32;  // 17 digits, sign, dot, "e-308"
// "%.17Lf" of the largest long double has 4,933 digits before the dot; Redis uses this bound for
// the text it reads as well.
inline constexpr std::size_t kLongDoubleTextMax = 5 * 1024;

// Decimal over the whole range. Refuses '+', spaces, leading zeros and "-0", as Redis does for
// every integer argument and every length on the wire.
[[nodiscard]] std::optional<std::int64_t> ParseInt64(std::string_view text);
[[nodiscard]] std::optional<std::uint64_t> ParseUint64(std::string_view text);

// What strtod(3) takes ("1e3", ".5", "+inf", "infinity", "0x1p3"), used up to the last byte,
// without space before it; refuses nan, overflow and what underflows to zero.
[[nodiscard]] std::optional<double> ParseDouble(std::string_view text);
// Likewise with the precision of INCRBYFLOAT; refuses kLongDoubleTextMax bytes or more.
[[nodiscard]] std::optional<long double> ParseLongDouble(std::string_view text);

// `out` has room for kInt64TextMax bytes.
std::size_t FormatInt64(char* out, std::int64_t value);
std::size_t FormatUint64(char* out, std::uint64_t value);
// "%.17g", or inf, -inf, nan. `out` has room for kDoubleTextMax bytes.
std::size_t FormatDouble(char* out, double value);
// Fixed notation with 17 decimals, trailing zeros and dot removed, "-0" as "0": the text that
// INCRBYFLOAT stores. `out` has room for kLongDoubleTextMax bytes.
std::size_t FormatLongDoubleHuman(char* out, long double value);
std::string LongDoubleText(long double value);  // the same

}  // namespace aeris
