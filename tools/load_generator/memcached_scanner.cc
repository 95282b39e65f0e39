#include "tools/load_generator/memcached_scanner.h"

#include <algorithm>

#include "src/base/number_text.h"

namespace aeris::load {

std::size_t MemcachedScanner::Scan(std::string_view bytes) {
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
    if (ScanLine(*line)) ++complete;
  }
  return complete;
}

bool MemcachedScanner::ScanLine(std::string_view line) {
  if (in_payload_) {
    if (!line.empty()) Break("a value is longer than announced", line);
    in_payload_ = false;
    return false;
  }
  if (line.starts_with("VALUE ")) {  // VALUE <key> <flags> <bytes>
    const std::optional<std::uint64_t> size = ParseUint64(line.substr(line.rfind(' ') + 1));
    if (!size) {
      Break("a length that is none", line);
      return false;
    }
    ++counts_.values;
    counts_.value_bytes += *size;
    payload_left_ = *size;
    in_payload_ = true;
    return false;
  }
  if (line == "END") return true;
  if (line == "STORED" || line.starts_with("VERSION ")) {
    ++counts_.statuses;
  } else if (line == "TOUCHED" || line == "DELETED" || line == "NOT_FOUND" || ParseUint64(line)) {
    ++counts_.integers;
  } else {
    CountError(line);
  }
  return true;
}

}  // namespace aeris::load
