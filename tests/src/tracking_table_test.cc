#include "src/tracking_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "src/memory_info.h"
#include "tests/support/test_server.h"

namespace aeris {
namespace {

using ::testing::IsEmpty;
using testing::TestClient;
using testing::TestServer;
using ::testing::UnorderedElementsAre;

class TrackingTableTest : public ::testing::Test {
 protected:
  storage::HashedKey Key(std::string_view name) { return server_->databases()[0].Hash(name); }
  std::set<Client*> Take(std::string_view name) {
    std::set<Client*> readers;
    table_.Take(Key(name), [&](Client& reader) { EXPECT_TRUE(readers.insert(&reader).second); });
    return readers;
  }
  static std::string Name(unsigned number) {
    std::string text = std::to_string(number);
    return "key:" + std::string(12 - text.size(), '0') + text;
  }

  TestServer server_;
  TrackingTable table_;
};

TEST_F(TrackingTableTest, GivesTheReadersOfAKeyOnce) {
  TestClient a(server_), b(server_);
  const auto reader_a = table_.AddReader(*a.peer());
  const auto reader_b = table_.AddReader(*b.peer());
  EXPECT_TRUE(table_.Add(Key("k"), reader_a));
  EXPECT_FALSE(table_.Add(Key("k"), reader_a));
  EXPECT_TRUE(table_.Add(Key("k"), reader_b));
  EXPECT_TRUE(table_.Add(Key(""), reader_b));
  EXPECT_EQ(table_.keys(), 2U);
  EXPECT_EQ(table_.items(), 3U);
  EXPECT_EQ(table_.KeysOf(reader_b), 2U);
  table_.CheckInvariants();
  EXPECT_THAT(Take("k"), UnorderedElementsAre(a.peer(), b.peer()));
  EXPECT_THAT(Take("k"), IsEmpty());
  EXPECT_THAT(Take("none"), IsEmpty());
  EXPECT_THAT(Take(""), UnorderedElementsAre(b.peer()));
  EXPECT_EQ(table_.keys(), 0U);
  EXPECT_EQ(table_.items(), 0U);
  table_.CheckInvariants();
}

TEST_F(TrackingTableTest, OldestKeysOfAReaderComeFirst) {
  TestClient a(server_), b(server_);
  const auto reader_a = table_.AddReader(*a.peer());
  const auto reader_b = table_.AddReader(*b.peer());
  for (const char* name : {"z", "a", "m"}) table_.Add(Key(name), reader_a);
  table_.Add(Key("z"), reader_b);
  EXPECT_FALSE(table_.Add(Key("z"), reader_a));  // it keeps its age
  EXPECT_EQ(table_.OldestKeyOf(reader_a), "z");
  table_.RemoveOldestOf(reader_a);
  EXPECT_THAT(Take("z"), UnorderedElementsAre(b.peer()));
  EXPECT_EQ(table_.OldestKeyOf(reader_a), "a");
  table_.RemoveOldestOf(reader_a);
  EXPECT_EQ(table_.keys(), 1U);
  EXPECT_EQ(table_.OldestKeyOf(reader_a), "m");
  table_.CheckInvariants();
}

TEST_F(TrackingTableTest, RandomKeysAreAllOfThem) {
  TestClient a(server_);
  const auto reader = table_.AddReader(*a.peer());
  for (unsigned i = 0; i < 5; ++i) table_.Add(Key(Name(i)), reader);
  std::set<std::string> seen;
  for (std::uint64_t random = 0; random < 5; ++random) {
    seen.emplace(table_.RandomKey(random + 5'000'000'000));
  }
  EXPECT_EQ(seen.size(), 5U);
}

TEST_F(TrackingTableTest, KeysOfAReaderThatLeftGoInSteps) {
  TestClient a(server_), b(server_);
  const auto reader_a = table_.AddReader(*a.peer());
  const auto reader_b = table_.AddReader(*b.peer());
  for (unsigned i = 0; i < 2500; ++i) table_.Add(Key(Name(i)), reader_a);
  table_.Add(Key(Name(0)), reader_b);
  table_.RemoveReader(reader_a);
  EXPECT_EQ(table_.ClientOf(reader_a), nullptr);
  EXPECT_THAT(Take(Name(1)), IsEmpty());
  EXPECT_TRUE(table_.Sweep(1000));
  EXPECT_EQ(table_.items(), 1500U);
  table_.CheckInvariants();
  EXPECT_TRUE(table_.Sweep(1000));
  EXPECT_FALSE(table_.Sweep(1000));
  EXPECT_EQ(table_.items(), 1U);
  EXPECT_THAT(Take(Name(0)), UnorderedElementsAre(b.peer()));
  // Its number is somebody else's now.
  EXPECT_EQ(table_.AddReader(*a.peer()), reader_a);
  EXPECT_EQ(table_.KeysOf(reader_a), 0U);
  table_.CheckInvariants();
}

TEST_F(TrackingTableTest, AgreesWithSetsOfReaders) {
  std::mt19937 random(20261121);
  std::vector<std::unique_ptr<TestClient>> clients;
  std::vector<TrackingTable::ReaderNumber> numbers;
  for (int i = 0; i < 6; ++i) {
    clients.push_back(std::make_unique<TestClient>(server_));
    numbers.push_back(table_.AddReader(*clients.back()->peer()));
  }
  std::map<std::string, std::set<Client*>> model;
  const auto forget = [&](Client* client) {
    for (auto& [name, readers] : model) readers.erase(client);
  };
  // Grows beyond several chunks of items, and shrinks again.
  for (unsigned step = 0; step < 40'000; ++step) {
    const std::size_t who = random() % clients.size();
    Client* const client = clients[who]->peer();
    const std::string name = Name(static_cast<unsigned>(random() % 3000));
    const auto what = static_cast<unsigned>(random() % 1000);
    if (what == 0) {
      table_.RemoveReader(numbers[who]);
      forget(client);
      numbers[who] = table_.AddReader(*client);
    } else if (what < (step % 20'000 < 12'000 ? 200U : 800U)) {
      ASSERT_EQ(Take(name), model[name]) << step;
      model[name].clear();
    } else if (what < 850 && table_.KeysOf(numbers[who]) != 0) {
      model[std::string(table_.OldestKeyOf(numbers[who]))].erase(client);
      table_.RemoveOldestOf(numbers[who]);
    } else {
      ASSERT_EQ(table_.Add(Key(name), numbers[who]), model[name].insert(client).second) << step;
    }
    if (step % 7 == 0) table_.Sweep(20);
    if (step % 1000 == 0) table_.CheckInvariants();
  }
  while (table_.Sweep(1000)) {
  }
  std::size_t keys = 0, items = 0;
  for (const auto& [name, readers] : model) {
    keys += readers.empty() ? 0U : 1U;
    items += readers.size();
  }
  EXPECT_EQ(table_.keys(), keys);
  EXPECT_EQ(table_.items(), items);
  table_.CheckInvariants();
}

TEST_F(TrackingTableTest, IsDestroyedInSteps) {
  TestClient a(server_);
  TrackingTable table;
  const auto reader = table.AddReader(*a.peer());
  for (unsigned i = 0; i < 10'000; ++i) table.Add(Key(Name(i)), reader);
  std::size_t steps = 1;
  for (std::size_t before = table.keys(); table.DestroySome(1000); before = table.keys()) {
    ++steps;
    EXPECT_GE(before - table.keys(), 1000U);
    EXPECT_LT(before - table.keys(), 1100U);
  }
  EXPECT_EQ(steps, 10U);
  EXPECT_EQ(table.keys(), 0U);
}

// The head of tracking_table.h has these figures.
TEST_F(TrackingTableTest, TakesWhatItsHeadSays) {
  TestClient a(server_), b(server_);
  const auto reader_a = table_.AddReader(*a.peer());
  const auto reader_b = table_.AddReader(*b.peer());
  constexpr unsigned kKeys = 200'000;
  const auto bytes_per_key = [&](TrackingTable::ReaderNumber reader) {
    const std::int64_t before = ThreadAllocation().net_bytes();
    for (unsigned i = 0; i < kKeys; ++i) table_.Add(Key(Name(i)), reader);
    return static_cast<double>(ThreadAllocation().net_bytes() - before) / kKeys;
  };
  const double of_one = bytes_per_key(reader_a);
  const double of_another = bytes_per_key(reader_b);
  if (of_one == 0) GTEST_SKIP() << "the allocator does not tell";
  EXPECT_NEAR(of_one, 95, 6);
  EXPECT_NEAR(of_another, 38, 4);
  // And it goes back.
  const std::int64_t full = ThreadAllocation().net_bytes();
  for (unsigned i = 0; i < kKeys; ++i) Take(Name(i));
  EXPECT_GT(static_cast<double>(full - ThreadAllocation().net_bytes()) / kKeys,
            (of_one + of_another) * 0.97);
}

}  // namespace
}  // namespace aeris
