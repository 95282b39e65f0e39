// Random numbers. Secrets come from the kernel; everything else from a generator whose seed the
// owner gives, so that tests repeat.
#pragma once

#include <cstdint>
#include <random>
#include <span>

namespace aeris {

// Fills `bytes` from getrandom(2). For hash keys, run ids and other secrets.
void FillWithSecret(std::span<std::byte> bytes);

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t Next() { return engine_(); }
  // Uniform enough in [0, bound): the bias is below bound / 2^64. `bound` is at least 1.
  std::uint64_t Below(std::uint64_t bound) {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>((static_cast<Wide>(engine_()) * bound) >> 64);
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace aeris
