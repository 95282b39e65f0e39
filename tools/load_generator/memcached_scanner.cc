#include "tools/load_generator/memcached_scanner.h"

#include <optional>

#include "src/base/number_text.h"

namespace aeris::load {

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
  // While its own thread has not made room yet a SET is refused so; the key is missing then, and
  // counts as that when it is asked for.
  const bool refused = line == "SERVER_ERROR out of memory storing object";
  if (line == "STORED" || refused || line.starts_with("VERSION ")) {
    ++counts_.statuses;
  } else if (line == "TOUCHED" || line == "DELETED" || line == "NOT_FOUND" || ParseUint64(line)) {
    ++counts_.integers;
  } else {
    CountError(line);
  }
  return true;
}

}  // namespace aeris::load
