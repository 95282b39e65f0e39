// Random numbers. Secrets come from the kernel; everything else from a generator whose seed the
// owner gives, so that tests repeat.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace aeris {

// Fills `bytes` from getrandom(2). For hash keys, run ids and other secrets.
void FillWithSecret(std::span<std::byte> bytes);

// SplitMix64: 8 bytes of state and five instructions. The standard library's generators of this
// quality have 2.5 KiB, which requests that draw push through the first cache.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t Next() {
    std::uint64_t mixed = state_ += 0x9e3779b97f4a7c15;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
    return mixed ^ mixed >> 31;
  }
  // Uniform enough in [0, bound): the bias is below bound / 2^64. `bound` is at least 1.
  std::uint64_t Below(std::uint64_t bound) {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>((static_cast<Wide>(Next()) * bound) >> 64);
  }

 private:
  std::uint64_t state_;
};

}  // namespace aeris
