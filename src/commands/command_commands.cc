// COMMAND: the server's commands as clients ask for them.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "src/base/glob.h"
#include "src/command_context.h"
#include "src/command_info.h"
#include "src/command_keys.h"
#include "src/command_names.h"
#include "src/command_table.h"
#include "src/commands/families.h"
#include "src/commands/help.h"
#include "src/error_replies.h"
#include "src/server.h"

namespace aeris {
namespace {

const CommandTable& Table(CommandContext& context) { return context.server().commands(); }

// COMMAND. Replies: array of COMMAND INFO's arrays. O(commands).
void CommandAll(CommandContext& context) {
  const auto commands = Table(context).commands();
  context.reply().Array(commands.size());
  for (const auto& named : commands) ReplyCommandInfo(*named.command, context.reply());
}

// COMMAND COUNT. Replies: integer, without subcommands.
void CommandCount(CommandContext& context) {
  context.reply().Integer(static_cast<std::int64_t>(Table(context).commands().size()));
}

// COMMAND INFO [name ...]. Replies: an array each, null for an unknown name.
void CommandInfo(CommandContext& context) {
  if (context.argc() == 2) return CommandAll(context);
  context.reply().Array(context.argc() - 2);
  for (const std::string_view name : context.args().subspan(2)) {
    const Command* command = Table(context).FindFullName(name);
    if (command != nullptr) {
      ReplyCommandInfo(*command, context.reply());
    } else {
      context.reply().Null();
    }
  }
}

// COMMAND DOCS [name ...]. Replies: map from name to map; unknown names are left out.
void CommandDocs(CommandContext& context) {
  protocol::ReplyWriter& reply = context.reply();
  if (context.argc() == 2) {
    const auto commands = Table(context).commands();
    reply.Map(commands.size());
    for (const auto& named : commands) ReplyCommandDocs(*named.command, reply);
    return;
  }
  const protocol::ReplyWriter::Deferred map = reply.BeginMap();
  std::size_t count = 0;
  for (const std::string_view name : context.args().subspan(2)) {
    const Command* command = Table(context).FindFullName(name);
    if (command == nullptr) continue;
    ReplyCommandDocs(*command, reply);
    ++count;
  }
  reply.EndMap(map, count);
}

// Replies with the full names, subcommands too, of the commands that `matches` takes.
template <typename Matches>
void ReplyNamesOf(CommandContext& context, Matches matches) {
  protocol::ReplyWriter& reply = context.reply();
  const protocol::ReplyWriter::Deferred array = reply.BeginArray();
  std::size_t count = 0;
  const auto add = [&](const Command& command) {
    if (!matches(command)) return;
    reply.Bulk(command.full_name());
    ++count;
  };
  for (const auto& named : Table(context).commands()) {
    add(*named.command);
    for (const auto& subcommand : named.command->subcommands()) add(*subcommand);
  }
  reply.EndArray(array, count);
}

// COMMAND LIST [FILTERBY MODULE name | ACLCAT category | PATTERN glob]. Replies: array of names;
// an unknown module or category has none.
void CommandList(CommandContext& context) {
  if (context.argc() == 2) {
    return ReplyNamesOf(context, [](const Command&) { return true; });
  }
  if (context.argc() != 5 || !context.ArgIs(2, "filterby")) {
    return context.reply().Error(err::kSyntax);
  }
  const std::string_view filter = context.arg(4);
  if (context.ArgIs(3, "module")) return context.reply().EmptyArray();
  if (context.ArgIs(3, "aclcat")) {
    const std::optional<AclCategory> category = FindAclCategory(filter);
    return ReplyNamesOf(context, [category](const Command& command) {
      return category && command.categories().has(*category);
    });
  }
  if (context.ArgIs(3, "pattern")) {
    return ReplyNamesOf(context, [filter](const Command& command) {
      return GlobMatch(filter, command.full_name(), GlobCase::kIgnore);
    });
  }
  context.reply().Error(err::kSyntax);
}

// The command that a request names, down to its subcommand.
const Command* FindRequested(const CommandTable& table, std::span<const std::string_view> request) {
  const Command* command = table.Find(request[0]);
  if (command == nullptr || command->subcommands().empty()) return command;
  return request.size() < 2 ? nullptr : command->FindSubcommand(request[1]);
}

// The keys of the request that follows COMMAND GETKEYS. False after an error reply.
bool FindRequestedKeys(CommandContext& context, std::span<const std::string_view> request,
                       KeyPositions& positions) {
  const Command* command = FindRequested(Table(context), request);
  std::string_view error;
  if (command == nullptr) {
    error = "ERR Invalid command specified";
  } else if (!HasKeys(command->spec())) {
    error = "ERR The command has no key arguments";
  } else if (!command->ArityMatches(request.size())) {
    error = "ERR Invalid number of arguments specified for command";
  } else if ((!FindKeys(command->spec(), request, positions) || positions.empty()) &&
             !command->has(CommandFlag::kNoMandatoryKeys)) {
    error = "ERR Invalid arguments specified for command";
  }
  if (!error.empty()) context.reply().Error(error);
  return error.empty();
}

// COMMAND GETKEYS command [arg ...]. Replies: array of keys.
void CommandGetKeys(CommandContext& context) {
  const std::span<const std::string_view> request = context.args().subspan(2);
  KeyPositions positions;
  if (!FindRequestedKeys(context, request, positions)) return;
  context.reply().Array(positions.keys().size());
  for (const KeyPosition& key : positions.keys()) context.reply().Bulk(request[key.index]);
}

// COMMAND GETKEYSANDFLAGS command [arg ...]. Replies: array of pairs, the key and a set of flags.
void CommandGetKeysAndFlags(CommandContext& context) {
  const std::span<const std::string_view> request = context.args().subspan(2);
  KeyPositions positions;
  if (!FindRequestedKeys(context, request, positions)) return;
  context.reply().Array(positions.keys().size());
  for (const KeyPosition& key : positions.keys()) {
    context.reply().Array(2);
    context.reply().Bulk(request[key.index]);
    ReplyKeyFlags(key.flags, context.reply());
  }
}

constexpr std::string_view kCommandHelp[] = {
    "(no subcommand)",
    "    Return details about all Redis commands.",
    "COUNT",
    "    Return the total number of commands in this Redis server.",
    "LIST",
    "    Return a list of all commands in this Redis server.",
    "INFO [<command-name> ...]",
    "    Return details about multiple Redis commands.",
    "    If no command names are given, documentation details for all",
    "    commands are returned.",
    "DOCS [<command-name> ...]",
    "    Return documentation details about multiple Redis commands.",
    "    If no command names are given, documentation details for all",
    "    commands are returned.",
    "GETKEYS <full-command>",
    "    Return the keys from a full Redis command.",
    "GETKEYSANDFLAGS <full-command>",
    "    Return the keys and the access flags from a full Redis command.",
};

// COMMAND HELP. Replies: array of simple strings.
void CommandHelp(CommandContext& context) { ReplyHelp(context, kCommandHelp); }

constexpr Change kCommandInfoHistory[] = {
    {"7.0.0", "Allowed to be called with no argument to get info on all commands."}};

constexpr std::string_view kCommandDocsTips[] = {"nondeterministic_output_order"};

constexpr CommandSpec kCommandSubcommands[] = {
    {.name = "count",
     .handler = CommandCount,
     .arity = 2,
     .flags = Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .group = Group::kServer,
     .since = "2.8.13",
     .complexity = "O(1)",
     .summary = "Get total number of Redis commands"},
    {.name = "docs",
     .handler = CommandDocs,
     .arity = -2,
     .flags = Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .group = Group::kServer,
     .since = "7.0.0",
     .complexity = "O(N) where N is the number of commands to look up",
     .summary = "Get array of specific Redis command documentation",
     .arguments = "command-name:string?*",
     .tips = kCommandDocsTips},
    {.name = "getkeys",
     .handler = CommandGetKeys,
     .arity = -4,
     .flags = Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .group = Group::kServer,
     .since = "2.8.13",
     .complexity = "O(N) where N is the number of arguments to the command",
     .summary = "Extract keys given a full Redis command"},
    {.name = "getkeysandflags",
     .handler = CommandGetKeysAndFlags,
     .arity = -4,
     .flags = Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .group = Group::kServer,
     .since = "7.0.0",
     .complexity = "O(N) where N is the number of arguments to the command",
     .summary = "Extract keys and access flags given a full Redis command"},
    {.name = "help",
     .handler = CommandHelp,
     .arity = 2,
     .flags = Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .group = Group::kServer,
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Show helpful text about the different subcommands"},
    {.name = "info",
     .handler = CommandInfo,
     .arity = -2,
     .flags = Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .group = Group::kServer,
     .since = "2.8.13",
     .complexity = "O(N) where N is the number of commands to look up",
     .summary = "Get array of specific Redis command details, or all when no argument is given.",
     .arguments = "command-name:string?*",
     .history = kCommandInfoHistory,
     .tips = kCommandDocsTips},
    {.name = "list",
     .handler = CommandList,
     .arity = -2,
     .flags = Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .group = Group::kServer,
     .since = "7.0.0",
     .complexity = "O(N) where N is the total number of Redis commands",
     .summary = "Get an array of Redis command names",
     .arguments = "'FILTERBY' filterby:oneof('MODULE' module-name:string|'ACLCAT' "
                  "category:string|'PATTERN' pattern:pattern)?",
     .tips = kCommandDocsTips},
};

constexpr CommandSpec kCommandCommands[] = {
    {.name = "command",
     .handler = CommandAll,
     .arity = -1,
     .flags = Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .group = Group::kServer,
     .since = "2.8.13",
     .complexity = "O(N) where N is the total number of Redis commands",
     .summary = "Get array of Redis command details",
     .tips = kCommandDocsTips,
     .subcommands = kCommandSubcommands},
};

}  // namespace

std::span<const CommandSpec> CommandCommands() { return kCommandCommands; }

}  // namespace aeris
