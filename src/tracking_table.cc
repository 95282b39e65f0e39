#include "src/tracking_table.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "src/base/check.h"

namespace aeris {
namespace {

// How many heads so many links want, or 0 when those that are there will do: one link per head when
// they have just grown, a quarter before they shrink.
std::size_t WantedHeads(std::size_t heads, std::size_t links, std::size_t heads_min) {
  if (links > heads) return std::max(heads_min, std::bit_ceil(links));
  if (links < heads / 4 && heads > heads_min) return std::max(heads_min, heads / 2);
  return 0;
}

}  // namespace

TrackingTable::TrackingTable() = default;

TrackingTable::~TrackingTable() { (void)DestroySome(keys_); }

// --- Readers

TrackingTable::ReaderNumber TrackingTable::AddReader(Client& client) {
  if (unused_readers_.empty()) {
    readers_.push_back({.client = &client});
    return static_cast<ReaderNumber>(readers_.size() - 1);
  }
  const ReaderNumber reader = unused_readers_.back();
  unused_readers_.pop_back();
  readers_[reader].client = &client;
  return reader;
}

void TrackingTable::RemoveReader(ReaderNumber reader) {
  AERIS_DCHECK(readers_[reader].client != nullptr);
  readers_[reader].client = nullptr;
  left_items_ += readers_[reader].items;
  (readers_[reader].items == 0 ? unused_readers_ : left_readers_).push_back(reader);
}

bool TrackingTable::Sweep(std::size_t items_max) {
  while (!left_readers_.empty()) {
    const ReaderNumber reader = left_readers_.back();
    for (; readers_[reader].items != 0; --items_max) {
      if (items_max == 0) return true;
      RemoveOldestOf(reader);
    }
    left_readers_.pop_back();
    unused_readers_.push_back(reader);
  }
  return false;
}

std::string_view TrackingTable::RandomKey(std::uint64_t random) const {
  AERIS_DCHECK(item_count_ != 0);
  return ItemAt(static_cast<std::uint32_t>(random % item_count_)).key->name();
}

std::string_view TrackingTable::OldestKeyOf(ReaderNumber reader) const {
  return ItemAt(readers_[reader].oldest).key->name();
}

void TrackingTable::RemoveOldestOf(ReaderNumber reader) {
  const std::uint32_t at = readers_[reader].oldest;
  Key& key = *ItemAt(at).key;
  RemoveItem(at);
  if (key.first_item == kNone) UnlinkKey(key);
}

// --- Keys

TrackingTable::Key* TrackingTable::MakeKey(std::string_view name, std::uint32_t hash) {
  void* const memory = std::malloc(std::max(sizeof(Key), kKeyHead + name.size()));
  AERIS_CHECK(memory != nullptr);
  Key* const key = new (memory) Key{.bucket_next = nullptr,
                                    .hash = hash,
                                    .size = static_cast<std::uint32_t>(name.size()),
                                    .first_item = kNone};
  if (!name.empty()) std::memcpy(static_cast<char*>(memory) + kKeyHead, name.data(), name.size());
  return key;
}

TrackingTable::Key* TrackingTable::Find(storage::HashedKey key) const {
  const auto hash = static_cast<std::uint32_t>(key.hash);
  const Shard<Key*>& shard = key_shards_[ShardOf(hash)];
  if (shard.heads.empty()) return nullptr;
  Key* found = shard.heads[HeadOf(hash, shard.heads.size())];
  while (found != nullptr && (found->hash != hash || found->name() != key.text)) {
    found = found->bucket_next;
  }
  return found;
}

TrackingTable::Key& TrackingTable::FindOrMake(storage::HashedKey key) {
  if (Key* const found = Find(key); found != nullptr) return *found;
  const auto hash = static_cast<std::uint32_t>(key.hash);
  Shard<Key*>& shard = key_shards_[ShardOf(hash)];
  ++shard.links;
  FitKeys(shard);
  Key* const made = MakeKey(key.text, hash);
  Key*& head = shard.heads[HeadOf(hash, shard.heads.size())];
  made->bucket_next = head;
  head = made;
  ++keys_;
  return *made;
}

void TrackingTable::RemoveKey(Key& key) {
  while (key.first_item != kNone) RemoveItem(key.first_item);
  UnlinkKey(key);
}

// It has no readers any more.
void TrackingTable::UnlinkKey(Key& key) {
  Shard<Key*>& shard = key_shards_[ShardOf(key.hash)];
  Key** link = &shard.heads[HeadOf(key.hash, shard.heads.size())];
  while (*link != &key) link = &(*link)->bucket_next;
  *link = key.bucket_next;
  std::free(&key);
  --keys_;
  --shard.links;
  FitKeys(shard);
}

void TrackingTable::FitKeys(Shard<Key*>& shard) {
  const std::size_t wanted = WantedHeads(shard.heads.size(), shard.links, kHeadsMin);
  if (wanted == 0) return;
  std::vector<Key*> heads(wanted, nullptr);
  for (Key* key : shard.heads) {
    while (key != nullptr) {
      Key* const next = key->bucket_next;
      Key*& head = heads[HeadOf(key->hash, wanted)];
      key->bucket_next = head;
      head = key;
      key = next;
    }
  }
  shard.heads.swap(heads);
}

// --- Items

std::uint32_t TrackingTable::ItemHash(const Key& key, ReaderNumber reader) {
  constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15;
  return static_cast<std::uint32_t>(((std::uint64_t{reader} << 32 | key.hash) * kMultiplier) >> 32);
}

std::uint32_t TrackingTable::FindItem(const Key& key, ReaderNumber reader) const {
  const std::uint32_t hash = ItemHash(key, reader);
  const Shard<std::uint32_t>& shard = item_shards_[ShardOf(hash)];
  if (shard.heads.empty()) return kNone;
  std::uint32_t at = shard.heads[HeadOf(hash, shard.heads.size())];
  while (at != kNone && (ItemAt(at).key != &key || ItemAt(at).reader != reader)) {
    at = ItemAt(at).bucket_next;
  }
  return at;
}

bool TrackingTable::Add(storage::HashedKey text, ReaderNumber reader) {
  AERIS_DCHECK(item_count_ < kItemsMax);
  Key& key = FindOrMake(text);
  if (FindItem(key, reader) != kNone) return false;
  if (item_count_ == chunks_.size() * kItemsPerChunk) {
    chunks_.push_back(std::make_unique_for_overwrite<Item[]>(kItemsPerChunk));
  }
  const auto at = static_cast<std::uint32_t>(item_count_++);
  ItemAt(at).key = &key;
  ItemAt(at).reader = reader;
  LinkItem(at);
  return true;
}

// Puts an item that has a key and a reader into the lists, as the newest of both.
void TrackingTable::LinkItem(std::uint32_t at) {
  Item& item = ItemAt(at);
  const std::uint32_t hash = ItemHash(item);
  Shard<std::uint32_t>& shard = item_shards_[ShardOf(hash)];
  ++shard.links;
  FitItems(shard);
  std::uint32_t& head = shard.heads[HeadOf(hash, shard.heads.size())];
  item.bucket_next = head;
  head = at;
  item.key_previous = kNone;
  item.key_next = item.key->first_item;
  if (item.key_next != kNone) ItemAt(item.key_next).key_previous = at;
  item.key->first_item = at;
  Reader& reader = readers_[item.reader];
  item.newer = kNone;
  item.older = reader.newest;
  (item.older != kNone ? ItemAt(item.older).newer : reader.oldest) = at;
  reader.newest = at;
  ++reader.items;
}

void TrackingTable::UnlinkItem(std::uint32_t at) {
  UnlinkFromBucket(at);
  const Item& item = ItemAt(at);
  (item.key_previous != kNone ? ItemAt(item.key_previous).key_next : item.key->first_item) =
      item.key_next;
  if (item.key_next != kNone) ItemAt(item.key_next).key_previous = item.key_previous;
  Reader& reader = readers_[item.reader];
  (item.older != kNone ? ItemAt(item.older).newer : reader.oldest) = item.newer;
  (item.newer != kNone ? ItemAt(item.newer).older : reader.newest) = item.older;
  --reader.items;
  if (reader.client == nullptr) --left_items_;
}

void TrackingTable::UnlinkFromBucket(std::uint32_t at) {
  const Item& item = ItemAt(at);
  const std::uint32_t hash = ItemHash(item);
  Shard<std::uint32_t>& shard = item_shards_[ShardOf(hash)];
  std::uint32_t* link = &shard.heads[HeadOf(hash, shard.heads.size())];
  while (*link != at) link = &ItemAt(*link).bucket_next;
  *link = item.bucket_next;
  --shard.links;
  FitItems(shard);
}

// The last item takes the place of the one that goes.
void TrackingTable::RemoveItem(std::uint32_t at) {
  UnlinkItem(at);
  const auto last = static_cast<std::uint32_t>(item_count_ - 1);
  if (at != last) MoveItem(last, at);
  --item_count_;
  // One chunk stays in hand, so that an item that comes and goes at the border costs nothing.
  if (item_count_ + 2 * kItemsPerChunk <= chunks_.size() * kItemsPerChunk) chunks_.pop_back();
}

void TrackingTable::MoveItem(std::uint32_t from, std::uint32_t to) {
  const Item& item = ItemAt(to) = ItemAt(from);
  const std::uint32_t hash = ItemHash(item);
  Shard<std::uint32_t>& shard = item_shards_[ShardOf(hash)];
  std::uint32_t* link = &shard.heads[HeadOf(hash, shard.heads.size())];
  while (*link != from) link = &ItemAt(*link).bucket_next;
  *link = to;
  (item.key_previous != kNone ? ItemAt(item.key_previous).key_next : item.key->first_item) = to;
  if (item.key_next != kNone) ItemAt(item.key_next).key_previous = to;
  Reader& reader = readers_[item.reader];
  (item.older != kNone ? ItemAt(item.older).newer : reader.oldest) = to;
  (item.newer != kNone ? ItemAt(item.newer).older : reader.newest) = to;
}

void TrackingTable::FitItems(Shard<std::uint32_t>& shard) {
  const std::size_t wanted = WantedHeads(shard.heads.size(), shard.links, kHeadsMin);
  if (wanted == 0) return;
  std::vector<std::uint32_t> heads(wanted, kNone);
  for (std::uint32_t at : shard.heads) {
    while (at != kNone) {
      const std::uint32_t next = ItemAt(at).bucket_next;
      std::uint32_t& head = heads[HeadOf(ItemHash(ItemAt(at)), wanted)];
      ItemAt(at).bucket_next = head;
      head = at;
      at = next;
    }
  }
  shard.heads.swap(heads);
}

// --- The end

bool TrackingTable::DestroySome(std::size_t keys_max) {
  const std::size_t keys_end = keys_ - std::min(keys_, keys_max);
  while (shards_destroyed_ != kShards && keys_ > keys_end) DestroyShard();
  if (keys_ != 0) return true;
  chunks_.clear();
  return false;
}

// Items stay where they are until their chunk goes.
void TrackingTable::DestroyShard() {
  Shard<Key*>& shard = key_shards_[shards_destroyed_];
  for (Key* key : shard.heads) {
    while (key != nullptr) std::free(std::exchange(key, key->bucket_next));
  }
  keys_ -= shard.links;
  shard = {};
  item_shards_[shards_destroyed_] = {};
  const std::size_t chunks = chunks_.size() / (kShards - shards_destroyed_);
  chunks_.resize(chunks_.size() - chunks);
  ++shards_destroyed_;
}

void TrackingTable::CheckInvariants() const {
  std::size_t keys = 0, items = 0, links = 0;
  for (const Shard<Key*>& shard : key_shards_) {
    std::size_t in_shard = 0;
    for (std::size_t i = 0; i < shard.heads.size(); ++i) {
      for (const Key* key = shard.heads[i]; key != nullptr; key = key->bucket_next) {
        ++in_shard;
        AERIS_CHECK(HeadOf(key->hash, shard.heads.size()) == i);
        AERIS_CHECK(key->first_item != kNone);
        std::uint32_t previous = kNone;
        for (std::uint32_t at = key->first_item; at != kNone; at = ItemAt(at).key_next) {
          AERIS_CHECK(at < item_count_ && ItemAt(at).key == key);
          AERIS_CHECK(ItemAt(at).key_previous == previous);
          AERIS_CHECK(FindItem(*key, ItemAt(at).reader) == at);
          previous = at;
          ++items;
        }
      }
    }
    AERIS_CHECK(in_shard == shard.links);
    keys += in_shard;
  }
  AERIS_CHECK(keys == keys_);
  AERIS_CHECK(items == item_count_);
  for (const Shard<std::uint32_t>& shard : item_shards_) links += shard.links;
  AERIS_CHECK(links == item_count_);
  std::size_t of_readers = 0, left = 0;
  for (const Reader& reader : readers_) {
    std::size_t count = 0;
    std::uint32_t older = kNone;
    for (std::uint32_t at = reader.oldest; at != kNone; at = ItemAt(at).newer) {
      AERIS_CHECK(&readers_[ItemAt(at).reader] == &reader && ItemAt(at).older == older);
      older = at;
      ++count;
    }
    AERIS_CHECK(older == reader.newest && count == reader.items);
    of_readers += count;
    if (reader.client == nullptr) left += count;
  }
  AERIS_CHECK(of_readers == item_count_);
  AERIS_CHECK(left == left_items_);
}

}  // namespace aeris
