// StreamBlocks: the blocks of a stream in the order of their ids, so that a large part of them can
// leave at once.
//
//   groups_  array of   [ live entries, bytes ][ id block, id block, ... to kGroupMax ]
//
// Blocks are added behind all others and go from anywhere.
//
// Cost:     the last one O(1), by id O(log blocks); to remove one in the middle a move of its
// group.
//           Groups leave from the front whole, without a look at their blocks: O(groups), which are
//           a hundred per million entries.
// Memory:   48 bytes per block beside its bytes.
// Holds:    no group is empty; ids ascend; the sums are those of the blocks.
// Rejected: std::map: 32 bytes more per block, and a trim of half of it visits each.
// An iterator holds until a block is removed; Append() leaves it valid.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/allocated_bytes.h"
#include "storage/packed_block.h"
#include "storage/stream_id.h"

namespace aeris::storage {

class StreamBlocks {
 public:
  static constexpr std::size_t kGroupMax = 128;
  using Block = std::pair<StreamId, PackedBlock>;

  struct Group {
    std::size_t live = 0;   // entries
    std::size_t bytes = 0;  // of the blocks and their array
    std::vector<Block> blocks;
  };

  class Iterator {
   public:
    using iterator_category = std::bidirectional_iterator_tag;
    using value_type = Block;
    using difference_type = std::ptrdiff_t;
    using pointer = const Block*;
    using reference = const Block&;

    Iterator() = default;
    const Block& operator*() const { return owner_->groups_[group_].blocks[index_]; }
    const Block* operator->() const { return &**this; }
    Iterator& operator++() {
      if (++index_ == owner_->groups_[group_].blocks.size()) {
        ++group_;
        index_ = 0;
      }
      return *this;
    }
    Iterator& operator--() {
      if (index_ == 0) index_ = owner_->groups_[--group_].blocks.size();
      --index_;
      return *this;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) {
      return a.group_ == b.group_ && a.index_ == b.index_;
    }

   private:
    friend class StreamBlocks;
    Iterator(const StreamBlocks& owner, std::size_t group, std::size_t index)
        : owner_(&owner), group_(group), index_(index) {}

    const StreamBlocks* owner_ = nullptr;
    std::size_t group_ = 0;
    std::size_t index_ = 0;
  };

  bool empty() const { return groups_.empty(); }
  std::size_t size() const { return size_; }  // blocks
  // What it has allocated. O(1).
  std::size_t memory_bytes() const {
    return bytes_ + AllocatedBytes(groups_.capacity() * sizeof(Group));
  }
  Iterator begin() const { return {*this, 0, 0}; }
  Iterator end() const { return {*this, groups_.size(), 0}; }
  // Requires !empty().
  Iterator Last() const { return {*this, groups_.size() - 1, groups_.back().blocks.size() - 1}; }
  const std::vector<Group>& groups() const { return groups_; }

  // The block that has the id if any has: the last one that begins at it or before; of an id before
  // all others the first.
  Iterator Find(StreamId id) const;

  // A block behind all others with `live` entries, whose bytes are copied.
  Iterator Append(StreamId id, std::string_view bytes, std::size_t live);
  // Calls change(PackedBlock&), which returns by how many the block's live entries are more.
  template <typename Change>
  void Edit(Iterator at, Change&& change);
  // Returns the block behind it. `live` is what it has.
  Iterator Erase(Iterator at, std::size_t live);
  // Takes the first `count` groups away and returns them.
  StreamBlocks TakeGroups(std::size_t count);

  // Aborts when an invariant does not hold. O(n)
  void CheckInvariants() const;

 private:
  void FitGroups();

  std::vector<Group> groups_;
  std::size_t size_ = 0;
  std::size_t bytes_ = 0;  // sum of the groups'
};

// Where a reader of a stream has stopped: of use as long as `layout` is the stream's.
struct StreamMark {
  std::uint64_t layout = 0;  // 0 is no stream's
  StreamId after = {};       // the entry that was read
  StreamBlocks::Iterator block{};
  PackedView::Position position = 0;  // behind that entry
};

template <typename Change>
void StreamBlocks::Edit(Iterator at, Change&& change) {
  Group& group = groups_[at.group_];
  PackedBlock& block = group.blocks[at.index_].second;
  const std::size_t before = block.allocated_bytes();
  group.live += static_cast<std::size_t>(static_cast<std::ptrdiff_t>(change(block)));
  const std::size_t more = block.allocated_bytes() - before;  // modulo 2^64
  group.bytes += more;
  bytes_ += more;
}

}  // namespace aeris::storage
