// ScoreTree: the order of a large sorted set.
//
// A B+ tree over (score, member) with the number of elements below each child. The set's other half
// finds an entry by its member; an entry holds the member's bytes and is referred to by a Ref. The
// tree keeps score and Ref of each element and reads a member only where scores are equal. Scores
// ascend, equal ones are in memcmp order of their members, a prefix first; -0.0 equals 0.0.
//
//   Inner        [ 1.5 a | 20 | [ 12 | 87 | [   | root: first element, count and child, by column
//             ______________/        \______
//   Leaf  <-> [ 1.5 a | 1.5 c | 2 b | ... ] <-> [ 20 a | 21 x | ... ] <->      score_tree_node.h
//
// Holds:    an inner node has the first element of each child, score and reference, so what it
//           refers to is alive, and the exact number of elements below. Nodes are at least 0.45
//           full, but for those on the way to the first or to the last element: a leaf there has
//           an element or more, an inner node two children or more.
// Insert    a full node evens out with a sibling that has room; two full siblings become three
//           nodes. A full node at an end of the tree leaves one element (two children) in the new
//           one, so that ascending and descending insertion leaves full nodes.
// Erase     a node below 0.45 merges with a sibling, or they share their elements evenly.
// Cost:     O(log n) for everything but the walks: four levels at a million elements. Scores are
//           searched by halving without branches. Members are read where the searched score is in
//           the node: one for an element whose score is its own, log2(n) where all are equal.
//           Insertion of a member into a tree of equal scores touches as many entries.
// Memory:   13 bytes per element, over a fill of 0.83 in random order (16.7 with inner nodes, 14.2
//           ascending or descending, 14.7 built), in blocks of 1 KiB; a root of few elements has a
//           block of 128 bytes or more. Blocks come from malloc; when there is none the process
//           ends.
// Not for:  sets of a few dozen elements, which are one packed block.
// Rejected: a skip list: a line of memory per step and more bytes (a node of Redis takes 40 and
// more
//           beside its member). Splitting a full node without asking a sibling: a fill of ln 2,
//           about 20 bytes. References of 8 bytes in leaves: 3 bytes per element for nothing. A
//           member's first bytes beside its score: 4 to 8 bytes per element for the sets that have
//           equal scores. A position that knows its parents: a rank is summed on the way down.
//           Asking for no line of a child before it is searched: 1.1 us instead of 0.6 per rank.
// Measured: ns per operation by tests/bench/storage/score_tree_bench.cc, a million elements in
// random
//           order, members of 16 bytes, 2 shared vCPUs that others used too (twice the same binary
//           differs by half); std::set of pointers to entries takes 48 bytes per element:
//
//             equal scores                     1       100     all
//             insert                           0.65    1.2     1.4   us    std::set 1.8, 1.6, 2.0
//             rank                             0.63    1.3     1.7         find: 1.7, 1.7, 2.4
//             erase and insert                 1.1     2.1     2.3         3.0, 3.2, 3.2
//             at a rank                        0.24
//             100 elements and their members   3.0                         28
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/check.h"
#include "storage/arena.h"
#include "storage/score_tree_node.h"

namespace aeris::storage {

// Where the tree reads the members of elements whose scores are equal.
class MemberTexts {
 public:
  // The member of the entry behind `ref`; the view is used before the tree's function returns.
  virtual std::string_view Text(Ref ref) const = 0;

 protected:
  MemberTexts() = default;
  MemberTexts(const MemberTexts&) = default;
  MemberTexts& operator=(const MemberTexts&) = default;
  ~MemberTexts() = default;
};

class ScoreTree {
 public:
  struct Element {
    double score = 0;
    Ref ref = 0;
  };

  // A place between the first element and the end. Valid until the tree changes, but for ReplaceRef
  // and a SetScore that returns true.
  class Position {
   public:
    // Whether there is an element: false at the end, after Previous() from the first element, and
    // in an empty tree.
    explicit operator bool() const { return leaf_ != nullptr && index_ < leaf_->count; }
    double score() const { return leaf_->scores()[index_]; }
    Ref ref() const { return leaf_->ref(index_); }
    // Elements before this one; of the end, the size of the tree.
    std::uint64_t rank() const { return rank_; }
    // Only where there is an element. O(1).
    void Next();
    // Only after the first element, or at it; the end will do. O(1).
    void Previous();
    // The reference of the element `distance` further on (back, when negative), 0 where that is not
    // in this leaf or the one beside it: for prefetching entries while walking.
    Ref Ahead(std::ptrdiff_t distance) const;

   private:
    friend class ScoreTree;
    const score_tree::Leaf* leaf_ = nullptr;
    std::size_t index_ = 0;
    std::uint64_t rank_ = 0;
  };

  // `texts` outlives the tree.
  explicit ScoreTree(const MemberTexts& texts) : texts_(&texts) {}
  ~ScoreTree() { Clear(); }
  ScoreTree(ScoreTree&& other) noexcept
      : root_(std::exchange(other.root_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        memory_bytes_(std::exchange(other.memory_bytes_, 0)),
        texts_(other.texts_) {}
  ScoreTree& operator=(ScoreTree&& other) noexcept {
    std::swap(root_, other.root_);
    std::swap(size_, other.size_);
    std::swap(memory_bytes_, other.memory_bytes_);
    std::swap(texts_, other.texts_);
    return *this;
  }

  // --- Changing. Scores are not NaN. All O(log n) but for what is said.
  // The member is not in the tree, whatever its score.
  void Insert(double score, std::string_view member, Ref ref);
  // The element is in the tree. Its entry is still readable; it may be freed afterwards. Returns
  // its reference.
  Ref Erase(double score, std::string_view member);
  // Gives the element another score; true if it stayed where it was.
  bool SetScore(double score, std::string_view member, double new_score);
  // The element's entry is now `new_ref`. Both can be read while this runs.
  void ReplaceRef(double score, std::string_view member, Ref new_ref);
  // Erases the elements of the ranks [first, first + count), which the tree has, and calls
  // `visit(score, ref)` for each in order, which may free the entry. O(log n + count).
  template <typename Visit>
  void EraseRange(std::uint64_t first, std::uint64_t count, Visit&& visit);
  // Takes the elements of the ranks [first, first + count), which the tree has, out of it as they
  // are, and adds them to `pieces`, as trees of their own in order: subtrees that lie in the range
  // as a whole, and parts of leaves at its ends. O(log n), and a look at each inner node that goes,
  // which is one per 1,600 elements.
  void TakeRange(std::uint64_t first, std::uint64_t count, std::vector<ScoreTree>& pieces);
  // Replaces the contents by `sorted`, which are in the tree's order. O(n), reads no member.
  void Build(std::span<const Element> sorted);
  // Forgets all elements. O(n / 76).
  void Clear();

  // --- Finding. All O(log n).
  // Elements before this one, which need not be in the tree.
  [[nodiscard]] std::uint64_t Rank(double score, std::string_view member) const {
    return Find(score, member).rank();
  }
  // The first element that is not before this one.
  [[nodiscard]] Position Find(double score, std::string_view member) const;
  // The element with that rank; the end from size() on. The walks over ranges start here.
  [[nodiscard]] Position At(std::uint64_t rank) const;
  // The first element with a score >= `score` (Lower) or > `score` (Upper), or the end. A range's
  // elements are Upper - Lower of its ends where they are inclusive; an exclusive minimum is Upper,
  // an exclusive maximum Lower. The number of elements between two positions is rank() - rank(),
  // which is negative for a crossed range.
  [[nodiscard]] Position LowerBound(double score) const;
  [[nodiscard]] Position UpperBound(double score) const;
  // The same by member, where all scores are equal; any position where they are not.
  [[nodiscard]] Position LowerBound(std::string_view member) const;
  [[nodiscard]] Position UpperBound(std::string_view member) const;

  // --- Figures.
  std::uint64_t size() const { return size_; }
  // Bytes of the nodes. O(1).
  std::size_t memory_bytes() const { return memory_bytes_; }
  // Aborts when an invariant does not hold. O(n), reads every member.
  void CheckInvariants() const;

 private:
  using Node = score_tree::Node;
  using Leaf = score_tree::Leaf;
  using Inner = score_tree::Inner;

  static constexpr std::size_t kLevelsMax = 16;

  // The way from the root to an element, or to where it would be.
  struct Path {
    struct Step {
      Inner* node = nullptr;
      std::size_t index = 0;
    };
    Leaf* leaf = nullptr;
    std::size_t index = 0;
    Step steps[kLevelsMax];  // by level; none at 0

    bool AtStart(std::size_t levels) const;
    bool AtEnd(std::size_t levels) const;
  };
  // Which end of the tree an element goes to, whose insertion needs room.
  enum class Edge { kNone, kFirst, kLast };
  // What a node may hold, by kind.
  template <typename N>
  struct Fill;
  class KeyTarget;
  class RankTarget;
  class ScoreTarget;
  class TextTarget;

  template <typename Target>
  Position Locate(Target target) const;
  template <typename Target>
  Path PathTo(Target target) const;
  Path PathToRank(std::uint64_t rank) const;
  Path PathToKey(double score, std::string_view member) const;
  std::size_t levels() const { return root_->level; }
  // The path to an element that is there.
  Path PathToElement(double score, std::string_view member) const;

  void MakeRoom(const Path& path, Edge edge);
  void GrowRoot();
  template <typename N>
  bool ShareWithSibling(Inner& parent, std::size_t index);
  template <typename N>
  void Split(Inner& parent, std::size_t index, Edge edge);
  template <typename N>
  void SplitOff(Inner& parent, std::size_t index, std::size_t keep);
  template <typename N>
  void Balance(Inner& parent, std::size_t index, std::size_t left_count);

  ScoreTree(const MemberTexts& texts, Node* root, std::uint64_t size);
  std::uint64_t WeightOf(const Path& path, std::size_t level) const;
  ScoreTree TakePart(const Path& path, std::size_t n);
  ScoreTree TakeSubtree(const Path& path, std::size_t level);
  static std::size_t NodesBelow(const Node& node);

  void EraseAt(const Path& path, std::size_t n);
  void EraseInLeaf(const Path& path, std::size_t n);
  void FixFirst(const Path& path, std::size_t level, Element first);
  void Shrink(const Path& path);
  void FillUp(std::uint64_t rank);
  void ShrinkRoot();
  template <typename N>
  bool MergeOrBalance(Inner& parent, std::size_t index);
  void RemoveChild(Inner& parent, std::size_t index);

  bool IsAfter(const Leaf& leaf, std::size_t index, double score, std::string_view member) const;
  bool IsBefore(const Leaf& leaf, std::size_t index, double score, std::string_view member) const;

  template <typename N>
  N* NewNode(std::size_t level, std::size_t bytes = score_tree::kBlockBytes);
  void FreeNode(Node* node);
  template <typename N>
  void ReallocateRoot(std::size_t bytes);
  void FreeBelow(Node* node);

  struct Checked;
  struct Edges {  // whether a node is the first or the last one of its level
    bool first;
    bool last;
  };
  void CheckNode(const Node* node, Edges edges, Checked& checked) const;
  void CheckLeaf(const Leaf& leaf, Edges edges, Checked& checked) const;

  Node* root_ = nullptr;  // none when empty
  std::uint64_t size_ = 0;
  std::size_t memory_bytes_ = 0;
  const MemberTexts* texts_;
};

inline void ScoreTree::Position::Next() {
  ++rank_;
  if (++index_ < leaf_->count || leaf_->next == nullptr) return;
  leaf_ = leaf_->next;
  index_ = 0;
}

inline void ScoreTree::Position::Previous() {
  --rank_;
  if (index_-- != 0) return;
  leaf_ = leaf_->previous;
  index_ = leaf_ == nullptr ? 0 : leaf_->count - std::size_t{1};
}

template <typename Visit>
void ScoreTree::EraseRange(std::uint64_t first, std::uint64_t count, Visit&& visit) {
  AERIS_CHECK(first <= size_ && count <= size_ - first);
  while (count != 0) {
    const Path path = PathToRank(first);
    const std::size_t room = path.leaf->count - path.index;
    const std::size_t n = count < room ? static_cast<std::size_t>(count) : room;
    for (std::size_t i = path.index; i < path.index + n; ++i) {
      visit(path.leaf->scores()[i], path.leaf->ref(i));
    }
    EraseAt(path, n);
    count -= n;
  }
}

}  // namespace aeris::storage
