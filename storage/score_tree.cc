#include "storage/score_tree.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <type_traits>
#include <vector>

#include "src/base/check.h"

namespace aeris::storage {

using score_tree::CloseGap;
using score_tree::kBlockBytes;
using score_tree::kInnerBlocks;
using score_tree::kInnerCapacity;
using score_tree::kLeafBlocks;
using score_tree::kLeafCapacity;
using score_tree::MoveBorder;
using score_tree::OpenGap;

// A full node moves elements to a sibling that has kShareRoom free places or more, else two full
// siblings become three nodes. A node below kMin merges with a sibling where both fit into kMerged,
// else they share their elements evenly; kMerged < 2 kMin + 1 lets neither of them be below kMin.
// A built node gets kBuilt.
template <>
struct ScoreTree::Fill<score_tree::Leaf> {
  static constexpr std::size_t kCapacity = kLeafCapacity;
  static constexpr std::size_t kShareRoom = 8;
  static constexpr std::size_t kMin = kLeafCapacity * 9 / 20;
  static constexpr std::size_t kMerged = 2 * kMin;
  static constexpr std::size_t kBuilt = kLeafCapacity - 4;
  static constexpr std::size_t kEdge = 1;  // what a split at an edge leaves at the edge
};
template <>
struct ScoreTree::Fill<score_tree::Inner> {
  static constexpr std::size_t kCapacity = kInnerCapacity;
  static constexpr std::size_t kShareRoom = 4;
  static constexpr std::size_t kMin = kInnerCapacity * 9 / 20;
  static constexpr std::size_t kMerged = 2 * kMin;
  static constexpr std::size_t kBuilt = kInnerCapacity - 2;
  static constexpr std::size_t kEdge = 2;
};

namespace {

using score_tree::Inner;
using score_tree::Leaf;
using score_tree::Node;

}  // namespace

// --- Inserting

// A full node on the way makes room one step at a time, and the way is looked for again: that is
// rare, and no half-changed path is ever used.
void ScoreTree::Insert(double score, std::string_view member, Ref ref) {
  if (root_ == nullptr) root_ = NewNode<Leaf>(0, kLeafBlocks.front());
  Path path = PathToKey(score, member);
  while (path.leaf->count == path.leaf->capacity) {
    const Edge edge = path.AtEnd(levels())     ? Edge::kLast
                      : path.AtStart(levels()) ? Edge::kFirst
                                               : Edge::kNone;
    MakeRoom(path, edge);
    path = PathToKey(score, member);
  }
  OpenGap(*path.leaf, path.index, 1);
  path.leaf->Set(path.index, score, ref);
  for (std::size_t level = 1; level <= levels(); ++level) {
    ++path.steps[level].node->counts()[path.steps[level].index];
  }
  if (path.index == 0) FixFirst(path, 1, {.score = score, .ref = ref});
  ++size_;
}

// Makes room in the lowest node on the way that can have it without room in its parent.
void ScoreTree::MakeRoom(const Path& path, Edge edge) {
  for (std::size_t level = 0; level < levels(); ++level) {
    const Path::Step& parent = path.steps[level + 1];
    if (edge == Edge::kNone && (level == 0 ? ShareWithSibling<Leaf>(*parent.node, parent.index)
                                           : ShareWithSibling<Inner>(*parent.node, parent.index))) {
      return;
    }
    if (parent.node->count == parent.node->capacity) continue;
    if (level == 0) {
      Split<Leaf>(*parent.node, parent.index, edge);
    } else {
      Split<Inner>(*parent.node, parent.index, edge);
    }
    return;
  }
  GrowRoot();
}

// A larger block, or a new root above the old one.
void ScoreTree::GrowRoot() {
  if (root_->level == 0 && root_->capacity < kLeafCapacity) {
    ReallocateRoot<Leaf>(*std::find_if(
        kLeafBlocks.begin(), kLeafBlocks.end(),
        [&](std::size_t bytes) { return Leaf::CapacityOf(bytes) > root_->capacity; }));
    return;
  }
  if (root_->level != 0 && root_->capacity < kInnerCapacity) {
    ReallocateRoot<Inner>(*std::find_if(
        kInnerBlocks.begin(), kInnerBlocks.end(),
        [&](std::size_t bytes) { return Inner::CapacityOf(bytes) > root_->capacity; }));
    return;
  }
  AERIS_CHECK(levels() + 1 < kLevelsMax);
  Node* const old = root_;
  auto* const root = NewNode<Inner>(levels() + 1U, kInnerBlocks.front());
  root->count = 1;
  root->scores()[0] = old->level == 0 ? static_cast<Leaf*>(old)->scores()[0]
                                      : static_cast<Inner*>(old)->scores()[0];
  root->refs()[0] =
      old->level == 0 ? static_cast<Leaf*>(old)->ref(0) : static_cast<Inner*>(old)->ref(0);
  root->counts()[0] = size_;
  root->children()[0] = old;
  root_ = root;
}

// Evens the child out with its emptier sibling, if that has room enough to be worth it.
template <typename N>
bool ScoreTree::ShareWithSibling(Inner& parent, std::size_t index) {
  const auto room = [&](std::size_t child) {
    return Fill<N>::kCapacity - parent.child(child)->count;
  };
  const std::size_t before = index > 0 ? room(index - 1) : 0;
  const std::size_t after = index + 1U < parent.count ? room(index + 1) : 0;
  if (std::max(before, after) < Fill<N>::kShareRoom) return false;
  const std::size_t left = before >= after ? index - 1 : index;
  Balance<N>(parent, left, (parent.child(left)->count + parent.child(left + 1)->count) / 2U);
  return true;
}

// Makes one more child of `parent`, which has room for it.
template <typename N>
void ScoreTree::Split(Inner& parent, std::size_t index, Edge edge) {
  const std::size_t count = parent.child(index)->count;
  if (edge == Edge::kLast) return SplitOff<N>(parent, index, count - Fill<N>::kEdge);
  if (edge == Edge::kFirst) return SplitOff<N>(parent, index, Fill<N>::kEdge);
  if (parent.count == 1) return SplitOff<N>(parent, index, count / 2);
  // Two full siblings become three.
  const std::size_t left = index + 1U < parent.count ? index : index - 1;
  const std::size_t both = parent.child(left)->count + std::size_t{parent.child(left + 1)->count};
  const std::size_t right_count = parent.child(left + 1)->count;
  SplitOff<N>(parent, left + 1, right_count - both / 3);
  Balance<N>(parent, left, (both - both / 3) / 2);
}

// A new child behind the one at `index`, which keeps `keep` elements.
template <typename N>
void ScoreTree::SplitOff(Inner& parent, std::size_t index, std::size_t keep) {
  auto& node = static_cast<N&>(*parent.child(index));
  N* const added = NewNode<N>(node.level);
  if constexpr (std::is_same_v<N, Leaf>) {
    added->previous = &node;
    added->next = node.next;
    if (node.next != nullptr) node.next->previous = added;
    node.next = added;
  }
  OpenGap(parent, index + 1, 1);
  parent.children()[index + 1] = added;
  parent.counts()[index + 1] = 0;
  Balance<N>(parent, index, keep);
}

// Moves elements between the children at `index` and behind it so that the first has `left_count`,
// which is not 0.
template <typename N>
void ScoreTree::Balance(Inner& parent, std::size_t index, std::size_t left_count) {
  auto& left = static_cast<N&>(*parent.child(index));
  auto& right = static_cast<N&>(*parent.child(index + 1));
  const auto moved = static_cast<std::uint64_t>(MoveBorder(left, right, left_count));
  parent.counts()[index] -= moved;
  parent.counts()[index + 1] += moved;
  if (right.count == 0) return;
  parent.scores()[index + 1] = right.scores()[0];
  parent.refs()[index + 1] = right.ref(0);
}

// --- Erasing

Ref ScoreTree::Erase(double score, std::string_view member) {
  const Path path = PathToElement(score, member);
  const Ref ref = path.leaf->ref(path.index);
  EraseAt(path, 1);
  return ref;
}

// Erases `n` elements of one leaf.
void ScoreTree::EraseAt(const Path& path, std::size_t n) {
  EraseInLeaf(path, n);
  Shrink(path);
}

void ScoreTree::EraseInLeaf(const Path& path, std::size_t n) {
  CloseGap(*path.leaf, path.index, n);
  for (std::size_t level = 1; level <= levels(); ++level) {
    path.steps[level].node->counts()[path.steps[level].index] -= n;
  }
  size_ -= n;
  if (path.index == 0 && path.leaf->count != 0) {
    FixFirst(path, 1, {.score = path.leaf->scores()[0], .ref = path.leaf->ref(0)});
  }
}

// `first` is now the first element below the path's child in the inner node of `level`.
void ScoreTree::FixFirst(const Path& path, std::size_t level, Element first) {
  for (; level <= levels(); ++level) {
    const auto& [node, index] = path.steps[level];
    node->scores()[index] = first.score;
    node->refs()[index] = first.ref;
    if (index != 0) return;
  }
}

// Sees to the nodes of the path that have too few elements, from the leaf up.
void ScoreTree::Shrink(const Path& path) {
  for (std::size_t level = 0; level < levels(); ++level) {
    const auto& [parent, index] = path.steps[level + 1];
    if (const Node& child = *parent->child(index); child.count == 0) {
      RemoveChild(*parent, index);
      if (index == 0) {
        FixFirst(path, level + 2, {.score = parent->scores()[0], .ref = parent->ref(0)});
      }
    } else if (level == 0) {
      if (child.count >= Fill<Leaf>::kMin || !MergeOrBalance<Leaf>(*parent, index)) break;
    } else {
      if (child.count >= Fill<Inner>::kMin || !MergeOrBalance<Inner>(*parent, index)) break;
    }
  }
  ShrinkRoot();
}

// Gives a child that has too few elements some of a sibling, or joins them; true if `parent` has a
// child less. Nodes but the root have two children at least, so there is a sibling.
template <typename N>
bool ScoreTree::MergeOrBalance(Inner& parent, std::size_t index) {
  const std::size_t left = index == 0 ? 0 : index - 1;
  const std::size_t both = parent.child(left)->count + std::size_t{parent.child(left + 1)->count};
  if (both > Fill<N>::kMerged) {
    Balance<N>(parent, left, both / 2);
    return false;
  }
  Balance<N>(parent, left, both);
  RemoveChild(parent, left + 1);
  return true;
}

void ScoreTree::RemoveChild(Inner& parent, std::size_t index) {
  Node* const child = parent.child(index);
  AERIS_DCHECK(child->count == 0 && parent.counts()[index] == 0);
  if (child->level == 0) {
    const auto& leaf = static_cast<const Leaf&>(*child);
    if (leaf.previous != nullptr) leaf.previous->next = leaf.next;
    if (leaf.next != nullptr) leaf.next->previous = leaf.previous;
  }
  FreeNode(child);
  CloseGap(parent, index, 1);
}

void ScoreTree::ShrinkRoot() {
  while (root_->level != 0 && root_->count == 1) {
    Node* const child = static_cast<Inner*>(root_)->child(0);
    FreeNode(root_);
    root_ = child;
  }
  if (root_->level != 0) return;
  if (root_->count == 0) {
    FreeNode(root_);
    root_ = nullptr;
    return;
  }
  // A quarter full: half of the block will do, with room to grow.
  if (root_->count > root_->capacity / 4 || root_->capacity == Leaf::CapacityOf(kLeafBlocks[0])) {
    return;
  }
  const auto larger = std::find_if(kLeafBlocks.begin(), kLeafBlocks.end(), [&](std::size_t bytes) {
    return Leaf::CapacityOf(bytes) == root_->capacity;
  });
  ReallocateRoot<Leaf>(*(larger - 1));
}

// --- Taking ranges out

ScoreTree::ScoreTree(const MemberTexts& texts, Node* root, std::uint64_t size)
    : root_(root), size_(size), memory_bytes_(NodesBelow(*root) * kBlockBytes), texts_(&texts) {}

// Nodes but a root have the largest block. Leaves are counted by their parents.
std::size_t ScoreTree::NodesBelow(const Node& node) {
  if (node.level == 0) return 1;
  if (node.level == 1) return std::size_t{1} + node.count;
  std::size_t nodes = 1;
  const auto& inner = static_cast<const Inner&>(node);
  for (std::size_t i = 0; i < inner.count; ++i) nodes += NodesBelow(*inner.child(i));
  return nodes;
}

// Elements below the path's node of that level.
std::uint64_t ScoreTree::WeightOf(const Path& path, std::size_t level) const {
  if (level == levels()) return size_;
  const Path::Step& parent = path.steps[level + 1];
  return parent.node->counts()[parent.index];
}

// Nodes at both sides of the gap are left with too few elements until all is out: to even them out
// before would move what is to go next to a place from which it goes leaf by leaf.
void ScoreTree::TakeRange(std::uint64_t first, std::uint64_t count,
                          std::vector<ScoreTree>& pieces) {
  AERIS_CHECK(first <= size_ && count <= size_ - first);
  if (count == size_) {
    if (count != 0) pieces.push_back(std::move(*this));
    return;
  }
  while (count != 0) {
    const Path path = PathToRank(first);
    if (path.index != 0 || path.leaf->count > count) {
      const std::uint64_t room = path.leaf->count - path.index;
      pieces.push_back(TakePart(path, static_cast<std::size_t>(std::min(count, room))));
    } else {
      // The largest subtree that begins here and does not go beyond the range: never the root,
      // which something stays below.
      std::size_t level = 0;
      while (path.steps[level + 1].index == 0 && WeightOf(path, level + 1) <= count) ++level;
      pieces.push_back(TakeSubtree(path, level));
    }
    count -= pieces.back().size();
  }
  if (first != 0) FillUp(first - 1);
  if (first != size_) FillUp(first);
}

// A copy of `n` elements of the path's leaf, which are erased there; some stay.
ScoreTree ScoreTree::TakePart(const Path& path, std::size_t n) {
  ScoreTree part(*texts_);
  Leaf* const leaf = part.NewNode<Leaf>(0);
  Leaf::Copy(*path.leaf, path.index, *leaf, 0, n);
  leaf->count = static_cast<std::uint16_t>(n);
  part.root_ = leaf;
  part.size_ = n;
  EraseInLeaf(path, n);
  return part;
}

// The path's node of that level, which is not the root and at whose start the path ends.
ScoreTree ScoreTree::TakeSubtree(const Path& path, std::size_t level) {
  const auto& [parent, index] = path.steps[level + 1];
  Node* const root = parent->child(index);
  ScoreTree subtree(*texts_, root, parent->counts()[index]);
  Node* node = root;
  while (node->level != 0) node = static_cast<Inner*>(node)->child(node->count - std::size_t{1});
  auto* const last = static_cast<Leaf*>(node);
  if (path.leaf->previous != nullptr) path.leaf->previous->next = last->next;
  if (last->next != nullptr) last->next->previous = path.leaf->previous;
  path.leaf->previous = nullptr;
  last->next = nullptr;

  memory_bytes_ -= subtree.memory_bytes_;
  size_ -= subtree.size_;
  for (std::size_t above = level + 2; above <= levels(); ++above) {
    path.steps[above].node->counts()[path.steps[above].index] -= subtree.size_;
  }
  CloseGap(*parent, index, 1);
  // Nodes that have no other child go as well.
  std::size_t above = level + 1;
  for (; path.steps[above].node->count == 0; ++above) {
    RemoveChild(*path.steps[above + 1].node, path.steps[above + 1].index);
  }
  const auto& [stays, gap] = path.steps[above];
  if (gap == 0) FixFirst(path, above + 1, {.score = stays->scores()[0], .ref = stays->ref(0)});
  return subtree;
}

// Sees to the nodes on the way to that rank that have too few elements, from the root down, so that
// each has a sibling.
void ScoreTree::FillUp(std::uint64_t rank) {
  for (bool changed = true; changed;) {
    changed = false;
    ShrinkRoot();
    const Path path = PathToRank(rank);
    for (std::size_t level = levels(); level-- > 0 && !changed;) {
      const auto& [parent, index] = path.steps[level + 1];
      const Node& child = *parent->child(index);
      changed = child.count < (level == 0 ? Fill<Leaf>::kMin : Fill<Inner>::kMin);
      if (!changed) continue;
      level == 0 ? MergeOrBalance<Leaf>(*parent, index) : MergeOrBalance<Inner>(*parent, index);
    }
  }
}

// --- Elements that stay

bool ScoreTree::SetScore(double score, std::string_view member, double new_score) {
  const Path path = PathToElement(score, member);
  const Leaf& leaf = *path.leaf;
  const Ref ref = leaf.ref(path.index);
  const bool stays =
      IsAfter(leaf, path.index, new_score, member) && IsBefore(leaf, path.index, new_score, member);
  if (stays) {
    path.leaf->scores()[path.index] = new_score;
    if (path.index == 0) FixFirst(path, 1, {.score = new_score, .ref = ref});
    return true;
  }
  EraseAt(path, 1);
  Insert(new_score, member, ref);
  return false;
}

// Whether (score, member) would be behind the element before the one at `index`.
bool ScoreTree::IsAfter(const Leaf& leaf, std::size_t index, double score,
                        std::string_view member) const {
  const Leaf* const before = index == 0 ? leaf.previous : &leaf;
  if (before == nullptr) return true;
  const std::size_t at = (index == 0 ? before->count : index) - std::size_t{1};
  if (before->scores()[at] != score) return before->scores()[at] < score;
  return texts_->Text(before->ref(at)) < member;
}

// And before the element behind it.
bool ScoreTree::IsBefore(const Leaf& leaf, std::size_t index, double score,
                         std::string_view member) const {
  const bool last = index + 1 == leaf.count;
  const Leaf* const after = last ? leaf.next : &leaf;
  if (after == nullptr) return true;
  const std::size_t at = last ? 0 : index + 1;
  if (after->scores()[at] != score) return score < after->scores()[at];
  return member < texts_->Text(after->ref(at));
}

void ScoreTree::ReplaceRef(double score, std::string_view member, Ref new_ref) {
  const Path path = PathToElement(score, member);
  path.leaf->SetRef(path.index, new_ref);
  if (path.index == 0) FixFirst(path, 1, {.score = path.leaf->scores()[0], .ref = new_ref});
}

// --- Everything

namespace {

// A finished node of the level below, while a tree is built.
struct Built {
  Node* node;
  ScoreTree::Element first;
  std::uint64_t weight;
};

// `total` things into so few nodes of at most `fill` that each has about the same number.
class EvenShares {
 public:
  EvenShares(std::size_t total, std::size_t fill)
      : total_(total), nodes_((total + fill - 1) / fill) {}
  std::size_t nodes() const { return nodes_; }
  std::size_t Of(std::size_t node) const {
    return total_ / nodes_ + static_cast<std::size_t>(node < total_ % nodes_);
  }

 private:
  std::size_t total_;
  std::size_t nodes_;
};

template <std::size_t kBlocks, typename CapacityOf>
std::size_t SmallestBlock(const std::array<std::size_t, kBlocks>& blocks, std::size_t count,
                          CapacityOf&& capacity_of) {
  return *std::find_if(blocks.begin(), blocks.end() - 1,
                       [&](std::size_t bytes) { return capacity_of(bytes) >= count; });
}

}  // namespace

void ScoreTree::Build(std::span<const Element> sorted) {
  Clear();
  if (sorted.empty()) return;
  size_ = sorted.size();
  std::vector<Built> level;
  const EvenShares leaves(sorted.size(), Fill<Leaf>::kBuilt);
  level.reserve(leaves.nodes());
  Leaf* previous = nullptr;
  for (std::size_t i = 0; i < leaves.nodes(); ++i) {
    const std::size_t n = leaves.Of(i);
    Leaf* const leaf = NewNode<Leaf>(
        0, leaves.nodes() > 1 ? kBlockBytes : SmallestBlock(kLeafBlocks, n, Leaf::CapacityOf));
    for (std::size_t j = 0; j < n; ++j) leaf->Set(j, sorted[j].score, sorted[j].ref);
    leaf->count = static_cast<std::uint16_t>(n);
    leaf->previous = previous;
    if (previous != nullptr) previous->next = leaf;
    previous = leaf;
    level.push_back({.node = leaf, .first = sorted.front(), .weight = n});
    sorted = sorted.subspan(n);
  }
  while (level.size() > 1) {
    const EvenShares parents(level.size(), Fill<Inner>::kBuilt);
    std::size_t next = 0;
    for (std::size_t i = 0; i < parents.nodes(); ++i) {
      const std::size_t n = parents.Of(i);
      auto* const inner = NewNode<Inner>(
          level[next].node->level + 1U,
          parents.nodes() > 1 ? kBlockBytes : SmallestBlock(kInnerBlocks, n, Inner::CapacityOf));
      const Element first = level[next].first;
      for (std::size_t j = 0; j < n; ++j, ++next) {
        inner->scores()[j] = level[next].first.score;
        inner->refs()[j] = level[next].first.ref;
        inner->counts()[j] = level[next].weight;
        inner->children()[j] = level[next].node;
      }
      inner->count = static_cast<std::uint16_t>(n);
      level[i] = {.node = inner, .first = first, .weight = inner->Weight(0, n)};
    }
    level.resize(parents.nodes());
  }
  root_ = level.front().node;
}

void ScoreTree::Clear() {
  if (root_ != nullptr) FreeBelow(root_);
  root_ = nullptr;
  size_ = 0;
  AERIS_DCHECK(memory_bytes_ == 0);
}

// As deep as the tree is, which is below kLevelsMax.
void ScoreTree::FreeBelow(Node* node) {
  if (node->level != 0) {
    for (std::size_t i = 0; i < node->count; ++i) FreeBelow(static_cast<Inner*>(node)->child(i));
  }
  FreeNode(node);
}

// --- Blocks

namespace {

std::size_t BlockBytes(const Node& node) {
  if (node.level == 0) {
    return *std::find_if(kLeafBlocks.begin(), kLeafBlocks.end(), [&](std::size_t bytes) {
      return Leaf::CapacityOf(bytes) == node.capacity;
    });
  }
  return *std::find_if(kInnerBlocks.begin(), kInnerBlocks.end(), [&](std::size_t bytes) {
    return Inner::CapacityOf(bytes) == node.capacity;
  });
}

}  // namespace

template <typename N>
N* ScoreTree::NewNode(std::size_t level, std::size_t bytes) {
  void* const block = std::malloc(bytes);
  AERIS_CHECK(block != nullptr);
  memory_bytes_ += bytes;
  N* const node = static_cast<N*>(block);
  node->count = 0;
  node->capacity = static_cast<std::uint16_t>(N::CapacityOf(bytes));
  node->level = static_cast<std::uint16_t>(level);
  if constexpr (std::is_same_v<N, Leaf>) node->previous = node->next = nullptr;
  return node;
}

void ScoreTree::FreeNode(Node* node) {
  memory_bytes_ -= BlockBytes(*node);
  std::free(node);
}

// A root has no siblings, so no link leads to it.
template <typename N>
void ScoreTree::ReallocateRoot(std::size_t bytes) {
  N* const old = static_cast<N*>(root_);
  N* const node = NewNode<N>(old->level, bytes);
  N::Copy(*old, 0, *node, 0, old->count);
  node->count = old->count;
  FreeNode(old);
  root_ = node;
}

// --- Checking

struct ScoreTree::Checked {
  const Leaf* last_leaf = nullptr;
  std::uint64_t elements = 0;
  std::size_t bytes = 0;
};

void ScoreTree::CheckInvariants() const {
  Checked checked;
  if (root_ != nullptr) {
    AERIS_CHECK(root_->count >= (root_->level == 0 ? 1 : 2));
    CheckNode(root_, {.first = true, .last = true}, checked);
    AERIS_CHECK(checked.last_leaf->next == nullptr);
  }
  AERIS_CHECK(checked.elements == size_);
  AERIS_CHECK(checked.bytes == memory_bytes_);
}

void ScoreTree::CheckNode(const Node* node, Edges edges, Checked& checked) const {
  checked.bytes += BlockBytes(*node);
  AERIS_CHECK(node->count <= node->capacity);
  if (node->level == 0) return CheckLeaf(static_cast<const Leaf&>(*node), edges, checked);
  const auto& inner = static_cast<const Inner&>(*node);
  AERIS_CHECK(inner.count >= (edges.first || edges.last ? 2 : Fill<Inner>::kMin));
  AERIS_CHECK(node == root_ || inner.capacity == kInnerCapacity);
  for (std::size_t i = 0; i < inner.count; ++i) {
    const Node* const child = inner.child(i);
    AERIS_CHECK(child->level + 1 == inner.level);
    const bool leaves = child->level == 0;
    const double score = leaves ? static_cast<const Leaf*>(child)->scores()[0]
                                : static_cast<const Inner*>(child)->scores()[0];
    const Ref ref =
        leaves ? static_cast<const Leaf*>(child)->ref(0) : static_cast<const Inner*>(child)->ref(0);
    AERIS_CHECK(inner.scores()[i] == score);
    AERIS_CHECK(inner.ref(i) == ref);
    const std::uint64_t before = checked.elements;
    CheckNode(child, {.first = edges.first && i == 0, .last = edges.last && i + 1U == inner.count},
              checked);
    AERIS_CHECK(inner.counts()[i] == checked.elements - before);
  }
}

void ScoreTree::CheckLeaf(const Leaf& leaf, Edges edges, Checked& checked) const {
  AERIS_CHECK(leaf.count >= (edges.first || edges.last ? 1 : Fill<Leaf>::kMin));
  AERIS_CHECK(&leaf == root_ || leaf.capacity == kLeafCapacity);
  AERIS_CHECK(leaf.previous == checked.last_leaf);
  AERIS_CHECK(checked.last_leaf == nullptr || checked.last_leaf->next == &leaf);
  for (std::size_t i = 0; i < leaf.count; ++i) {
    AERIS_CHECK(IsAfter(leaf, i, leaf.scores()[i], texts_->Text(leaf.ref(i))));
  }
  checked.last_leaf = &leaf;
  checked.elements += leaf.count;
}

}  // namespace aeris::storage
