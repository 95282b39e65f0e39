// Commands about the connection itself: login, protocol version, database.
#include <fmt/format.h>

#include "src/acl/acl_users.h"
#include "src/base/number_text.h"
#include "src/client.h"
#include "src/client_name.h"
#include "src/client_tracking.h"
#include "src/command_context.h"
#include "src/commands/families.h"
#include "src/commands/key_specs.h"
#include "src/database_argument.h"
#include "src/error_replies.h"
#include "src/server.h"
#include "src/text.h"
#include "src/version.h"

namespace aeris {
namespace {

// AUTH [user] password. Replies OK | WRONGPASS.
void Auth(CommandContext& context) {
  if (context.argc() > 3) return context.reply().Error(err::kSyntax);
  const bool with_user = context.argc() == 3;
  const std::string_view user = with_user ? context.arg(1) : "default";
  const std::string_view password = context.arg(with_user ? 2 : 1);
  AclUsers& acl = context.server().acl();
  for (std::size_t i = 1; i < context.argc(); ++i) context.Redact(i);
  if (!with_user && acl.default_takes_any_password()) {
    return context.reply().Error(
        "ERR AUTH <password> called without any password configured for the default user. Are you "
        "sure your configuration is correct?");
  }
  if (AclUser* const known = acl.Authenticate(context, user, password)) {
    acl.LogIn(context.client(), *known);
    context.reply().Ok();
  }
}

// ECHO message. Replies the message as bulk string.
void Echo(CommandContext& context) { context.reply().Bulk(context.arg(1)); }

struct HelloOptions {
  int resp = 0;             // 0: not asked for
  AclUser* user = nullptr;  // whose password was given, and is right
  bool set_name = false;
  std::string_view name;
};

// Checks the options in their order, as Redis does, but changes nothing. False after an error
// reply.
bool ParseHello(CommandContext& context, HelloOptions& options) {
  if (context.argc() < 2) return true;
  const std::optional<std::int64_t> version = ParseInt64(context.arg(1));
  if (!version) {
    context.reply().Error("ERR Protocol version is not an integer or out of range");
    return false;
  }
  if (*version < 2 || *version > 3) {
    context.reply().Error(err::kNoProto);
    return false;
  }
  options.resp = static_cast<int>(*version);
  for (std::size_t i = 2; i < context.argc(); ++i) {
    const std::size_t left = context.argc() - 1 - i;
    if (context.ArgIs(i, "auth") && left >= 2) {
      const std::string_view user = context.arg(i + 1);
      const std::string_view password = context.arg(i + 2);
      context.Redact(i + 1);
      context.Redact(i + 2);
      options.user = context.server().acl().Authenticate(context, user, password);
      if (options.user == nullptr) return false;
      i += 2;
    } else if (context.ArgIs(i, "setname") && left >= 1) {
      options.set_name = true;
      options.name = context.arg(++i);
      if (!IsValidClientName(options.name)) {
        context.reply().Error(err::kInvalidClientName);
        return false;
      }
    } else {
      context.reply().Error(
          fmt::format("ERR Syntax error in HELLO option '{}'", EchoedText(context.arg(i))));
      return false;
    }
  }
  return true;
}

// HELLO [protover [AUTH user password] [SETNAME name]]. Replies a map about the server.
void Hello(CommandContext& context) {
  HelloOptions options;
  if (!ParseHello(context, options)) return;
  Client& client = context.client();
  if (!client.authenticated && options.user == nullptr) {
    return context.reply().Error(
        "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO "
        "AUTH <user> <pass> option can be used to authenticate the client and select the RESP "
        "protocol version at the same time");
  }
  if (options.user != nullptr) context.server().acl().LogIn(client, *options.user);
  if (options.set_name) client.name = options.name;
  if (options.resp != 0) context.reply().set_resp(options.resp);
  protocol::ReplyWriter& reply = context.reply();
  reply.Map(7);
  reply.Bulk("server");
  reply.Bulk("redis");
  reply.Bulk("version");
  reply.Bulk(kRedisVersion);
  reply.Bulk("proto");
  reply.Integer(reply.resp());
  reply.Bulk("id");
  reply.Integer(static_cast<std::int64_t>(client.id()));
  reply.Bulk("mode");
  reply.Bulk("standalone");
  reply.Bulk("role");
  reply.Bulk("master");
  reply.Bulk("modules");
  reply.EmptyArray();
}

// PING [message]. Replies PONG as simple string | the message as bulk string | to a subscriber with
// RESP2 an array as messages are, of pong and the message, empty without one.
void Ping(CommandContext& context) {
  if (context.argc() > 2) return context.ReplyWrongArity();
  if (context.client().subscriptions && context.reply().resp() == 2) {
    context.reply().Array(2);
    context.reply().Bulk("pong");
    return context.reply().Bulk(context.argc() == 2 ? context.arg(1) : "");
  }
  if (context.argc() == 2) return context.reply().Bulk(context.arg(1));
  context.reply().Raw("+PONG\r\n");
}

// QUIT. Replies OK; the connection is closed after the reply.
void Quit(CommandContext& context) {
  context.reply().Ok();
  context.client().close_after_reply = true;
}

// RESET. The connection as it was when it was made. Replies RESET as simple string.
void Reset(CommandContext& context) {
  Client& client = context.client();
  client.database = 0;
  client.name.clear();
  client.no_touch = false;
  client.no_evict = false;
  if (client.monitor) {
    client.monitor = false;
    context.server().monitor().Remove(client);
  }
  client.subscriptions.reset();
  context.server().dispatcher().EndTransaction(client);
  client.tracking.reset();
  client.reply_mode = ReplyMode::kOn;
  context.reply().set_muted(false);
  context.reply().set_resp(2);
  context.server().acl().Connect(client);
  context.reply().SimpleString("RESET");
}

// SELECT index. Replies OK.
void Select(CommandContext& context) {
  const auto index = DatabaseArg(context, 1);
  if (!index) return;
  context.client().database = static_cast<int>(*index);
  context.reply().Ok();
}

constexpr Change kAuthHistory[] = {{"6.0.0", "Added ACL style (username and password)."}};

constexpr Change kHelloHistory[] = {{"6.2.0",
                                     "`protover` made optional; when called without arguments the "
                                     "command reports the current connection's context."}};

constexpr std::string_view kPingTips[] = {"request_policy:all_shards",
                                          "response_policy:all_succeeded"};

constexpr CommandSpec kConnectionCommands[] = {
    {.name = "auth",
     .handler = Auth,
     .arity = -2,
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale | Flag::kFast | Flag::kNoAuth |
              Flag::kAllowBusy,
     .acl = Acl::kConnection,
     .group = Group::kConnection,
     .since = "1.0.0",
     .complexity = "O(N) where N is the number of passwords defined for the user",
     .summary = "Authenticate to the server",
     .arguments = "username:string?@6.0.0 password:string",
     .history = kAuthHistory},
    {.name = "echo",
     .handler = Echo,
     .arity = 2,
     .flags = Flag::kLoading | Flag::kStale | Flag::kFast,
     .acl = Acl::kConnection,
     .group = Group::kConnection,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Echo the given string",
     .arguments = "message:string"},
    {.name = "hello",
     .handler = Hello,
     .arity = -1,
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale | Flag::kFast | Flag::kNoAuth |
              Flag::kAllowBusy,
     .acl = Acl::kConnection,
     .group = Group::kConnection,
     .since = "6.0.0",
     .complexity = "O(1)",
     .summary = "Handshake with Redis",
     .arguments = "arguments:block(protover:integer 'AUTH' username_password:block(username:string "
                  "password:string)? 'SETNAME' clientname:string?)?",
     .history = kHelloHistory},
    {.name = "ping",
     .handler = Ping,
     .arity = -1,
     .flags = Flag::kFast,
     .acl = Acl::kConnection,
     .group = Group::kConnection,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Ping the server",
     .arguments = "message:string?",
     .tips = kPingTips,
     .brief_args_max = 2},
    {.name = "quit",
     .handler = Quit,
     .arity = -1,
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale | Flag::kFast | Flag::kNoAuth |
              Flag::kAllowBusy | Flag::kNotQueued,
     .acl = Acl::kConnection,
     .group = Group::kConnection,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Close the connection"},
    {.name = "reset",
     .handler = Reset,
     .arity = 1,
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale | Flag::kFast | Flag::kNoAuth |
              Flag::kAllowBusy | Flag::kNotQueued,
     .acl = Acl::kConnection,
     .group = Group::kConnection,
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Reset the connection"},
    {.name = "select",
     .handler = Select,
     .arity = 2,
     .flags = Flag::kLoading | Flag::kStale | Flag::kFast,
     .acl = Acl::kConnection,
     .group = Group::kConnection,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Change the selected database for the current connection",
     .arguments = "index:integer"},
};

}  // namespace

std::span<const CommandSpec> ConnectionCommands() { return kConnectionCommands; }

}  // namespace aeris
