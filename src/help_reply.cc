#include "src/help_reply.h"

#include <fmt/format.h>

#include "src/command_context.h"
#include "src/text.h"

namespace aeris {

void ReplyHelp(const CommandContext& context, std::span<const std::string_view> lines) {
  protocol::ReplyWriter& reply = context.reply();
  reply.Array(lines.size() + 3);
  reply.SimpleString(fmt::format("{} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
                                 ToUpper(context.arg(0))));
  for (const std::string_view line : lines) reply.SimpleString(line);
  reply.SimpleString("HELP");
  reply.SimpleString("    Print this help.");
}

}  // namespace aeris
