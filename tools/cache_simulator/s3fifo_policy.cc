#include "tools/cache_simulator/s3fifo_policy.h"

#include <algorithm>
#include <numeric>

#include "tools/cache_simulator/footprint.h"

namespace aeris::cachesim {
namespace {

constexpr unsigned kPriceMax = 8;

// The memory that is left beside the ghosts, of a cache that is full of keys of the mean size.
std::size_t LimitBesideGhosts(const S3fifoPolicy::Options& options, const CacheShape& shape,
                              double mean_bytes) {
  const double ghost_bytes = options.ghost_share * options.ghost_bits / 8;
  return static_cast<std::size_t>(static_cast<double>(shape.limit_bytes) * mean_bytes /
                                  (mean_bytes + ghost_bytes));
}

double Square(double value) { return value * value; }

double MeanBytes(const CacheShape& shape) {
  double sum = 0;
  for (const std::size_t bytes : shape.value_bytes) {
    sum += static_cast<double>(AerisBytes(shape.key_bytes, bytes));
  }
  return sum / static_cast<double>(shape.value_bytes.size());
}

}  // namespace

S3fifoPolicy::S3fifoPolicy(const Options& options, const CacheShape& shape)
    : Policy(LimitBesideGhosts(options, shape, MeanBytes(shape))),
      options_(options),
      state_(shape.value_bytes.size()) {
  for (const std::size_t bytes : shape.value_bytes) {
    entry_bytes_.push_back(static_cast<std::uint16_t>(AerisBytes(shape.key_bytes, bytes)));
  }
  const double keys = static_cast<double>(limit_bytes()) / MeanBytes(shape);
  ghosts_.Resize(static_cast<std::size_t>(keys * options.ghost_share), options.ghost_bits);
}

bool S3fifoPolicy::Get(Position key) {
  std::uint8_t& state = state_[key];
  if (state == 0) return false;
  if ((state & kCount) < options_.count_max) ++state;
  return true;
}

void S3fifoPolicy::Insert(Position key) {
  Charge(entry_bytes_[key]);
  square_bytes_ += Square(entry_bytes_[key]);
  if (ghosts_.Take(key)) {
    AddToMain(key, options_.ghost_count);
  } else {
    state_[key] = kResident | kSmall;
    small_.push_back(key);
    small_bytes_ += entry_bytes_[key];
  }
  while (over_limit()) EvictOne();
}

void S3fifoPolicy::AddToMain(Position key, unsigned count) {
  state_[key] = static_cast<std::uint8_t>(kResident | std::min(count, options_.count_max));
  if (options_.main_fifo) main_.push_back(key);
}

void S3fifoPolicy::EvictOne() {
  const double small_max = options_.small_share * static_cast<double>(limit_bytes());
  const bool only_small = small_.size() == keys();
  if (!small_.empty() && (only_small || static_cast<double>(small_bytes_) > small_max)) {
    StepSmall();
  } else {
    StepMain();
  }
}

// What a size costs, in uses: in proportion to it, rounded at random, so that it is right on
// average.
unsigned S3fifoPolicy::Price(Position key, unsigned price) {
  const double exact = price * entry_bytes_[key] / UnitBytes();
  return std::min(kPriceMax, static_cast<unsigned>(exact + random_.Unit()));
}

// The size that costs one use. Where sizes differ the mean over bytes is larger than the mean over
// entries, so that most small ones cost nothing.
double S3fifoPolicy::UnitBytes() const {
  const double unit = options_.size_unit * mean_bytes();
  if (!options_.size_weighted) return unit;
  return std::min(unit, square_bytes_ / (mean_bytes() * static_cast<double>(keys())));
}

void S3fifoPolicy::StepSmall() {
  const Position key = small_.front();
  small_.pop_front();
  small_bytes_ -= entry_bytes_[key];
  const bool sized =
      options_.size_rule == SizeRule::kSmall || options_.size_rule == SizeRule::kBoth;
  const unsigned wanted =
      sized ? std::max(1U, Price(key, options_.promote_hits)) : options_.promote_hits;
  const unsigned count = CountOf(key);
  if (count >= std::min(wanted, options_.count_max)) {
    AddToMain(key, options_.keep_count ? count : options_.start_count);
    return;
  }
  ghosts_.Add(key);
  Remove(key);
}

void S3fifoPolicy::StepMain() {
  const Position key = NextOfMain();
  unsigned price = 1;
  if (options_.size_rule == SizeRule::kMain || options_.size_rule == SizeRule::kBoth) {
    price = Price(key, 1);
  } else if (options_.size_rule == SizeRule::kLarge && entry_bytes_[key] > mean_bytes()) {
    price = 2;
  }
  const unsigned count = CountOf(key);
  if (count < price) {
    if (options_.ghost_main) ghosts_.Add(key);
    Remove(key);
    return;
  }
  AddToMain(key, options_.halve ? count / 2 : count - price);
}

Position S3fifoPolicy::NextOfMain() {
  if (options_.main_fifo) {
    const Position key = main_.front();
    main_.pop_front();
    return key;
  }
  for (;;) {
    hand_ = hand_ + 1 < state_.size() ? hand_ + 1 : 0;
    if ((state_[hand_] & (kResident | kSmall)) == kResident) return static_cast<Position>(hand_);
  }
}

void S3fifoPolicy::Remove(Position key) {
  state_[key] = 0;
  Discharge(entry_bytes_[key]);
  square_bytes_ -= Square(entry_bytes_[key]);
}

}  // namespace aeris::cachesim
