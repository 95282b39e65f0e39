// The answer of HELP subcommands.
#pragma once

#include <span>
#include <string_view>

namespace aeris {

class CommandContext;

// An array of simple strings: a head line that names the container, `lines`, and HELP itself.
void ReplyHelp(const CommandContext& context, std::span<const std::string_view> lines);

}  // namespace aeris
