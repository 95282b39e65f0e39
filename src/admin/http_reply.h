// HttpReply: what the admin port answers, and the bytes of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace aeris {

struct HttpReply {
  int status = 200;
  std::string_view content_type = "text/plain; charset=utf-8";
  std::string body;
};

// A reply that says no more than its status.
HttpReply StatusReply(int status);

// Status line and fields up to the empty line; the body follows. `unix_seconds` is for Date. Every
// reply forbids to be stored, guessed at, framed, or read by other origins, and may load and run
// nothing but what this port has.
std::string HttpHead(const HttpReply& reply, bool keep_alive, std::int64_t unix_seconds);

}  // namespace aeris
