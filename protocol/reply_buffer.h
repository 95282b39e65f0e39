// ReplyBuffer: reply bytes of one client that have not been sent. Knows no socket; gives iovecs.
//
//   segments_ (closed, in order)                         open range, in the write block
//   [block][hole for a length][block, owned][pinned][shared] .. [open_begin_ .. cursor_ .. end_]
//
// Bytes are written at cursor_. A pinned value closes the open range, and writing goes on behind it
// in the same block; a block is owned by the last segment that lies in it, or is the write block.
//
// Holds:   size() is the sum of the segments and the open range; no block is held when size() is 0
//          and no length is outstanding.
// Cost:    O(1) per byte; usual replies are one range and one iovec.
// Memory:  blocks grow from 16 KiB (pool) to 256 KiB with what is unsent; one big value gets a
// block
//          of its size. Pinned values are referenced. An idle client has 120 bytes.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/broadcast_log.h"
#include "protocol/buffer_pool.h"
#include "src/base/check.h"

namespace aeris::protocol {

// Keeps bytes alive that a reply refers to: `release(object)` runs once, when they have been sent
// or the client has gone.
class Pin {
 public:
  Pin() = default;
  Pin(void* object, void (*release)(void*)) : object_(object), release_(release) {}
  Pin(Pin&& other) noexcept
      : object_(std::exchange(other.object_, nullptr)),
        release_(std::exchange(other.release_, nullptr)) {}
  Pin& operator=(Pin&& other) noexcept {
    std::swap(object_, other.object_);
    std::swap(release_, other.release_);
    return *this;
  }
  ~Pin() {
    if (release_ != nullptr) release_(object_);
  }

 private:
  friend class ReplyBuffer;
  void* object_ = nullptr;
  void (*release_)(void*) = nullptr;
};

class ReplyBuffer {
 public:
  static constexpr std::size_t kChunkBytesMax = 256 * 1024;
  // Bytes set aside for a length that is written later: type byte, 20 digits, CRLF.
  static constexpr std::size_t kHoleBytes = 24;
  // Names a hole until Clear().
  using HoleId = std::uint64_t;

  // `pool` outlives the buffer.
  explicit ReplyBuffer(BufferPool& pool) : pool_(pool) {}
  ReplyBuffer(const ReplyBuffer&) = delete;
  ReplyBuffer& operator=(const ReplyBuffer&) = delete;
  ~ReplyBuffer() { Clear(); }

  void Append(std::string_view bytes) {
    if (bytes.size() <= room()) [[likely]] {
      if (!bytes.empty()) __builtin_memcpy(cursor_, bytes.data(), bytes.size());
      cursor_ += bytes.size();
      return;
    }
    AppendAcrossBlocks(bytes);
  }
  // Room for `bytes` contiguous bytes, valid until the next call of anything but Commit(), which is
  // to take some: a buffer of nothing holds no block.
  [[nodiscard]] char* Reserve(std::size_t bytes) {
    if (bytes > room()) OpenBlock(bytes);
    return cursor_;
  }
  void Commit(std::size_t bytes) {
    AERIS_DCHECK(bytes <= room());
    cursor_ += bytes;
  }
  // Refers to `bytes` instead of copying them; `pin` keeps them as they are until they are sent.
  // Worth its bookkeeping from a few KiB on.
  void AppendPinned(std::string_view bytes, Pin pin);
  // Adds `bytes`, which lie in `block`: refers to them where they follow what is referred to
  // already, or nothing is unsent; copies them otherwise. Call CopyShared() before the turn ends.
  void AppendShared(std::string_view bytes, SharedBlock& block);
  // Copies what is unsent of shared blocks, so that a client that does not read keeps no more than
  // its own bytes alive. What is alone in its block, or at least half of it, stays referred to.
  void CopyShared();

  // Sets a place aside for at most kHoleBytes - 1 bytes, which FillHole() puts there. Until then
  // the buffer is not sent: FillIovec() stops before the first hole that is open. Holes nest: the
  // last one opened is filled first. FillHole() after Clear() does nothing.
  [[nodiscard]] HoleId OpenHole();
  void FillHole(HoleId hole, std::string_view bytes);

  // Describes the first unsent bytes; returns the entries filled, 0 when there is nothing to send.
  [[nodiscard]] std::size_t FillIovec(std::span<iovec> entries) const;
  // The first `bytes` have been sent. Blocks and pins that they alone held are given back.
  void Consume(std::size_t bytes);

  // Bytes not sent yet. A hole that is open counts as empty.
  std::size_t size() const {
    return closed_bytes_ + static_cast<std::size_t>(cursor_ - open_begin_);
  }
  bool empty() const { return size() == 0; }
  // Closed pieces that are not sent yet; usual replies have none, only the open range.
  std::size_t segments() const { return segments_.size() - head_; }
  // Bytes held: blocks, pinned values, bookkeeping.
  std::size_t memory() const { return memory_ + segments_.capacity() * sizeof(Segment); }
  // What unsent replies take of that, for client-output-buffer-limit: without the room that is left
  // in the write block, which doubles. Nothing while one block holds all, which every client with a
  // reply has; Redis does not count its fixed buffer of that size either.
  std::size_t bytes_against_limit() const {
    const std::size_t used = memory() - room();
    return used <= BufferPool::kBlockBytes ? 0 : used;
  }
  // Drops everything.
  void Clear();

  // From now on what unsent replies take does not grow beyond `bytes`, nor memory() beyond that and
  // the room in one block: what would be appended then is dropped, and with it all that was unsent,
  // since the stream is torn; over_limit() tells, and the client is to be closed. A write stops in
  // the middle of a reply, so a command that makes a huge one costs no more than the limit. Checked
  // when a block is opened or a value pinned, not per byte.
  void set_memory_max(std::size_t bytes) { memory_max_ = bytes; }
  bool over_limit() const { return over_limit_; }
  // The same has happened because there was no memory; over_limit() is true as well.
  bool out_of_memory() const { return out_of_memory_; }
  // Of one that is over its limit: begins anew, as if nothing had been appended since it was empty.
  void StartAnew();

  // Checks every rule above; for tests.
  void CheckInvariants() const;

 private:
  struct Segment {
    char* data;
    std::size_t size;
    void* owned;              // block or pinned object that goes with this segment, or null
    std::size_t owned_bytes;  // what memory_ counts for it
    void (*release)(void*);   // of a pinned object; null for a block
    bool hole_open;
  };

  std::size_t room() const { return static_cast<std::size_t>(end_ - cursor_); }
  void AppendAcrossBlocks(std::string_view bytes);
  // Whether `bytes` more are over the limit, or were before; everything is dropped then.
  bool Overflows(std::size_t bytes);
  void OpenBlock(std::size_t bytes_min);
  [[nodiscard]] bool TryOpenBlock(std::size_t bytes_min);
  void CloseRange();
  void HandOverBlock();
  void DropSegment(Segment& segment);
  void FreeBlock(void* block, std::size_t bytes);
  void ForgetBlock();
  void DropSentSegments();
  bool JoinHole(std::string_view bytes);
  static void ReleaseShared(void* block) { static_cast<SharedBlock*>(block)->Release(); }
  // Whether the last thing that was appended is a shared range; nothing at all is none.
  bool EndsShared() const {
    return cursor_ == open_begin_ && head_ < segments_.size() &&
           segments_.back().release == ReleaseShared;
  }

  BufferPool& pool_;
  char* cursor_ = nullptr;
  char* end_ = nullptr;
  char* open_begin_ = nullptr;
  char* block_ = nullptr;  // the write block
  std::size_t block_bytes_ = 0;
  std::size_t closed_bytes_ = 0;
  std::size_t memory_ = 0;
  std::size_t head_ = 0;  // segments before this have been sent
  std::uint64_t segments_gone_ =
      0;  // removed from the front of segments_ in all: makes HoleIds unique
  std::size_t memory_max_ = SIZE_MAX;
  std::uint32_t holes_open_ = 0;
  bool over_limit_ = false;
  bool out_of_memory_ = false;
  std::vector<Segment> segments_;
};
static_assert(sizeof(ReplyBuffer) == 120, "every idle client has one");

}  // namespace aeris::protocol
