// The number of a database as an argument.
#pragma once

#include <cstddef>
#include <optional>

#include "src/command_context.h"

namespace aeris {

// Argument `index` as the number of one of this server's databases. nullopt after the error reply.
std::optional<std::size_t> DatabaseArg(const CommandContext& context, std::size_t index);

}  // namespace aeris
