// Visits the commands of a table.
#pragma once

#include "src/command_table.h"

namespace aeris {

// Each command, and after a container its subcommands.
template <typename Visit>
void ForEachCommand(const CommandTable& table, Visit&& visit) {
  for (const CommandTable::Named& named : table.commands()) {
    visit(*named.command);
    for (const auto& subcommand : named.command->subcommands()) visit(*subcommand);
  }
}

}  // namespace aeris
