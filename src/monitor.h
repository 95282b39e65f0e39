// Monitor: clients that want to see every command (MONITOR).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace aeris {

class Client;
class Command;
class Server;

class Monitor {
 public:
  explicit Monitor(Server& server) : server_(server) {}

  void Add(Client& client);
  void Remove(const Client& client);
  bool empty() const { return ids_.empty(); }
  std::size_t size() const { return ids_.size(); }

  // Shows a command that has run to all monitors. Administrative commands and secrets are not
  // shown.
  void Feed(const Client& sender, const Command& command,
            std::span<const std::string_view> arguments);

 private:
  Server& server_;
  std::vector<std::uint64_t> ids_;
};

}  // namespace aeris
