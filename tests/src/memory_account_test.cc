// Used memory, in a server as a whole: what counts, and when.
#include "src/memory_account.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>

#include "src/memory_info.h"
#include "tests/support/test_server.h"

namespace aeris {
namespace {

using testing::Request;
using testing::TestClient;
using testing::TestServer;

constexpr std::size_t kMegabyte = std::size_t{1} << 20;
// Blocks of buffers that a turn leaves in the pool.
constexpr std::size_t kPooled = kMegabyte / 4;

class MemoryAccountTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!ThreadAllocation().counts()) GTEST_SKIP() << "no jemalloc";
  }
  // The helper thread may take its time.
  void WaitForLazyFree(TestServer& server) {
    while (server->stats().lazyfree_pending != 0) {
      std::this_thread::yield();
      server.Settle();
    }
  }
};

TEST_F(MemoryAccountTest, CountsWhatAThreadAllocatesAndFrees) {
  const ThreadAllocation thread;
  const std::int64_t before = thread.net_bytes();
  {
    const std::string text(100'000, 'x');
    EXPECT_GE(thread.net_bytes() - before, 100'000);
    EXPECT_LE(thread.net_bytes() - before, 125'000);
  }
  EXPECT_EQ(thread.net_bytes(), before);
}

TEST_F(MemoryAccountTest, RepliesThatNobodyReadsCountAtOnce) {
  TestServer server;
  TestClient client(server);
  std::string request = "*101\r\n$5\r\nRPUSH\r\n$4\r\nlist\r\n";
  for (int i = 0; i < 99; ++i) request += "$10000\r\n" + std::string(10'000, 'v') + "\r\n";
  ASSERT_EQ(client.Talk(request), ":99\r\n");
  const std::size_t before = server->used_memory();
  client.Send(Request({"LRANGE", "list", "0", "-1"}));
  server.Turn();
  server.Turn();
  const Client* const peer = client.peer();
  ASSERT_NE(peer, nullptr);
  ASSERT_GT(peer->replies().memory(), kMegabyte / 2);
  EXPECT_GE(server->used_memory(), before + peer->replies().size());
  EXPECT_LE(server->used_memory(), before + peer->replies().memory() + 100'000);
  client.Receive();
  server.Advance(std::chrono::seconds(10));
  EXPECT_LE(server->used_memory(), before + kPooled);
}

TEST_F(MemoryAccountTest, ABigArgumentCountsWhenItIsStored) {
  TestServer server;
  TestClient client(server);
  const std::string value(4 * kMegabyte, 'v');
  const std::string request = Request({"SET", "key", value});
  const std::size_t before = server->used_memory();
  client.Send(request.substr(0, request.size() - 10));
  server.Settle();
  EXPECT_GE(client.peer()->memory(), value.size());
  EXPECT_LE(server->used_memory(), before + kPooled);
  EXPECT_EQ(client.Talk(request.substr(request.size() - 10)), "+OK\r\n");
  EXPECT_GE(server->used_memory(), before + value.size());
  EXPECT_EQ(server->stats().argument_bytes, 0U);
  EXPECT_EQ(client.Talk(Request({"DEL", "key"})), ":1\r\n");
  EXPECT_LE(server->used_memory(), before + kPooled);
}

TEST_F(MemoryAccountTest, WhatIsGivenToBeFreedDoesNotCount) {
  TestServer server;
  TestClient client(server);
  ASSERT_EQ(client.Talk(Request({"SET", "warm", "v"})), "+OK\r\n");
  const std::size_t before = server->used_memory();
  for (int i = 0; i < 40; ++i) {
    std::string request = "*1002\r\n$4\r\nSADD\r\n$3\r\nset\r\n";
    for (int j = 0; j < 1000; ++j) {
      const std::string member = "member:" + std::to_string(i * 1000 + j);
      request += "$" + std::to_string(member.size()) + "\r\n" + member + "\r\n";
    }
    ASSERT_EQ(client.Talk(request), ":1000\r\n");
  }
  const std::size_t full = server->used_memory();
  ASSERT_GT(full, before + kMegabyte);
  // Whether the thread has begun or not.
  client.Send(Request({"UNLINK", "set"}));
  server.Turn();
  server.Turn();
  EXPECT_LE(server->used_memory(), before + kPooled);
  client.Receive();
  WaitForLazyFree(server);
  EXPECT_LE(server->used_memory(), before + kPooled);
  EXPECT_GE(server->used_memory() + kPooled, before);
}

TEST_F(MemoryAccountTest, AFlushedDatabaseLeavesAtOnce) {
  TestServer server;
  TestClient client(server);
  ASSERT_EQ(client.Talk(Request({"SET", "warm", "v"})), "+OK\r\n");
  const std::size_t before = server->used_memory();
  ASSERT_EQ(client.Talk(Request({"DEBUG", "POPULATE", "20000", "key", "3000"})), "+OK\r\n");
  ASSERT_GT(server->used_memory(), before + 50 * kMegabyte);
  client.Send(Request({"FLUSHALL"}));
  server.Turn();
  server.Turn();
  EXPECT_LE(server->used_memory(), before + 2 * kMegabyte);
  client.Receive();
  WaitForLazyFree(server);
  EXPECT_LE(server->used_memory(), before + kPooled);
}

}  // namespace
}  // namespace aeris
