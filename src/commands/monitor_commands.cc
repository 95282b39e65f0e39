// MONITOR: every command that the server runs, as it runs.
#include "src/client.h"
#include "src/command_context.h"
#include "src/commands/families.h"
#include "src/commands/key_specs.h"
#include "src/server.h"

namespace aeris {
namespace {

// MONITOR. Replies OK, then a simple string for every command until RESET or the end of the
// connection. Of a client that is a monitor already it is ignored without a reply, as in Redis. An
// error inside MULTI, where each command has one reply.
void StartMonitor(CommandContext& context) {
  Client& client = context.client();
  if (client.deny_blocking) {
    return context.reply().Error("ERR MONITOR isn't allowed for DENY BLOCKING client");
  }
  if (client.monitor) return;
  context.server().monitor().Add(client);
  context.reply().Ok();
}

constexpr CommandSpec kMonitorCommands[] = {
    {.name = "monitor",
     .handler = StartMonitor,
     .arity = 1,
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .group = Group::kServer,
     .since = "1.0.0",
     .summary = "Listen for all requests received by the server in real time"},
};

}  // namespace

std::span<const CommandSpec> MonitorCommands() { return kMonitorCommands; }

}  // namespace aeris
