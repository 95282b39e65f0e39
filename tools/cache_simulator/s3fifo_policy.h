// S3fifoPolicy: newcomers pass through a small FIFO queue; those that are asked for meanwhile move
// to the main part, the others leave, and a list of ghosts remembers their fingerprints: one that
// comes back goes to the main part at once. The main part is a clock: a hand walks over it in the
// order of the keys' hashes and takes a use count from each key; one that has none left goes.
//
// Source: FIFO queues are all you need for cache eviction, SOSP 2023. There the main part is a
// queue, too, which `order=fifo` has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "tools/cache_simulator/ghost_list.h"
#include "tools/cache_simulator/policy.h"
#include "tools/load_generator/key_sequence.h"

namespace aeris::cachesim {

class S3fifoPolicy final : public Policy {
 public:
  // How much size matters: an entry of twice the mean size has to be asked for twice as often.
  enum class SizeRule : std::uint8_t {
    kNone,
    kMain,   // the hand takes counts in proportion to the size
    kSmall,  // to leave the small queue takes hits in proportion to the size
    kBoth,
    kLarge,  // the hand takes two from what is larger than the mean
  };

  struct Options {
    double small_share = 0.10;  // of the memory
    unsigned promote_hits = 1;  // in the small queue
    unsigned count_max = 3;
    unsigned start_count = 0;  // of a key that was promoted ...
    bool keep_count = false;   // ... or its hits in the small queue
    unsigned ghost_count = 0;  // of a key that came back
    double ghost_share = 1.0;  // fingerprints, of the keys that the cache holds
    unsigned ghost_bits = 16;
    bool ghost_main = false;  // what the hand evicts is remembered as well
    bool main_fifo = false;
    bool halve = false;  // the hand halves counts instead of taking one
    SizeRule size_rule = SizeRule::kNone;
    double size_unit = 1;        // the size that costs one use, in mean sizes
    bool size_weighted = false;  // the mean is over bytes instead, but `size_unit` at most
  };

  S3fifoPolicy(const Options& options, const CacheShape& shape);

  bool Get(Position key) override;
  void Insert(Position key) override;

 private:
  static constexpr std::uint8_t kResident = 0x80;
  static constexpr std::uint8_t kSmall = 0x40;
  static constexpr std::uint8_t kCount = 0x3f;

  unsigned CountOf(Position key) const { return state_[key] & kCount; }
  void EvictOne();
  void StepSmall();
  void StepMain();
  Position NextOfMain();
  void AddToMain(Position key, unsigned count);
  void Remove(Position key);
  unsigned Price(Position key, unsigned price);
  double UnitBytes() const;

  Options options_;
  std::vector<std::uint16_t> entry_bytes_;
  std::vector<std::uint8_t> state_;
  std::deque<Position> small_;
  std::deque<Position> main_;  // with main_fifo
  std::size_t small_bytes_ = 0;
  double square_bytes_ = 0;  // the sum of the squares of the entries' sizes
  std::size_t hand_ = 0;
  GhostList ghosts_;
  load::Xoshiro random_{11};
};

}  // namespace aeris::cachesim
