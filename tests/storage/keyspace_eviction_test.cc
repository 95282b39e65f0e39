// What is offered for removal where memory is short, and what removing does.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "storage/eviction_pool.h"
#include "storage/ghost_queue.h"
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
  void Use(EvictionOrder order, bool only_volatile = false) {
    keyspace.SetEvictionPolicy({order, only_volatile}, true);
  }
  // The keys in the order in which they go, each with a fresh sample before it.
  std::vector<std::string> EvictAll(UnixMs now, std::size_t count = 5) {
    EvictionPool pool;
    std::vector<std::string> gone;
    while (keyspace.evictable() != 0) {
      keyspace.SampleVictims(count, 3, now, pool);
      const auto best = pool.TakeBest();
      if (!best) continue;
      EXPECT_EQ(best->database, 3u);
      if (keyspace.Evict(best->hash, now, evicted)) gone.push_back(evicted.key);
    }
    return gone;
  }
  bool Read(std::string_view key, UnixMs now = kNow) {
    return static_cast<bool>(keyspace.Find(keyspace.Hash(key), now, kForRead));
  }

  Keyspace::Evicted evicted;
  Shared shared;
  Keyspace keyspace{shared.context};
};

TEST_F(KeyspaceEvictionTest, HasNothingToOfferWhileEmpty) {
  EvictionPool pool;
  for (const EvictionOrder order : {EvictionOrder::kRandom, EvictionOrder::kS3Fifo}) {
    Use(order);
    keyspace.SampleVictims(5, 0, kNow, pool);
    EXPECT_FALSE(pool.TakeBest());
    EXPECT_FALSE(keyspace.Evict(1, kNow, evicted));
    EXPECT_FALSE(keyspace.EvictNext(kNow, evicted));
    EXPECT_EQ(keyspace.evictable(), 0u);
  }
  EXPECT_EQ(keyspace.used_bytes(), 0u);
}

TEST_F(KeyspaceEvictionTest, TheLeastRecentGoFirst) {
  constexpr int kKeys = 2'000;
  for (int i = 0; i < kKeys; ++i) {
    Set(keyspace, std::to_string(i), "value", kNoDeadline, kNow + i * 1000);
  }
  Use(EvictionOrder::kLeastRecent);
  const std::vector<std::string> gone = EvictAll(kNow + kKeys * 1000, 20);
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
  Use(EvictionOrder::kLeastFrequent);
  constexpr int kKeys = 1'000;
  for (int i = 0; i < kKeys; ++i) Set(keyspace, std::to_string(i), "value");
  for (int use = 0; use < 200; ++use) {
    for (int i = 0; i < kKeys; i += 4)
      ASSERT_TRUE(keyspace.Find(keyspace.Hash(std::to_string(i)), kNow, kForRead));
  }
  const std::vector<std::string> gone = EvictAll(kNow, 20);
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
  Use(EvictionOrder::kSoonestDeadline, true);
  const std::vector<std::string> gone = EvictAll(kNow, 20);
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
  Use(EvictionOrder::kRandom, true);
  keyspace.SampleVictims(5, 0, kNow, pool);
  const auto best = pool.TakeBest();
  ASSERT_TRUE(best);
  ASSERT_EQ(keyspace.SetDeadline(keyspace.Hash("key"), kNoDeadline, kNow), StoreResult::kStored);
  EXPECT_FALSE(keyspace.Evict(best->hash, kNow, evicted));
  Use(EvictionOrder::kRandom);
  EXPECT_TRUE(keyspace.Evict(best->hash, kNow, evicted));
  EXPECT_EQ(evicted.key, "key");
  EXPECT_FALSE(keyspace.Evict(best->hash, kNow, evicted));
  EXPECT_EQ(keyspace.lookup_stats().evicted, 1u);
}

TEST_F(KeyspaceEvictionTest, RandomTakesAllAlike) {
  constexpr int kKeys = 2'000;
  for (int i = 0; i < kKeys; ++i) Set(keyspace, std::to_string(i), "value");
  Use(EvictionOrder::kRandom);
  EvictionPool pool;
  int low = 0;
  for (int gone = 0; gone < kKeys / 2;) {
    keyspace.SampleVictims(5, 0, kNow, pool);
    const auto best = pool.TakeBest();
    ASSERT_TRUE(best);
    if (keyspace.Evict(best->hash, kNow, evicted)) {
      ++gone;
      low += std::stoi(evicted.key) < kKeys / 2;
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
  Use(EvictionOrder::kRandom);
  while (keyspace.size() != 0) EvictAll(kNow);
  EXPECT_LT(keyspace.used_bytes(), 2'000u);
}

// --- S3-FIFO

class KeyspaceS3FifoTest : public KeyspaceEvictionTest {
 protected:
  KeyspaceS3FifoTest() { Use(EvictionOrder::kS3Fifo); }

  // Stores under a new key; beyond `keys_max` others go for it.
  void Insert(const std::string& key, std::size_t keys_max, std::size_t size = 5) {
    Set(keyspace, key, std::string(size, 'v'));
    while (keyspace.size() > keys_max) {
      if (keyspace.EvictNext(kNow, evicted)) gone.insert(evicted.key);
    }
  }
  std::size_t Present(const std::string& prefix, int count) {
    std::size_t present = 0;
    for (int i = 0; i < count; ++i)
      if (TextAt(keyspace, prefix + std::to_string(i), kNow)) ++present;
    return present;
  }

  std::set<std::string> gone;
};

TEST_F(KeyspaceS3FifoTest, WhatIsAskedForOncePassesThrough) {
  constexpr int kHot = 2'000, kMax = 5'000;
  for (int i = 0; i < kMax; ++i) Insert("fill:" + std::to_string(i), kMax);
  // Newcomers that are used settle; a scan of many times the size does not push them out.
  for (int i = 0; i < kHot; ++i) {
    Insert("hot:" + std::to_string(i), kMax);
    for (int use = 0; use < 3; ++use) ASSERT_TRUE(Read("hot:" + std::to_string(i)));
  }
  for (int i = 0; i < 10 * kMax; ++i) {
    Insert("scan:" + std::to_string(i), kMax);
    if (i % 10 == 0) Read("hot:" + std::to_string(i / 10 % kHot));
  }
  EXPECT_EQ(keyspace.size(), static_cast<std::size_t>(kMax));
  EXPECT_GT(Present("hot:", kHot), static_cast<std::size_t>(kHot) * 99 / 100);
  EXPECT_EQ(keyspace.lookup_stats().evicted, gone.size());
  keyspace.CheckInvariants();
}

TEST_F(KeyspaceS3FifoTest, AKeyThatComesBackSoonSettlesAtOnce) {
  constexpr int kMax = 5'000;
  for (int i = 0; i < 3 * kMax; ++i) {
    Insert("fill:" + std::to_string(i), kMax);
    ASSERT_TRUE(Read("fill:" + std::to_string(i)));
  }
  Insert("back", kMax);
  int number = 0;
  while (TextAt(keyspace, "back", kNow)) Insert("more:" + std::to_string(number++), kMax);
  EXPECT_LT(number, kMax / 4);  // through the newcomers' queue alone
  Insert("back", kMax);
  for (int i = 0; i < kMax / 2; ++i) Insert("still more:" + std::to_string(i), kMax);
  EXPECT_TRUE(TextAt(keyspace, "back", kNow));
}

TEST_F(KeyspaceS3FifoTest, WhatCameWhileThereWasRoomGoesFirstUnlessUsed) {
  constexpr int kMax = 4'000;
  for (int i = 0; i < kMax; ++i) Insert("fill:" + std::to_string(i), kMax);
  for (int i = 0; i < kMax; i += 4) ASSERT_TRUE(Read("fill:" + std::to_string(i)));
  // As many new ones as were not used: these have the room.
  for (int i = 0; i < kMax * 3 / 4; ++i) Insert("new:" + std::to_string(i), kMax);
  std::size_t used = 0, unused = 0;
  for (int i = 0; i < kMax; ++i) {
    if (TextAt(keyspace, "fill:" + std::to_string(i), kNow)) ++(i % 4 == 0 ? used : unused);
  }
  EXPECT_EQ(used, static_cast<std::size_t>(kMax) / 4);
  EXPECT_LT(unused, static_cast<std::size_t>(kMax) / 2);
}

TEST_F(KeyspaceS3FifoTest, TellsWhetherWhatGoesWasUsed) {
  constexpr int kMax = 1'000;
  for (int i = 0; i < kMax; ++i) Insert(std::to_string(i), kMax);
  for (int i = 0; i < kMax; i += 2) ASSERT_TRUE(Read(std::to_string(i), kNow + 7'000));
  std::map<bool, int> used;
  while (keyspace.size() != 0) {
    if (!keyspace.EvictNext(kNow + 10'000, evicted)) continue;
    const bool even = std::stoi(evicted.key) % 2 == 0;
    EXPECT_EQ(evicted.used, even) << evicted.key;
    EXPECT_EQ(evicted.idle_seconds, even ? 3u : 10u);
    ++used[evicted.used];
  }
  EXPECT_EQ(used[true], kMax / 2);
  EXPECT_EQ(used[false], kMax / 2);
}

TEST_F(KeyspaceS3FifoTest, LargeKeysAreNotWorthManySmallOnes) {
  constexpr std::size_t kLimit = 2'000'000;
  const auto insert = [&](const std::string& key, std::size_t size) {
    Set(keyspace, key, std::string(size, 'v'));
    while (keyspace.used_bytes() > kLimit) keyspace.EvictNext(kNow, evicted);
  };
  Random draws(3);
  // One in ten is a hundred times as large; all are asked for alike.
  for (int turn = 0; turn < 60'000; ++turn) {
    const std::uint64_t number = draws.Below(8'000);
    const std::string key = std::to_string(number);
    if (!Read(key)) insert(key, number % 10 == 0 ? 4'000 : 40);
  }
  std::size_t small = 0, large = 0;
  for (int i = 0; i < 8'000; ++i) {
    if (TextAt(keyspace, std::to_string(i), kNow)) ++(i % 10 == 0 ? large : small);
  }
  // In the mean of what is asked for 720 of the one for 80 of the other would be kept.
  EXPECT_GT(small, 6'000u);
  EXPECT_LT(large, 500u);
}

TEST_F(KeyspaceS3FifoTest, OnlyKeysWithADeadlineGoWhereThatIsAsked) {
  Use(EvictionOrder::kS3Fifo, true);
  constexpr int kKeys = 4'000;
  for (int i = 0; i < kKeys; ++i) {
    Set(keyspace, std::to_string(i), "value", i % 4 == 0 ? kNow + 1'000'000 : kNoDeadline);
  }
  // Some get their deadline later, some lose it.
  for (int i = 1; i < kKeys; i += 4) {
    ASSERT_EQ(keyspace.SetDeadline(keyspace.Hash(std::to_string(i)), kNow + 5'000, kNow),
              StoreResult::kStored);
  }
  for (int i = 0; i < kKeys; i += 8) {
    ASSERT_EQ(keyspace.SetDeadline(keyspace.Hash(std::to_string(i)), kNoDeadline, kNow),
              StoreResult::kStored);
  }
  while (keyspace.evictable() != 0) {
    if (!keyspace.EvictNext(kNow, evicted)) continue;
    const int number = std::stoi(evicted.key);
    EXPECT_TRUE(number % 4 == 1 || number % 8 == 4) << number;
  }
  EXPECT_EQ(keyspace.size(), static_cast<std::size_t>(kKeys) * 5 / 8);
  EXPECT_FALSE(keyspace.EvictNext(kNow, evicted));
}

TEST_F(KeyspaceS3FifoTest, ThePolicyChangesAtAnyTime) {
  constexpr int kMax = 2'000;
  Random draws(5);
  int number = 0;
  for (int turn = 0; turn < 40; ++turn) {
    const bool queues = turn % 2 == 0;
    Use(queues ? EvictionOrder::kS3Fifo : EvictionOrder::kLeastRecent);
    EvictionPool pool;
    for (int i = 0; i < kMax; ++i) {
      Set(keyspace, std::to_string(number++), "value");
      if (draws.Below(3) == 0) keyspace.Delete(keyspace.Hash(std::to_string(number - 5)), kNow);
      while (keyspace.size() > kMax) {
        if (queues) {
          keyspace.EvictNext(kNow, evicted);
        } else {
          keyspace.SampleVictims(5, 0, kNow, pool);
          if (const auto best = pool.TakeBest()) keyspace.Evict(best->hash, kNow, evicted);
        }
      }
    }
    keyspace.CheckInvariants();
  }
  Use(EvictionOrder::kS3Fifo);
  while (keyspace.size() != 0) keyspace.EvictNext(kNow, evicted);
}

TEST(GhostQueue, RemembersTheLastOnes) {
  GhostQueue ghosts(8'000);
  ASSERT_GE(ghosts.places(), 8'000u);
  Random draws(1);
  std::vector<std::uint64_t> hashes;
  for (int i = 0; i < 100'000; ++i) {
    hashes.push_back(draws.Next());
    ghosts.Add(hashes.back());
  }
  std::size_t recent = 0, old = 0, never = 0;
  for (std::size_t i = 0; i < 4'000; ++i) {
    if (ghosts.Take(hashes[hashes.size() - 1 - i])) ++recent;
    if (ghosts.Take(hashes[i])) ++old;
    if (ghosts.Take(draws.Next())) ++never;
  }
  EXPECT_GT(recent, 3'600u);  // words differ a little in how fast they go
  EXPECT_LT(old, 300u);       // found by mistake
  EXPECT_LT(never, 300u);
  // Each is taken once.
  ghosts.Add(hashes[0]);
  EXPECT_TRUE(ghosts.Take(hashes[0]));
  EXPECT_FALSE(ghosts.Take(hashes[0]));
  GhostQueue none;
  none.Add(1);
  EXPECT_FALSE(none.Take(1));
}

// Where a limit is held by eviction while sizes change, nothing but it takes out the holes that the
// last size has left.
TEST_F(KeyspaceEvictionTest, HolesOfAnotherSizeAreFilledAsKeysGo) {
  constexpr std::size_t kLimit = 8 << 20;
  Use(EvictionOrder::kRandom);
  EvictionPool pool;
  std::uint64_t key = 0;
  double most = 0;
  for (const std::size_t size : {1000U, 60U, 3000U, 200U, 4000U, 30U}) {
    for (std::size_t written = 0; written < 2 * kLimit; written += size) {
      Set(keyspace, std::to_string(++key), std::string(size, 'v'));
      while (keyspace.used_bytes() > kLimit) {
        keyspace.SampleVictims(5, 0, kNow, pool);
        if (const auto best = pool.TakeBest()) keyspace.Evict(best->hash, kNow, evicted);
      }
      const Keyspace::Memory memory = keyspace.memory();
      if (written > size * 1000) {
        most = std::max(most, static_cast<double>(memory.arena) /
                                  static_cast<double>(memory.entries + memory.blobs));
      }
    }
    EXPECT_EQ(keyspace.memory().blobs, 0U);
  }
  EXPECT_LT(most, 1.5);
  EXPECT_GT(most, 1.0);
}

}  // namespace
}  // namespace aeris::storage
