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
// need no links, the table's own order is their clock; the hand takes long strides through it, or
// else all room would be behind it and new keys would crowd before it (keyspace_eviction.cc).
//
// A key's state is its slot's four policy bits. 0, which a slot starts with, is settled and not
// used. So are keys that came while there was room, or before the policy did: nobody has seen
// whether they are worth their place, so they are newcomers still, in no order. While there are
// more than a few of them (how many is known from what the hand meets) they go first.
//
// Cost:     nothing but two bits of a cache line at hand for a key that is read; a new key 8 bytes
//           at the end of a queue and a look at one line of fingerprints.
// Memory:   8 bytes for each newcomer, 16 more for a large one, 1 byte for each key in
// fingerprints. Sizes:    a key pays for its place by uses in proportion to its size (PriceOf). The
// queue is
//           counted in keys; of those much larger than the mean also in bytes.
// Measured: tools/cache_simulator over the traffic of tools/cachebench, misses as a share of what
//           Redis's better policy has: 0.67 at Zipf 1.0 in 60 MB; 0.80 with sizes of 16 bytes to
//           4 KiB, 0.86 with prices by the mean over keys, 0.90 without. A share of 2 to 10% for
//           newcomers is all the same, 20% is worse; two uses to settle 0.72; no fingerprints 0.70;
//           3 or 4 bits of uses gain nothing, nor does a queue of the settled in place of the hand.
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
  // A newcomer that is large beside the others has been admitted. Such ones also wait in a queue of
  // their own: a few of them fill the newcomers' share of bytes long before that of keys.
  void NoteLarge(std::uint64_t hash, std::size_t bytes) {
    large_.push_back({hash, bytes});
    large_bytes_ += bytes;
    // Nobody takes them out while nothing has to go.
    if (large_.size() > newcomers_.size()) TakeEldestLarge();
  }
  // Whether they take more than the share of `bytes`. The last one stays, or a value as large as
  // the share could never be read.
  bool many_large(std::size_t bytes) const {
    return large_.size() > 1 && (large_bytes_ - large_.back().bytes) * kNewcomerShare > bytes;
  }
  // As TakeEldest(); it stays among the others, where it will be found gone, or settled.
  std::optional<std::uint64_t> TakeEldestLarge();
  // Those that come soon, for prefetching.
  std::optional<std::uint64_t> Eldest(std::size_t ahead) const {
    return ahead < newcomers_.size() ? std::optional(newcomers_[ahead]) : std::nullopt;
  }
  // A newcomer, or one of the unproven, has gone, of a keyspace with that many keys.
  void Remember(std::uint64_t hash, std::size_t keys);

  // --- The unproven: settled, and never used.
  bool many_unproven() const { return unproven_share_ * kNewcomerShare > 1; }
  // One of `keys` keys has become unproven.
  void AddUnproven(std::size_t keys) { MoveShare(true, 1 / static_cast<double>(keys)); }
  // The hand has met one of the settled, of that size.
  void Met(unsigned bits, std::size_t bytes, std::size_t keys);

  // --- The settled.
  std::vector<std::uint64_t> victims;  // hashes of what the hand has found, not gone yet

  // The uses that a key of that size pays when the hand comes by; who has fewer goes. One for the
  // mean over bytes of what the hand has met (the size of the key that a byte belongs to), for
  // others in proportion, rounded up or down by chance in the right measure; 0 to kUsesMax + 1.
  unsigned PriceOf(std::size_t bytes, Random& random) const;

  // Fingerprints; the queue and this object are the allocator's.
  std::size_t mapped_bytes() const { return ghosts_.mapped_bytes(); }
  std::size_t memory_bytes() const {
    return ghosts_.memory_bytes() + newcomers_.size() * sizeof(std::uint64_t) +
           large_.size() * sizeof(Large);
  }

 private:
  struct Large {
    std::uint64_t hash;
    std::size_t bytes;
  };
  static constexpr unsigned kNewcomer = 8;
  static constexpr unsigned kUsed = 4;
  // Shares and means are of about so many that the hand has met last.
  static constexpr double kMetForMean = 4096;

  void MoveShare(bool unproven, double by) {
    unproven_share_ += ((unproven ? 1.0 : 0.0) - unproven_share_) * by;
  }

  double unproven_share_ = 1;  // of the settled
  double bytes_mean_ = 0;      // of the settled, and of their squares
  double squares_mean_ = 0;
  std::deque<std::uint64_t> newcomers_;  // hashes, the eldest in front
  std::deque<Large> large_;              // some of them
  std::size_t large_bytes_ = 0;
  GhostQueue ghosts_;
};

}  // namespace aeris::storage
