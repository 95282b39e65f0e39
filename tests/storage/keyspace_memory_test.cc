// Bytes per key beyond the key's and the value's own, by the keyspace's account.
#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "storage/keyspace.h"
#include "tests/storage/keyspace_fixture.h"

namespace aeris::storage {
namespace {

using testing::kNow;
using testing::Set;
using testing::Shared;

double OverheadPerKey(std::size_t keys, std::size_t value_size, UnixMs deadline,
                      std::size_t key_size = 16) {
  Shared shared;
  Keyspace keyspace(shared.context);
  const std::string value(value_size, 'x');
  for (std::size_t i = 0; i < keys; ++i) {
    const std::string digits = std::to_string(i);
    Set(keyspace, std::string(key_size - digits.size(), '0') + digits, value, deadline);
  }
  while (keyspace.Maintain(1'000)) {
  }
  const Keyspace::Memory memory = keyspace.memory();
  const std::size_t payload = keys * (key_size + value_size);
  const std::size_t bytes = memory.table + memory.arena + memory.blobs;
  const double overhead = static_cast<double>(bytes - payload) / static_cast<double>(keys);
  const auto per_key = [keys](std::size_t part) {
    return static_cast<double>(part) / static_cast<double>(keys);
  };
  std::printf(
      "%zu %zu-byte keys, %zu-byte values%s: %.2f bytes over payload (table %.2f, arena %.2f)\n",
      keys, key_size, value_size, deadline == kNoDeadline ? "" : " with deadline", overhead,
      per_key(memory.table), per_key(memory.arena));
  return overhead;
}

TEST(KeyspaceMemory, StaysBelowItsPromisePerKey) {
  EXPECT_LE(OverheadPerKey(1'000'000, 32, kNoDeadline), 16);
  EXPECT_LE(OverheadPerKey(200'000, 16, kNoDeadline), 16);
  EXPECT_LE(OverheadPerKey(200'000, 128, kNoDeadline, 32), 16);
  EXPECT_LE(OverheadPerKey(200'000, 16, kNow + 86'400'000), 20);
  EXPECT_LE(OverheadPerKey(200'000, 32, kNow + 86'400'000), 20);
  EXPECT_LE(OverheadPerKey(200'000, 128, kNow + 86'400'000, 32), 20);
}

// The load of the table swings while it grows, but not by a factor of two.
TEST(KeyspaceMemory, IsFlatOverTheGrowthOfTheTable) {
  for (const std::size_t keys : {20'000u, 24'000u, 28'000u, 32'000u, 36'000u, 40'000u}) {
    EXPECT_LE(OverheadPerKey(keys, 32, kNoDeadline), 17) << keys;
  }
}

// Where memory is limited, as many keys would have to go at once.
TEST(KeyspaceMemory, TheFirstDeadlinesOfALargeTableTakeAFewPagesEach) {
  constexpr std::size_t kKeys = 200'000;
  constexpr std::size_t kPage = 4096;
  Shared shared;
  Keyspace keyspace(shared.context);
  for (std::size_t i = 0; i < kKeys; ++i) Set(keyspace, std::to_string(i), "v");
  while (keyspace.Maintain(1'000)) {
  }
  const std::size_t before = keyspace.used_bytes();
  for (std::size_t i = 0; i < 10; ++i) {
    const std::size_t used = keyspace.used_bytes();
    EXPECT_EQ(keyspace.SetDeadline(keyspace.Hash(std::to_string(i)), kNow + 1'000'000, kNow),
              StoreResult::kStored);
    EXPECT_LE(keyspace.used_bytes() - used, 6 * kPage);
  }
  for (std::size_t i = 0; i < kKeys; ++i) {
    EXPECT_EQ(keyspace.SetDeadline(keyspace.Hash(std::to_string(i)), kNow + 1'000'000, kNow),
              StoreResult::kStored);
  }
  // A byte per slot, and 4 in the entry.
  EXPECT_GE(keyspace.used_bytes() - before, 5 * kKeys);
  EXPECT_LE(keyspace.used_bytes() - before, 7 * kKeys);
}

}  // namespace
}  // namespace aeris::storage
