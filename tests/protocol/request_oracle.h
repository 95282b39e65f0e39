// What a stream of requests means, worked out the plain way on the whole stream, and the same
// stream driven through RequestParser in pieces. The unit tests and the fuzz target compare the
// two.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/limits.h"
#include "protocol/request_parser.h"
#include "src/base/check.h"

namespace aeris::protocol {

// One request, or the error that ends the stream.
struct Outcome {
  std::vector<std::string> arguments;
  std::string error;
  std::size_t end = 0;  // bytes of the stream up to and with this request; 0 for an error

  bool operator==(const Outcome&) const = default;
};

inline std::string ToText(const Outcome& outcome) {
  if (!outcome.error.empty()) return "error: " + outcome.error;
  std::string text = "request to byte " + std::to_string(outcome.end) + ":";
  for (const std::string& argument : outcome.arguments) text += " [" + argument + "]";
  return text;
}

inline std::string ToText(const std::vector<Outcome>& outcomes) {
  std::string text;
  for (const Outcome& outcome : outcomes) text += ToText(outcome) + "\n";
  return text;
}

// The whole stream at once, by rule and without regard to cost.
class RequestOracle {
 public:
  RequestOracle(std::string stream, const Limits& limits)
      : stream_(std::move(stream)), limits_(limits) {}

  std::vector<Outcome> Outcomes() {
    std::vector<Outcome> outcomes;
    while (position_ < stream_.size()) {
      Outcome outcome;
      const bool whole = stream_[position_] == '*' ? Multibulk(outcome) : Inline(outcome);
      if (!whole) break;
      if (outcome.error.empty()) outcome.end = position_;
      outcomes.push_back(outcome);
      if (!outcome.error.empty()) break;
    }
    return outcomes;
  }

 private:
  enum class Line { kPartial, kTooLong, kBad, kNumber };

  Line NumberLine(long long& number, char& type) {
    const std::string rest = stream_.substr(position_);
    const std::size_t cr = rest.find('\r');
    if ((cr == std::string::npos ? rest.size() : cr) > 65536) return Line::kTooLong;
    if (cr == std::string::npos || cr + 1 == rest.size()) return Line::kPartial;
    type = rest[0];
    const std::string text = cr == 0 ? "" : rest.substr(1, cr - 1);
    if (rest[cr + 1] != '\n' || text.empty()) return Line::kBad;
    errno = 0;
    number = std::strtoll(text.c_str(), nullptr, 10);
    if (errno != 0 || std::to_string(number) != text) return Line::kBad;
    position_ += cr + 2;
    return Line::kNumber;
  }

  static bool Fail(Outcome& outcome, std::string error) {
    outcome.arguments.clear();
    outcome.error = std::move(error);
    return true;
  }

  bool Multibulk(Outcome& outcome) {
    long long count = 0;
    char type = 0;
    const Line line = NumberLine(count, type);
    if (line == Line::kPartial) return false;
    if (line == Line::kTooLong) return Fail(outcome, "too big mbulk count string");
    if (line == Line::kBad || count > 2147483647) return Fail(outcome, "invalid multibulk length");
    if (!limits_.authenticated && count > 10) {
      return Fail(outcome, "unauthenticated multibulk length");
    }
    if (count > limits_.args_max) return Fail(outcome, "invalid multibulk length");
    for (long long i = 0; i < count; ++i) {
      if (position_ == stream_.size()) return false;
      if (!Bulk(outcome)) return false;
      if (!outcome.error.empty()) return true;
    }
    return true;
  }

  bool Bulk(Outcome& outcome) {
    const char first = stream_[position_];
    long long length = 0;
    char type = 0;
    const Line line = NumberLine(length, type);
    if (line == Line::kPartial) return false;
    if (line == Line::kTooLong) return Fail(outcome, "too big bulk count string");
    if (first != '$') {
      const bool control = (first >= 0 && first < ' ') || first == 0x7f;
      return Fail(outcome, std::string("expected '$', got '") + (control ? ' ' : first) + "'");
    }
    if (line == Line::kBad || length < 0 || length > limits_.bulk_bytes_max) {
      return Fail(outcome, "invalid bulk length");
    }
    if (!limits_.authenticated && length > 16384) {
      return Fail(outcome, "unauthenticated bulk length");
    }
    const auto size = static_cast<std::size_t>(length);
    if (stream_.size() - position_ < size + 2) return false;
    if (stream_.substr(position_ + size, 2) != "\r\n") {
      return Fail(outcome, "expected CRLF after bulk");
    }
    outcome.arguments.push_back(stream_.substr(position_, size));
    position_ += size + 2;
    return true;
  }

  bool Inline(Outcome& outcome) {
    const std::size_t lf = stream_.find('\n', position_);
    const std::size_t size = (lf == std::string::npos ? stream_.size() : lf) - position_;
    if (size > 65536) return Fail(outcome, "too big inline request");
    if (lf == std::string::npos) return false;
    const std::optional<std::vector<std::string>> words = Words(stream_.substr(position_, size));
    if (!words) return Fail(outcome, "unbalanced quotes in request");
    outcome.arguments = *words;
    position_ = lf + 1;
    return true;
  }

  // A table of states instead of the parser's functions per kind of word. '\n' is put behind the
  // line as its end, for it cannot be inside; a CR before it does not belong to the line.
  static std::optional<std::vector<std::string>> Words(std::string line) {
    enum class In { kSpace, kWord, kDouble, kSingle, kClosed };
    if (!line.empty() && line.back() == '\r') line.pop_back();
    line += '\n';
    std::vector<std::string> words;
    In state = In::kSpace;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const char c = line[i];
      const bool last = i + 1 == line.size();
      const bool space = std::strchr(" \t\n\v\f\r", c) != nullptr && c != '\0';
      const bool ends_word = space && c != '\v' && c != '\f';
      if (state == In::kDouble || state == In::kSingle) {
        if (last) return std::nullopt;
        if (c == (state == In::kDouble ? '"' : '\'')) {
          state = In::kClosed;
        } else if (c == '\\' && state == In::kSingle && line[i + 1] == '\'') {
          words.back() += line[++i];
        } else if (c == '\\' && state == In::kDouble && i + 2 < line.size()) {
          i += EscapeAt(line, i + 1, words.back());
        } else {
          words.back() += c;
        }
        continue;
      }
      if (state == In::kClosed && !space) return std::nullopt;
      if (state == In::kSpace || state == In::kClosed) {
        state = In::kSpace;
        if (space) continue;
        words.emplace_back();
        state = In::kWord;
      }
      if (ends_word) {
        state = In::kSpace;
      } else if (c == '"') {
        state = In::kDouble;
      } else if (c == '\'') {
        state = In::kSingle;
      } else {
        words.back() += c;
      }
    }
    return words;
  }

  static std::size_t EscapeAt(const std::string& line, std::size_t i, std::string& word) {
    const std::string hex = line.substr(i + 1, 2);
    if (line[i] == 'x' && hex.size() == 2 &&
        std::isxdigit(static_cast<unsigned char>(hex[0])) != 0 &&
        std::isxdigit(static_cast<unsigned char>(hex[1])) != 0) {
      word += static_cast<char>(std::stoi(hex, nullptr, 16));
      return 3;
    }
    const std::size_t known = std::string("nrtba").find(line[i]);
    word += known == std::string::npos ? line[i] : "\n\r\t\b\a"[known];
    return 1;
  }

  std::string stream_;
  Limits limits_;
  std::size_t position_ = 0;
};

// Feeds `stream` to one parser, so that it sees the first `ends[i]` bytes at its i-th call
// (ascending) and the whole at last. Each head is a heap block of exactly its size:
// AddressSanitizer sees a read one byte past what has arrived.
inline std::vector<Outcome> ParseInPieces(std::string_view stream, std::vector<std::size_t> ends,
                                          const Limits& limits) {
  ends.push_back(stream.size());
  std::vector<Outcome> outcomes;
  RequestParser parser;
  std::size_t consumed = 0;
  for (const std::size_t end : ends) {
    for (;;) {
      const std::size_t size = end - consumed;
      const auto head = std::make_unique<char[]>(size);
      if (size > 0) std::memcpy(head.get(), stream.data() + consumed, size);
      const std::string_view bytes{head.get(), size};
      const ParseStatus status = parser.Parse(bytes, limits);
      if (status == ParseStatus::kNeedMore) {
        AERIS_CHECK(parser.bulk_bytes_expected() <=
                    static_cast<std::uint64_t>(limits.bulk_bytes_max) + 2);
        break;
      }
      Outcome outcome;
      if (status == ParseStatus::kError) {
        outcome.error = parser.error();
        outcomes.push_back(outcome);
        AERIS_CHECK(parser.Parse(bytes, limits) == ParseStatus::kError);
        return outcomes;
      }
      AERIS_CHECK(parser.size() > 0 && parser.size() <= size);
      std::vector<std::string_view> arguments;
      parser.AppendArguments(bytes, arguments);
      AERIS_CHECK(arguments.size() == parser.arg_count());
      outcome.arguments.assign(arguments.begin(), arguments.end());
      consumed += parser.size();
      outcome.end = consumed;
      outcomes.push_back(outcome);
      parser.Reset();
    }
  }
  return outcomes;
}

}  // namespace aeris::protocol
