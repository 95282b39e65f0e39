// SLOWLOG: the commands that took longer than slowlog-log-slower-than.
#include <algorithm>
#include <limits>

#include "src/command_context.h"
#include "src/commands/families.h"
#include "src/commands/help.h"
#include "src/commands/key_specs.h"
#include "src/server.h"

namespace aeris {
namespace {

// SLOWLOG GET [count]. Replies an array, newest first, of [id, unix seconds, microseconds,
// [argument ...], peer, client name]. A count of -1 means all.
void SlowLogGet(CommandContext& context) {
  constexpr std::int64_t kCountDefault = 10;
  if (context.argc() > 3) return ReplySubcommandSyntax(context);
  std::int64_t wanted = kCountDefault;
  if (context.argc() == 3) {
    const std::optional<std::int64_t> given =
        context.IntegerArg(2, -1, std::numeric_limits<std::int64_t>::max(),
                           "ERR count should be greater than or equal to -1");
    if (!given) return;
    wanted = *given;
  }
  const auto& records = context.server().slow_log().records();
  const std::size_t count =
      wanted < 0 ? records.size() : std::min(records.size(), static_cast<std::size_t>(wanted));
  protocol::ReplyWriter& reply = context.reply();
  reply.Array(count);
  for (std::size_t i = 0; i < count; ++i) {
    const SlowLog::Record& record = records[i];
    reply.Array(6);
    reply.Integer(static_cast<std::int64_t>(record.id));
    reply.Integer(record.unix_seconds);
    reply.Integer(record.microseconds);
    reply.Array(record.arguments.size());
    for (const std::string& argument : record.arguments) reply.Bulk(argument);
    reply.Bulk(record.peer);
    reply.Bulk(record.client_name);
  }
}

// SLOWLOG LEN. Replies an integer.
void SlowLogLen(CommandContext& context) {
  context.reply().Integer(static_cast<std::int64_t>(context.server().slow_log().records().size()));
}

// SLOWLOG RESET. Replies OK. Ids go on counting.
void SlowLogReset(CommandContext& context) {
  context.server().slow_log().Clear();
  context.reply().Ok();
}

void SlowLogHelp(CommandContext& context) {
  static constexpr std::string_view kLines[] = {
      "GET [<count>]",
      "    Return top <count> entries from the slowlog (default: 10, -1 mean all).",
      "    Entries are made of:",
      "    id, timestamp, time in microseconds, arguments array, client IP and port,",
      "    client name",
      "LEN",
      "    Return the length of the slowlog.",
      "RESET",
      "    Reset the slowlog.",
  };
  ReplyHelp(context, kLines);
}

constexpr Change kSlowLogGetHistory[] = {
    {"4.0.0", "Added client IP address, port and name to the reply."}};

constexpr std::string_view kSlowLogGetTips[] = {"request_policy:all_nodes",
                                                "nondeterministic_output"};

constexpr std::string_view kSlowLogLenTips[] = {
    "request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"};

constexpr std::string_view kSlowLogResetTips[] = {"request_policy:all_nodes",
                                                  "response_policy:all_succeeded"};

constexpr CommandSpec kSlowLogSubcommands[] = {
    {.name = "get",
     .handler = SlowLogGet,
     .arity = -2,
     .flags = Flag::kAdmin | Flag::kLoading | Flag::kStale,
     .group = Group::kServer,
     .since = "2.2.12",
     .complexity = "O(N) where N is the number of entries returned",
     .summary = "Get the slow log's entries",
     .arguments = "count:integer?",
     .history = kSlowLogGetHistory,
     .tips = kSlowLogGetTips},
    {.name = "help",
     .handler = SlowLogHelp,
     .arity = 2,
     .flags = Flag::kLoading | Flag::kStale,
     .group = Group::kServer,
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Show helpful text about the different subcommands"},
    {.name = "len",
     .handler = SlowLogLen,
     .arity = 2,
     .flags = Flag::kAdmin | Flag::kLoading | Flag::kStale,
     .group = Group::kServer,
     .since = "2.2.12",
     .complexity = "O(1)",
     .summary = "Get the slow log's length",
     .tips = kSlowLogLenTips},
    {.name = "reset",
     .handler = SlowLogReset,
     .arity = 2,
     .flags = Flag::kAdmin | Flag::kLoading | Flag::kStale,
     .group = Group::kServer,
     .since = "2.2.12",
     .complexity = "O(N) where N is the number of entries in the slowlog",
     .summary = "Clear all entries from the slow log",
     .tips = kSlowLogResetTips},
};

constexpr CommandSpec kSlowLogCommands[] = {
    {.name = "slowlog",
     .arity = -2,
     .group = Group::kServer,
     .since = "2.2.12",
     .complexity = "Depends on subcommand.",
     .summary = "A container for slow log commands",
     .subcommands = kSlowLogSubcommands},
};

}  // namespace

std::span<const CommandSpec> SlowLogCommands() { return kSlowLogCommands; }

}  // namespace aeris
