// MemberTable: the members of one large hash, set or sorted set, in the order of their hashes.
//
// The same table as the keyspace's (hash_table.h), over entries (member_entry.h) in a heap that
// belongs to the collection (member_heap.h); members and values that do not fit an entry of 1 KiB
// are blobs (blob.h).
//
//   HashTable   [ bucket ][ bucket ] ...      10 references and fingerprints per cache line
//                   | 36 bits
//   MemberHeap  [ head, sizes | deadline | score | member | value ]      ... blob
//
// A collection's kind is what it inserts: members alone (set), members with a value (hash), members
// with a score (sorted set, which has a tree of references beside the table).
//
// References stay the same until their member is given another value or deadline, or is moved by a
//            renewal: see below. Any call that may move members says so. Views live as long.
// Renewal    once more than a quarter of the heap is free, each change moves a few members into
//            fresh pages, in the order of hashes, so a table that lost members, or whose values
//            change their sizes, gives memory back without a pause. Who keeps references, as a
//            sorted set's tree does, is told of each move (MemberMoveListener).
// Deadlines  of fields are exact to the millisecond in the entry; ExpireDue() removes what is due,
//            0 to 64 ms late, by the table's wheel (expire_wheel.h). NextDeadline() says when to
//            call it, never late; at most four calls per field come to nothing. Without deadlines
//            there is nothing of that but a comparison per call.
// Holds:     every entry of the heap is in the table, once; blobs belong to exactly one entry.
// Cost:      what HashTable's operations cost, and up to kMovesPerChange members moved by a change
//            while a renewal goes on. Destroying frees pages, and blobs one by one.
// Memory:    by memory_bytes() per member, at a million: 29.4 for a set's of 16 bytes, 17.4
//            of 7 digits; 61.6 for a hash's of 16 and 32 bytes; 37.5 for a sorted set's of 16
//            bytes, without its tree; at other sizes up to 2 less, as the load of the table is.
//            After half of them were erased and the other half replaced, 5 % more than in a fresh
//            one. 150 members of 10 bytes take 4.4 KiB in all.
//            tests/storage/member_table_test.cc asserts the limits.
// Rejected:  entries in the keyspace's arena (member_heap.h). Members and values apart: one more
//            cache line per HGET, 5 bytes more per field. Scores in the tree alone: ZSCORE would
//            search it. Listeners told by a template: three instances of everything for a call that
//            only a renewal makes.
// Measured:  CPU time in ns by tests/bench/storage/member_table_bench.cc, members of 16 bytes, on 2
//            shared vCPUs with other work on them:
//
//              members                        10^4   10^5   10^6     std::unordered_map at 10^6
//              find, hit                        20    109    129       182
//              find, hit, in batches of 32      17     30     65
//              find, miss                       19     18     57
//              insert, with all growth                292    559      1702
//              erase, with renewals                   450    791       611
//              bytes per member               28.4   28.7   29.4       108
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "src/base/clock.h"
#include "src/base/equal_bytes.h"
#include "src/base/random.h"
#include "storage/blob.h"
#include "storage/hash_function.h"
#include "storage/hash_table.h"
#include "storage/member_entry.h"
#include "storage/member_heap.h"

namespace aeris::storage {

// Who keeps references into a MemberTable.
class MemberMoveListener {
 public:
  // `member` was at `from` and is at member.ref() from now on; both can be read until this returns.
  // Must not change the table.
  virtual void MemberMoved(Ref from, MemberView member) = 0;

 protected:
  ~MemberMoveListener() = default;
};

class MemberTable {
 public:
  static constexpr std::size_t kMovesPerChange = 8;
  static constexpr std::size_t kMovesPerSweep = 256;  // after members that were due went

  // What is not to be had, as if memory had ended. For tests.
  struct Limits {
    std::size_t pages_max = MemberHeap::kPagesMax;
    std::uint64_t homes_max = ~std::uint64_t{0};
    std::size_t blob_bytes_max = ~std::size_t{0};
  };

  // `hasher` outlives the table, but for its destructor.
  explicit MemberTable(const KeyHasher& hasher) : MemberTable(hasher, Limits{}) {}
  MemberTable(const KeyHasher& hasher, const Limits& limits);
  MemberTable(const MemberTable&) = delete;
  MemberTable& operator=(const MemberTable&) = delete;

  // The listener outlives the table, or is taken back by null.
  void SetListener(MemberMoveListener* listener) { listener_ = listener; }

  // --- Finding. Nothing is changed, and members whose deadline has passed are found as well.
  std::uint64_t Hash(std::string_view member) const { return hasher_(member); }
  HashedKey Hashed(std::string_view member) const { return {member, hasher_(member)}; }
  // 0 when absent.
  [[nodiscard]] Ref Find(HashedKey member) const {
    const Table::Slot slot = table_.Find(member.hash, member.text);
    return slot ? table_.ref(slot) : 0;
  }
  [[nodiscard]] Ref Find(std::string_view member) const { return Find(Hashed(member)); }
  MemberView At(Ref ref) const { return {ref, heap_.At(ref)}; }
  // Hints for a batch: first all buckets, then all entries.
  void PrefetchBucket(std::uint64_t hash) const { table_.PrefetchBucket(hash); }
  void PrefetchEntry(std::uint64_t hash) const { table_.PrefetchEntry(hash); }

  // --- Changing. Arguments must not lie inside the table. What returns a reference returns 0
  // without memory, and nothing has changed then but references. All of these but SetScore() may
  // move other members.

  // The member must be absent. Alone, with a value, or with a score.
  [[nodiscard]] Ref Insert(HashedKey member) { return Insert(member, MemberParts{}); }
  [[nodiscard]] Ref Insert(HashedKey member, std::string_view value) {
    return Insert(member, MemberParts{.has_value = true, .value = value});
  }
  [[nodiscard]] Ref Insert(HashedKey member, double score) {
    return Insert(member, MemberParts{.has_score = true, .score = score});
  }
  // Of a member that has a value; its deadline stays. Returns where it is from now on.
  [[nodiscard]] Ref SetValue(Ref ref, std::string_view value);
  // Of a member that has a score. Moves nothing and cannot fail.
  void SetScore(Ref ref, double score);
  // kNoDeadline takes it away, which cannot fail. Of a set's or hash's member.
  [[nodiscard]] Ref SetDeadline(Ref ref, UnixMs deadline, UnixMs now);
  // Whether it was there.
  bool Erase(HashedKey member);
  bool Erase(std::string_view member) { return Erase(Hashed(member)); }
  void Erase(Ref ref);
  // Goes on with a renewal and with a resize that are under way; true while work is left. Each
  // change calls it with kMovesPerChange; nobody else has to.
  bool Maintain(std::size_t members_max);
  // Makes room in the table for that many members, if it is empty. False, and nothing done, without
  // memory, which is no harm.
  bool Reserve(std::size_t members) { return table_.Reserve(members); }

  // --- Sweeps.
  // As HashTable::Scan: each member that stays is visited exactly once between two cursors 0.
  // `visit(MemberView)` must not change the table.
  template <typename Visit>
  [[nodiscard]] std::uint64_t Scan(std::uint64_t cursor, std::size_t count, Visit&& visit) const {
    return table_.Scan(cursor, count, [&](Ref ref) { visit(At(ref)); });
  }
  template <typename Visit>
  void ForEach(Visit&& visit) const {
    table_.ForEach([&](Ref ref) { visit(At(ref)); });
  }
  // Each with the same chance; 0 when empty.
  [[nodiscard]] Ref RandomMember(Random& random) const {
    const Table::Slot slot = table_.RandomSlot(random);
    return slot ? table_.ref(slot) : 0;
  }

  // --- Deadlines.
  // Nothing is due before this. To be called ExpireDue() at, when it has passed; kNoDeadline if no
  // member has a deadline.
  UnixMs NextDeadline() const { return deadlines() == 0 ? kNoDeadline : next_deadline_; }
  // Erases members whose deadline has passed, after `visit(MemberView)`; looks at `members_max` at
  // most. True when that ended it.
  template <typename Visit>
  bool ExpireDue(UnixMs now, std::size_t members_max, Visit&& visit);

  // The same members in a fresh table, without the listener; null without memory. O(n)
  [[nodiscard]] std::unique_ptr<MemberTable> Clone() const;

  // --- Figures.
  std::size_t size() const { return table_.size(); }
  // Members that have a deadline.
  std::size_t deadlines() const { return table_.deadlines(); }
  bool renewing() const { return heap_.renewing() || heap_.releasing(); }
  // What it has allocated, its own size left out; O(1).
  std::size_t memory_bytes() const {
    return heap_.memory_bytes() + table_.memory_bytes() + blobs_.bytes();
  }
  std::size_t mapped_bytes() const { return table_.mapped_bytes(); }
  // Work to destroy it, in allocations.
  std::size_t allocations() const { return heap_.pages() + blobs_.count() + 2; }
  const MemberHeap& heap() const { return heap_; }
  // Aborts when an invariant does not hold. O(n)
  void CheckInvariants() const;

 private:
  struct Policy {
    const MemberHeap* heap;
    const KeyHasher* hasher;

    std::uint64_t HashOf(Ref ref) const {
      return (*hasher)(MemberView(ref, heap->At(ref)).member());
    }
    bool Matches(Ref ref, std::string_view member) const {
      return EqualBytes(MemberView(ref, heap->At(ref)).member(), member);
    }
    void Prefetch(Ref ref) const { heap->Prefetch(ref); }
  };
  using Table = HashTable<Policy>;
  struct Place {
    std::uint64_t hash;
    Ref ref;
  };

  Ref Insert(HashedKey member, MemberParts parts);
  Ref InsertEntry(std::uint64_t hash, const MemberParts& parts);
  [[nodiscard]] bool MakeBlobs(MemberParts& parts);
  void FreeBlobs(const MemberParts& parts);
  Ref Store(Ref ref, const MemberParts& parts);
  void EraseSlot(Table::Slot slot, std::uint64_t hash);
  void FreeEntry(MemberView view);
  Ref ClearDeadline(Ref ref);
  void FileDeadline(Place place, UnixMs deadline, UnixMs now);
  [[nodiscard]] bool CopyFrom(const MemberTable& other);
  [[nodiscard]] bool CopyMember(MemberParts parts, UnixMs now);

  // Renewal.
  bool Wasteful() const;
  Ref Tend(Ref ref);
  bool Renew(std::size_t members_max, Ref& follow);
  [[nodiscard]] bool Move(Ref from, Ref& follow);

  const KeyHasher& hasher_;
  MemberHeap heap_;
  BlobStore blobs_;
  Table table_;
  MemberMoveListener* listener_ = nullptr;
  std::uint64_t renewal_cursor_ = 0;
  std::size_t free_after_renewal_ = 0;  // bytes that the last renewal could not gain
  UnixMs next_deadline_ = kNoDeadline;
  UnixMs latest_now_ = 0;  // the last time that was heard of
};

template <typename Visit>
bool MemberTable::ExpireDue(UnixMs now, std::size_t members_max, Visit&& visit) {
  latest_now_ = now;
  if (deadlines() == 0) return false;
  const auto look = [&](Table::Slot slot) {
    const MemberView view = At(table_.ref(slot));
    if (!view.expired(now)) return ExpireVerdict::KeepUntil(view.deadline());
    visit(view);
    FreeEntry(view);
    return ExpireVerdict::Erase();
  };
  const Table::SweepResult result = table_.ExpireSweep(now, members_max, look);
  if (!result.more) next_deadline_ = table_.NextLook();
  // Once, not for each: what would be moved may be due next.
  if (result.erased != 0) static_cast<void>(Maintain(kMovesPerSweep));
  return result.more;
}

}  // namespace aeris::storage
