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

std::size_t TextBytes(std::span<const std::string_view> texts) {
  std::size_t bytes = 0;
  for (const std::string_view text : texts) bytes += text.size();
  return bytes;
}

}  // namespace

std::size_t Stream::BytesOf(const std::string& group_name) {
  return AllocatedBytes(kNodeBytes + sizeof(Groups::value_type)) +
         TextHeapBytes(group_name.capacity());
}

std::size_t Stream::FreeEffort() const {
  std::size_t effort = blocks_.size();
  for (const auto& [name, group] : groups_) effort += group.FreeEffort();
  return effort;
}

std::unique_ptr<Collection> Stream::Clone() const {
  auto copy = std::make_unique<Stream>();
  for (const auto& [id, block] : blocks_) {
    copy->blocks_.Append(id, block.bytes(), StreamBlockView(block.bytes(), id).live());
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
  blocks_.CheckInvariants();
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
    bytes += BytesOf(name) + group.counted_bytes();
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
    const auto last = blocks_.Last();
    if (LastIdOf(last->second.bytes(), last->first) <= id) return;
    if (StreamBlockView(last->second.bytes(), last->first).live() == 0) {
      RemoveBlock(last, 0);
      continue;
    }
    ++layout_;
    blocks_.Edit(last, [&](PackedBlock& block) {
      StreamBlockEditor(block, last->first).DropDeletedAbove(id);
      return 0;
    });
    return;
  }
}

// --- Entries

Stream::Blocks::Iterator Stream::BlockFor(StreamId id, std::span<const std::string_view> pairs,
                                          const StreamBlockLimits& limits) {
  if (!blocks_.empty()) {
    const auto last = blocks_.Last();
    const PackedBlock& block = last->second;
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
      blocks_.Edit(last, [](PackedBlock& full) {
        full.ShrinkToFit();
        return 0;
      });
    }
  }
  const auto added = blocks_.Append(id, PackedBlock().bytes(), 0);
  blocks_.Edit(added, [&](PackedBlock& block) {
    StreamBlockEditor(block, id).Start(pairs);
    return 0;
  });
  return added;
}

Stream::AppendResult Stream::Append(StreamId id, std::span<const std::string_view> pairs,
                                    const StreamBlockLimits& limits) {
  AERIS_DCHECK(!pairs.empty() && pairs.size() % 2 == 0);
  if (id <= last_id_) return AppendResult::kNotGreater;
  if (StreamBlockEditor::NewBlockBytesMax(pairs) > PackedBlock::kBytesMax) {
    return AppendResult::kTooLarge;
  }
  const auto to = BlockFor(id, pairs, limits);
  blocks_.Edit(to, [&](PackedBlock& block) {
    if (StreamBlockEditor(block, to->first).Append(id, pairs, kBlockBytesUsual)) ++layout_;
    return 1;
  });
  if (length_++ == 0) first_id_ = id;
  last_id_ = id;
  ++entries_added_;
  return AppendResult::kAdded;
}

std::optional<StreamBlockEntry> Stream::FindEntry(Blocks::Iterator block, StreamId id) {
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
  return FindEntry(blocks_.Find(id), id).has_value();
}

Stream::Blocks::Iterator Stream::RemoveBlock(Blocks::Iterator block, std::size_t live) {
  ++layout_;
  return blocks_.Erase(block, live);
}

bool Stream::Delete(StreamId id) {
  if (length_ == 0 || id < first_id_ || id > last_id_) return false;
  const auto in = blocks_.Find(id);
  const auto entry = FindEntry(in, id);
  if (!entry) return false;
  if (StreamBlockView(in->second.bytes(), in->first).live() == 1) {
    RemoveBlock(in, 1);
  } else {
    ++layout_;
    blocks_.Edit(in, [&](PackedBlock& block) {
      StreamBlockEditor(block, in->first).MarkDeleted(*entry);
      return -1;
    });
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

bool Stream::GoesWhole(const StreamTrim& trim, std::size_t entries,
                       const Blocks::Block& last) const {
  return trim.by == StreamTrim::By::kLength
             ? length_ - std::min(length_, entries) >= trim.length_max
             : LastIdOf(last.second.bytes(), last.first) < trim.id_min;
}

std::size_t Stream::Trim(const StreamTrim& trim) {
  if (trim.by == StreamTrim::By::kNothing) return 0;
  const std::size_t before = length_;
  if (trim.limit == 0) TrimGroups(trim);
  for (auto block = blocks_.begin(); block != blocks_.end();) {
    if (trim.by == StreamTrim::By::kLength && length_ <= trim.length_max) break;
    const std::size_t entries = StreamBlockView(block->second.bytes(), block->first).live();
    if (trim.limit != 0 && before - length_ + entries > trim.limit) break;
    if (!GoesWhole(trim, entries, *block)) {
      if (!trim.whole_blocks) length_ -= TrimInside(block, trim);
      break;
    }
    length_ -= entries;
    block = RemoveBlock(block, entries);
  }
  if (length_ != before) FindFirstId();
  return before - length_;
}

// Whole groups of blocks go without a look at each. By length only those behind which something has
// still to go: a trim ends with the last live entry that goes, before a block of gaps.
void Stream::TrimGroups(const StreamTrim& trim) {
  std::size_t count = 0;
  for (const Blocks::Group& group : blocks_.groups()) {
    if (!GoesWhole(trim, group.live, group.blocks.back())) break;
    if (trim.by == StreamTrim::By::kLength && length_ - group.live == trim.length_max) break;
    length_ -= group.live;
    ++count;
  }
  if (count == 0) return;
  auto cut = std::make_unique<Stream>();
  cut->blocks_ = blocks_.TakeGroups(count);
  ++layout_;
  CutOff(std::move(cut));
}

// Deletes the first entries of a block, as many as have to go; returns how many.
std::size_t Stream::TrimInside(Blocks::Iterator from, const StreamTrim& trim) {
  ++layout_;
  std::size_t removed = 0;
  blocks_.Edit(from, [&](PackedBlock& block) {
    StreamBlockEditor editor(block, from->first);
    auto at = StreamBlockView(block.bytes(), from->first).begin();
    while (true) {
      const StreamBlockView view(block.bytes(), from->first);
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
    return -static_cast<std::ptrdiff_t>(removed);
  });
  // What is left above the limit may have been deleted before. Such a block stays, as in Redis,
  // until all of it is below a limit: XINFO STREAM counts it.
  return removed;
}

bool Stream::AddBlock(std::string_view listpack, StreamId first) {
  if (!ValidBlock(listpack, first)) return false;
  if (!blocks_.empty()) {
    const auto& [id, block] = *blocks_.Last();
    if (LastIdOf(block.bytes(), id) >= first) return false;
  }
  const std::size_t live = StreamBlockView(listpack, first).live();
  blocks_.Append(first, listpack, live);
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
  auto cut = std::make_unique<Stream>();
  found->second.MoveTo(cut->bytes_);
  cut->groups_.insert(groups_.extract(found));
  CutOff(std::move(cut));
  return true;
}

std::size_t Stream::DeleteConsumer(StreamGroup& group, std::string_view name) {
  auto cut = std::make_unique<Stream>();
  const std::size_t pending = group.DeleteConsumer(name, *cut->CreateGroup({}, {}, 0));
  CutOff(std::move(cut));
  return pending;
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
  Enter(stream.blocks_.Find(range.backward ? range.end : range.start));
}

void StreamReader::Enter(Stream::Blocks::Iterator block) {
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
