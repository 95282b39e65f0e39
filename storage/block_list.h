// BlockList: a list that has outgrown one packed block.
//
//   groups_  array of   [ items, bytes ][ block, block, ... to kBlocksMax ]
//                                   |
//                                 ListBlock: items of up to list-max-listpack-size
//
// Cost:     push and pop at both ends O(1), amortised. Removing many from an end: O(1) per group
// that
//           goes, to be destroyed elsewhere (Collection::TakeCutOff). An index is found by the sums
//           of the groups, the sizes of one group's blocks and a walk in one block: at ten million
//           items in blocks of 8 KiB 170 groups, 256 blocks and 120 items, about a microsecond.
//           Insert and erase the same, and a move within one group and one block.
// Memory:   blocks that are not at an end have no room; 24 bytes per block. A million random items
//           of 32 bytes: 34.3 each.
// Holds:    no block and no group is empty, nor is the list when a command ends; items_ are the
//           sums.
// Rejected: a linked list (an index visits every block); a Fenwick tree over block sizes (an
//           insertion in the middle rebuilds it); a counted B+ tree (the same two levels, with the
//           balancing that so flat a tree does not need).
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "storage/collection.h"
#include "storage/list_block.h"

namespace aeris::storage {

// What list-max-listpack-size allows one block.
struct ListLimits {
  std::size_t bytes = 8192;
  std::size_t items = SIZE_MAX;

  // The option's value: -1 to -5 are 4 to 64 KiB, 0 and more items in blocks of up to 8 KiB.
  static ListLimits Of(int setting);
  bool Allow(std::size_t block_bytes, std::size_t block_items) const {
    return block_bytes <= bytes && block_items <= items;
  }
};

enum class ListEnd : std::uint8_t { kHead, kTail };

class BlockList final : public Collection {
 public:
  // An item's place; good until the list changes.
  struct Place {
    std::size_t group = 0;
    std::size_t block = 0;
    PackedView::Position at = PackedView::kEnd;
  };

  BlockList() : Collection(ValueType::kList) {}
  // Takes a copy of a packed block's items.
  explicit BlockList(std::string_view block);

  Encoding encoding() const override { return Encoding::kQuicklist; }
  std::size_t size() const override { return items_; }
  std::size_t memory_bytes() const override;
  std::size_t FreeEffort() const override { return blocks_ + 1; }
  std::unique_ptr<Collection> Clone() const override;
  void CheckInvariants() const override;

  std::size_t block_count() const { return blocks_; }

  void Push(ListEnd end, std::string_view text, const ListLimits& limits);
  // Of a list that is not empty.
  PackedItem Peek(ListEnd end) const;
  void Pop(ListEnd end);
  // Removes `count` items, at most all.
  void Remove(ListEnd end, std::size_t count);

  // `index` is below size().
  Place Find(std::size_t index) const;
  PackedView view(const Place& place) const {
    return groups_[place.group].blocks[place.block].view();
  }
  // The item's neighbour; false when there is none.
  bool Next(Place& place) const;
  bool Previous(Place& place) const;
  // To the first item of the next block, or the last one of the previous.
  bool NextBlock(Place& place) const;
  bool PreviousBlock(Place& place) const;
  std::size_t BlockItems(const Place& place) const {
    return groups_[place.group].blocks[place.block].size();
  }

  void InsertBefore(const Place& place, std::string_view text, const ListLimits& limits);
  void InsertAfter(const Place& place, std::string_view text, const ListLimits& limits);
  void Replace(const Place& place, std::string_view text, const ListLimits& limits);
  // Removes items of this text from one end on, at most `count`. Returns how many. O(n).
  std::size_t RemoveMatching(std::string_view text, ListEnd from, std::size_t count,
                             const ListLimits& limits);

 private:
  static constexpr std::size_t kBlocksMax = 256;
  struct Group {
    std::size_t items = 0;
    std::size_t bytes = 0;  // of the blocks' allocations
    std::vector<ListBlock> blocks;
  };

  ListBlock& BlockAt(const Place& place) { return groups_[place.group].blocks[place.block]; }
  Group& EndGroup(ListEnd end) { return end == ListEnd::kHead ? groups_.front() : groups_.back(); }
  ListBlock& EndBlock(ListEnd end) {
    return end == ListEnd::kHead ? groups_.front().blocks.front() : groups_.back().blocks.back();
  }
  // Changes a block of `group` by `change(block)` and keeps the sums.
  template <typename Change>
  void Edit(Group& group, ListBlock& block, Change&& change);
  void AddBlock(ListEnd end, const EncodedItem& item, const ListLimits& limits);
  void DropBlock(ListEnd end);
  std::size_t CutGroups(ListEnd end, std::size_t count);
  // As block number `index` of a group.
  void InsertBlock(std::size_t group, std::size_t index, ListBlock block);
  // Before an item of the block of `place`, kEnd: behind the last one.
  void InsertAt(const Place& place, PackedView::Position before, std::string_view text,
                const ListLimits& limits);
  void InsertApart(const Place& place, PackedView::Position before, const EncodedItem& item,
                   const ListLimits& limits);
  void Tidy(Group& group, const ListLimits& limits);

  std::vector<Group> groups_;
  std::size_t items_ = 0;
  std::size_t blocks_ = 0;
  std::size_t bytes_ = 0;  // of the blocks' allocations
};

}  // namespace aeris::storage
