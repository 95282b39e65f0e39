// The subcommands of CLIENT for client-side caching. Their rows stand in client_commands.cc.
#pragma once

namespace aeris {

class CommandContext;

void ClientTrackingSet(CommandContext& context);
void ClientCaching(CommandContext& context);
void ClientTrackingInfo(CommandContext& context);
void ClientGetRedir(CommandContext& context);

}  // namespace aeris
