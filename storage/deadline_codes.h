// DeadlineCodes: the expire wheel's bytes of one bucket array, one per slot, 0 = no deadline.
//
// They lie apart from the buckets, so that a table without deadlines has none of them, and a sweep
// reads 640 slots in ten cache lines. Slots are numbered through: bucket * 10 + slot.
//
// In larger arrays a bitmap per code says which chunks of 64 buckets may hold it, so that a pass
// reads one bit per 640 slots and code and looks only at chunks that hold due keys. A set bit may
// be stale, a clear one is the truth. It is cleared when the whole chunk has been swept for the
// code, and set before any byte gets the code.
//
//   bytes   [slot 0][slot 1] ... one chunk = 640 ...                    10 bytes per bucket
//   bitmap  [code 0: chunks 0-511][code 1: chunks 0-511] ...            0.5 bytes per bucket
//           [code 0: chunks 512-1023][code 1: chunks 512-1023] ...
//
// A code's bits come in lines of 64 bytes, and the lines of all codes for the same chunks in one
// block, so that a pass reads whole lines, and a move that leaves chunks behind or fills new ones
// gives back or touches four pages of the bitmap per 327,680 slots, not one per code.
//
// Memory counts as it is written: the first deadline in a table of ten million keys takes two
// pages, not all of 15 MB, for which keys would have to go at once where memory is limited.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <span>

#include "storage/bucket.h"
#include "storage/expire_wheel.h"
#include "storage/prefetch.h"
#include "storage/sparse_region.h"

namespace aeris::storage {

class DeadlineCodes {
 public:
  static constexpr std::size_t kChunkSlots = std::size_t{64} * Bucket::kSlots;
  static constexpr std::size_t kDueMax = 2 * kChunkSlots;  // collected at once
  // Below this a pass reads all bytes (40 KiB in 4 us), and the bitmap would be larger than them.
  static constexpr std::size_t kBitmapSlotsMin = 64 * kChunkSlots;

  bool allocated() const { return slots_ != 0; }
  // All codes 0, nothing left for a pass that is under way. False, and nothing done, without
  // memory.
  [[nodiscard]] bool Allocate(std::size_t slots);
  // More slots at the end. Those before `first_live` have no code and may have been released.
  // False, and nothing done, without memory.
  [[nodiscard]] bool Grow(std::size_t slots, std::size_t first_live);

  // 0 when not allocated.
  std::uint8_t Get(std::size_t slot) const {
    return allocated() ? static_cast<std::uint8_t>(bytes_.data()[slot]) : std::uint8_t{0};
  }
  // A hint that Get() will be called.
  void Prefetch(std::size_t slot) const {
    if (allocated()) storage::Prefetch(&bytes_.data()[slot]);
  }
  // Requires allocated() if `code` is not 0.
  void Set(std::size_t slot, std::uint8_t code);

  // --- Sweeping. `next_slot` is how far the current pass has come.
  void StartPass(std::size_t first_slot) { next_slot_ = first_slot; }
  struct Collected {
    std::size_t due = 0;     // slots written
    std::size_t chunks = 0;  // chunks read
  };
  // Collects due slots from where the pass stands into `due`, and moves past them; reads no more
  // than `chunks_max` chunks. Several chunks at a time, since a chunk often holds one due key, and
  // the caller needs the next ones to prefetch.
  Collected CollectDue(const ExpireWheel& wheel, std::span<std::uint64_t, kDueMax> due,
                       std::size_t chunks_max);
  // Takes back collected slots, those not looked at: the pass goes on there later.
  void PutBack(std::span<const std::uint64_t> rest);
  bool done() const { return next_slot_ >= slots_; }
  // How many slots from `first` on are due; estimated from the first kCountedChunks chunks that may
  // hold any, in 20 to 100 ns each. Keys are in no order, so all chunks are alike.
  std::size_t CountDue(const ExpireWheel& wheel, std::size_t first) const;
  // From where the pass stands on.
  std::size_t CountDueLeft(const ExpireWheel& wheel) const { return CountDue(wheel, next_slot_); }

  // Adds the codes that slots from `first_slot` on have. With a bitmap some may be stale: of slots
  // that a pass has not seen since they lost the code. O(chunks) with one, O(slots) without.
  void AddCodes(std::size_t first_slot, std::bitset<256>& codes) const;

  // Slots before this one are empty for good.
  void ReleaseBefore(std::size_t slot);
  std::size_t resident_bytes() const { return bytes_.resident_bytes() + bitmap_.resident_bytes(); }
  // Those of them that are mapped, not the allocator's.
  std::size_t mapped_bytes() const { return bytes_.mapped_bytes() + bitmap_.mapped_bytes(); }
  // Aborts unless the bitmap covers the byte of `slot`.
  void CheckSlot(std::size_t slot) const;

 private:
  static constexpr std::size_t kCountedChunks = 2048;
  static constexpr std::size_t kLineWords = 8;
  static constexpr std::size_t kLineChunks = 64 * kLineWords;
  static constexpr std::size_t kBlockWords = ExpireWheel::kCodes * kLineWords;

  bool has_bitmap() const { return bitmap_.size_bytes() != 0; }
  // Of the word with the bits of `code` for 64 chunks, those around `chunk`.
  static std::size_t WordIndex(std::uint8_t code, std::size_t chunk) {
    return chunk / kLineChunks * kBlockWords + code * kLineWords + chunk / 64 % kLineWords;
  }
  std::uint64_t& Word(std::uint8_t code, std::size_t chunk) const {
    return reinterpret_cast<std::uint64_t*>(bitmap_.data())[WordIndex(code, chunk)];
  }
  // Of the blocks that cover the chunks of the first `slots` slots, as far as they are whole.
  static std::size_t BitmapBytes(std::size_t slots) {
    return slots / (kLineChunks * kChunkSlots) * kBlockWords * sizeof(std::uint64_t);
  }
  void Mark(std::uint8_t code, std::size_t chunk);
  // The due slots from `first` on in its chunk; clears the chunk's bits.
  std::size_t CollectChunk(const ExpireWheel& wheel, std::size_t first, std::uint64_t* due);
  // The first chunk from `chunk` on that may hold a due code, or chunks_.
  std::size_t NextChunk(std::size_t chunk, std::span<const std::uint8_t> codes) const;

  std::size_t slots_ = 0;
  std::size_t chunks_ = 0;
  std::size_t next_slot_ = 0;
  SparseRegion bytes_;
  SparseRegion bitmap_;
};

}  // namespace aeris::storage
