// The families of commands: each accessor gives the rows that stand in the file of its name,
// src/commands/<family>_commands.cc. command_table.cc joins them.
#pragma once

#include <span>

#include "src/command.h"

namespace aeris {

std::span<const CommandSpec> ClusterCommands();

}  // namespace aeris
