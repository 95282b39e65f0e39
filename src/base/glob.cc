// The odd cases, each as Redis 7.0 answers it:
//   - an empty text is matched by the empty pattern only, not by "*";
//   - a class that is not closed ends with the pattern: "[ab" is "[ab]", "[^" any byte;
//   - "]" closes a class at once: "[]" matches nothing, "[^]" any byte;
//   - a range takes whatever stands behind the "-", a "]" too, and may be given backwards; its ends
//     are signed bytes;
//   - an escaped byte inside a class is compared with its case even when case is ignored;
//   - a backslash that ends the pattern is a backslash;
//   - the 1,001st star matches nothing, unless it ends the pattern (adjacent stars are one).
#include "src/base/glob.h"

#include <algorithm>
#include <cstddef>

namespace aeris {
namespace {

constexpr std::size_t kStarsMax = 1000;

// ASCII only: the answer must not depend on the locale. Signed, for the ranges.
int Folded(char byte, GlobCase letters) {
  if (letters == GlobCase::kIgnore && byte >= 'A' && byte <= 'Z') return byte - 'A' + 'a';
  return static_cast<signed char>(byte);
}

// `at` is the byte behind "["; moves it behind the class.
bool MatchClass(std::string_view pattern, std::size_t& at, char byte, GlobCase letters) {
  const bool negated = at < pattern.size() && pattern[at] == '^';
  if (negated) ++at;
  const int wanted = Folded(byte, letters);
  bool found = false;
  while (at < pattern.size() && pattern[at] != ']') {
    const std::size_t left = pattern.size() - at;
    if (pattern[at] == '\\' && left >= 2) {
      found |= pattern[at + 1] == byte;
      at += 2;
    } else if (left >= 3 && pattern[at + 1] == '-') {
      const auto ends = std::minmax(
          {static_cast<signed char>(pattern[at]), static_cast<signed char>(pattern[at + 2])});
      found |= wanted >= Folded(static_cast<char>(ends.first), letters) &&
               wanted <= Folded(static_cast<char>(ends.second), letters);
      at += 3;
    } else {
      found |= Folded(pattern[at], letters) == wanted;
      ++at;
    }
  }
  if (at < pattern.size()) ++at;
  return found != negated;
}

// Anything but a star: exactly one byte of text. Moves `at` behind the item.
bool MatchOne(std::string_view pattern, std::size_t& at, char byte, GlobCase letters) {
  const char item = pattern[at++];
  if (item == '?') return true;
  if (item == '[') return MatchClass(pattern, at, byte, letters);
  const bool escaped = item == '\\' && at < pattern.size();
  return Folded(escaped ? pattern[at++] : item, letters) == Folded(byte, letters);
}

std::size_t SkipStars(std::string_view pattern, std::size_t at) {
  while (at < pattern.size() && pattern[at] == '*') ++at;
  return at;
}

}  // namespace

bool GlobMatch(std::string_view pattern, std::string_view text, GlobCase letters) {
  if (text.empty()) return pattern.empty();
  constexpr std::size_t kNoStar = std::string_view::npos;
  std::size_t after_star = kNoStar;  // the item behind the last star
  std::size_t star_end = 0;          // how much of the text that star and all before it cover
  std::size_t stars = 0;
  std::size_t at = 0;
  std::size_t position = 0;
  while (position < text.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      at = SkipStars(pattern, at);
      if (at == pattern.size()) return true;
      if (++stars > kStarsMax) return false;
      after_star = at;
      star_end = position;
    } else if (at < pattern.size() && MatchOne(pattern, at, text[position], letters)) {
      ++position;
    } else if (after_star == kNoStar) {
      return false;
    } else {
      at = after_star;
      position = ++star_end;
    }
  }
  return SkipStars(pattern, at) == pattern.size();
}

}  // namespace aeris
