// What a server does at its limit: which steps it takes, and what it does not do for itself.
#include "src/eviction.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "src/memory_info.h"
#include "tests/support/test_server.h"

namespace aeris {
namespace {

using std::chrono::microseconds;
using testing::Request;
using testing::TestClient;
using testing::TestServer;

class EvictionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!ThreadAllocation().counts()) GTEST_SKIP() << "no jemalloc";
  }
  static void Set(TestClient& client, const std::string& key, std::string_view value = "v") {
    ASSERT_EQ(client.Talk(Request({"SET", key, value})), "+OK\r\n");
  }
  static void Fill(TestClient& client, std::size_t keys, std::string_view value = "v",
                   std::string_view seconds = "") {
    std::string requests;
    for (std::size_t i = 0; i < keys; ++i) {
      const std::string key = "key:" + std::to_string(i);
      requests +=
          seconds.empty() ? Request({"SET", key, value}) : Request({"SETEX", key, seconds, value});
    }
    client.Talk(requests);
  }
  static void SetLimit(TestServer& server, TestClient& client, std::size_t bytes,
                       std::string_view policy = "allkeys-random") {
    client.Talk(Request({"CONFIG", "SET", "maxmemory-policy", policy}));
    client.Talk(Request({"CONFIG", "SET", "maxmemory", std::to_string(bytes)}));
    server.Settle();
  }
};

TEST_F(EvictionTest, APauseKeepsAllKeysAndItsEndGoesOn) {
  TestServer server;
  TestClient client(server);
  Fill(client, 2000, std::string(1000, 'v'));
  client.Talk(Request({"CLIENT", "PAUSE", "100000", "WRITE"}));
  SetLimit(server, client, 1 << 20);
  EXPECT_EQ(client.Talk(Request({"DBSIZE"})), ":2000\r\n");
  client.Talk(Request({"CLIENT", "UNPAUSE"}));
  server.Settle();
  client.Talk(Request({"PING"}));
  EXPECT_LE(server->memory_account().used(), 1U << 20);
}

// As Redis does. A full table that grew would take 45 KiB, for which a thousand keys would go.
TEST_F(EvictionTest, NoKeysGoForATableThatCouldGrow) {
  TestServer server;
  TestClient client(server);
  // It grows with the next key, as tests/storage/hash_table_test.cc has it.
  const auto keyspace = [&]() -> storage::Keyspace& { return server->databases()[0]; };
  Fill(client, 4000);
  std::size_t keys = 4000;
  for (std::size_t table = 0; keys < 6000; ++keys) {
    table = keyspace().memory().table;
    Set(client, "key:" + std::to_string(keys));
    if (keyspace().memory().table > table + 20'000) break;
  }
  ASSERT_LT(keys, 6000U);
  client.Talk(Request({"FLUSHALL"}));
  Fill(client, keys);
  server.Settle();
  const std::size_t table = keyspace().memory().table;
  SetLimit(server, client, server->used_memory() + 16'384);
  for (std::size_t i = 0; i < 100; ++i) Set(client, "key:" + std::to_string(keys + i));
  EXPECT_EQ(keyspace().size(), keys + 100);
  EXPECT_EQ(keyspace().memory().table, table);
  // With room for it, it grows.
  SetLimit(server, client, 100 << 20);
  for (std::size_t i = 100; i < 300; ++i) Set(client, "key:" + std::to_string(keys + i));
  EXPECT_GT(keyspace().memory().table, table);
}

// Each reading of the clock takes a tenth of a step's time here.
constexpr microseconds kReading{50};

class EvictionStepTest : public EvictionTest {
 protected:
  // What one command takes by that clock, which is read in one turn and runs in the next.
  static std::chrono::nanoseconds TimeOf(TestServer& server, TestClient& client,
                                         std::string_view request) {
    client.Send(request);
    const MonotonicTime before = server.clock().Monotonic();
    server.Turn();
    server.Turn();
    return server.clock().Monotonic() - before;
  }
};

// A copy takes more than a step can remove. The command waits no longer for it than the tenacity
// says, and neither do those that follow while memory is far above the limit.
TEST_F(EvictionStepTest, NoCommandWaitsLongerThanAStepWhereMuchHasToGo) {
  TestServer server;
  TestClient client(server);
  // All but the large ones may go.
  Fill(client, 100'000, "0123456789", "10000");
  std::string list = "*2002\r\n$5\r\nRPUSH\r\n$4\r\nlist\r\n";
  for (int i = 0; i < 2000; ++i) list += "$500\r\n" + std::string(500, 'e') + "\r\n";
  client.Talk(list);
  const std::size_t limit = server->used_memory();
  SetLimit(server, client, limit, "volatile-random");
  server.clock().set_step(kReading);
  // A step before the command, or 256 removals after it, with a look at the clock after each 16; a
  // step of the time event in each turn; what else looks at it. It was 10 ms, 200 looks.
  constexpr auto kMost = 80 * kReading;
  EXPECT_LE(TimeOf(server, client, Request({"COPY", "list", "copy"})), kMost);
  std::size_t above = server->used_memory();
  EXPECT_GT(above, limit + 500'000);
  for (int i = 0; i < 20; ++i) {
    EXPECT_LE(TimeOf(server, client, Request({"SET", "new:" + std::to_string(i), "v"})), kMost);
    EXPECT_LT(server->used_memory(), above);
    above = server->used_memory();
  }
  EXPECT_GT(above, limit);
  server.clock().set_step({});
  server.Settle();
  EXPECT_LE(server->used_memory(), limit);
}

// A clock that has run on without us must not let memory climb: each command removes what it adds.
TEST_F(EvictionStepTest, MemoryDoesNotClimbWhereTheClockRunsFast) {
  TestServer server;
  TestClient client(server);
  const std::string value(1000, 'v');
  Fill(client, 20'000, value);
  const std::size_t limit = server->used_memory();
  SetLimit(server, client, limit, "allkeys-lru");
  client.Talk(Request({"CONFIG", "SET", "maxmemory-eviction-tenacity", "0"}));
  server.clock().set_step(std::chrono::milliseconds(1));
  std::string list = "*201\r\n$5\r\nRPUSH\r\n$4\r\nlist\r\n";
  for (int i = 0; i < 199; ++i) list += "$200\r\n" + std::string(200, 'e') + "\r\n";
  client.Send(list);
  for (int i = 0; i < 4; ++i) server.Turn();
  for (int i = 0; i < 20; ++i) {
    client.Send(Request({"COPY", "list", "copy:" + std::to_string(i)}));
    server.Turn();
    server.Turn();
    EXPECT_LE(server->used_memory(), limit + 20'000) << i;
  }
  EXPECT_GT(server->databases()[0].lookup_stats().evicted, 500U);
}

// What INFO cache's estimates are of.
TEST(EvictionLimits, KeyBytesFollowAllLimits) {
  TestServer server;
  TestClient client(server);
  const Eviction& eviction = server->eviction();
  const auto set = [&](std::string_view name, std::string_view value) {
    ASSERT_EQ(client.Talk(Request({"CONFIG", "SET", name, value})), "+OK\r\n");
  };
  client.Talk(Request({"SET", "key", std::string(100'000, 'v')}));
  const auto held = static_cast<double>(server->databases().used_bytes());
  EXPECT_EQ(eviction.KeyBytesAt(2, 5000), 2 * held);
  set("maxmemory-db", "1 1000000 allkeys-lru");
  EXPECT_EQ(eviction.KeyBytesAt(2, 5000), 2 * held + 2e6);
  set("maxmemory-db", "0 300000 allkeys-lru 1 1000000 allkeys-lru");
  EXPECT_EQ(eviction.KeyBytesAt(4, 5000), 4 * 1.3e6);
  // Fourteen others have no limit but this one.
  set("maxmemory", "3000000");
  EXPECT_EQ(eviction.KeyBytesAt(2, 5000), 6e6 - 5000);
  EXPECT_EQ(eviction.KeyBytesAt(1, 5e6), 0);
}

TEST(EvictionLimits, KeyBytesAreTheLesserOfOneLimitAndTheSumOfOthers) {
  TestServer server([](Config& config) {
    config.databases = 1;
    config.maxmemory = 100'000'000;
    config.maxmemory_db = {{.database = 0, .bytes = 30'000'000}};
  });
  EXPECT_EQ(server->eviction().KeyBytesAt(2, 5000), 60e6);
  EXPECT_EQ(server->eviction().KeyBytesAt(1, 80e6), 20e6);
}

}  // namespace
}  // namespace aeris
