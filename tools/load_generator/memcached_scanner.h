// MemcachedScanner: replies of memcached's text protocol. The reply to a get is any number of
// VALUE blocks and END; every other reply is one line.
#pragma once

#include "tools/load_generator/line_reader.h"
#include "tools/load_generator/reply_scanner.h"

namespace aeris::load {

class MemcachedScanner final : public ReplyScanner {
 public:
  std::size_t Scan(std::string_view bytes) override;

 private:
  // True when the line ends a reply.
  bool ScanLine(std::string_view line);

  LineReader lines_;
  bool in_payload_ = false;  // its bytes or the CRLF behind them
};

}  // namespace aeris::load
