#include "protocol/reply_buffer.h"

#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace aeris::protocol {
namespace {

// A filled hole is closed up when at most this many bytes behind it have to move; otherwise it
// stays an iovec entry of its own.
constexpr std::size_t kJoinBytesMax = 16 * 1024;

// Slots that a drained buffer keeps; usual clients need none.
constexpr std::size_t kSegmentsKept = 4;

// Shared ranges that do not follow one another; beyond these, copying is cheaper than one more
// entry for writev(2).
constexpr std::size_t kSharedSegmentsMax = 16;

// Sent segments at the front are removed in runs of at least this many.
constexpr std::size_t kSentRun = 32;

}  // namespace

bool ReplyBuffer::Overflows(std::size_t bytes) {
  if (memory_ - room() + bytes <= memory_max_ && !over_limit_) [[likely]]
    return false;
  over_limit_ = true;
  Clear();
  return true;
}

void ReplyBuffer::AppendAcrossBlocks(std::string_view bytes) {
  if (Overflows(bytes.size())) return;
  const std::size_t head = room();
  if (head > 0) {
    std::memcpy(cursor_, bytes.data(), head);
    cursor_ += head;
    bytes.remove_prefix(head);
  }
  if (!TryOpenBlock(bytes.size())) return;
  std::memcpy(cursor_, bytes.data(), bytes.size());
  cursor_ += bytes.size();
}

void ReplyBuffer::OpenBlock(std::size_t bytes_min) {
  // Over the limit the block is opened still: the caller writes to it, and the next one drops it.
  (void)Overflows(bytes_min);
  if (TryOpenBlock(bytes_min)) return;
  // There is room for the smallest now that everything has been dropped.
  const bool opened = bytes_min <= BufferPool::kBlockBytes && TryOpenBlock(bytes_min);
  AERIS_CHECK(opened);
}

// Without memory everything is dropped.
bool ReplyBuffer::TryOpenBlock(std::size_t bytes_min) {
  HandOverBlock();
  const std::size_t usual = std::clamp(size(), BufferPool::kBlockBytes, kChunkBytesMax);
  block_bytes_ = std::max(bytes_min, usual);
  if (block_bytes_ == BufferPool::kBlockBytes) {
    block_ = pool_.Take();
  } else {
    block_ = static_cast<char*>(std::malloc(block_bytes_));
    if (block_ == nullptr) {
      block_bytes_ = 0;
      over_limit_ = true;
      out_of_memory_ = true;
      Clear();
      return false;
    }
    block_bytes_ = malloc_usable_size(block_);
  }
  memory_ += block_bytes_;
  cursor_ = open_begin_ = block_;
  end_ = block_ + block_bytes_;
  return true;
}

void ReplyBuffer::StartAnew() {
  Clear();
  over_limit_ = false;
  out_of_memory_ = false;
}

// The write block is full: the last segment in it takes it over.
void ReplyBuffer::HandOverBlock() {
  if (block_ == nullptr) return;
  const auto open_bytes = static_cast<std::size_t>(cursor_ - open_begin_);
  if (open_bytes == 0 && head_ == segments_.size()) {
    FreeBlock(block_, block_bytes_);
  } else {
    segments_.push_back({.data = open_begin_,
                         .size = open_bytes,
                         .owned = block_,
                         .owned_bytes = block_bytes_,
                         .release = nullptr,
                         .hole_open = false});
    closed_bytes_ += open_bytes;
  }
  ForgetBlock();
}

void ReplyBuffer::ForgetBlock() {
  block_ = cursor_ = end_ = open_begin_ = nullptr;
  block_bytes_ = 0;
}

// Makes the open range a segment, so that something may stand between it and what is written next.
void ReplyBuffer::CloseRange() {
  if (cursor_ == open_begin_) return;
  const auto bytes = static_cast<std::size_t>(cursor_ - open_begin_);
  segments_.push_back({.data = open_begin_,
                       .size = bytes,
                       .owned = nullptr,
                       .owned_bytes = 0,
                       .release = nullptr,
                       .hole_open = false});
  closed_bytes_ += bytes;
  open_begin_ = cursor_;
}

void ReplyBuffer::AppendPinned(std::string_view bytes, Pin pin) {
  if (bytes.empty()) return;
  AERIS_DCHECK(pin.release_ != nullptr || pin.object_ == nullptr);
  if (Overflows(bytes.size())) return;
  CloseRange();
  // An iovec wants a mutable pointer; nobody writes through it.
  segments_.push_back({.data = const_cast<char*>(bytes.data()),
                       .size = bytes.size(),
                       .owned = std::exchange(pin.object_, nullptr),
                       .owned_bytes = bytes.size(),
                       .release = std::exchange(pin.release_, nullptr),
                       .hole_open = false});
  closed_bytes_ += bytes.size();
  memory_ += bytes.size();
}

void ReplyBuffer::AppendShared(std::string_view bytes, SharedBlock& block) {
  if (!empty() && !EndsShared()) return Append(bytes);
  if (EndsShared()) {
    Segment& last = segments_.back();
    const bool follows = last.owned == &block && last.data + last.size == bytes.data();
    if (!follows && segments() >= kSharedSegmentsMax) return Append(bytes);
    if (Overflows(bytes.size())) return;
    if (follows) {
      last.size += bytes.size();
      last.owned_bytes += bytes.size();
      closed_bytes_ += bytes.size();
      memory_ += bytes.size();
      return;
    }
  }
  block.Retain();
  AppendPinned(bytes, {&block, ReleaseShared});
}

void ReplyBuffer::CopyShared() {
  for (std::size_t i = head_; i < segments_.size(); ++i) {
    Segment& segment = segments_[i];
    if (segment.release != ReleaseShared || segment.owned_bytes == 0) continue;
    auto* const block = static_cast<SharedBlock*>(segment.owned);
    // A block of another size has this one message.
    if (block->capacity() != BroadcastLog::kBlockBytes) continue;
    if (segment.size >= BroadcastLog::kBlockBytes / 2) continue;
    static_assert(BroadcastLog::kBlockBytes / 2 <= BufferPool::kBlockBytes,
                  "a copy is not taken for a block of the pool");
    char* const copy = static_cast<char*>(std::malloc(segment.size));
    AERIS_CHECK(copy != nullptr);
    std::memcpy(copy, segment.data, segment.size);
    memory_ = memory_ - segment.owned_bytes + segment.size;
    segment.data = copy;
    segment.owned = copy;
    segment.owned_bytes = segment.size;
    segment.release = nullptr;
    block->Release();
  }
}

ReplyBuffer::HoleId ReplyBuffer::OpenHole() {
  char* hole = Reserve(kHoleBytes);
  CloseRange();
  segments_.push_back({.data = hole,
                       .size = 0,
                       .owned = nullptr,
                       .owned_bytes = 0,
                       .release = nullptr,
                       .hole_open = true});
  cursor_ += kHoleBytes;
  open_begin_ = cursor_;
  ++holes_open_;
  return segments_gone_ + segments_.size() - 1;
}

void ReplyBuffer::FillHole(HoleId hole, std::string_view bytes) {
  AERIS_DCHECK(bytes.size() < kHoleBytes);
  if (hole < segments_gone_) return;  // cleared meanwhile
  const std::size_t index = hole - segments_gone_;
  AERIS_CHECK(index < segments_.size() && segments_[index].hole_open);
  --holes_open_;
  if (index + 1 == segments_.size() && JoinHole(bytes)) return;
  Segment& segment = segments_[index];
  std::memcpy(segment.data, bytes.data(), bytes.size());
  segment.size = bytes.size();
  segment.hole_open = false;
  closed_bytes_ += bytes.size();
}

// The usual short reply: what follows the last hole is the open range, in the same block. Moves it
// up to the filled bytes, so that all is one range again.
bool ReplyBuffer::JoinHole(std::string_view bytes) {
  char* hole = segments_.back().data;
  const auto behind = static_cast<std::size_t>(cursor_ - open_begin_);
  if (open_begin_ != hole + kHoleBytes || behind > kJoinBytesMax) return false;
  std::memcpy(hole, bytes.data(), bytes.size());
  std::memmove(hole + bytes.size(), open_begin_, behind);
  cursor_ = hole + bytes.size() + behind;
  open_begin_ = hole;
  segments_.pop_back();
  if (segments_.size() == head_) return true;
  const Segment& before = segments_.back();
  if (before.owned_bytes == 0 && !before.hole_open && before.data + before.size == hole) {
    open_begin_ = before.data;
    closed_bytes_ -= before.size;
    segments_.pop_back();
  }
  return true;
}

std::size_t ReplyBuffer::FillIovec(std::span<iovec> entries) const {
  std::size_t filled = 0;
  for (std::size_t i = head_; i < segments_.size(); ++i) {
    const Segment& segment = segments_[i];
    if (filled == entries.size() || segment.hole_open) return filled;
    if (segment.size > 0) entries[filled++] = {segment.data, segment.size};
  }
  if (filled < entries.size() && cursor_ != open_begin_) {
    entries[filled++] = {open_begin_, static_cast<std::size_t>(cursor_ - open_begin_)};
  }
  return filled;
}

void ReplyBuffer::Consume(std::size_t bytes) {
  while (head_ < segments_.size()) {
    Segment& segment = segments_[head_];
    if (segment.hole_open || segment.size > bytes) break;
    bytes -= segment.size;
    closed_bytes_ -= segment.size;
    DropSegment(segment);
    ++head_;
  }
  if (head_ < segments_.size()) {
    Segment& segment = segments_[head_];
    AERIS_DCHECK(bytes <= segment.size);
    segment.data += bytes;
    segment.size -= bytes;
    closed_bytes_ -= bytes;
  } else {
    AERIS_DCHECK(bytes <= static_cast<std::size_t>(cursor_ - open_begin_));
    open_begin_ += bytes;
  }
  DropSentSegments();
}

void ReplyBuffer::DropSentSegments() {
  if (head_ == segments_.size()) {
    segments_gone_ += head_;
    head_ = 0;
    segments_.clear();
    if (open_begin_ == cursor_ && block_ != nullptr) {
      FreeBlock(block_, block_bytes_);
      ForgetBlock();
    }
    if (segments_.capacity() > kSegmentsKept) std::vector<Segment>().swap(segments_);
  } else if (head_ >= kSentRun && head_ >= segments_.size() / 2) {
    segments_.erase(segments_.begin(), segments_.begin() + static_cast<std::ptrdiff_t>(head_));
    segments_gone_ += head_;
    head_ = 0;
  }
}

void ReplyBuffer::DropSegment(Segment& segment) {
  if (segment.owned_bytes == 0) return;
  if (segment.release != nullptr) {
    memory_ -= segment.owned_bytes;
    segment.release(segment.owned);
  } else if (segment.owned != nullptr) {
    FreeBlock(segment.owned, segment.owned_bytes);
  } else {
    memory_ -= segment.owned_bytes;
  }
  segment.owned_bytes = 0;
}

void ReplyBuffer::FreeBlock(void* block, std::size_t bytes) {
  memory_ -= bytes;
  if (bytes == BufferPool::kBlockBytes) {
    pool_.Give(static_cast<char*>(block));
  } else {
    std::free(block);
  }
}

void ReplyBuffer::Clear() {
  for (std::size_t i = head_; i < segments_.size(); ++i) DropSegment(segments_[i]);
  segments_gone_ += segments_.size();
  // Clearing keeps the capacity, and shrink_to_fit() is empty in a libstdc++ without exceptions.
  std::vector<Segment>().swap(segments_);
  head_ = 0;
  closed_bytes_ = 0;
  holes_open_ = 0;
  if (block_ != nullptr) FreeBlock(block_, block_bytes_);
  ForgetBlock();
  AERIS_DCHECK(memory_ == 0);
}

void ReplyBuffer::CheckInvariants() const {
  std::size_t closed = 0;
  std::size_t held = block_bytes_;
  std::size_t holes = 0;
  AERIS_CHECK(head_ <= segments_.size());
  for (std::size_t i = head_; i < segments_.size(); ++i) {
    const Segment& segment = segments_[i];
    closed += segment.size;
    held += segment.owned_bytes;
    holes += segment.hole_open ? 1 : 0;
    AERIS_CHECK(!segment.hole_open || segment.size == 0);
  }
  AERIS_CHECK(closed == closed_bytes_);
  AERIS_CHECK(held == memory_);
  AERIS_CHECK(holes == holes_open_);
  AERIS_CHECK(open_begin_ <= cursor_ && cursor_ <= end_);
  AERIS_CHECK((block_ == nullptr) == (block_bytes_ == 0));
  // Drained: nothing is held.
  AERIS_CHECK(size() > 0 || holes > 0 || head_ < segments_.size() || memory_ == 0);
}

}  // namespace aeris::protocol
