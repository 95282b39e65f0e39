// Streams: entries. Reading many streams, groups and XINFO have files of their own.
#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "src/command_context.h"
#include "src/commands/families.h"
#include "src/commands/key_specs.h"
#include "src/commands/stream_arguments.h"
#include "src/error_replies.h"
#include "src/server.h"

namespace aeris {
namespace {

using storage::Stream;
using storage::StreamId;
using storage::StreamTrim;

constexpr std::int64_t kInt64Max = std::numeric_limits<std::int64_t>::max();

// --- Options of XADD and XTRIM

struct TrimOptions {
  StreamTrim trim;
  bool limit_given = false;
  bool no_create = false;  // XADD NOMKSTREAM
  std::size_t next = 2;    // the first argument that is no option: XADD's id
};

// MAXLEN | MINID [= | ~] threshold, at `index`, which is its last argument afterwards.
bool ParseThreshold(const CommandContext& context, std::size_t& index, StreamTrim& trim) {
  if (trim.by != StreamTrim::By::kNothing) {
    context.reply().Error(
        "ERR syntax error, MAXLEN and MINID options at the same time are not compatible");
    return false;
  }
  const bool by_length = context.ArgIs(index, "maxlen");
  trim.whole_blocks = false;
  if (index + 2 < context.argc()) {
    if (context.arg(index + 1) == "~") {
      trim.whole_blocks = true;
      ++index;
    } else if (context.arg(index + 1) == "=") {
      ++index;
    }
  }
  ++index;
  if (by_length) {
    const auto length = context.IntegerArg(index);
    if (!length) return false;
    if (*length < 0) {
      context.reply().Error("ERR The MAXLEN argument must be >= 0.");
      return false;
    }
    trim.by = StreamTrim::By::kLength;
    trim.length_max = static_cast<std::uint64_t>(*length);
    return true;
  }
  const auto id = StreamIdArg(context, index);
  if (!id) return false;
  trim.by = StreamTrim::By::kMinId;
  trim.id_min = *id;
  return true;
}

bool ParseLimit(const CommandContext& context, std::size_t index, TrimOptions& options) {
  const auto limit = context.IntegerArg(index);
  if (!limit) return false;
  if (*limit < 0) {
    context.reply().Error("ERR The LIMIT argument must be >= 0.");
    return false;
  }
  options.trim.limit = static_cast<std::uint64_t>(*limit);
  options.limit_given = true;
  return true;
}

// What LIMIT needs, and what it is when it is not given.
bool CheckLimit(const CommandContext& context, TrimOptions& options, bool trims) {
  StreamTrim& trim = options.trim;
  const auto fail = [&](std::string_view error) {
    context.reply().Error(error);
    return false;
  };
  const bool nothing = trim.by == StreamTrim::By::kNothing;
  if (trim.limit != 0 && nothing) {
    return fail("ERR syntax error, LIMIT cannot be used without specifying a trimming strategy");
  }
  if (trims && nothing) {
    return fail("ERR syntax error, XTRIM must be called with a trimming strategy");
  }
  if (!trim.whole_blocks) {
    if (!options.limit_given) return true;
    return fail("ERR syntax error, LIMIT cannot be used without the special ~ option");
  }
  if (!options.limit_given) {
    // A hundred blocks, so that nobody waits for the rest.
    constexpr std::int64_t kLimitUsual = 10000, kLimitMax = 1000000;
    std::int64_t limit = 0;
    const std::int64_t entries = context.server().config().stream_node_max_entries;
    if (__builtin_mul_overflow(std::int64_t{100}, entries, &limit)) limit = kLimitMax;
    if (limit <= 0) limit = kLimitUsual;
    trim.limit = static_cast<std::uint64_t>(std::min(limit, kLimitMax));
  }
  return true;
}

// The options from argument 2 on: of XTRIM all arguments, of XADD those before the id. False after
// the error reply.
bool ParseTrimOptions(const CommandContext& context, bool adds, TrimOptions& options) {
  std::size_t i = 2;
  for (; i < context.argc(); ++i) {
    const bool more = i + 1 < context.argc();
    if (adds && context.arg(i) == "*") break;
    if (more && (context.ArgIs(i, "maxlen") || context.ArgIs(i, "minid"))) {
      if (!ParseThreshold(context, i, options.trim)) return false;
    } else if (more && context.ArgIs(i, "limit")) {
      if (!ParseLimit(context, ++i, options)) return false;
    } else if (adds && context.ArgIs(i, "nomkstream")) {
      options.no_create = true;
    } else if (adds) {
      break;
    } else {
      context.reply().Error(err::kSyntax);
      return false;
    }
  }
  options.next = i;
  return true;
}

// --- XADD

// The id that XADD was given, as far as it was: "*", "ms-*", or all of it.
struct NewId {
  StreamId id = {};
  bool any = false;
  bool any_seq = false;
};

std::optional<NewId> NewIdArg(const CommandContext& context, std::size_t index) {
  if (context.arg(index) == "*") return NewId{.any = true};
  const auto parsed = storage::ParseStreamId(context.arg(index), {.any_seq = true});
  if (!parsed) {
    context.reply().Error(kInvalidStreamId);
    return std::nullopt;
  }
  return NewId{.id = parsed->id, .any_seq = parsed->any_seq};
}

// The id of the next entry, none if what was given leaves none above `last`.
std::optional<StreamId> Resolve(const NewId& given, StreamId last, UnixMs now) {
  if (given.any) {
    const auto ms = static_cast<std::uint64_t>(now);
    if (ms > last.ms) return StreamId{ms, 0};
    return storage::Next(last);
  }
  if (given.any_seq && given.id.ms == last.ms) {
    const auto next = storage::Next(last);
    return next && next->ms == last.ms ? next : std::nullopt;
  }
  return given.id;
}

constexpr std::string_view kIdNotGreater =
    "ERR The ID specified in XADD is equal or smaller than the target stream top item";

// XADD key [NOMKSTREAM] [MAXLEN | MINID [= | ~] threshold [LIMIT count]] * | id field value ...
// Replies the id as bulk string, null when NOMKSTREAM kept it from making the stream.
void XAdd(CommandContext& context) {
  TrimOptions options;
  if (!ParseTrimOptions(context, true, options)) return;
  // Without an id everything was an option.
  const bool has_id = options.next < context.argc();
  const auto given = has_id ? NewIdArg(context, options.next) : std::optional(NewId{});
  if (!given || !CheckLimit(context, options, false)) return;
  if (!has_id) return context.ReplyWrongArity();
  const auto pairs = context.args().subspan(options.next + 1);
  if (pairs.empty() || pairs.size() % 2 != 0) return context.ReplyWrongArity();
  if (!given->any && !given->any_seq && given->id == storage::kStreamIdMin) {
    return context.reply().Error("ERR The ID specified in XADD must be greater than 0-0");
  }
  Stream* stream = nullptr;
  if (!FindStreamForWrite(context, 1, stream)) return;
  std::unique_ptr<storage::Collection> made;
  if (stream == nullptr) {
    if (options.no_create) return context.reply().Null();
    auto fresh = std::make_unique<Stream>();
    stream = fresh.get();
    made = std::move(fresh);
  }
  if (stream->last_id() == storage::kStreamIdMax) {
    return context.reply().Error(
        "ERR The stream has exhausted the last possible ID, unable to add more items");
  }
  const auto id = Resolve(*given, stream->last_id(), context.now());
  using Result = Stream::AppendResult;
  const Result result = id ? stream->Append(*id, pairs, BlockLimits(context)) : Result::kNotGreater;
  if (result == Result::kNotGreater) return context.reply().Error(kIdNotGreater);
  if (result == Result::kTooLarge) {
    return context.reply().Error("ERR Elements are too large to be stored");
  }
  const bool trimmed = stream->Trim(options.trim) > 0;
  if (made != nullptr) {
    if (!context.Stored(
            context.keyspace().SetObject(context.Key(1), made, kNoDeadline, context.now()))) {
      return;
    }
    context.Changed();
  } else {
    StreamChanged(context, 1);
  }
  context.SignalReady(1);
  context.Notify(KeyEvent::kStream, "xadd", 1);
  if (trimmed) context.Notify(KeyEvent::kStream, "xtrim", 1);
  ReplyStreamId(context.reply(), *id);
}

// --- The others

// XLEN key. Replies the number of entries.
void XLen(CommandContext& context) {
  Stream* stream = nullptr;
  if (!FindStream(context, 1, stream)) return;
  context.reply().Integer(stream == nullptr ? 0 : static_cast<std::int64_t>(stream->size()));
}

// XDEL key id ... Replies how many entries there were of these.
void XDel(CommandContext& context) {
  Stream* stream = nullptr;
  if (!FindStreamForWrite(context, 1, stream)) return;
  if (stream == nullptr) return context.reply().Integer(0);
  if (!AreStreamIds(context, 2)) return;
  std::int64_t deleted = 0;
  for (std::size_t i = 2; i < context.argc(); ++i) {
    deleted += stream->Delete(storage::ParseStreamId(context.arg(i))->id) ? 1 : 0;
  }
  if (deleted > 0) {
    StreamChanged(context, 1, static_cast<std::uint64_t>(deleted));
    context.Notify(KeyEvent::kStream, "xdel", 1);
  }
  context.reply().Integer(deleted);
}

// XTRIM key MAXLEN | MINID [= | ~] threshold [LIMIT count]. Replies how many entries it removed.
void XTrim(CommandContext& context) {
  TrimOptions options;
  if (!ParseTrimOptions(context, false, options) || !CheckLimit(context, options, true)) return;
  Stream* stream = nullptr;
  if (!FindStreamForWrite(context, 1, stream)) return;
  const std::size_t removed = stream == nullptr ? 0 : stream->Trim(options.trim);
  if (removed > 0) {
    StreamChanged(context, 1, removed);
    context.Notify(KeyEvent::kStream, "xtrim", 1);
  }
  context.reply().Integer(static_cast<std::int64_t>(removed));
}

// XRANGE key start end [COUNT count], XREVRANGE key end start [COUNT count]. Replies an array of
// entries; a null array for a COUNT of 0, when the key exists. O(what it returns + log n).
void Range(CommandContext& context, bool backward) {
  const auto interval = IntervalArgs(context, backward ? 3 : 2, backward ? 2 : 3);
  if (!interval) return;
  std::int64_t count = kInt64Max;
  for (std::size_t i = 4; i < context.argc(); i += 2) {
    if (i + 1 == context.argc() || !context.ArgIs(i, "count")) {
      return context.reply().Error(err::kSyntax);
    }
    const auto given = context.IntegerArg(i + 1);
    if (!given) return;
    count = std::max(*given, std::int64_t{0});
  }
  Stream* stream = nullptr;
  if (!FindStream(context, 1, stream)) return;
  protocol::ReplyWriter& reply = context.reply();
  if (stream == nullptr) return reply.EmptyArray();
  if (count == 0) return reply.NullArray();
  const auto entries = reply.BeginArray();
  std::int64_t written = 0;
  storage::StreamReader reader(
      *stream, {.start = interval->start, .end = interval->end, .backward = backward});
  for (; written < count && reader.Next(); ++written) ReplyEntry(reply, reader);
  reply.EndArray(entries, static_cast<std::size_t>(written));
}

void XRange(CommandContext& context) { Range(context, false); }
void XRevRange(CommandContext& context) { Range(context, true); }

struct SetIdOptions {
  std::int64_t entries_added = -1;
  StreamId max_deleted;  // 0-0: not given
};

// False after the error reply.
bool ParseSetIdOptions(const CommandContext& context, StreamId id, SetIdOptions& options) {
  const auto fail = [&](std::string_view error) {
    context.reply().Error(error);
    return false;
  };
  for (std::size_t i = 3; i < context.argc(); i += 2) {
    if (i + 1 == context.argc()) return fail(err::kSyntax);
    if (context.ArgIs(i, "entriesadded")) {
      const auto count = context.IntegerArg(i + 1);
      if (!count) return false;
      if (*count < 0) return fail("ERR entries_added must be positive");
      options.entries_added = *count;
    } else if (context.ArgIs(i, "maxdeletedid")) {
      const auto deleted = StreamIdArg(context, i + 1);
      if (!deleted) return false;
      if (id < *deleted) {
        return fail(
            "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id");
      }
      options.max_deleted = *deleted;
    } else {
      return fail(err::kSyntax);
    }
  }
  return true;
}

// XSETID key last-id [ENTRIESADDED count] [MAXDELETEDID id]. Replies OK.
void XSetId(CommandContext& context) {
  const auto id = StreamIdArg(context, 2);
  SetIdOptions options;
  if (!id || !ParseSetIdOptions(context, *id, options)) return;
  Stream* stream = nullptr;
  if (!FindStreamForWrite(context, 1, stream)) return;
  protocol::ReplyWriter& reply = context.reply();
  if (stream == nullptr) return reply.Error(err::kNoSuchKey);
  if (stream->size() > 0) {
    if (*id < stream->LastLiveId()) {
      return reply.Error(
          "ERR The ID specified in XSETID is smaller than the target stream top item");
    }
    if (options.entries_added >= 0 &&
        stream->size() > static_cast<std::uint64_t>(options.entries_added)) {
      return reply.Error(
          "ERR The entries_added specified in XSETID is smaller than the target stream length");
    }
  }
  stream->SetLastId(*id);
  if (options.entries_added >= 0) {
    stream->SetEntriesAdded(static_cast<std::uint64_t>(options.entries_added));
  }
  if (options.max_deleted != storage::kStreamIdMin) stream->SetMaxDeletedId(options.max_deleted);
  StreamChanged(context, 1);
  context.Notify(KeyEvent::kStream, "xsetid", 1);
  reply.Ok();
}

constexpr KeySpec kXAddKey[] = {
    {.flags = KeyFlag::kReadWrite | KeyFlag::kUpdate,
     .notes = "UPDATE instead of INSERT because of the optional trimming feature"}};
constexpr Change kXAddHistory[] = {
    {"6.2.0",
     "Added the `NOMKSTREAM` option, `MINID` trimming strategy and the "
     "`LIMIT` option."},
    {"7.0.0", "Added support for the `<ms>-*` explicit ID form."}};

constexpr Change kXRangeHistory[] = {{"6.2.0", "Added exclusive ranges."}};

constexpr Change kXRevRangeHistory[] = {{"6.2.0", "Added exclusive ranges."}};

constexpr Change kXSetIdHistory[] = {
    {"7.0.0", "Added the `entries_added` and `max_deleted_entry_id` arguments."}};

constexpr Change kXTrimHistory[] = {
    {"6.2.0", "Added the `MINID` trimming strategy and the `LIMIT` option."}};

constexpr CommandSpec kStreamCommands[] = {
    {.name = "xadd",
     .handler = XAdd,
     .arity = -5,
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .acl = Acl::kStream,
     .keys = kXAddKey,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "O(1) when adding a new entry, O(N) when trimming where N being the "
                   "number of entries evicted.",
     .summary = "Appends a new entry to a stream",
     .arguments = "key:key#0 'NOMKSTREAM' nomkstream:pure-token?@6.2.0 "
                  "trim:block(strategy:oneof('MAXLEN' maxlen:pure-token|'MINID' "
                  "minid:pure-token@6.2.0) operator:oneof('=' equal:pure-token|'~' "
                  "approximately:pure-token)? threshold:string 'LIMIT' "
                  "count:integer?@6.2.0)? id_or_auto:oneof('*' "
                  "auto_id:pure-token|id:string) field_value:block(field:string "
                  "value:string)*",
     .history = kXAddHistory,
     .tips = kStreamTips},
    {.name = "xdel",
     .handler = XDel,
     .arity = -3,
     .flags = Flag::kWrite | Flag::kFast,
     .acl = Acl::kStream,
     .keys = kStreamDeleteKey,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "O(1) for each single item to delete in the stream, regardless of the "
                   "stream size.",
     .summary = "Removes the specified entries from the stream. Returns the number of "
                "items actually deleted, that may be different from the number of IDs "
                "passed in case certain IDs do not exist.",
     .arguments = "key:key#0 id:string*"},
    {.name = "xlen",
     .handler = XLen,
     .arity = 2,
     .flags = Flag::kReadonly | Flag::kFast,
     .acl = Acl::kStream,
     .keys = kInspectKey,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Return the number of entries in a stream",
     .arguments = "key:key#0"},
    {.name = "xrange",
     .handler = XRange,
     .arity = -4,
     .flags = Flag::kReadonly,
     .acl = Acl::kStream,
     .keys = kReadKey,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "O(N) with N being the number of elements being returned. If N is "
                   "constant (e.g. always asking for the first 10 elements with COUNT), "
                   "you can consider it O(1).",
     .summary = "Return a range of elements in a stream, with IDs matching the "
                "specified IDs interval",
     .arguments = "key:key#0 start:string end:string 'COUNT' count:integer?",
     .history = kXRangeHistory},
    {.name = "xrevrange",
     .handler = XRevRange,
     .arity = -4,
     .flags = Flag::kReadonly,
     .acl = Acl::kStream,
     .keys = kReadKey,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "O(N) with N being the number of elements returned. If N is constant "
                   "(e.g. always asking for the first 10 elements with COUNT), you can "
                   "consider it O(1).",
     .summary = "Return a range of elements in a stream, with IDs matching the "
                "specified IDs interval, in reverse order (from greater to smaller "
                "IDs) compared to XRANGE",
     .arguments = "key:key#0 end:string start:string 'COUNT' count:integer?",
     .history = kXRevRangeHistory},
    {.name = "xsetid",
     .handler = XSetId,
     .arity = -3,
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .acl = Acl::kStream,
     .keys = kUpdateKey,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "An internal command for replicating stream values",
     .arguments = "key:key#0 last-id:string 'ENTRIESADDED' entries_added:integer?@7.0.0 "
                  "'MAXDELETEDID' max_deleted_entry_id:string?@7.0.0",
     .history = kXSetIdHistory},
    {.name = "xtrim",
     .handler = XTrim,
     .arity = -4,
     .flags = Flag::kWrite,
     .acl = Acl::kStream,
     .keys = kStreamDeleteKey,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "O(N), with N being the number of evicted entries. Constant times are "
                   "very small however, since entries are organized in macro nodes "
                   "containing multiple entries that can be released with a single "
                   "deallocation.",
     .summary = "Trims the stream to (approximately if '~' is passed) a certain size",
     .arguments = "key:key#0 trim:block(strategy:oneof('MAXLEN' "
                  "maxlen:pure-token|'MINID' minid:pure-token@6.2.0) operator:oneof('=' "
                  "equal:pure-token|'~' approximately:pure-token)? threshold:string "
                  "'LIMIT' count:integer?@6.2.0)",
     .history = kXTrimHistory,
     .tips = kStreamTips},
};

}  // namespace

std::span<const CommandSpec> StreamCommands() { return kStreamCommands; }

}  // namespace aeris
