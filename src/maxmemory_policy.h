// The values of maxmemory-policy.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "storage/eviction_policy.h"

namespace aeris {

enum class MaxmemoryPolicy : std::uint8_t {
  kVolatileLru,
  kVolatileLfu,
  kVolatileRandom,
  kVolatileTtl,
  kAllkeysLru,
  kAllkeysLfu,
  kAllkeysRandom,
  kNoeviction,
  kVolatileS3Fifo,
  kAllkeysS3Fifo,
};

struct MaxmemoryPolicyRow {
  std::string_view name;
  MaxmemoryPolicy policy;
  storage::EvictionPolicy eviction;
};

// Redis's first, in its order, which errors of CONFIG SET show.
inline constexpr std::array<MaxmemoryPolicyRow, 10> kMaxmemoryPolicies = {{
    {"volatile-lru", MaxmemoryPolicy::kVolatileLru, {storage::EvictionOrder::kLeastRecent, true}},
    {"volatile-lfu", MaxmemoryPolicy::kVolatileLfu, {storage::EvictionOrder::kLeastFrequent, true}},
    {"volatile-random", MaxmemoryPolicy::kVolatileRandom, {storage::EvictionOrder::kRandom, true}},
    {"volatile-ttl",
     MaxmemoryPolicy::kVolatileTtl,
     {storage::EvictionOrder::kSoonestDeadline, true}},
    {"allkeys-lru", MaxmemoryPolicy::kAllkeysLru, {storage::EvictionOrder::kLeastRecent, false}},
    {"allkeys-lfu", MaxmemoryPolicy::kAllkeysLfu, {storage::EvictionOrder::kLeastFrequent, false}},
    {"allkeys-random", MaxmemoryPolicy::kAllkeysRandom, {storage::EvictionOrder::kRandom, false}},
    {"noeviction", MaxmemoryPolicy::kNoeviction, {}},
    {"volatile-s3fifo", MaxmemoryPolicy::kVolatileS3Fifo, {storage::EvictionOrder::kS3Fifo, true}},
    {"allkeys-s3fifo", MaxmemoryPolicy::kAllkeysS3Fifo, {storage::EvictionOrder::kS3Fifo, false}},
}};

constexpr const MaxmemoryPolicyRow& RowOf(MaxmemoryPolicy policy) {
  return kMaxmemoryPolicies[static_cast<std::size_t>(policy)];
}
// By its name in any case.
std::optional<MaxmemoryPolicy> MaxmemoryPolicyNamed(std::string_view name);

static_assert([] {
  for (const MaxmemoryPolicyRow& row : kMaxmemoryPolicies) {
    if (&RowOf(row.policy) != &row) return false;
  }
  return true;
}());

}  // namespace aeris
