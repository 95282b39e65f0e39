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

void S3Fifo::Remember(std::uint64_t hash, std::size_t keys) {
  // Sized when keys begin to go, and again when they have become many more or fewer. What is
  // forgotten then costs some hits.
  const bool too_small = keys > 2 * ghosts_.places();
  const bool too_large = ghosts_.places() > GhostQueue::kPlacesMin && keys < ghosts_.places() / 4;
  if (too_small || too_large) ghosts_ = GhostQueue(keys);
  ghosts_.Add(hash);
}

unsigned S3Fifo::PriceOf(std::size_t bytes, std::size_t mean_bytes, Random& random) {
  // In sixteenths. The least price keeps the hand from passing over small keys for ever where the
  // mean is that of a few huge ones, which may not even be evictable.
  constexpr std::size_t kUnit = 16, kLeast = kUnit / 8, kMost = kUnit * (kUsesMax + 1);
  const std::size_t price = bytes * kUnit / std::max<std::size_t>(mean_bytes, 1);
  const std::size_t bounded = std::clamp(price, kLeast, kMost);
  const bool up = random.Below(kUnit) < bounded % kUnit;
  return static_cast<unsigned>(bounded / kUnit) + (up ? 1 : 0);
}

}  // namespace aeris::storage
