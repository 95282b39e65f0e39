// Words of a line: an inline request, or a line of redis.conf.
//
// Words are separated by white space. "..." takes the escapes \n \r \t \b \a \xHH, and \ before any
// other byte is that byte; '...' takes only \'. A quote may open inside a word (a"b c" is `ab c`),
// but after the closing one the word ends: white space or the end of the line must follow.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aeris::protocol {

// One argument: where it begins, and how many bytes it has.
struct ArgRange {
  std::size_t offset;
  std::size_t size;
};

enum class SplitResult : unsigned char {
  kInPlace,     // the words stand in the line as they are: ranges point into it
  kDecoded,     // some word had quotes: all words were written to `decoded`, ranges point into that
  kUnbalanced,  // a quote is not closed, or something follows a closing quote; ranges mean nothing
};

// Appends the words of `line` to `words`. `decoded` is overwritten in the case of kDecoded only.
// O(bytes); no allocation for a line without quotes once `words` has room.
[[nodiscard]] SplitResult SplitWords(std::string_view line, std::vector<ArgRange>& words,
                                     std::string& decoded);

// The same with its own copies, for lines that are not on the hot path. Nothing when unbalanced.
[[nodiscard]] std::optional<std::vector<std::string>> SplitArguments(std::string_view line);

}  // namespace aeris::protocol
