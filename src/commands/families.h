// The families of commands: each accessor gives the rows that stand in the file of its name,
// src/commands/<family>_commands.cc. Registration is this list and AllFamilies(), nothing else.
#pragma once

#include <span>
#include <vector>

#include "src/command.h"

namespace aeris {

std::span<const CommandSpec> AclCommands();
std::span<const CommandSpec> BitmapCommands();
std::span<const CommandSpec> ClientCommands();
std::span<const CommandSpec> ClusterCommands();
std::span<const CommandSpec> CommandCommands();
std::span<const CommandSpec> ConfigCommands();
std::span<const CommandSpec> ConnectionCommands();
std::span<const CommandSpec> DebugCommands();
std::span<const CommandSpec> DumpCommands();
std::span<const CommandSpec> ExpireCommands();
std::span<const CommandSpec> FunctionCommands();
std::span<const CommandSpec> GenericCommands();
std::span<const CommandSpec> GeoCommands();
std::span<const CommandSpec> HashCommands();
std::span<const CommandSpec> HashDeadlineCommands();
std::span<const CommandSpec> HotKeyCommands();
std::span<const CommandSpec> HyperLogLogCommands();
std::span<const CommandSpec> LatencyCommands();
std::span<const CommandSpec> ListBlockingCommands();
std::span<const CommandSpec> ListCommands();
std::span<const CommandSpec> MemoryCommands();
std::span<const CommandSpec> MonitorCommands();
std::span<const CommandSpec> ObjectCommands();
std::span<const CommandSpec> PubsubCommands();
std::span<const CommandSpec> ServerCommands();
std::span<const CommandSpec> SetCommands();
std::span<const CommandSpec> SetOperationCommands();
std::span<const CommandSpec> SlowLogCommands();
std::span<const CommandSpec> SortCommands();
std::span<const CommandSpec> StreamCommands();
std::span<const CommandSpec> StreamGroupCommands();
std::span<const CommandSpec> StreamInfoCommands();
std::span<const CommandSpec> StreamReadCommands();
std::span<const CommandSpec> StringCommands();
std::span<const CommandSpec> StringCompareCommands();
std::span<const CommandSpec> StringMultiCommands();
std::span<const CommandSpec> TransactionCommands();
std::span<const CommandSpec> ZsetCommands();
std::span<const CommandSpec> ZsetPopCommands();
std::span<const CommandSpec> ZsetRangeCommands();
std::span<const CommandSpec> ZsetSetOperationCommands();

// All of them, in the order in which COMMAND lists the commands.
std::vector<std::span<const CommandSpec>> AllFamilies();

}  // namespace aeris
