#include "tools/cache_simulator/redis_policy.h"

#include <algorithm>
#include <cmath>

#include "tools/cache_simulator/footprint.h"

namespace aeris::cachesim {

RedisPolicy::RedisPolicy(const Options& options, const CacheShape& shape)
    : Policy(shape.limit_bytes),
      options_(options),
      requests_per_clock_(std::max(1.0, options.clock_seconds * shape.requests_per_second)),
      requests_per_minute_(60 * shape.requests_per_second),
      place_(shape.value_bytes.size()),
      clock_(shape.value_bytes.size()),
      counter_(shape.value_bytes.size()) {
  for (const std::size_t bytes : shape.value_bytes) {
    entry_bytes_.push_back(static_cast<std::uint16_t>(RedisBytes(shape.key_bytes, bytes)));
  }
}

bool RedisPolicy::Get(Position key) {
  ++now_;
  if (place_[key] == 0) return false;
  Touch(key);
  return true;
}

void RedisPolicy::Insert(Position key) {
  resident_.push_back(key);
  place_[key] = static_cast<std::uint32_t>(resident_.size());
  Charge(entry_bytes_[key]);
  counter_[key] = kLfuInitial;
  const double per_tick = options_.kind == Kind::kLru ? requests_per_clock_ : requests_per_minute_;
  clock_[key] = static_cast<std::uint32_t>(static_cast<double>(now_) / per_tick);
  while (over_limit()) EvictOne();
}

void RedisPolicy::Touch(Position key) {
  if (options_.kind == Kind::kLru) {
    clock_[key] = static_cast<std::uint32_t>(static_cast<double>(now_) / requests_per_clock_);
    return;
  }
  const std::uint8_t counter = Decayed(key);
  const double above = std::max(0, counter - kLfuInitial);
  const bool grows = counter < 255 && random_.Unit() < 1 / (above * kLfuLogFactor + 1);
  counter_[key] = static_cast<std::uint8_t>(counter + (grows ? 1 : 0));
  clock_[key] = static_cast<std::uint32_t>(static_cast<double>(now_) / requests_per_minute_);
}

std::uint8_t RedisPolicy::Decayed(Position key) const {
  const auto minute = static_cast<std::uint32_t>(static_cast<double>(now_) / requests_per_minute_);
  const std::uint32_t passed = minute - clock_[key];
  return static_cast<std::uint8_t>(counter_[key] > passed ? counter_[key] - passed : 0);
}

std::uint64_t RedisPolicy::Idle(Position key) const {
  if (options_.kind == Kind::kLfu) return 255U - Decayed(key);
  return static_cast<std::uint32_t>(static_cast<double>(now_) / requests_per_clock_) - clock_[key];
}

void RedisPolicy::EvictOne() {
  for (;;) {
    Sample();
    while (!pool_.empty()) {
      const Position key = pool_.back().key;
      pool_.pop_back();
      if (place_[key] == 0) continue;
      const std::uint32_t place = place_[key] - 1;
      resident_[place] = resident_.back();
      place_[resident_[place]] = place + 1;
      resident_.pop_back();
      place_[key] = 0;
      Discharge(entry_bytes_[key]);
      return;
    }
  }
}

void RedisPolicy::Sample() {
  for (std::size_t i = 0; i < kSamples; ++i) {
    const Position key = resident_[random_.Below(resident_.size())];
    Offer({Idle(key), key});
  }
}

void RedisPolicy::Offer(const Candidate& candidate) {
  if (std::ranges::find(pool_, candidate.key, &Candidate::key) != pool_.end()) return;
  if (pool_.size() == kPoolSize) {
    if (candidate.idle <= pool_.front().idle) return;
    pool_.erase(pool_.begin());
  }
  pool_.insert(std::ranges::upper_bound(pool_, candidate.idle, {}, &Candidate::idle), candidate);
}

}  // namespace aeris::cachesim
