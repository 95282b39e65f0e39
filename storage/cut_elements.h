// CutElements: what was cut out of a sorted set's tree and has still to leave its table.
//
// To remove half of a million elements from the table takes 50 ms. A large range is therefore cut
// out of the tree at once, as the subtrees that it is made of, and its entries are removed a few at
// a time: by each change of the set, and by the keyspace's sweep. Until then the table finds them,
// and whoever asks it has to ask here as well.
//
//   ranges_  [ first score, last score | tree, tree, ... in order ][ ... ]        one per cut
//
// Holds:    no tree and no range is empty; what is here is not in the set's tree.
// Cost:     Cut() as ScoreTree::TakeRange(). To find an element O(log n) for each range that has
//           its score; nothing when nothing is cut.
// Rejected: a mark in the entries: the cut would visit them. A second table: its members would have
//           to be told from those that were added again.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "storage/score_tree.h"

namespace aeris::storage {

class CutElements {
 public:
  // `texts` outlives it.
  explicit CutElements(const MemberTexts& texts) : texts_(texts) {}

  bool empty() const { return ranges_.empty(); }
  std::uint64_t size() const { return size_; }
  std::size_t ranges() const { return ranges_.size(); }
  // Of the trees. O(1).
  std::size_t memory_bytes() const { return memory_bytes_; }

  // Takes the elements of the ranks [first, first + count) out of the set's tree.
  void Cut(ScoreTree& tree, std::uint64_t first, std::uint64_t count);

  bool Contains(double score, std::string_view member) const {
    return !empty() && Find(score, member).has_value();
  }
  // The element is forgotten: its entry stays, and belongs to a member of the set again. False when
  // it is not here.
  bool Release(double score, std::string_view member);
  // The element's entry is now `ref`. False when it is not here.
  bool ReplaceRef(double score, std::string_view member, Ref ref);
  // Forgets up to `count` elements, after visit(Ref) of each; the entries may go when it returns.
  template <typename Visit>
  void Take(std::uint64_t count, Visit&& visit);

  // Aborts when an invariant does not hold. O(n), reads every member.
  void CheckInvariants() const;

 private:
  struct Range {
    double first_score = 0;
    double last_score = 0;
    std::vector<ScoreTree> trees;
  };
  struct Place {
    std::size_t range = 0;
    std::size_t tree = 0;
  };

  std::optional<Place> Find(double score, std::string_view member) const;
  bool IsFrom(const ScoreTree& tree, double score, std::string_view member) const;
  // Changes the tree there and removes it when it has become empty.
  template <typename Change>
  void Edit(Place place, Change&& change);

  const MemberTexts& texts_;
  std::vector<Range> ranges_;  // the oldest first
  std::uint64_t size_ = 0;
  std::size_t memory_bytes_ = 0;
};

template <typename Change>
void CutElements::Edit(Place place, Change&& change) {
  std::vector<ScoreTree>& trees = ranges_[place.range].trees;
  ScoreTree& tree = trees[place.tree];
  size_ -= tree.size();
  memory_bytes_ -= tree.memory_bytes();
  change(tree);
  size_ += tree.size();
  memory_bytes_ += tree.memory_bytes();
  if (tree.size() != 0) return;
  trees.erase(trees.begin() + static_cast<std::ptrdiff_t>(place.tree));
  if (!trees.empty()) return;
  memory_bytes_ -= trees.capacity() * sizeof(ScoreTree);
  ranges_.erase(ranges_.begin() + static_cast<std::ptrdiff_t>(place.range));
}

template <typename Visit>
void CutElements::Take(std::uint64_t count, Visit&& visit) {
  while (count != 0 && !empty()) {
    const Place last{.range = 0, .tree = ranges_.front().trees.size() - 1};
    const std::uint64_t n = std::min(count, ranges_.front().trees.back().size());
    Edit(last,
         [&](ScoreTree& tree) { tree.EraseRange(0, n, [&](double, Ref ref) { visit(ref); }); });
    count -= n;
  }
}

}  // namespace aeris::storage
