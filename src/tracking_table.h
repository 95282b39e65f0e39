// TrackingTable: which reader has read which key, so that it can be told when the key changes.
//
//   key shard    bucket --> Key --> Key            name, and the first of its items
//   items_       [Item][Item][Item] ..             dense: one for each reader of each key
//   item shard   bucket --> item --> item          finds the item of a key and a reader
//   readers_     by number: its newest and its oldest item
//
//   An item is in three lists: of its key's readers, of its reader's keys, and of its bucket.
//
// Holds:    a key has at least one item; a key and a reader have at most one; keys are found by
//           name alone, whatever their database, as in Redis.
// Cost:     Add, and removing one item, O(1) whatever a key has of readers and a reader of keys;
//           Take O(readers of the key). The last item moves to the place of one that goes, so the
//           items stay dense, a random one is an index, and their memory goes back.
// Pauses:   a table of 1,024 shards has them grow and shrink one by one, at a million keys by a
//           thousand links each. Keys of a reader that has left go in steps (Sweep); a table that
//           is not needed any more is destroyed in steps (DestroySome).
// Memory:   a key 20 bytes, its name and 8 to 16 for the bucket; an item 32 and 4 to 8: about 95
//           bytes for a key of 16 bytes with one reader, 38 for each further one
//           (TrackingTable.TakesWhatItsHeadSays).
// Rejected: a list of readers inside the key (each GET of a key with ten thousand readers would
//           search it); readers that stay until their keys change, as in Redis, where a key that
//           never changes gathers the ids of all clients that ever read it.
// Hash:     the server's keyed one; numbers of readers are ours.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "storage/hash_function.h"

namespace aeris {

class Client;

class TrackingTable {
 public:
  using ReaderNumber = std::uint32_t;
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;
  static constexpr std::size_t kItemsMax = kNone;

  TrackingTable();
  TrackingTable(const TrackingTable&) = delete;
  TrackingTable& operator=(const TrackingTable&) = delete;
  ~TrackingTable();

  std::size_t keys() const { return keys_; }
  std::size_t items() const { return item_count_; }

  [[nodiscard]] ReaderNumber AddReader(Client& client);
  // Nothing is told to it any more; what it has read leaves the table with the next sweeps.
  void RemoveReader(ReaderNumber reader);
  // Numbers are below this; some may be of nobody.
  std::size_t reader_numbers() const { return readers_.size(); }
  std::size_t KeysOf(ReaderNumber reader) const { return readers_[reader].items; }
  // Null when it has left.
  Client* ClientOf(ReaderNumber reader) const { return readers_[reader].client; }

  // False when the reader has the key already. While items() is below kItemsMax.
  bool Add(storage::HashedKey key, ReaderNumber reader);

  // Removes the key, if it is there, and calls visit(Client&) for all its readers, who must not add
  // or remove anything then.
  template <typename Visit>
  void Take(storage::HashedKey key, Visit&& visit) {
    Key* const found = Find(key);
    if (found == nullptr) return;
    for (std::uint32_t at = found->first_item; at != kNone; at = ItemAt(at).key_next) {
      Client* const client = readers_[ItemAt(at).reader].client;
      if (client != nullptr) visit(*client);
    }
    RemoveKey(*found);
  }

  // The name of a key at random, those with many readers being likelier, or of the one that the
  // reader has had for longest. Valid until the table changes.
  std::string_view RandomKey(std::uint64_t random) const;
  std::string_view OldestKeyOf(ReaderNumber reader) const;
  void RemoveOldestOf(ReaderNumber reader);

  // Items of readers that have left.
  std::size_t left_items() const { return left_items_; }
  // Removes up to so many of them. True when more may be there.
  bool Sweep(std::size_t items_max);
  // Destroys about so many keys of a table that is not used any more. False when none is left.
  bool DestroySome(std::size_t keys_max);

  // Checks every rule above; for tests.
  void CheckInvariants() const;

 private:
  // Its name follows it.
  struct Key {
    Key* bucket_next;
    std::uint32_t hash;  // its low half
    std::uint32_t size;
    std::uint32_t first_item;
    std::string_view name() const { return {reinterpret_cast<const char*>(this) + kKeyHead, size}; }
  };
  static constexpr std::size_t kKeyHead = 20;
  struct Item {
    Key* key;
    ReaderNumber reader;
    std::uint32_t bucket_next;
    std::uint32_t key_previous;
    std::uint32_t key_next;
    std::uint32_t older;  // of the same reader
    std::uint32_t newer;
  };
  static_assert(sizeof(Item) == 32, "the head of this file and INFO's readers count on it");
  struct Reader {
    Client* client = nullptr;
    std::uint32_t oldest = kNone;
    std::uint32_t newest = kNone;
    std::uint32_t items = 0;
  };
  // Heads of chains. `links` is what is in all of them; the number of heads is a power of two.
  template <typename Link>
  struct Shard {
    std::vector<Link> heads;
    std::uint32_t links = 0;
  };
  static constexpr std::size_t kShards = 1024;
  static constexpr std::size_t kHeadsMin = 2;
  static constexpr std::size_t kItemsPerChunk = 1024;

  static Key* MakeKey(std::string_view name, std::uint32_t hash);
  static std::size_t ShardOf(std::uint32_t hash) { return hash % kShards; }
  static std::size_t HeadOf(std::uint32_t hash, std::size_t heads) {
    return hash / kShards & (heads - 1);
  }
  static std::uint32_t ItemHash(const Key& key, ReaderNumber reader);
  std::uint32_t ItemHash(const Item& item) const { return ItemHash(*item.key, item.reader); }
  Item& ItemAt(std::uint32_t at) { return chunks_[at / kItemsPerChunk][at % kItemsPerChunk]; }
  const Item& ItemAt(std::uint32_t at) const {
    return chunks_[at / kItemsPerChunk][at % kItemsPerChunk];
  }

  Key* Find(storage::HashedKey key) const;
  Key& FindOrMake(storage::HashedKey key);
  std::uint32_t FindItem(const Key& key, ReaderNumber reader) const;
  void RemoveKey(Key& key);
  void UnlinkKey(Key& key);
  void RemoveItem(std::uint32_t at);
  void LinkItem(std::uint32_t at);
  void UnlinkItem(std::uint32_t at);
  void UnlinkFromBucket(std::uint32_t at);
  void MoveItem(std::uint32_t from, std::uint32_t to);
  void FitKeys(Shard<Key*>& shard);
  void FitItems(Shard<std::uint32_t>& shard);
  void DestroyShard();

  std::array<Shard<Key*>, kShards> key_shards_;
  std::array<Shard<std::uint32_t>, kShards> item_shards_;
  std::vector<std::unique_ptr<Item[]>> chunks_;
  std::size_t keys_ = 0;
  std::size_t item_count_ = 0;
  std::vector<Reader> readers_;
  std::vector<ReaderNumber> unused_readers_;
  std::vector<ReaderNumber> left_readers_;  // with items still, or none any more
  std::size_t left_items_ = 0;
  std::size_t shards_destroyed_ = 0;
};

}  // namespace aeris
