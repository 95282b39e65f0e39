// RespScanner: replies of RESP2.
#pragma once

#include "tools/load_generator/reply_scanner.h"

namespace aeris::load {

class RespScanner final : public ReplyScanner {
 private:
  bool ScanLine(std::string_view line) override;
  // All of a reply, or what announces a payload or elements.
  void ScanElement(std::string_view line);
  void ScanLength(char kind, std::string_view line);

  // Elements still to come of the reply that is arriving, however deep the arrays are nested.
  std::size_t elements_left_ = 1;
  bool in_payload_ = false;  // its bytes or the CRLF behind them
};

}  // namespace aeris::load
