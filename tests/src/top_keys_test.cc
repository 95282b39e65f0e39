#include "src/top_keys.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>

namespace aeris {
namespace {

std::uint64_t NameOf(std::uint64_t key) {
  std::uint64_t x = (key + 1) * 0x9e3779b97f4a7c15;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

KeyLoads Loads(std::uint64_t requests, std::uint64_t bytes) { return {.of = {requests, bytes}}; }

void Add(TopKeys& keys, std::uint64_t key, const KeyLoads& loads) {
  keys.Add(NameOf(key), "key:" + std::to_string(key), key % 16, loads);
}

TEST(TopKeys, CountsExactlyWhileThereIsRoom) {
  Random random(1);
  TopKeys keys(KeyLoad::kRequests, random);
  EXPECT_TRUE(keys.Top(10).empty());
  for (std::uint64_t round = 0; round < 10; ++round) {
    for (std::uint64_t key = 0; key < TopKeys::kKeysMax; ++key) {
      Add(keys, key, Loads(key + 1, 3));
    }
  }
  keys.CheckInvariants();
  const auto top = keys.Top(1000);
  ASSERT_EQ(top.size(), TopKeys::kKeysMax);
  EXPECT_EQ(top[0].key, "key:127");
  EXPECT_EQ(top[0].database, 15U);
  EXPECT_EQ(top[0].loads[KeyLoad::kRequests], 1280U);
  EXPECT_EQ(top[0].loads[KeyLoad::kBytes], 30U);
  EXPECT_EQ(top[127].key, "key:0");
  EXPECT_EQ(keys.Top(3).size(), 3U);
  EXPECT_EQ(keys.Of(NameOf(4))[KeyLoad::kRequests], 50U);
  EXPECT_EQ(keys.Of(NameOf(4000))[KeyLoad::kRequests], 0U);
}

TEST(TopKeys, FindsTheTopTenOfZipfTrafficAndTheirCounts) {
  Random random(1);
  std::mt19937_64 draws(1);
  TopKeys keys(KeyLoad::kRequests, random);
  std::vector<double> sums;
  double sum = 0;
  for (int i = 1; i <= 100'000; ++i) sums.push_back(sum += 1.0 / i);
  std::map<std::uint64_t, std::uint64_t> exact;
  std::uniform_real_distribution<double> draw(0, sum);
  for (int i = 0; i < 500'000; ++i) {
    const auto key = static_cast<std::uint64_t>(
        std::lower_bound(sums.begin(), sums.end(), draw(draws)) - sums.begin());
    ++exact[key];
    Add(keys, key, Loads(1, 100));
  }
  keys.CheckInvariants();
  const auto top = keys.Top(10);
  ASSERT_EQ(top.size(), 10U);
  for (std::uint64_t key = 0; key < 10; ++key) {
    const auto found = std::ranges::find(top, "key:" + std::to_string(key), &HotKey::key);
    ASSERT_NE(found, top.end()) << key;
    const auto count = static_cast<double>(exact[key]);
    EXPECT_NEAR(static_cast<double>(found->loads[KeyLoad::kRequests]), count, count / 20) << key;
    EXPECT_NEAR(static_cast<double>(found->loads[KeyLoad::kBytes]), 100 * count, 5 * count) << key;
  }
}

TEST(TopKeys, RankedByBytesFindsTheFewLargeAmongTheManySmall) {
  Random random(1);
  TopKeys keys(KeyLoad::kBytes, random);
  std::mt19937_64 draws(1);
  for (int i = 0; i < 200'000; ++i) {
    Add(keys, 1000 + draws() % 50'000, Loads(1, 50));
    if (i % 1000 == 0) Add(keys, static_cast<std::uint64_t>(i / 1000 % 5), Loads(1, 1'000'000));
  }
  keys.CheckInvariants();
  std::set<std::string> top;
  for (const HotKey& key : keys.Top(5)) {
    top.insert(key.key);
    EXPECT_NEAR(static_cast<double>(key.loads[KeyLoad::kBytes]), 40e6, 4e6);
    EXPECT_NEAR(static_cast<double>(key.loads[KeyLoad::kRequests]), 40, 4);
  }
  EXPECT_EQ(top, (std::set<std::string>{"key:0", "key:1", "key:2", "key:3", "key:4"}));
}

TEST(TopKeys, LetsANewFavouriteInWhenTheOldOnesAreHalved) {
  Random random(1);
  TopKeys keys(KeyLoad::kRequests, random);
  for (std::uint64_t key = 0; key < TopKeys::kKeysMax; ++key) Add(keys, key, Loads(100'000, 0));
  for (int i = 0; i < 20; ++i) keys.Halve();
  EXPECT_TRUE(keys.Top(10).empty());
  for (int i = 0; i < 100; ++i) Add(keys, 5000, Loads(1, 1));
  keys.CheckInvariants();
  ASSERT_EQ(keys.Top(10).size(), 1U);
  EXPECT_EQ(keys.Top(10)[0].key, "key:5000");
}

TEST(TopKeys, LeavesOutLongKeysAndEmptyLoads) {
  Random random(1);
  TopKeys keys(KeyLoad::kBytes, random);
  keys.Add(1, std::string(TopKeys::kKeyBytesMax + 1, 'k'), 0, Loads(1, 1));
  keys.Add(2, "nothing", 0, Loads(1, 0));
  EXPECT_TRUE(keys.Top(10).empty());
  keys.Add(3, std::string(TopKeys::kKeyBytesMax, 'k'), 0, Loads(1, 1));
  EXPECT_EQ(keys.Top(10).size(), 1U);
  keys.Clear();
  keys.CheckInvariants();
  EXPECT_TRUE(keys.Top(10).empty());
}

TEST(TopKeys, FindsKeysWhoseHomesAreTheSame) {
  Random random(1);
  TopKeys keys(KeyLoad::kRequests, random);
  std::mt19937_64 draws(3);
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t key = draws() % 1000;
    // Three homes, two of them at the end of the index.
    const std::uint64_t home = 510 + key % 3;
    keys.Add((home << 32) + key, std::to_string(key), 0, Loads(1 + draws() % 50, 1));
    if (i % 1000 == 0) keys.CheckInvariants();
  }
  keys.CheckInvariants();
}

}  // namespace
}  // namespace aeris
