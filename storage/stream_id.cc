#include "storage/stream_id.h"

#include "src/base/number_text.h"

namespace aeris::storage {
namespace {

constexpr std::size_t kTextMax = 127;

bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// As strtoull(3) in base 10, used up to the end, for what is not the usual spelling of a number.
std::optional<std::uint64_t> ParseLoosely(std::string_view text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  bool negative = false;
  if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    if (__builtin_mul_overflow(value, std::uint64_t{10}, &value) ||
        __builtin_add_overflow(value, static_cast<std::uint64_t>(c - '0'), &value)) {
      return std::nullopt;
    }
  }
  return negative ? 0 - value : value;
}

std::optional<std::uint64_t> ParsePart(std::string_view text) {
  if (const auto value = ParseInt64(text)) {
    if (*value < 0) return std::nullopt;
    return static_cast<std::uint64_t>(*value);
  }
  return ParseLoosely(text);
}

}  // namespace

std::string_view Format(StreamId id, StreamIdText& scratch) {
  std::size_t size = FormatUint64(scratch.bytes, id.ms);
  scratch.bytes[size++] = '-';
  size += FormatUint64(scratch.bytes + size, id.seq);
  return {scratch.bytes, size};
}

std::string ToString(StreamId id) {
  StreamIdText scratch;
  return std::string(Format(id, scratch));
}

std::optional<ParsedStreamId> ParseStreamId(std::string_view text, StreamIdSyntax syntax) {
  if (text.size() > kTextMax) return std::nullopt;
  text = text.substr(0, text.find('\0'));
  if (text == "-" || text == "+") {
    if (!syntax.edges) return std::nullopt;
    return ParsedStreamId{.id = text == "-" ? kStreamIdMin : kStreamIdMax};
  }
  const std::size_t dash = text.find('-');
  const auto ms = ParsePart(text.substr(0, dash));
  if (!ms) return std::nullopt;
  if (dash == std::string_view::npos) return ParsedStreamId{.id = {*ms, syntax.missing_seq}};
  const std::string_view rest = text.substr(dash + 1);
  if (syntax.any_seq && rest == "*") return ParsedStreamId{.id = {*ms, 0}, .any_seq = true};
  const auto seq = ParsePart(rest);
  if (!seq) return std::nullopt;
  return ParsedStreamId{.id = {*ms, *seq}};
}

}  // namespace aeris::storage
