// MemberHeap: the memory of the members of one large collection.
//
// A collection owns its memory, apart from the keyspace's arena: it is destroyed by freeing its
// pages, on any thread, without a look at its members, and a member is still a 36-bit reference.
//
//   directory   [ page 0 ][ page 1 ][ none ][ page 3 ] ...             a pointer per page of 8 KiB
//   page        [ slot | slot | slot (free: 8 bytes, the next one of its class) | ... | room ]
//   reference   page number 25 | offset in granules of 4 bytes 11
//
// The page that slots are cut off starts with 256 bytes, or a quarter of what is held, and grows by
// quarters of a power of two, so that 150 small members do not pay for 8 KiB; it may move then.
// Slots are cut in any order of sizes. A freed one goes to the list of its size class: every 4
// bytes from 8 to 256, every 32 to 1 KiB, 87 lists. So does what is left of a page that has no room
// for the next slot. Nothing but the owner knows which slots are in use: no header, no bitmap.
//
// Renewal    nobody can empty a page without going over all members, so the owner does that, step
//            by step, when a good part of the memory is free: StartRenewal() makes all pages old,
//            and slots come from fresh pages; the owner moves what IsOld(); FinishRenewal() and
//            ReleaseOld() give the old pages back. Both generations are held until then.
// Holds:     bytes_held() is the sum of pages; a page is of kPageBytes unless it is the current
// one,
//            or was when it became old; free slots are in no old page; reference 0 and references
//            whose low 32 bits are zero are never given (a table marks free slots so).
// Cost:      Allocate, Free O(1); StartRenewal a byte per page; the rest O(pages asked for).
// Memory:    8 bytes of lists for each class up to the largest one freed; 9 bytes of directory per
//            page; rounding 1.5 bytes per small slot; the end of a page, below an eighth for the
//            largest slots, below 0.5 % for those of 40 bytes.
// Threads:   none; may be destroyed on another thread than the one that used it.
// Not for:   more than kSlotBytesMax in one piece; more than 256 GiB.
// Rejected:  the keyspace's arena: FLUSHALL ASYNC and UNLINK of a million members would have to
//            free each of them, and its pages of 64 KiB and 128 classes are no size for one of ten
//            thousand collections. malloc per member: 64-bit references and classes of 16 bytes.
//            Counts of slots in use per page, to give back pages that run empty: members lie in the
//            order they came, and hardly any page of 200 becomes empty before all do.
//            Splitting larger free slots: what does not fit is renewed at a quarter anyway. Pages
//            of 4 KiB: 0.3 bytes more per member of 48 bytes.
// Measured:  tests/bench/storage/member_table_bench.cc
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "src/base/check.h"
#include "storage/arena.h"
#include "storage/plain_array.h"
#include "storage/prefetch.h"

namespace aeris::storage {

class MemberHeap {
 public:
  static constexpr std::size_t kGranuleBytes = 4;
  static constexpr std::size_t kPageBytes = std::size_t{8} << 10;
  static constexpr std::size_t kCurrentBytesMin = 256;
  static constexpr std::size_t kSlotBytesMin = 8;
  static constexpr std::size_t kSlotBytesMax = std::size_t{1} << 10;
  static constexpr std::size_t kPagesMax = std::size_t{1} << 25;

  // More than `pages_max` pages are not to be had, as if memory had ended.
  explicit MemberHeap(std::size_t pages_max = kPagesMax)
      : pages_max_(static_cast<std::uint32_t>(std::min(pages_max, kPagesMax))) {}
  ~MemberHeap();  // O(pages)
  MemberHeap(const MemberHeap&) = delete;
  MemberHeap& operator=(const MemberHeap&) = delete;

  // What a slot for `bytes` (1 to kSlotBytesMax) takes.
  static constexpr std::size_t SlotBytes(std::size_t bytes) {
    if (bytes <= kSlotBytesMin) return kSlotBytesMin;
    const std::size_t step = bytes <= kFineBytesMax ? kGranuleBytes : kCoarseStep;
    return (bytes + step - 1) / step * step;
  }

  // A slot, contents arbitrary. 0, and nothing lost, without memory. Addresses are valid until the
  // next Allocate().
  [[nodiscard]] Ref Allocate(std::size_t bytes);
  // `bytes` as they were allocated, or any number with the same SlotBytes().
  void Free(Ref ref, std::size_t bytes);
  std::byte* At(Ref ref) const {
    return pages_[static_cast<std::size_t>(ref >> kPageShift)] +
           (ref & kOffsetMask) * kGranuleBytes;
  }
  // A hint that a slot will be read: the lines that the largest one may lie on, two at most.
  void Prefetch(Ref ref) const {
    storage::Prefetch(At(ref), std::min<std::size_t>(slot_bytes_max_, kPrefetchBytesMax));
  }

  // --- Renewal.
  // Not while one is under way.
  void StartRenewal();
  bool renewing() const { return phase_ == Phase::kMoving; }
  bool IsOld(Ref ref) const { return old_[static_cast<std::size_t>(ref >> kPageShift)] != 0; }
  // When nothing lives in old pages any more.
  void FinishRenewal();
  bool releasing() const { return phase_ == Phase::kReleasing; }
  // Frees up to `pages_max` old pages; the renewal is over when none is left. True while some are.
  bool ReleaseOld(std::size_t pages_max);

  // --- Figures, all O(1).
  std::size_t bytes_held() const { return held_bytes_; }  // pages, old ones included
  std::size_t bytes_used() const { return used_bytes_ + old_used_bytes_; }
  // Neither in use nor the room of the current page.
  std::size_t bytes_free() const { return held_bytes_ - bytes_used() - (end_ - bump_); }
  std::size_t pages() const { return page_count_; }
  std::size_t memory_bytes() const {
    return held_bytes_ + pages_.allocated_bytes() + old_.allocated_bytes() +
           lists_.allocated_bytes();
  }
  // Aborts when an invariant does not hold. O(pages + free slots).
  void CheckInvariants() const;

 private:
  enum class Phase : std::uint8_t { kSteady, kMoving, kReleasing };

  static constexpr std::size_t kPrefetchBytesMax = 64;
  static constexpr unsigned kPageShift = 11;
  static constexpr std::uint64_t kOffsetMask = (1U << kPageShift) - 1;
  static_assert(kPageBytes == kGranuleBytes << kPageShift);
  static_assert(kPagesMax << kPageShift == std::uint64_t{1} << 36, "references have 36 bits");
  static constexpr std::size_t kFineBytesMax = 256;
  static constexpr std::size_t kCoarseStep = 32;
  static constexpr std::size_t kFineClasses = (kFineBytesMax - kSlotBytesMin) / kGranuleBytes + 1;

  static constexpr std::size_t ClassOf(std::size_t slot_bytes) {
    if (slot_bytes <= kFineBytesMax) return (slot_bytes - kSlotBytesMin) / kGranuleBytes;
    return kFineClasses + (slot_bytes - kFineBytesMax) / kCoarseStep - 1;
  }
  static constexpr std::size_t ClassBytes(std::size_t size_class) {
    if (size_class < kFineClasses) return kSlotBytesMin + size_class * kGranuleBytes;
    return kFineBytesMax + (size_class - kFineClasses + 1) * kCoarseStep;
  }
  static constexpr Ref MakeRef(std::size_t page, std::size_t offset_bytes) {
    return static_cast<Ref>(page) << kPageShift | offset_bytes / kGranuleBytes;
  }

  Ref TakeFree(std::size_t slot_bytes);
  void FileFree(Ref ref, std::size_t slot_bytes);
  void FileRoom();
  [[nodiscard]] bool MakeRoom(std::size_t slot_bytes);
  [[nodiscard]] bool GrowCurrent(std::size_t slot_bytes);
  [[nodiscard]] bool NewPage(std::size_t slot_bytes);
  std::size_t VacantNumber();
  void FreePage(std::size_t page);
  void TrimDirectory();

  PlainArray<std::byte*> pages_;  // by number, null where there is none
  PlainArray<std::uint8_t> old_;  // by number: whether the page is to go
  PlainArray<Ref> lists_;         // heads of the free lists, by class
  std::size_t page_count_ = 0;    // that are not null
  std::size_t vacant_from_ = 0;   // no number before this is vacant
  std::size_t current_ = 0;       // the page that slots are cut off
  std::size_t held_bytes_ = 0;
  std::size_t used_bytes_ = 0;      // slots in pages that are not old
  std::size_t old_used_bytes_ = 0;  // in those that are
  std::size_t release_next_ = 0;    // numbers from here on have been released
  std::uint32_t pages_max_;
  std::uint32_t bump_ = 0;            // where the next slot begins in the current page
  std::uint32_t end_ = 0;             // where the page ends; 0 without a current page
  std::uint32_t old_current_ = 0;     // the page that was current when the renewal started
  std::uint32_t old_end_ = 0;         // and its size
  std::uint16_t slot_bytes_max_ = 0;  // of all that have ever been given
  Phase phase_ = Phase::kSteady;
};

}  // namespace aeris::storage
