// AdminServer: HTTP on a port of its own, for metrics and health.
#pragma once

namespace aeris {

class Server;

class AdminServer {
 public:
  explicit AdminServer(Server& server) : server_(server) {}

 private:
  [[maybe_unused]] Server& server_;
};

}  // namespace aeris
