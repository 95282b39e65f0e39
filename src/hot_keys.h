// HotKeys: which keys carry the most requests, and the most bytes, lately. Always on: one request
// in 16 is looked at.
//
// The gap to the next one is drawn from 1 to 31, so that no pattern of a pipeline hides from it. Of
// a command with many keys a few are taken and count for all. Counts are halved every ten minutes:
// what was hot an hour ago has a 64th of its weight.
//
// Cost:    two instructions for a request that is not looked at; 40 ns and what TopKeys takes for
//          one that is.
// Memory:  24 KiB and at most 256 keys.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "src/base/clock.h"
#include "src/base/random.h"
#include "src/top_keys.h"
#include "storage/hash_function.h"

namespace aeris {

class HotKeys {
 public:
  // Of requests one in so many is looked at: a multiplier of what was seen.
  static constexpr std::uint64_t kSampleEvery = 16;
  static constexpr std::size_t kKeysMax = TopKeys::kKeysMax;
  // Keys looked at of one request, about.
  static constexpr std::size_t kKeysPerRequest = 16;

  // `random` outlives it.
  explicit HotKeys(Random& random);

  // Whether this request is to be looked at. Asked once for each.
  bool TakesThisOne() {
    if (--until_next_ != 0) [[likely]]
      return false;
    DrawGap();
    return true;
  }

  // A request that is looked at: `key_of(i)` is the i-th of its `key_count` keys, and `bytes`,
  // arguments and reply, are all that it moved.
  template <typename KeyOf>
  void Add(std::size_t database, std::size_t key_count, std::size_t bytes, KeyOf&& key_of) {
    if (key_count == 0) return;
    const std::size_t step = (key_count + kKeysPerRequest - 1) / kKeysPerRequest;
    const KeyLoads loads{.of = {step, bytes / key_count * step}};
    for (std::size_t i = step == 1 ? 0 : random_.Below(step); i < key_count; i += step) {
      AddKey(database, key_of(i), loads);
    }
  }

  // Ten times a second or so.
  void Age(MonotonicTime now);
  void Reset();

  // At most `count` of those with most, in their order; counts are estimates of all requests.
  std::vector<HotKey> Top(KeyLoad ranked_by, std::size_t count) const;
  // Estimate of the requests to a key, 0 unless it is among the hot ones.
  std::uint64_t RequestsTo(std::size_t database, const storage::HashedKey& key) const;

 private:
  static constexpr std::chrono::minutes kHalfLife{10};

  static std::uint64_t NameOf(std::size_t database, const storage::HashedKey& key);
  void DrawGap();
  void AddKey(std::size_t database, const storage::HashedKey& key, const KeyLoads& loads);

  Random& random_;
  std::uint64_t until_next_ = 1;
  TopKeys by_requests_;
  TopKeys by_bytes_;
  std::optional<MonotonicTime> halved_;
};

}  // namespace aeris
