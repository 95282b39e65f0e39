// XINFO: what is known about a stream, its groups and their consumers.
#include <algorithm>
#include <limits>

#include "src/command_context.h"
#include "src/commands/families.h"
#include "src/commands/help.h"
#include "src/commands/key_specs.h"
#include "src/commands/stream_arguments.h"
#include "src/error_replies.h"
#include "src/server.h"

namespace aeris {
namespace {

using storage::Stream;
using storage::StreamConsumer;
using storage::StreamGroup;
using storage::StreamId;
using storage::StreamReader;

// The stream that argument 2 names; null after an error reply.
Stream* NeedStream(const CommandContext& context) {
  Stream* stream = nullptr;
  if (!FindStream(context, 2, stream)) return nullptr;
  if (stream == nullptr) context.reply().Error(err::kNoSuchKey);
  return stream;
}

// Writes members of a map.
class MapWriter {
 public:
  explicit MapWriter(protocol::ReplyWriter& reply) : reply_(reply) {}

  protocol::ReplyWriter& Name(std::string_view name) {
    reply_.Bulk(name);
    return reply_;
  }
  void Number(std::string_view name, std::uint64_t value) {
    Name(name).Integer(static_cast<std::int64_t>(value));
  }
  void Id(std::string_view name, StreamId id) { ReplyStreamId(Name(name), id); }
  void Text(std::string_view name, std::string_view text) { Name(name).Bulk(text); }
  void NumberOrNull(std::string_view name, std::optional<std::int64_t> value) {
    Name(name);
    value ? reply_.Integer(*value) : reply_.Null();
  }

 private:
  protocol::ReplyWriter& reply_;
};

// Seven members of both forms of XINFO STREAM. Redis has a radix tree over the blocks, and says how
// many nodes it has: of a few blocks about one more than there are keys.
void ReplyStreamNumbers(MapWriter& map, const Stream& stream) {
  map.Number("length", stream.size());
  map.Number("radix-tree-keys", stream.blocks().size());
  map.Number("radix-tree-nodes", stream.blocks().size() + 1);
  map.Id("last-generated-id", stream.last_id());
  map.Id("max-deleted-entry-id", stream.max_deleted_id());
  map.Number("entries-added", stream.entries_added());
  map.Id("recorded-first-entry-id", stream.first_id());
}

void ReplyFirst(protocol::ReplyWriter& reply, StreamReader reader) {
  reader.Next() ? ReplyEntry(reply, reader) : reply.Null();
}

// What groups say of themselves in XINFO GROUPS and in XINFO STREAM FULL.
void ReplyEntriesRead(MapWriter& map, const Stream& stream, const StreamGroup& group) {
  map.NumberOrNull("entries-read", group.entries_read == storage::kEntriesUnknown
                                       ? std::nullopt
                                       : std::optional(group.entries_read));
  map.NumberOrNull("lag", stream.Lag(group));
}

// An array of at most `limit` items out of `size`.
std::size_t Limited(std::uint64_t limit, std::size_t size) {
  return static_cast<std::size_t>(std::min<std::uint64_t>(limit, size));
}

void ReplyConsumerInFull(protocol::ReplyWriter& reply, const StreamGroup& group,
                         const StreamConsumer& consumer, std::uint64_t limit) {
  reply.Map(4);
  MapWriter map(reply);
  map.Text("name", consumer.name);
  map.Name("seen-time").Integer(consumer.seen_at);
  map.Number("pel-count", consumer.pending.size());
  std::size_t left = Limited(limit, consumer.pending.size());
  map.Name("pending").Array(left);
  consumer.pending.VisitFrom(storage::kStreamIdMin, [&](const auto& item) {
    if (left-- == 0) return false;
    const storage::StreamPending& pending = *group.pending().Find(item.id);
    reply.Array(3);
    ReplyStreamId(reply, item.id);
    reply.Integer(pending.delivered_at);
    reply.Integer(static_cast<std::int64_t>(pending.deliveries));
    return true;
  });
}

void ReplyGroupInFull(protocol::ReplyWriter& reply, const Stream& stream, std::string_view name,
                      const StreamGroup& group, std::uint64_t limit) {
  reply.Map(7);
  MapWriter map(reply);
  map.Text("name", name);
  map.Id("last-delivered-id", group.last_id);
  ReplyEntriesRead(map, stream, group);
  map.Number("pel-count", group.pending().size());
  std::size_t left = Limited(limit, group.pending().size());
  map.Name("pending").Array(left);
  group.pending().VisitFrom(storage::kStreamIdMin, [&](const StreamGroup::Pending::Item& item) {
    if (left-- == 0) return false;
    reply.Array(4);
    ReplyStreamId(reply, item.id);
    reply.Bulk(item.value.consumer->name);
    reply.Integer(item.value.delivered_at);
    reply.Integer(static_cast<std::int64_t>(item.value.deliveries));
    return true;
  });
  map.Name("consumers").Array(group.consumers().size());
  for (const auto& [key, consumer] : group.consumers()) {
    ReplyConsumerInFull(reply, group, consumer, limit);
  }
}

void ReplyStreamInFull(protocol::ReplyWriter& reply, const Stream& stream, std::uint64_t limit) {
  reply.Map(9);
  MapWriter map(reply);
  ReplyStreamNumbers(map, stream);
  std::size_t left = Limited(limit, stream.size());
  map.Name("entries").Array(left);
  StreamReader reader(stream, {.start = storage::kStreamIdMin});
  for (; left > 0 && reader.Next(); --left) ReplyEntry(reply, reader);
  map.Name("groups").Array(stream.groups().size());
  for (const auto& [name, group] : stream.groups()) {
    ReplyGroupInFull(reply, stream, name, group, limit);
  }
}

// XINFO STREAM key [FULL [COUNT count]]. Replies a map. COUNT limits entries and pending entries,
// 10 unless given, 0 for all.
void XInfoStream(CommandContext& context) {
  const Stream* const stream = NeedStream(context);
  if (stream == nullptr) return;
  constexpr std::int64_t kCountUsual = 10;
  std::int64_t count = kCountUsual;
  const bool full = context.argc() > 3;
  if (full) {
    const bool counted = context.argc() == 6;
    if (!context.ArgIs(3, "full") || (!counted && context.argc() != 4) ||
        (counted && !context.ArgIs(4, "count"))) {
      return ReplySubcommandSyntax(context);
    }
    if (counted) {
      const auto given = context.IntegerArg(5);
      if (!given) return;
      count = *given < 0 ? kCountUsual : *given;
    }
  }
  protocol::ReplyWriter& reply = context.reply();
  if (full) {
    const std::uint64_t limit =
        count == 0 ? std::numeric_limits<std::uint64_t>::max() : static_cast<std::uint64_t>(count);
    return ReplyStreamInFull(reply, *stream, limit);
  }
  reply.Map(10);
  MapWriter map(reply);
  ReplyStreamNumbers(map, *stream);
  map.Number("groups", stream->groups().size());
  ReplyFirst(map.Name("first-entry"), {*stream, {.start = storage::kStreamIdMin}});
  ReplyFirst(map.Name("last-entry"), {*stream, {.start = storage::kStreamIdMin, .backward = true}});
}

// XINFO GROUPS key. Replies array of maps.
void XInfoGroups(CommandContext& context) {
  const Stream* const stream = NeedStream(context);
  if (stream == nullptr) return;
  protocol::ReplyWriter& reply = context.reply();
  reply.Array(stream->groups().size());
  for (const auto& [name, group] : stream->groups()) {
    reply.Map(6);
    MapWriter map(reply);
    map.Text("name", name);
    map.Number("consumers", group.consumers().size());
    map.Number("pending", group.pending().size());
    map.Id("last-delivered-id", group.last_id);
    ReplyEntriesRead(map, *stream, group);
  }
}

// XINFO CONSUMERS key group. Replies array of maps.
void XInfoConsumers(CommandContext& context) {
  Stream* const stream = NeedStream(context);
  if (stream == nullptr) return;
  const StreamGroup* const group = stream->FindGroup(context.arg(3));
  if (group == nullptr) return ReplyNoGroupOfKey(context);
  protocol::ReplyWriter& reply = context.reply();
  reply.Array(group->consumers().size());
  for (const auto& [name, consumer] : group->consumers()) {
    reply.Map(3);
    MapWriter map(reply);
    map.Text("name", name);
    map.Number("pending", consumer.pending.size());
    map.Name("idle").Integer(std::max(context.now() - consumer.seen_at, std::int64_t{0}));
  }
}

void XInfoHelp(CommandContext& context) {
  static constexpr std::string_view kLines[] = {
      "CONSUMERS <key> <groupname>",
      "    Show consumers of <groupname>.",
      "GROUPS <key>",
      "    Show the stream consumer groups.",
      "STREAM <key> [FULL [COUNT <count>]",
      "    Show information about the stream.",
  };
  ReplyHelp(context, kLines);
}

constexpr KeySpec kStreamReadSubcommandKey[] = {
    {.flags = KeyFlag::kReadOnly | KeyFlag::kAccess, .index = 2}};
constexpr Change kXInfoGroupsHistory[] = {{"7.0.0", "Added the `entries-read` and `lag` fields"}};

constexpr Change kXInfoStreamHistory[] = {
    {"6.0.0", "Added the `FULL` modifier."},
    {"7.0.0",
     "Added the `max-deleted-entry-id`, `entries-added`, "
     "`recorded-first-entry-id`, `entries-read` and `lag` fields"}};

constexpr CommandSpec kXInfoSubcommands[] = {
    {.name = "consumers",
     .handler = XInfoConsumers,
     .arity = 4,
     .flags = Flag::kReadonly,
     .acl = Acl::kStream,
     .keys = kStreamReadSubcommandKey,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "List the consumers in a consumer group",
     .arguments = "key:key#0 groupname:string",
     .tips = kStreamTips},
    {.name = "groups",
     .handler = XInfoGroups,
     .arity = 3,
     .flags = Flag::kReadonly,
     .acl = Acl::kStream,
     .keys = kStreamReadSubcommandKey,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "List the consumer groups of a stream",
     .arguments = "key:key#0",
     .history = kXInfoGroupsHistory},
    {.name = "help",
     .handler = XInfoHelp,
     .arity = 2,
     .flags = Flag::kLoading | Flag::kStale,
     .acl = Acl::kStream,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Show helpful text about the different subcommands"},
    {.name = "stream",
     .handler = XInfoStream,
     .arity = -3,
     .flags = Flag::kReadonly,
     .acl = Acl::kStream,
     .keys = kStreamReadSubcommandKey,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Get information about a stream",
     .arguments = "key:key#0 'FULL' full:block('COUNT' count:integer?)?",
     .history = kXInfoStreamHistory},
};

constexpr CommandSpec kStreamInfoCommands[] = {
    {.name = "xinfo",
     .arity = -2,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "Depends on subcommand.",
     .summary = "A container for stream introspection commands",
     .subcommands = kXInfoSubcommands},
};

}  // namespace

std::span<const CommandSpec> StreamInfoCommands() { return kStreamInfoCommands; }

}  // namespace aeris
