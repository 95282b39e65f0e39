// Sorted sets: what a key of that type holds, in either of its encodings.
//
//   packed     packed_zset.h, inside the entry or apart       up to the thresholds of ZsetLimits
//   structure  zset_structure.h                               from then on
//
// ZsetView reads, ZsetEditor changes, StoreZset replaces. Ranks count from the lowest element, 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/collection_editor.h"
#include "storage/keyspace.h"
#include "storage/packed_zset.h"
#include "storage/zset_range.h"
#include "storage/zset_structure.h"

namespace aeris::storage {

// zset-max-listpack-entries and zset-max-listpack-value.
struct ZsetLimits {
  std::uint64_t packed_elements_max = 128;
  std::uint64_t packed_member_bytes_max = 64;
};

// Reads one sorted set. Valid as long as the entry it was made of.
class ZsetView {
 public:
  // Of a sorted set, or of none: then it is empty.
  explicit ZsetView(EntryView entry)
      : structure_(entry ? static_cast<const ZsetStructure*>(entry.structure()) : nullptr),
        packed_(PackedView(entry && structure_ == nullptr ? entry.block() : kNoElements)) {}

  bool packed() const { return structure_ == nullptr; }
  std::size_t size() const { return structure_ != nullptr ? structure_->size() : packed_.size(); }
  std::optional<double> Score(std::string_view member) const;
  std::optional<std::uint64_t> Rank(std::string_view member) const;
  RankRange RanksOf(const ScoreRange& range) const;
  // `from_end` matters only where scores differ, and the answer has no meaning.
  RankRange RanksOf(const LexRange& range, bool from_end) const;
  // Visits elements by rank, up or down from `first`, as far as there are any:
  // visit(std::string_view member, double score), which may return false to end it. The member's
  // text lives as long as the visit.
  template <typename Visit>
  void Walk(std::uint64_t first, std::uint64_t count, bool reverse, Visit&& visit) const {
    if (structure_ != nullptr) return structure_->Walk(first, count, reverse, visit);
    packed_.Walk(first, count, reverse, visit);
  }
  template <typename Visit>
  void ForEach(Visit&& visit) const {
    Walk(0, size(), false, visit);
  }
  // ZSCAN: all of what is packed, else as Keyspace::Scan. Returns the cursor to go on with.
  template <typename Visit>
  [[nodiscard]] std::uint64_t Scan(std::uint64_t cursor, std::size_t count, Visit&& visit) const {
    if (structure_ != nullptr) return structure_->Scan(cursor, count, visit);
    ForEach(visit);
    return 0;
  }

 private:
  // An empty block.
  static constexpr std::string_view kNoElements{"\7\0\0\0\0\0\xff", 7};

  const ZsetStructure* structure_;
  PackedZsetView packed_;
};

// Changes one sorted set, or makes one. What is packed has not changed before Commit.
class ZsetEditor {
 public:
  // As CollectionEditor.
  ZsetEditor(Keyspace& keyspace, const HashedKey& key, EntryView entry, const ZsetLimits& limits,
             UnixMs now);

  using Change = ZsetChange;
  // Finds the member once and asks `decide(std::optional<double> old)` for its new score: nullopt
  // leaves all as it is. Scores are not NaN.
  template <typename Decide>
  Change Update(std::string_view member, Decide&& decide);
  bool Remove(std::string_view member);
  void RemoveRanks(std::uint64_t first, std::uint64_t count);

  // Not needed when nothing has changed.
  StoreResult Commit() { return editor_.Commit(size() == 0); }

 private:
  ZsetStructure* structure() { return static_cast<ZsetStructure*>(editor_.structure()); }
  std::size_t size();
  bool StaysPackedWith(std::string_view member);
  Change Add(std::string_view member, double score);

  Keyspace& keyspace_;
  CollectionEditor editor_;
  ZsetLimits limits_;
};

// Makes the key a sorted set of these elements, which it sorts; each member is there once, no score
// is NaN. What the key held, and its deadline, go; no elements remove the key.
StoreResult StoreZset(Keyspace& keyspace, const HashedKey& key, std::vector<ScoredMember>& elements,
                      const ZsetLimits& limits, UnixMs now, UnixMs deadline = kNoDeadline);

template <typename Decide>
ZsetChange ZsetEditor::Update(std::string_view member, Decide&& decide) {
  if (ZsetStructure* const elements = structure()) return elements->Update(member, decide);
  PackedBlock& block = *editor_.block();
  const PackedZsetView::Place place = PackedZsetView(block.view()).Find(member);
  const std::optional<double> old = place ? std::optional(place.score) : std::nullopt;
  const std::optional<double> score = decide(old);
  if (!score || score == old) return Change::kNone;
  if (!old) return Add(member, *score);
  packed_zset::SetScore(block, place.at, *score);
  return Change::kUpdated;
}

}  // namespace aeris::storage
