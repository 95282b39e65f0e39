#include "storage/s3fifo.h"

#include <algorithm>

namespace aeris::storage {

unsigned S3Fifo::Admit(std::uint64_t hash) {
  if (ghosts_.Take(hash)) return kUsed;
  newcomers_.push_back(hash);
  return kNewcomer;
}

std::optional<std::uint64_t> S3Fifo::TakeEldest() {
  if (newcomers_.empty()) return std::nullopt;
  const std::uint64_t hash = newcomers_.front();
  newcomers_.pop_front();
  return hash;
}

std::optional<std::uint64_t> S3Fifo::TakeEldestLarge() {
  if (large_.empty()) return std::nullopt;
  const Large eldest = large_.front();
  large_.pop_front();
  large_bytes_ -= eldest.bytes;
  return eldest.hash;
}

void S3Fifo::Remember(std::uint64_t hash, std::size_t keys) {
  // Sized when keys begin to go, and again when they have become many more or fewer. What is
  // forgotten then costs some hits.
  const bool too_small = keys > 2 * ghosts_.places();
  const bool too_large = ghosts_.places() > GhostQueue::kPlacesMin && keys < ghosts_.places() / 4;
  if (too_small || too_large) ghosts_ = GhostQueue(keys);
  ghosts_.Add(hash);
}

void S3Fifo::Met(unsigned bits, std::size_t bytes, std::size_t keys) {
  const double by = 1 / std::min(static_cast<double>(keys), kMetForMean);
  MoveShare(!used(bits), by);
  const auto size = static_cast<double>(bytes);
  const bool first = bytes_mean_ == 0;
  bytes_mean_ += (size - bytes_mean_) * (first ? 1 : by);
  squares_mean_ += (size * size - squares_mean_) * (first ? 1 : by);
}

unsigned S3Fifo::PriceOf(std::size_t bytes, Random& random) const {
  // In sixteenths. The least price keeps the hand from passing over small keys for ever beside a
  // few huge ones, which may not even be evictable.
  constexpr double kUnit = 16, kLeast = kUnit / 8, kMost = kUnit * (kUsesMax + 1);
  if (bytes_mean_ == 0) return 1;
  const double price = static_cast<double>(bytes) * kUnit * bytes_mean_ / squares_mean_;
  const auto bounded = static_cast<unsigned>(std::clamp(price + 0.5, kLeast, kMost));
  constexpr auto kWhole = static_cast<unsigned>(kUnit);
  const bool up = random.Below(kWhole) < bounded % kWhole;
  return bounded / kWhole + (up ? 1 : 0);
}

}  // namespace aeris::storage
