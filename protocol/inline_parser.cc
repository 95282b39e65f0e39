#include "protocol/inline_parser.h"

#include <cstring>

namespace aeris::protocol {
namespace {

bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// What ends a word that is not quoted. Vertical tab and form feed do not, though they are skipped
// before a word: clients may rely on either.
bool EndsWord(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

char Unescaped(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'b':
      return '\b';
    case 'a':
      return '\a';
    default:
      return c;
  }
}

void SplitPlain(std::string_view line, std::vector<ArgRange>& words) {
  std::size_t i = 0;
  for (;;) {
    while (i < line.size() && IsSpace(line[i])) ++i;
    if (i == line.size()) return;
    const std::size_t begin = i;
    while (i < line.size() && !EndsWord(line[i])) ++i;
    words.push_back({begin, i - begin});
  }
}

// Walks a line that has quotes and writes its words one behind the other.
class Decoder {
 public:
  Decoder(std::string_view line, std::string& out) : line_(line), out_(out) {}

  // Moves to the next word; false at the end of the line.
  bool SkipSpace() {
    while (i_ < line_.size() && IsSpace(line_[i_])) ++i_;
    return i_ < line_.size();
  }

  // Writes one word; false when its quotes are not balanced.
  bool Word() {
    while (i_ < line_.size() && !EndsWord(line_[i_])) {
      const char c = line_[i_++];
      if (c != '"' && c != '\'') {
        out_.push_back(c);
        continue;
      }
      if (!(c == '"' ? DoubleQuoted() : SingleQuoted())) return false;
      return i_ == line_.size() || IsSpace(line_[i_]);
    }
    return true;
  }

 private:
  bool DoubleQuoted() {
    while (i_ < line_.size()) {
      const char c = line_[i_++];
      if (c == '"') return true;
      if (c == '\\' && i_ < line_.size()) {
        Escape();
      } else {
        out_.push_back(c);
      }
    }
    return false;
  }

  // At the byte behind a backslash.
  void Escape() {
    if (line_[i_] == 'x' && line_.size() - i_ > 2) {
      const int high = HexValue(line_[i_ + 1]);
      const int low = HexValue(line_[i_ + 2]);
      if (high >= 0 && low >= 0) {
        out_.push_back(static_cast<char>(high * 16 + low));
        i_ += 3;
        return;
      }
    }
    out_.push_back(Unescaped(line_[i_++]));
  }

  bool SingleQuoted() {
    while (i_ < line_.size()) {
      const char c = line_[i_++];
      if (c == '\'') return true;
      if (c == '\\' && i_ < line_.size() && line_[i_] == '\'') {
        out_.push_back(line_[i_++]);
      } else {
        out_.push_back(c);
      }
    }
    return false;
  }

  std::string_view line_;
  std::string& out_;
  std::size_t i_ = 0;
};

bool HasQuote(std::string_view line) {
  return !line.empty() && (std::memchr(line.data(), '"', line.size()) != nullptr ||
                           std::memchr(line.data(), '\'', line.size()) != nullptr);
}

}  // namespace

SplitResult SplitWords(std::string_view line, std::vector<ArgRange>& words, std::string& decoded) {
  if (!HasQuote(line)) {
    SplitPlain(line, words);
    return SplitResult::kInPlace;
  }
  decoded.clear();
  Decoder decoder(line, decoded);
  while (decoder.SkipSpace()) {
    const std::size_t begin = decoded.size();
    if (!decoder.Word()) return SplitResult::kUnbalanced;
    words.push_back({begin, decoded.size() - begin});
  }
  return SplitResult::kDecoded;
}

std::optional<std::vector<std::string>> SplitArguments(std::string_view line) {
  std::vector<ArgRange> words;
  std::string decoded;
  const SplitResult result = SplitWords(line, words, decoded);
  if (result == SplitResult::kUnbalanced) return std::nullopt;
  const std::string_view text = result == SplitResult::kDecoded ? std::string_view(decoded) : line;
  std::vector<std::string> arguments;
  arguments.reserve(words.size());
  for (const ArgRange& word : words) arguments.emplace_back(text.substr(word.offset, word.size));
  return arguments;
}

}  // namespace aeris::protocol
