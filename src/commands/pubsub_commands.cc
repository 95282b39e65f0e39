// Messages from client to client: subscriptions to channels, patterns and shard channels.
//
// A shard channel is a channel of a name space of its own; without a cluster that is all there is
// to it. Confirmations and messages are arrays of RESP2 and pushes of RESP3, and come even to
// clients that want no replies (CLIENT REPLY).
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "src/base/glob.h"
#include "src/client.h"
#include "src/command_context.h"
#include "src/commands/families.h"
#include "src/commands/help.h"
#include "src/commands/key_specs.h"
#include "src/pubsub.h"
#include "src/server.h"

namespace aeris {
namespace {

// What the confirmations of a kind of subscription count: channels and patterns together.
std::size_t SubscriptionCount(const Client& client, ChannelKind kind) {
  if (kind == ChannelKind::kShardChannel) return PubSub::CountOf(client, kind);
  return PubSub::CountOf(client, ChannelKind::kChannel) +
         PubSub::CountOf(client, ChannelKind::kPattern);
}

// One confirmation: what was done, the name or null, and how many subscriptions there are now.
void Confirm(const CommandContext& context, std::string_view what,
             std::optional<std::string_view> name, ChannelKind kind) {
  protocol::ReplyWriter& reply = context.reply();
  const bool muted = reply.muted();
  reply.set_muted(context.client().close_after_reply);
  reply.Push(3);
  reply.Bulk(what);
  name ? reply.Bulk(*name) : reply.Null();
  reply.Integer(static_cast<std::int64_t>(SubscriptionCount(context.client(), kind)));
  reply.set_muted(muted);
}

void SubscribeTo(CommandContext& context, ChannelKind kind, std::string_view what) {
  for (std::size_t i = 1; i < context.argc(); ++i) {
    context.server().pubsub().Subscribe(context.client(), kind, context.arg(i));
    Confirm(context, what, context.arg(i), kind);
  }
}

void UnsubscribeFrom(CommandContext& context, ChannelKind kind, std::string_view what) {
  PubSub& pubsub = context.server().pubsub();
  Client& client = context.client();
  for (std::size_t i = 1; i < context.argc(); ++i) {
    pubsub.Unsubscribe(client, kind, context.arg(i));
    Confirm(context, what, context.arg(i), kind);
  }
  if (context.argc() > 1) return;
  const std::vector<std::string> names = PubSub::NamesOf(client, kind);
  for (const std::string& name : names) {
    pubsub.Unsubscribe(client, kind, name);
    Confirm(context, what, name, kind);
  }
  if (names.empty()) Confirm(context, what, std::nullopt, kind);
}

// SUBSCRIBE channel ... Confirms each.
void Subscribe(CommandContext& context) {
  SubscribeTo(context, ChannelKind::kChannel, "subscribe");
}

// PSUBSCRIBE pattern ... Confirms each.
void Psubscribe(CommandContext& context) {
  SubscribeTo(context, ChannelKind::kPattern, "psubscribe");
}

// SSUBSCRIBE shardchannel ... Confirms each. Unlike the others it is an error inside MULTI.
void Ssubscribe(CommandContext& context) {
  if (context.client().deny_blocking) {
    return context.reply().Error("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client");
  }
  SubscribeTo(context, ChannelKind::kShardChannel, "ssubscribe");
}

// UNSUBSCRIBE [channel ...]: of all without one. Confirms each; null when there was none.
void Unsubscribe(CommandContext& context) {
  UnsubscribeFrom(context, ChannelKind::kChannel, "unsubscribe");
}

// PUNSUBSCRIBE [pattern ...]
void Punsubscribe(CommandContext& context) {
  UnsubscribeFrom(context, ChannelKind::kPattern, "punsubscribe");
}

// SUNSUBSCRIBE [shardchannel ...]
void Sunsubscribe(CommandContext& context) {
  UnsubscribeFrom(context, ChannelKind::kShardChannel, "sunsubscribe");
}

// PUBLISH channel message. Replies to how many subscriptions it went.
void Publish(CommandContext& context) {
  const std::size_t receivers = context.server().pubsub().Publish(context.arg(1), context.arg(2));
  context.reply().Integer(static_cast<std::int64_t>(receivers));
}

// SPUBLISH shardchannel message. Replies to how many subscriptions it went.
void Spublish(CommandContext& context) {
  const std::size_t receivers =
      context.server().pubsub().PublishToShard(context.arg(1), context.arg(2));
  context.reply().Integer(static_cast<std::int64_t>(receivers));
}

// Replies the names that match the pattern at argument 2, all without one.
void ReplyChannels(CommandContext& context, ChannelKind kind) {
  if (context.argc() > 3) return ReplySubcommandSyntax(context);
  const auto deferred = context.reply().BeginArray();
  std::size_t count = 0;
  for (const auto& [name, subscribers] : context.server().pubsub().channels(kind)) {
    if (context.argc() == 3 && !GlobMatch(context.arg(2), name)) continue;
    context.reply().Bulk(name);
    ++count;
  }
  context.reply().EndArray(deferred, count);
}

// Replies each name from argument 2 on with the number of its subscribers.
void ReplySubscribers(CommandContext& context, ChannelKind kind) {
  context.reply().Array((context.argc() - 2) * 2);
  for (std::size_t i = 2; i < context.argc(); ++i) {
    context.reply().Bulk(context.arg(i));
    context.reply().Integer(
        static_cast<std::int64_t>(context.server().pubsub().subscribers(kind, context.arg(i))));
  }
}

// PUBSUB CHANNELS [pattern]. Replies an array of names.
void PubsubChannels(CommandContext& context) { ReplyChannels(context, ChannelKind::kChannel); }

// PUBSUB SHARDCHANNELS [pattern]. Replies an array of names.
void PubsubShardChannels(CommandContext& context) {
  ReplyChannels(context, ChannelKind::kShardChannel);
}

// PUBSUB NUMSUB [channel ...]. Replies an array of names, each with a number.
void PubsubNumsub(CommandContext& context) { ReplySubscribers(context, ChannelKind::kChannel); }

// PUBSUB SHARDNUMSUB [shardchannel ...]. Replies an array of names, each with a number.
void PubsubShardNumsub(CommandContext& context) {
  ReplySubscribers(context, ChannelKind::kShardChannel);
}

// PUBSUB NUMPAT. Replies the number of different patterns.
void PubsubNumpat(CommandContext& context) {
  const Channels& patterns = context.server().pubsub().channels(ChannelKind::kPattern);
  context.reply().Integer(static_cast<std::int64_t>(patterns.size()));
}

void PubsubHelp(CommandContext& context) {
  static constexpr std::string_view kLines[] = {
      "CHANNELS [<pattern>]",
      "    Return the currently active channels matching a <pattern> (default: '*').",
      "NUMPAT",
      "    Return number of subscriptions to patterns.",
      "NUMSUB [<channel> ...]",
      "    Return the number of subscribers for the specified channels, excluding",
      "    pattern subscriptions(default: no channels).",
      "SHARDCHANNELS [<pattern>]",
      "    Return the currently active shard level channels matching a <pattern> (default: '*').",
      "SHARDNUMSUB [<shardchannel> ...]",
      "    Return the number of subscribers for the specified shard level channel(s)",
  };
  ReplyHelp(context, kLines);
}

// Shard channels decide to which shard of a cluster a command belongs, as keys do.
constexpr KeySpec kShardChannel[] = {{.flags = KeyFlag::kNotKey}};
constexpr KeySpec kShardChannels[] = {{.flags = KeyFlag::kNotKey, .last = -1}};

constexpr CommandSpec kPubsubSubcommands[] = {
    {.name = "channels",
     .handler = PubsubChannels,
     .arity = -2,
     .flags = Flag::kPubsub | Flag::kLoading | Flag::kStale,
     .group = Group::kPubsub,
     .since = "2.8.0",
     .complexity = "O(N) where N is the number of active channels, and assuming constant time "
                   "pattern matching (relatively short channels and patterns)",
     .summary = "List active channels",
     .arguments = "pattern:pattern?"},
    {.name = "help",
     .handler = PubsubHelp,
     .arity = 2,
     .flags = Flag::kLoading | Flag::kStale,
     .group = Group::kPubsub,
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Show helpful text about the different subcommands"},
    {.name = "numpat",
     .handler = PubsubNumpat,
     .arity = 2,
     .flags = Flag::kPubsub | Flag::kLoading | Flag::kStale,
     .group = Group::kPubsub,
     .since = "2.8.0",
     .complexity = "O(1)",
     .summary = "Get the count of unique patterns pattern subscriptions"},
    {.name = "numsub",
     .handler = PubsubNumsub,
     .arity = -2,
     .flags = Flag::kPubsub | Flag::kLoading | Flag::kStale,
     .group = Group::kPubsub,
     .since = "2.8.0",
     .complexity = "O(N) for the NUMSUB subcommand, where N is the number of requested channels",
     .summary = "Get the count of subscribers for channels",
     .arguments = "channel:string?*"},
    {.name = "shardchannels",
     .handler = PubsubShardChannels,
     .arity = -2,
     .flags = Flag::kPubsub | Flag::kLoading | Flag::kStale,
     .group = Group::kPubsub,
     .since = "7.0.0",
     .complexity = "O(N) where N is the number of active shard channels, and assuming constant "
                   "time pattern matching (relatively short shard channels).",
     .summary = "List active shard channels",
     .arguments = "pattern:pattern?"},
    {.name = "shardnumsub",
     .handler = PubsubShardNumsub,
     .arity = -2,
     .flags = Flag::kPubsub | Flag::kLoading | Flag::kStale,
     .group = Group::kPubsub,
     .since = "7.0.0",
     .complexity = "O(N) for the SHARDNUMSUB subcommand, where N is the number of requested shard "
                   "channels",
     .summary = "Get the count of subscribers for shard channels",
     .arguments = "shardchannel:string?*"},
};

constexpr CommandSpec kPubsubCommands[] = {
    {.name = "psubscribe",
     .handler = Psubscribe,
     .arity = -2,
     .flags = Flag::kPubsub | Flag::kNoScript | Flag::kLoading | Flag::kStale | Flag::kSentinel,
     .group = Group::kPubsub,
     .since = "2.0.0",
     .complexity = "O(N) where N is the number of patterns the client is already subscribed to.",
     .summary = "Listen for messages published to channels matching the given patterns",
     .arguments = "pattern:block(pattern:pattern)*"},
    {.name = "publish",
     .handler = Publish,
     .arity = 3,
     .flags = Flag::kPubsub | Flag::kLoading | Flag::kStale | Flag::kFast | Flag::kMayReplicate |
              Flag::kSentinel,
     .group = Group::kPubsub,
     .since = "2.0.0",
     .complexity = "O(N+M) where N is the number of clients subscribed to the receiving channel "
                   "and M is the total number of subscribed patterns (by any client).",
     .summary = "Post a message to a channel",
     .arguments = "channel:string message:string"},
    {.name = "pubsub",
     .arity = -2,
     .group = Group::kPubsub,
     .since = "2.8.0",
     .complexity = "Depends on subcommand.",
     .summary = "A container for Pub/Sub commands",
     .subcommands = kPubsubSubcommands},
    {.name = "punsubscribe",
     .handler = Punsubscribe,
     .arity = -1,
     .flags = Flag::kPubsub | Flag::kNoScript | Flag::kLoading | Flag::kStale | Flag::kSentinel,
     .group = Group::kPubsub,
     .since = "2.0.0",
     .complexity = "O(N+M) where N is the number of patterns the client is already subscribed and "
                   "M is the number of total patterns subscribed in the system (by any client).",
     .summary = "Stop listening for messages posted to channels matching the given patterns",
     .arguments = "pattern:pattern?*"},
    {.name = "spublish",
     .handler = Spublish,
     .arity = 3,
     .flags = Flag::kPubsub | Flag::kLoading | Flag::kStale | Flag::kFast | Flag::kMayReplicate,
     .keys = kShardChannel,
     .group = Group::kPubsub,
     .since = "7.0.0",
     .complexity = "O(N) where N is the number of clients subscribed to the receiving shard "
                   "channel.",
     .summary = "Post a message to a shard channel",
     .arguments = "shardchannel:string message:string"},
    {.name = "ssubscribe",
     .handler = Ssubscribe,
     .arity = -2,
     .flags = Flag::kPubsub | Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .keys = kShardChannels,
     .group = Group::kPubsub,
     .since = "7.0.0",
     .complexity = "O(N) where N is the number of shard channels to subscribe to.",
     .summary = "Listen for messages published to the given shard channels",
     .arguments = "shardchannel:string*"},
    {.name = "subscribe",
     .handler = Subscribe,
     .arity = -2,
     .flags = Flag::kPubsub | Flag::kNoScript | Flag::kLoading | Flag::kStale | Flag::kSentinel,
     .group = Group::kPubsub,
     .since = "2.0.0",
     .complexity = "O(N) where N is the number of channels to subscribe to.",
     .summary = "Listen for messages published to the given channels",
     .arguments = "channel:string*"},
    {.name = "sunsubscribe",
     .handler = Sunsubscribe,
     .arity = -1,
     .flags = Flag::kPubsub | Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .keys = kShardChannels,
     .group = Group::kPubsub,
     .since = "7.0.0",
     .complexity = "O(N) where N is the number of clients already subscribed to a shard channel.",
     .summary = "Stop listening for messages posted to the given shard channels",
     .arguments = "shardchannel:string?*"},
    {.name = "unsubscribe",
     .handler = Unsubscribe,
     .arity = -1,
     .flags = Flag::kPubsub | Flag::kNoScript | Flag::kLoading | Flag::kStale | Flag::kSentinel,
     .group = Group::kPubsub,
     .since = "2.0.0",
     .complexity = "O(N) where N is the number of clients already subscribed to a channel.",
     .summary = "Stop listening for messages posted to the given channels",
     .arguments = "channel:string?*"},
};

}  // namespace

std::span<const CommandSpec> PubsubCommands() { return kPubsubCommands; }

}  // namespace aeris
