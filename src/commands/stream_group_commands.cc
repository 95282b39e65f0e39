// Consumer groups: XGROUP, and what is pending in them.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <vector>

#include "src/command_context.h"
#include "src/commands/families.h"
#include "src/commands/gathered_memory.h"
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
using storage::StreamPending;
using storage::StreamReader;

constexpr std::int64_t kInt64Max = std::numeric_limits<std::int64_t>::max();

// The group that arguments 1 and 2 name. False after an error reply; `group` is null when the key
// or the group is absent.
bool FindGroup(const CommandContext& context, Stream*& stream, StreamGroup*& group) {
  if (!FindStream(context, 1, stream)) return false;
  group = stream == nullptr ? nullptr : stream->FindGroup(context.arg(2));
  return true;
}

// The same, with an error when it is absent.
bool NeedGroup(const CommandContext& context, Stream*& stream, StreamGroup*& group) {
  if (!FindGroup(context, stream, group)) return false;
  if (group == nullptr) ReplyNoGroup(context, context.arg(1), context.arg(2));
  return group != nullptr;
}

// --- XGROUP

// The stream that argument 2 names. False after the error reply, which an absent key gives too.
bool XGroupStream(const CommandContext& context, Stream*& stream) {
  if (!FindStreamForWrite(context, 2, stream)) return false;
  if (stream == nullptr) {
    context.reply().Error(
        "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to "
        "use the MKSTREAM option to create an empty stream automatically.");
  }
  return stream != nullptr;
}

// With the group that argument 3 names.
bool XGroupGroup(const CommandContext& context, Stream*& stream, StreamGroup*& group) {
  if (!XGroupStream(context, stream)) return false;
  group = stream->FindGroup(context.arg(3));
  if (group == nullptr) ReplyNoGroupOfKey(context);
  return group != nullptr;
}

struct GroupOptions {
  bool make_stream = false;
  std::int64_t entries_read = storage::kEntriesUnknown;
};

// The options behind argument 4. False after the error reply.
bool ParseGroupOptions(CommandContext& context, bool creates, GroupOptions& options) {
  for (std::size_t i = 5; i < context.argc(); ++i) {
    if (creates && context.ArgIs(i, "mkstream")) {
      options.make_stream = true;
    } else if (context.ArgIs(i, "entriesread") && i + 1 < context.argc()) {
      const auto read = context.IntegerArg(++i);
      if (!read) return false;
      if (*read < 0 && *read != storage::kEntriesUnknown) {
        context.reply().Error("ERR value for ENTRIESREAD must be positive or -1");
        return false;
      }
      options.entries_read = *read;
    } else {
      ReplySubcommandSyntax(context);
      return false;
    }
  }
  return true;
}

// The id at argument 4, "$" for the stream's last one. Options that were given twice are an error
// that comes late. SETID takes "-" and "+", CREATE does not.
std::optional<StreamId> GroupIdArg(CommandContext& context, const Stream* stream, bool creates) {
  const std::size_t argc_max = creates ? 8 : 7;
  if (context.argc() > argc_max) {
    ReplySubcommandSyntax(context);
    return std::nullopt;
  }
  if (context.arg(4) == "$") return stream == nullptr ? StreamId{} : stream->last_id();
  const auto parsed = storage::ParseStreamId(context.arg(4), {.edges = !creates});
  if (parsed) return parsed->id;
  context.reply().Error(kInvalidStreamId);
  return std::nullopt;
}

// XGROUP CREATE key group id | $ [MKSTREAM] [ENTRIESREAD count]. Replies OK.
void XGroupCreate(CommandContext& context) {
  GroupOptions options;
  if (!ParseGroupOptions(context, true, options)) return;
  Stream* stream = nullptr;
  if (options.make_stream ? !FindStreamForWrite(context, 2, stream)
                          : !XGroupStream(context, stream)) {
    return;
  }
  const auto id = GroupIdArg(context, stream, true);
  if (!id) return;
  if (stream == nullptr) {
    auto fresh = std::make_unique<Stream>();
    fresh->CreateGroup(context.arg(3), *id, options.entries_read);
    std::unique_ptr<storage::Collection> made = std::move(fresh);
    storage::Keyspace& keyspace = context.keyspace();
    if (!context.Stored(keyspace.SetObject(context.Key(2), made, kNoDeadline, context.now())))
      return;
    context.Changed();
    context.SignalReady(2);
    // The event stands for the group alone; the key is new as well.
    context.NoteChange(2);
    context.Notify(KeyEvent::kStream, "xgroup-create", 2);
    return context.reply().Ok();
  }
  if (stream->CreateGroup(context.arg(3), *id, options.entries_read) == nullptr) {
    return context.reply().Error("BUSYGROUP Consumer Group name already exists");
  }
  StreamChanged(context, 2);
  context.Notify(KeyEvent::kStream, "xgroup-create", 2);
  context.reply().Ok();
}

// XGROUP SETID key group id | $ [ENTRIESREAD count]. Replies OK.
void XGroupSetId(CommandContext& context) {
  GroupOptions options;
  if (!ParseGroupOptions(context, false, options)) return;
  Stream* stream = nullptr;
  StreamGroup* group = nullptr;
  if (!XGroupGroup(context, stream, group)) return;
  const auto id = GroupIdArg(context, stream, false);
  if (!id) return;
  group->last_id = *id;
  group->entries_read = options.entries_read;
  context.Changed();
  context.Notify(KeyEvent::kStream, "xgroup-setid", 2);
  context.reply().Ok();
}

// XGROUP DESTROY key group. Replies 1, 0 when there is no such group.
void XGroupDestroy(CommandContext& context) {
  Stream* stream = nullptr;
  if (!XGroupStream(context, stream)) return;
  const bool destroyed = stream->DestroyGroup(context.arg(3));
  if (destroyed) {
    StreamChanged(context, 2);
    context.SignalReady(2);
    context.Notify(KeyEvent::kStream, "xgroup-destroy", 2);
  }
  context.reply().Integer(destroyed ? 1 : 0);
}

// XGROUP CREATECONSUMER key group consumer. Replies 1, 0 when it exists already.
void XGroupCreateConsumer(CommandContext& context) {
  Stream* stream = nullptr;
  StreamGroup* group = nullptr;
  if (!XGroupGroup(context, stream, group)) return;
  if (group->FindConsumer(context.arg(4)) != nullptr) return context.reply().Integer(0);
  ConsumerFor(context, *group, 4, 2);
  StreamChanged(context, 2);
  context.reply().Integer(1);
}

// XGROUP DELCONSUMER key group consumer. Replies how many entries it had pending, which nobody has
// then.
void XGroupDelConsumer(CommandContext& context) {
  Stream* stream = nullptr;
  StreamGroup* group = nullptr;
  if (!XGroupGroup(context, stream, group)) return;
  std::size_t pending = 0;
  if (group->FindConsumer(context.arg(4)) != nullptr) {
    pending = stream->DeleteConsumer(*group, context.arg(4));
    StreamChanged(context, 2);
    context.Notify(KeyEvent::kStream, "xgroup-delconsumer", 2);
  }
  context.reply().Integer(static_cast<std::int64_t>(pending));
}

void XGroupHelp(CommandContext& context) {
  static constexpr std::string_view kLines[] = {
      "CREATE <key> <groupname> <id|$> [option]",
      "    Create a new consumer group. Options are:",
      "    * MKSTREAM",
      "      Create the empty stream if it does not exist.",
      "    * ENTRIESREAD entries_read",
      "      Set the group's entries_read counter (internal use).",
      "CREATECONSUMER <key> <groupname> <consumer>",
      "    Create a new consumer in the specified group.",
      "DELCONSUMER <key> <groupname> <consumer>",
      "    Remove the specified consumer.",
      "DESTROY <key> <groupname>",
      "    Remove the specified group.",
      "SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]",
      "    Set the current group ID and entries_read counter.",
  };
  ReplyHelp(context, kLines);
}

// --- XACK, XPENDING

// XACK key group id ... Replies how many of these were pending.
void XAck(CommandContext& context) {
  Stream* stream = nullptr;
  StreamGroup* group = nullptr;
  if (!FindGroup(context, stream, group)) return;
  if (group == nullptr) return context.reply().Integer(0);
  if (!AreStreamIds(context, 3)) return;
  std::int64_t acknowledged = 0;
  for (std::size_t i = 3; i < context.argc(); ++i) {
    acknowledged += group->Acknowledge(storage::ParseStreamId(context.arg(i))->id) ? 1 : 0;
  }
  if (acknowledged > 0) StreamChanged(context, 1, static_cast<std::uint64_t>(acknowledged));
  context.reply().Integer(acknowledged);
}

// XPENDING key group. Replies array of the number of pending entries, their lowest and their
// highest id, and array of consumers with their numbers (bulk strings); nulls without any.
void PendingSummary(CommandContext& context) {
  Stream* stream = nullptr;
  StreamGroup* group = nullptr;
  if (!NeedGroup(context, stream, group)) return;
  protocol::ReplyWriter& reply = context.reply();
  const StreamGroup::Pending& pending = group->pending();
  reply.Array(4);
  reply.Integer(static_cast<std::int64_t>(pending.size()));
  if (pending.empty()) {
    reply.Null();
    reply.Null();
    return reply.NullArray();
  }
  ReplyStreamId(reply, pending.first().id);
  ReplyStreamId(reply, pending.last().id);
  const auto consumers = reply.BeginArray();
  std::size_t count = 0;
  for (const auto& [name, consumer] : group->consumers()) {
    if (consumer.pending.empty()) continue;
    reply.Array(2);
    reply.Bulk(name);
    reply.BulkInteger(static_cast<std::int64_t>(consumer.pending.size()));
    ++count;
  }
  reply.EndArray(consumers, count);
}

std::int64_t IdleMs(const StreamPending& pending, UnixMs now) {
  return std::max(now - pending.delivered_at, std::int64_t{0});
}

struct PendingOptions {
  std::int64_t idle_min = 0;
  std::int64_t count = 0;
  StreamInterval interval;
  std::size_t consumer_arg = 0;  // 0: all
};

// False after the error reply.
bool ParsePendingOptions(const CommandContext& context, PendingOptions& options) {
  const auto syntax_error = [&] {
    context.reply().Error(err::kSyntax);
    return false;
  };
  if (context.argc() < 6 || context.argc() > 9) return syntax_error();
  std::size_t start = 3;
  if (context.ArgIs(3, "idle")) {
    const auto idle = context.IntegerArg(4);
    if (!idle) return false;
    options.idle_min = *idle;
    if (context.argc() < 8) return syntax_error();
    start = 5;
  }
  const auto count = context.IntegerArg(start + 2);
  if (!count) return false;
  options.count = std::max(*count, std::int64_t{0});
  const auto interval = IntervalArgs(context, start, start + 1);
  if (!interval) return false;
  options.interval = *interval;
  if (start + 3 < context.argc()) options.consumer_arg = start + 3;
  return true;
}

// XPENDING key group [[IDLE ms] start end count [consumer]]. Replies array of
// [id, consumer, idle ms, deliveries]. O(what it looks at).
void XPending(CommandContext& context) {
  if (context.argc() == 3) return PendingSummary(context);
  PendingOptions options;
  if (!ParsePendingOptions(context, options)) return;
  Stream* stream = nullptr;
  StreamGroup* group = nullptr;
  if (!NeedGroup(context, stream, group)) return;
  protocol::ReplyWriter& reply = context.reply();
  const StreamConsumer* consumer = nullptr;
  if (options.consumer_arg != 0) {
    consumer = group->FindConsumer(context.arg(options.consumer_arg));
    if (consumer == nullptr) return reply.EmptyArray();
  }
  const auto entries = reply.BeginArray();
  std::int64_t count = 0;
  const auto visit = [&](StreamId id, const StreamPending& pending) {
    if (count == options.count || id > options.interval.end) return false;
    const std::int64_t idle = IdleMs(pending, context.now());
    if (options.idle_min != 0 && idle < options.idle_min) return true;
    ++count;
    reply.Array(4);
    ReplyStreamId(reply, id);
    reply.Bulk(pending.consumer->name);
    reply.Integer(idle);
    reply.Integer(static_cast<std::int64_t>(pending.deliveries));
    return true;
  };
  if (consumer == nullptr) {
    group->pending().VisitFrom(options.interval.start,
                               [&](const auto& item) { return visit(item.id, item.value); });
  } else {
    consumer->pending.VisitFrom(options.interval.start, [&](const auto& item) {
      return visit(item.id, *group->FindPending(item.id));
    });
  }
  reply.EndArray(entries, static_cast<std::size_t>(count));
}

// --- XCLAIM, XAUTOCLAIM

// Least idle time, of both commands; negative is none.
std::optional<std::int64_t> IdleMinArg(const CommandContext& context, std::size_t index,
                                       std::string_view error) {
  const auto idle =
      context.IntegerArg(index, std::numeric_limits<std::int64_t>::min(), kInt64Max, error);
  return idle ? std::optional(std::max(*idle, std::int64_t{0})) : std::nullopt;
}

struct ClaimOptions {
  std::int64_t idle_min = 0;
  std::int64_t delivered_at = -1;
  std::int64_t retry_count = -1;
  bool force = false;
  bool just_id = false;
  StreamId last_id;
};

// The options of XCLAIM from argument `first` on. False after the error reply.
bool ParseClaimOptions(const CommandContext& context, std::size_t first, ClaimOptions& options) {
  constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
  for (std::size_t i = first; i < context.argc(); ++i) {
    const bool more = i + 1 < context.argc();
    if (context.ArgIs(i, "force")) {
      options.force = true;
    } else if (context.ArgIs(i, "justid")) {
      options.just_id = true;
    } else if (more && context.ArgIs(i, "idle")) {
      const auto idle =
          context.IntegerArg(++i, kMin, kInt64Max, "ERR Invalid IDLE option argument for XCLAIM");
      if (!idle) return false;
      if (__builtin_sub_overflow(context.now(), *idle, &options.delivered_at)) {
        options.delivered_at = context.now();
      }
    } else if (more && context.ArgIs(i, "time")) {
      const auto time =
          context.IntegerArg(++i, kMin, kInt64Max, "ERR Invalid TIME option argument for XCLAIM");
      if (!time) return false;
      options.delivered_at = *time;
    } else if (more && context.ArgIs(i, "retrycount")) {
      const auto count = context.IntegerArg(++i, kMin, kInt64Max,
                                            "ERR Invalid RETRYCOUNT option argument for XCLAIM");
      if (!count) return false;
      options.retry_count = *count;
    } else if (more && context.ArgIs(i, "lastid")) {
      const auto id = StreamIdArg(context, ++i);
      if (!id) return false;
      options.last_id = *id;
    } else {
      context.reply().Error(fmt::format("ERR Unrecognized XCLAIM option '{}'", context.arg(i)));
      return false;
    }
  }
  // No delivery was in the future.
  if (options.delivered_at < 0 || options.delivered_at > context.now()) {
    options.delivered_at = context.now();
  }
  return true;
}

// Gives a pending entry to `consumer`, and replies it.
void Claim(const CommandContext& context, const Stream& stream, StreamGroup& group, StreamId id,
           StreamConsumer& consumer, const ClaimOptions& options) {
  StreamPending& pending = group.Assign(id, consumer);
  pending.delivered_at = options.delivered_at;
  if (options.retry_count >= 0) {
    pending.deliveries = static_cast<std::uint64_t>(options.retry_count);
  } else if (!options.just_id) {
    ++pending.deliveries;
  }
  if (options.just_id) return ReplyStreamId(context.reply(), id);
  StreamReader reader(stream, {.start = id, .end = id});
  if (reader.Next()) ReplyEntry(context.reply(), reader);
}

// XCLAIM key group consumer min-idle-time id ... [IDLE ms] [TIME unix-ms] [RETRYCOUNT count]
// [FORCE] [JUSTID] [LASTID id]. Replies array of the entries that are the consumer's now, of their
// ids for JUSTID. What is pending but deleted from the stream is pending no more.
void XClaim(CommandContext& context) {
  Stream* stream = nullptr;
  StreamGroup* group = nullptr;
  if (!NeedGroup(context, stream, group)) return;
  ClaimOptions options;
  const auto idle = IdleMinArg(context, 4, "ERR Invalid min-idle-time argument for XCLAIM");
  if (!idle) return;
  options.idle_min = *idle;
  // Ids end where something is none.
  std::vector<StreamId> ids;
  for (std::size_t i = 5; i < context.argc(); ++i) {
    const auto id = storage::ParseStreamId(context.arg(i));
    if (!id) break;
    ids.push_back(id->id);
  }
  if (!ParseClaimOptions(context, 5 + ids.size(), options)) return;

  std::uint64_t changes = 0;
  if (options.last_id > group->last_id) {
    group->last_id = options.last_id;
    ++changes;
  }
  protocol::ReplyWriter& reply = context.reply();
  const auto entries = reply.BeginArray();
  std::size_t claimed = 0;
  for (const StreamId id : ids) {
    const StreamPending* const pending = group->FindPending(id);
    if (!stream->Contains(id)) {
      changes += group->Acknowledge(id) ? 1U : 0U;
      continue;
    }
    if (pending == nullptr && !options.force) continue;
    if (pending != nullptr && options.idle_min > 0 &&
        context.now() - pending->delivered_at < options.idle_min) {
      continue;
    }
    // Made when it gets something.
    StreamConsumer& consumer = ConsumerFor(context, *group, 3, 1);
    if (pending == nullptr) group->Assign(id, consumer).deliveries = 1;
    Claim(context, *stream, *group, id, consumer, options);
    ++claimed;
  }
  StreamChanged(context, 1, changes + claimed);
  reply.EndArray(entries, claimed);
}

struct AutoClaimOptions {
  ClaimOptions claim;
  StreamId start;
  std::int64_t count = 100;
};

// False after the error reply.
bool ParseAutoClaimOptions(const CommandContext& context, AutoClaimOptions& options) {
  // As many as Redis takes: it makes room for the ids of a tenfold number of entries.
  constexpr std::int64_t kCountMax = kInt64Max / 16;
  const auto idle = IdleMinArg(context, 4, "ERR Invalid min-idle-time argument for XAUTOCLAIM");
  if (!idle) return false;
  options.claim.idle_min = *idle;
  const auto start = IntervalStartArg(context, 5);
  if (!start) return false;
  options.start = *start;
  for (std::size_t i = 6; i < context.argc(); ++i) {
    if (i + 1 < context.argc() && context.ArgIs(i, "count")) {
      const auto count = context.IntegerArg(++i, 1, kCountMax, "ERR COUNT must be > 0");
      if (!count) return false;
      options.count = *count;
    } else if (context.ArgIs(i, "justid")) {
      options.claim.just_id = true;
    } else {
      context.reply().Error(err::kSyntax);
      return false;
    }
  }
  options.claim.delivered_at = context.now();
  return true;
}

// XAUTOCLAIM key group consumer min-idle-time start [COUNT count] [JUSTID]. Replies array of the id
// to go on with (0-0 at the end), array of what was claimed as XCLAIM gives it, and array of ids
// that were pending and are deleted from the stream. Looks at ten times COUNT entries at most.
void XAutoClaim(CommandContext& context) {
  // Looked for before anything can be wrong, as in Redis, whose "keymiss" comes in any case.
  const storage::EntryView entry = context.FindForRead(1);
  AutoClaimOptions options;
  if (!ParseAutoClaimOptions(context, options)) return;
  if (entry && entry.type() != storage::ValueType::kStream) {
    return context.reply().Error(err::kWrongType);
  }
  Stream* const stream = StreamOf(entry);
  StreamGroup* const group = stream == nullptr ? nullptr : stream->FindGroup(context.arg(2));
  if (group == nullptr) return ReplyNoGroup(context, context.arg(1), context.arg(2));
  // Chosen first: the cursor stands before the entries in the reply, and claiming changes what is
  // walked over. No more ids than are pending.
  constexpr std::int64_t kAttemptsPerEntry = 10;
  std::int64_t attempts = options.count * kAttemptsPerEntry;
  std::int64_t count = options.count;
  std::vector<StreamId> claimed;
  std::vector<StreamId> deleted;
  GatheredMemory memory(context);
  StreamId cursor;
  group->pending().VisitFrom(options.start, [&](const StreamGroup::Pending::Item& item) {
    if (attempts == 0 || count == 0) {
      cursor = item.id;
      return false;
    }
    --attempts;
    const bool exists = stream->Contains(item.id);
    const bool idle = context.now() - item.value.delivered_at >= options.claim.idle_min;
    if ((!exists || idle) && !memory.Take(sizeof item.id)) return false;
    if (!exists) {
      deleted.push_back(item.id);
      --count;
    } else if (idle) {
      claimed.push_back(item.id);
      --count;
    }
    return true;
  });
  // For what the consumer notes of each, and entries of the usual size in the reply.
  constexpr std::size_t kNoteBytes = 3 * sizeof(StreamId);
  const std::size_t entry_bytes =
      options.claim.just_id ? 64
                            : stream->memory_bytes() / std::max<std::size_t>(stream->size(), 1);
  if (memory.refused() || !context.MemoryFor(claimed.size() * (kNoteBytes + 2 * entry_bytes))) {
    return;
  }

  protocol::ReplyWriter& reply = context.reply();
  reply.Array(3);
  ReplyStreamId(reply, cursor);
  reply.Array(claimed.size());
  if (!claimed.empty()) {
    // Made when it gets something.
    StreamConsumer& consumer = ConsumerFor(context, *group, 3, 1);
    for (const StreamId id : claimed) Claim(context, *stream, *group, id, consumer, options.claim);
  }
  reply.Array(deleted.size());
  for (const StreamId id : deleted) {
    group->Acknowledge(id);
    ReplyStreamId(reply, id);
  }
  StreamChanged(context, 1, claimed.size() + deleted.size());
}

// The key follows the name of a subcommand.
constexpr KeySpec kStreamInsertSubcommandKey[] = {
    {.flags = KeyFlag::kReadWrite | KeyFlag::kInsert, .index = 2}};
constexpr KeySpec kStreamDeleteSubcommandKey[] = {
    {.flags = KeyFlag::kReadWrite | KeyFlag::kDelete, .index = 2}};
constexpr KeySpec kStreamUpdateSubcommandKey[] = {
    {.flags = KeyFlag::kReadWrite | KeyFlag::kUpdate, .index = 2}};
constexpr Change kXAutoClaimHistory[] = {
    {"7.0.0",
     "Added an element to the reply array, containing deleted entries the "
     "command cleared from the PEL"}};

constexpr Change kXGroupCreateHistory[] = {{"7.0.0", "Added the `entries_read` named argument."}};

constexpr Change kXGroupSetIdHistory[] = {{"7.0.0", "Added the optional `entries_read` argument."}};

constexpr CommandSpec kXGroupSubcommands[] = {
    {.name = "create",
     .handler = XGroupCreate,
     .arity = -5,
     .flags = Flag::kWrite | Flag::kDenyOom,
     .acl = Acl::kStream,
     .keys = kStreamInsertSubcommandKey,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Create a consumer group.",
     .arguments = "key:key#0 groupname:string id:oneof(id:string|'$' new_id:pure-token) "
                  "'MKSTREAM' mkstream:pure-token? 'ENTRIESREAD' entries_read:integer?",
     .history = kXGroupCreateHistory},
    {.name = "createconsumer",
     .handler = XGroupCreateConsumer,
     .arity = 5,
     .flags = Flag::kWrite | Flag::kDenyOom,
     .acl = Acl::kStream,
     .keys = kStreamInsertSubcommandKey,
     .group = Group::kStream,
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Create a consumer in a consumer group.",
     .arguments = "key:key#0 groupname:string consumername:string"},
    {.name = "delconsumer",
     .handler = XGroupDelConsumer,
     .arity = 5,
     .flags = Flag::kWrite,
     .acl = Acl::kStream,
     .keys = kStreamDeleteSubcommandKey,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Delete a consumer from a consumer group.",
     .arguments = "key:key#0 groupname:string consumername:string"},
    {.name = "destroy",
     .handler = XGroupDestroy,
     .arity = 4,
     .flags = Flag::kWrite,
     .acl = Acl::kStream,
     .keys = kStreamDeleteSubcommandKey,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "O(N) where N is the number of entries in the group's pending entries "
                   "list (PEL).",
     .summary = "Destroy a consumer group.",
     .arguments = "key:key#0 groupname:string"},
    {.name = "help",
     .handler = XGroupHelp,
     .arity = 2,
     .flags = Flag::kLoading | Flag::kStale,
     .acl = Acl::kStream,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Show helpful text about the different subcommands"},
    {.name = "setid",
     .handler = XGroupSetId,
     .arity = -5,
     .flags = Flag::kWrite,
     .acl = Acl::kStream,
     .keys = kStreamUpdateSubcommandKey,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Set a consumer group to an arbitrary last delivered ID value.",
     .arguments = "key:key#0 groupname:string id:oneof(id:string|'$' new_id:pure-token) "
                  "'ENTRIESREAD' entries_read:integer?",
     .history = kXGroupSetIdHistory},
};

constexpr Change kXPendingHistory[] = {
    {"6.2.0", "Added the `IDLE` option and exclusive range intervals."}};

constexpr CommandSpec kStreamGroupCommands[] = {
    {.name = "xack",
     .handler = XAck,
     .arity = -4,
     .flags = Flag::kWrite | Flag::kFast,
     .acl = Acl::kStream,
     .keys = kUpdateKey,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "O(1) for each message ID processed.",
     .summary = "Marks a pending message as correctly processed, effectively removing "
                "it from the pending entries list of the consumer group. Return value "
                "of the command is the number of messages successfully acknowledged, "
                "that is, the IDs we were actually able to resolve in the PEL.",
     .arguments = "key:key#0 group:string id:string*"},
    {.name = "xautoclaim",
     .handler = XAutoClaim,
     .arity = -6,
     .flags = Flag::kWrite | Flag::kFast,
     .acl = Acl::kStream,
     .keys = kStreamDeleteKey,
     .group = Group::kStream,
     .since = "6.2.0",
     .complexity = "O(1) if COUNT is small.",
     .summary = "Changes (or acquires) ownership of messages in a consumer group, as "
                "if the messages were delivered to the specified consumer.",
     .arguments = "key:key#0 group:string consumer:string min-idle-time:string "
                  "start:string 'COUNT' count:integer? 'JUSTID' justid:pure-token?",
     .history = kXAutoClaimHistory,
     .tips = kStreamTips},
    {.name = "xclaim",
     .handler = XClaim,
     .arity = -6,
     .flags = Flag::kWrite | Flag::kFast,
     .acl = Acl::kStream,
     .keys = kUpdateKey,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "O(log N) with N being the number of messages in the PEL of the "
                   "consumer group.",
     .summary = "Changes (or acquires) ownership of a message in a consumer group, as "
                "if the message was delivered to the specified consumer.",
     .arguments = "key:key#0 group:string consumer:string min-idle-time:string "
                  "id:string* 'IDLE' ms:integer? 'TIME' "
                  "unix-time-milliseconds:unix-time? 'RETRYCOUNT' count:integer? 'FORCE' "
                  "force:pure-token? 'JUSTID' justid:pure-token? 'LASTID' id:string?",
     .tips = kStreamTips},
    {.name = "xgroup",
     .arity = -2,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "Depends on subcommand.",
     .summary = "A container for consumer groups commands",
     .subcommands = kXGroupSubcommands},
    {.name = "xpending",
     .handler = XPending,
     .arity = -3,
     .flags = Flag::kReadonly,
     .acl = Acl::kStream,
     .keys = kReadKey,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "O(N) with N being the number of elements returned, so asking for a "
                   "small fixed number of entries per call is O(1). O(M), where M is the "
                   "total number of entries scanned when used with the IDLE filter. When "
                   "the command returns just the summary and the list of consumers is "
                   "small, it runs in O(1) time; otherwise, an additional O(N) time for "
                   "iterating every consumer.",
     .summary = "Return information and entries from a stream consumer group pending "
                "entries list, that are messages fetched but never acknowledged.",
     .arguments = "key:key#0 group:string filters:block('IDLE' "
                  "min-idle-time:integer?@6.2.0 start:string end:string count:integer "
                  "consumer:string?)?",
     .history = kXPendingHistory,
     .tips = kStreamTips},
};

}  // namespace

std::span<const CommandSpec> StreamGroupCommands() { return kStreamGroupCommands; }

}  // namespace aeris
