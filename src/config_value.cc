#include "src/config_value.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace aeris {
namespace {

char Lower(char byte) { return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + 32) : byte; }

template <typename Integer>
std::optional<Integer> FromChars(std::string_view text, int base) {
  Integer value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, fault] = std::from_chars(text.data(), end, value, base);
  if (fault != std::errc{} || rest != end) return std::nullopt;
  return value;
}

}  // namespace

std::optional<std::int64_t> ParseConfigInteger(std::string_view text) {
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  if (digits.starts_with('0') && text != "0") return std::nullopt;
  return FromChars<std::int64_t>(text, 10);
}

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
    return EqualIgnoringCase(candidate.first, suffix);
  });
  if (unit == kUnits.end()) return std::nullopt;
  if (digits == 0) return 0;
  const auto count = FromChars<std::uint64_t>(text.substr(0, digits), 10);
  if (!count || *count > std::numeric_limits<std::uint64_t>::max() / unit->second) {
    return std::nullopt;
  }
  return *count * unit->second;
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

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), Lower);
  return lower;
}

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return Lower(x) == Lower(y); });
}

}  // namespace aeris
