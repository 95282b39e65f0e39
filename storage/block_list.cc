#include "storage/block_list.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "src/base/check.h"

namespace aeris::storage {
namespace {

// Blocks of few items are rarely filled to the limit of bytes.
constexpr std::size_t kReservedItemsMin = 64;
constexpr std::size_t kReservedBytesMax = 8192;

}  // namespace

ListLimits ListLimits::Of(int setting) {
  constexpr std::array<std::size_t, 5> kBytes = {4096, 8192, 16384, 32768, 65536};
  if (setting < 0) {
    // -5 and what is below.
    const auto level = std::min<std::size_t>(static_cast<std::size_t>(-std::int64_t{setting}), 5);
    return {.bytes = kBytes[level - 1], .items = SIZE_MAX};
  }
  return {.bytes = 8192, .items = static_cast<std::size_t>(std::clamp(setting, 1, 32767))};
}

BlockList::BlockList(std::string_view block) : Collection(ValueType::kList) {
  groups_.emplace_back();
  InsertBlock(0, 0, ListBlock(block, PackedView(block).size()));
}

std::size_t BlockList::memory_bytes() const {
  return AllocatedBytes(sizeof *this) + bytes_ + blocks_ * sizeof(ListBlock) +
         AllocatedBytes(groups_.capacity() * sizeof(Group));
}

std::unique_ptr<Collection> BlockList::Clone() const {
  auto copy = std::make_unique<BlockList>();
  for (const Group& group : groups_) {
    Group& to = copy->groups_.emplace_back();
    to.items = group.items;
    to.blocks.reserve(group.blocks.size());
    for (const ListBlock& block : group.blocks) {
      to.blocks.push_back(block.Clone());
      to.bytes += to.blocks.back().allocated_bytes();
    }
    copy->bytes_ += to.bytes;
  }
  copy->items_ = items_;
  copy->blocks_ = blocks_;
  return copy;
}

void BlockList::CheckInvariants() const {
  std::size_t items = 0, blocks = 0, bytes = 0;
  for (const Group& group : groups_) {
    AERIS_CHECK(!group.blocks.empty() && group.blocks.size() <= kBlocksMax);
    std::size_t group_items = 0;
    std::size_t group_bytes = 0;
    for (const ListBlock& block : group.blocks) {
      AERIS_CHECK(!block.empty());
      block.CheckInvariants();
      group_items += block.size();
      group_bytes += block.allocated_bytes();
    }
    AERIS_CHECK(group_items == group.items && group_bytes == group.bytes);
    bytes += group_bytes;
    items += group_items;
    blocks += group.blocks.size();
  }
  AERIS_CHECK(items == items_ && blocks == blocks_ && bytes == bytes_);
}

// --- Ends

template <typename Change>
void BlockList::Edit(Group& group, ListBlock& block, Change&& change) {
  const std::size_t items = block.size();
  const std::size_t bytes = block.allocated_bytes();
  change(block);
  group.items += block.size() - items;
  items_ += block.size() - items;
  group.bytes += block.allocated_bytes() - bytes;
  bytes_ += block.allocated_bytes() - bytes;
}

void BlockList::Push(ListEnd end, std::string_view text, const ListLimits& limits) {
  const EncodedItem item(text);
  if (!groups_.empty()) [[likely]] {
    Group& group = EndGroup(end);
    ListBlock& block = EndBlock(end);
    if (limits.Allow(block.bytes() + item.size(), block.size() + 1)) [[likely]] {
      return Edit(group, block, [&](ListBlock& to) {
        end == ListEnd::kHead ? to.PushFront(item) : to.PushBack(item);
      });
    }
    Edit(group, block, [](ListBlock& full) { full.Seal(); });
  }
  AddBlock(end, item, limits);
}

void BlockList::AddBlock(ListEnd end, const EncodedItem& item, const ListLimits& limits) {
  const bool head = end == ListEnd::kHead;
  ListBlock block;
  const std::size_t reserved = std::min(limits.bytes, kReservedBytesMax);
  if (limits.items >= kReservedItemsMin && item.size() < reserved / 2)
    block.Reserve(reserved, head);
  head ? block.PushFront(item) : block.PushBack(item);
  if (groups_.empty() || EndGroup(end).blocks.size() == kBlocksMax) {
    groups_.emplace(head ? groups_.begin() : groups_.end());
  }
  const std::size_t group = head ? 0 : groups_.size() - 1;
  InsertBlock(group, head ? 0 : groups_[group].blocks.size(), std::move(block));
}

void BlockList::InsertBlock(std::size_t group, std::size_t index, ListBlock block) {
  Group& to = groups_[group];
  to.items += block.size();
  to.bytes += block.allocated_bytes();
  items_ += block.size();
  bytes_ += block.allocated_bytes();
  ++blocks_;
  to.blocks.insert(to.blocks.begin() + static_cast<std::ptrdiff_t>(index), std::move(block));
  if (to.blocks.size() <= kBlocksMax) [[likely]]
    return;
  Group behind;
  const auto middle = to.blocks.begin() + static_cast<std::ptrdiff_t>(kBlocksMax / 2);
  for (auto at = middle; at != to.blocks.end(); ++at) {
    behind.items += at->size();
    behind.bytes += at->allocated_bytes();
    behind.blocks.push_back(std::move(*at));
  }
  to.blocks.erase(middle, to.blocks.end());
  to.items -= behind.items;
  to.bytes -= behind.bytes;
  groups_.insert(groups_.begin() + static_cast<std::ptrdiff_t>(group + 1), std::move(behind));
}

PackedItem BlockList::Peek(ListEnd end) const {
  const ListBlock& block =
      end == ListEnd::kHead ? groups_.front().blocks.front() : groups_.back().blocks.back();
  const PackedView items = block.view();
  return items.Get(end == ListEnd::kHead ? items.First() : items.Last());
}

void BlockList::Pop(ListEnd end) {
  if (EndBlock(end).size() == 1) return DropBlock(end);
  Edit(EndGroup(end), EndBlock(end),
       [&](ListBlock& from) { end == ListEnd::kHead ? from.PopFront() : from.PopBack(); });
}

void BlockList::DropBlock(ListEnd end) {
  Group& group = EndGroup(end);
  const ListBlock& block = EndBlock(end);
  group.items -= block.size();
  group.bytes -= block.allocated_bytes();
  items_ -= block.size();
  bytes_ -= block.allocated_bytes();
  --blocks_;
  end == ListEnd::kHead ? static_cast<void>(group.blocks.erase(group.blocks.begin()))
                        : group.blocks.pop_back();
  if (!group.blocks.empty()) return;
  groups_.erase(end == ListEnd::kHead ? groups_.begin() : groups_.end() - 1);
}

void BlockList::Remove(ListEnd end, std::size_t count) {
  if (items_ > 0 && count >= EndGroup(end).items) count -= CutGroups(end, count);
  while (count > 0 && items_ > 0) {
    const std::size_t size = EndBlock(end).size();
    if (size <= count) {
      DropBlock(end);
      count -= size;
      continue;
    }
    Edit(EndGroup(end), EndBlock(end), [&](ListBlock& block) {
      block.Erase(end == ListEnd::kHead ? block.At(0) : block.At(size - count), count);
    });
    return;
  }
}

// Whole groups go without a look at their blocks. Returns how many items, at most `count`.
std::size_t BlockList::CutGroups(ListEnd end, std::size_t count) {
  auto cut = std::make_unique<BlockList>();
  const bool head = end == ListEnd::kHead;
  std::size_t groups = 0;
  for (; groups < groups_.size(); ++groups) {
    const Group& group = groups_[head ? groups : groups_.size() - 1 - groups];
    if (group.items > count - cut->items_) break;
    cut->items_ += group.items;
    cut->bytes_ += group.bytes;
    cut->blocks_ += group.blocks.size();
  }
  const auto begin = head ? groups_.begin() : groups_.end() - static_cast<std::ptrdiff_t>(groups);
  const auto behind = begin + static_cast<std::ptrdiff_t>(groups);
  cut->groups_.assign(std::move_iterator(begin), std::move_iterator(behind));
  groups_.erase(begin, behind);
  items_ -= cut->items_;
  bytes_ -= cut->bytes_;
  blocks_ -= cut->blocks_;
  const std::size_t items = cut->items_;
  CutOff(std::move(cut));
  return items;
}

// --- Places

BlockList::Place BlockList::Find(std::size_t index) const {
  Place place;
  std::size_t left = index;
  if (index < items_ / 2) {
    while (left >= groups_[place.group].items) left -= groups_[place.group++].items;
  } else {
    place.group = groups_.size() - 1;
    std::size_t behind = items_ - index;  // items from it on
    while (behind > groups_[place.group].items) behind -= groups_[place.group--].items;
    left = groups_[place.group].items - behind;
  }
  const std::vector<ListBlock>& blocks = groups_[place.group].blocks;
  while (left >= blocks[place.block].size()) left -= blocks[place.block++].size();
  place.at = blocks[place.block].At(left);
  return place;
}

bool BlockList::Next(Place& place) const {
  const PackedView::Position next = view(place).Next(place.at);
  if (next == PackedView::kEnd) return NextBlock(place);
  place.at = next;
  return true;
}

bool BlockList::Previous(Place& place) const {
  const PackedView::Position previous = view(place).Previous(place.at);
  if (previous == PackedView::kEnd) return PreviousBlock(place);
  place.at = previous;
  return true;
}

bool BlockList::NextBlock(Place& place) const {
  if (place.block + 1 < groups_[place.group].blocks.size()) {
    ++place.block;
  } else if (place.group + 1 < groups_.size()) {
    ++place.group;
    place.block = 0;
  } else {
    return false;
  }
  place.at = view(place).First();
  return true;
}

bool BlockList::PreviousBlock(Place& place) const {
  if (place.block > 0) {
    --place.block;
  } else if (place.group > 0) {
    --place.group;
    place.block = groups_[place.group].blocks.size() - 1;
  } else {
    return false;
  }
  place.at = view(place).Last();
  return true;
}

// --- The middle

void BlockList::InsertBefore(const Place& place, std::string_view text, const ListLimits& limits) {
  InsertAt(place, place.at, text, limits);
}

void BlockList::InsertAfter(const Place& place, std::string_view text, const ListLimits& limits) {
  InsertAt(place, view(place).Next(place.at), text, limits);
}

void BlockList::InsertAt(const Place& place, PackedView::Position before, std::string_view text,
                         const ListLimits& limits) {
  const EncodedItem item(text);
  ListBlock& block = BlockAt(place);
  if (!limits.Allow(block.bytes() + item.size(), block.size() + 1)) {
    return InsertApart(place, before, item, limits);
  }
  Edit(groups_[place.group], block, [&](ListBlock& to) {
    before == PackedView::kEnd ? to.PushBack(item) : to.Insert(before, item);
  });
}

// The block is full: the item goes to its neighbour in the group, or the block is split there.
void BlockList::InsertApart(const Place& place, PackedView::Position before,
                            const EncodedItem& item, const ListLimits& limits) {
  Group& group = groups_[place.group];
  const auto fits = [&](const ListBlock& block) {
    return limits.Allow(block.bytes() + item.size(), block.size() + 1);
  };
  std::size_t index = place.block;  // where a block of its own would go
  if (before != group.blocks[index].view().First()) {
    if (before != PackedView::kEnd) {
      const PackedView items = group.blocks[index].view();
      std::size_t count = 0;
      for (auto at = items.First(); at != before; at = items.Next(at)) ++count;
      ListBlock behind;
      Edit(group, group.blocks[index],
           [&](ListBlock& block) { behind = block.Split(before, count); });
      InsertBlock(place.group, index + 1, std::move(behind));
      // The group may be two now.
      const std::size_t blocks = groups_[place.group].blocks.size();
      if (index >= blocks) {
        return InsertApart({.group = place.group + 1, .block = index - blocks, .at = {}},
                           PackedView::kEnd, item, limits);
      }
    }
    ++index;
  }
  // Now it goes between the blocks index - 1 and index.
  Group& to = groups_[place.group];
  if (index > 0 && fits(to.blocks[index - 1])) {
    return Edit(to, to.blocks[index - 1], [&](ListBlock& block) { block.PushBack(item); });
  }
  if (index < to.blocks.size() && fits(to.blocks[index])) {
    return Edit(to, to.blocks[index], [&](ListBlock& block) { block.PushFront(item); });
  }
  ListBlock own;
  own.PushBack(item);
  InsertBlock(place.group, index, std::move(own));
}

void BlockList::Replace(const Place& place, std::string_view text, const ListLimits& limits) {
  const EncodedItem item(text);
  ListBlock& block = BlockAt(place);
  const std::size_t bytes = block.bytes() - block.view().ItemBytes(place.at) + item.size();
  if (block.size() == 1 || limits.Allow(bytes, block.size())) {
    return Edit(groups_[place.group], block, [&](ListBlock& of) { of.Replace(place.at, item); });
  }
  PackedView::Position next = PackedView::kEnd;
  Edit(groups_[place.group], block, [&](ListBlock& from) { next = from.Erase(place.at); });
  InsertAt(place, next, text, limits);
}

namespace {

// Removes at most `count` items of this text from a block. Returns how many.
std::size_t RemoveInBlock(ListBlock& block, std::string_view text, ListEnd from,
                          std::size_t count) {
  std::size_t removed = 0;
  if (from == ListEnd::kHead) {
    auto at = block.view().Find(block.view().First(), text);
    while (at != PackedView::kEnd) {
      at = block.Erase(at);
      if (++removed == count || at == PackedView::kEnd) return removed;
      at = block.view().Find(at, text);
    }
    return removed;
  }
  auto at = block.view().Last();
  while (at != PackedView::kEnd) {
    const auto previous = block.view().Previous(at);
    if (block.view().Is(at, text)) {
      block.Erase(at);
      if (++removed == count) return removed;
    }
    at = previous;
  }
  return removed;
}

}  // namespace

std::size_t BlockList::RemoveMatching(std::string_view text, ListEnd from, std::size_t count,
                                      const ListLimits& limits) {
  std::size_t removed = 0;
  for (std::size_t i = 0; i < groups_.size() && removed < count; ++i) {
    Group& group = groups_[from == ListEnd::kHead ? i : groups_.size() - 1 - i];
    const std::size_t before = removed;
    const std::size_t blocks = group.blocks.size();
    for (std::size_t j = 0; j < blocks && removed < count; ++j) {
      Edit(group, group.blocks[from == ListEnd::kHead ? j : blocks - 1 - j],
           [&](ListBlock& block) { removed += RemoveInBlock(block, text, from, count - removed); });
    }
    if (removed != before) Tidy(group, limits);
  }
  std::erase_if(groups_, [](const Group& group) { return group.blocks.empty(); });
  return removed;
}

// Drops empty blocks and joins those that have lost most of their items.
void BlockList::Tidy(Group& group, const ListLimits& limits) {
  std::vector<ListBlock>& blocks = group.blocks;
  std::size_t kept = 0;
  bytes_ -= group.bytes;
  group.bytes = 0;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    ListBlock& block = blocks[i];
    if (block.empty()) continue;
    if (kept > 0) {
      ListBlock& before = blocks[kept - 1];
      const std::size_t sum = before.bytes() + block.bytes();
      if (sum <= limits.bytes / 2 && before.size() + block.size() <= limits.items) {
        group.bytes -= before.allocated_bytes();
        before.Join(block);
        group.bytes += before.allocated_bytes();
        continue;
      }
    }
    if (block.capacity_bytes() > 2 * block.bytes()) block.Seal();
    group.bytes += block.allocated_bytes();
    if (kept != i) blocks[kept] = std::move(block);
    ++kept;
  }
  bytes_ += group.bytes;
  blocks_ -= blocks.size() - kept;
  blocks.erase(blocks.begin() + static_cast<std::ptrdiff_t>(kept), blocks.end());
}

}  // namespace aeris::storage
