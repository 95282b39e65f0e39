// Bucket: ten slots of the hash-ordered table in exactly one cache line.
//
//   byte  0      10     15      16                               24                            63
//         [fp x10][hi x5][spill][displaced 10|filed 10|policy 40|s4][low word x 10              ]
//
//   fp         fingerprint of each slot: the low 8 bits of the hash
//   hi, low    the reference, 36 bits: a nibble and a 32-bit word; low word 0 = the slot is empty
//   displaced  the entry's home is an earlier bucket
//   filed      the slot has a code in the expire wheel's bytes (deadline_codes.h)
//   policy     4 bits per slot for the owner of the table (use counts of eviction)
//   spill      12 bits (8 + s4): how many entries passed over this bucket, that is, have their home
//              here or earlier and are stored later. It sticks at kSpillMax, since what was not
//              counted cannot be counted down; that takes a run of 400 full buckets, and the next
//              move of the table counts afresh.
//
// One 16-byte load gives fingerprints and, nearly always, all of the spill count. SSE2 is every
// x86-64's; other CPUs take the plain loops, which are also what the tests compare with.
#pragma once

#include <bit>
#include <cstdint>

#include "src/base/check.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace aeris::storage {

// A reference to an entry, 36 bits, 0 = none. The low 32 bits of a valid one are never 0.
using Ref = std::uint64_t;
inline constexpr unsigned kRefBits = 36;

class alignas(64) Bucket {
 public:
  static constexpr unsigned kSlots = 10;
  static constexpr unsigned kSlotMask = (1U << kSlots) - 1;
  static constexpr unsigned kPolicyBits = 4;
  static constexpr unsigned kSpillMax = (1U << 12) - 1;

  // Bit i: slot i carries `fingerprint`. Empty slots may be among them; their ref() is 0.
  unsigned Match(std::uint8_t fingerprint) const {
#if defined(__SSE2__)
    const __m128i head = _mm_load_si128(reinterpret_cast<const __m128i*>(this));
    const __m128i wanted = _mm_set1_epi8(static_cast<char>(fingerprint));
    return static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(head, wanted))) & kSlotMask;
#else
    return MatchPlain(fingerprint);
#endif
  }
  unsigned MatchPlain(std::uint8_t fingerprint) const {
    unsigned mask = 0;
    for (unsigned i = 0; i < kSlots; ++i) mask |= (fingerprint_[i] == fingerprint ? 1U : 0U) << i;
    return mask;
  }

  unsigned FreeMask() const {
#if defined(__SSE2__)
    const __m128i zero = _mm_setzero_si128();
    const auto* words = reinterpret_cast<const __m128i*>(low_);
    const auto* rest = reinterpret_cast<const __m128i*>(low_ + 8);
    const __m128i first = _mm_cmpeq_epi32(_mm_loadu_si128(words), zero);
    const __m128i second = _mm_cmpeq_epi32(_mm_loadu_si128(words + 1), zero);
    const __m128i third = _mm_cmpeq_epi32(_mm_loadl_epi64(rest), zero);
    const __m128i bytes =
        _mm_packs_epi16(_mm_packs_epi32(first, second), _mm_packs_epi32(third, third));
    return static_cast<unsigned>(_mm_movemask_epi8(bytes)) & kSlotMask;
#else
    return FreeMaskPlain();
#endif
  }
  unsigned FreeMaskPlain() const {
    unsigned mask = 0;
    for (unsigned i = 0; i < kSlots; ++i) mask |= (low_[i] == 0 ? 1U : 0U) << i;
    return mask;
  }
  unsigned OccupiedMask() const { return ~FreeMask() & kSlotMask; }
  unsigned DisplacedMask() const { return static_cast<unsigned>(bits_) & kSlotMask; }
  unsigned FiledMask() const { return static_cast<unsigned>(bits_ >> kFiledShift) & kSlotMask; }

  std::uint8_t fingerprint(unsigned slot) const { return fingerprint_[slot]; }
  Ref ref(unsigned slot) const {
    const std::uint64_t high = unsigned{high_[slot / 2]} >> NibbleShift(slot) & 0xFU;
    return high << 32 | low_[slot];
  }
  void SetRef(unsigned slot, Ref ref) {
    AERIS_DCHECK(ref >> kRefBits == 0);
    const unsigned others = high_[slot / 2] & (0xF0U >> NibbleShift(slot));
    const auto high = static_cast<unsigned>(ref >> 32) & 0xFU;
    high_[slot / 2] = static_cast<std::uint8_t>(others | high << NibbleShift(slot));
    low_[slot] = static_cast<std::uint32_t>(ref);
  }

  // Fills an empty slot; its other bits are 0 already.
  void Put(unsigned slot, std::uint8_t fingerprint, Ref ref, bool displaced) {
    AERIS_DCHECK(low_[slot] == 0 && static_cast<std::uint32_t>(ref) != 0);
    fingerprint_[slot] = fingerprint;
    SetRef(slot, ref);
    if (displaced) bits_ |= std::uint64_t{1} << slot;
  }
  void Clear(unsigned slot) {
    SetRef(slot, 0);
    SetPolicy(slot, 0);
    bits_ &= ~(((std::uint64_t{1} << kFiledShift) | 1U) << slot);
  }

  bool displaced(unsigned slot) const { return (bits_ >> slot & 1U) != 0; }
  bool filed(unsigned slot) const { return (bits_ >> (kFiledShift + slot) & 1U) != 0; }
  void SetFiled(unsigned slot, bool filed) {
    const std::uint64_t bit = std::uint64_t{1} << (kFiledShift + slot);
    bits_ = filed ? bits_ | bit : bits_ & ~bit;
  }
  unsigned policy(unsigned slot) const {
    return static_cast<unsigned>(bits_ >> PolicyShift(slot)) & 0xFU;
  }
  void SetPolicy(unsigned slot, unsigned bits) {
    AERIS_DCHECK(bits >> kPolicyBits == 0);
    bits_ = (bits_ & ~(std::uint64_t{0xF} << PolicyShift(slot))) | std::uint64_t{bits}
                                                                       << PolicyShift(slot);
  }

  unsigned spill() const { return spill_low_ | static_cast<unsigned>(bits_ >> kSpillShift) << 8; }
  void AddSpill() {
    if (spill() != kSpillMax) SetSpill(spill() + 1);
  }
  void RemoveSpill() {
    AERIS_DCHECK(spill() != 0);
    if (spill() != kSpillMax) SetSpill(spill() - 1);
  }

 private:
  static constexpr unsigned kFiledShift = 10;
  static constexpr unsigned kPolicyShift = 20;
  static constexpr unsigned kSpillShift = 60;

  static constexpr unsigned NibbleShift(unsigned slot) { return (slot & 1U) * 4; }
  static constexpr unsigned PolicyShift(unsigned slot) { return kPolicyShift + slot * kPolicyBits; }
  void SetSpill(unsigned spill) {
    spill_low_ = static_cast<std::uint8_t>(spill & 0xFFU);
    bits_ = (bits_ << 4 >> 4) | std::uint64_t{spill >> 8} << kSpillShift;
  }

  std::uint8_t fingerprint_[kSlots];
  std::uint8_t high_[kSlots / 2];
  std::uint8_t spill_low_;
  std::uint64_t bits_;
  std::uint32_t low_[kSlots];
};
static_assert(sizeof(Bucket) == 64 && alignof(Bucket) == 64, "a bucket is one cache line");

}  // namespace aeris::storage
