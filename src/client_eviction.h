// ClientEviction: closes clients when all together take more than `maxmemory-clients`, those that
// take the most first (client_sizes.h), whatever they take it for: requests that are being
// received, replies that nobody reads, names. Before each command, and at the end of each turn of
// the loop.
#pragma once

#include <cstddef>

namespace aeris {

struct Config;
class Server;

// In bytes; 0 when there is no limit. A share of maxmemory is none without maxmemory. Below 128 KiB
// nobody could talk to the server any more: that is the least.
std::size_t ClientMemoryLimit(const Config& config);

class ClientEviction {
 public:
  explicit ClientEviction(Server& server) : server_(server) {}

  bool limited() const { return limit_ != 0; }
  // Directives have changed. Who goes for it goes before the next command.
  void OnConfigChange();
  // Clients are closing() afterwards, the one that is about to run a command perhaps.
  void Enforce();

 private:
  Server& server_;
  std::size_t limit_ = 0;
};

}  // namespace aeris
