#include "src/client_eviction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/support/test_server.h"

namespace aeris {
namespace {

using ::testing::ElementsAre;
using testing::Request;
using testing::TestClient;
using testing::TestServer;

constexpr std::size_t kKilobyte = 1024;

std::size_t LimitOf(std::int64_t clients, std::uint64_t memory) {
  Config config;
  config.maxmemory_clients = clients;
  config.maxmemory = memory;
  return ClientMemoryLimit(config);
}

TEST(ClientMemoryLimit, IsBytesOrAShareOfMaxmemory) {
  EXPECT_EQ(LimitOf(0, 1 << 30), 0U);
  EXPECT_EQ(LimitOf(5'000'000, 0), 5'000'000U);
  EXPECT_EQ(LimitOf(-5, 100'000'000), 5'000'000U);
  EXPECT_EQ(LimitOf(-5, 0), 0U);
}

TEST(ClientMemoryLimit, LeavesRoomToTalk) {
  EXPECT_EQ(LimitOf(1, 0), 128 * kKilobyte);
  EXPECT_EQ(LimitOf(-1, 1000), 128 * kKilobyte);
}

// The head of a request whose argument is `bytes` long, and the argument, without its end.
std::string Unfinished(std::size_t bytes) {
  return "*1\r\n$" + std::to_string(bytes) + "\r\n" + std::string(bytes, 'v');
}

class ClientEvictionTest : public ::testing::Test {
 protected:
  TestClient& Connect() {
    clients_.push_back(std::make_unique<TestClient>(server_));
    return *clients_.back();
  }
  // Of which clients the server has its side.
  std::vector<bool> Connected() {
    std::vector<bool> connected;
    for (const auto& client : clients_) connected.push_back(client->peer() != nullptr);
    return connected;
  }
  void SetLimit(const std::string& limit) {
    ASSERT_EQ(control_.Talk(Request({"CONFIG", "SET", "maxmemory-clients", limit})), "+OK\r\n");
    ASSERT_EQ(control_.Talk("PING\r\n"), "+PONG\r\n");
  }

  TestServer server_;
  TestClient control_{server_};
  std::vector<std::unique_ptr<TestClient>> clients_;
};

TEST_F(ClientEvictionTest, TheLargestGoUntilTheLimitHolds) {
  for (const std::size_t kilobytes : {100u, 3000u, 200u, 1500u, 700u}) {
    ASSERT_TRUE(Connect().Send(Unfinished(kilobytes * kKilobyte)));
    server_.Settle();
  }
  SetLimit("0");
  EXPECT_THAT(Connected(), ElementsAre(true, true, true, true, true));
  SetLimit("4mb");
  EXPECT_THAT(Connected(), ElementsAre(true, false, true, true, true));
  SetLimit("1mb");
  EXPECT_THAT(Connected(), ElementsAre(true, false, true, false, false));
  EXPECT_EQ(server_->stats().evicted_clients, 3U);
  EXPECT_LE(server_->clients().memory(), 1024 * kKilobyte);
}

TEST_F(ClientEvictionTest, CountsWhatAllTake) {
  SetLimit("100mb");
  ClientSizes& sizes = server_->clients().sizes();
  TestClient& idle = Connect();
  TestClient& busy = Connect();
  ASSERT_EQ(busy.Talk(Request({"SETRANGE", "key", "1000000", "v"})), ":1000001\r\n");
  ASSERT_TRUE(busy.Send(Unfinished(500 * kKilobyte)));
  ASSERT_TRUE(idle.Send(Request({"CLIENT", "SETNAME", std::string(1000, 'n')})));
  server_.Settle();
  EXPECT_EQ(sizes.bytes(), server_->clients().memory());
  for (int i = 0; i < 20; ++i) idle.Send(Request({"GET", "key"}));
  server_.Settle();
  EXPECT_GT(sizes.bytes(), 10'000 * kKilobyte);
  EXPECT_EQ(sizes.bytes(), server_->clients().memory());
  idle.Close();
  server_.Settle();
  EXPECT_EQ(sizes.bytes(), server_->clients().memory());
  EXPECT_LT(sizes.bytes(), 2'000 * kKilobyte);
  SetLimit("0");
  EXPECT_EQ(sizes.bytes(), 0U);
  EXPECT_FALSE(sizes.on());
}

TEST_F(ClientEvictionTest, SparesWhoSaidNoEvictUntilItSaysOtherwise) {
  SetLimit("1mb");
  TestClient& spared = Connect();
  ASSERT_EQ(spared.Talk(Request({"CLIENT", "NO-EVICT", "ON"})), "+OK\r\n");
  ASSERT_EQ(spared.Talk(Request({"SETRANGE", "key", "1000000", "v"})), ":1000001\r\n");
  for (int i = 0; i < 10; ++i) spared.Send(Request({"GET", "key"}));
  server_.Settle();
  ASSERT_EQ(Connected().front(), true);
  EXPECT_GT(spared.peer()->memory(), 2'000 * kKilobyte);
  // What it takes counts, so that the others go.
  TestClient& other = Connect();
  server_.Settle();
  EXPECT_EQ(other.peer(), nullptr);
  // The one that asks goes as well.
  EXPECT_EQ(control_.peer(), nullptr);
  spared.Send(Request({"CLIENT", "NO-EVICT", "OFF"}));
  server_.Settle();
  EXPECT_EQ(spared.peer(), nullptr);
}

TEST_F(ClientEvictionTest, ACommandOfAClientThatGoesDoesNotRun) {
  SetLimit("1mb");
  TestClient& client = Connect();
  client.Send(Request({"SET", "key", std::string(2'000 * kKilobyte, 'v')}));
  server_.Settle();
  EXPECT_EQ(client.peer(), nullptr);
  EXPECT_EQ(control_.Talk(Request({"EXISTS", "key"})), ":0\r\n");
  EXPECT_EQ(server_->stats().evicted_clients, 1U);
}

TEST_F(ClientEvictionTest, AShareFollowsMaxmemory) {
  ASSERT_TRUE(Connect().Send(Unfinished(900 * kKilobyte)));
  server_.Settle();
  SetLimit("5%");
  EXPECT_THAT(Connected(), ElementsAre(true));
  ASSERT_EQ(control_.Talk(Request({"CONFIG", "SET", "maxmemory", "100mb"})), "+OK\r\n");
  ASSERT_EQ(control_.Talk("PING\r\n"), "+PONG\r\n");
  EXPECT_THAT(Connected(), ElementsAre(true));
  ASSERT_EQ(control_.Talk(Request({"CONFIG", "SET", "maxmemory", "10mb"})), "+OK\r\n");
  ASSERT_EQ(control_.Talk("PING\r\n"), "+PONG\r\n");
  EXPECT_THAT(Connected(), ElementsAre(false));
}

}  // namespace
}  // namespace aeris
