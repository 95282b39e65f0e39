#include "tools/load_generator/reply_scanner.h"

#include "tools/load_generator/memcached_scanner.h"
#include "tools/load_generator/resp_scanner.h"

namespace aeris::load {

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
