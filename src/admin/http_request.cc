#include "src/admin/http_request.h"

#include <algorithm>
#include <utility>

#include "src/text.h"

namespace aeris {
namespace {

constexpr int kBadRequest = 400;
constexpr int kMethodNotAllowed = 405;
constexpr int kHeadTooLarge = 431;
constexpr int kVersionNotSupported = 505;

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kHeadEnd = "\r\n\r\n";

bool IsUpperCase(char c) { return c >= 'A' && c <= 'Z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsVisible(char c) { return c > ' ' && c < '\x7f'; }

// A character of a method or of a field's name.
bool IsTokenCharacter(char c) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return IsUpperCase(c) || (c >= 'a' && c <= 'z') || IsDigit(c) ||
         kMarks.find(c) != std::string_view::npos;
}

// A field's value may have blanks and bytes beyond ASCII inside, but no control characters.
bool IsValueCharacter(char c) {
  return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != '\x7f');
}

std::string_view WithoutBlanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// Whether a list like "close, TE" has the word.
bool HasWord(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (EqualsIgnoringCase(WithoutBlanks(list.substr(0, comma)), word)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

}  // namespace

HttpParse HttpRequestParser::Parse(std::string_view bytes) {
  if (bytes.empty()) return HttpParse::kNeedMore;
  if (!IsUpperCase(bytes[0])) return HttpParse::kNotHttp;
  const std::string_view head = bytes.substr(0, kHttpRequestBytesMax);
  if (line_size_ == 0) {
    const std::size_t end = head.find('\n', searched_);
    if (end == std::string_view::npos) {
      searched_ = head.size();
      return head.size() == kHttpRequestBytesMax ? Refuse(kHeadTooLarge) : HttpParse::kNeedMore;
    }
    line_size_ = end + 1;
    searched_ = end == 0 ? 0 : end - 1;  // the first CRLF may be half of the end
    const HttpParse line = CheckLine(head.substr(0, line_size_));
    if (line != HttpParse::kNeedMore) return line;
  }
  const std::size_t end = head.find(kHeadEnd, searched_);
  if (end == std::string_view::npos) {
    searched_ = std::max(searched_, head.size() - std::min(head.size(), kHeadEnd.size() - 1));
    return head.size() == kHttpRequestBytesMax ? Refuse(kHeadTooLarge) : HttpParse::kNeedMore;
  }
  size_ = end + kHeadEnd.size();
  // Again, since the bytes may have moved.
  if (const HttpParse line = CheckLine(head.substr(0, line_size_)); line != HttpParse::kNeedMore) {
    return line;
  }
  const std::size_t fields_end = end + kLineEnd.size();
  if (!TakeFields(head.substr(line_size_, fields_end - line_size_))) return Refuse(kBadRequest);
  if (!minor_0_ && !has_host_) return Refuse(kBadRequest);
  return HttpParse::kRequest;
}

// kNeedMore when nothing is wrong with it. `line` ends with LF.
HttpParse HttpRequestParser::CheckLine(std::string_view line) {
  line.remove_suffix(1);
  const bool carriage_return = line.ends_with('\r');
  if (carriage_return) line.remove_suffix(1);
  const std::size_t method_end = line.find(' ');
  const std::size_t target_end = line.rfind(' ');
  const std::string_view method = line.substr(0, method_end);
  if (method_end == std::string_view::npos || !std::ranges::all_of(method, IsTokenCharacter)) {
    return HttpParse::kNotHttp;  // PING
  }
  const std::string_view last = line.substr(target_end + 1);
  if (target_end == method_end || !last.starts_with("HTTP/")) {
    // Of HTTP/0.9, or a command of RESP in one line.
    return line.starts_with("GET /") ? Refuse(kBadRequest) : HttpParse::kNotHttp;
  }
  if (!carriage_return) return Refuse(kBadRequest);
  if (const HttpParse version = CheckVersion(last); version != HttpParse::kNeedMore) return version;
  if (method != "GET") return Refuse(kMethodNotAllowed);
  return CheckTarget(line.substr(method_end + 1, target_end - method_end - 1));
}

HttpParse HttpRequestParser::CheckVersion(std::string_view version) {
  constexpr std::size_t kSize = std::string_view("HTTP/1.1").size();
  if (version.size() != kSize || !IsDigit(version[5]) || version[6] != '.' ||
      !IsDigit(version[7])) {
    return Refuse(kBadRequest);
  }
  if (version[5] != '1') return Refuse(kVersionNotSupported);
  minor_0_ = version[7] == '0';
  request_.keep_alive = !minor_0_;
  return HttpParse::kNeedMore;
}

HttpParse HttpRequestParser::CheckTarget(std::string_view target) {
  if (!target.starts_with('/') || !std::ranges::all_of(target, IsVisible)) {
    return Refuse(kBadRequest);
  }
  const std::size_t mark = std::min(target.find('?'), target.size());
  request_.path = target.substr(0, mark);
  request_.query = target.substr(std::min(mark + 1, target.size()));
  return HttpParse::kNeedMore;
}

// Lines, each with its CRLF.
bool HttpRequestParser::TakeFields(std::string_view fields) {
  while (!fields.empty()) {
    const std::size_t end = fields.find(kLineEnd);
    const std::string_view line = fields.substr(0, end);
    fields.remove_prefix(end + kLineEnd.size());
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) return false;
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = WithoutBlanks(line.substr(colon + 1));
    if (!std::ranges::all_of(name, IsTokenCharacter)) return false;
    if (!std::ranges::all_of(value, IsValueCharacter)) return false;
    if (!TakeField(name, value)) return false;
  }
  return true;
}

bool HttpRequestParser::TakeField(std::string_view name, std::string_view value) {
  if (EqualsIgnoringCase(name, "host")) {
    if (std::exchange(has_host_, true)) return false;
    request_.host = value;
    return !value.empty();
  }
  if (EqualsIgnoringCase(name, "connection")) {
    const bool stays = request_.keep_alive || HasWord(value, "keep-alive");
    request_.keep_alive = stays && !HasWord(value, "close");
    return true;
  }
  // A body would be taken for the next request.
  if (EqualsIgnoringCase(name, "content-length")) return value == "0";
  return !EqualsIgnoringCase(name, "transfer-encoding");
}

std::string_view QueryValue(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (pair.substr(0, equals) == name) return pair.substr(std::min(equals + 1, pair.size()));
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return {};
}

}  // namespace aeris
