// HashTable: references to entries, in the order of their hashes.
//
// The keyspace, large hashes and large sets are this table. It holds 36-bit references; what they
// refer to is the Policy's business. It is one flat array of cache-line buckets (bucket.h) sorted
// by hash (bucket_array.h), and everything that goes over all keys is a sweep in that order.
//
// Lookup     home bucket; a full bucket spills into the next, and a count of what passed over a
//            bucket says whether to look on. Deleting counts down again and pulls back an entry
//            that had spilt, so churn leaves no trace.
// Resizing   a hand moves home buckets, in hash order, from the old array to a new one; the home in
//            the old array tells which one of the two holds a hash, so a lookup never probes both:
//
//              old   [ given back to the kernel ][ b h ][ b h+1 ] ...     old home >= hand
//              main  [ b0 ][ b1 ] ...            ^ hand                   old home <  hand
//
//            The step is 1.3 upwards, so the load stays between 0.65 and 0.85 however large the
//            table is, and no step depends on its size. Where memory is at its limit, which the
//            Policy may tell, a table goes on to 0.90 before it grows all the same.
// SCAN       a cursor is a position in hash space, the same in every array; what lies between two
//            cursors is in one array at any time. So each key that stays is visited exactly once.
// Expiry     a byte per slot (deadline_codes.h) says when to look at it (expire_wheel.h).
//
// Holds:    an entry is in its home or after it, with no bucket between that has spill 0; displaced
//           bits and spill counts are exact (bucket.h); the old array's homes before the hand are
//           empty, as everything of theirs that had spilt went with them; size() counts entries.
// A move ends in time: it starts at n homes when more than 8.5 n keys are there (growing), into
//           1.3 n homes, and each insertion moves kMovePerChange = 4 buckets, so at the end there
//           are at most 8.75 n keys, 0.68 of the new array; and no part of either array is denser
//           than 8.75 per bucket, since both keep the order of hashes. (One that was put off starts
//           at 9 n keys, into 1.38 n homes, and ends with 9.25 n.) Shrinking starts below 5 n
//           keys at the earliest, into 0.77 n homes, and ends with at most 5.25 n: a load of 0.68.
//           Step() starts it that early, so that a table that lost half of its keys is at most 1.7
//           times a fresh one; a deletion only below 3.5 n, since it costs 100 ns more per deletion
//           where all keys go.
// Skew:     identical or adversarial hashes make runs of full buckets. Everything stays correct,
//           operations become linear in the run; the tail grows when a run passes it. Only hashes
//           without a secret get there.
// Rejected: a directory of small segments in hash order: one more cache line per lookup, pools for
//           the segments, code to split and merge them. Doubling a power of two: half of the array
//           is empty after a step, and both arrays are there at once. Bucket chains: a pointer per
//           bucket, and an allocation per overflow. Pairs with a stash: the pair's other half is
//           probed by a fifth of all misses as well, and the stash needs a search of its own.
//           Leaving spilt entries where they are on delete: three turnovers of the keys at a load
//           of 0.70 made it 1.38 further buckets per miss instead of 0.20, and 14% displaced.
// Memory:   the array of a table that has been at rest for 3 s may become huge pages (huge_page.h),
//           which takes a quarter to a third off lookups among millions of keys. A table that fills
//           has small ones: a fault that clears a huge page stalls for up to 13 ms.
// Measured: CPU time in ns by tests/bench/storage/hash_table_bench.cc, on 2 shared vCPUs:
//
//             keys                           10^4   10^5   10^6     std::unordered_map at 10^6
//             find, hit                        12     18    107       169
//             find, hit, in batches of 32     8.7    8.2     16
//             find, miss                       17     13     16
//             insert, with all growth         110    116    217       875
//             erase, with all shrinking        41           144
//
//           Longest of 10^7 insertions or deletions (table_pauses_bench.cc): 40 us, 99.99% below
//           17 us; with deadlines 66 and 20 us. Those that start or end a move, which map and
//           unmap, are among them. From 10^5 keys on, moves included, a key takes 7.5 to 10.1
//           bytes, 8.5 in the mean; 1.6 more with deadlines.
//           At a load of 0.70, 0.77, 0.845 a miss reads 0.20, 0.47, 1.39 further buckets (they are
//           adjacent), and 3.6, 5.7, 8.8% of the entries are not at home.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "src/base/check.h"
#include "src/base/clock.h"
#include "src/base/random.h"
#include "storage/bucket.h"
#include "storage/bucket_array.h"
#include "storage/expire_wheel.h"
#include "storage/prefetch.h"

namespace aeris::storage {

// What a table knows about the entries behind its references.
template <typename P>
concept HashTablePolicy = requires(const P& policy, Ref ref, std::string_view key) {
  {
    policy.HashOf(ref)
    } -> std::same_as<std::uint64_t>;  // of the stored key; the same at all times
  { policy.Matches(ref, key) } -> std::same_as<bool>;
  policy.Prefetch(ref);  // hints that the entry will be read (prefetch.h)
};

// One that has a say in when the table grows: whether so many bytes more may be taken now.
template <typename P>
concept JudgesGrowth = requires(const P& policy, std::size_t bytes) {
  { policy.MayTake(bytes) } -> std::same_as<bool>;
};

// What a sweep over due keys says about one of them.
struct ExpireVerdict {
  bool erase = false;
  UnixMs deadline = kNoDeadline;  // unless erased: when to look again, kNoDeadline = never
  std::size_t more_work = 0;      // beside the look, in looks

  static ExpireVerdict Erase() { return {.erase = true}; }
  static ExpireVerdict KeepUntil(UnixMs deadline) { return {.deadline = deadline}; }
};

template <HashTablePolicy Policy>
class HashTable {
 public:
  static constexpr double kGrowLoad = 0.85;
  static constexpr double kShrinkLoad = 0.35;            // where a deletion starts to shrink
  static constexpr double kTidyLoad = 0.5;               // where Step() does
  static constexpr double kFreshLoad = 0.65;             // after a step in either direction
  static constexpr double kReservedLoad = 0.8;           // with what Reserve() was asked for
  static constexpr double kPutOffLoad = 0.90;            // where growing is put off no longer
  static constexpr double kFullLoad = 0.95;              // where no larger array can be had
  static constexpr std::uint64_t kMovePerChange = 4;     // home buckets moved by each change
  static constexpr std::uint64_t kMoveAtOnceHomes = 64;  // smaller arrays move at once: < 40 us
  static constexpr unsigned kPolicyBits = Bucket::kPolicyBits;
  static constexpr std::uint64_t kCursorEnd = BucketArray::kUnits;

  // A place in the table. Valid until the next Insert, Erase, Step, ExpireSweep or Clear.
  class Slot {
   public:
    Slot() = default;
    explicit operator bool() const { return bucket_ != nullptr; }

   private:
    friend class HashTable;
    Slot(Bucket* bucket, unsigned index, bool in_old)
        : bucket_(bucket), index_(index), in_old_(in_old) {}
    Bucket* bucket_ = nullptr;
    unsigned index_ = 0;
    bool in_old_ = false;
  };

  // Arrays of more than `homes_max` home buckets are not to be had, as if memory had ended.
  explicit HashTable(Policy policy = Policy(), std::uint64_t homes_max = ~std::uint64_t{0})
      : policy_(std::move(policy)), homes_max_(homes_max), main_(1) {
    AERIS_CHECK(main_.allocated());
    SetLimits();
  }
  HashTable(const HashTable&) = delete;
  HashTable& operator=(const HashTable&) = delete;

  // --- Finding. One cache line, and the entry; none of these changes anything.
  [[nodiscard]] Slot Find(std::uint64_t hash, std::string_view key) const;
  // The slot that holds `ref`, whose key has that hash; the entry is not read.
  [[nodiscard]] Slot FindRef(std::uint64_t hash, Ref ref) const;
  // A slot whose key has that hash; the entries are read, the first of several is taken.
  [[nodiscard]] Slot FindHash(std::uint64_t hash) const;
  // Hints for a batch: first all buckets, then all entries.
  void PrefetchBucket(std::uint64_t hash) const {
    const BucketArray& array = ArrayOf(hash);
    storage::Prefetch(&array[array.Home(hash)]);
  }
  void PrefetchEntry(std::uint64_t hash) const;
  // In the second pass, for one that has a deadline which may change.
  void PrefetchDeadline(std::uint64_t hash) const;

  // --- Changing.
  // The key must not be in the table. The slot's bits are 0 and it has no deadline. A table that
  // cannot get a larger array goes on with the one it has until that is full; then there is no slot
  // and nothing has changed.
  Slot Insert(std::uint64_t hash, Ref ref);
  // `hash` is that of the entry in `slot`.
  void Erase(Slot slot, std::uint64_t hash);
  // The same key in another entry: everything else about the slot stays.
  void Replace(Slot slot, Ref ref) { slot.bucket_->SetRef(slot.index_, ref); }
  // Makes room for that many entries, if the table is empty and not being resized. False, and
  // nothing done, without memory.
  [[nodiscard]] bool Reserve(std::size_t entries);
  // Forgets all entries and gives the memory back.
  void Clear();

  // --- A slot's contents.
  Ref ref(Slot slot) const { return slot.bucket_->ref(slot.index_); }
  unsigned policy_bits(Slot slot) const { return slot.bucket_->policy(slot.index_); }
  void SetPolicyBits(Slot slot, unsigned bits) { slot.bucket_->SetPolicy(slot.index_, bits); }
  bool has_deadline(Slot slot) const { return slot.bucket_->filed(slot.index_); }
  // The code of the expire wheel, 0 without a deadline.
  std::uint8_t deadline_code(Slot slot) const {
    const BucketArray& array = array_of(slot);
    return array.codes().Get(NumberOf(array, slot));
  }
  // Files the slot to be looked at when `deadline` has passed; kNoDeadline takes it out. One that
  // is moved later costs nothing now: it is filed again when its old code fires.
  void SetDeadline(Slot slot, UnixMs deadline);
  // Takes the memory that the first deadline needs; with it SetDeadline cannot fail, without it the
  // process ends there. False, and nothing done, when there is none.
  [[nodiscard]] bool PrepareDeadlines() {
    return Prepare(main_.codes(), main_) && (!moving() || Prepare(old_.codes(), old_));
  }

  // --- Sweeps.
  // Visits entries from `cursor` on, and returns where to go on; 0 is the start and the end. Any
  // value is accepted. Visits at least `count` entries and at most a bucket more, unless the table
  // ends or is nearly empty. `visit(Ref)` may Replace() what it is shown, and must not change the
  // table otherwise.
  template <typename Visit>
  [[nodiscard]] std::uint64_t Scan(std::uint64_t cursor, std::size_t count, Visit&& visit) const;
  template <typename Visit>
  void ForEach(Visit&& visit) const {
    ForEachBucket([&](const Bucket& bucket) {
      for (unsigned mask = bucket.OccupiedMask(); mask != 0; mask &= mask - 1) {
        visit(bucket.ref(LowestBit(mask)));
      }
    });
  }
  // As Scan, but for choosing what to remove: shows slots (of `only_filed`, those that have a
  // deadline) in about the order of their hashes, one now and then twice or, while a resize is
  // under way, not at all. Looks at no more than `buckets_max` buckets.
  template <typename Visit>
  [[nodiscard]] std::uint64_t SampleSlots(std::uint64_t cursor, std::size_t count,
                                          std::size_t buckets_max, bool only_filed,
                                          Visit&& visit) const;
  // An entry chosen at random, each with the same chance; none when empty.
  [[nodiscard]] Slot RandomSlot(Random& random) const;
  // Moves up to `buckets_max` home buckets of a resize that is under way, and starts to shrink a
  // table that is too large; true while work is left.
  bool Step(std::uint64_t buckets_max);

  struct SweepResult {
    std::size_t looked_at = 0;  // and the looks' worth of work that they were beside
    std::size_t erased = 0;
    bool more = false;  // `keys_max` ended the sweep
  };
  // Shows all slots that are due for a look to `visit(Slot) -> ExpireVerdict`, until looked_at
  // reaches `keys_max`, and goes on there in the next call. The visitor frees what it has the table
  // erase, and must not change the table. Deadlines are given 0 to 64 ms late if called often
  // enough; call it even when nothing has a deadline, at least every 100 ms. Costs some
  // microseconds when nothing is due.
  template <typename Visit>
  SweepResult ExpireSweep(UnixMs now, std::size_t keys_max, Visit&& visit);

  // --- Figures.
  // Slots that ExpireSweep(now) would show, of which those that the pass under way has left are
  // enough. DeadlineCodes::CountDue has the cost.
  std::size_t CountDue(UnixMs now) const;
  std::size_t size() const { return size_; }
  std::size_t deadlines() const { return filed_; }
  // No entry has a deadline before this: what the sweeps have proven so far.
  UnixMs deadline_floor() const { return wheel_.floor(); }
  // A time that is not after any deadline and at which, once it has passed, a sweep gets on;
  // kNoDeadline without deadlines. Not while a sweep is left unfinished. O(slots / 640), O(slots)
  // in a table of less than 41,000.
  UnixMs NextLook() const;
  bool moving() const { return old_.homes() != 0; }
  // At rest for long enough that the array's memory may become huge pages.
  bool settled() const { return settled_; }
  std::span<std::byte> settled_memory() const {
    AERIS_DCHECK(settled_);
    return main_.bucket_bytes();
  }
  std::uint64_t homes() const { return main_.homes(); }
  const Policy& policy() const { return policy_; }
  // Resident bytes of the arrays, pages that a move has not reached yet or given back left out.
  std::size_t memory_bytes() const;
  // The part of them that is mapped, not the allocator's.
  std::size_t mapped_bytes() const;
  // Aborts when an invariant does not hold. O(n), re-hashes every key.
  void CheckInvariants() const;

 private:
  // Entries are read this many buckets, about 25 entries, before they are needed.
  static constexpr std::uint64_t kPrefetchBuckets = 3;
  static constexpr std::size_t kPrefetchDue = 8;
  // Entries that a deletion puts nearer to their homes, and buckets in which it looks for each.
  static constexpr unsigned kPullsMax = 8;
  // A table is at rest whose size has changed by at most a 64th for this long.
  static constexpr UnixMs kSettleMs = 3'000;
  static constexpr std::size_t kSteadyShare = 64;
  // What a sweep's steps cost, in one unit: looking at a key, and reading 640 codes.
  static constexpr std::size_t kKeyCost = 8;
  static constexpr std::size_t kChunkCost = 1;

  static std::uint8_t Fingerprint(std::uint64_t hash) { return static_cast<std::uint8_t>(hash); }
  static std::uint64_t Unit(std::uint64_t hash) { return hash >> BucketArray::kUnitShift; }
  static unsigned LowestBit(unsigned mask) { return static_cast<unsigned>(std::countr_zero(mask)); }

  bool InOld(std::uint64_t hash) const { return moving() && old_.Home(hash) >= hand_; }
  const BucketArray& ArrayOf(std::uint64_t hash) const { return InOld(hash) ? old_ : main_; }
  BucketArray& array_of(Slot slot) { return slot.in_old_ ? old_ : main_; }
  const BucketArray& array_of(Slot slot) const { return slot.in_old_ ? old_ : main_; }
  static std::size_t NumberOf(const BucketArray& array, Slot slot) {
    return array.SlotNumber(array.IndexOf(slot.bucket_), slot.index_);
  }
  template <typename IsIt>
  Slot Search(std::uint64_t hash, IsIt&& is_it) const;
  // Buckets of the main array that can hold entries: all, or what the hand has filled so far.
  std::uint64_t MainEnd() const;

  Slot Place(bool in_old, std::uint64_t hash, Ref ref);
  void EraseAt(BucketArray& array, std::uint64_t bucket, unsigned index, std::uint64_t home);
  void PullBack(BucketArray& array, std::uint64_t bucket);
  std::uint64_t PullOne(BucketArray& array, std::uint64_t bucket);
  void CopyBits(BucketArray& from, std::uint64_t bucket, unsigned index, Slot target);
  void File(BucketArray& array, std::uint64_t bucket, unsigned index, std::uint8_t code);
  void Unfile(BucketArray& array, std::uint64_t bucket, unsigned index);

  static bool Prepare(DeadlineCodes& codes, const BucketArray& array) {
    return codes.allocated() || codes.Allocate(array.slots());
  }
  void SetLimits();
  void Settle(UnixMs now);
  std::size_t SizeAt(double load) const {
    return static_cast<std::size_t>(static_cast<double>(main_.homes() * Bucket::kSlots) * load);
  }
  [[nodiscard]] bool MakeRoom();
  bool PutsOffMove(std::uint64_t homes) const;
  std::size_t BytesToMove(std::uint64_t homes) const;
  [[nodiscard]] bool StartMove(std::uint64_t homes);
  void ShrinkBelow(std::size_t size);
  void MoveHomes(std::uint64_t count);
  void MoveHome(std::uint64_t home);
  void MoveSlot(std::uint64_t bucket, unsigned index, std::uint64_t home, std::uint64_t hash);
  void PrefetchEntries(const Bucket& bucket) const;

  template <typename Visit>
  std::size_t ScanHome(std::uint64_t& cursor, Visit&& visit) const;
  template <typename Visit>
  void ForEachBucket(Visit&& visit) const;
  template <typename Visit>
  bool SweepArray(bool in_old, std::size_t& budget, SweepResult& result, Visit&& visit);
  template <typename Visit>
  void VisitDue(bool in_old, std::uint64_t slot_number, SweepResult& result, Visit&& visit);

  void CheckArray(const BucketArray& array, std::uint64_t first, std::size_t& entries,
                  std::size_t& filed) const;

  Policy policy_;
  std::uint64_t homes_max_;
  std::size_t size_ = 0;
  std::size_t filed_ = 0;       // slots with a code
  std::size_t grow_above_ = 0;  // a move starts when size() leaves [shrink_below_, grow_above_]
  std::size_t shrink_below_ = 0;
  std::size_t tidy_below_ = 0;   // or in Step(), below this
  std::uint64_t hand_ = 0;       // home buckets of the old array that are moved
  std::size_t steady_size_ = 0;  // what size() was at steady_since_, and about is since then
  UnixMs steady_since_ = 0;
  bool settled_ = false;
  BucketArray main_;
  BucketArray old_;  // without buckets unless a move is under way
  ExpireWheel wheel_;
};

}  // namespace aeris::storage

#include "storage/hash_table_impl.h"
