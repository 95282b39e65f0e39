// Which changes concern those who watch a key, and what watching leaves behind.
#include "src/watched_keys.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/support/test_server.h"

namespace aeris {
namespace {

using std::chrono::milliseconds;
using testing::Request;
using testing::TestClient;
using testing::TestServer;

class WatchedKeysTest : public ::testing::Test {
 protected:
  void Watch(TestClient& client, std::string_view key) {
    EXPECT_EQ(client.Talk(Request({"WATCH", key})), "+OK\r\n");
  }
  // Whether its EXEC runs.
  bool Runs(TestClient& client) {
    const std::string replies = client.Talk(Request({"MULTI"}) + Request({"EXEC"}));
    EXPECT_TRUE(replies == "+OK\r\n*0\r\n" || replies == "+OK\r\n*-1\r\n") << replies;
    return replies.ends_with("*0\r\n");
  }
  std::size_t watched() { return server_->watched_keys().size(); }

  TestServer server_;
  TestClient a_{server_}, b_{server_}, writer_{server_};
};

TEST_F(WatchedKeysTest, AChangeConcernsThoseWhoWatchTheKey) {
  Watch(a_, "k");
  Watch(b_, "l");
  writer_.Talk(Request({"SET", "k", "1"}));
  EXPECT_FALSE(Runs(a_));
  EXPECT_TRUE(Runs(b_));
  EXPECT_TRUE(Runs(a_));
  EXPECT_EQ(watched(), 0U);
}

TEST_F(WatchedKeysTest, OneKeyOfMany) {
  std::string watch = "*1001\r\n$5\r\nWATCH\r\n";
  for (int i = 0; i < 1000; ++i) {
    const std::string key = std::to_string(i);
    watch += "$" + std::to_string(key.size()) + "\r\n" + key + "\r\n";
  }
  a_.Talk(watch);
  EXPECT_EQ(watched(), 1000U);
  const std::size_t memory = a_.peer()->memory();
  EXPECT_GT(memory, 1000 * 144U);
  writer_.Talk(Request({"SET", "999", "1"}));
  EXPECT_FALSE(Runs(a_));
  EXPECT_EQ(watched(), 0U);
  EXPECT_LT(a_.peer()->memory(), memory - 1000 * 144U + 10'000);
}

TEST_F(WatchedKeysTest, WatchingTwiceIsWatchingOnce) {
  Watch(a_, "k");
  Watch(a_, "k");
  EXPECT_EQ(a_.peer()->watch->size(), 1U);
  Watch(b_, "k");
  EXPECT_EQ(watched(), 1U);
  writer_.Talk(Request({"DEL", "k"}));
  EXPECT_EQ(watched(), 1U);  // nothing was removed
  writer_.Talk(Request({"APPEND", "k", "x"}));
  EXPECT_EQ(watched(), 0U);  // those who are concerned have left
  EXPECT_FALSE(Runs(a_));
  EXPECT_FALSE(Runs(b_));
}

TEST_F(WatchedKeysTest, PlacesLeaveInAnyOrder) {
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(std::make_unique<TestClient>(server_));
    Watch(*clients.back(), "k");
  }
  for (const std::size_t i : {2U, 0U, 4U}) clients[i]->Talk(Request({"UNWATCH"}));
  EXPECT_EQ(watched(), 1U);
  clients[1]->Close();
  server_.Settle();
  writer_.Talk(Request({"SET", "k", "1"}));
  EXPECT_FALSE(Runs(*clients[3]));
  EXPECT_TRUE(Runs(*clients[0]));
  EXPECT_EQ(watched(), 0U);
}

TEST_F(WatchedKeysTest, NothingIsListenedToWhileNobodyWatches) {
  EXPECT_FALSE(server_->events().wants(KeyEvent::kString));
  Watch(a_, "k");
  EXPECT_TRUE(server_->events().wants(KeyEvent::kString));
  a_.Talk(Request({"UNWATCH"}));
  EXPECT_FALSE(server_->events().wants(KeyEvent::kString));
}

TEST_F(WatchedKeysTest, AKeyBelongsToItsDatabase) {
  a_.Talk(Request({"SELECT", "1"}));
  Watch(a_, "k");
  writer_.Talk(Request({"SET", "k", "1"}));
  EXPECT_TRUE(Runs(a_));
  Watch(a_, "k");
  a_.Talk(Request({"SELECT", "0"}));
  writer_.Talk(Request({"SELECT", "1"}) + Request({"SET", "k", "1"}));
  EXPECT_FALSE(Runs(a_));
}

TEST_F(WatchedKeysTest, ExpiryIsAChangeOfAKeyThatWasThere) {
  writer_.Talk(Request({"SET", "k", "1", "PX", "100"}));
  Watch(a_, "k");
  server_.Advance(milliseconds(200));
  EXPECT_FALSE(Runs(a_));
}

TEST_F(WatchedKeysTest, ExpiryIsSeenByExecBeforeAnySweep) {
  writer_.Talk(Request({"DEBUG", "SET-ACTIVE-EXPIRE", "0"}) +
               Request({"SET", "k", "1", "PX", "100"}));
  Watch(a_, "k");
  server_.clock().Advance(milliseconds(101));
  EXPECT_FALSE(Runs(a_));
  writer_.Talk(Request({"SET", "k", "1", "PX", "100"}));
  server_.clock().Advance(milliseconds(101));
  Watch(a_, "k");
  writer_.Talk(Request({"GET", "k"}) + Request({"FLUSHALL"}));
  EXPECT_TRUE(Runs(a_));
}

TEST_F(WatchedKeysTest, ExpiryIsSeenWhilePauseKeepsTheKey) {
  writer_.Talk(Request({"SET", "k", "1", "PX", "100"}) + Request({"SET", "l", "1", "PX", "10"}));
  Watch(a_, "k");
  writer_.Talk(Request({"CLIENT", "PAUSE", "100000", "WRITE"}));
  server_.Advance(milliseconds(200));
  EXPECT_EQ(writer_.Talk(Request({"EXISTS", "k"}) + Request({"DBSIZE"})), ":0\r\n:2\r\n");
  EXPECT_FALSE(Runs(a_));
  Watch(a_, "k");
  writer_.Talk(Request({"CLIENT", "UNPAUSE"}) + Request({"GET", "k"}));
  server_.Advance(milliseconds(200));
  EXPECT_EQ(writer_.Talk(Request({"DBSIZE"})), ":0\r\n");
  EXPECT_TRUE(Runs(a_));
}

TEST_F(WatchedKeysTest, EvictionIsAChange) {
  writer_.Talk(Request({"CONFIG", "SET", "maxmemory-policy", "allkeys-random"}));
  writer_.Talk(Request({"SET", "k", "1"}));
  Watch(a_, "k");
  Watch(b_, "none");
  writer_.Talk(Request({"CONFIG", "SET", "maxmemory", "1"}));
  server_.Advance(milliseconds(200));
  EXPECT_EQ(writer_.Talk(Request({"DBSIZE"})), ":0\r\n");
  writer_.Talk(Request({"CONFIG", "SET", "maxmemory", "0"}));
  EXPECT_FALSE(Runs(a_));
  EXPECT_TRUE(Runs(b_));
}

TEST_F(WatchedKeysTest, FlushAndSwapTouchWhatIsThere) {
  writer_.Talk(Request({"SET", "k", "1"}));
  for (const std::string_view flush : {"FLUSHDB", "FLUSHALL"}) {
    writer_.Talk(Request({"SET", "k", "1"}));
    Watch(a_, "k");
    Watch(b_, "none");
    writer_.Talk(Request({flush}));
    EXPECT_FALSE(Runs(a_)) << flush;
    EXPECT_TRUE(Runs(b_)) << flush;
  }
  writer_.Talk(Request({"SET", "k", "1"}));
  Watch(a_, "k");
  Watch(b_, "none");
  writer_.Talk(Request({"SWAPDB", "0", "1"}));
  EXPECT_FALSE(Runs(a_));
  EXPECT_TRUE(Runs(b_));
  Watch(a_, "k");
  writer_.Talk(Request({"SWAPDB", "1", "0"}));
  EXPECT_FALSE(Runs(a_));
  EXPECT_EQ(watched(), 0U);
}

}  // namespace
}  // namespace aeris
