// The nodes of a ScoreTree: blocks of columns, and how elements move between them.
//
//   Leaf    count 2, capacity 2, level 2, - 2 | previous 8 | next 8 | scores 8 c | refs 5 c
//   Inner   count 2, capacity 2, level 2, - 2 | scores 8 c | refs 8 c | counts 8 c | children 8 c
//
// c is the node's capacity. Blocks are 1 KiB, which is a size class of jemalloc: 76 elements in a
// leaf, 31 children in an inner node. A root may be smaller (kLeafCapacities, kInnerCapacities), so
// a small set takes little.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "storage/arena.h"

namespace aeris::storage::score_tree {

struct Node {
  std::uint16_t count;
  std::uint16_t capacity;
  std::uint16_t level;  // 0 is a leaf
  std::uint16_t unused;

 protected:
  template <typename T>
  T* Column(std::size_t offset) {
    void* const column = reinterpret_cast<std::byte*>(this) + offset;
    return static_cast<T*>(column);
  }
  template <typename T>
  const T* Column(std::size_t offset) const {
    const void* const column = reinterpret_cast<const std::byte*>(this) + offset;
    return static_cast<const T*>(column);
  }
};

struct Leaf : Node {
  static constexpr std::size_t kRefBytes = 5;
  static constexpr std::size_t kElementBytes = sizeof(double) + kRefBytes;
  static constexpr std::size_t kHeaderBytes = 24;
  // A reference is read as 8 bytes.
  static constexpr std::size_t kReadAhead = sizeof(Ref) - kRefBytes;
  static constexpr std::size_t CapacityOf(std::size_t bytes) {
    return (bytes - kHeaderBytes - kReadAhead) / kElementBytes;
  }

  double* scores() { return Column<double>(kHeaderBytes); }
  const double* scores() const { return Column<double>(kHeaderBytes); }
  Ref ref(std::size_t index) const {
    Ref ref;
    std::memcpy(&ref, refs() + index * kRefBytes, sizeof(ref));
    return ref & kRefMask;
  }
  void SetRef(std::size_t index, Ref ref) { std::memcpy(refs() + index * kRefBytes, &ref, 5); }
  void Set(std::size_t index, double score, Ref ref) {
    scores()[index] = score;
    SetRef(index, ref);
  }
  // Elements below the node, this one's included.
  std::uint64_t Weight(std::size_t /*from*/, std::size_t n) const { return n; }

  static void Copy(const Leaf& from, std::size_t from_at, Leaf& to, std::size_t to_at,
                   std::size_t n) {
    std::memmove(to.scores() + to_at, from.scores() + from_at, n * sizeof(double));
    std::memmove(to.refs() + to_at * kRefBytes, from.refs() + from_at * kRefBytes, n * kRefBytes);
  }

  Leaf* previous;
  Leaf* next;

 private:
  static constexpr Ref kRefMask = (Ref{1} << (8 * kRefBytes)) - 1;
  std::byte* refs() { return Column<std::byte>(kHeaderBytes + capacity * sizeof(double)); }
  const std::byte* refs() const {
    return Column<std::byte>(kHeaderBytes + capacity * sizeof(double));
  }
};
static_assert(sizeof(Leaf) == Leaf::kHeaderBytes, "the first column follows the links");

// scores()[i] and refs()[i] are the first element below child i, at all times: a reference in an
// inner node is never to an entry that is gone.
struct Inner : Node {
  static constexpr std::size_t kChildBytes = 32;
  static constexpr std::size_t kHeaderBytes = 8;
  static constexpr std::size_t CapacityOf(std::size_t bytes) {
    return (bytes - kHeaderBytes) / kChildBytes;
  }

  double* scores() { return Column<double>(kHeaderBytes); }
  const double* scores() const { return Column<double>(kHeaderBytes); }
  Ref* refs() { return Column<Ref>(At(1)); }
  const Ref* refs() const { return Column<Ref>(At(1)); }
  Ref ref(std::size_t index) const { return refs()[index]; }
  std::uint64_t* counts() { return Column<std::uint64_t>(At(2)); }
  const std::uint64_t* counts() const { return Column<std::uint64_t>(At(2)); }
  Node** children() { return Column<Node*>(At(3)); }
  Node* const* children() const { return Column<Node*>(At(3)); }
  Node* child(std::size_t index) const { return children()[index]; }

  // Elements below `n` children.
  std::uint64_t Weight(std::size_t from, std::size_t n) const {
    std::uint64_t sum = 0;
    for (std::size_t i = from; i < from + n; ++i) sum += counts()[i];
    return sum;
  }

  static void Copy(const Inner& from, std::size_t from_at, Inner& to, std::size_t to_at,
                   std::size_t n) {
    std::memmove(to.scores() + to_at, from.scores() + from_at, n * sizeof(double));
    std::memmove(to.refs() + to_at, from.refs() + from_at, n * sizeof(Ref));
    std::memmove(to.counts() + to_at, from.counts() + from_at, n * sizeof(std::uint64_t));
    std::memmove(to.children() + to_at, from.children() + from_at, n * sizeof(Node*));
  }

 private:
  std::size_t At(std::size_t column) const { return kHeaderBytes + column * capacity * 8; }
};
static_assert(sizeof(Inner) == Inner::kHeaderBytes, "the first column follows the header");

inline constexpr std::size_t kBlockBytes = 1024;
inline constexpr std::size_t kLeafCapacity = Leaf::CapacityOf(kBlockBytes);
inline constexpr std::size_t kInnerCapacity = Inner::CapacityOf(kBlockBytes);
// What a root may have; all other nodes have the last.
inline constexpr std::array kLeafBlocks = {std::size_t{128}, std::size_t{256}, std::size_t{512},
                                           kBlockBytes};
inline constexpr std::array kInnerBlocks = {std::size_t{256}, std::size_t{512}, kBlockBytes};

// Opens a gap of `n` elements at `at`, their contents arbitrary. The node has room.
template <typename N>
void OpenGap(N& node, std::size_t at, std::size_t n) {
  N::Copy(node, at, node, at + n, node.count - at);
  node.count = static_cast<std::uint16_t>(node.count + n);
}

template <typename N>
void CloseGap(N& node, std::size_t at, std::size_t n) {
  N::Copy(node, at + n, node, at, node.count - at - n);
  node.count = static_cast<std::uint16_t>(node.count - n);
}

// Moves elements over the border of two neighbours so that `left` has `left_count`; returns the
// elements of the tree that went to the right, negative when they went to the left.
template <typename N>
std::int64_t MoveBorder(N& left, N& right, std::size_t left_count) {
  if (left_count < left.count) {
    const std::size_t n = left.count - left_count;
    const auto weight = static_cast<std::int64_t>(left.Weight(left_count, n));
    OpenGap(right, 0, n);
    N::Copy(left, left_count, right, 0, n);
    left.count = static_cast<std::uint16_t>(left_count);
    return weight;
  }
  const std::size_t n = left_count - left.count;
  const auto weight = static_cast<std::int64_t>(right.Weight(0, n));
  N::Copy(right, 0, left, left.count, n);
  left.count = static_cast<std::uint16_t>(left_count);
  CloseGap(right, 0, n);
  return -weight;
}

}  // namespace aeris::storage::score_tree
