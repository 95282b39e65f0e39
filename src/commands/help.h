// The reply of a container's HELP subcommand.
#pragma once

#include <span>
#include <string_view>

#include "src/command_context.h"

namespace aeris {

// Writes an array of simple strings: a head line with the command's name as the client sent it, in
// upper case, then `lines`, then the two lines about HELP itself, which `lines` leave out.
void ReplyHelp(CommandContext& context, std::span<const std::string_view> lines);

// "ERR unknown subcommand or wrong number of arguments for 'x'. Try Y HELP.", of the subcommand
// that argument 1 names.
void ReplySubcommandSyntax(CommandContext& context);

}  // namespace aeris
