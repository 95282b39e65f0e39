// RedisPolicy: allkeys-lru and allkeys-lfu as Redis 7.0 approximates them: five random keys for
// each removal, the best of which go to a pool of sixteen, and the best of the pool is removed. Its
// clocks are coarse: a second for LRU, a minute for the decay of LFU.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tools/cache_simulator/policy.h"
#include "tools/load_generator/key_sequence.h"

namespace aeris::cachesim {

class RedisPolicy final : public Policy {
 public:
  enum class Kind : std::uint8_t { kLru, kLfu };
  struct Options {
    Kind kind = Kind::kLru;
    double clock_seconds = 1;  // resolution of the LRU clock; 0: exact
  };
  RedisPolicy(const Options& options, const CacheShape& shape);

  bool Get(Position key) override;
  void Insert(Position key) override;

 private:
  struct Candidate {
    std::uint64_t idle = 0;
    Position key = 0;
  };
  static constexpr std::size_t kSamples = 5;
  static constexpr std::size_t kPoolSize = 16;
  static constexpr std::uint8_t kLfuInitial = 5;
  static constexpr double kLfuLogFactor = 10;

  std::uint64_t Idle(Position key) const;
  std::uint8_t Decayed(Position key) const;
  void Touch(Position key);
  void Sample();
  void Offer(const Candidate& candidate);
  void EvictOne();

  Options options_;
  double requests_per_clock_;
  double requests_per_minute_;
  std::vector<std::uint16_t> entry_bytes_;
  std::vector<std::uint32_t> place_;   // in resident_, plus 1; 0: not there
  std::vector<std::uint32_t> clock_;   // of the last access: LRU clocks, or minutes
  std::vector<std::uint8_t> counter_;  // LFU's
  std::vector<Position> resident_;     // in no order
  std::vector<Candidate> pool_;        // ascending
  load::Xoshiro random_{7};
  std::uint64_t now_ = 0;  // requests
};

}  // namespace aeris::cachesim
