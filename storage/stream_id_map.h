// StreamIdMap: stream ids in order, each with a small value; the pending entries of a group.
//
//   chunks   id 0 -> [ id value ][ id value ] ...      at most kChunkMax each, sorted
//            id 7 -> [ id value ] ...
//
// Pending entries are added at the end and go from the front or anywhere: a chunk that is full and
// is appended to stays full, one that loses entries is joined with its neighbour. A chunk's key is
// at most its first id, and above all ids of the chunk before it.
//
// Cost:     O(log n), and a move of at most a chunk.
// Memory:   16 bytes and the value per id, and 2 to 4 for its share of the chunk.
// Pointers to values hold until the next change.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "src/base/check.h"
#include "storage/allocated_bytes.h"
#include "storage/stream_id.h"

namespace aeris::storage {

template <typename Value>
class StreamIdMap {
 public:
  static constexpr std::size_t kChunkMax = 32;

  struct Item {
    StreamId id;
    [[no_unique_address]] Value value;
  };

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // Of what it has allocated; O(1).
  std::size_t memory_bytes() const { return chunks_.size() * kNodeBytes + chunk_bytes_; }

  // Null when absent.
  const Value* Find(StreamId id) const {
    const auto chunk = ChunkOf(id);
    if (chunk == chunks_.end()) return nullptr;
    const auto at = LowerBound(chunk->second, id);
    return at != chunk->second.end() && at->id == id ? &at->value : nullptr;
  }
  Value* Find(StreamId id) { return const_cast<Value*>(std::as_const(*this).Find(id)); }
  bool Contains(StreamId id) const { return Find(id) != nullptr; }

  // The first id that is at least `id`; null when there is none.
  const Item* AtLeast(StreamId id) const {
    auto chunk = ChunkOf(id);
    if (chunk == chunks_.end()) return nullptr;
    const auto at = LowerBound(chunk->second, id);
    if (at != chunk->second.end()) return &*at;
    return ++chunk == chunks_.end() ? nullptr : &chunk->second.front();
  }
  // Requires !empty().
  const Item& first() const { return chunks_.begin()->second.front(); }
  const Item& last() const { return chunks_.rbegin()->second.back(); }

  // Calls visit(const Item&) for each id from `start` on, in order, until it returns false. The map
  // does not change meanwhile.
  template <typename Visit>
  void VisitFrom(StreamId start, Visit&& visit) const {
    auto chunk = ChunkOf(start);
    if (chunk == chunks_.end()) return;
    for (auto at = LowerBound(chunk->second, start);;) {
      for (; at != chunk->second.end(); ++at) {
        if (!visit(*at)) return;
      }
      if (++chunk == chunks_.end()) return;
      at = chunk->second.begin();
    }
  }

  // Adds the id, which must be absent. Returns its value.
  Value& Insert(StreamId id, Value value) {
    auto chunk = chunks_.empty() ? chunks_.end() : RoomFor(id);
    if (chunk == chunks_.end()) chunk = chunks_.emplace_hint(chunks_.end(), id, Chunk{});
    Chunk& items = chunk->second;
    const auto at = items.begin() + (LowerBound(items, id) - items.cbegin());
    const std::size_t bytes = BytesOf(items);
    const auto added = items.insert(at, Item{id, std::move(value)});
    chunk_bytes_ += BytesOf(items) - bytes;
    ++size_;
    return added->value;
  }
  // False when absent.
  bool Erase(StreamId id) {
    const auto chunk = Mutable(ChunkOf(id));
    if (chunk == chunks_.end()) return false;
    Chunk& items = chunk->second;
    const auto at = LowerBound(items, id);
    if (at == items.end() || at->id != id) return false;
    items.erase(at);
    --size_;
    if (items.size() <= kChunkMax / 4) Join(chunk);
    return true;
  }

  // Removes the ids of `other`, all of which are here: those whose values `belongs(const Value&)`.
  // A look at each chunk that has any.
  template <typename Other, typename Belongs>
  void EraseAllOf(const StreamIdMap<Other>& other, Belongs&& belongs) {
    for (std::optional<StreamId> from = kStreamIdMin; from;) {
      const auto* const next = other.AtLeast(*from);
      if (next == nullptr) return;
      const auto chunk = Mutable(ChunkOf(next->id));
      Chunk& items = chunk->second;
      from = Next(items.back().id);
      size_ -= std::erase_if(items, [&](const Item& item) { return belongs(item.value); });
      if (items.size() <= kChunkMax / 4) Join(chunk);
    }
  }

  // Aborts when an invariant does not hold.
  void CheckInvariants() const {
    std::size_t size = 0;
    std::size_t bytes = 0;
    const StreamId* last = nullptr;
    for (const auto& [key, items] : chunks_) {
      AERIS_CHECK(!items.empty());
      AERIS_CHECK(items.size() <= kChunkMax);
      AERIS_CHECK(key <= items.front().id);
      AERIS_CHECK(last == nullptr || *last < key);
      for (const Item& item : items) {
        AERIS_CHECK(last == nullptr || *last < item.id);
        last = &item.id;
      }
      size += items.size();
      bytes += BytesOf(items);
    }
    AERIS_CHECK(size == size_);
    AERIS_CHECK(bytes == chunk_bytes_);
  }

 private:
  using Chunk = std::vector<Item>;
  using Chunks = std::map<StreamId, Chunk>;
  static constexpr std::size_t kNodeBytes =
      AllocatedBytes(32 + sizeof(typename Chunks::value_type));
  static std::size_t BytesOf(const Chunk& items) {
    return AllocatedBytes(items.capacity() * sizeof(Item));
  }

  // The chunk where the id is or belongs; of an id before all others the first. End when empty.
  typename Chunks::const_iterator ChunkOf(StreamId id) const {
    if (!chunks_.empty() && chunks_.rbegin()->first <= id) return std::prev(chunks_.end());
    auto chunk = chunks_.upper_bound(id);
    if (chunk != chunks_.begin()) --chunk;
    return chunk;
  }
  // erase() of nothing gives the iterator without const.
  typename Chunks::iterator Mutable(typename Chunks::const_iterator chunk) {
    return chunks_.erase(chunk, chunk);
  }
  static typename Chunk::const_iterator LowerBound(const Chunk& items, StreamId id) {
    if (!items.empty() && items.back().id < id) return items.end();
    return std::ranges::lower_bound(items, id, {}, &Item::id);
  }

  // A chunk with room where `id` belongs; end for a new one behind all others.
  typename Chunks::iterator RoomFor(StreamId id) {
    auto chunk = Mutable(ChunkOf(id));
    if (id < chunk->first) {
      // Before all: the first chunk begins here from now on.
      auto node = chunks_.extract(chunk);
      node.key() = id;
      chunk = chunks_.insert(std::move(node)).position;
    }
    Chunk& items = chunk->second;
    if (items.size() < kChunkMax) return chunk;
    if (std::next(chunk) == chunks_.end() && items.back().id < id) return chunks_.end();
    const auto middle = items.begin() + kChunkMax / 2;
    const StreamId middle_id = middle->id;
    const auto upper =
        chunks_.emplace_hint(std::next(chunk), middle_id, Chunk(middle, items.end()));
    chunk_bytes_ += BytesOf(upper->second);
    items.erase(middle, items.end());
    return id < middle_id ? chunk : upper;
  }

  // Removes an empty chunk; puts a small one together with the next, where both have room.
  void Join(typename Chunks::iterator chunk) {
    Chunk& items = chunk->second;
    if (items.empty()) return Remove(chunk);
    const auto next = std::next(chunk);
    if (next == chunks_.end() || items.size() + next->second.size() > kChunkMax / 2) return;
    const std::size_t bytes = BytesOf(items);
    items.insert(items.end(), next->second.begin(), next->second.end());
    chunk_bytes_ += BytesOf(items) - bytes;
    Remove(next);
  }
  void Remove(typename Chunks::iterator chunk) {
    chunk_bytes_ -= BytesOf(chunk->second);
    chunks_.erase(chunk);
  }

  Chunks chunks_;
  std::size_t size_ = 0;
  std::size_t chunk_bytes_ = 0;  // of what the chunks have allocated
};

}  // namespace aeris::storage
