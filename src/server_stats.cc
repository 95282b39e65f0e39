#include "src/server_stats.h"

#include <numeric>
#include <utility>

namespace aeris {

void RateSampler::Sample(std::uint64_t total, MonotonicTime now) {
  if (started_ && now > last_time_) {
    const auto elapsed = static_cast<std::uint64_t>((now - last_time_).count());
    rates_[next_] = (total - last_total_) * 1'000'000'000 / elapsed;
    next_ = (next_ + 1) % kSamples;
  }
  started_ = true;
  last_total_ = total;
  last_time_ = now;
}

std::uint64_t RateSampler::per_second() const {
  return std::accumulate(rates_.begin(), rates_.end(), std::uint64_t{0}) / kSamples;
}

void ServerStats::Reset() {
  ServerStats fresh;
  fresh.changes = changes;
  fresh.peak_memory = peak_memory;
  fresh.argument_bytes = argument_bytes;
  fresh.lazyfree_pending = lazyfree_pending;
  *this = std::move(fresh);
}

}  // namespace aeris
