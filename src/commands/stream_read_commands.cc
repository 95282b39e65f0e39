// XREAD and XREADGROUP: several streams at once, new entries or those that are pending, waiting for
// them where there are none.
#include <fmt/format.h>

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "src/command_context.h"
#include "src/command_keys.h"
#include "src/commands/families.h"
#include "src/commands/key_specs.h"
#include "src/commands/stream_arguments.h"
#include "src/error_replies.h"
#include "src/server.h"
#include "src/text.h"

namespace aeris {
namespace {

using storage::Stream;
using storage::StreamConsumer;
using storage::StreamGroup;
using storage::StreamId;
using storage::StreamReader;

constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

struct ReadOptions {
  bool of_group = false;  // XREADGROUP
  bool no_ack = false;
  std::uint64_t count = kNoLimit;  // entries per stream
  std::optional<std::chrono::milliseconds> block = {};
  std::size_t group_arg = 0;  // its name; the consumer's is behind it. 0: not given
  std::size_t first_key = 0;  // argument
  std::size_t streams = 0;    // their ids are as many arguments behind the keys
};

// STREAMS at `index`: half of what follows are keys, half ids.
bool ParseStreams(const CommandContext& context, std::size_t index, ReadOptions& options) {
  const std::size_t arguments = context.argc() - index - 1;
  if (arguments % 2 != 0) {
    // Both commands say this.
    context.reply().Error(
        "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be "
        "specified.");
    return false;
  }
  options.first_key = index + 1;
  options.streams = arguments / 2;
  return true;
}

bool RefuseOfXRead(const CommandContext& context, const ReadOptions& options,
                   std::string_view option) {
  if (options.of_group) return false;
  context.reply().Error(fmt::format(
      "ERR The {} option is only supported by XREADGROUP. You called XREAD instead.", option));
  return true;
}

// False after the error reply.
bool ParseReadOptions(const CommandContext& context, ReadOptions& options) {
  for (std::size_t i = 1; i < context.argc() && options.streams == 0; ++i) {
    const std::size_t more = context.argc() - i - 1;
    if (more > 0 && context.ArgIs(i, "block")) {
      options.block = TimeoutMillisecondsArg(context, ++i);
      if (!options.block) return false;
    } else if (more > 0 && context.ArgIs(i, "count")) {
      const auto count = context.IntegerArg(++i);
      if (!count) return false;
      options.count = *count <= 0 ? kNoLimit : static_cast<std::uint64_t>(*count);
    } else if (more > 0 && context.ArgIs(i, "streams")) {
      if (!ParseStreams(context, i, options)) return false;
    } else if (more >= 2 && context.ArgIs(i, "group")) {
      if (RefuseOfXRead(context, options, "GROUP")) return false;
      options.group_arg = i + 1;
      i += 2;
    } else if (context.ArgIs(i, "noack")) {
      if (RefuseOfXRead(context, options, "NOACK")) return false;
      options.no_ack = true;
    } else {
      context.reply().Error(err::kSyntax);
      return false;
    }
  }
  if (options.streams == 0) {
    context.reply().Error(err::kSyntax);
    return false;
  }
  if (options.of_group && options.group_arg == 0) {
    context.reply().Error("ERR Missing GROUP option for XREADGROUP");
    return false;
  }
  return true;
}

// From where one stream is read.
struct ReadFrom {
  StreamId after = {};
  bool last = false;         // XREAD's "$": what comes from now on
  bool undelivered = false;  // XREADGROUP's ">"
};

std::optional<ReadFrom> ReadFromArg(const CommandContext& context, const ReadOptions& options,
                                    std::size_t index, const Stream* stream) {
  const std::string_view text = context.arg(index);
  const auto fail = [&](std::string_view error) {
    context.reply().Error(error);
    return std::nullopt;
  };
  if (text == "$") {
    if (options.of_group) {
      return fail(
          "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history "
          "of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ "
          "ID would just return an empty result set.");
    }
    return ReadFrom{.after = stream == nullptr ? StreamId{} : stream->last_id(), .last = true};
  }
  if (text == ">") {
    if (!options.of_group) {
      return fail(
          "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> "
          "<consumer> option.");
    }
    return ReadFrom{.undelivered = true};
  }
  const auto id = StreamIdArg(context, index);
  if (!id) return std::nullopt;
  // The last possible id is ">" to Redis.
  return ReadFrom{.after = *id, .undelivered = options.of_group && *id == storage::kStreamIdMax};
}

// Looks at all keys and ids before anything is read. False after the error reply. `replaced` gets
// what "$" means now.
bool CheckStreams(const CommandContext& context, const ReadOptions& options,
                  std::vector<std::pair<std::size_t, std::string>>& replaced) {
  for (std::size_t i = 0; i < options.streams; ++i) {
    const std::size_t key = options.first_key + i;
    Stream* stream = nullptr;
    if (!FindStream(context, key, stream)) return false;
    if (options.of_group) {
      const std::string_view group = context.arg(options.group_arg);
      if (stream == nullptr || stream->FindGroup(group) == nullptr) {
        ReplyNoGroup(context, context.arg(key), group, " in XREADGROUP with GROUP option");
        return false;
      }
    }
    const std::size_t id = key + options.streams;
    const auto from = ReadFromArg(context, options, id, stream);
    if (!from) return false;
    if (from->last) replaced.emplace_back(id, storage::ToString(from->after));
  }
  return true;
}

// The reply of both commands: a map from keys to arrays of entries, in RESP2 an array of pairs.
// Nothing is written before the first stream has something.
class StreamsReply {
 public:
  StreamsReply(protocol::ReplyWriter& reply, std::size_t streams_max)
      : reply_(reply), streams_max_(streams_max) {}

  void BeginStream(std::string_view key) {
    const bool resp2 = reply_.resp() == 2;
    if (count_++ == 0) {
      if (streams_max_ > 1) {
        streams_ = resp2 ? reply_.BeginArray() : reply_.BeginMap();
      } else {
        resp2 ? reply_.Array(1) : reply_.Map(1);
      }
    }
    if (resp2) reply_.Array(2);
    reply_.Bulk(key);
  }
  bool empty() const { return count_ == 0; }
  void End() {
    if (empty() || streams_max_ == 1) return;
    reply_.resp() == 2 ? reply_.EndArray(streams_, count_) : reply_.EndMap(streams_, count_);
  }

 private:
  protocol::ReplyWriter& reply_;
  std::size_t streams_max_;
  std::size_t count_ = 0;
  protocol::ReplyWriter::Deferred streams_{};
};

// Entries behind an id, as XREAD gives them.
void ReadEntries(const CommandContext& context, const ReadOptions& options, std::size_t key,
                 const Stream& stream, StreamId after, StreamsReply& streams) {
  const auto start = storage::Next(after);
  if (!start) return;
  StreamReader reader(stream, {.start = *start});
  if (!reader.Next()) return;
  protocol::ReplyWriter& reply = context.reply();
  streams.BeginStream(context.arg(key));
  const auto entries = reply.BeginArray();
  std::uint64_t count = 0;
  do {
    ReplyEntry(reply, reader);
    ++count;
  } while (count < options.count && reader.Next());
  reply.EndArray(entries, count);
}

// Entries that the group has not been given, to this consumer.
void Deliver(const CommandContext& context, const ReadOptions& options, std::size_t key,
             Stream& stream, StreamGroup& group, StreamsReply& streams) {
  const auto start = storage::Next(group.last_id);
  if (!start) return;
  StreamReader reader(stream, {.start = *start}, group.mark);
  if (!reader.Next()) return;
  const UnixMs now = context.now();
  StreamConsumer& consumer = ConsumerFor(context, group, options.group_arg + 1, key);
  protocol::ReplyWriter& reply = context.reply();
  streams.BeginStream(context.arg(key));
  const bool one = options.count == 1;
  protocol::ReplyWriter::Deferred entries{};
  if (one) {
    reply.Array(1);
  } else {
    entries = reply.BeginArray();
  }
  std::uint64_t count = 0;
  do {
    ReplyEntry(reply, reader);
    ++count;
    stream.Advance(group, reader.id());
    if (options.no_ack) continue;
    storage::StreamPending& pending = group.Assign(reader.id(), consumer);
    pending.delivered_at = now;
    pending.deliveries = 1;
  } while (count < options.count && reader.Next());
  if (!one) reply.EndArray(entries, count);
  // Behind the last entry of the stream a reader has no place to stop at.
  if (count == options.count) group.mark = reader.Mark();
  StreamChanged(context, key);
}

// What is pending with the consumer already, behind an id: array of entries, those deleted since
// then with a null array in the place of their fields.
void ReadHistory(const CommandContext& context, const ReadOptions& options, std::size_t key,
                 Stream& stream, StreamGroup& group, StreamId after, StreamsReply& streams) {
  StreamConsumer& consumer = ConsumerFor(context, group, options.group_arg + 1, key);
  protocol::ReplyWriter& reply = context.reply();
  streams.BeginStream(context.arg(key));
  const auto entries = reply.BeginArray();
  std::uint64_t count = 0;
  const auto start = storage::Next(after);
  const auto visit = [&](const auto& item) {
    if (count == options.count) return false;
    ++count;
    StreamReader reader(stream, {.start = item.id, .end = item.id});
    if (!reader.Next()) {
      reply.Array(2);
      ReplyStreamId(reply, item.id);
      reply.NullArray();
      return true;
    }
    ReplyEntry(reply, reader);
    storage::StreamPending* const pending = group.FindPending(item.id);
    pending->delivered_at = context.now();
    ++pending->deliveries;
    return true;
  };
  if (start) consumer.pending.VisitFrom(*start, visit);
  reply.EndArray(entries, count);
  StreamChanged(context, key);
}

// One stream, whose key and id have been checked, or had been when the client blocked. False after
// an error reply, which only a client that was blocked gets.
bool ReadStream(const CommandContext& context, const ReadOptions& options, std::size_t key,
                StreamsReply& streams) {
  const storage::EntryView entry =
      context.keyspace().Find(context.Key(key), context.now(), storage::kPeek);
  const bool is_stream = entry && entry.type() == storage::ValueType::kStream;
  Stream* const stream = is_stream ? StreamOf(entry) : nullptr;
  if (stream == nullptr) {
    if (!options.of_group) {
      // Looked for twice, as in Redis.
      if (!entry) context.NotifyMissed(key);
      return true;
    }
    context.reply().Error("UNBLOCKED the stream key no longer exists");
    return false;
  }
  const auto from = ReadFromArg(context, options, key + options.streams, stream);
  if (!from) return false;
  if (!options.of_group) {
    if (!from->last) ReadEntries(context, options, key, *stream, from->after, streams);
    return true;
  }
  StreamGroup* const group = stream->FindGroup(context.arg(options.group_arg));
  if (group == nullptr) {
    context.reply().Error("NOGROUP the consumer group this client was blocked on no longer exists");
    return false;
  }
  if (from->undelivered) {
    Deliver(context, options, key, *stream, *group, streams);
  } else {
    ReadHistory(context, options, key, *stream, *group, from->after, streams);
  }
  return true;
}

void Block(const CommandContext& context, const ReadOptions& options,
           std::span<const std::pair<std::size_t, std::string>> replaced) {
  std::vector<std::size_t> keys(options.streams);
  for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = options.first_key + i;
  context.BlockOn(keys, {.type = storage::ValueType::kStream,
                         .timeout = *options.block,
                         .wake_when_gone = options.of_group,
                         .replaced = replaced});
}

void Read(CommandContext& context, bool of_group) {
  ReadOptions options{.of_group = of_group};
  if (!ParseReadOptions(context, options)) return;
  if (const auto key = context.served_key()) {
    StreamsReply served(context.reply(), 1);
    if (!ReadStream(context, options, *key, served)) return;
    if (served.empty()) Block(context, options, {});
    return;
  }
  std::vector<std::pair<std::size_t, std::string>> replaced;
  if (!CheckStreams(context, options, replaced)) return;
  StreamsReply streams(context.reply(), options.streams);
  for (std::size_t i = 0; i < options.streams; ++i) {
    if (!ReadStream(context, options, options.first_key + i, streams)) return;
  }
  if (!streams.empty()) return streams.End();
  if (!options.block) return context.reply().NullArray();
  Block(context, options, replaced);
}

// XREAD [COUNT count] [BLOCK milliseconds] STREAMS key ... id ... Replies a map from keys to arrays
// of entries (RESP2: an array of pairs), without the keys that have nothing; a null array when none
// has, after the time to block.
void XRead(CommandContext& context) { Read(context, false); }

// XREADGROUP GROUP group consumer [COUNT count] [BLOCK milliseconds] [NOACK] STREAMS key ... id ...
// Replies as XREAD. For ">" the entries become pending with the consumer; for an id those that are
// pending with it.
void XReadGroup(CommandContext& context) { Read(context, true); }

constexpr KeySpec kXReadKeys[] = {{.flags = KeyFlag::kReadOnly | KeyFlag::kAccess,
                                   .begin = KeySpec::Begin::kKeyword,
                                   .index = 1,
                                   .keyword = "STREAMS",
                                   .last = -1,
                                   .limit = 2}};
// Behind GROUP and the two names.
constexpr KeySpec kXReadGroupKeys[] = {{.flags = KeyFlag::kReadOnly | KeyFlag::kAccess,
                                        .begin = KeySpec::Begin::kKeyword,
                                        .index = 4,
                                        .keyword = "STREAMS",
                                        .last = -1,
                                        .limit = 2}};

constexpr CommandSpec kStreamReadCommands[] = {
    {.name = "xread",
     .handler = XRead,
     .arity = -4,
     .flags = Flag::kReadonly | Flag::kBlocking | Flag::kMovableKeys,
     .acl = Acl::kStream,
     .keys = kXReadKeys,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "For each stream mentioned: O(N) with N being the number of elements "
                   "being returned, it means that XREAD-ing with a fixed COUNT is O(1). "
                   "Note that when the BLOCK option is used, XADD will pay O(M) time in "
                   "order to serve the M clients blocked on the stream getting new data.",
     .summary = "Return never seen elements in multiple streams, with IDs greater than "
                "the ones reported by the caller for each stream. Can block.",
     .arguments = "'COUNT' count:integer? 'BLOCK' milliseconds:integer? 'STREAMS' "
                  "streams:block(key:key*#0 id:string*)"},
    {.name = "xreadgroup",
     .handler = XReadGroup,
     .arity = -7,
     .flags = Flag::kWrite | Flag::kBlocking | Flag::kMovableKeys,
     .acl = Acl::kStream,
     .keys = kXReadGroupKeys,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "For each stream mentioned: O(M) with M being the number of elements "
                   "returned. If M is constant (e.g. always asking for the first 10 "
                   "elements with COUNT), you can consider it O(1). On the other side "
                   "when XREADGROUP blocks, XADD will pay the O(N) time in order to serve "
                   "the N clients blocked on the stream getting new data.",
     .summary = "Return new entries from a stream using a consumer group, or access "
                "the history of the pending entries for a given consumer. Can block.",
     .arguments = "'GROUP' group_consumer:block(group:string consumer:string) 'COUNT' "
                  "count:integer? 'BLOCK' milliseconds:integer? 'NOACK' "
                  "noack:pure-token? 'STREAMS' streams:block(key:key*#0 id:string*)"},
};

}  // namespace

std::span<const CommandSpec> StreamReadCommands() { return kStreamReadCommands; }

}  // namespace aeris
