#include "storage/stream_blocks.h"

#include <algorithm>

#include "src/base/check.h"
#include "storage/stream_block.h"

namespace aeris::storage {

StreamBlocks::Iterator StreamBlocks::Find(StreamId id) const {
  if (empty() || groups_.back().blocks.back().first <= id) return empty() ? end() : Last();
  const auto group = std::ranges::partition_point(
      groups_, [&](const Group& each) { return each.blocks.front().first <= id; });
  if (group == groups_.begin()) return begin();
  const std::vector<Block>& blocks = std::prev(group)->blocks;
  const auto block =
      std::ranges::partition_point(blocks, [&](const Block& each) { return each.first <= id; });
  return {*this, static_cast<std::size_t>(group - groups_.begin()) - 1,
          static_cast<std::size_t>(block - blocks.begin()) - 1};
}

StreamBlocks::Iterator StreamBlocks::Append(StreamId id, std::string_view bytes, std::size_t live) {
  if (empty() || groups_.back().blocks.size() == kGroupMax) groups_.emplace_back();
  Group& group = groups_.back();
  const std::size_t capacity = group.blocks.capacity();
  group.blocks.emplace_back(id, bytes);
  const std::size_t more = group.blocks.back().second.allocated_bytes() +
                           AllocatedBytes(group.blocks.capacity() * sizeof(Block)) -
                           AllocatedBytes(capacity * sizeof(Block));
  group.live += live;
  group.bytes += more;
  bytes_ += more;
  ++size_;
  return Last();
}

StreamBlocks::Iterator StreamBlocks::Erase(Iterator at, std::size_t live) {
  Group& group = groups_[at.group_];
  const std::size_t bytes = group.blocks[at.index_].second.allocated_bytes();
  group.blocks.erase(group.blocks.begin() + static_cast<std::ptrdiff_t>(at.index_));
  group.live -= live;
  group.bytes -= bytes;
  bytes_ -= bytes;
  --size_;
  if (group.blocks.empty()) {
    bytes_ -= group.bytes;
    groups_.erase(groups_.begin() + static_cast<std::ptrdiff_t>(at.group_));
    FitGroups();
    return {*this, at.group_, 0};
  }
  if (at.index_ < group.blocks.size()) return at;
  return {*this, at.group_ + 1, 0};
}

StreamBlocks StreamBlocks::TakeGroups(std::size_t count) {
  StreamBlocks taken;
  const auto end = groups_.begin() + static_cast<std::ptrdiff_t>(count);
  for (auto group = groups_.begin(); group != end; ++group) {
    taken.size_ += group->blocks.size();
    taken.bytes_ += group->bytes;
  }
  taken.groups_.assign(std::move_iterator(groups_.begin()), std::move_iterator(end));
  groups_.erase(groups_.begin(), end);
  FitGroups();
  size_ -= taken.size_;
  bytes_ -= taken.bytes_;
  return taken;
}

// Gives room back. shrink_to_fit() does nothing without exceptions.
void StreamBlocks::FitGroups() {
  if (groups_.size() > groups_.capacity() / 4) return;
  std::vector<Group> fitting(std::move_iterator(groups_.begin()),
                             std::move_iterator(groups_.end()));
  groups_.swap(fitting);
}

void StreamBlocks::CheckInvariants() const {
  std::size_t size = 0;
  std::size_t bytes = 0;
  const StreamId* last = nullptr;
  for (const Group& group : groups_) {
    AERIS_CHECK(!group.blocks.empty() && group.blocks.size() <= kGroupMax);
    std::size_t live = 0;
    std::size_t group_bytes = AllocatedBytes(group.blocks.capacity() * sizeof(Block));
    for (const auto& [id, block] : group.blocks) {
      AERIS_CHECK(last == nullptr || *last < id);
      last = &id;
      live += StreamBlockView(block.bytes(), id).live();
      group_bytes += block.allocated_bytes();
    }
    AERIS_CHECK(live == group.live);
    AERIS_CHECK(group_bytes == group.bytes);
    size += group.blocks.size();
    bytes += group.bytes;
  }
  AERIS_CHECK(size == size_);
  AERIS_CHECK(bytes == bytes_);
}

}  // namespace aeris::storage
