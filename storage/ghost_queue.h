// GhostQueue: which keys have gone lately, as fingerprints of 8 bits.
//
// Eight fingerprints share a word, a queue of its own: a new one pushes out the eldest. A word
// belongs to an equal share of hashes, so all queues go at about the same pace, and a fingerprint
// stays for about as many Add() as there are places. A key that never went is found by mistake
// once in 30 times, which costs no hits that could be measured beside 16 bits.
//
// Cost:     one cache line, no allocation.
// Memory:   a byte for each place, taken as it is written.
// Source:   the ghost queue of S3-FIFO, "FIFO queues are all you need for cache eviction",
//           SOSP 2023.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "storage/zeroed_region.h"

namespace aeris::storage {

class GhostQueue {
 public:
  static constexpr std::size_t kPlacesMin = 1024;

  // Of none: without a place, or without memory for `places`.
  GhostQueue() = default;
  explicit GhostQueue(std::size_t places)
      : region_(std::max(places, kPlacesMin) / kLanes * sizeof(Word)),
        words_(region_.size_bytes() / sizeof(Word)) {}

  std::size_t places() const { return words_ * kLanes; }
  std::size_t memory_bytes() const { return region_.ResidentBytes(region_.size_bytes()); }
  // The part of it that is mapped, not the allocator's.
  std::size_t mapped_bytes() const { return region_.MappedBytes(region_.size_bytes()); }

  // `hash` is 64 bits that differ well in the highest and in the lowest 16.
  void Add(std::uint64_t hash) {
    if (words_ == 0) return;
    Word& word = WordOf(hash);
    word = word << kLaneBits | Fingerprint(hash);
  }
  // Whether it is there; it is not any more.
  bool Take(std::uint64_t hash) {
    if (words_ == 0) return false;
    Word& word = WordOf(hash);
    const std::uint64_t wanted = Fingerprint(hash);
    for (unsigned lane = 0; lane < kLanes; ++lane) {
      if ((word >> (lane * kLaneBits) & kLaneMask) != wanted) continue;
      word &= ~(kLaneMask << (lane * kLaneBits));
      return true;
    }
    return false;
  }

 private:
  using Word = std::uint64_t;
  __extension__ using WideWord = unsigned __int128;
  static constexpr unsigned kLaneBits = 8;
  static constexpr std::uint64_t kLaneMask = 0xFF;
  static constexpr unsigned kLanes = 8;

  // 0 is an empty place.
  static std::uint64_t Fingerprint(std::uint64_t hash) {
    const std::uint64_t bits = hash >> kLaneBits & kLaneMask;
    return bits != 0 ? bits : 1;
  }
  Word& WordOf(std::uint64_t hash) const {
    const auto at = static_cast<std::size_t>(static_cast<WideWord>(hash) * words_ >> 64);
    return reinterpret_cast<Word*>(region_.data())[at];
  }

  ZeroedRegion region_;
  std::size_t words_ = 0;
};

}  // namespace aeris::storage
