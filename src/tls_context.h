// TlsContext: certificates and settings of TLS.
#pragma once

namespace aeris {

class Server;

class TlsContext {
 public:
  explicit TlsContext(Server& server) : server_(server) {}

 private:
  [[maybe_unused]] Server& server_;
};

}  // namespace aeris
