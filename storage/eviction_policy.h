// EvictionPolicy: which keys of a keyspace go first where memory is short.
#pragma once

#include <cstdint>

namespace aeris::storage {

enum class EvictionOrder : std::uint8_t {
  kNone,  // no key goes
  kLeastRecent,
  kLeastFrequent,
  kSoonestDeadline,  // only_volatile
  kRandom,
  kS3Fifo,  // s3fifo.h
};

struct EvictionPolicy {
  EvictionOrder order = EvictionOrder::kNone;
  bool only_volatile = false;  // only keys with a deadline

  friend bool operator==(const EvictionPolicy&, const EvictionPolicy&) = default;
};

}  // namespace aeris::storage
