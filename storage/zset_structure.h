// ZsetStructure: a sorted set that has outgrown its packed block.
//
//   members   MemberTable: member --> score, by hash             ZSCORE, ZADD, ZSCAN
//   tree      ScoreTree: references to the table's entries       ranges, ranks, counts
//             by (score, member), with counts
//
//   cut       CutElements: what has left the tree and not yet the table
//
// Holds:    the tree and what is cut have exactly the table's members, with the scores that stand
//           there; the members of the set are the tree's.
// Cost:     by member O(1), by rank or score O(log n), and one more per element visited. A large
//           range of ranks leaves in O(log n); its entries follow in steps (cut_elements.h).
// Memory:   of a million members of 16 bytes 35 in the table and 14 in the tree, 50 in all, random
//           order of insertion; tests/storage/zset_value_test.cc asserts less than 56.
// Destroyed by freeing pages and nodes, on any thread, without a look at the members.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/collection.h"
#include "storage/cut_elements.h"
#include "storage/hash_function.h"
#include "storage/member_table.h"
#include "storage/packed_zset.h"
#include "storage/score_tree.h"
#include "storage/zset_range.h"

namespace aeris::storage {

// A member and its score on their own.
struct ScoredMember {
  std::string member;
  double score = 0;

  friend bool operator<(const ScoredMember& a, const ScoredMember& b) {
    return a.score != b.score ? a.score < b.score : a.member < b.member;
  }
};

// What has become of one member. kNoMemory leaves all as it was.
enum class ZsetChange : std::uint8_t { kNone, kAdded, kUpdated, kNoMemory };

class ZsetStructure final : public Collection, private MemberTexts, private MemberMoveListener {
 public:
  // `hasher` outlives the structure, but for its destructor.
  explicit ZsetStructure(const KeyHasher& hasher);
  // With these elements; null without memory.
  static std::unique_ptr<ZsetStructure> Make(const KeyHasher& hasher, PackedZsetView packed);
  static std::unique_ptr<ZsetStructure> Make(const KeyHasher& hasher,
                                             std::span<const ScoredMember> sorted);

  Encoding encoding() const override { return Encoding::kSkiplist; }
  std::size_t size() const override { return tree_.size(); }
  std::size_t memory_bytes() const override;
  std::size_t mapped_bytes() const override { return members_->mapped_bytes(); }
  std::size_t FreeEffort() const override;
  const MemberTable* members() const override { return members_.get(); }
  std::unique_ptr<Collection> Clone() const override;
  // What is cut is due at any time.
  UnixMs NextDeadline() const override { return cut_.empty() ? kNoDeadline : 1; }
  bool ExpireDue(UnixMs now, std::size_t count_max) override;
  void CheckInvariants() const override;

  // --- Reading, as ZsetView.
  std::optional<double> Score(std::string_view member) const;
  std::optional<std::uint64_t> Rank(std::string_view member) const;
  RankRange RanksOf(const ScoreRange& range) const;
  RankRange RanksOf(const LexRange& range) const;
  template <typename Visit>
  void Walk(std::uint64_t first, std::uint64_t count, bool reverse, Visit&& visit) const;
  template <typename Visit>
  [[nodiscard]] std::uint64_t Scan(std::uint64_t cursor, std::size_t count, Visit&& visit) const {
    return members_->Scan(cursor, count, [&](MemberView each) {
      if (!cut_.Contains(each.score(), each.member())) visit(each.member(), each.score());
    });
  }

  // --- Changing, as ZsetEditor. Arguments must not lie inside the structure.
  template <typename Decide>
  ZsetChange Update(std::string_view member, Decide&& decide);
  // The member is absent. False, and nothing changed, without memory.
  [[nodiscard]] bool Insert(std::string_view member, double score) {
    return Insert(members_->Hashed(member), score);
  }
  bool Remove(std::string_view member);
  void RemoveRanks(std::uint64_t first, std::uint64_t count);

  // More elements than this are cut out, and leave the table in steps.
  static constexpr std::uint64_t kRemovedInPlaceMax = 1024;

 private:
  ZsetStructure(const KeyHasher& hasher, std::unique_ptr<MemberTable> members);

  std::string_view Text(Ref ref) const override { return members_->At(ref).member(); }
  void MemberMoved(Ref from, MemberView member) override;
  // 0 when it is not a member of the set.
  Ref Find(HashedKey member) const;
  // Removes entries of what is cut, `count` at most.
  void TakeCut(std::uint64_t count);
  void EraseRemoved();
  [[nodiscard]] bool Insert(HashedKey member, double score);
  void Prefetch(Ref ref) const {
    if (ref != 0) members_->heap().Prefetch(ref);
  }

  const KeyHasher& hasher_;
  std::unique_ptr<MemberTable> members_;
  ScoreTree tree_;
  CutElements cut_;
  // Members of the table that are not in the tree just now.
  std::optional<std::string_view> inserted_;
  std::vector<Ref> removed_;
};

template <typename Visit>
void ZsetStructure::Walk(std::uint64_t first, std::uint64_t count, bool reverse,
                         Visit&& visit) const {
  // The entries lie anywhere in the heap; this many are under way at a time.
  constexpr std::ptrdiff_t kAhead = 8;
  if (count == 0 || first >= size()) return;
  ScoreTree::Position at = tree_.At(first);
  const std::uint64_t rest = reverse ? first + 1 : size() - first;
  std::uint64_t left = count < rest ? count : rest;
  for (std::ptrdiff_t i = 1; i < kAhead && static_cast<std::uint64_t>(i) < left; ++i) {
    Prefetch(at.Ahead(reverse ? -i : i));
  }
  for (;;) {
    if (left > static_cast<std::uint64_t>(kAhead)) Prefetch(at.Ahead(reverse ? -kAhead : kAhead));
    if (!GoesOn(visit, Text(at.ref()), at.score()) || --left == 0) return;
    reverse ? at.Previous() : at.Next();
  }
}

template <typename Decide>
ZsetChange ZsetStructure::Update(std::string_view member, Decide&& decide) {
  const HashedKey hashed = members_->Hashed(member);
  const Ref ref = Find(hashed);
  if (ref == 0) {
    const std::optional<double> score = decide(std::optional<double>());
    if (!score) return ZsetChange::kNone;
    return Insert(hashed, *score) ? ZsetChange::kAdded : ZsetChange::kNoMemory;
  }
  const double old = members_->At(ref).score();
  const std::optional<double> score = decide(std::optional(old));
  if (!score || *score == old) return ZsetChange::kNone;
  tree_.SetScore(old, member, *score);
  members_->SetScore(ref, *score);
  return ZsetChange::kUpdated;
}

}  // namespace aeris::storage
