// LineReader: lines that end in CRLF from a stream that arrives in pieces. A line that arrives
// whole is a view of the input; only one that was cut is put together in a block of its own.
#pragma once

#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace aeris::load {

class LineReader {
 public:
  static constexpr std::size_t kLineBytesMax = 64 * 1024;

  // Takes a line from the front of `bytes`, without its CRLF. None when the rest is still to come;
  // `bytes` is then used up. The view holds until the next call.
  std::optional<std::string_view> Take(std::string_view& bytes) {
    const void* end = std::memchr(bytes.data(), '\n', bytes.size());
    if (end == nullptr) {
      partial_.append(bytes);
      bytes = {};
      return std::nullopt;
    }
    const auto size = static_cast<std::size_t>(static_cast<const char*>(end) - bytes.data()) + 1;
    std::string_view line = bytes.substr(0, size);
    bytes.remove_prefix(size);
    if (!partial_.empty()) [[unlikely]] {
      whole_ = partial_.append(line);
      partial_.clear();
      line = whole_;
    }
    // A line that ends in LF alone keeps it, and is then no legal end of anything.
    if (line.ends_with("\r\n")) line.remove_suffix(2);
    return line;
  }

  bool too_long() const { return partial_.size() > kLineBytesMax; }

 private:
  std::string partial_;  // of the line that is still arriving
  std::string whole_;    // what the last view points to, when the line was cut
};

}  // namespace aeris::load
