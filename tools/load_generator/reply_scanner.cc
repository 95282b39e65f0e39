#include "tools/load_generator/reply_scanner.h"

#include <algorithm>
#include <optional>

#include "tools/load_generator/memcached_scanner.h"
#include "tools/load_generator/resp_scanner.h"

namespace aeris::load {

std::size_t ReplyScanner::Scan(std::string_view bytes) {
  std::size_t complete = 0;
  while (!bytes.empty() && !broken_) {
    if (payload_left_ != 0) {
      const std::size_t skipped = std::min(payload_left_, bytes.size());
      payload_left_ -= skipped;
      bytes.remove_prefix(skipped);
      continue;
    }
    const std::optional<std::string_view> line = lines_.Take(bytes);
    if (!line) {
      if (lines_.too_long()) Break("a line without end", "");
      break;
    }
    if (!ScanLine(*line)) continue;
    ++complete;
    if (held_value_ != nullptr) NoteReply();
  }
  return complete;
}

void ReplyScanner::NoteReply() {
  held_value_->push_back(counts_.values != values_before_);
  values_before_ = counts_.values;
}

void ReplyScanner::CountError(std::string_view text) {
  ++counts_.errors;
  if (fault_.empty()) fault_ = "error reply: " + std::string(text);
}

void ReplyScanner::Break(std::string_view why, std::string_view near) {
  broken_ = true;
  if (fault_.empty()) {
    fault_ =
        "broken reply: " + std::string(why) + " near \"" + std::string(near.substr(0, 64)) + '"';
  }
}

std::unique_ptr<ReplyScanner> MakeReplyScanner(Protocol protocol) {
  if (protocol == Protocol::kMemcached) return std::make_unique<MemcachedScanner>();
  return std::make_unique<RespScanner>();
}

}  // namespace aeris::load
