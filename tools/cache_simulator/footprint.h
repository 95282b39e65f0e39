// What an entry takes in a server: measured sizes, so that policies compare at equal memory.
#pragma once

#include <bit>
#include <cstddef>

#include "storage/arena.h"

namespace aeris::cachesim {

// jemalloc's size class of an allocation: 16, 32, ... 128, then four classes per doubling.
constexpr std::size_t JemallocBytes(std::size_t bytes) {
  if (bytes <= 8) return 8;
  if (bytes <= 128) return (bytes + 15) / 16 * 16;
  const std::size_t step = std::bit_floor(bytes - 1) / 4;
  return (bytes + step - 1) / step * step;
}

// Redis 7.0: an entry of the dict, the key and the value as strings of their own, and the dict's
// buckets, a power of two of them, of 8 bytes.
constexpr std::size_t RedisBytes(std::size_t key_bytes, std::size_t value_bytes) {
  constexpr std::size_t kBucketBytes = 12;  // per key: between 8 and 16
  constexpr std::size_t kEmbeddedMax = 44;
  const std::size_t key = JemallocBytes(key_bytes + (key_bytes < 32 ? 2 : 4));
  const std::size_t value = value_bytes <= kEmbeddedMax
                                ? JemallocBytes(16 + 4 + value_bytes)
                                : 16 + JemallocBytes(value_bytes + (value_bytes < 256 ? 4 : 6));
  return 32 + kBucketBytes + key + value;
}

// aeris: the entry in the arena, a blob beside it for large values, and the table's bucket.
constexpr std::size_t AerisBytes(std::size_t key_bytes, std::size_t value_bytes) {
  constexpr std::size_t kSlotBytes =
      9;  // 64 bytes for ten slots, of which nine tenths or so are used
  constexpr std::size_t kInlineValueMax = 4096;
  const std::size_t head = value_bytes <= 128 ? 4 : 6;
  const bool blob = value_bytes > kInlineValueMax;
  const std::size_t entry = head + key_bytes + (blob ? 8 : value_bytes);
  return kSlotBytes + storage::SizeClass::Bytes(storage::SizeClass::Of(entry)) +
         (blob ? JemallocBytes(value_bytes + 16) : 0);
}

}  // namespace aeris::cachesim
