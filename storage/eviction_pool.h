// EvictionPool: the keys that are best to remove among those that were looked at lately, as Redis
// keeps them: a few fresh samples for each removal, compared with the best of earlier ones.
//
// A key is remembered by its hash. One that has been used, or removed, since it was looked at is
// found out when its turn comes.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace aeris::storage {

struct EvictionCandidate {
  std::uint64_t score = 0;  // the higher, the better to remove
  std::uint64_t hash = 0;   // of the key
  std::size_t database = 0;
};

class EvictionPool {
 public:
  static constexpr std::size_t kCandidatesMax = 16;

  // Whether a key of that score would be kept.
  bool Wants(std::uint64_t score) const {
    return count_ < kCandidatesMax || score > candidates_[0].score;
  }
  void Offer(const EvictionCandidate& candidate) {
    const auto end = candidates_.begin() + static_cast<std::ptrdiff_t>(count_);
    const bool known = std::any_of(candidates_.begin(), end, [&](const EvictionCandidate& other) {
      return other.hash == candidate.hash && other.database == candidate.database;
    });
    if (known || !Wants(candidate.score)) return;
    // In the order of their scores; a full pool loses the lowest.
    const auto at = std::upper_bound(
        candidates_.begin(), end, candidate.score,
        [](std::uint64_t score, const EvictionCandidate& other) { return score < other.score; });
    if (count_ < kCandidatesMax) {
      std::move_backward(at, end, end + 1);
      *at = candidate;
      ++count_;
    } else {
      std::move(candidates_.begin() + 1, at, candidates_.begin());
      *(at - 1) = candidate;
    }
  }
  // The one with the highest score, which is in it no more.
  std::optional<EvictionCandidate> TakeBest() {
    if (count_ == 0) return std::nullopt;
    return candidates_[--count_];
  }
  void Clear() { count_ = 0; }

 private:
  std::array<EvictionCandidate, kCandidatesMax> candidates_{};  // the first count_, ascending
  std::size_t count_ = 0;
};

}  // namespace aeris::storage
