// ExactLru: the least recently used key goes, at the footprint of Redis: what its sampled policy
// and a clock of any resolution can come near to.
#pragma once

#include <cstdint>
#include <vector>

#include "tools/cache_simulator/footprint.h"
#include "tools/cache_simulator/policy.h"

namespace aeris::cachesim {

class ExactLru final : public Policy {
 public:
  explicit ExactLru(const CacheShape& shape)
      : Policy(shape.limit_bytes), shape_(shape), links_(shape.value_bytes.size() + 1) {
    end_ = static_cast<Position>(shape.value_bytes.size());
    links_[end_] = {end_, end_, true};
  }

  bool Get(Position key) override {
    if (!links_[key].resident) return false;
    Unlink(key);
    LinkNewest(key);
    return true;
  }

  void Insert(Position key) override {
    LinkNewest(key);
    Charge(BytesOf(key));
    while (over_limit()) {
      const Position oldest = links_[end_].newer;
      Unlink(oldest);
      links_[oldest].resident = false;
      Discharge(BytesOf(oldest));
    }
  }

 private:
  struct Link {
    Position newer = 0;
    Position older = 0;
    bool resident = false;
  };

  std::size_t BytesOf(Position key) const {
    return RedisBytes(shape_.key_bytes, shape_.value_bytes[key]);
  }
  void Unlink(Position key) {
    const Link& link = links_[key];
    links_[link.newer].older = link.older;
    links_[link.older].newer = link.newer;
  }
  void LinkNewest(Position key) {
    const Position newest = links_[end_].older;
    links_[key] = {end_, newest, true};
    links_[newest].newer = key;
    links_[end_].older = key;
  }

  const CacheShape& shape_;
  std::vector<Link> links_;  // a ring, with its end behind all keys
  Position end_;
};

}  // namespace aeris::cachesim
