// What is offered for removal where memory is short, and what removing does.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "storage/eviction_pool.h"
#include "storage/keyspace.h"
#include "tests/storage/hash_table_model.h"
#include "tests/storage/keyspace_fixture.h"

namespace aeris::storage {
namespace {

using testing::kNow;
using testing::Set;
using testing::Shared;
using testing::TextAt;

TEST(EvictionPool, KeepsTheBestInTheirOrder) {
  EvictionPool pool;
  EXPECT_FALSE(pool.TakeBest());
  Random random(1);
  std::vector<std::uint64_t> scores;
  for (std::uint64_t i = 0; i < 200; ++i) {
    const std::uint64_t score = random.Below(1000);
    scores.push_back(score);
    pool.Offer({.score = score, .hash = i});
  }
  std::sort(scores.rbegin(), scores.rend());
  for (std::size_t i = 0; i < EvictionPool::kCandidatesMax; ++i) {
    const auto best = pool.TakeBest();
    ASSERT_TRUE(best);
    EXPECT_EQ(best->score, scores[i]);
  }
  EXPECT_FALSE(pool.TakeBest());
}

TEST(EvictionPool, KeepsAKeyOnceAndTellsDatabasesApart) {
  EvictionPool pool;
  for (int i = 0; i < 3; ++i) {
    pool.Offer({.score = 5, .hash = 7, .database = 0});
    pool.Offer({.score = 5, .hash = 7, .database = 1});
  }
  EXPECT_TRUE(pool.TakeBest());
  EXPECT_TRUE(pool.TakeBest());
  EXPECT_FALSE(pool.TakeBest());
  for (std::uint64_t i = 0; i < EvictionPool::kCandidatesMax; ++i)
    pool.Offer({.score = 9, .hash = i});
  EXPECT_FALSE(pool.Wants(9));
  EXPECT_TRUE(pool.Wants(10));
  pool.Clear();
  EXPECT_FALSE(pool.TakeBest());
}

// A pass over the table shows every slot at least once, whatever its size and while it is resized.
TEST(HashTableSample, ComesToEverySlot) {
  TestArena arena;
  TestTable table(TestPolicy{&arena});
  std::uint64_t keys = 0;
  const auto insert = [&] {
    const std::uint64_t hash = Spread(keys);
    const TestTable::Slot slot = table.Insert(hash, arena.Add(keys, hash));
    if (keys++ % 3 == 0) table.SetDeadline(slot, 1'000'000);
  };
  const auto check = [&] {
    SCOPED_TRACE(keys);
    for (const bool only_filed : {false, true}) {
      std::set<std::uint64_t> seen;
      std::uint64_t cursor = 0;
      do {
        cursor = table.SampleSlots(cursor, 5, 256, only_filed, [&](TestTable::Slot slot) {
          EXPECT_TRUE(!only_filed || table.has_deadline(slot));
          seen.insert(arena.at(table.ref(slot)).key);
        });
      } while (cursor != 0);
      // What spilt from the old array's last moved home is not shown before its turn.
      const std::size_t all = only_filed ? (keys + 2) / 3 : keys;
      EXPECT_LE(seen.size(), all);
      EXPECT_GE(seen.size(), table.moving() ? all - 20 : all);
    }
    for (std::uint64_t key = 0; key < keys; ++key) {
      const TestTable::Slot slot = table.FindHash(Spread(key));
      ASSERT_TRUE(slot);
      ASSERT_EQ(arena.at(table.ref(slot)).key, key);
    }
    EXPECT_FALSE(table.FindHash(Spread(keys)));
  };
  for (const std::uint64_t size : {1u, 9u, 30u, 34u, 200u, 5'000u}) {
    while (keys < size) insert();
    check();
  }
  while (!table.moving()) insert();
  check();
  for (int i = 0; i < 50; ++i) insert();
  ASSERT_TRUE(table.moving());
  check();
}

class KeyspaceEvictionTest : public ::testing::Test {
 protected:
  // The keys in the order in which they go, each with a fresh sample before it.
  std::vector<std::string> EvictAll(EvictionOrder order, bool only_volatile, UnixMs now,
                                    std::size_t count = 5) {
    EvictionPool pool;
    std::vector<std::string> gone;
    while ((only_volatile ? keyspace.deadlines() : keyspace.size()) != 0) {
      keyspace.SampleVictims(order, only_volatile, count, 3, now, pool);
      const auto best = pool.TakeBest();
      if (!best) continue;
      EXPECT_EQ(best->database, 3u);
      if (auto key = keyspace.Evict(best->hash, only_volatile)) gone.push_back(std::move(*key));
    }
    return gone;
  }

  Shared shared;
  Keyspace keyspace{shared.context};
};

TEST_F(KeyspaceEvictionTest, HasNothingToOfferWhileEmpty) {
  EvictionPool pool;
  keyspace.SampleVictims(EvictionOrder::kRandom, false, 5, 0, kNow, pool);
  EXPECT_FALSE(pool.TakeBest());
  EXPECT_FALSE(keyspace.Evict(1, false));
  EXPECT_EQ(keyspace.used_bytes(), 0u);
}

TEST_F(KeyspaceEvictionTest, TheLeastRecentGoFirst) {
  constexpr int kKeys = 2'000;
  for (int i = 0; i < kKeys; ++i) {
    Set(keyspace, std::to_string(i), "value", kNoDeadline, kNow + i * 1000);
  }
  const std::vector<std::string> gone =
      EvictAll(EvictionOrder::kLeastRecent, false, kNow + kKeys * 1000, 20);
  ASSERT_EQ(gone.size(), static_cast<std::size_t>(kKeys));
  // Samples are no exact order: most of the older half is gone before most of the younger.
  const auto older =
      std::count_if(gone.begin(), gone.begin() + kKeys / 2,
                    [](const std::string& key) { return std::stoi(key) < kKeys / 2; });
  EXPECT_GT(older, kKeys / 2 * 85 / 100);
  EXPECT_EQ(keyspace.size(), 0u);
  keyspace.CheckInvariants();
}

TEST_F(KeyspaceEvictionTest, TheLeastFrequentGoFirst) {
  shared.context.lfu = true;
  constexpr int kKeys = 1'000;
  for (int i = 0; i < kKeys; ++i) Set(keyspace, std::to_string(i), "value");
  for (int use = 0; use < 200; ++use) {
    for (int i = 0; i < kKeys; i += 4)
      ASSERT_TRUE(keyspace.Find(keyspace.Hash(std::to_string(i)), kNow, kForRead));
  }
  const std::vector<std::string> gone = EvictAll(EvictionOrder::kLeastFrequent, false, kNow, 20);
  const auto used = std::count_if(gone.begin(), gone.begin() + kKeys / 2,
                                  [](const std::string& key) { return std::stoi(key) % 4 == 0; });
  EXPECT_LT(used, kKeys / 100);
}

TEST_F(KeyspaceEvictionTest, OnlyKeysWithADeadlineGoWhereThatIsAsked) {
  constexpr int kKeys = 3'000;
  for (int i = 0; i < kKeys; ++i) {
    Set(keyspace, std::to_string(i), "value",
        i % 10 == 0 ? kNow + 1'000'000 + i * 1000 : kNoDeadline);
  }
  const std::vector<std::string> gone = EvictAll(EvictionOrder::kSoonestDeadline, true, kNow, 20);
  ASSERT_EQ(gone.size(), static_cast<std::size_t>(kKeys / 10));
  for (const std::string& key : gone) EXPECT_EQ(std::stoi(key) % 10, 0);
  const auto sooner =
      std::count_if(gone.begin(), gone.begin() + kKeys / 20,
                    [](const std::string& key) { return std::stoi(key) < kKeys / 2; });
  EXPECT_GT(sooner, kKeys / 20 * 85 / 100);
  EXPECT_EQ(keyspace.size(), static_cast<std::size_t>(kKeys - kKeys / 10));
}

TEST_F(KeyspaceEvictionTest, AKeyThatLostItsDeadlineStays) {
  Set(keyspace, "key", "value", kNow + 1000);
  EvictionPool pool;
  keyspace.SampleVictims(EvictionOrder::kRandom, true, 5, 0, kNow, pool);
  const auto best = pool.TakeBest();
  ASSERT_TRUE(best);
  ASSERT_EQ(keyspace.SetDeadline(keyspace.Hash("key"), kNoDeadline, kNow), StoreResult::kStored);
  EXPECT_FALSE(keyspace.Evict(best->hash, true));
  EXPECT_EQ(keyspace.Evict(best->hash, false), "key");
  EXPECT_FALSE(keyspace.Evict(best->hash, false));
}

TEST_F(KeyspaceEvictionTest, RandomTakesAllAlike) {
  constexpr int kKeys = 2'000;
  for (int i = 0; i < kKeys; ++i) Set(keyspace, std::to_string(i), "value");
  EvictionPool pool;
  int low = 0;
  for (int gone = 0; gone < kKeys / 2;) {
    keyspace.SampleVictims(EvictionOrder::kRandom, false, 5, 0, kNow, pool);
    const auto best = pool.TakeBest();
    ASSERT_TRUE(best);
    if (const auto key = keyspace.Evict(best->hash, false)) {
      ++gone;
      low += std::stoi(*key) < kKeys / 2;
    }
  }
  EXPECT_NEAR(low, kKeys / 4, kKeys / 20);
}

TEST_F(KeyspaceEvictionTest, UsedBytesFollowWhatIsStored) {
  std::map<std::string, std::size_t> sizes;
  std::size_t last = keyspace.used_bytes();
  for (const std::size_t size : {10u, 1'000u, 5'000u, 100'000u, 3'000'000u}) {
    const std::string key = std::to_string(size);
    Set(keyspace, key, std::string(size, 'x'));
    const std::size_t now = keyspace.used_bytes();
    EXPECT_GE(now - last, size);
    EXPECT_LE(now - last, size + size / 4 + 2'000);
    last = now;
  }
  const Keyspace::Memory memory = keyspace.memory();
  EXPECT_NEAR(
      static_cast<double>(last),
      static_cast<double>(memory.table + memory.entries + memory.blobs + memory.collections),
      16384);
  while (keyspace.size() != 0) EvictAll(EvictionOrder::kRandom, false, kNow);
  EXPECT_LT(keyspace.used_bytes(), 2'000u);
}

}  // namespace
}  // namespace aeris::storage
