#include "src/base/number_text.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <system_error>

namespace aeris {
namespace {

constexpr std::array<char, 200> kTwoDigits = [] {
  std::array<char, 200> digits{};
  for (std::size_t i = 0; i < 100; ++i) {
    digits[2 * i] = static_cast<char>('0' + i / 10);
    digits[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return digits;
}();

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// strtod(3) skips white space first; Redis refuses it.
bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::size_t CountDigits(std::uint64_t value) {
  std::size_t digits = 1;
  for (;;) {
    if (value < 10) return digits;
    if (value < 100) return digits + 1;
    if (value < 1000) return digits + 2;
    if (value < 10000) return digits + 3;
    value /= 10000;
    digits += 4;
  }
}

// Plain decimal text, the usual case, needs no terminated copy. Anything that from_chars() does not
// take as a whole, or rounds to infinity or zero, is left to strtod(3), whose verdict Redis's is.
std::optional<double> ParsePlainDecimal(std::string_view text) {
  const char* end = text.data() + text.size();
  const std::size_t sign = text.front() == '-' ? 1 : 0;
  if (text.size() == sign || !IsDigit(text[sign])) return std::nullopt;
  double value = 0;
  const auto [last, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || last != end || value == 0 || std::isinf(value)) return std::nullopt;
  return value;
}

double ToFloating(const char* text, char** end, double /*kind*/) { return std::strtod(text, end); }
long double ToFloating(const char* text, char** end, long double /*kind*/) {
  return std::strtold(text, end);
}

// `text` ends with a NUL at text[size].
template <typename Number>
std::optional<Number> ParseTerminated(const char* text, std::size_t size) {
  char* end = nullptr;
  errno = 0;
  const Number value = ToFloating(text, &end, Number{});
  if (end != text + size || std::isnan(value)) return std::nullopt;
  // A subnormal result is inexact, which is no error; one that vanished is.
  if (errno == ERANGE && (std::isinf(value) || value == 0)) return std::nullopt;
  return value;
}

template <typename Number>
std::optional<Number> ParseCopy(std::string_view text) {
  if (text.empty() || IsSpace(text.front())) return std::nullopt;
  std::array<char, 128> copy;
  if (text.size() < copy.size()) {
    std::memcpy(copy.data(), text.data(), text.size());
    copy[text.size()] = '\0';
    return ParseTerminated<Number>(copy.data(), text.size());
  }
  const std::string long_copy(text);
  return ParseTerminated<Number>(long_copy.c_str(), long_copy.size());
}

}  // namespace

std::optional<std::uint64_t> ParseUint64(std::string_view text) {
  if (text.empty() || text.size() > 20 || !IsDigit(text.front())) return std::nullopt;
  if (text.front() == '0' && text.size() > 1) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (!IsDigit(c)) return std::nullopt;
    if (__builtin_mul_overflow(value, std::uint64_t{10}, &value) ||
        __builtin_add_overflow(value, static_cast<std::uint64_t>(c - '0'), &value)) {
      return std::nullopt;
    }
  }
  return value;
}

std::optional<std::int64_t> ParseInt64(std::string_view text) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
  const bool negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);
  const std::optional<std::uint64_t> magnitude = ParseUint64(text);
  if (!magnitude || *magnitude > kMax + (negative ? 1 : 0)) return std::nullopt;
  if (!negative) return static_cast<std::int64_t>(*magnitude);
  if (*magnitude == 0) return std::nullopt;
  return static_cast<std::int64_t>(0 - *magnitude);
}

std::optional<double> ParseDouble(std::string_view text) {
  if (text.empty()) return std::nullopt;
  if (const std::optional<double> value = ParsePlainDecimal(text)) return value;
  return ParseCopy<double>(text);
}

std::optional<long double> ParseLongDouble(std::string_view text) {
  if (text.size() >= kLongDoubleTextMax) return std::nullopt;
  return ParseCopy<long double>(text);
}

std::size_t FormatUint64(char* out, std::uint64_t value) {
  const std::size_t size = CountDigits(value);
  char* end = out + size;
  while (value >= 100) {
    end -= 2;
    std::memcpy(end, kTwoDigits.data() + 2 * (value % 100), 2);
    value /= 100;
  }
  if (value >= 10) {
    std::memcpy(end - 2, kTwoDigits.data() + 2 * value, 2);
  } else {
    end[-1] = static_cast<char>('0' + value);
  }
  return size;
}

std::size_t FormatInt64(char* out, std::int64_t value) {
  if (value >= 0) return FormatUint64(out, static_cast<std::uint64_t>(value));
  *out = '-';
  return 1 + FormatUint64(out + 1, 0 - static_cast<std::uint64_t>(value));
}

std::size_t FormatDouble(char* out, double value) {
  if (std::isnan(value)) {
    std::memcpy(out, "nan", 3);
    return 3;
  }
  const auto [end, error] =
      std::to_chars(out, out + kDoubleTextMax, value, std::chars_format::general, 17);
  return static_cast<std::size_t>(end - out);
}

std::size_t FormatLongDoubleHuman(char* out, long double value) {
  const int printed = std::snprintf(out, kLongDoubleTextMax, "%.17Lf", value);
  auto size = static_cast<std::size_t>(printed);
  if (std::memchr(out, '.', size) != nullptr) {
    while (out[size - 1] == '0') --size;
    if (out[size - 1] == '.') --size;
  }
  if (size == 2 && out[0] == '-' && out[1] == '0') {
    out[0] = '0';
    size = 1;
  }
  return size;
}

std::string LongDoubleText(long double value) {
  char text[kLongDoubleTextMax];
  return {text, FormatLongDoubleHuman(text, value)};
}

}  // namespace aeris
