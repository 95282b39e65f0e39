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

}  // namespace
}  // namespace aeris
