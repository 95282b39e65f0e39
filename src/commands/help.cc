#include "src/commands/help.h"

#include <fmt/format.h>

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

void ReplySubcommandSyntax(CommandContext& context) {
  context.reply().Error(
      fmt::format("ERR unknown subcommand or wrong number of arguments for '{}'. Try {} HELP.",
                  EchoedText(context.arg(1)), ToUpper(context.arg(0))));
}

}  // namespace aeris
