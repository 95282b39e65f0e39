// GhostList: fingerprints of keys that left the cache lately. Sets of eight; a new fingerprint
// pushes the oldest one of its set out.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tools/load_generator/key_sequence.h"

namespace aeris::cachesim {

class GhostList {
 public:
  static constexpr std::size_t kWays = 8;

  void Resize(std::size_t fingerprints, unsigned bits) {
    sets_ = std::max<std::size_t>(1, fingerprints / kWays);
    mask_ = static_cast<std::uint16_t>((1U << bits) - 1);
    fingerprints_.assign(fingerprints == 0 ? 0 : sets_ * kWays, 0);
  }

  void Add(std::uint64_t key) {
    if (fingerprints_.empty()) return;
    std::uint16_t* set = SetOf(key);
    std::move_backward(set, set + kWays - 1, set + kWays);
    set[0] = FingerprintOf(key);
  }

  // Whether the key is among them; it is not any more then.
  bool Take(std::uint64_t key) {
    if (fingerprints_.empty()) return false;
    std::uint16_t* set = SetOf(key);
    std::uint16_t* found = std::find(set, set + kWays, FingerprintOf(key));
    if (found == set + kWays) return false;
    std::move(found + 1, set + kWays, found);
    set[kWays - 1] = 0;
    return true;
  }

 private:
  std::uint16_t* SetOf(std::uint64_t key) {
    return &fingerprints_[(load::Xoshiro::Mix(key) >> 20) % sets_ * kWays];
  }
  // Never 0, which is an empty place.
  std::uint16_t FingerprintOf(std::uint64_t key) const {
    const auto bits = static_cast<std::uint16_t>(load::Xoshiro::Mix(~key) & mask_);
    return bits == 0 ? 1 : bits;
  }

  std::size_t sets_ = 1;
  std::uint16_t mask_ = 0;
  std::vector<std::uint16_t> fingerprints_;
};

}  // namespace aeris::cachesim
