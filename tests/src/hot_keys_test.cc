#include "src/hot_keys.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace aeris {
namespace {

using std::chrono::minutes;

storage::HashedKey Key(const std::string& text) { return {text, std::hash<std::string>()(text)}; }

// A request for one key that is looked at if its turn has come.
void Request(HotKeys& keys, const std::string& text, std::size_t bytes, std::size_t database = 0) {
  if (keys.TakesThisOne()) {
    keys.Add(database, 1, bytes, [&](std::size_t) { return Key(text); });
  }
}

TEST(HotKeys, LooksAtOneRequestInSixteen) {
  Random random(1);
  HotKeys keys(random);
  int taken = 0;
  for (int i = 0; i < 160'000; ++i) taken += keys.TakesThisOne() ? 1 : 0;
  EXPECT_NEAR(taken, 10'000, 300);
}

TEST(HotKeys, EstimatesAllRequestsFromThoseItLooksAt) {
  Random random(1);
  HotKeys keys(random);
  // A pipeline in which every 16th request is for the same key.
  for (int i = 0; i < 320'000; ++i) Request(keys, "key:" + std::to_string(i % 16), 100);
  const auto top = keys.Top(KeyLoad::kRequests, 100);
  ASSERT_EQ(top.size(), 16U);
  for (const HotKey& key : top) {
    EXPECT_NEAR(static_cast<double>(key.loads[KeyLoad::kRequests]), 20'000, 2'500) << key.key;
    EXPECT_EQ(key.loads[KeyLoad::kBytes], 100 * key.loads[KeyLoad::kRequests]);
  }
  EXPECT_EQ(keys.RequestsTo(0, Key(top[0].key)), top[0].loads[KeyLoad::kRequests]);
  EXPECT_EQ(keys.RequestsTo(1, Key(top[0].key)), 0U);
  EXPECT_EQ(keys.RequestsTo(0, Key("other")), 0U);
}

TEST(HotKeys, TellsDatabasesApartAndRanksByEither) {
  Random random(1);
  HotKeys keys(random);
  for (int i = 0; i < 10'000; ++i) {
    Request(keys, "key", 10, 3);
    if (i % 10 == 0) Request(keys, "key", 10'000, 5);
  }
  EXPECT_EQ(keys.Top(KeyLoad::kRequests, 1).at(0).database, 3U);
  EXPECT_EQ(keys.Top(KeyLoad::kBytes, 1).at(0).database, 5U);
  keys.Reset();
  EXPECT_TRUE(keys.Top(KeyLoad::kRequests, 1).empty());
  EXPECT_TRUE(keys.Top(KeyLoad::kBytes, 1).empty());
}

TEST(HotKeys, TakesAFewOfManyKeysForAll) {
  Random random(1);
  HotKeys keys(random);
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) names.push_back("key:" + std::to_string(i));
  std::size_t asked = 0;
  for (int i = 0; i < 10'000; ++i) {
    keys.Add(0, 100, 100'000, [&](std::size_t index) {
      EXPECT_LT(index, 100U);
      ++asked;
      return Key(names[index]);
    });
  }
  EXPECT_LE(asked, 10'000 * HotKeys::kKeysPerRequest);
  const auto top = keys.Top(KeyLoad::kRequests, HotKeys::kKeysMax);
  ASSERT_EQ(top.size(), 100U);
  for (const HotKey& key : top) {
    EXPECT_NEAR(static_cast<double>(key.loads[KeyLoad::kRequests]), 160'000, 16'000) << key.key;
    EXPECT_NEAR(static_cast<double>(key.loads[KeyLoad::kBytes]), 160e6, 16e6) << key.key;
  }
  keys.Add(0, 0, 100, [](std::size_t) -> storage::HashedKey { std::abort(); });
}

TEST(HotKeys, HalvesEveryTenMinutes) {
  Random random(1);
  HotKeys keys(random);
  const std::string name = "key";
  for (int i = 0; i < 100; ++i) keys.Add(0, 1, 5, [&](std::size_t) { return Key(name); });
  MonotonicTime now{minutes(100)};
  keys.Age(now);
  EXPECT_EQ(keys.RequestsTo(0, Key("key")), 1600U);
  keys.Age(now += minutes(9));
  EXPECT_EQ(keys.RequestsTo(0, Key("key")), 1600U);
  keys.Age(now += minutes(1));
  keys.Age(now);
  EXPECT_EQ(keys.RequestsTo(0, Key("key")), 800U);
}

}  // namespace
}  // namespace aeris
