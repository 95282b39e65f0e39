// The bytes of a reply as one line: CRLF becomes a blank, so that a test reads like the wire.
#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <string>

#include "protocol/buffer_pool.h"
#include "protocol/reply_buffer.h"
#include "protocol/reply_writer.h"

namespace aeris::test {

// Runs `write` with a writer of protocol `resp` and returns what it wrote, without the last blank.
template <typename Write>
std::string ReplyText(int resp, Write write) {
  protocol::BufferPool pool;
  protocol::ReplyBuffer buffer(pool);
  protocol::ReplyWriter writer(buffer, resp);
  write(writer);
  std::string text;
  std::array<iovec, 16> entries;
  for (std::size_t count; (count = buffer.FillIovec(entries)) != 0;) {
    std::size_t bytes = 0;
    for (const iovec& entry : std::span(entries).first(count)) {
      text.append(static_cast<const char*>(entry.iov_base), entry.iov_len);
      bytes += entry.iov_len;
    }
    buffer.Consume(bytes);
  }
  std::erase(text, '\r');
  std::ranges::replace(text, '\n', ' ');
  if (text.ends_with(' ')) text.pop_back();
  return text;
}

}  // namespace aeris::test
