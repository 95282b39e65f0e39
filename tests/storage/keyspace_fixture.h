// What tests of the keyspace share: the context with fixed secrets, and reading back.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "storage/keyspace.h"

namespace aeris::storage::testing {

inline constexpr UnixMs kNow = 1'700'000'000'000;

inline KeyHasher::Secret SecretOf(std::uint64_t seed) {
  std::mt19937_64 engine(seed);
  KeyHasher::Secret secret;
  for (std::byte& byte : secret) byte = static_cast<std::byte>(engine() & 0xff);
  return secret;
}

// A hasher, a generator and the context over them.
struct Shared {
  explicit Shared(std::uint64_t seed = 1)
      : hasher(SecretOf(seed)), random(seed), context{.hasher = hasher, .random = random} {}
  KeyHasher hasher;
  Random random;
  KeyspaceContext context;
};

// Bytes that tell misplaced ones apart.
inline std::string Pattern(std::size_t size, std::uint64_t seed) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + (seed + i * i) % 23);
  return text;
}

inline std::optional<std::string> TextAt(Keyspace& keyspace, std::string_view key, UnixMs now) {
  const EntryView entry = keyspace.Find(keyspace.Hash(key), now, kPeek);
  if (!entry) return std::nullopt;
  IntegerText scratch;
  return std::string(entry.Text(scratch));
}

// Stores keys of every size that the arena has a class for, until each is refused.
inline void FillArena(Keyspace& keyspace) {
  int number = 0;
  const auto stored = [&](std::size_t size) {
    return keyspace.SetString(keyspace.Hash("fill:" + std::to_string(number)), Pattern(size, size),
                              kNow, {}) == StoreResult::kStored;
  };
  for (std::size_t size = 2000; size > 4; size = size * 9 / 10) {
    while (stored(size)) ++number;
  }
}

inline void Set(Keyspace& keyspace, std::string_view key, std::string_view value,
                UnixMs deadline = kNoDeadline, UnixMs now = kNow) {
  ASSERT_EQ(keyspace.SetString(keyspace.Hash(key), value, now, {.deadline = deadline}),
            StoreResult::kStored);
}

}  // namespace aeris::storage::testing
