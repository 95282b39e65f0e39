// HttpRequestParser: the head of one HTTP/1.x request of the admin port.
//
// Takes GET without a body, as strictly as RFC 9112 allows: CRLF ends a line, one blank separates
// the words of the first one, no folded fields, at most one Host. Everything else has a status to
// refuse it with, and what is not HTTP at all (RESP, TLS) is told apart, to be closed without an
// answer. Knows no socket: it is given the bytes that have arrived, and a unit test reaches every
// branch.
//
// Cost:   O(bytes) however a request is split: the search for its end goes on where it stopped.
// Memory: none; what it finds are views into the bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace aeris {

// A request with all its fields, the empty line included, is at most so long.
inline constexpr std::size_t kHttpRequestBytesMax = 8192;

enum class HttpParse : std::uint8_t {
  kNeedMore,  // legal so far, and not whole
  kRequest,   // request() and size() hold while the bytes do
  kRefused,   // reply with status(), then close
  kNotHttp,   // somebody speaks another protocol: close
};

struct HttpRequest {
  std::string_view path;   // up to a "?"
  std::string_view query;  // behind it
  std::string_view host;   // as sent; empty without, which HTTP/1.0 may be
  bool keep_alive = true;
};

class HttpRequestParser {
 public:
  // `bytes` starts at the first byte of a request and may only grow until Reset(); it may move.
  [[nodiscard]] HttpParse Parse(std::string_view bytes);

  const HttpRequest& request() const { return request_; }
  std::size_t size() const { return size_; }  // bytes of the request, its empty line included
  int status() const { return status_; }      // with kRefused: 400, 405, 431 or 505
  void Reset() { *this = HttpRequestParser(); }

 private:
  HttpParse CheckLine(std::string_view line);
  HttpParse CheckVersion(std::string_view version);
  HttpParse CheckTarget(std::string_view target);
  bool TakeFields(std::string_view fields);
  bool TakeField(std::string_view name, std::string_view value);
  HttpParse Refuse(int status) {
    status_ = status;
    return HttpParse::kRefused;
  }

  HttpRequest request_;
  std::size_t searched_ = 0;   // no end of the head begins before here
  std::size_t line_size_ = 0;  // of the first line with its CRLF; 0: it is not there yet
  std::size_t size_ = 0;
  int status_ = 0;
  bool minor_0_ = false;  // HTTP/1.0
  bool has_host_ = false;
};

// The value of `name` in a query like "since=12&x=y", empty without it. Nothing is decoded: what
// the page asks for are numbers.
std::string_view QueryValue(std::string_view query, std::string_view name);

}  // namespace aeris
