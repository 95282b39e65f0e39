#include "storage/deadline_codes.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "src/base/check.h"

namespace aeris::storage {
namespace {

constexpr std::size_t kGroup = 16;    // slots compared at once
constexpr std::size_t kCompared = 8;  // more due codes than this are looked up one by one

// Bit i: the code at bytes[i] is due.
unsigned DueMask(const std::byte* bytes, const ExpireWheel& wheel) {
  unsigned mask = 0;
#if defined(__SSE2__)
  const __m128i group = _mm_load_si128(reinterpret_cast<const __m128i*>(bytes));
  if (wheel.due_codes().size() <= kCompared) {
    __m128i found = _mm_setzero_si128();
    for (const std::uint8_t code : wheel.due_codes()) {
      found = _mm_or_si128(found, _mm_cmpeq_epi8(group, _mm_set1_epi8(static_cast<char>(code))));
    }
    return static_cast<unsigned>(_mm_movemask_epi8(found));
  }
  const __m128i none = _mm_cmpeq_epi8(group, _mm_setzero_si128());
  if (_mm_movemask_epi8(none) == 0xFFFF) return 0;
#endif
  for (unsigned i = 0; i < kGroup; ++i) {
    mask |= (wheel.IsDue(static_cast<std::uint8_t>(bytes[i])) ? 1U : 0U) << i;
  }
  return mask;
}

}  // namespace

bool DeadlineCodes::Allocate(std::size_t slots) {
  const std::size_t chunks = (slots + kChunkSlots - 1) / kChunkSlots;
  const bool with_bitmap = slots >= kBitmapSlotsMin;
  SparseRegion bytes((slots + kGroup - 1) / kGroup * kGroup);
  SparseRegion bitmap(with_bitmap ? BitmapBytes(slots + kLineChunks * kChunkSlots - 1) : 0);
  if (bytes.data() == nullptr || (with_bitmap && bitmap.data() == nullptr)) return false;
  slots_ = slots;
  next_slot_ = slots;
  chunks_ = chunks;
  bytes_ = std::move(bytes);
  bitmap_ = std::move(bitmap);
  return true;
}

bool DeadlineCodes::Grow(std::size_t slots, std::size_t first_live) {
  DeadlineCodes larger;
  if (!larger.Allocate(slots)) return false;
  for (std::size_t slot = first_live; slot < slots_; ++slot) {
    if (const std::uint8_t code = Get(slot); code != 0) larger.Set(slot, code);
  }
  if (!done()) larger.next_slot_ = next_slot_;
  *this = std::move(larger);
  return true;
}

void DeadlineCodes::Mark(std::uint8_t code, std::size_t chunk) {
  if (!has_bitmap()) return;
  std::uint64_t& word = Word(code, chunk);
  const std::uint64_t bit = std::uint64_t{1} << (chunk % 64);
  if ((word & bit) != 0) return;
  bitmap_.Touch(WordIndex(code, chunk) * sizeof word);
  word |= bit;
}

void DeadlineCodes::Set(std::size_t slot, std::uint8_t code) {
  AERIS_DCHECK(slot < slots_);
  if (code != 0) {
    Mark(code, slot / kChunkSlots);
    bytes_.Touch(slot);
  }
  bytes_.data()[slot] = std::byte{code};
}

std::size_t DeadlineCodes::NextChunk(std::size_t chunk, std::span<const std::uint8_t> codes) const {
  if (!has_bitmap() || chunk >= chunks_) return chunk;
  std::uint64_t from = ~std::uint64_t{0} << (chunk % 64);
  for (std::size_t first = chunk / 64 * 64; first < chunks_; first += 64) {
    std::uint64_t any = 0;
    for (const std::uint8_t code : codes) any |= Word(code, first);
    any &= from;
    if (any != 0) return first + static_cast<std::size_t>(std::countr_zero(any));
    from = ~std::uint64_t{0};
  }
  return chunks_;
}

DeadlineCodes::Collected DeadlineCodes::CollectDue(const ExpireWheel& wheel,
                                                   std::span<std::uint64_t, kDueMax> due,
                                                   std::size_t chunks_max) {
  Collected collected;
  while (!done() && collected.due + kChunkSlots <= kDueMax && collected.chunks < chunks_max) {
    const std::size_t chunk = NextChunk(next_slot_ / kChunkSlots, wheel.due_codes());
    const std::size_t first = std::max(next_slot_, chunk * kChunkSlots);
    next_slot_ = std::min((chunk + 1) * kChunkSlots, slots_);
    if (chunk >= chunks_) break;
    collected.due += CollectChunk(wheel, first, due.data() + collected.due);
    ++collected.chunks;
  }
  return collected;
}

std::size_t DeadlineCodes::CollectChunk(const ExpireWheel& wheel, std::size_t first,
                                        std::uint64_t* due) {
  const std::size_t chunk = first / kChunkSlots;
  const std::size_t end = std::min((chunk + 1) * kChunkSlots, slots_);
  // A chunk entered in its middle keeps its bits: codes filed since may lie in its first part.
  if (has_bitmap() && first == chunk * kChunkSlots) {
    const std::uint64_t bit = std::uint64_t{1} << (chunk % 64);
    for (const std::uint8_t code : wheel.due_codes()) {
      // Pages that nobody has written stay so.
      if (std::uint64_t& word = Word(code, chunk); (word & bit) != 0) word &= ~bit;
    }
  }
  std::size_t count = 0;
  for (std::size_t group = first / kGroup * kGroup; group < end; group += kGroup) {
    unsigned mask = DueMask(bytes_.data() + group, wheel);
    if (group < first) mask &= ~0U << (first - group);
    for (; mask != 0; mask &= mask - 1) {
      due[count++] = group + static_cast<std::uint64_t>(std::countr_zero(mask));
    }
  }
  return count;
}

std::size_t DeadlineCodes::CountDue(const ExpireWheel& wheel, std::size_t first) const {
  if (first >= slots_) return 0;
  const std::size_t first_chunk = first / kChunkSlots;
  std::size_t count = 0;
  std::size_t counted = 0;
  std::size_t chunk = NextChunk(first_chunk, wheel.due_codes());
  for (; chunk < chunks_ && counted < kCountedChunks; ++counted) {
    const std::size_t end = std::min((chunk + 1) * kChunkSlots, slots_);
    for (std::size_t group = chunk * kChunkSlots; group < end; group += kGroup) {
      unsigned mask = DueMask(bytes_.data() + group, wheel);
      if (group + kGroup <= first) mask = 0;
      if (group < first && mask != 0) mask &= ~0U << (first - group);
      count += static_cast<std::size_t>(std::popcount(mask));
    }
    chunk = NextChunk(chunk + 1, wheel.due_codes());
  }
  if (chunk >= chunks_) return count;
  return count * (chunks_ - first_chunk) / (chunk - first_chunk);
}

void DeadlineCodes::PutBack(std::span<const std::uint64_t> rest) {
  AERIS_DCHECK(!rest.empty());
  next_slot_ = rest.front();
  for (const std::uint64_t slot : rest) Mark(Get(slot), slot / kChunkSlots);
}

void DeadlineCodes::AddCodes(std::size_t first_slot, std::bitset<256>& codes) const {
  if (!has_bitmap()) {
    for (std::size_t slot = first_slot; slot < slots_; ++slot) codes.set(Get(slot));
    codes.reset(0);
    return;
  }
  // The bits of a word's earlier chunks may be stale as well.
  for (std::size_t chunk = first_slot / kChunkSlots / 64 * 64; chunk < chunks_; chunk += 64) {
    for (std::size_t code = 1; code < ExpireWheel::kCodes; ++code) {
      if (Word(static_cast<std::uint8_t>(code), chunk) != 0) codes.set(code);
    }
  }
}

void DeadlineCodes::ReleaseBefore(std::size_t slot) {
  if (!allocated()) return;
  next_slot_ = std::max(next_slot_, slot);
  bytes_.ReleasePrefix(slot);
  bitmap_.ReleasePrefix(BitmapBytes(slot));
}

void DeadlineCodes::CheckSlot(std::size_t slot) const {
  AERIS_CHECK(slot < slots_);
  const std::uint8_t code = Get(slot);
  AERIS_CHECK(code != 0 && code < ExpireWheel::kCodes);
  if (!has_bitmap()) return;
  const std::size_t chunk = slot / kChunkSlots;
  AERIS_CHECK((Word(code, chunk) >> (chunk % 64) & 1U) != 0);
}

}  // namespace aeris::storage
