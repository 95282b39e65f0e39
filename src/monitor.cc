#include "src/monitor.h"

#include <fmt/format.h>

#include <string>

#include "src/client.h"
#include "src/command_table.h"
#include "src/quoted_text.h"
#include "src/server.h"

namespace aeris {

void Monitor::Add(Client& client) {
  if (client.monitor) return;
  client.monitor = true;
  ids_.push_back(client.id());
}

void Monitor::Remove(const Client& client) { std::erase(ids_, client.id()); }

void Monitor::Feed(const Client& sender, const Command& command,
                   std::span<const std::string_view> arguments) {
  if (command.has(CommandFlag::kSkipMonitor) || command.has(CommandFlag::kAdmin)) return;
  const std::int64_t micros = server_.clock().UnixMicros();
  // The path alone: the ":0" that stands for a port belongs to CLIENT LIST.
  const std::string_view peer = sender.peer();
  const std::string from = sender.unix_socket()
                               ? fmt::format("unix:{}", peer.substr(0, peer.rfind(':')))
                               : std::string(peer);
  std::string line = fmt::format("{}.{:06} [{} {}]", micros / 1'000'000, micros % 1'000'000,
                                 sender.database, from);
  for (const std::string_view argument : arguments) line += " " + QuotedText(argument);
  // Ids of clients that are gone are dropped on the way; nobody else needs to tell the monitor.
  std::erase_if(ids_, [&](std::uint64_t id) {
    Client* monitor = server_.clients().Find(id);
    if (monitor == nullptr) return true;
    // A monitor sees no reply of its own between the pieces of another: it may be in mid-reply only
    // when it is the sender itself, whose command is complete here.
    if (monitor->reply_mode == ReplyMode::kOff) return false;
    monitor->reply().set_muted(false);
    monitor->reply().SimpleString(line);
    server_.clients().QueueWrite(*monitor);
    server_.io().EnforceOutputLimit(*monitor);
    return false;
  });
}

}  // namespace aeris
