// Arena: the memory of the entries of one keyspace.
//
// One range of addresses is reserved at the first allocation and handed out in pages of 64 KiB,
// each cut into slots of one size class. A reference is the slot's offset in granules of 4 bytes,
// 36 bits for 256 GiB, so a table can keep 40 bits or fewer per key where a pointer takes 64.
//
//   range   [ page headers, 16 bytes per page | page | page | page | ... up to the reserved size ]
//             page 0, 1, ...: never handed out      ^ committed (read-write) in growing steps
//   page    [ slot | slot | slot (free: 2 bytes, the next free slot) | never used ... | rest ]
//   header  free head 2, used 2, bump 2, class 1, state + touched 1, next 4, previous 4
//   class   current page 4, bins of pages 8 x 4, pages 4, slots in use 8, sparse 1
//
// Size classes: every 4 bytes to 256, every 8 to 512, then 8 per doubling to 8 KiB: 128 classes, 2
// bytes of slack in the mean for small entries, 6 % for large ones.
// Holds:    a slot is in use or in its page's free list or beyond `bump`; a page is empty, the
//           current page of its class, in one of the class's fullness bins, full, or the one that
//           is being emptied; reference 0 and references whose low 32 bits are zero are never given
//           (a table marks free slots so).
// Order:    a class allocates from its current page until that is full, then takes the fullest page
//           that has room, so sparse pages run empty; empty pages are reused by all classes, the
//           last one freed first, and a few stay resident, the others are returned to the kernel.
// Sweep:    a class whose entries would fit one page less with 1/16 of room to spare is sparse, and
//           stays so until 1/32 is left: its sparsest page is taken out of the bins and its slots
//           in use are handed to the owner, who moves what lives there (SlotsToMove). A bitmap made
//           from the page's free list, and kept by Free, tells used slots from free ones. Classes
//           count pages and slots, so that finding nothing to do costs 128 comparisons.
// Cost:     Allocate and Free O(1): the page header (16 bytes, warm) and the slot's first line.
// Memory:   0.25 permille for headers, the tail of each page (below 1/8 for the largest classes);
//           no syscall and no memory before the first allocation.
// Threads:  none; may be destroyed on another thread than the one that used it.
// Not for:  anything above kSlotBytesMax.
// Rejected: general allocators: 5 to 8 bytes more per entry in classes of 16 bytes, 64-bit
//           references, and sparse pages that nobody can empty. A bitmap for every page: a cache
//           line more per allocation for what the sweep alone needs. Reading an entry to see
//           whether its slot is in use: a freed one still looks like one.
// Measured: tests/bench/storage/arena_bench.cc, evacuation_bench.cc; on 2 shared vCPUs, 16-byte
// keys
//           with 32-byte values, a random half of them deleted: the sweep takes 66 to 89 ns per
//           entry moved at 10^6 to 4 * 10^6 keys, choosing pages and returning them included; a
//           step of 1000 takes 70 to 90 us in the median and 160 to 310 us at most. Nothing to
//           gain: 0.3 us.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "src/base/check.h"
#include "storage/huge_page.h"

namespace aeris::storage {

// A slot of an arena, 36 bits; 0 is no slot.
using Ref = std::uint64_t;

// The size classes of slots.
struct SizeClass {
  static constexpr std::size_t kCount = 128;
  // The class of the smallest slot that holds `bytes`, which is at most kSlotBytesMax.
  static constexpr std::size_t Of(std::size_t bytes);
  static constexpr std::size_t Bytes(std::size_t size_class);
};

constexpr std::size_t SizeClass::Of(std::size_t bytes) {
  if (bytes <= 256) return (bytes + 3) / 4 - 1;
  if (bytes <= 512) return 64 + (bytes - 256 + 7) / 8 - 1;
  // 8 classes between 2^n (exclusive) and 2^(n+1): the three bits below the highest one choose.
  const auto log = static_cast<std::size_t>(63 - __builtin_clzll(bytes - 1));
  return 96 + (log - 9) * 8 + (((bytes - 1) >> (log - 3)) & 7);
}

constexpr std::size_t SizeClass::Bytes(std::size_t size_class) {
  if (size_class < 64) return (size_class + 1) * 4;
  if (size_class < 96) return 256 + (size_class - 63) * 8;
  const std::size_t log = 9 + (size_class - 96) / 8;
  return (std::size_t{1} << log) + (((size_class - 96) % 8 + 1) << (log - 3));
}

inline constexpr auto kClassBytes = [] {
  std::array<std::uint16_t, SizeClass::kCount> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint16_t>(SizeClass::Bytes(i));
  }
  return bytes;
}();

class Arena {
 public:
  static constexpr std::size_t kGranuleBytes = 4;
  static constexpr std::size_t kPageBytes = std::size_t{64} << 10;
  static constexpr std::size_t kSlotBytesMax = std::size_t{8} << 10;
  static constexpr std::size_t kReserveBytesMax = std::size_t{256} << 30;

  struct Options {
    // Addresses to reserve; 0 is twice the physical memory, rounded up to a power of two, at most
    // kReserveBytesMax. Where the kernel refuses, half is tried, and so on.
    std::size_t reserve_bytes = 0;
    // Empty pages kept resident, beside 1/64 of the pages in use.
    std::size_t reserve_pages = 16;
  };

  Arena() : Arena(Options{}) {}
  explicit Arena(const Options& options) : options_(options) {}
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // A slot for at least `bytes` (1 to kSlotBytesMax), contents arbitrary. 0, and nothing changed,
  // when the range is used up or the kernel gives no memory.
  [[nodiscard]] Ref Allocate(std::size_t bytes);
  void Free(Ref ref);

  std::byte* At(Ref ref) const { return base_ + ref * kGranuleBytes; }
  Ref RefOf(const std::byte* slot) const { return static_cast<Ref>(slot - base_) / kGranuleBytes; }
  bool Contains(const void* address) const {
    const auto* const byte = static_cast<const std::byte*>(address);
    return byte >= base_ && byte < base_ + pages_end_ * kPageBytes;
  }
  std::size_t SlotBytes(Ref ref) const { return kClassBytes[headers_[PageOf(ref)].size_class]; }

  std::size_t bytes_in_use() const { return bytes_in_use_; }  // slots handed out, whole classes
  std::size_t bytes_held() const { return bytes_held_; }      // of pages, as far as ever touched
  std::size_t reserved_bytes() const { return reserved_bytes_; }

  // --- The sweep that empties sparse pages, one at a time.
  // Slots in use of the page that is being emptied, a new one if there is none and a class is
  // sparse; at most refs.size(). Returns how many, 0 when there is nothing to gain. The caller
  // moves all of them to slots that it allocates, and frees these, or calls StopEmptying().
  [[nodiscard]] std::size_t SlotsToMove(std::span<Ref> refs);
  // Slots that were looked through to find those in use, in all: what it takes to begin a page.
  std::uint64_t slots_searched() const { return slots_searched_; }
  // The page that is being emptied is used again as it is.
  void StopEmptying();
  // Gives up to `pages_max` empty pages beyond the reserve back to the kernel; true while there are
  // more.
  bool ReturnPages(std::size_t pages_max);

  // --- Pages.
  struct PageInfo {
    std::size_t page = 0;
    std::size_t slot_bytes = 0;
    std::size_t slots = 0;  // that fit
    std::size_t used = 0;
  };
  static std::size_t PageOf(Ref ref) { return ref * kGranuleBytes / kPageBytes; }
  template <typename Visit>
  void VisitPages(Visit&& visit) const {
    for (std::size_t page = first_page_; page < pages_end_; ++page) {
      if (const PageInfo info = InfoOf(page); info.slots != 0) visit(info);
    }
  }
  PageInfo InfoOf(std::size_t page) const;  // slots 0 when the page is not in use
  std::size_t pages_in_use() const { return pages_in_use_; }

  // --- Blocks: stretches of pages that a huge page can take the place of.
  std::size_t blocks() const { return PageBlocks().size() / HugePage::kBytes; }
  // One of which every byte is resident and belongs to pages in use, so that a huge page in its
  // place takes no memory; empty when it is not such a one. O(32).
  std::span<std::byte> FullBlock(std::size_t block) const;

  // Aborts when an invariant does not hold. O(pages + free slots).
  void CheckInvariants() const;

 private:
  static constexpr std::uint32_t kNoPage = 0;  // page 0 holds headers
  static constexpr std::uint16_t kNoSlot = 0xffff;
  static constexpr std::size_t kBins = 8;
  static constexpr std::size_t kPageGranules = kPageBytes / kGranuleBytes;

  enum class PageState : std::uint8_t { kUnused, kFree, kCurrent, kBinned, kFull, kEmptying };

  struct PageHeader {
    std::uint16_t free_head;  // granule of the first free slot, kNoSlot
    std::uint16_t used;       // slots in use
    std::uint16_t bump;       // slots ever used
    std::uint8_t size_class;
    PageState state : 3;
    std::uint8_t touched : 5;      // blocks of 4 KiB that are resident, 0 to 16
    std::uint32_t next, previous;  // in the bin, or in a list of free pages (next only)
  };
  static_assert(sizeof(PageHeader) == 16, "one page costs 16 bytes of header");

  struct ClassState {
    std::uint32_t current = kNoPage;
    std::array<std::uint32_t, kBins> bins{};  // by fullness, the last is the fullest
    std::uint32_t pages = 0;
    std::uint64_t used = 0;  // slots
    bool sparse = false;     // pages are being emptied until there is little to gain
  };

  // The page that is being emptied.
  struct Emptying {
    std::uint32_t page = kNoPage;
    std::uint32_t next = 0;                                // granule from which on slots are left
    std::array<std::uint64_t, kPageGranules / 64> used{};  // a bit per granule: a used slot begins
  };

  PageHeader& header(std::size_t page) const { return headers_[page]; }
  std::byte* PageStart(std::size_t page) const { return base_ + page * kPageBytes; }
  std::span<std::byte> PageBlocks() const;

  [[nodiscard]] bool Reserve();
  [[nodiscard]] bool Commit(std::size_t page);
  std::uint32_t TakeEmptyPage();
  void ReleasePage(std::uint32_t page);
  std::uint32_t PageWithRoom(std::size_t size_class);
  Ref TakeSlot(std::uint32_t page, std::size_t slot_bytes);
  void Touch(PageHeader& page, std::size_t bytes);
  void AfterFree(std::uint32_t page, PageHeader& head);
  void GiveBack(std::uint32_t page);
  std::size_t ReserveMax() const { return options_.reserve_pages + pages_in_use_ / 64; }
  bool WorthEmptying(std::size_t size_class);
  bool StartEmptying();
  void FindUsedSlots(std::uint32_t page);
  std::uint16_t NextFree(std::uint32_t page, std::uint16_t granule) const;

  static std::size_t BinOf(const PageHeader& head);
  void Link(std::uint32_t page, std::size_t bin);
  void Unlink(std::uint32_t page, std::size_t bin);
  void CheckPage(std::uint32_t page) const;

  Options options_;
  std::byte* base_ = nullptr;
  PageHeader* headers_ = nullptr;  // at the start of the range
  std::size_t reserved_bytes_ = 0;
  std::size_t first_page_ = 0;     // the first that can hold slots
  std::size_t pages_end_ = 0;      // pages from here on were never used
  std::size_t committed_end_ = 0;  // pages below this are read-write
  std::size_t pages_in_use_ = 0;
  std::size_t resident_empty_ = 0;
  std::uint32_t resident_head_ = kNoPage;  // empty pages that are still resident, last freed first
  std::uint32_t returned_head_ = kNoPage;  // empty pages whose memory went back to the kernel
  std::size_t bytes_in_use_ = 0;
  std::size_t bytes_held_ = 0;
  std::array<ClassState, SizeClass::kCount> classes_;
  Emptying emptying_;
  std::uint64_t slots_searched_ = 0;
};

}  // namespace aeris::storage
