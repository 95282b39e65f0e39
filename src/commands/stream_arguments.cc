#include "src/commands/stream_arguments.h"

#include <fmt/format.h>

#include <limits>

#include "src/packed_reply.h"
#include "src/server.h"
#include "src/text.h"

namespace aeris {
namespace {

using storage::Stream;
using storage::StreamId;

// One end of an interval as it is written.
struct IntervalEnd {
  StreamId id;
  bool exclusive = false;
};

std::optional<IntervalEnd> IntervalEndText(const CommandContext& context, std::size_t index,
                                           std::uint64_t missing_seq) {
  std::string_view text = context.arg(index);
  const bool exclusive = text.size() > 1 && text.front() == '(';
  if (exclusive) text.remove_prefix(1);
  const auto parsed =
      storage::ParseStreamId(text, {.missing_seq = missing_seq, .edges = !exclusive});
  if (!parsed) {
    context.reply().Error(kInvalidStreamId);
    return std::nullopt;
  }
  return IntervalEnd{parsed->id, exclusive};
}

std::optional<StreamId> StartOf(const CommandContext& context, const IntervalEnd& start) {
  if (!start.exclusive) return start.id;
  const auto next = storage::Next(start.id);
  if (!next) context.reply().Error("ERR invalid start ID for the interval");
  return next;
}

std::optional<StreamId> EndOf(const CommandContext& context, const IntervalEnd& end) {
  if (!end.exclusive) return end.id;
  const auto previous = storage::Previous(end.id);
  if (!previous) context.reply().Error("ERR invalid end ID for the interval");
  return previous;
}

constexpr std::uint64_t kSeqMax = std::numeric_limits<std::uint64_t>::max();

}  // namespace

std::optional<StreamId> StreamIdArg(const CommandContext& context, std::size_t index,
                                    std::uint64_t missing_seq) {
  const auto parsed = storage::ParseStreamId(context.arg(index), {.missing_seq = missing_seq});
  if (parsed) return parsed->id;
  context.reply().Error(kInvalidStreamId);
  return std::nullopt;
}

bool AreStreamIds(const CommandContext& context, std::size_t first) {
  for (std::size_t i = first; i < context.argc(); ++i) {
    if (!StreamIdArg(context, i)) return false;
  }
  return true;
}

std::optional<StreamId> IntervalStartArg(const CommandContext& context, std::size_t index) {
  const auto start = IntervalEndText(context, index, 0);
  return start ? StartOf(context, *start) : std::nullopt;
}

std::optional<StreamId> IntervalEndArg(const CommandContext& context, std::size_t index) {
  const auto end = IntervalEndText(context, index, kSeqMax);
  return end ? EndOf(context, *end) : std::nullopt;
}

std::optional<StreamInterval> IntervalArgs(const CommandContext& context, std::size_t start,
                                           std::size_t end) {
  const auto first = IntervalEndText(context, start, 0);
  const auto start_id = first ? StartOf(context, *first) : std::nullopt;
  if (!start_id) return std::nullopt;
  const auto last = IntervalEndText(context, end, kSeqMax);
  const auto end_id = last ? EndOf(context, *last) : std::nullopt;
  if (!end_id) return std::nullopt;
  return StreamInterval{*start_id, *end_id};
}

Stream* StreamOf(storage::EntryView entry) {
  return entry ? static_cast<Stream*>(entry.structure()) : nullptr;
}

bool FindStream(const CommandContext& context, std::size_t index, Stream*& stream) {
  storage::EntryView entry;
  if (!context.FindForRead(index, storage::ValueType::kStream, entry)) return false;
  stream = StreamOf(entry);
  return true;
}

bool FindStreamForWrite(const CommandContext& context, std::size_t index, Stream*& stream) {
  storage::EntryView entry;
  if (!context.FindForWrite(index, storage::ValueType::kStream, entry)) return false;
  stream = StreamOf(entry);
  return true;
}

void StreamChanged(const CommandContext& context, std::size_t index, std::uint64_t changes) {
  const storage::HashedKey key = context.Key(index);
  const storage::EntryView entry = context.keyspace().Find(key, context.now(), storage::kPeek);
  context.keyspace().ObjectChanged(key, *entry.structure(), context.now());
  context.Changed(changes);
}

storage::StreamConsumer& ConsumerFor(const CommandContext& context, storage::StreamGroup& group,
                                     std::size_t name, std::size_t key) {
  const bool made = group.FindConsumer(context.arg(name)) == nullptr;
  storage::StreamConsumer& consumer = group.GetConsumer(context.arg(name), context.now());
  if (made) context.Notify(KeyEvent::kStream, "xgroup-createconsumer", key);
  return consumer;
}

storage::StreamBlockLimits BlockLimits(const CommandContext& context) {
  const Config& config = context.server().config();
  return {.bytes_max = config.stream_node_max_bytes, .entries_max = config.stream_node_max_entries};
}

void ReplyStreamId(protocol::ReplyWriter& reply, StreamId id) {
  storage::StreamIdText scratch;
  reply.Bulk(storage::Format(id, scratch));
}

void ReplyEntry(protocol::ReplyWriter& reply, const storage::StreamReader& reader) {
  reply.Array(2);
  ReplyStreamId(reply, reader.id());
  reply.Array(2 * reader.field_count());
  reader.ForEachField([&](const storage::PackedItem& name, const storage::PackedItem& value) {
    ReplyItem(reply, name);
    ReplyItem(reply, value);
  });
}

void ReplyNoGroup(const CommandContext& context, std::string_view key, std::string_view group,
                  std::string_view rest) {
  context.reply().Error(fmt::format("NOGROUP No such key '{}' or consumer group '{}'{}",
                                    EchoedText(key, key.size()), EchoedText(group, group.size()),
                                    rest));
}

void ReplyNoGroupOfKey(const CommandContext& context) {
  const std::string_view key = context.arg(2);
  const std::string_view group = context.arg(3);
  context.reply().Error(fmt::format("NOGROUP No such consumer group '{}' for key name '{}'",
                                    EchoedText(group, group.size()), EchoedText(key, key.size())));
}

}  // namespace aeris
