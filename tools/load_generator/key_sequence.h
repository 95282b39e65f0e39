// KeySequence: the numbers of the keys that requests name, one after another.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <optional>

namespace aeris::load {

// xoshiro256++ by Blackman and Vigna: a nanosecond per number, which std::mt19937_64 is not.
class Xoshiro {
 public:
  explicit Xoshiro(std::uint64_t seed) {
    for (std::uint64_t& word : state_) word = Mix(seed += 0x9E3779B97F4A7C15);
  }

  std::uint64_t Next() {
    const std::uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  // Uniform in [0, bound), but for a bias below bound / 2^64.
  std::uint64_t Below(std::uint64_t bound) {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>((static_cast<Wide>(Next()) * bound) >> 64);
  }

  // Uniform in [0, 1).
  double Unit() { return static_cast<double>(Next() >> 11) * 0x1p-53; }

  // The finisher of splitmix64: every bit of the result depends on every bit of `value`.
  static std::uint64_t Mix(std::uint64_t value) {
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
    return value ^ (value >> 31);
  }

 private:
  std::array<std::uint64_t, 4> state_;
};

enum class KeyOrder : std::uint8_t {
  kRandom,      // uniform, without end
  kSequential,  // 0 to the last, then again
  kOnce,        // 0 to the last
};

class KeySequence {
 public:
  struct Options {
    std::uint64_t keys = 1;
    KeyOrder order = KeyOrder::kRandom;
    // 0 or 1: with kOnce, only the keys of this half of a random partition, which is the same in
    // every run. So one run can delete a half that another one fills again.
    int half = -1;
    std::uint64_t seed = 1;
  };

  explicit KeySequence(const Options& options) : options_(options), random_(options.seed) {}

  // None when kOnce has named them all.
  std::optional<std::uint64_t> Next() {
    if (options_.order == KeyOrder::kRandom) return random_.Below(options_.keys);
    while (next_ < options_.keys) {
      const std::uint64_t key = next_++;
      if (options_.half < 0 || (Xoshiro::Mix(key) & 1) == static_cast<unsigned>(options_.half)) {
        return key;
      }
    }
    if (options_.order == KeyOrder::kOnce) return std::nullopt;
    next_ = 1;
    return 0;
  }

 private:
  Options options_;
  Xoshiro random_;
  std::uint64_t next_ = 0;
};

}  // namespace aeris::load
