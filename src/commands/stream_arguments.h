// What the commands on streams share: ids among the arguments, finding a stream, entries in
// replies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "src/command.h"
#include "src/command_context.h"
#include "storage/stream_value.h"

namespace aeris {

inline constexpr KeySpec kStreamDeleteKey[] = {{.flags = KeyFlag::kReadWrite | KeyFlag::kDelete}};
inline constexpr std::string_view kStreamTips[] = {"nondeterministic_output"};

inline constexpr std::string_view kInvalidStreamId =
    "ERR Invalid stream ID specified as stream command argument";

// An id in full: neither "-" nor "+". None after the error reply.
std::optional<storage::StreamId> StreamIdArg(const CommandContext& context, std::size_t index,
                                             std::uint64_t missing_seq = 0);
// Whether all arguments from `first` on are ids, which ParseStreamId() then takes. Replies if not.
bool AreStreamIds(const CommandContext& context, std::size_t first);

// The ends of an interval: "-", "+", an id, or "(" and an id that is not part of it any more. None
// after the error reply.
std::optional<storage::StreamId> IntervalStartArg(const CommandContext& context, std::size_t index);
std::optional<storage::StreamId> IntervalEndArg(const CommandContext& context, std::size_t index);
// The ends of one interval. Both are read before either is moved past what it leaves out.
struct StreamInterval {
  storage::StreamId start;
  storage::StreamId end;
};
std::optional<StreamInterval> IntervalArgs(const CommandContext& context, std::size_t start,
                                           std::size_t end);

// The stream of an entry; null when there is none.
storage::Stream* StreamOf(storage::EntryView entry);
// Finds argument `index`. False after a WRONGTYPE reply; `stream` is null when the key is absent.
bool FindStream(const CommandContext& context, std::size_t index, storage::Stream*& stream);
bool FindStreamForWrite(const CommandContext& context, std::size_t index, storage::Stream*& stream);
// The consumer that argument `name` names, made if it is not there, of a group of the stream at
// argument `key`.
storage::StreamConsumer& ConsumerFor(const CommandContext& context, storage::StreamGroup& group,
                                     std::size_t name, std::size_t key);
// The stream at argument `index` has changed; counts that as so many changes.
void StreamChanged(const CommandContext& context, std::size_t index, std::uint64_t changes = 1);

storage::StreamBlockLimits BlockLimits(const CommandContext& context);

// An id as bulk string.
void ReplyStreamId(protocol::ReplyWriter& reply, storage::StreamId id);
// The reader's entry: array of its id and of the array of fields and values.
void ReplyEntry(protocol::ReplyWriter& reply, const storage::StreamReader& reader);

// "NOGROUP No such key 'k' or consumer group 'g'", with `rest` behind it.
void ReplyNoGroup(const CommandContext& context, std::string_view key, std::string_view group,
                  std::string_view rest = {});
// "NOGROUP No such consumer group 'g' for key name 'k'", of arguments 3 and 2.
void ReplyNoGroupOfKey(const CommandContext& context);

}  // namespace aeris
