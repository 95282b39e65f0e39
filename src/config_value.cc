#include "src/config_value.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

#include "src/text.h"

namespace aeris {
namespace {

template <typename Integer>
std::optional<Integer> FromChars(std::string_view text, int base) {
  Integer value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, fault] = std::from_chars(text.data(), end, value, base);
  if (fault != std::errc{} || rest != end) return std::nullopt;
  return value;
}

}  // namespace

std::optional<std::int64_t> ParseConfigOctal(std::string_view text) {
  return FromChars<std::int64_t>(text, 8);
}

std::optional<std::uint64_t> ParseConfigBytes(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, std::uint64_t>, 8> kUnits = {{
      {"", 1},
      {"b", 1},
      {"k", 1000},
      {"kb", 1024},
      {"m", 1000 * 1000},
      {"mb", 1024 * 1024},
      {"g", 1000ULL * 1000 * 1000},
      {"gb", 1024ULL * 1024 * 1024},
  }};
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::string_view suffix = text.substr(digits);
  const auto* const unit = std::find_if(kUnits.begin(), kUnits.end(), [&](const auto& candidate) {
    return EqualsIgnoringCase(candidate.first, suffix);
  });
  if (unit == kUnits.end()) return std::nullopt;
  if (digits == 0) return 0;
  // What does not fit is the largest value, as strtoull(3) has it: the range of the option decides.
  const auto count = FromChars<std::uint64_t>(text.substr(0, digits), 10);
  std::uint64_t bytes = 0;
  if (!count || __builtin_mul_overflow(*count, unit->second, &bytes)) {
    return std::numeric_limits<std::uint64_t>::max();
  }
  return bytes;
}

std::string BytesWithUnit(std::uint64_t bytes) {
  constexpr std::array<std::pair<std::string_view, std::uint64_t>, 3> kUnits = {{
      {"gb", 1ULL << 30},
      {"mb", 1ULL << 20},
      {"kb", 1ULL << 10},
  }};
  for (const auto& [name, size] : kUnits) {
    if (bytes != 0 && bytes % size == 0) return std::to_string(bytes / size) + std::string(name);
  }
  return std::to_string(bytes);
}

std::vector<std::string_view> SplitAtBlanks(std::string_view text) {
  std::vector<std::string_view> pieces;
  if (text.empty()) return pieces;
  std::size_t begin = 0;
  for (std::size_t end = text.find(' '); end != text.npos; end = text.find(' ', begin)) {
    pieces.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  pieces.push_back(text.substr(begin));
  return pieces;
}

bool HasLineBreaker(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != text.npos;
}

}  // namespace aeris
