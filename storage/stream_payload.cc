#include "storage/stream_payload.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <optional>
#include <string>

namespace aeris::storage {
namespace {

constexpr std::size_t kIdBytes = 16;

// --- Writing

void WriteId(RdbWriter& out, StreamId id) {
  out.Length(id.ms);
  out.Length(id.seq);
}

struct IdBytes {
  char bytes[kIdBytes];
  std::string_view view() const { return {bytes, kIdBytes}; }
};

IdBytes BigEndian(StreamId id) {
  const std::uint64_t parts[] = {std::byteswap(id.ms), std::byteswap(id.seq)};
  IdBytes result;
  std::memcpy(result.bytes, parts, kIdBytes);
  return result;
}

template <typename Map, typename Write>
void WritePending(RdbWriter& out, const Map& pending, Write&& write) {
  out.Length(pending.size());
  pending.VisitFrom(kStreamIdMin, [&](const auto& item) {
    out.Raw(BigEndian(item.id).view());
    write(item.value);
    return true;
  });
}

void WriteGroup(RdbWriter& out, const std::string& name, const StreamGroup& group) {
  out.Text(name);
  WriteId(out, group.last_id);
  out.Length(static_cast<std::uint64_t>(group.entries_read));
  WritePending(out, group.pending(), [&](const StreamPending& entry) {
    out.Milliseconds(entry.delivered_at);
    out.Length(entry.deliveries);
  });
  out.Length(group.consumers().size());
  for (const auto& [consumer_name, consumer] : group.consumers()) {
    out.Text(consumer_name);
    out.Milliseconds(consumer.seen_at);
    WritePending(out, consumer.pending, [](const auto&) {});
  }
}

// --- Reading

std::optional<StreamId> ReadId(RdbReader& in) {
  const auto ms = in.TakeLength();
  const auto seq = ms ? in.TakeLength() : std::nullopt;
  if (!seq) return std::nullopt;
  return StreamId{*ms, *seq};
}

std::optional<StreamId> IdFrom(std::optional<std::string_view> bytes) {
  if (!bytes || bytes->size() != kIdBytes) return std::nullopt;
  std::uint64_t parts[2];
  std::memcpy(parts, bytes->data(), kIdBytes);
  return StreamId{std::byteswap(parts[0]), std::byteswap(parts[1])};
}

bool ReadBlocks(RdbReader& in, Stream& stream) {
  const auto blocks = in.TakeCount();
  if (!blocks) return false;
  for (std::uint64_t i = 0; i < *blocks; ++i) {
    const auto key = in.TakeText();
    const auto first = key ? IdFrom(std::string_view(*key)) : std::nullopt;
    const auto block = first ? in.TakeText() : std::nullopt;
    if (!block || !stream.AddBlock(*block, *first)) return false;
  }
  return true;
}

// The counters must agree with the blocks, so that later commands can rely on them.
bool ReadCounters(RdbReader& in, rdb::Type type, Stream& stream) {
  const auto length = in.TakeLength();
  const auto last_id = length ? ReadId(in) : std::nullopt;
  if (!last_id || *length != stream.size() || *last_id < stream.LastLiveId()) return false;
  StreamId deleted;
  std::uint64_t added = *length;
  if (type != rdb::Type::kStream) {
    const auto first_id = ReadId(in);
    const auto max_deleted = first_id ? ReadId(in) : std::nullopt;
    const auto entries_added = max_deleted ? in.TakeLength() : std::nullopt;
    if (!entries_added || *entries_added < *length || *max_deleted > *last_id) return false;
    deleted = *max_deleted;
    added = *entries_added;
  }
  stream.SetLastId(*last_id);
  stream.SetMaxDeletedId(deleted);
  stream.SetEntriesAdded(added);
  return true;
}

struct Delivered {
  StreamId id;
  UnixMs at = 0;
  std::uint64_t deliveries = 0;
};

std::optional<std::vector<Delivered>> ReadDelivered(RdbReader& in) {
  const auto count = in.TakeCount();
  if (!count) return std::nullopt;
  std::vector<Delivered> delivered;
  for (std::uint64_t i = 0; i < *count; ++i) {
    const auto id = IdFrom(in.Take(kIdBytes));
    const auto at = id ? in.TakeMilliseconds() : std::nullopt;
    const auto deliveries = at ? in.TakeLength() : std::nullopt;
    if (!deliveries) return std::nullopt;
    // In order, so that each is found once.
    if (!delivered.empty() && *id <= delivered.back().id) return std::nullopt;
    delivered.push_back({*id, *at, *deliveries});
  }
  return delivered;
}

// Gives the consumer what it has of the group's pending entries. False unless each is the group's
// and nobody else's.
bool ReadOwned(RdbReader& in, const std::vector<Delivered>& delivered, StreamGroup& group,
               StreamConsumer& consumer) {
  const auto count = in.TakeCount();
  if (!count) return false;
  for (std::uint64_t i = 0; i < *count; ++i) {
    const auto id = IdFrom(in.Take(kIdBytes));
    if (!id || group.FindPending(*id) != nullptr) return false;
    const auto found = std::ranges::lower_bound(delivered, *id, {}, &Delivered::id);
    if (found == delivered.end() || found->id != *id) return false;
    StreamPending& pending = group.Assign(*id, consumer);
    pending.delivered_at = found->at;
    pending.deliveries = found->deliveries;
  }
  return true;
}

bool ReadConsumer(RdbReader& in, rdb::Type type, const std::vector<Delivered>& delivered,
                  StreamGroup& group) {
  const auto name = in.TakeText();
  const auto seen_at = name ? in.TakeMilliseconds() : std::nullopt;
  if (!seen_at || group.FindConsumer(*name) != nullptr) return false;
  if (type == rdb::Type::kStream3 && !in.TakeMilliseconds()) return false;
  return ReadOwned(in, delivered, group, group.GetConsumer(*name, *seen_at));
}

bool ReadGroup(RdbReader& in, rdb::Type type, Stream& stream) {
  const auto name = in.TakeText();
  const auto last_id = name ? ReadId(in) : std::nullopt;
  if (!last_id) return false;
  // The first version has no such counter; as far as the entries tell, it is made good.
  auto read = static_cast<std::uint64_t>(stream.AddedUpTo(*last_id));
  if (type != rdb::Type::kStream) {
    const auto given = in.TakeLength();
    if (!given) return false;
    read = *given;
  }
  StreamGroup* const group = stream.CreateGroup(*name, *last_id, static_cast<std::int64_t>(read));
  if (group == nullptr) return false;
  const auto delivered = ReadDelivered(in);
  const auto consumers = delivered ? in.TakeCount() : std::nullopt;
  if (!consumers) return false;
  for (std::uint64_t i = 0; i < *consumers; ++i) {
    if (!ReadConsumer(in, type, *delivered, *group)) return false;
  }
  return group->pending().size() == delivered->size();
}

}  // namespace

void WriteStream(RdbWriter& out, const Stream& stream) {
  out.Byte(static_cast<std::uint8_t>(rdb::Type::kStream2));
  out.Length(stream.blocks().size());
  for (const auto& [first, block] : stream.blocks()) {
    out.Text(BigEndian(first).view());
    out.Text(block.bytes());
  }
  out.Length(stream.size());
  WriteId(out, stream.last_id());
  WriteId(out, stream.first_id());
  WriteId(out, stream.max_deleted_id());
  out.Length(stream.entries_added());
  out.Length(stream.groups().size());
  for (const auto& [name, group] : stream.groups()) WriteGroup(out, name, group);
}

std::unique_ptr<Collection> ReadStream(RdbReader& in, rdb::Type type) {
  auto stream = std::make_unique<Stream>();
  if (!ReadBlocks(in, *stream) || !ReadCounters(in, type, *stream)) return nullptr;
  const auto groups = in.TakeCount();
  if (!groups) return nullptr;
  for (std::uint64_t i = 0; i < *groups; ++i) {
    if (!ReadGroup(in, type, *stream)) return nullptr;
  }
  return stream;
}

}  // namespace aeris::storage
