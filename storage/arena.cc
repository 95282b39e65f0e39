#include "storage/arena.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>

#include "storage/freed_bytes.h"
#include "storage/prefetch.h"
#include "storage/unmap_in_steps.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, bytes) \
  (static_cast<void>(address), static_cast<void>(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(address, bytes) \
  (static_cast<void>(address), static_cast<void>(bytes))
#endif

namespace aeris::storage {
namespace {

constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kTouchBytes = 4096;
constexpr std::size_t kCommitPagesMin = 32;  // 2 MiB
// A page here would hold a slot whose reference has 32 low zero bits.
constexpr std::size_t kForbiddenPages =
    (std::size_t{1} << 32) * Arena::kGranuleBytes / Arena::kPageBytes;

static_assert(kClassBytes.back() == Arena::kSlotBytesMax);

constexpr auto kClassSlots = [] {
  std::array<std::uint16_t, SizeClass::kCount> slots{};
  for (std::size_t i = 0; i < slots.size(); ++i) {
    slots[i] = static_cast<std::uint16_t>(Arena::kPageBytes / SizeClass::Bytes(i));
  }
  return slots;
}();

// What turns used slots into a bin: used * kBinScale >> 16, without a division.
constexpr std::uint32_t BinScale(std::size_t bins, std::size_t slots) {
  return static_cast<std::uint32_t>((bins << 16) / (slots + 1));
}

// A class is swept while its slots in use and this share of room to spare leave a page over.
constexpr std::size_t kSpareToStart = 16;
constexpr std::size_t kSpareToStop = 32;

std::size_t DefaultReserve() {
  const auto pages = static_cast<std::size_t>(std::max(1L, sysconf(_SC_PHYS_PAGES)));
  const auto page_bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return std::min(Arena::kReserveBytesMax, std::bit_ceil(2 * pages * page_bytes));
}

}  // namespace

Arena::~Arena() {
  if (base_ == nullptr) return;
  ASAN_UNPOISON_MEMORY_REGION(base_, pages_end_ * kPageBytes);
  UnmapInSteps(base_, committed_end_ * kPageBytes, reserved_bytes_);
}

Ref Arena::Allocate(std::size_t bytes) {
  AERIS_DCHECK(bytes > 0 && bytes <= kSlotBytesMax);
  const std::size_t size_class = SizeClass::Of(bytes);
  ClassState& state = classes_[size_class];
  const std::size_t slot_bytes = kClassBytes[size_class];
  if (state.current == kNoPage) {
    state.current = PageWithRoom(size_class);
    if (state.current == kNoPage) return 0;
  }
  const std::uint32_t page = state.current;
  const Ref ref = TakeSlot(page, slot_bytes);
  PageHeader& head = header(page);
  if (head.free_head == kNoSlot && head.bump == kClassSlots[size_class]) {
    head.state = PageState::kFull;
    state.current = kNoPage;
  }
  ++state.used;
  bytes_in_use_ += slot_bytes;
  ASAN_UNPOISON_MEMORY_REGION(At(ref), slot_bytes);
  return ref;
}

void Arena::Free(Ref ref) {
  const auto page = static_cast<std::uint32_t>(PageOf(ref));
  PageHeader& head = header(page);
  AERIS_DCHECK(page >= first_page_ && page < pages_end_ && head.used > 0);
  const std::size_t slot_bytes = kClassBytes[head.size_class];
  std::byte* const slot = At(ref);
  AERIS_DCHECK(static_cast<std::size_t>(slot - PageStart(page)) % slot_bytes == 0);
  ASAN_UNPOISON_MEMORY_REGION(slot, slot_bytes);
  FillFreed(slot, slot_bytes);
  std::memcpy(slot, &head.free_head, sizeof head.free_head);
  ASAN_POISON_MEMORY_REGION(slot, slot_bytes);
  head.free_head =
      static_cast<std::uint16_t>(static_cast<std::size_t>(slot - PageStart(page)) / kGranuleBytes);
  --head.used;
  --classes_[head.size_class].used;
  bytes_in_use_ -= slot_bytes;
  AfterFree(page, head);
}

Arena::PageInfo Arena::InfoOf(std::size_t page) const {
  const PageHeader& head = header(page);
  if (head.state == PageState::kUnused || head.state == PageState::kFree) return {.page = page};
  return {.page = page,
          .slot_bytes = kClassBytes[head.size_class],
          .slots = kClassSlots[head.size_class],
          .used = head.used};
}

std::span<std::byte> Arena::PageBlocks() const {
  if (base_ == nullptr) return {};
  return HugePage::Blocks({PageStart(first_page_), PageStart(pages_end_)});
}

std::span<std::byte> Arena::FullBlock(std::size_t block) const {
  AERIS_DCHECK(block < blocks());
  const std::span<std::byte> bytes =
      PageBlocks().subspan(block * HugePage::kBytes, HugePage::kBytes);
  const auto begin = static_cast<std::size_t>(bytes.data() - base_);
  const std::size_t last = (begin + HugePage::kBytes - 1) / kPageBytes;
  for (std::size_t page = begin / kPageBytes; page <= last; ++page) {
    const PageHeader& head = header(page);
    const bool in_use = head.state != PageState::kUnused && head.state != PageState::kFree;
    if (!in_use || head.touched != kPageBytes / kTouchBytes) return {};
  }
  return bytes;
}

bool Arena::Reserve() {
  std::size_t bytes = options_.reserve_bytes != 0 ? options_.reserve_bytes : DefaultReserve();
  bytes = std::clamp(bytes / kPageBytes * kPageBytes, 4 * kPageBytes, kReserveBytesMax);
  void* range = MAP_FAILED;
  for (; bytes >= 4 * kPageBytes; bytes = bytes / 2 / kPageBytes * kPageBytes) {
    range = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (range != MAP_FAILED) break;
  }
  if (range == MAP_FAILED) return false;
  const std::size_t header_bytes = bytes / kPageBytes * sizeof(PageHeader);
  const std::size_t header_pages = (header_bytes + kPageBytes - 1) / kPageBytes;
  // The headers are touched only as pages come into use.
  if (mprotect(range, header_pages * kPageBytes, PROT_READ | PROT_WRITE) != 0) {
    munmap(range, bytes);
    return false;
  }
  base_ = static_cast<std::byte*>(range);
  headers_ = static_cast<PageHeader*>(range);
  reserved_bytes_ = bytes;
  first_page_ = header_pages;
  pages_end_ = first_page_;
  committed_end_ = first_page_;
  return true;
}

// Makes `page` and some after it read-write, in steps that grow with the arena; where memory is
// short, `page` alone.
bool Arena::Commit(std::size_t page) {
  const std::size_t pages_max = reserved_bytes_ / kPageBytes;
  const std::size_t step = std::max(kCommitPagesMin, committed_end_ / 16);
  const std::size_t far = std::min(pages_max, std::max(page + 1, committed_end_ + step));
  for (const std::size_t end : {far, page + 1}) {
    if (mprotect(PageStart(committed_end_), (end - committed_end_) * kPageBytes,
                 PROT_READ | PROT_WRITE) == 0) {
      committed_end_ = end;
      return true;
    }
  }
  return false;
}

// kNoPage without memory.
std::uint32_t Arena::TakeEmptyPage() {
  std::uint32_t page = resident_head_;
  if (page != kNoPage) {
    resident_head_ = header(page).next;
    --resident_empty_;
  } else if (returned_head_ != kNoPage) {
    page = returned_head_;
    returned_head_ = header(page).next;
  } else {
    std::size_t fresh = pages_end_;
    if (fresh % kForbiddenPages == 0) ++fresh;
    if (fresh >= reserved_bytes_ / kPageBytes) return kNoPage;  // the range is used up
    if (fresh >= committed_end_ && !Commit(fresh)) return kNoPage;
    page = static_cast<std::uint32_t>(fresh);
    pages_end_ = fresh + 1;
  }
  ++pages_in_use_;
  ASAN_POISON_MEMORY_REGION(PageStart(page), kPageBytes);
  return page;
}

// An empty page goes to the reserve, or its memory to the kernel once the reserve is full.
void Arena::ReleasePage(std::uint32_t page) {
  PageHeader& head = header(page);
  head.state = PageState::kFree;
  --pages_in_use_;
  --classes_[head.size_class].pages;
  if (resident_empty_ >= ReserveMax()) return GiveBack(page);
  head.next = resident_head_;
  resident_head_ = page;
  ++resident_empty_;
}

// The memory of an empty page goes back to the kernel.
void Arena::GiveBack(std::uint32_t page) {
  PageHeader& head = header(page);
  // Fails only for locked memory, which then simply stays.
  if (madvise(PageStart(page), kPageBytes, MADV_DONTNEED) == 0) {
    bytes_held_ -= head.touched * kTouchBytes;
    head.touched = 0;
  }
  head.next = returned_head_;
  returned_head_ = page;
}

bool Arena::ReturnPages(std::size_t pages_max) {
  for (; pages_max > 0 && resident_empty_ > ReserveMax(); --pages_max) {
    const std::uint32_t page = resident_head_;
    resident_head_ = header(page).next;
    --resident_empty_;
    GiveBack(page);
  }
  return resident_empty_ > ReserveMax();
}

// kNoPage without memory.
std::uint32_t Arena::PageWithRoom(std::size_t size_class) {
  ClassState& state = classes_[size_class];
  for (std::size_t bin = kBins; bin-- > 0;) {
    if (const std::uint32_t page = state.bins[bin]; page != kNoPage) {
      Unlink(page, bin);
      header(page).state = PageState::kCurrent;
      return page;
    }
  }
  if (base_ == nullptr && !Reserve()) return kNoPage;
  const std::uint32_t page = TakeEmptyPage();
  if (page == kNoPage) return kNoPage;
  PageHeader& head = header(page);
  head.free_head = kNoSlot;
  head.used = 0;
  head.bump = 0;
  head.size_class = static_cast<std::uint8_t>(size_class);
  head.state = PageState::kCurrent;
  ++state.pages;
  return page;
}

Ref Arena::TakeSlot(std::uint32_t page, std::size_t slot_bytes) {
  PageHeader& head = header(page);
  ++head.used;
  if (head.free_head != kNoSlot) {
    std::byte* const slot = PageStart(page) + head.free_head * kGranuleBytes;
    ASAN_UNPOISON_MEMORY_REGION(slot, sizeof head.free_head);
    std::memcpy(&head.free_head, slot, sizeof head.free_head);
    // The next allocation reads there, and would wait for it.
    if (head.free_head != kNoSlot) Prefetch(PageStart(page) + head.free_head * kGranuleBytes);
    return RefOf(slot);
  }
  const std::size_t offset = head.bump * slot_bytes;
  ++head.bump;
  Touch(head, offset + slot_bytes);
  return RefOf(PageStart(page) + offset);
}

// Keeps the account of resident memory: slots are used in order, so `bytes` from the page's start
// have been touched.
void Arena::Touch(PageHeader& head, std::size_t bytes) {
  const std::size_t blocks = (bytes + kTouchBytes - 1) / kTouchBytes;
  if (blocks <= head.touched) return;
  bytes_held_ += (blocks - head.touched) * kTouchBytes;
  head.touched = static_cast<std::uint8_t>(blocks & 0x1f);
}

// Files the page where its new fullness belongs.
void Arena::AfterFree(std::uint32_t page, PageHeader& head) {
  switch (head.state) {
    case PageState::kCurrent:
      if (head.used != 0) return;
      classes_[head.size_class].current = kNoPage;
      return ReleasePage(page);
    case PageState::kFull:
      if (head.used == 0) return ReleasePage(page);
      head.state = PageState::kBinned;
      return Link(page, BinOf(head));
    case PageState::kBinned: {
      PageHeader before = head;
      ++before.used;
      const std::size_t old_bin = BinOf(before);
      if (head.used == 0) {
        Unlink(page, old_bin);
        return ReleasePage(page);
      }
      if (const std::size_t bin = BinOf(head); bin != old_bin) {
        Unlink(page, old_bin);
        Link(page, bin);
      }
      return;
    }
    case PageState::kEmptying: {
      const std::size_t granule = head.free_head;
      emptying_.used[granule / 64] &= ~(std::uint64_t{1} << (granule % 64));
      if (head.used != 0) return;
      emptying_.page = kNoPage;
      return ReleasePage(page);
    }
    case PageState::kUnused:
    case PageState::kFree:
      AERIS_CHECK(!"a slot of an empty page was freed");
  }
}

// --- Emptying

std::size_t Arena::SlotsToMove(std::span<Ref> refs) {
  if (emptying_.page == kNoPage && !StartEmptying()) return 0;
  const Ref first = emptying_.page * std::size_t{kPageGranules};
  std::size_t count = 0;
  std::size_t word = emptying_.next / 64;
  std::uint64_t ahead = ~std::uint64_t{0} << (emptying_.next % 64);
  for (; word < emptying_.used.size(); ++word, ahead = ~std::uint64_t{0}) {
    for (std::uint64_t bits = emptying_.used[word] & ahead; bits != 0; bits &= bits - 1) {
      const std::size_t granule = word * 64 + static_cast<std::size_t>(std::countr_zero(bits));
      emptying_.next = static_cast<std::uint32_t>(granule);
      if (count == refs.size()) return count;
      refs[count++] = first + granule;
    }
  }
  emptying_.next = kPageGranules;
  // All have been handed out, and moving them releases the page.
  AERIS_DCHECK(count != 0);
  return count;
}

void Arena::StopEmptying() {
  const std::uint32_t page = emptying_.page;
  if (page == kNoPage) return;
  emptying_.page = kNoPage;
  PageHeader& head = header(page);
  head.state = PageState::kBinned;
  Link(page, BinOf(head));
}

bool Arena::WorthEmptying(std::size_t size_class) {
  ClassState& state = classes_[size_class];
  if (state.pages < 2) return false;
  const std::size_t slots = kClassSlots[size_class];
  const std::size_t spare = state.used / (state.sparse ? kSpareToStop : kSpareToStart);
  state.sparse = state.pages > (state.used + spare + slots - 1) / slots;
  return state.sparse;
}

// Takes the sparsest page of the sparse class where a page costs least: which has the fewest slots
// in use for each page that could be free. There is one: only one page is current, and the room of
// all is more than that of a page.
bool Arena::StartEmptying() {
  std::optional<std::size_t> best;
  std::uint64_t best_moves = 0;
  for (std::size_t i = 0; i < classes_.size(); ++i) {
    if (!WorthEmptying(i)) continue;
    const std::uint64_t slots = classes_[i].pages * std::uint64_t{kClassSlots[i]};
    const std::uint64_t moves = classes_[i].used * kClassSlots[i] / (slots - classes_[i].used);
    if (best && moves >= best_moves) continue;
    best = i;
    best_moves = moves;
  }
  if (!best) return false;
  for (std::size_t bin = 0; bin < kBins; ++bin) {
    const std::uint32_t page = classes_[*best].bins[bin];
    if (page == kNoPage) continue;
    Unlink(page, bin);
    header(page).state = PageState::kEmptying;
    emptying_.page = page;
    emptying_.next = 0;
    FindUsedSlots(page);
    return true;
  }
  return false;
}

void Arena::FindUsedSlots(std::uint32_t page) {
  const PageHeader& head = header(page);
  std::byte* const start = PageStart(page);
  const std::size_t slot_granules = kClassBytes[head.size_class] / kGranuleBytes;
  // The free list leads through cold lines one after the other, unless they are on their way.
  const std::size_t step = std::max(kCacheLine, slot_granules * kGranuleBytes);
  for (std::size_t at = 0; at < head.touched * kTouchBytes; at += step) Prefetch(start + at);
  emptying_.used.fill(0);
  slots_searched_ += head.bump;
  for (std::size_t i = 0; i < head.bump; ++i) {
    const std::size_t granule = i * slot_granules;
    emptying_.used[granule / 64] |= std::uint64_t{1} << (granule % 64);
  }
  for (std::uint16_t at = head.free_head; at != kNoSlot;) {
    emptying_.used[at / 64u] &= ~(std::uint64_t{1} << (at % 64u));
    at = NextFree(page, at);
  }
}

std::uint16_t Arena::NextFree(std::uint32_t page, std::uint16_t granule) const {
  std::byte* const slot = PageStart(page) + granule * kGranuleBytes;
  std::uint16_t next = 0;
  ASAN_UNPOISON_MEMORY_REGION(slot, kGranuleBytes);
  std::memcpy(&next, slot, sizeof next);
  ASAN_POISON_MEMORY_REGION(slot, kGranuleBytes);
  return next;
}

// --- Bins

// Slots are many in small classes and at least 8 in the largest.
std::size_t Arena::BinOf(const PageHeader& head) {
  constexpr auto kScale = [] {
    std::array<std::uint32_t, SizeClass::kCount> scale{};
    for (std::size_t i = 0; i < scale.size(); ++i) scale[i] = BinScale(kBins, kClassSlots[i]);
    return scale;
  }();
  return head.used * kScale[head.size_class] >> 16;
}

void Arena::Link(std::uint32_t page, std::size_t bin) {
  PageHeader& head = header(page);
  std::uint32_t& first = classes_[head.size_class].bins[bin];
  head.previous = kNoPage;
  head.next = first;
  if (first != kNoPage) header(first).previous = page;
  first = page;
}

void Arena::Unlink(std::uint32_t page, std::size_t bin) {
  const PageHeader& head = header(page);
  if (head.next != kNoPage) header(head.next).previous = head.previous;
  if (head.previous != kNoPage) {
    header(head.previous).next = head.next;
  } else {
    AERIS_DCHECK(classes_[head.size_class].bins[bin] == page);
    classes_[head.size_class].bins[bin] = head.next;
  }
}

void Arena::CheckInvariants() const {
  std::size_t held = 0, pages = 0, free_pages = 0, binned = 0;
  std::array<ClassState, SizeClass::kCount> counted;
  for (std::size_t page = first_page_; page < pages_end_; ++page) {
    const PageHeader& head = header(page);
    held += head.touched * kTouchBytes;
    if (const PageInfo info = InfoOf(page); info.slots != 0) {
      ++pages;
      CheckPage(static_cast<std::uint32_t>(page));
      binned += head.state == PageState::kBinned;
      ++counted[head.size_class].pages;
      counted[head.size_class].used += info.used;
    } else {
      free_pages += head.state == PageState::kFree;
    }
  }
  std::size_t in_use = 0;
  for (std::size_t i = 0; i < classes_.size(); ++i) {
    AERIS_CHECK(counted[i].pages == classes_[i].pages);
    AERIS_CHECK(counted[i].used == classes_[i].used);
    in_use += classes_[i].used * kClassBytes[i];
  }
  AERIS_CHECK(in_use == bytes_in_use_);
  AERIS_CHECK(held == bytes_held_);
  AERIS_CHECK(pages == pages_in_use_);
  std::size_t listed = 0;
  for (std::uint32_t page = resident_head_; page != kNoPage; page = header(page).next) ++listed;
  AERIS_CHECK(listed == resident_empty_);
  for (std::uint32_t page = returned_head_; page != kNoPage; page = header(page).next) ++listed;
  AERIS_CHECK(listed == free_pages);
  std::size_t linked = 0;
  for (const ClassState& state : classes_) {
    for (std::size_t bin = 0; bin < kBins; ++bin) {
      for (std::uint32_t page = state.bins[bin]; page != kNoPage; page = header(page).next) {
        AERIS_CHECK(header(page).state == PageState::kBinned);
        AERIS_CHECK(BinOf(header(page)) == bin);
        ++linked;
      }
    }
  }
  AERIS_CHECK(linked == binned);
}

void Arena::CheckPage(std::uint32_t page) const {
  const PageHeader& head = header(page);
  const std::size_t slots = kClassSlots[head.size_class];
  const std::size_t slot_bytes = kClassBytes[head.size_class];
  std::size_t free = 0;
  for (std::uint16_t at = head.free_head; at != kNoSlot; ++free) {
    AERIS_CHECK(free < head.bump);
    const std::size_t offset = at * kGranuleBytes;
    AERIS_CHECK(offset % slot_bytes == 0 && offset / slot_bytes < head.bump);
    AERIS_CHECK(emptying_.page != page || (emptying_.used[at / 64u] >> (at % 64u) & 1) == 0);
    at = NextFree(page, at);
  }
  AERIS_CHECK(head.bump <= slots);
  AERIS_CHECK(head.used + free == head.bump);
  AERIS_CHECK(head.used > 0);
  AERIS_CHECK((head.state == PageState::kFull) == (head.used == slots));
  AERIS_CHECK((head.state == PageState::kCurrent) == (classes_[head.size_class].current == page));
  AERIS_CHECK((head.state == PageState::kEmptying) == (emptying_.page == page));
  if (head.state != PageState::kEmptying) return;
  std::size_t marked = 0;
  for (const std::uint64_t word : emptying_.used) {
    marked += static_cast<std::size_t>(std::popcount(word));
  }
  AERIS_CHECK(marked == head.used);
}

}  // namespace aeris::storage
