// The parts of a keyspace, for the files that make it up: keyspace.cc (finding, storing, removing),
// keyspace_strings.cc and keyspace_sweeps.cc. Nobody else includes this.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/equal_bytes.h"
#include "storage/arena.h"
#include "storage/blob.h"
#include "storage/entry_codec.h"
#include "storage/hash_table.h"
#include "storage/keyspace.h"
#include "storage/prefetch.h"
#include "storage/s3fifo.h"

namespace aeris::storage {

__extension__ using WideInt = __int128;

// What the table knows about entries.
class EntryPolicy {
 public:
  static constexpr std::size_t kPrefetchBytesMax = 256;

  EntryPolicy(const Arena& arena, const Keyspace& keyspace)
      : arena_(&arena), hasher_(&keyspace.hasher()), keyspace_(&keyspace) {}

  std::uint64_t HashOf(Ref ref) const { return (*hasher_)(KeyOf(arena_->At(ref))); }
  bool Matches(Ref ref, std::string_view key) const {
    return EqualBytes(KeyOf(arena_->At(ref)), key);
  }
  // Entries are not aligned to lines, so one of 56 bytes is mostly on two.
  void Prefetch(Ref ref) const {
    storage::Prefetch(arena_->At(ref), std::min(arena_->SlotBytes(ref), kPrefetchBytesMax));
  }
  bool MayTake(std::size_t bytes) const {
    const MemoryBound* const bound = keyspace_->context().memory_bound;
    return bound == nullptr || bound->MayTake(*keyspace_, bytes);
  }

 private:
  const Arena* arena_;
  const KeyHasher* hasher_;
  const Keyspace* keyspace_;
};

using EntryTable = HashTable<EntryPolicy>;

inline StoreResult ResultOf(EntryTable::Slot stored) {
  return stored ? StoreResult::kStored : StoreResult::kNoMemory;
}

inline UnixMs Earlier(UnixMs a, UnixMs b) {
  if (a == kNoDeadline || b == kNoDeadline) return std::max(a, b);
  return std::min(a, b);
}

// A key's deadline, and when the sweep has to look at it: parts of its value may be due earlier.
struct Times {
  UnixMs deadline = kNoDeadline;
  UnixMs look = kNoDeadline;
};

// Under which the entry has been filed.
inline Times FiledTimes(EntryView entry) {
  const UnixMs deadline = entry.deadline();
  const Collection* const object = ValueObject(entry.bytes());
  if (object == nullptr) [[likely]] {
    return {deadline, deadline};
  }
  return {deadline, Earlier(deadline, CollectionAccount::filed(*object))};
}

// Whether a new form may keep a slot that is larger than it needs.
enum class Slack : std::uint8_t { kNone, kKeep };

struct Keyspace::Impl {
  Impl(const Keyspace& keyspace, KeyspaceContext& shared)
      : owner(keyspace),
        context(shared),
        arena({.reserve_bytes = shared.limits.arena_bytes}),
        blobs(shared.limits.blob_bytes),
        table(EntryPolicy(arena, keyspace), shared.limits.table_homes) {}

  ~Impl() {
    if (collections.count() == 0) return;
    table.ForEach([&](Ref ref) { delete ValueObject(arena.At(ref)); });
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  AccessPolicy access() const { return {lfu(), context.lfu_log_factor, context.lfu_decay_minutes}; }
  // Which meaning the access clock has.
  bool lfu() const { return eviction.order == EvictionOrder::kLeastFrequent; }
  EntryView ViewOf(const std::byte* entry) const { return {entry, deadline_base}; }
  EntryView ViewOf(EntryTable::Slot slot) const { return ViewOf(arena.At(table.ref(slot))); }
  std::byte* BytesOf(EntryTable::Slot slot) const { return arena.At(table.ref(slot)); }

  enum class IfExpired : std::uint8_t { kRemove, kMayStay };
  EntryTable::Slot FindLive(const HashedKey& key, UnixMs now,
                            IfExpired expired = IfExpired::kRemove);
  void Touch(std::byte* entry, UnixMs now);
  void CountUse(EntryTable::Slot slot);
  std::uint16_t ClockAfterUse(EntryTable::Slot slot, UnixMs now);

  EntryTable::Slot Store(const HashedKey& key, EntryTable::Slot slot, EntrySpec& spec,
                         std::size_t slot_bytes, Slack slack);
  EntryTable::Slot Create(const HashedKey& key, EntrySpec& spec);
  bool Rewrite(EntryTable::Slot slot, const EntrySpec& spec, const EntryForm& form,
               std::size_t slot_bytes, Slack slack);
  bool OverwriteSameShape(EntryTable::Slot slot, std::string_view value, UnixMs deadline,
                          UnixMs now);
  bool SetSpecText(EntrySpec& spec, std::string_view value, EntryTable::Slot slot,
                   LooseBlob* loose);
  bool AssignInPlace(EntrySpec& spec, std::string_view value, EntryTable::Slot slot);
  bool FitsInPlace(EntryTable::Slot slot, EntrySpec spec) const;
  EntryTable::Slot StoreOwned(const HashedKey& key, EntryTable::Slot slot, EntrySpec& spec,
                              std::size_t slot_bytes, Slack slack);
  std::optional<std::span<char>> ResizeInline(const HashedKey& key, EntryTable::Slot slot,
                                              std::size_t size);
  StoreResult StoreCollection(const HashedKey& key, EntrySpec& spec, std::optional<UnixMs> deadline,
                              UnixMs now);
  std::span<char> WritableText(EntryTable::Slot slot);

  bool EmptyPages(std::size_t entries_max);
  void FillHoles();
  bool MoveEntry(Ref from, std::uint64_t hash);

  void Forget(EntryView entry);
  void CountExpired(EntryView entry);
  bool ExpireFields(EntryView entry, Collection& object, UnixMs now);
  void Remove(EntryTable::Slot slot, std::uint64_t hash);
  void AccountDeadline(UnixMs deadline, int sign);
  void FileDeadline(EntryTable::Slot slot, UnixMs before, UnixMs after);
  void FileTimes(EntryTable::Slot slot, const Times& before);
  void Release(Collection* object);
  void Destroy(std::unique_ptr<Collection> dead);
  void FreeBlob(Blob* blob);
  ExpireVerdict Look(EntryView entry, UnixMs now);
  bool LookAgain(UnixMs now);
  void AdvanceDeadlineBase();

  void UsePolicy(EvictionPolicy next, bool limited);
  bool Evictable(EntryView entry) const;
  std::size_t evictable() const;
  std::uint64_t EvictionScore(EntryView entry, UnixMs now);
  std::size_t MemoryOf(EntryView entry) const;
  std::size_t used_bytes() const;
  void Admit(EntryTable::Slot slot, std::uint64_t hash);
  void SettleEldest();
  bool EvictEldest(UnixMs now, Keyspace::Evicted& evicted);
  bool EvictNewcomer(std::optional<std::uint64_t> eldest, UnixMs now, Keyspace::Evicted& evicted);
  bool EvictSettled(UnixMs now, Keyspace::Evicted& evicted);
  void FindVictims();
  template <typename Visit>
  void MoveHand(std::size_t count, Visit&& visit);
  void Evict(EntryTable::Slot slot, std::uint64_t hash, UnixMs now, Keyspace::Evicted& evicted);
  std::span<std::byte> NextSmallBlock();

  const Keyspace& owner;
  KeyspaceContext& context;
  Arena arena;
  BlobStore blobs;
  CollectionAccount collections;
  PackedBlock scratch_block;
  EntryTable table;
  // A collection of which more parts are due than one look removes: the wheel would come back to it
  // only after its shortest step.
  std::optional<std::string> unfinished_key;
  EvictionPolicy eviction;
  bool counts_uses = false;
  // Stays when the policy changes: what it has queued remains true.
  std::unique_ptr<S3Fifo> queues;
  bool admits = false;              // new keys go through the queues
  std::uint64_t eviction_hand = 0;  // a hash: where the next keys are looked at
  std::size_t deadline_count = 0;
  WideInt deadline_sum = 0;
  // Where huge pages go on taking the place of small ones.
  std::size_t table_blocks_replaced = 0;
  std::size_t arena_block_next = 0;
  std::vector<bool> replaced_blocks;  // of the arena
  std::size_t replaced_pages = 0;     // of the arena that were in use when it was last gone through
  bool pages_first = false;           // in the next step of Maintain()
  std::size_t evicted_since_fill = 0;  // since FillHoles() did something
  UnixMs deadline_base = 0;            // no near deadline lies before it, nor 2^32 ms behind it
};

[[gnu::always_inline]] inline void Keyspace::Impl::Touch(std::byte* entry, UnixMs now) {
  const std::uint16_t before = ViewOf(entry).access_clock();
  const UnixMs age_now = context.AgeTime(now);
  // Without building what only the other meaning of the clock needs.
  const std::uint16_t after =
      !lfu() ? AccessClockOf(age_now) : NextAccessClock(before, access(), age_now, context.random);
  // A line that is only read stays shared between cores and need not be written back.
  if (after != before) StoreAccessClock(entry, after);
}

// The key's slot, if it has not expired. An expired one is removed here.
[[gnu::always_inline]] inline auto Keyspace::Impl::FindLive(const HashedKey& key, UnixMs now,
                                                            IfExpired expired) -> EntryTable::Slot {
  const EntryTable::Slot slot = table.Find(key.hash, key.text);
  if (!slot || !table.has_deadline(slot)) return slot;
  if (!ViewOf(slot).expired(now)) return slot;
  if (expired == IfExpired::kMayStay && context.keeps_expired) return EntryTable::Slot();
  CountExpired(ViewOf(slot));
  Remove(slot, key.hash);
  return EntryTable::Slot();
}

}  // namespace aeris::storage
