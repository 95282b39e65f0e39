#include "storage/cut_elements.h"

#include <iterator>
#include <utility>

#include "src/base/check.h"

namespace aeris::storage {

void CutElements::Cut(ScoreTree& tree, std::uint64_t first, std::uint64_t count) {
  if (count == 0) return;
  Range range;
  range.first_score = tree.At(first).score();
  range.last_score = tree.At(first + count - 1).score();
  tree.TakeRange(first, count, range.trees);
  size_ += count;
  for (const ScoreTree& each : range.trees) memory_bytes_ += each.memory_bytes();
  memory_bytes_ += range.trees.capacity() * sizeof(ScoreTree);
  ranges_.push_back(std::move(range));
}

// Whether the element is at the tree's first one, or behind it.
bool CutElements::IsFrom(const ScoreTree& tree, double score, std::string_view member) const {
  const ScoreTree::Position first = tree.At(0);
  if (first.score() != score) return first.score() < score;
  return texts_.Text(first.ref()) <= member;
}

std::optional<CutElements::Place> CutElements::Find(double score, std::string_view member) const {
  for (std::size_t i = 0; i < ranges_.size(); ++i) {
    const Range& range = ranges_[i];
    if (score < range.first_score || score > range.last_score) continue;
    const auto behind = std::ranges::partition_point(
        range.trees, [&](const ScoreTree& tree) { return IsFrom(tree, score, member); });
    if (behind == range.trees.begin()) continue;
    const ScoreTree::Position at = std::prev(behind)->Find(score, member);
    if (!at || at.score() != score || texts_.Text(at.ref()) != member) continue;
    return Place{.range = i, .tree = static_cast<std::size_t>(behind - range.trees.begin()) - 1};
  }
  return std::nullopt;
}

bool CutElements::Release(double score, std::string_view member) {
  const auto place = Find(score, member);
  if (place) Edit(*place, [&](ScoreTree& tree) { tree.Erase(score, member); });
  return place.has_value();
}

bool CutElements::ReplaceRef(double score, std::string_view member, Ref ref) {
  const auto place = Find(score, member);
  if (place) ranges_[place->range].trees[place->tree].ReplaceRef(score, member, ref);
  return place.has_value();
}

void CutElements::CheckInvariants() const {
  std::uint64_t size = 0;
  std::size_t bytes = 0;
  for (const Range& range : ranges_) {
    AERIS_CHECK(!range.trees.empty());
    for (std::size_t i = 0; i < range.trees.size(); ++i) {
      const ScoreTree& tree = range.trees[i];
      tree.CheckInvariants();
      AERIS_CHECK(tree.size() != 0);
      const ScoreTree::Position first = tree.At(0);
      const ScoreTree::Position last = tree.At(tree.size() - 1);
      AERIS_CHECK(range.first_score <= first.score() && last.score() <= range.last_score);
      AERIS_CHECK(i == 0 || IsFrom(range.trees[i - 1], first.score(), texts_.Text(first.ref())));
      size += tree.size();
      bytes += tree.memory_bytes();
    }
    bytes += range.trees.capacity() * sizeof(ScoreTree);
  }
  AERIS_CHECK(size == size_ && bytes == memory_bytes_);
}

}  // namespace aeris::storage
