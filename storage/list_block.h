// ListBlock: one of the blocks of a long list (block_list.h). A packed block with room at either
// end, so that both ends push and pop without moving the others.
//
//   data_  [ room ][ head 6 ][ item ] ... [ item ][ 0xff ][ room ]
//                            ^begin_             ^end_
//
// Holds:    what lies from begin_ - 6 to end_ + 1 is a block as PackedView reads it and DUMP copies
//           it; head and end mark are written after each change.
// Cost:     push and pop at an end O(1), amortised; in the middle a move of the shorter side.
// Memory:   24 bytes and the allocation. Capacities are powers of two while it grows, which are
//           classes of the allocator; Seal() leaves no room.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "storage/allocated_bytes.h"
#include "storage/packed_block.h"

namespace aeris::storage {

class ListBlock {
 public:
  using Position = PackedView::Position;

  ListBlock() = default;
  // A copy of a block's bytes with `items` items, sealed.
  ListBlock(std::string_view bytes, std::size_t items);
  ListBlock(ListBlock&& other) noexcept = default;
  ListBlock& operator=(ListBlock&& other) noexcept = default;
  ListBlock Clone() const { return {view().bytes(), count_}; }

  PackedView view() const {
    return PackedView(
        {data_.get() + begin_ - PackedView::kHeadBytes, end_ - begin_ + PackedView::kEmptyBytes});
  }
  std::size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  // Of the packed block.
  std::size_t bytes() const { return end_ - begin_ + PackedView::kEmptyBytes; }
  std::size_t capacity_bytes() const { return capacity_; }
  std::size_t allocated_bytes() const { return AllocatedBytes(capacity_); }
  // The item with this index.
  Position At(std::size_t index) const;

  // Room for a block of `bytes` in an empty one: before its items, or behind them.
  void Reserve(std::size_t bytes, bool before);
  void PushFront(const EncodedItem& item);
  void PushBack(const EncodedItem& item);
  void PopFront();
  void PopBack();
  // Before `at`; it is an item's.
  void Insert(Position at, const EncodedItem& item);
  void Replace(Position at, const EncodedItem& item);
  // Returns the item that follows, kEnd if none.
  Position Erase(Position at, std::size_t count = 1);
  // Takes the items from `at`, number `index`, on away and returns them.
  ListBlock Split(Position at, std::size_t index);
  // Puts the items of `other` behind its own.
  void Join(const ListBlock& other);
  // Gives room back.
  void Seal();

  void CheckInvariants() const;

 private:
  // Place of `at` in data_.
  std::uint32_t Offset(Position at) const {
    return begin_ - std::uint32_t{PackedView::kHeadBytes} + at;
  }
  void RoomBefore(std::size_t bytes);
  void RoomBehind(std::size_t bytes);
  void MoveTo(std::size_t capacity, std::size_t begin);
  void WriteFrame();

  std::unique_ptr<char[]> data_;
  std::uint32_t capacity_ = 0;
  std::uint32_t begin_ = PackedView::kHeadBytes;
  std::uint32_t end_ = PackedView::kHeadBytes;
  std::uint32_t count_ = 0;
};

static_assert(sizeof(ListBlock) == 24, "the head promises 24 bytes per block");

}  // namespace aeris::storage
