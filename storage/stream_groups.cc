#include "storage/stream_groups.h"

#include <utility>

#include "src/base/check.h"

namespace aeris::storage {
namespace {

// A node of a map: colour and three pointers before the value.
constexpr std::size_t kConsumerNodeBytes =
    AllocatedBytes(32 + sizeof(StreamGroup::Consumers::value_type));

}  // namespace

// The name is there twice: as key, and where a pending entry finds it.
std::size_t StreamGroup::BytesOf(const StreamConsumer& consumer) {
  return kConsumerNodeBytes + 2 * TextHeapBytes(consumer.name.capacity());
}

void StreamGroup::MoveTo(std::size_t& account) {
  *account_ -= bytes_;
  account += bytes_;
  account_ = &account;
}

// Changes a map and counts what that took.
template <typename Map, typename Change>
decltype(auto) StreamGroup::Counted(Map& map, Change&& change) {
  struct Difference {
    ~Difference() { group.Count(map.memory_bytes() - before); }
    Map& map;
    StreamGroup& group;
    std::size_t before;
  } const difference{map, *this, map.memory_bytes()};
  return change(map);
}

StreamConsumer* StreamGroup::FindConsumer(std::string_view name) {
  const auto found = consumers_.find(name);
  return found == consumers_.end() ? nullptr : &found->second;
}

StreamConsumer& StreamGroup::GetConsumer(std::string_view name, UnixMs now) {
  StreamConsumer* consumer = FindConsumer(name);
  if (consumer == nullptr) {
    consumer = &consumers_.try_emplace(std::string(name)).first->second;
    consumer->name = name;
    Count(BytesOf(*consumer));
  }
  consumer->seen_at = now;
  return *consumer;
}

std::size_t StreamGroup::DeleteConsumer(std::string_view name, StreamGroup& cut) {
  const auto found = consumers_.find(name);
  if (found == consumers_.end()) return 0;
  StreamConsumer& consumer = found->second;
  const std::size_t count = consumer.pending.size();
  if (count == pending_.size()) {
    cut.Count(pending_.memory_bytes());
    Count(0 - pending_.memory_bytes());
    std::swap(cut.pending_, pending_);
  } else {
    const auto is_its = [&](const StreamPending& record) { return record.consumer == &consumer; };
    Counted(pending_, [&](Pending& pending) { pending.EraseAllOf(consumer.pending, is_its); });
  }
  const std::size_t bytes = BytesOf(consumer) + consumer.pending.memory_bytes();
  Count(0 - bytes);
  cut.Count(bytes);
  cut.consumers_.insert(consumers_.extract(found));
  return count;
}

StreamPending& StreamGroup::Assign(StreamId id, StreamConsumer& consumer) {
  StreamPending* record = pending_.Find(id);
  if (record != nullptr && record->consumer == &consumer) return *record;
  if (record == nullptr) {
    record = &Counted(pending_,
                      [&](Pending& pending) -> StreamPending& { return pending.Insert(id, {}); });
  } else {
    Counted(record->consumer->pending, [&](auto& pending) { pending.Erase(id); });
  }
  record->consumer = &consumer;
  Counted(consumer.pending, [&](auto& pending) { pending.Insert(id, {}); });
  return *record;
}

bool StreamGroup::Acknowledge(StreamId id) {
  const StreamPending* const record = pending_.Find(id);
  if (record == nullptr) return false;
  Counted(record->consumer->pending, [&](auto& pending) { pending.Erase(id); });
  Counted(pending_, [&](Pending& pending) { pending.Erase(id); });
  return true;
}

void StreamGroup::CopyTo(StreamGroup& copy) const {
  for (const auto& [name, consumer] : consumers_) copy.GetConsumer(name, consumer.seen_at);
  pending_.VisitFrom(kStreamIdMin, [&](const Pending::Item& item) {
    StreamPending& record = copy.Assign(item.id, *copy.FindConsumer(item.value.consumer->name));
    record.delivered_at = item.value.delivered_at;
    record.deliveries = item.value.deliveries;
    return true;
  });
}

std::size_t StreamGroup::FreeEffort() const {
  return 1 + 2 * consumers_.size() + pending_.size() / (Pending::kChunkMax / 4);
}

void StreamGroup::CheckInvariants() const {
  pending_.CheckInvariants();
  std::size_t pending = 0;
  std::size_t bytes = pending_.memory_bytes();
  for (const auto& [name, consumer] : consumers_) {
    bytes += BytesOf(consumer) + consumer.pending.memory_bytes();
    AERIS_CHECK(consumer.name == name);
    consumer.pending.CheckInvariants();
    pending += consumer.pending.size();
    consumer.pending.VisitFrom(kStreamIdMin, [&](const auto& item) {
      const StreamPending* const record = pending_.Find(item.id);
      AERIS_CHECK(record != nullptr);
      AERIS_CHECK(record->consumer == &consumer);
      return true;
    });
  }
  AERIS_CHECK(pending == pending_.size());
  AERIS_CHECK(bytes == bytes_);
}

}  // namespace aeris::storage
