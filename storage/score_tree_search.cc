// The ways down a score tree: to an element, to where it would be, to a rank, to the ends of
// ranges.
#include <algorithm>

#include "src/base/check.h"
#include "storage/prefetch.h"
#include "storage/score_tree.h"

namespace aeris::storage {

using score_tree::kInnerCapacity;
using score_tree::kLeafCapacity;

namespace {

using score_tree::Inner;
using score_tree::Leaf;
using score_tree::Node;

// How many of the first `n` scores are below `score`, without a branch that depends on them.
std::size_t CountBelow(const double* scores, std::size_t n, double score) {
  const double* first = scores;
  while (n > 1) {
    const std::size_t half = n / 2;
    first += static_cast<std::size_t>(first[half - 1] < score) * half;
    n -= half;
  }
  return static_cast<std::size_t>(first - scores) +
         static_cast<std::size_t>(n == 1 && *first < score);
}

std::size_t CountNotAbove(const double* scores, std::size_t n, double score) {
  const double* first = scores;
  while (n > 1) {
    const std::size_t half = n / 2;
    first += static_cast<std::size_t>(first[half - 1] <= score) * half;
    n -= half;
  }
  return static_cast<std::size_t>(first - scores) +
         static_cast<std::size_t>(n == 1 && *first <= score);
}

// Which of several equal elements a bound stands before.
enum class Bound { kLower, kUpper };

std::size_t CountScores(const double* scores, std::size_t n, double score, Bound bound) {
  return bound == Bound::kLower ? CountBelow(scores, n, score) : CountNotAbove(scores, n, score);
}

// The elements of [first, last) that are before the bound, plus `first`.
template <typename N>
std::size_t CountTexts(const N& node, std::size_t first, std::size_t last, std::string_view member,
                       Bound bound, const MemberTexts& texts) {
  while (first < last) {
    const std::size_t middle = first + (last - first) / 2;
    const int order = texts.Text(node.ref(middle)).compare(member);
    if (order < 0 || (order == 0 && bound == Bound::kUpper)) {
      first = middle + 1;
    } else {
      last = middle;
    }
  }
  return first;
}

template <typename N>
std::size_t CountKeys(const N& node, double score, std::string_view member, Bound bound,
                      const MemberTexts& texts) {
  const double* const scores = node.scores();
  const std::size_t first = CountBelow(scores, node.count, score);
  if (first == node.count || scores[first] != score) return first;
  const std::size_t last = first + CountNotAbove(scores + first, node.count - first, score);
  return CountTexts(node, first, last, member, bound, texts);
}

// The child in which an element is that has `firsts` children's first elements before or at it.
std::size_t ChildOf(std::size_t firsts) { return firsts == 0 ? 0 : firsts - 1; }

// The search in a node reads lines that are apart and each depends on the one before it; asked for
// at once, all of them come in the time of one.
void PrefetchChild(const Inner& parent, const Node* child) {
  constexpr std::size_t kLine = 64;
  const bool leaf = parent.level == 1;
  const auto* const bytes = reinterpret_cast<const char*>(child);
  const std::size_t end = leaf ? Leaf::kHeaderBytes + kLeafCapacity * sizeof(double)
                               : Inner::kHeaderBytes + kInnerCapacity * sizeof(double);
  for (std::size_t at = 0; at < end; at += kLine) Prefetch(bytes + at);
}

}  // namespace

// --- What is looked for: the child of an inner node, and the index in a leaf.

class ScoreTree::KeyTarget {
 public:
  KeyTarget(double score, std::string_view member, const MemberTexts& texts)
      : score_(score), member_(member), texts_(texts) {}
  std::size_t Child(const Inner& node) {
    return ChildOf(CountKeys(node, score_, member_, Bound::kUpper, texts_));
  }
  std::size_t Index(const Leaf& leaf) const {
    return CountKeys(leaf, score_, member_, Bound::kLower, texts_);
  }

 private:
  double score_;
  std::string_view member_;
  const MemberTexts& texts_;
};

class ScoreTree::RankTarget {
 public:
  explicit RankTarget(std::uint64_t rank) : rank_(rank) {}
  std::size_t Child(const Inner& node) {
    std::size_t child = 0;
    for (; rank_ >= node.counts()[child] && child + 1U < node.count; ++child) {
      rank_ -= node.counts()[child];
    }
    return child;
  }
  std::size_t Index(const Leaf& leaf) const { return std::min<std::uint64_t>(rank_, leaf.count); }

 private:
  std::uint64_t rank_;
};

class ScoreTree::ScoreTarget {
 public:
  ScoreTarget(double score, Bound bound) : score_(score), bound_(bound) {}
  std::size_t Child(const Inner& node) {
    return ChildOf(CountScores(node.scores(), node.count, score_, bound_));
  }
  std::size_t Index(const Leaf& leaf) const {
    return CountScores(leaf.scores(), leaf.count, score_, bound_);
  }

 private:
  double score_;
  Bound bound_;
};

class ScoreTree::TextTarget {
 public:
  TextTarget(std::string_view member, Bound bound, const MemberTexts& texts)
      : member_(member), bound_(bound), texts_(texts) {}
  std::size_t Child(const Inner& node) {
    return ChildOf(CountTexts(node, 0, node.count, member_, bound_, texts_));
  }
  std::size_t Index(const Leaf& leaf) const {
    return CountTexts(leaf, 0, leaf.count, member_, bound_, texts_);
  }

 private:
  std::string_view member_;
  Bound bound_;
  const MemberTexts& texts_;
};

// --- Descending

template <typename Target>
ScoreTree::Position ScoreTree::Locate(Target target) const {
  Position position;
  if (root_ == nullptr) return position;
  const Node* node = root_;
  while (node->level != 0) {
    const auto& inner = static_cast<const Inner&>(*node);
    const std::size_t child = target.Child(inner);
    node = inner.child(child);
    PrefetchChild(inner, node);
    position.rank_ += inner.Weight(0, child);
  }
  position.leaf_ = static_cast<const Leaf*>(node);
  position.index_ = target.Index(*position.leaf_);
  position.rank_ += position.index_;
  // Behind the last element of a leaf is the first one of the next.
  if (position.index_ == position.leaf_->count && position.leaf_->next != nullptr) {
    position.leaf_ = position.leaf_->next;
    position.index_ = 0;
  }
  return position;
}

template <typename Target>
ScoreTree::Path ScoreTree::PathTo(Target target) const {
  Path path;
  Node* node = root_;
  while (node->level != 0) {
    auto& inner = static_cast<Inner&>(*node);
    const std::size_t child = target.Child(inner);
    path.steps[node->level] = {.node = &inner, .index = child};
    node = inner.child(child);
    PrefetchChild(inner, node);
  }
  path.leaf = static_cast<Leaf*>(node);
  path.index = target.Index(*path.leaf);
  return path;
}

ScoreTree::Path ScoreTree::PathToRank(std::uint64_t rank) const { return PathTo(RankTarget(rank)); }

ScoreTree::Path ScoreTree::PathToKey(double score, std::string_view member) const {
  return PathTo(KeyTarget(score, member, *texts_));
}

ScoreTree::Path ScoreTree::PathToElement(double score, std::string_view member) const {
  AERIS_CHECK(root_ != nullptr);
  const Path path = PathToKey(score, member);
  AERIS_CHECK(path.index < path.leaf->count && path.leaf->scores()[path.index] == score);
  AERIS_DCHECK(texts_->Text(path.leaf->ref(path.index)) == member);
  return path;
}

bool ScoreTree::Path::AtStart(std::size_t levels) const {
  for (std::size_t level = 1; level <= levels; ++level) {
    if (steps[level].index != 0) return false;
  }
  return index == 0;
}

bool ScoreTree::Path::AtEnd(std::size_t levels) const {
  for (std::size_t level = 1; level <= levels; ++level) {
    if (steps[level].index + 1 != steps[level].node->count) return false;
  }
  return index == leaf->count;
}

// --- Finding

ScoreTree::Position ScoreTree::Find(double score, std::string_view member) const {
  return Locate(KeyTarget(score, member, *texts_));
}
ScoreTree::Position ScoreTree::At(std::uint64_t rank) const { return Locate(RankTarget(rank)); }
ScoreTree::Position ScoreTree::LowerBound(double score) const {
  return Locate(ScoreTarget(score, Bound::kLower));
}
ScoreTree::Position ScoreTree::UpperBound(double score) const {
  return Locate(ScoreTarget(score, Bound::kUpper));
}
ScoreTree::Position ScoreTree::LowerBound(std::string_view member) const {
  return Locate(TextTarget(member, Bound::kLower, *texts_));
}
ScoreTree::Position ScoreTree::UpperBound(std::string_view member) const {
  return Locate(TextTarget(member, Bound::kUpper, *texts_));
}

Ref ScoreTree::Position::Ahead(std::ptrdiff_t distance) const {
  if (leaf_ == nullptr) return 0;
  const Leaf* leaf = leaf_;
  auto index = static_cast<std::ptrdiff_t>(index_) + distance;
  if (index < 0) {
    leaf = leaf->previous;
    if (leaf == nullptr) return 0;
    index += leaf->count;
  } else if (index >= leaf->count) {
    index -= leaf->count;
    leaf = leaf->next;
    if (leaf == nullptr) return 0;
  }
  return index >= 0 && index < leaf->count ? leaf->ref(static_cast<std::size_t>(index)) : 0;
}

}  // namespace aeris::storage
