#include "tools/load_generator/resp_scanner.h"

#include <optional>

#include "src/base/number_text.h"

namespace aeris::load {

bool RespScanner::ScanLine(std::string_view line) {
  ScanElement(line);
  if (elements_left_ != 0) return false;
  elements_left_ = 1;
  return true;
}

void RespScanner::ScanElement(std::string_view line) {
  if (in_payload_) {
    if (!line.empty()) return Break("a value is longer than announced", line);
    in_payload_ = false;
    --elements_left_;
    return;
  }
  switch (line.empty() ? '\0' : line.front()) {
    case '+':
      ++counts_.statuses;
      break;
    case ':':
      ++counts_.integers;
      break;
    case '-':
      CountError(line.substr(1));
      break;
    case '$':
    case '*':
      return ScanLength(line.front(), line);
    default:
      return Break("no reply begins so", line);
  }
  --elements_left_;
}

void RespScanner::ScanLength(char kind, std::string_view line) {
  const std::optional<std::int64_t> length = ParseInt64(line.substr(1));
  if (!length || *length < -1) return Break("a length that is none", line);
  if (*length == -1) {
    ++counts_.nulls;
    --elements_left_;
    return;
  }
  const auto size = static_cast<std::size_t>(*length);
  if (kind == '*') {
    elements_left_ += size - 1;  // the array's own place goes to its elements
    return;
  }
  ++counts_.values;
  counts_.value_bytes += size;
  payload_left_ = size;
  in_payload_ = true;
}

}  // namespace aeris::load
