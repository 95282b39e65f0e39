#include "storage/stream_value.h"

#include <algorithm>
#include <utility>

#include "src/base/check.h"

namespace aeris::storage {
namespace {

// What std::map takes beside a value: colour and three pointers.
constexpr std::size_t kNodeBytes = 32;
// A block takes twice what it has until it takes this, which with the end of the string is a size
// class; a full one is cut to what it has.
constexpr std::size_t kBlockBytesUsual = 4095;

std::size_t HeapBytes(std::size_t capacity) {
  const bool inside = capacity < sizeof(std::string) / 2;
  return inside ? 0 : capacity + 1;
}

std::size_t TextBytes(std::span<const std::string_view> texts) {
  std::size_t bytes = 0;
  for (const std::string_view text : texts) bytes += text.size();
  return bytes;
}

}  // namespace

std::size_t Stream::BytesOf(const PackedBlock& block) {
  return kNodeBytes + sizeof(Blocks::value_type) + HeapBytes(block.capacity_bytes());
}

std::size_t Stream::BytesOf(const std::string& group_name) {
  return kNodeBytes + sizeof(Groups::value_type) + HeapBytes(group_name.capacity());
}

std::size_t Stream::FreeEffort() const {
  std::size_t effort = blocks_.size();
  for (const auto& [name, group] : groups_) effort += group.FreeEffort();
  return effort;
}

std::unique_ptr<Collection> Stream::Clone() const {
  auto copy = std::make_unique<Stream>();
  for (const auto& [id, block] : blocks_) {
    const auto added = copy->blocks_.emplace_hint(copy->blocks_.end(), id, block.bytes());
    copy->bytes_ += BytesOf(added->second);
  }
  for (const auto& [name, group] : groups_) {
    group.CopyTo(*copy->CreateGroup(name, group.last_id, group.entries_read));
  }
  copy->length_ = length_;
  copy->first_id_ = first_id_;
  copy->last_id_ = last_id_;
  copy->max_deleted_id_ = max_deleted_id_;
  copy->entries_added_ = entries_added_;
  return copy;
}

void Stream::CheckInvariants() const {
  std::size_t length = 0;
  std::size_t bytes = 0;
  std::optional<StreamId> last;
  std::optional<StreamId> first_live;
  for (const auto& [id, block] : blocks_) {
    AERIS_CHECK(ValidBlock(block.bytes(), id));
    const StreamBlockView view(block.bytes(), id);
    AERIS_CHECK(view.live() + view.deleted() > 0);
    AERIS_CHECK(!last || *last < id);
    length += view.live();
    bytes += BytesOf(block);
    for (auto at = view.begin(); at != view.end();) {
      const StreamBlockEntry entry = view.Read(at);
      AERIS_CHECK(at == view.begin() || view.Before(at) < at);
      if (!entry.deleted && !first_live) first_live = entry.id;
      last = entry.id;
      at = view.After(entry);
    }
    AERIS_CHECK(last == LastIdOf(block.bytes(), id));
  }
  AERIS_CHECK(length == length_);
  AERIS_CHECK(!last || *last <= last_id_);
  AERIS_CHECK(first_live.value_or(kStreamIdMin) == first_id_);
  for (const auto& [name, group] : groups_) {
    group.CheckInvariants();
    bytes += BytesOf(name) + group.CountedBytes();
  }
  AERIS_CHECK(bytes == bytes_);
}

StreamId Stream::LastLiveId() const {
  StreamReader reader(*this, {.start = kStreamIdMin, .backward = true});
  return reader.Next() ? reader.id() : kStreamIdMin;
}

void Stream::SetLastId(StreamId id) {
  last_id_ = id;
  while (!blocks_.empty()) {
    const auto last = std::prev(blocks_.end());
    if (LastIdOf(last->second.bytes(), last->first) <= id) return;
    if (StreamBlockView(last->second.bytes(), last->first).live() == 0) {
      RemoveBlock(last);
      continue;
    }
    ++layout_;
    bytes_ -= BytesOf(last->second);
    StreamBlockEditor(last->second, last->first).DropDeletedAbove(id);
    bytes_ += BytesOf(last->second);
    return;
  }
}

// --- Entries

Stream::Blocks::const_iterator Stream::BlockOf(StreamId id) const {
  if (!blocks_.empty() && blocks_.rbegin()->first <= id) return std::prev(blocks_.end());
  auto block = blocks_.upper_bound(id);
  if (block != blocks_.begin()) --block;
  return block;
}

Stream::Blocks::iterator Stream::BlockFor(StreamId id, std::span<const std::string_view> pairs,
                                          const StreamBlockLimits& limits) {
  if (!blocks_.empty()) {
    const auto last = std::prev(blocks_.end());
    PackedBlock& block = last->second;
    const StreamBlockView view(block.bytes(), last->first);
    const bool limited = limits.bytes_max != 0 && limits.bytes_max < PackedBlock::kBytesMax;
    const std::uint64_t bytes_max = limited ? limits.bytes_max : PackedBlock::kBytesMax;
    const std::size_t entries = view.live() + view.deleted();
    const bool many =
        limits.entries_max != 0 && static_cast<std::int64_t>(entries) >= limits.entries_max;
    const std::size_t bytes = block.bytes().size();
    if (!many && bytes + TextBytes(pairs) < bytes_max &&
        bytes + StreamBlockEditor::EntryBytesMax(pairs) <= PackedBlock::kBytesMax) {
      return last;
    }
    // Nothing moves inside it: who has stopped at its end goes on in the next one.
    if (block.capacity_bytes() - bytes > bytes / 16) {
      bytes_ -= BytesOf(block);
      block.ShrinkToFit();
      bytes_ += BytesOf(block);
    }
  }
  const auto added = blocks_.emplace_hint(blocks_.end(), id, PackedBlock());
  StreamBlockEditor(added->second, id).Start(pairs);
  bytes_ += BytesOf(added->second);
  return added;
}

Stream::AppendResult Stream::Append(StreamId id, std::span<const std::string_view> pairs,
                                    const StreamBlockLimits& limits) {
  AERIS_DCHECK(!pairs.empty() && pairs.size() % 2 == 0);
  if (id <= last_id_) return AppendResult::kNotGreater;
  if (StreamBlockEditor::NewBlockBytesMax(pairs) > PackedBlock::kBytesMax) {
    return AppendResult::kTooLarge;
  }
  const auto block = BlockFor(id, pairs, limits);
  bytes_ -= BytesOf(block->second);
  if (StreamBlockEditor(block->second, block->first).Append(id, pairs, kBlockBytesUsual)) {
    ++layout_;
  }
  bytes_ += BytesOf(block->second);
  if (length_++ == 0) first_id_ = id;
  last_id_ = id;
  ++entries_added_;
  return AppendResult::kAdded;
}

std::optional<StreamBlockEntry> Stream::FindEntry(Blocks::const_iterator block, StreamId id) {
  const StreamBlockView view(block->second.bytes(), block->first);
  for (auto at = view.begin(); at != view.end();) {
    const StreamBlockEntry entry = view.Read(at);
    if (entry.id >= id)
      return entry.id == id && !entry.deleted ? std::optional(entry) : std::nullopt;
    at = view.After(entry);
  }
  return std::nullopt;
}

bool Stream::Contains(StreamId id) const {
  if (length_ == 0 || id < first_id_ || id > last_id_) return false;
  return FindEntry(BlockOf(id), id).has_value();
}

Stream::Blocks::iterator Stream::RemoveBlock(Blocks::iterator block) {
  ++layout_;
  bytes_ -= BytesOf(block->second);
  return blocks_.erase(block);
}

bool Stream::Delete(StreamId id) {
  if (length_ == 0 || id < first_id_ || id > last_id_) return false;
  const auto block = Mutable(BlockOf(id));
  const auto entry = FindEntry(block, id);
  if (!entry) return false;
  if (StreamBlockView(block->second.bytes(), block->first).live() == 1) {
    RemoveBlock(block);
  } else {
    ++layout_;
    bytes_ -= BytesOf(block->second);
    StreamBlockEditor(block->second, block->first).MarkDeleted(*entry);
    bytes_ += BytesOf(block->second);
  }
  --length_;
  max_deleted_id_ = std::max(max_deleted_id_, id);
  if (id == first_id_) FindFirstId();
  return true;
}

void Stream::FindFirstId() {
  StreamReader reader(*this, {.start = kStreamIdMin});
  first_id_ = reader.Next() ? reader.id() : kStreamIdMin;
}

std::size_t Stream::Trim(const StreamTrim& trim) {
  if (trim.by == StreamTrim::By::kNothing) return 0;
  const std::size_t before = length_;
  for (auto block = blocks_.begin(); block != blocks_.end();) {
    if (trim.by == StreamTrim::By::kLength && length_ <= trim.length_max) break;
    const std::size_t entries = StreamBlockView(block->second.bytes(), block->first).live();
    if (trim.limit != 0 && before - length_ + entries > trim.limit) break;
    const bool whole = trim.by == StreamTrim::By::kLength
                           ? length_ - std::min(length_, entries) >= trim.length_max
                           : LastIdOf(block->second.bytes(), block->first) < trim.id_min;
    if (!whole) {
      if (!trim.whole_blocks) length_ -= TrimInside(block, trim);
      break;
    }
    length_ -= entries;
    block = RemoveBlock(block);
  }
  if (length_ != before) FindFirstId();
  return before - length_;
}

// Deletes the first entries of a block, as many as have to go; returns how many.
std::size_t Stream::TrimInside(Blocks::iterator block, const StreamTrim& trim) {
  ++layout_;
  bytes_ -= BytesOf(block->second);
  StreamBlockEditor editor(block->second, block->first);
  std::size_t removed = 0;
  auto at = StreamBlockView(block->second.bytes(), block->first).begin();
  while (true) {
    const StreamBlockView view(block->second.bytes(), block->first);
    if (at == view.end()) break;
    const StreamBlockEntry entry = view.Read(at);
    const bool stays = trim.by == StreamTrim::By::kLength ? length_ - removed <= trim.length_max
                                                          : entry.id >= trim.id_min;
    if (stays) break;
    at = view.After(entry);
    if (entry.deleted) continue;
    at += editor.MarkDeleted(entry);
    ++removed;
  }
  bytes_ += BytesOf(block->second);
  // What is left above the limit may have been deleted before. Such a block stays, as in Redis,
  // until all of it is below a limit: XINFO STREAM counts it.
  return removed;
}

bool Stream::AddBlock(std::string_view listpack, StreamId first) {
  if (!ValidBlock(listpack, first)) return false;
  if (!blocks_.empty()) {
    const auto& [id, block] = *blocks_.rbegin();
    if (LastIdOf(block.bytes(), id) >= first) return false;
  }
  const std::size_t live = StreamBlockView(listpack, first).live();
  const auto added = blocks_.emplace_hint(blocks_.end(), first, listpack);
  bytes_ += BytesOf(added->second);
  length_ += live;
  if (live != 0 && length_ == live) FindFirstId();
  return true;
}

// --- Groups

StreamGroup* Stream::FindGroup(std::string_view name) {
  const auto found = groups_.find(name);
  return found == groups_.end() ? nullptr : &found->second;
}

StreamGroup* Stream::CreateGroup(std::string_view name, StreamId last_id,
                                 std::int64_t entries_read) {
  const auto [group, created] =
      groups_.try_emplace(std::string(name), last_id, entries_read, bytes_);
  if (!created) return nullptr;
  bytes_ += BytesOf(group->first);
  return &group->second;
}

bool Stream::DestroyGroup(std::string_view name) {
  const auto found = groups_.find(name);
  if (found == groups_.end()) return false;
  bytes_ -= BytesOf(found->first);
  groups_.erase(found);
  return true;
}

bool Stream::HasGapFrom(StreamId start) const {
  // What was deleted before the first entry leaves no gap.
  return length_ != 0 && max_deleted_id_ != kStreamIdMin && first_id_ <= max_deleted_id_ &&
         start <= max_deleted_id_;
}

std::int64_t Stream::AddedUpTo(StreamId id) const {
  if (entries_added_ == 0) return 0;
  const auto added = static_cast<std::int64_t>(entries_added_);
  if (length_ == 0 && id <= last_id_) return added;
  if (id == last_id_) return added;
  if (id > last_id_) return kEntriesUnknown;
  if (max_deleted_id_ == kStreamIdMin || max_deleted_id_ < first_id_) {
    const auto before_first = static_cast<std::int64_t>(entries_added_ - length_);
    if (id < first_id_) return before_first;
    if (id == first_id_) return before_first + 1;
  }
  return kEntriesUnknown;
}

void Stream::Advance(StreamGroup& group, StreamId id) const {
  if (id <= group.last_id) return;
  if (group.entries_read != kEntriesUnknown && !HasGapFrom(id)) {
    group.entries_read =
        static_cast<std::int64_t>(static_cast<std::uint64_t>(group.entries_read) + 1);
  } else if (entries_added_ != 0) {
    group.entries_read = AddedUpTo(id);
  }
  group.last_id = id;
}

std::optional<std::int64_t> Stream::Lag(const StreamGroup& group) const {
  if (entries_added_ == 0) return 0;
  const std::int64_t read = group.entries_read != kEntriesUnknown && !HasGapFrom(group.last_id)
                                ? group.entries_read
                                : AddedUpTo(group.last_id);
  if (read == kEntriesUnknown) return std::nullopt;
  return static_cast<std::int64_t>(entries_added_ - static_cast<std::uint64_t>(read));
}

// --- StreamReader

StreamReader::StreamReader(const Stream& stream, const Range& range, const StreamMark& mark)
    : stream_(stream), range_(range), block_(stream.blocks_.end()) {
  if (stream.length_ == 0 || range.start > range.end) return;
  if (mark.layout == stream.layout_ && !range.backward &&
      storage::Next(mark.after) == range.start) {
    block_ = mark.block;
    view_.emplace(block_->second.bytes(), block_->first);
    at_ = mark.position;
    return;
  }
  Enter(stream.BlockOf(range.backward ? range.end : range.start));
}

void StreamReader::Enter(Stream::Blocks::const_iterator block) {
  block_ = block;
  view_.reset();
  if (block_ == stream_.blocks_.end()) return;
  view_.emplace(block_->second.bytes(), block_->first);
  at_ = range_.backward ? view_->end() : view_->begin();
}

bool StreamReader::Next() { return range_.backward ? NextBackward() : NextForward(); }

bool StreamReader::NextForward() {
  while (view_) {
    if (at_ == view_->end()) {
      Enter(std::next(block_));
      continue;
    }
    entry_ = view_->Read(at_);
    at_ = view_->After(entry_);
    if (entry_.deleted || entry_.id < range_.start) continue;
    if (entry_.id <= range_.end) return true;
    view_.reset();
  }
  return false;
}

bool StreamReader::NextBackward() {
  while (view_) {
    if (at_ == view_->begin()) {
      Enter(block_ == stream_.blocks_.begin() ? stream_.blocks_.end() : std::prev(block_));
      continue;
    }
    at_ = view_->Before(at_);
    entry_ = view_->Read(at_);
    if (entry_.deleted || entry_.id > range_.end) continue;
    if (entry_.id >= range_.start) return true;
    view_.reset();
  }
  return false;
}

StreamMark StreamReader::Mark() const {
  return {.layout = stream_.layout_, .after = entry_.id, .block = block_, .position = at_};
}

}  // namespace aeris::storage
