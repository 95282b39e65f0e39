// CacheTraffic: what the clients of a cache ask for, one key after another.
//
// Keys 0 to `keys` - 1 have Zipf's popularity; key 0 begins as the most popular one. Two things may
// disturb that: the popularity drifts, when now and then two random keys exchange their places in
// its order, so that every place has the same half-life; and scans come by, which ask for
// keys that nobody asks for again, numbered from `keys` on. The same options give the same
// requests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tools/load_generator/key_sequence.h"
#include "tools/load_generator/options.h"
#include "tools/load_generator/zipf_distribution.h"

namespace aeris::load {

struct CacheRequest {
  std::uint64_t key = 0;
  bool one_time = false;  // of a scan
};

class CacheTraffic {
 public:
  // Takes keys, zipf, value_bytes, value_bytes_max, drift, scan_period, scan_keys and seed.
  explicit CacheTraffic(const Options& options);

  CacheRequest Next() {
    if (scan_left_ != 0) {
      --scan_left_;
      return {next_one_time_++, true};
    }
    if (scan_period_ != 0 && ++since_scan_ == scan_period_) {
      since_scan_ = 0;
      scan_left_ = scan_keys_;
    }
    if (drift_ != 0 && ++since_drift_ == drift_) Drift();
    const std::uint64_t place = ranks_.Draw(random_) - 1;
    return {by_popularity_.empty() ? place : by_popularity_[place], false};
  }

  // Every key once, in the order in which an endless past of this traffic (without drift and scans)
  // has asked for each of them last: what an LRU cache would hold stands at the end. O(n log n).
  std::vector<std::uint32_t> FillOrder() const;

  // The size of a key's value, the same in every run: of lognormal distribution around the
  // geometric mean of the smallest and the largest, with a standard deviation of 1 in natural
  // logarithms.
  std::size_t ValueBytes(std::uint64_t key) const;

 private:
  void Drift();

  std::uint64_t keys_;
  ZipfDistribution ranks_;
  std::size_t value_bytes_min_;
  std::size_t value_bytes_max_;
  std::uint64_t drift_;
  std::uint64_t scan_period_;
  std::uint64_t scan_keys_;
  std::uint64_t seed_;
  Xoshiro random_;
  std::vector<std::uint32_t> by_popularity_;  // keys; empty when each stays in its place
  std::uint64_t since_drift_ = 0;
  std::uint64_t since_scan_ = 0;
  std::uint64_t scan_left_ = 0;
  std::uint64_t next_one_time_;
};

}  // namespace aeris::load
