#include "tools/load_generator/cache_traffic.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <numeric>
#include <utility>

namespace aeris::load {

CacheTraffic::CacheTraffic(const Options& options)
    : keys_(options.keys),
      ranks_(options.keys, options.zipf),
      value_bytes_min_(options.value_bytes),
      value_bytes_max_(std::max(options.value_bytes, options.value_bytes_max)),
      drift_(options.drift),
      scan_period_(options.scan_keys == 0 ? 0 : options.scan_period),
      scan_keys_(options.scan_keys),
      seed_(options.seed),
      random_(options.seed),
      next_one_time_(options.keys) {
  if (drift_ == 0) return;
  by_popularity_.resize(keys_);
  std::iota(by_popularity_.begin(), by_popularity_.end(), std::uint32_t{0});
}

void CacheTraffic::Drift() {
  since_drift_ = 0;
  std::swap(by_popularity_[random_.Below(keys_)], by_popularity_[random_.Below(keys_)]);
}

std::vector<std::uint32_t> CacheTraffic::FillOrder() const {
  // Requests for a key come at random times, so the time since the last one is exponential.
  Xoshiro random(~seed_);
  std::vector<std::pair<double, std::uint32_t>> since_last(keys_);
  for (std::uint32_t key = 0; key < keys_; ++key) {
    since_last[key] = {-std::log1p(-random.Unit()) / ranks_.Weight(key + 1.0), key};
  }
  std::ranges::sort(since_last, std::greater{});
  std::vector<std::uint32_t> order(keys_);
  std::ranges::transform(since_last, order.begin(), &std::pair<double, std::uint32_t>::second);
  return order;
}

std::size_t CacheTraffic::ValueBytes(std::uint64_t key) const {
  if (value_bytes_min_ == value_bytes_max_) return value_bytes_min_;
  Xoshiro random(key);
  // Box and Muller's transform; 1 - Unit() is never 0.
  const double normal =
      std::sqrt(-2 * std::log(1 - random.Unit())) * std::cos(2 * std::numbers::pi * random.Unit());
  const auto smallest = static_cast<double>(value_bytes_min_);
  const auto largest = static_cast<double>(value_bytes_max_);
  const double bytes = std::sqrt(smallest * largest) * std::exp(normal);
  return static_cast<std::size_t>(std::clamp(std::round(bytes), smallest, largest));
}

}  // namespace aeris::load
