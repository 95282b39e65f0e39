#include "src/databases.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/storage/keyspace_fixture.h"

namespace aeris {
namespace {

using storage::testing::kNow;
using storage::testing::Set;
using storage::testing::Shared;
using storage::testing::TextAt;

struct Fixture {
  Shared shared;
  std::vector<std::size_t> discarded;  // keys of each keyspace that was given away
  Databases databases{16, shared.context, [this](std::unique_ptr<storage::Keyspace> keyspace) {
                        discarded.push_back(keyspace->size());
                      }};

  void Fill(std::size_t index, int keys, UnixMs deadline = kNoDeadline) {
    for (int i = 0; i < keys; ++i) {
      Set(databases[index], "key:" + std::to_string(i), std::to_string(index), deadline);
    }
  }
};

TEST(Databases, FlushEmptiesOneAndGivesItAway) {
  Fixture fixture;
  fixture.Fill(0, 3);
  fixture.Fill(5, 7);
  EXPECT_EQ(fixture.databases.Flush(5), 7U);
  EXPECT_EQ(fixture.databases[5].size(), 0U);
  EXPECT_EQ(fixture.databases[0].size(), 3U);
  EXPECT_EQ(fixture.discarded, std::vector<std::size_t>{7});
  fixture.Fill(5, 1);
  EXPECT_EQ(TextAt(fixture.databases[5], "key:0", kNow), "5");
}

// The wheel and the deadline base stand where the clock does, so the first deadline is filed and
// stored like any other.
TEST(Databases, KeepKeyspacesWithoutDeadlinesAtThePresent) {
  constexpr UnixMs kDay = 24 * 3600 * 1000;
  Fixture fixture;
  fixture.Fill(3, 1);
  const UnixMs now = kNow + 200 * kDay;
  EXPECT_FALSE(fixture.databases.ExpireDue(now, 100));
  storage::Keyspace& keyspace = fixture.databases[3];
  const std::size_t before = keyspace.memory().entries;
  Set(keyspace, "key of 16 bytes!", std::string(32, 'v'), now + kDay, now);
  EXPECT_EQ(keyspace.memory().entries - before, 16U + 32U + 8U);
}

TEST(Databases, FlushAllGivesAwayWhatHasKeys) {
  Fixture fixture;
  fixture.Fill(0, 3);
  fixture.Fill(15, 4);
  EXPECT_EQ(fixture.databases.FlushAll(), 7U);
  EXPECT_EQ(fixture.discarded, (std::vector<std::size_t>{3, 4}));
  EXPECT_EQ(fixture.databases.FlushAll(), 0U);
  EXPECT_EQ(fixture.discarded.size(), 2U);
}

TEST(Databases, SwapExchangesTwo) {
  Fixture fixture;
  fixture.Fill(1, 1);
  fixture.Fill(2, 1);
  fixture.databases.Swap(1, 2);
  EXPECT_EQ(TextAt(fixture.databases[1], "key:0", kNow), "2");
  EXPECT_EQ(TextAt(fixture.databases[2], "key:0", kNow), "1");
  fixture.databases.Swap(3, 3);
  fixture.databases.Swap(1, 9);
  EXPECT_EQ(fixture.databases[1].size(), 0U);
}

TEST(Databases, ExpiryOfABusyDatabaseStarvesNoOther) {
  Fixture fixture;
  fixture.Fill(0, 5000, kNow + 1000);
  for (std::size_t i = 1; i < 16; ++i) fixture.Fill(i, 50, kNow + 1000);
  UnixMs now = kNow + 60'000;
  for (int step = 0; step < 40; ++step) {
    (void)fixture.databases.ExpireDue(now, 100);
    now += 100;
  }
  EXPECT_GT(fixture.databases[0].size(), 0U);
  for (std::size_t i = 1; i < 16; ++i) EXPECT_EQ(fixture.databases[i].size(), 0U) << i;
  for (int step = 0; step < 200; ++step) {
    (void)fixture.databases.ExpireDue(now, 100);
    now += 100;
  }
  EXPECT_EQ(fixture.databases[0].size(), 0U);
}

TEST(Databases, AStepOfExpiryHasOneBudgetForAll) {
  Fixture fixture;
  for (std::size_t i = 0; i < 16; ++i) fixture.Fill(i, 1000, kNow + 1000);
  EXPECT_TRUE(fixture.databases.ExpireDue(kNow + 60'000, 200));
  EXPECT_LE(fixture.shared.context.stats.expired, 1000U);
}

TEST(Databases, MemoryIsTheSumOfAll) {
  Fixture fixture;
  EXPECT_EQ(fixture.databases.memory().entries, 0U);
  fixture.Fill(0, 100);
  const std::size_t one = fixture.databases.memory().entries;
  fixture.Fill(9, 100);
  EXPECT_EQ(fixture.databases.memory().entries, 2 * one);
}

}  // namespace
}  // namespace aeris
