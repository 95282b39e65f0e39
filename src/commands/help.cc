#include "src/commands/help.h"

#include "src/text.h"

namespace aeris {

void ReplyHelp(CommandContext& context, std::span<const std::string_view> lines) {
  protocol::ReplyWriter& reply = context.reply();
  reply.Array(lines.size() + 3);
  reply.SimpleString(ToUpper(context.arg(0)) +
                     " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
  for (const std::string_view line : lines) reply.SimpleString(line);
  reply.SimpleString("HELP");
  reply.SimpleString("    Prints this help.");
}

}  // namespace aeris
