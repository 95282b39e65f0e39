// ReuseSketch: how many requests would hit if the cache were smaller, or larger.
//
// The reuse distance of a request is the memory of all keys that were used since its own key was.
// A cache that keeps what was used last hits when it is larger than that. Distances among one key
// in N, chosen by their hashes, are those among all keys divided by N, so a few thousand keys tell
// enough (SHARDS: Waldspurger et al., "Efficient MRC Construction with SHARDS", FAST 2015).
//
//   stamps    0 ... oldest                                        newest ... kStamps
//   bytes    [    | 64 | 0 | 96 | 64 | ... | 128 | 0 | ... | 64 ]    a tree of sums (Fenwick)
//                                 distance of the key here: |-------------------| times N
//
// Every use gives a key the next stamp; when there are no more, the keys are numbered anew. With
// kKeysMax keys, one beyond the range that is asked about makes room, or N is doubled.
//
// What a model of recency alone would miss:
//   - hot keys that happen to be in the sample, or not: that there are more or fewer requests in it
//     than one in N is put right as hits at any size (SHARDS-adj);
//   - a key that was not stored, was deleted, or whose deadline has passed, misses at any size;
//   - a policy that is better or worse than recency: HitRatio() corrects by what was measured.
//
// Cost:     a request outside of the sample is one comparison; at least 127 in 128 are. One in it
//           takes 100 to 200 ns, unless its key was the last one in the sample too.
// Memory:   kBytesMax from the first key in the sample on.
// Measured: tests/storage/reuse_sketch_test.cc compares with exact caches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "src/base/clock.h"

namespace aeris::storage {

class ReuseSketch {
 public:
  static constexpr std::size_t kKeysMax = 8192;
  static constexpr std::size_t kBytesMax = 400'000;

  // Counters of all requests, in the sample or not. They grow, or begin again at 0.
  struct Totals {
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;
  };
  // What is stored at a key.
  struct Item {
    std::size_t bytes = 0;  // with its share of tables; 0: nothing is stored
    UnixMs deadline = kNoDeadline;
  };

  ReuseSketch();
  ReuseSketch(const ReuseSketch&) = delete;
  ReuseSketch& operator=(const ReuseSketch&) = delete;
  ~ReuseSketch();

  // The totals now: ten times a second or so, and before answers are asked for.
  void CountAll(const Totals& totals);

  // Whether the key with that hash is in the sample; the calls below are for those alone. `key`
  // names it: its low 32 bits are the hash's.
  bool Samples(std::uint64_t hash) const { return static_cast<std::uint32_t>(hash) < threshold_; }
  // The key was asked for; `found` is what was there.
  void Requested(std::uint64_t key, const Item& found, UnixMs now);
  // The key was asked for and is there, and no other one of the sample was used since it was last:
  // then that is counted, and nothing else is to be done. False if not.
  bool RequestedAgain(std::uint64_t key) {
    if (key != newest_) return false;
    CountRepeat();
    return true;
  }
  // The key has been created with `item`.
  void Stored(std::uint64_t key, const Item& item);
  // Deleted by a client. Not for what makes room, nor for deadlines.
  void Removed(std::uint64_t key);

  // The largest cache that is asked about, in bytes of keys and values; 0 for no bound. One of less
  // than a quarter of what was is another cache, and all begins anew.
  void SetRange(std::size_t bytes);

  // The share of requests that a cache of `bytes` would answer, if it went on as the present one of
  // `present_bytes` has done. The model of recency says how the misses change from one size to the
  // other; that is scaled by the ratio of what was measured at the present size to what the model
  // has there, from a half to twice, as far as it is more than chance. So the answer at
  // `present_bytes` is the measured ratio, and a larger cache is never worse. 0 before requests.
  double HitRatio(double present_bytes, double bytes) const;
  // The same by the model alone.
  double ModelHitRatio(double bytes) const;

  // Requests of the sample that the answers rest on. Old ones count less and less.
  double sampled_requests() const;
  std::size_t sampled_keys() const;
  std::uint64_t keys_per_sampled() const;  // N
  // The answers rest on requests from now on; the keys stay known.
  void ForgetRequests();
  void Clear();

  // Aborts when an invariant does not hold. O(kStamps); for tests.
  void CheckInvariants() const;

 private:
  static constexpr std::uint32_t kThresholdMax = 1U << 25;    // of 2^32: one key in 128
  static constexpr std::uint64_t kNoKey = ~std::uint64_t{0};  // never in the sample
  struct Tables;

  void CountRepeat();
  bool Prepare();
  void MakeRoom();

  std::uint32_t threshold_ = kThresholdMax;
  std::uint64_t newest_ = kNoKey;  // with the newest stamp
  std::size_t range_ = 0;
  Totals last_;
  // Taken with the sketch, so that used memory does not jump when the first key comes; pages are
  // written only then.
  std::unique_ptr<std::byte[]> memory_;
  Tables* tables_ = nullptr;  // there, from the first key on
};

}  // namespace aeris::storage
