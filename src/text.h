// Case-insensitive comparison of ASCII text, as command and option names are compared.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace aeris {

constexpr char LowerCase(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
constexpr char UpperCase(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

constexpr bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (LowerCase(a[i]) != LowerCase(b[i])) return false;
  }
  return true;
}

inline std::string ToLower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = LowerCase(c);
  return lower;
}

inline std::string ToUpper(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) c = UpperCase(c);
  return upper;
}

// Bytes of a client's text that an error repeats.
inline constexpr std::size_t kEchoedBytesMax = 128;

// The same where Redis repeats it whole; what nobody would write by hand is cut.
inline constexpr std::size_t kEchoedWholeBytesMax = std::size_t{64} << 10;

// What an error repeats of a client's text: at most `bytes_max` bytes, and up to a NUL, as Redis.
constexpr std::string_view EchoedText(std::string_view text,
                                      std::size_t bytes_max = kEchoedBytesMax) {
  return text.substr(0, std::min(bytes_max, text.find('\0')));
}

}  // namespace aeris
