// CLIENT: what connections are there, what they are called, and what becomes of them.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "src/client.h"
#include "src/client_filter.h"
#include "src/client_list.h"
#include "src/client_name.h"
#include "src/command_context.h"
#include "src/commands/families.h"
#include "src/commands/help.h"
#include "src/commands/tracking_commands.h"
#include "src/error_replies.h"
#include "src/server.h"
#include "src/text.h"

namespace aeris {
namespace {

// Longer pauses mean the same, and a monotonic time could not hold them.
constexpr std::chrono::milliseconds kPauseMax = std::chrono::hours(24 * 365);

// For subcommands with optional arguments that were given too many.
void ReplyTooManyArguments(const CommandContext& context) {
  context.reply().Error(
      fmt::format("ERR unknown subcommand or wrong number of arguments for '{}'. Try CLIENT HELP.",
                  EchoedText(context.arg(1))));
}

// ON or OFF at argument 2; nullopt after the error reply.
std::optional<bool> OnOffArg(const CommandContext& context) {
  if (context.ArgIs(2, "on")) return true;
  if (context.ArgIs(2, "off")) return false;
  context.reply().Error(err::kSyntax);
  return std::nullopt;
}

// CLIENT GETNAME. Replies bulk string | null.
void ClientGetName(CommandContext& context) {
  const std::string& name = context.client().name;
  if (name.empty()) return context.reply().Null();
  context.reply().Bulk(name);
}

// CLIENT ID. Replies an integer.
void ClientId(CommandContext& context) {
  context.reply().Integer(static_cast<std::int64_t>(context.client().id()));
}

// CLIENT INFO. Replies a verbatim string: the line of this client.
void ClientInfo(CommandContext& context) {
  std::string line;
  AppendClientLine(line, context.client(), context.server().monotonic());
  context.reply().Verbatim(line, "txt");
}

// Closes the clients that the filter means; oneself after the reply. Returns how many.
std::size_t KillMatching(const CommandContext& context, const ClientFilter& filter) {
  Server& server = context.server();
  std::size_t killed = 0;
  server.clients().ForEach([&](Client& client) {
    const bool me = &client == &context.client();
    if ((me && filter.skip_me) || !filter.Matches(client, server.monotonic())) return;
    if (me) {
      client.close_after_reply = true;
    } else {
      server.clients().CloseSoon(client);
    }
    ++killed;
  });
  return killed;
}

// CLIENT KILL address, which does not spare oneself: replies OK | an error when no client has it.
// CLIENT KILL filter value ...: replies how many were killed.
void ClientKill(CommandContext& context) {
  ClientFilter filter;
  if (context.argc() == 3) {
    filter.address = context.arg(2);
    filter.skip_me = false;
    if (KillMatching(context, filter) > 0) return context.reply().Ok();
    return context.reply().Error("ERR No such client");
  }
  if (!ParseClientFilter(context, filter)) return;
  context.reply().Integer(static_cast<std::int64_t>(KillMatching(context, filter)));
}

// The lines of the clients whose ids stand from argument 3 on. False after an error reply.
bool ListById(const CommandContext& context, std::string& lines) {
  Server& server = context.server();
  for (std::size_t i = 3; i < context.argc(); ++i) {
    constexpr auto kLimits = std::numeric_limits<std::int64_t>();
    const auto id = context.IntegerArg(i, kLimits.min(), kLimits.max(), "ERR Invalid client ID");
    if (!id) return false;
    const Client* client = server.clients().Find(static_cast<std::uint64_t>(*id));
    if (client != nullptr) AppendClientLine(lines, *client, server.monotonic());
  }
  return true;
}

// CLIENT LIST [TYPE type | ID id ...]. Replies a verbatim string: a line for each client.
void ClientList(CommandContext& context) {
  std::string lines;
  if (context.argc() > 3 && context.ArgIs(2, "id")) {
    if (!ListById(context, lines)) return;
    return context.reply().Verbatim(lines, "txt");
  }
  std::optional<ClientType> type;
  if (context.argc() == 4 && context.ArgIs(2, "type")) {
    type = ClientTypeArg(context, 3);
    if (!type) return;
  } else if (context.argc() != 2) {
    return context.reply().Error(err::kSyntax);
  }
  Server& server = context.server();
  server.clients().ForEach([&](const Client& client) {
    if (!type || TypeOf(client) == *type) AppendClientLine(lines, client, server.monotonic());
  });
  context.reply().Verbatim(lines, "txt");
}

// CLIENT NO-EVICT ON | OFF. Replies OK.
void ClientNoEvict(CommandContext& context) {
  const auto on = OnOffArg(context);
  if (!on) return;
  context.client().no_evict = *on;
  context.server().clients().sizes().Count(context.client());
  context.reply().Ok();
}

// CLIENT NO-TOUCH ON | OFF. Replies OK.
void ClientNoTouch(CommandContext& context) {
  const auto on = OnOffArg(context);
  if (!on) return;
  context.client().no_touch = *on;
  context.reply().Ok();
}

// CLIENT PAUSE milliseconds [WRITE | ALL]. Replies OK.
void ClientPauseFor(CommandContext& context) {
  if (context.argc() > 4) return ReplyTooManyArguments(context);
  auto kind = ClientPause::Kind::kAll;
  if (context.argc() == 4 && context.ArgIs(3, "write")) {
    kind = ClientPause::Kind::kWrite;
  } else if (context.argc() == 4 && !context.ArgIs(3, "all")) {
    return context.reply().Error("ERR CLIENT PAUSE mode must be WRITE or ALL");
  }
  constexpr auto kLimits = std::numeric_limits<std::int64_t>();
  const auto length = context.IntegerArg(2, kLimits.min(), kLimits.max(),
                                         "ERR timeout is not an integer or out of range");
  if (!length) return;
  if (*length < 0) return context.reply().Error("ERR timeout is negative");
  // Redis 7.0 lets the sum wrap and pauses nobody; later versions refuse it as here.
  if (*length > kLimits.max() - context.now()) {
    return context.reply().Error("ERR timeout is out of range");
  }
  context.server().PauseClients(kind, std::min(std::chrono::milliseconds(*length), kPauseMax));
  context.reply().Ok();
}

// CLIENT REPLY ON | OFF | SKIP. Replies OK for ON, nothing otherwise.
void ClientReply(CommandContext& context) {
  Client& client = context.client();
  if (context.ArgIs(2, "on")) {
    client.reply_mode = ReplyMode::kOn;
    context.reply().set_muted(client.close_after_reply);
    context.reply().Ok();
  } else if (context.ArgIs(2, "off")) {
    client.reply_mode = ReplyMode::kOff;
  } else if (context.ArgIs(2, "skip")) {
    if (client.reply_mode != ReplyMode::kOff) client.reply_mode = ReplyMode::kSkipNext;
  } else {
    context.reply().Error(err::kSyntax);
  }
}

// CLIENT SETINFO LIB-NAME | LIB-VER value. Replies OK. An empty value takes it back.
void ClientSetInfo(CommandContext& context) {
  const bool is_name = context.ArgIs(2, "lib-name");
  if (!is_name && !context.ArgIs(2, "lib-ver")) {
    return context.reply().Error(
        fmt::format("ERR Unrecognized option '{}'", EchoedText(context.arg(2))));
  }
  if (!IsValidClientName(context.arg(3))) {
    return context.reply().Error(fmt::format(
        "ERR {} cannot contain spaces, newlines or special characters.", context.arg(2)));
  }
  Client& client = context.client();
  if (!client.library) client.library = std::make_unique<Client::Library>();
  (is_name ? client.library->name : client.library->version) = context.arg(3);
  context.reply().Ok();
}

// CLIENT SETNAME name. Replies OK. An empty name takes it back.
void ClientSetName(CommandContext& context) {
  if (!IsValidClientName(context.arg(2))) return context.reply().Error(err::kInvalidClientName);
  context.client().name = context.arg(2);
  context.reply().Ok();
}

// CLIENT UNBLOCK id [TIMEOUT | ERROR]. Replies 1 when the client waited for a key, else 0; CLIENT
// PAUSE is not ended this way. That client's command replies as at its timeout, or an error.
void ClientUnblock(CommandContext& context) {
  if (context.argc() > 4) return ReplyTooManyArguments(context);
  if (context.argc() == 4 && !context.ArgIs(3, "timeout") && !context.ArgIs(3, "error")) {
    return context.reply().Error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
  }
  const auto id = context.IntegerArg(2);
  if (!id) return;
  Client* const client = context.server().clients().Find(static_cast<std::uint64_t>(*id));
  if (client == nullptr || !client->blocked) return context.reply().Integer(0);
  const bool error = context.argc() == 4 && context.ArgIs(3, "error");
  using Reason = BlockedClients::Reason;
  context.server().blocked_clients().Unblock(*client, error ? Reason::kError : Reason::kTimeout);
  context.reply().Integer(1);
}

// CLIENT UNPAUSE. Replies OK.
void ClientUnpause(CommandContext& context) {
  context.server().ResumeClients();
  context.reply().Ok();
}

void ClientHelp(CommandContext& context) {
  static constexpr std::string_view kLines[] = {
      "CACHING (YES|NO)",
      "    Enable/disable tracking of the keys for next command in OPTIN/OPTOUT modes.",
      "GETREDIR",
      "    Return the client ID we are redirecting to when tracking is enabled.",
      "GETNAME",
      "    Return the name of the current connection.",
      "ID",
      "    Return the ID of the current connection.",
      "INFO",
      "    Return information about the current client connection.",
      "KILL <ip:port>",
      "    Kill connection made from <ip:port>.",
      "KILL <option> <value> [<option> <value> [...]]",
      "    Kill connections. Options are:",
      "    * ADDR (<ip:port>|<unixsocket>:0)",
      "      Kill connections made from the specified address",
      "    * LADDR (<ip:port>|<unixsocket>:0)",
      "      Kill connections made to specified local address",
      "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
      "      Kill connections by type.",
      "    * USER <username>",
      "      Kill connections authenticated by <username>.",
      "    * SKIPME (YES|NO)",
      "      Skip killing current connection (default: yes).",
      "    * ID <client-id>",
      "      Kill connections by client id.",
      "    * MAXAGE <maxage>",
      "      Kill connections older than the specified age.",
      "LIST [options ...]",
      "    Return information about client connections. Options:",
      "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
      "      Return clients of specified type.",
      "    * ID <client-id> [<client-id> [...]]",
      "      Return clients of specified IDs only.",
      "UNPAUSE",
      "    Stop the current client pause, resuming traffic.",
      "PAUSE <timeout> [WRITE|ALL]",
      "    Suspend all, or just write, clients for <timeout> milliseconds.",
      "REPLY (ON|OFF|SKIP)",
      "    Control the replies sent to the current connection.",
      "SETNAME <name>",
      "    Assign the name <name> to the current connection.",
      "SETINFO <option> <value>",
      "    Set client meta attr. Options are:",
      "    * LIB-NAME: the client lib name.",
      "    * LIB-VER: the client lib version.",
      "UNBLOCK <clientid> [TIMEOUT|ERROR]",
      "    Unblock the specified blocked client.",
      "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]",
      "         [OPTIN] [OPTOUT] [NOLOOP]",
      "    Control server assisted client side caching.",
      "TRACKINGINFO",
      "    Report tracking status for the current connection.",
      "NO-EVICT (ON|OFF)",
      "    Protect current client connection from eviction.",
      "NO-TOUCH (ON|OFF)",
      "    Will not touch LRU/LFU stats when this mode is on.",
  };
  ReplyHelp(context, kLines);
}

constexpr Change kClientKillHistory[] = {
    {"2.8.12", "Added new filter format."},
    {"2.8.12", "`ID` option."},
    {"3.2.0", "Added `master` type in for `TYPE` option."},
    {"5.0.0",
     "Replaced `slave` `TYPE` with `replica`. `slave` still supported for backward compatibility."},
    {"6.2.0", "`LADDR` option."}};

constexpr Change kClientListHistory[] = {
    {"2.8.12", "Added unique client `id` field."},
    {"5.0.0", "Added optional `TYPE` filter."},
    {"6.0.0", "Added `user` field."},
    {"6.2.0",
     "Added `argv-mem`, `tot-mem`, `laddr` and `redir` fields and the optional `ID` filter."},
    {"7.0.0", "Added `resp`, `multi-mem`, `rbs` and `rbp` fields."},
    {"7.0.3", "Added `ssub` field."}};

constexpr Change kClientPauseHistory[] = {
    {"6.2.0", "`CLIENT PAUSE WRITE` mode added along with the `mode` option."}};

constexpr std::string_view kClientInfoTips[] = {"nondeterministic_output"};

constexpr std::string_view kClientSetInfoTips[] = {"request_policy:all_nodes",
                                                   "response_policy:all_succeeded"};

constexpr CommandSpec kClientSubcommands[] = {
    {.name = "caching",
     .handler = ClientCaching,
     .arity = 3,
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .group = Group::kConnection,
     .since = "6.0.0",
     .complexity = "O(1)",
     .summary = "Instruct the server about tracking or not keys in the next request",
     .arguments = "mode:oneof('YES' yes:pure-token|'NO' no:pure-token)"},
    {.name = "getname",
     .handler = ClientGetName,
     .arity = 2,
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .group = Group::kConnection,
     .since = "2.6.9",
     .complexity = "O(1)",
     .summary = "Get the current connection name"},
    {.name = "getredir",
     .handler = ClientGetRedir,
     .arity = 2,
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .group = Group::kConnection,
     .since = "6.0.0",
     .complexity = "O(1)",
     .summary = "Get tracking notifications redirection client ID if any"},
    {.name = "help",
     .handler = ClientHelp,
     .arity = 2,
     .flags = Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .group = Group::kConnection,
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Show helpful text about the different subcommands"},
    {.name = "id",
     .handler = ClientId,
     .arity = 2,
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .group = Group::kConnection,
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Returns the client ID for the current connection"},
    {.name = "info",
     .handler = ClientInfo,
     .arity = 2,
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .group = Group::kConnection,
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Returns information about the current client connection.",
     .tips = kClientInfoTips},
    {.name = "kill",
     .handler = ClientKill,
     .arity = -3,
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .group = Group::kConnection,
     .since = "2.4.0",
     .complexity = "O(N) where N is the number of client connections",
     .summary = "Kill the connection of a client",
     .arguments = "filter:oneof(ip:port:string!2.8.12|new-format:oneof('ID' "
                  "client-id:integer?@2.8.12|'TYPE' normal_master_slave_pubsub:oneof('NORMAL' "
                  "normal:pure-token|'MASTER' master:pure-token@3.2.0|'SLAVE' "
                  "slave:pure-token|'REPLICA' replica:pure-token@5.0.0|'PUBSUB' "
                  "pubsub:pure-token)?@2.8.12|'USER' username:string?|'ADDR' "
                  "ip:port:string?|'LADDR' ip:port:string?@6.2.0|'SKIPME' yes/no:string?)*)",
     .history = kClientKillHistory},
    {.name = "list",
     .handler = ClientList,
     .arity = -2,
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .group = Group::kConnection,
     .since = "2.4.0",
     .complexity = "O(N) where N is the number of client connections",
     .summary = "Get the list of client connections",
     .arguments = "'TYPE' normal_master_replica_pubsub:oneof('NORMAL' normal:pure-token|'MASTER' "
                  "master:pure-token|'REPLICA' replica:pure-token|'PUBSUB' "
                  "pubsub:pure-token)?@5.0.0 'ID' id:block(client-id:integer*)?@6.2.0",
     .history = kClientListHistory,
     .tips = kClientInfoTips},
    {.name = "no-evict",
     .handler = ClientNoEvict,
     .arity = 3,
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .group = Group::kConnection,
     .since = "7.0.0",
     .complexity = "O(1)",
     .summary = "Set client eviction mode for the current connection",
     .arguments = "enabled:oneof('ON' on:pure-token|'OFF' off:pure-token)"},
    {.name = "no-touch",
     .handler = ClientNoTouch,
     .arity = 3,
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .group = Group::kConnection,
     .since = "7.2.0",
     .complexity = "O(1)",
     .summary = "Controls whether commands sent by the client affect the LRU/LFU of accessed keys.",
     .arguments = "enabled:oneof('ON' on:pure-token|'OFF' off:pure-token)"},
    {.name = "pause",
     .handler = ClientPauseFor,
     .arity = -3,
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .group = Group::kConnection,
     .since = "2.9.50",
     .complexity = "O(1)",
     .summary = "Stop processing commands from clients for some time",
     .arguments =
         "timeout:integer mode:oneof('WRITE' write:pure-token|'ALL' all:pure-token)?@6.2.0",
     .history = kClientPauseHistory},
    {.name = "reply",
     .handler = ClientReply,
     .arity = 3,
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .group = Group::kConnection,
     .since = "3.2.0",
     .complexity = "O(1)",
     .summary = "Instruct the server whether to reply to commands",
     .arguments =
         "on_off_skip:oneof('ON' on:pure-token|'OFF' off:pure-token|'SKIP' skip:pure-token)"},
    {.name = "setinfo",
     .handler = ClientSetInfo,
     .arity = 4,
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .group = Group::kConnection,
     .since = "7.2.0",
     .complexity = "O(1)",
     .summary = "Sets information specific to the client or connection.",
     .arguments = "attr:oneof('LIB-NAME' libname:string|'LIB-VER' libver:string)",
     .tips = kClientSetInfoTips},
    {.name = "setname",
     .handler = ClientSetName,
     .arity = 3,
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .group = Group::kConnection,
     .since = "2.6.9",
     .complexity = "O(1)",
     .summary = "Set the current connection name",
     .arguments = "connection-name:string"},
    {.name = "tracking",
     .handler = ClientTrackingSet,
     .arity = -3,
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .group = Group::kConnection,
     .since = "6.0.0",
     .complexity = "O(1). Some options may introduce additional complexity.",
     .summary = "Enable or disable server assisted client side caching support",
     .arguments = "status:oneof('ON' on:pure-token|'OFF' off:pure-token) 'REDIRECT' "
                  "client-id:integer? 'PREFIX' prefix:string?+ 'BCAST' bcast:pure-token? 'OPTIN' "
                  "optin:pure-token? 'OPTOUT' optout:pure-token? 'NOLOOP' noloop:pure-token?"},
    {.name = "trackinginfo",
     .handler = ClientTrackingInfo,
     .arity = 2,
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .group = Group::kConnection,
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Return information about server assisted client side caching for the current "
                "connection"},
    {.name = "unblock",
     .handler = ClientUnblock,
     .arity = -3,
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .group = Group::kConnection,
     .since = "5.0.0",
     .complexity = "O(log N) where N is the number of client connections",
     .summary = "Unblock a client blocked in a blocking command from a different connection",
     .arguments = "client-id:integer timeout_error:oneof('TIMEOUT' timeout:pure-token|'ERROR' "
                  "error:pure-token)?"},
    {.name = "unpause",
     .handler = ClientUnpause,
     .arity = 2,
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .group = Group::kConnection,
     .since = "6.2.0",
     .complexity = "O(N) Where N is the number of paused clients",
     .summary = "Resume processing of clients that were paused"},
};

constexpr CommandSpec kClientCommands[] = {
    {.name = "client",
     .arity = -2,
     .group = Group::kConnection,
     .since = "2.4.0",
     .complexity = "Depends on subcommand.",
     .summary = "A container for client connection commands",
     .subcommands = kClientSubcommands},
};

}  // namespace

std::span<const CommandSpec> ClientCommands() { return kClientCommands; }

}  // namespace aeris
