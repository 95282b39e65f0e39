// FUNCTION, as far as it goes without scripts: there are no libraries, so there is nothing to list
// and nothing to remove. Clients and test suites that clean up before they start call it.
#include <fmt/format.h>

#include "src/command_context.h"
#include "src/commands/families.h"
#include "src/commands/help.h"
#include "src/text.h"

namespace aeris {
namespace {

// FUNCTION FLUSH [ASYNC | SYNC]. Replies OK.
void FunctionFlush(CommandContext& context) {
  if (context.argc() > 3) {
    return context.reply().Error(
        "ERR unknown subcommand or wrong number of arguments for 'flush'. Try FUNCTION HELP.");
  }
  if (context.argc() == 3 && !context.ArgIs(2, "async") && !context.ArgIs(2, "sync")) {
    return context.reply().Error("ERR FUNCTION FLUSH only supports SYNC|ASYNC option");
  }
  context.reply().Ok();
}

// FUNCTION LIST [LIBRARYNAME pattern] [WITHCODE]. Replies an empty array.
void FunctionList(CommandContext& context) {
  bool named = false;
  bool with_code = false;
  for (std::size_t i = 2; i < context.argc(); ++i) {
    if (!with_code && context.ArgIs(i, "withcode")) {
      with_code = true;
    } else if (!named && context.ArgIs(i, "libraryname")) {
      if (++i == context.argc()) {
        return context.reply().Error("ERR library name argument was not given");
      }
      named = true;
    } else {
      return context.reply().Error(
          fmt::format("ERR Unknown argument {}", EchoedText(context.arg(i))));
    }
  }
  context.reply().EmptyArray();
}

void FunctionHelp(CommandContext& context) {
  static constexpr std::string_view kLines[] = {
      "LIST [LIBRARYNAME PATTERN] [WITHCODE]",
      "    Return general information on all the libraries.",
      "FLUSH [ASYNC|SYNC]",
      "    Delete all the libraries.",
  };
  ReplyHelp(context, kLines);
}

constexpr std::string_view kFunctionFlushTips[] = {"request_policy:all_shards",
                                                   "response_policy:all_succeeded"};

constexpr std::string_view kFunctionListTips[] = {"nondeterministic_output_order"};

constexpr CommandSpec kFunctionSubcommands[] = {
    {.name = "flush",
     .handler = FunctionFlush,
     .arity = -2,
     .flags = Flag::kWrite | Flag::kNoScript,
     .acl = Acl::kScripting,
     .group = Group::kScripting,
     .since = "7.0.0",
     .complexity = "O(N) where N is the number of functions deleted",
     .summary = "Deleting all functions",
     .arguments = "async:oneof('ASYNC' async:pure-token|'SYNC' sync:pure-token)?",
     .tips = kFunctionFlushTips},
    {.name = "help",
     .handler = FunctionHelp,
     .arity = 2,
     .flags = Flag::kLoading | Flag::kStale,
     .acl = Acl::kScripting,
     .group = Group::kScripting,
     .since = "7.0.0",
     .complexity = "O(1)",
     .summary = "Show helpful text about the different subcommands"},
    {.name = "list",
     .handler = FunctionList,
     .arity = -2,
     .flags = Flag::kNoScript,
     .acl = Acl::kScripting,
     .group = Group::kScripting,
     .since = "7.0.0",
     .complexity = "O(N) where N is the number of functions",
     .summary = "List information about all the functions",
     .arguments = "'LIBRARYNAME' library-name-pattern:string? 'WITHCODE' withcode:pure-token?",
     .tips = kFunctionListTips},
};

constexpr CommandSpec kFunctionCommands[] = {
    {.name = "function",
     .arity = -2,
     .group = Group::kScripting,
     .since = "7.0.0",
     .complexity = "Depends on subcommand.",
     .summary = "A container for function commands",
     .subcommands = kFunctionSubcommands},
};

}  // namespace

std::span<const CommandSpec> FunctionCommands() { return kFunctionCommands; }

}  // namespace aeris
