#include "storage/member_heap.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "storage/freed_bytes.h"

namespace aeris::storage {
namespace {

// In these pages the slot at offset 0 would have a reference whose low 32 bits are zero.
constexpr std::size_t kForbiddenPages = std::size_t{1} << 21;

}  // namespace

MemberHeap::~MemberHeap() {
  for (std::byte* const page : pages_) std::free(page);
}

Ref MemberHeap::Allocate(std::size_t bytes) {
  AERIS_DCHECK(bytes > 0 && bytes <= kSlotBytesMax);
  const std::size_t slot_bytes = SlotBytes(bytes);
  Ref ref = TakeFree(slot_bytes);
  if (ref == 0) {
    if (end_ - bump_ < slot_bytes && !MakeRoom(slot_bytes)) return 0;
    ref = MakeRef(current_, bump_);
    bump_ += static_cast<std::uint32_t>(slot_bytes);
  }
  used_bytes_ += slot_bytes;
  slot_bytes_max_ = std::max(slot_bytes_max_, static_cast<std::uint16_t>(slot_bytes));
  return ref;
}

void MemberHeap::Free(Ref ref, std::size_t bytes) {
  const std::size_t slot_bytes = SlotBytes(bytes);
  FillFreed(At(ref), slot_bytes);
  if (IsOld(ref)) {
    AERIS_DCHECK(old_used_bytes_ >= slot_bytes);
    old_used_bytes_ -= slot_bytes;
    return;
  }
  AERIS_DCHECK(used_bytes_ >= slot_bytes);
  used_bytes_ -= slot_bytes;
  FileFree(ref, slot_bytes);
}

Ref MemberHeap::TakeFree(std::size_t slot_bytes) {
  const std::size_t size_class = ClassOf(slot_bytes);
  if (size_class >= lists_.size()) return 0;
  const Ref ref = lists_[size_class];
  if (ref != 0) std::memcpy(&lists_[size_class], At(ref), sizeof(Ref));
  return ref;
}

void MemberHeap::FileFree(Ref ref, std::size_t slot_bytes) {
  const std::size_t size_class = ClassOf(slot_bytes);
  // Without memory for the list the slot waits for the next renewal.
  if (size_class >= lists_.size() && !lists_.Resize(size_class + 1, 0)) return;
  std::memcpy(At(ref), &lists_[size_class], sizeof(Ref));
  lists_[size_class] = ref;
}

// Files the room of the current page, but for less than the smallest slot.
void MemberHeap::FileRoom() {
  while (end_ - bump_ >= kSlotBytesMin) {
    std::size_t slot_bytes = std::min<std::size_t>(end_ - bump_, kSlotBytesMax);
    if (slot_bytes > kFineBytesMax) slot_bytes = slot_bytes / kCoarseStep * kCoarseStep;
    FileFree(MakeRef(current_, bump_), slot_bytes);
    bump_ += static_cast<std::uint32_t>(slot_bytes);
  }
  bump_ = end_;
}

bool MemberHeap::MakeRoom(std::size_t slot_bytes) {
  if (end_ != 0 && end_ < kPageBytes) {
    if (!GrowCurrent(slot_bytes)) return false;
    if (end_ - bump_ >= slot_bytes) return true;
  }
  return NewPage(slot_bytes);
}

// To what the slot needs, or to a whole page where that is not enough.
bool MemberHeap::GrowCurrent(std::size_t slot_bytes) {
  std::uint32_t bytes = end_;
  while (bytes < kPageBytes && bytes - bump_ < slot_bytes) bytes += std::bit_floor(bytes) / 4;
  void* const memory = std::realloc(pages_[current_], bytes);
  if (memory == nullptr) return false;
  pages_[current_] = static_cast<std::byte*>(memory);
  held_bytes_ += bytes - end_;
  end_ = bytes;
  return true;
}

bool MemberHeap::NewPage(std::size_t slot_bytes) {
  const std::size_t number = VacantNumber();
  if (page_count_ >= pages_max_ || number >= kPagesMax) return false;
  const std::size_t numbers = std::max(pages_.size(), number + 1);
  if (!pages_.Reserve(numbers) || !old_.Reserve(numbers)) return false;
  const std::size_t bump = number % kForbiddenPages == 0 ? kSlotBytesMin : 0;
  const std::size_t least = std::max(kCurrentBytesMin, std::bit_ceil(slot_bytes + bump));
  const std::size_t bytes = std::clamp(std::bit_floor(held_bytes_ / 4), least, kPageBytes);
  void* const memory = std::malloc(bytes);
  if (memory == nullptr) return false;

  const bool reserved = pages_.Resize(numbers, nullptr) && old_.Resize(numbers, 0);
  AERIS_CHECK(reserved);
  FileRoom();
  pages_[number] = static_cast<std::byte*>(memory);
  ++page_count_;
  held_bytes_ += bytes;
  vacant_from_ = number + 1;
  current_ = number;
  bump_ = static_cast<std::uint32_t>(bump);
  end_ = static_cast<std::uint32_t>(bytes);
  return true;
}

// The lowest one, so that live pages gather at the directory's front and its end can go.
std::size_t MemberHeap::VacantNumber() {
  while (vacant_from_ < pages_.size() && pages_[vacant_from_] != nullptr) ++vacant_from_;
  return vacant_from_;
}

void MemberHeap::StartRenewal() {
  AERIS_DCHECK(phase_ == Phase::kSteady);
  // Vacant numbers stay what they are: the pages that will have them are not old.
  for (std::size_t number = 0; number < pages_.size(); ++number) {
    old_[number] = pages_[number] != nullptr ? 1 : 0;
  }
  std::fill(lists_.begin(), lists_.end(), Ref{0});
  old_used_bytes_ = std::exchange(used_bytes_, 0);
  old_current_ = static_cast<std::uint32_t>(current_);
  old_end_ = std::exchange(end_, 0);
  bump_ = 0;
  phase_ = Phase::kMoving;
}

void MemberHeap::FinishRenewal() {
  AERIS_CHECK(phase_ == Phase::kMoving);
  AERIS_CHECK(old_used_bytes_ == 0);
  release_next_ = pages_.size();
  phase_ = Phase::kReleasing;
}

bool MemberHeap::ReleaseOld(std::size_t pages_max) {
  if (phase_ != Phase::kReleasing) return false;
  // Numbers without an old page cost next to nothing, but they are not free.
  std::size_t steps = pages_max * 8;
  while (release_next_ != 0 && pages_max != 0 && steps != 0) {
    --release_next_;
    --steps;
    if (old_[release_next_] == 0) continue;
    FreePage(release_next_);
    --pages_max;
  }
  if (release_next_ != 0) return true;
  TrimDirectory();
  phase_ = Phase::kSteady;
  return false;
}

void MemberHeap::FreePage(std::size_t page) {
  std::free(std::exchange(pages_[page], nullptr));
  old_[page] = 0;
  --page_count_;
  held_bytes_ -= page == old_current_ ? old_end_ : kPageBytes;
  vacant_from_ = std::min(vacant_from_, page);
}

void MemberHeap::TrimDirectory() {
  std::size_t numbers = pages_.size();
  while (numbers != 0 && pages_[numbers - 1] == nullptr) --numbers;
  const bool fewer = pages_.Resize(numbers, nullptr) && old_.Resize(numbers, 0);
  AERIS_CHECK(fewer);
  pages_.Fit();
  old_.Fit();
}

void MemberHeap::CheckInvariants() const {
  std::size_t pages = 0;
  std::size_t old_pages = 0;
  std::size_t held_bytes = 0;
  AERIS_CHECK(pages_.size() == old_.size());
  for (std::size_t number = 0; number < pages_.size(); ++number) {
    const bool old = old_[number] != 0;
    AERIS_CHECK(pages_[number] != nullptr || (!old && number >= vacant_from_));
    if (pages_[number] == nullptr) continue;
    ++pages;
    if (old) ++old_pages;
    std::size_t bytes = kPageBytes;
    if (old && number == old_current_) bytes = old_end_;
    if (!old && number == current_ && end_ != 0) bytes = end_;
    held_bytes += bytes;
  }
  AERIS_CHECK(pages == page_count_);
  AERIS_CHECK(held_bytes == held_bytes_);
  if (phase_ == Phase::kSteady) AERIS_CHECK(old_pages == 0 && old_used_bytes_ == 0);
  AERIS_CHECK(bump_ <= end_ && end_ <= kPageBytes);
  const std::size_t fresh_bytes_max = (pages - old_pages) * kPageBytes;

  // Free slots lie apart from one another, in pages that stay.
  std::vector<std::pair<Ref, std::size_t>> slots;
  std::size_t listed_bytes = 0;
  for (std::size_t size_class = 0; size_class < lists_.size(); ++size_class) {
    const std::size_t bytes = ClassBytes(size_class);
    for (Ref ref = lists_[size_class]; ref != 0; std::memcpy(&ref, At(ref), sizeof ref)) {
      AERIS_CHECK(static_cast<std::uint32_t>(ref) != 0 && !IsOld(ref));
      AERIS_CHECK((ref & kOffsetMask) * kGranuleBytes + bytes <= kPageBytes);
      slots.emplace_back(ref, bytes);
      listed_bytes += bytes;
      AERIS_CHECK(listed_bytes <= fresh_bytes_max);
    }
  }
  std::sort(slots.begin(), slots.end());
  for (std::size_t i = 1; i < slots.size(); ++i) {
    AERIS_CHECK(slots[i - 1].first + slots[i - 1].second / kGranuleBytes <= slots[i].first);
  }
  AERIS_CHECK(listed_bytes + used_bytes_ + (end_ - bump_) <= fresh_bytes_max);
}

}  // namespace aeris::storage
