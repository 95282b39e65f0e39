// Where the forms of sets end, as configured.
#pragma once

#include "src/command_context.h"
#include "src/server.h"
#include "storage/set_value.h"

namespace aeris {

inline storage::SetLimits LimitsOfSets(const CommandContext& context) {
  return {.intset_entries =
              static_cast<std::size_t>(context.server().config().set_max_intset_entries)};
}

}  // namespace aeris
