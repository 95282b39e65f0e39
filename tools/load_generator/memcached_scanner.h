// MemcachedScanner: replies of memcached's text protocol. The reply to a get is any number of
// VALUE blocks and END; every other reply is one line.
#pragma once

#include "tools/load_generator/reply_scanner.h"

namespace aeris::load {

class MemcachedScanner final : public ReplyScanner {
 private:
  bool ScanLine(std::string_view line) override;

  bool in_payload_ = false;  // its bytes or the CRLF behind them
};

}  // namespace aeris::load
