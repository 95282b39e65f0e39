// HOTKEYS: the keys that carry the most requests, or the most bytes.
#include <algorithm>

#include "src/acl/acl_users.h"
#include "src/client.h"
#include "src/command_context.h"
#include "src/commands/families.h"
#include "src/commands/help.h"
#include "src/error_replies.h"
#include "src/server.h"

namespace aeris {
namespace {

// Names of keys that the client may not read are not for it; others take their places.
std::vector<HotKey> ReadableTop(const CommandContext& context, KeyLoad ranked_by,
                                std::size_t count) {
  Server& server = context.server();
  const Client& client = context.client();
  if (client.unrestricted) return server.hot_keys().Top(ranked_by, count);
  std::vector<HotKey> top = server.hot_keys().Top(ranked_by, HotKeys::kKeysMax);
  std::erase_if(top, [&](const HotKey& key) { return !server.acl().MayReadKey(client, key.key); });
  if (top.size() > count) top.resize(count);
  return top;
}

// HOTKEYS [GET [COUNT count] [BY COUNT | BYTES]]. Replies an array, the hottest first, of maps (in
// RESP2 arrays of name and value): key, db, count of requests, bytes that they moved in arguments
// and replies. Both are estimates from one request in 16, and lose half every ten minutes. Keys
// that the user may not read are left out. O(1).
void HotKeysGet(CommandContext& context) {
  constexpr std::int64_t kCountDefault = 10;
  std::int64_t count = kCountDefault;
  KeyLoad ranked_by = KeyLoad::kRequests;
  for (std::size_t i = 2; i < context.argc(); i += 2) {
    if (i + 1 == context.argc()) return context.reply().Error(err::kSyntax);
    if (context.ArgIs(i, "count")) {
      const auto given =
          context.IntegerArg(i + 1, 1, HotKeys::kKeysMax, "ERR COUNT should be between 1 and 128");
      if (!given) return;
      count = *given;
    } else if (context.ArgIs(i, "by") && context.ArgIs(i + 1, "count")) {
      ranked_by = KeyLoad::kRequests;
    } else if (context.ArgIs(i, "by") && context.ArgIs(i + 1, "bytes")) {
      ranked_by = KeyLoad::kBytes;
    } else {
      return context.reply().Error(err::kSyntax);
    }
  }
  const std::vector<HotKey> top = ReadableTop(context, ranked_by, static_cast<std::size_t>(count));
  protocol::ReplyWriter& reply = context.reply();
  reply.Array(top.size());
  for (const HotKey& key : top) {
    reply.Map(4);
    reply.Bulk("key");
    reply.Bulk(key.key);
    reply.Bulk("db");
    reply.Integer(static_cast<std::int64_t>(key.database));
    reply.Bulk("count");
    reply.Integer(static_cast<std::int64_t>(key.loads[KeyLoad::kRequests]));
    reply.Bulk("bytes");
    reply.Integer(static_cast<std::int64_t>(key.loads[KeyLoad::kBytes]));
  }
}
static_assert(HotKeys::kKeysMax == 128);  // as the error says

// HOTKEYS RESET. Replies OK.
void HotKeysReset(CommandContext& context) {
  context.server().hot_keys().Reset();
  context.reply().Ok();
}

void HotKeysHelp(CommandContext& context) {
  static constexpr std::string_view kLines[] = {
      "GET [COUNT <count>] [BY COUNT|BYTES]",
      "    Return the keys with the most requests, or whose requests move the most bytes",
      "    (default: 10, by count). HOTKEYS alone does the same. Entries are made of:",
      "    key, db, count of requests, bytes of arguments and replies.",
      "    Estimated from one request in 16; halved every ten minutes.",
      "RESET",
      "    Forget what was counted.",
  };
  ReplyHelp(context, kLines);
}

constexpr std::string_view kHotKeysTips[] = {"request_policy:all_nodes", "nondeterministic_output"};

constexpr std::string_view kHotKeysResetTips[] = {"request_policy:all_nodes",
                                                  "response_policy:all_succeeded"};

constexpr CommandSpec kHotKeysSubcommands[] = {
    {.name = "get",
     .handler = HotKeysGet,
     .arity = -2,
     .flags = Flag::kAdmin | Flag::kLoading | Flag::kStale,
     .group = Group::kServer,
     .since = "0.1.0",
     .complexity = "O(1)",
     .summary = "Get the keys with the most requests or bytes",
     .arguments = "'COUNT' count:integer? 'BY' by:oneof('COUNT' count:pure-token|'BYTES' "
                  "bytes:pure-token)?",
     .tips = kHotKeysTips},
    {.name = "help",
     .handler = HotKeysHelp,
     .arity = 2,
     .flags = Flag::kLoading | Flag::kStale,
     .group = Group::kServer,
     .since = "0.1.0",
     .complexity = "O(1)",
     .summary = "Show helpful text about the different subcommands"},
    {.name = "reset",
     .handler = HotKeysReset,
     .arity = 2,
     .flags = Flag::kAdmin | Flag::kLoading | Flag::kStale,
     .group = Group::kServer,
     .since = "0.1.0",
     .complexity = "O(1)",
     .summary = "Forget which keys were hot",
     .tips = kHotKeysResetTips},
};

constexpr CommandSpec kHotKeyCommands[] = {
    {.name = "hotkeys",
     .handler = HotKeysGet,
     .arity = -1,
     .flags = Flag::kAdmin | Flag::kLoading | Flag::kStale,
     .group = Group::kServer,
     .since = "0.1.0",
     .complexity = "Depends on subcommand.",
     .summary = "Get the keys with the most requests or bytes, or forget them",
     .subcommands = kHotKeysSubcommands},
};

}  // namespace

std::span<const CommandSpec> HotKeyCommands() { return kHotKeyCommands; }

}  // namespace aeris
