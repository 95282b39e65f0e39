// Policy: a simulated cache of one eviction policy. Keys are positions in the order of their
// hashes, so that a sweep in hash order walks through them as they are numbered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace aeris::cachesim {

using Position = std::uint32_t;

// What all policies of a run share.
struct CacheShape {
  std::vector<std::uint16_t> value_bytes;  // by position
  std::size_t key_bytes = 16;
  std::size_t limit_bytes = 0;
  double requests_per_second = 500'000;  // for policies that look at the clock
};

class Policy {
 public:
  explicit Policy(std::size_t limit_bytes) : limit_bytes_(limit_bytes) {}
  virtual ~Policy() = default;

  // A GET; true when it hits.
  virtual bool Get(Position key) = 0;
  // A SET of a key that is not there, and the evictions that follow from it.
  virtual void Insert(Position key) = 0;

  std::size_t keys() const { return keys_; }

 protected:
  void Charge(std::size_t bytes) {
    used_bytes_ += bytes;
    ++keys_;
  }
  void Discharge(std::size_t bytes) {
    used_bytes_ -= bytes;
    --keys_;
  }
  bool over_limit() const { return used_bytes_ > limit_bytes_; }
  std::size_t limit_bytes() const { return limit_bytes_; }
  double mean_bytes() const {
    return static_cast<double>(used_bytes_) / static_cast<double>(keys_ == 0 ? 1 : keys_);
  }

 private:
  std::size_t limit_bytes_;
  std::size_t used_bytes_ = 0;
  std::size_t keys_ = 0;
};

// A policy from its name and its parameters, `s3fifo,small=10,promote=2`; kPolicies lists them. The
// message says what is wrong with the text.
std::expected<std::unique_ptr<Policy>, std::string> MakePolicy(std::string_view text,
                                                               const CacheShape& shape);
extern const std::string_view kPolicies;

}  // namespace aeris::cachesim
