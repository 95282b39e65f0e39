// S3Fifo: the order in which a keyspace loses keys under allkeys-s3fifo and volatile-s3fifo.
//
//            new key                     used again                    used too little since the
//               |     [ newcomers: FIFO ] ---------> [ the settled ] --> hand came by last: gone
//               |         | not used                   clock hand in the order of hashes,
//               |         v                            takes one use away as it passes
//               |      gone, leaves a fingerprint (ghost_queue.h)
//               '-- whose fingerprint is there: settled at once
//
// Most keys of a cache are asked for once. They pass through the newcomers' queue, a twentieth of
// the keys, and never get to push out what is in use; a scan passes likewise. Source: "FIFO queues
// are all you need for cache eviction", SOSP 2023. Here only the newcomers are a queue: the settled
// need no links, the table's own order is their clock.
//
// A key's state is its slot's four policy bits. 0, which a slot starts with, is settled and not
// used: keys that were there before the policy was are the first that the hand takes.
//
// Cost:     nothing but two bits of a cache line at hand for a key that is read; a new key 8 bytes
//           at the end of a queue and a look at one line of fingerprints.
// Memory:   8 bytes for each newcomer, 1 byte for each key in fingerprints.
// Sizes:    a key pays for its place by uses, as many as it is times larger than the mean
// (PriceOf).
//           The queue is counted in keys, not in bytes.
// Measured: tools/cache_simulator over the traffic of tools/cachebench, misses as a share of those
// of
//           Redis's better policy: 0.67 at Zipf 1.0 in 60 MB; 0.86 with sizes of 16 bytes to 4 KiB,
//           0.90 without prices. A share of 2 to 10% for newcomers is all the same, 20% is worse;
//           two uses to settle 0.72; no fingerprints 0.70; 3 or 4 bits of uses gain nothing, nor
//           does a queue of the settled in place of the hand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "src/base/random.h"
#include "storage/ghost_queue.h"

namespace aeris::storage {

class S3Fifo {
 public:
  // Newcomers are at most one in so many keys before they go.
  static constexpr std::size_t kNewcomerShare = 20;
  static constexpr unsigned kUsesMax = 3;

  // --- Policy bits. Any key's `used` and `uses` are kept under every policy that removes keys.
  static bool newcomer(unsigned bits) { return (bits & kNewcomer) != 0; }
  static bool used(unsigned bits) { return (bits & kUsed) != 0; }  // since it was created
  static unsigned uses(unsigned bits) { return bits & kUsesMax; }  // 0 to kUsesMax
  static unsigned AfterUse(unsigned bits) {
    return bits | kUsed | (uses(bits) < kUsesMax ? uses(bits) + 1 : kUsesMax);
  }
  static unsigned WithUses(unsigned bits, unsigned uses) { return (bits & ~kUsesMax) | uses; }
  static unsigned Settled(unsigned bits) { return bits & ~kNewcomer; }

  // --- Newcomers.
  // Of a key that is new: the bits that it starts with.
  unsigned Admit(std::uint64_t hash);
  std::size_t newcomers() const { return newcomers_.size(); }
  // The eldest newcomer's hash, which is queued no more; it may have gone, or be another's by now.
  std::optional<std::uint64_t> TakeEldest();
  // Those that come soon, for prefetching.
  std::optional<std::uint64_t> Eldest(std::size_t ahead) const {
    return ahead < newcomers_.size() ? std::optional(newcomers_[ahead]) : std::nullopt;
  }
  // A newcomer has gone, of a keyspace with that many keys.
  void Remember(std::uint64_t hash, std::size_t keys);

  // --- The settled.
  std::uint64_t hand = 0;              // the table's cursor
  std::vector<std::uint64_t> victims;  // hashes of what the hand has found, not gone yet

  // The uses that a key of that size pays when the hand comes by; who has fewer goes. bytes /
  // mean_bytes, rounded up or down by chance in the right measure; 0 to kUsesMax + 1.
  static unsigned PriceOf(std::size_t bytes, std::size_t mean_bytes, Random& random);

  // Fingerprints; the queue and this object are the allocator's.
  std::size_t mapped_bytes() const { return ghosts_.mapped_bytes(); }
  std::size_t memory_bytes() const {
    return ghosts_.memory_bytes() + newcomers_.size() * sizeof(std::uint64_t);
  }

 private:
  static constexpr unsigned kNewcomer = 8;
  static constexpr unsigned kUsed = 4;
  std::deque<std::uint64_t> newcomers_;  // hashes, the eldest in front
  GhostQueue ghosts_;
};

}  // namespace aeris::storage
