// Keyspace: one numbered database. Keys with their values and deadlines, in the hash-ordered table.
//
//   table (hash_table.h)        arena (arena.h)                      blobs (blob.h)
//   bucket: 10 x [tag, ref] --> entry [head, deadline, key, value]
//                               entry [head, deadline, key, pointer] --> [large value]
//
// Cost:     one cache line of the table and the entry's own for a small value.
// Memory:   16-byte keys with 32-byte values take 12 to 14 bytes beyond these 48, 17 to 20 with a
//           deadline; tests/storage/keyspace_memory_test.cc asserts it. Nothing while empty.
// Threads:  one at a time; it may be destroyed on another one than it was used on.
//
// The caller gives the time of the command with every call; nothing here reads a clock. An expired
// key is never seen: whoever looks it up removes it. Views stay valid until the next call that may
// change the keyspace.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "src/base/clock.h"
#include "src/base/latency_histogram.h"
#include "src/base/random.h"
#include "storage/access_clock.h"
#include "storage/blob.h"
#include "storage/collection.h"
#include "storage/entry.h"
#include "storage/eviction_policy.h"
#include "storage/hash_function.h"
#include "storage/huge_page.h"
#include "storage/reuse_sketch.h"

namespace aeris::storage {

// What a lookup does beside finding.
struct Lookup {
  bool touch = true;  // set the access clock
  bool count = true;  // count a hit or a miss
};
inline constexpr Lookup kForRead{.touch = true, .count = true};
inline constexpr Lookup kForWrite{.touch = true, .count = false};
inline constexpr Lookup kNoTouch{.touch = false, .count = true};  // TTL, OBJECT, CLIENT NO-TOUCH
inline constexpr Lookup kPeek{.touch = false, .count = false};

// Counters over all keyspaces of a server; INFO shows them, CONFIG RESETSTAT clears them.
struct KeyspaceStats {
  std::uint64_t expired = 0;    // keys removed because of their deadline
  LatencyHistogram expire_lag;  // ms between it and the removal, of keys that a sweep removed
};

// Counters of one keyspace.
struct LookupStats {
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t evicted = 0;
};

// What one keyspace may take of each kind of memory. What is beyond is refused as if the machine
// had no more; tests set it.
struct KeyspaceLimits {
  std::size_t arena_bytes = 0;  // addresses of the arena, 0 as many as the machine can use
  std::size_t blob_bytes = ~std::size_t{0};
  std::uint64_t table_homes = ~std::uint64_t{0};  // buckets of an array
};

// Whether a change that takes memory was made. kNoMemory means that the keyspace is as it was
// before, but for keys that have expired.
enum class [[nodiscard]] StoreResult : std::uint8_t{kStored, kNoKey, kNoMemory};

class EvictionPool;

// Where values go that would take long to destroy: another thread.
class Disposal {
 public:
  virtual void Dispose(std::unique_ptr<Collection> collection) = 0;
  virtual void Dispose(BlobRef blob) = 0;

 protected:
  ~Disposal() = default;
};
// Gives a reference to a string up. Goes to `disposal`, unless there is none, where that frees a
// large string.
void DropBlob(BlobRef blob, Disposal* disposal);

class Keyspace;

// Is told of each key that its deadline has ended, before it is gone, and of hashes that lose
// fields by theirs, with `all` before they are gone. It must not touch the keyspace.
class ExpiryListener {
 public:
  virtual void KeyExpired(const Keyspace& keyspace, std::string_view key) = 0;
  virtual void FieldsExpired(const Keyspace& keyspace, std::string_view key, bool all) = 0;

 protected:
  ~ExpiryListener() = default;
};

// Says whether memory may grow for the sake of speed alone. It must not touch the keyspace.
class MemoryBound {
 public:
  // Whether `keyspace` may take so many bytes more now.
  virtual bool MayTake(const Keyspace& keyspace, std::size_t bytes) const = 0;

 protected:
  ~MemoryBound() = default;
};

// What all keyspaces of a server share. Outlives them.
struct KeyspaceContext {
  const KeyHasher& hasher;
  Random& random;
  KeyspaceStats stats{};
  Disposal* disposal = nullptr;  // none: values are destroyed where they are removed
  ExpiryListener* expiry_listener = nullptr;
  const MemoryBound* memory_bound = nullptr;  // asked before a table grows
  int lfu_log_factor = 10;
  int lfu_decay_minutes = 1;
  KeyspaceLimits limits{};
  ReuseSketch reuse{};
  // What the wall clock would be, had it never been set, minus what it is. Keys age by that one:
  // nothing is idle for a day because somebody set the clock.
  std::int64_t age_shift_ms = 0;
  // Where the wall clock was last set forward: nobody is late for what fell due in between.
  UnixMs jumped_from = 0;
  UnixMs jumped_to = 0;

  // Keys that have expired stay where they are, and are not found (CLIENT PAUSE). A change of such
  // a key removes it all the same.
  bool keeps_expired = false;

  // For access clocks, the time of a command.
  UnixMs AgeTime(UnixMs now) const { return now + age_shift_ms; }
  // How long ago a deadline was met.
  UnixMs LagOf(UnixMs deadline, UnixMs now) const {
    const bool within = deadline > jumped_from && deadline <= jumped_to && now >= jumped_to;
    return now - (within ? jumped_to : deadline);
  }
};

// Of a change that leaves the deadline which the key has.
inline constexpr std::optional<UnixMs> kKeepDeadline;

class Keyspace {
 public:
  explicit Keyspace(KeyspaceContext& context);
  ~Keyspace();
  Keyspace(const Keyspace&) = delete;
  Keyspace& operator=(const Keyspace&) = delete;

  HashedKey Hash(std::string_view key) const;
  const KeyHasher& hasher() const { return context_.hasher; }
  const KeyspaceContext& context() const { return context_; }

  // --- Finding. O(1); two cache lines for a small entry.
  [[nodiscard]] EntryView Find(const HashedKey& key, UnixMs now, Lookup lookup);
  // Hints for a batch: first all buckets, then all entries; no effect but on the CPU's caches.
  void PrefetchBucket(std::uint64_t hash) const;
  void PrefetchEntry(std::uint64_t hash) const;
  void PrefetchDeadline(std::uint64_t hash) const;
  // Where the members of a large collection at the key are, for hints of the same kind; null when
  // there is no such. Changes nothing; the key may have expired.
  const MemberTable* PeekMembers(const HashedKey& key) const;

  // --- Strings. Each of these creates the key when it is absent, and replaces a value of any type.
  // Each succeeds or changes nothing.
  struct SetOptions {
    UnixMs deadline = kNoDeadline;
    bool keep_deadline = false;  // keep what the key has; `deadline` is ignored then
    bool find_integer = true;    // store decimal text that fits 64 bits as an integer
    // The value is the beginning of it: taken over where that saves the copy.
    LooseBlob* loose = nullptr;
  };
  // `value` may point into the keyspace itself.
  StoreResult SetString(const HashedKey& key, std::string_view value, UnixMs now,
                        const SetOptions& options);
  // Keeps the deadline. In place when the value is an integer already.
  StoreResult SetInteger(const HashedKey& key, std::int64_t value, UnixMs now);
  // The key's string, made `size` bytes long and raw: cut, or grown with zero bytes. Keeps the
  // deadline. An absent key starts empty. Grows with slack, so repeated APPEND is amortised O(n).
  // The span is valid until the next call; none without memory.
  [[nodiscard]] std::optional<std::span<char>> ResizeString(const HashedKey& key, std::size_t size,
                                                            UnixMs now);
  // The key's string becomes `size` zero bytes, raw and without a deadline, whatever it was. The
  // span is valid until the next call; none without memory.
  [[nodiscard]] std::optional<std::span<char>> SetZeros(const HashedKey& key, std::size_t size,
                                                        UnixMs now);

  // --- Collections; CollectionEditor is how commands change them. Both replace a value of any
  // type, and its deadline. `bytes` may lie in the value that is replaced.
  StoreResult SetPacked(const HashedKey& key, ValueType type, PackedForm form,
                        std::string_view bytes, std::optional<UnixMs> deadline, UnixMs now);
  // Takes `object` over unless there is no memory.
  StoreResult SetObject(const HashedKey& key, std::unique_ptr<Collection>& object,
                        std::optional<UnixMs> deadline, UnixMs now);
  // `object`, that the key points at, has changed: its memory is counted again, and the key is
  // filed where its earliest deadline belongs. No lookup unless that is another place than before.
  void ObjectChanged(const HashedKey& key, Collection& object, UnixMs now);
  // The packed value of `entry`, which Find() has given since the keyspace last changed, becomes
  // `bytes`, which lie outside of it. False, and nothing done, unless it takes as many bytes.
  bool OverwritePacked(EntryView entry, PackedForm form, std::string_view bytes);
  // A block to build values in, for one command at a time.
  PackedBlock& scratch_block(UnixMs now);

  // --- Keys. Those that store succeed or change nothing; kNoKey when the key does not exist.
  // kNoDeadline removes the deadline, which never lacks memory.
  StoreResult SetDeadline(const HashedKey& key, UnixMs deadline, UnixMs now);
  // False when the key does not exist.
  bool Delete(const HashedKey& key, UnixMs now);
  // Copies value, encoding and deadline to `to_key` of `to` (which may be this keyspace), replacing
  // what is there.
  StoreResult Copy(const HashedKey& from, Keyspace& to, const HashedKey& to_key, UnixMs now);
  // As Copy, and `from` is gone afterwards. A large value changes hands without being copied, and
  // the access clock stays. `from` and `to_key` of one keyspace are different keys.
  StoreResult Move(const HashedKey& from, Keyspace& to, const HashedKey& to_key, UnixMs now);
  void SetAccessClock(const HashedKey& key, std::uint16_t clock, UnixMs now);

  // --- Sweeps. A cursor is a position in hash space, 0 at the start and at the end; any 64-bit
  // value is accepted. Each key that stays for the whole scan is visited exactly once, across
  // growth and shrinking. Visits entries of at least `count` buckets' worth of slots, expired ones
  // left out. `visit(EntryView)` must not change the keyspace.
  template <typename Visit>
  [[nodiscard]] std::uint64_t Scan(std::uint64_t cursor, std::size_t count, UnixMs now,
                                   Visit&& visit) {
    using Plain = std::remove_reference_t<Visit>;
    return ScanWith(
        cursor, count, now,
        [](void* state, EntryView entry) { (*static_cast<Plain*>(state))(entry); },
        const_cast<void*>(static_cast<const void*>(std::addressof(visit))));
  }
  // A key chosen at random, none when empty. Expired keys met on the way are removed, up to
  // kDrawsMax; the next one is given although it is expired, as there are hardly any others.
  static constexpr int kDrawsMax = 100;
  [[nodiscard]] EntryView RandomEntry(UnixMs now);

  struct ExpireResult {
    std::size_t expired = 0;
    std::size_t work = 0;  // keys looked at, and fields removed
    bool more = false;     // the budget ended before everything due was done
  };
  // Active expiry: removes keys and fields that are due, about `work_max` of both together, and as
  // many as 512 fields more. Cheap when nothing is due. Call it at least every 100 ms.
  ExpireResult ExpireDue(UnixMs now, std::size_t work_max);
  // Keys that the next steps of it are to look at. Estimated where the table has more than a
  // million buckets' slots left to look at, in up to 0.2 ms.
  std::size_t ExpireBacklog(UnixMs now) const;
  // A step of what keeps memory tight: moves up to `work_max` buckets of a growing or shrinking
  // table; when there are none, up to `work_max` entries out of sparse pages, and returns pages.
  // Either is 0.1 to 0.3 us. True while work is left; 0.3 us when there is none.
  bool Maintain(std::size_t work_max);
  // Once the table has been at rest for some seconds: whether 2 MiB of it, or of entries, that are
  // in use as a whole are made of small pages, in whose place a huge one can be taken without using
  // memory. Goes once over all, and again when entries have become more. Below 1 us.
  bool WantsHugePage();
  // Of one that wants it: 0.2 to 0.4 ms. False, and nothing changed, when the kernel cannot.
  bool TakeHugePage(HugePage page);

  // --- Eviction.
  // Immediate, whatever the policy was; nothing is moved or gone through. `limited`: keys may have
  // to go, so it is kept how they are used.
  void SetEvictionPolicy(EvictionPolicy policy, bool limited);
  EvictionPolicy eviction_policy() const { return policy_; }
  // Keys that the policy lets go.
  std::size_t evictable() const;
  struct Evicted {
    std::string key;
    std::uint64_t idle_seconds = 0;  // since its last use
    bool used = false;               // since it was created
  };
  // Offers the next `count` evictable keys and some more to the pool, by what the policy's order
  // says; any order but kS3Fifo. Fewer where such are rare, so as to stay below 0.1 ms; another
  // call goes on there.
  void SampleVictims(std::size_t count, std::size_t database, UnixMs now, EvictionPool& pool);
  // Removes the key that has this hash, if it is there and evictable. Fills `evicted` in.
  bool Evict(std::uint64_t hash, UnixMs now, Evicted& evicted);
  // Of kS3Fifo: removes the next key. False when none has been found in about 0.1 ms; another call
  // goes on there.
  bool EvictNext(UnixMs now, Evicted& evicted);
  // Hits and misses of Lookup::count, and what was evicted.
  LookupStats& lookup_stats() { return lookup_stats_; }
  const LookupStats& lookup_stats() const { return lookup_stats_; }
  // What belongs to a database whatever keys it has, policy and counters, changes sides.
  void SwapRole(Keyspace& other);
  // What entries, values and the table take, as memory() has it; O(1), some ns.
  std::size_t used_bytes() const;

  std::size_t size() const;                     // keys, expired ones that nobody has met included
  std::size_t deadlines() const;                // keys with a deadline
  std::int64_t AverageTtlMs(UnixMs now) const;  // over keys with a deadline, 0 without any

  // --- Memory, bytes.
  struct Memory {
    std::size_t table = 0;        // buckets, wheel bytes, queues of eviction
    std::size_t entries = 0;      // arena bytes in use by entries, slack of size classes included
    std::size_t arena = 0;        // arena pages held, at least `entries`
    std::size_t blobs = 0;        // large values outside the arena
    std::size_t collections = 0;  // that have outgrown their entries
    std::size_t mapped = 0;  // what of all these is not the allocator's, `entries` of the arena

    std::size_t allocated() const { return table + entries + blobs + collections - mapped; }
  };
  Memory memory() const;
  // The same as memory().mapped; some ns.
  std::size_t mapped_bytes() const;
  // Key, value and their share of the table: MEMORY USAGE.
  std::size_t MemoryUsage(EntryView entry) const;
  // True while giving the whole keyspace away to another thread would be worth it.
  bool large() const;

  // Aborts when an invariant does not hold. O(n); tests and debug builds.
  void CheckInvariants() const;

 private:
  using VisitFunction = void (*)(void* state, EntryView entry);
  std::uint64_t ScanWith(std::uint64_t cursor, std::size_t count, UnixMs now, VisitFunction visit,
                         void* state);

  // What the sketch of reuse distances is told of keys in its sample (keyspace_reuse.cc).
  std::uint64_t ReuseName(std::uint64_t hash) const;
  void NoteRequest(std::uint64_t hash, EntryView found, UnixMs now) const;
  void NoteStored(std::uint64_t hash, EntryView entry) const;

  struct Impl;
  // The parts, made when the first key arrives: thousands of empty databases cost nothing.
  Impl& parts(UnixMs now);

  KeyspaceContext& context_;
  LookupStats lookup_stats_;
  EvictionPolicy policy_;
  bool limited_ = false;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aeris::storage
