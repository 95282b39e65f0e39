// The server when its wall clock is set: forward and back by a day, and a little.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "src/server.h"
#include "tests/support/test_server.h"

namespace aeris {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using testing::TestClient;
using testing::TestServer;

constexpr UnixMs kDay = 24 * 3600 * 1000;
constexpr UnixMs kClockJumps[] = {kDay, -kDay, 3'000, -3'000, 40 * kDay, -40 * kDay};

void SetWallClock(TestServer& server, UnixMs by) {
  server.clock().SetUnix(server.clock().Unix() + by);
  server.Settle();
}

TEST(ServerClock, KeysAgeByNoClockThatIsSet) {
  for (const UnixMs jump : kClockJumps) {
    SCOPED_TRACE(jump);
    TestServer server;
    TestClient client(server);
    client.Talk("SET a v\r\nSET b v\r\nSADD c v\r\n");
    server.Advance(seconds(10));
    SetWallClock(server, jump);
    EXPECT_EQ(client.Talk("OBJECT IDLETIME a\r\nOBJECT IDLETIME c\r\n"), ":10\r\n:10\r\n");
    EXPECT_EQ(client.Talk("GET a\r\nOBJECT IDLETIME a\r\n"), "$1\r\nv\r\n:0\r\n");
    server.Advance(seconds(5));
    EXPECT_EQ(client.Talk("OBJECT IDLETIME a\r\nOBJECT IDLETIME b\r\n"), ":5\r\n:15\r\n");
    EXPECT_EQ(client.Talk("COPY a d\r\nOBJECT IDLETIME d\r\n"), ":1\r\n:0\r\n");
  }
}

TEST(ServerClock, UsesCountOnWhenTheClockIsSet) {
  for (const UnixMs jump : kClockJumps) {
    SCOPED_TRACE(jump);
    TestServer server([](Config& config) {
      config.maxmemory_policy = MaxmemoryPolicy::kAllkeysLfu;
      config.lfu_log_factor = 0;
    });
    TestClient client(server);
    client.Talk("SET a v\r\n");
    for (int i = 0; i < 100; ++i) client.Talk("GET a\r\n");
    const std::string before = client.Talk("OBJECT FREQ a\r\n");
    EXPECT_NE(before, ":5\r\n");
    SetWallClock(server, jump);
    EXPECT_EQ(client.Talk("OBJECT FREQ a\r\n"), before);
  }
}

TEST(ServerClock, NobodyIsLateForDeadlinesThatItWasSetOver) {
  TestServer server;
  TestClient client(server);
  client.Talk("SET a v EX 100\r\nSET b v EX 1000\r\n");
  SetWallClock(server, kDay);
  server.Advance(milliseconds(200));
  EXPECT_EQ(client.Talk("DBSIZE\r\n"), ":0\r\n");
  EXPECT_LE(server->databases().context().stats.expire_lag.ValueAt(100), 1000);
}

TEST(ServerClock, TimeoutsEndByNoClockThatIsSet) {
  for (const UnixMs jump : kClockJumps) {
    SCOPED_TRACE(jump);
    TestServer server([](Config& config) { config.timeout = 60; });
    TestClient blocked(server);
    TestClient idle(server);
    TestClient admin(server);
    TestClient paused(server);
    blocked.Talk("BLPOP list 5\r\n");
    admin.Talk("CLIENT PAUSE 5000 WRITE\r\n");
    paused.Talk("SET k v\r\n");
    server.Advance(seconds(2));
    SetWallClock(server, jump);
    server.Advance(milliseconds(2'900));
    EXPECT_EQ(blocked.Receive(), "");
    EXPECT_EQ(paused.Receive(), "");
    server.Advance(milliseconds(200));
    EXPECT_EQ(blocked.Receive(), "*-1\r\n");
    EXPECT_EQ(paused.Receive(), "+OK\r\n");
    EXPECT_THAT(admin.Talk("INFO server\r\n"), HasSubstr("uptime_in_seconds:5\r\n"));
    EXPECT_NE(idle.peer(), nullptr);
    for (int i = 0; i < 62; ++i) server.Advance(seconds(1));
    EXPECT_EQ(idle.peer(), nullptr);
  }
}

// Deadlines are wall-clock times, so they follow it; what is set afterwards is on time.
TEST(ServerClock, DeadlinesFollowTheWallClock) {
  for (const UnixMs jump : kClockJumps) {
    SCOPED_TRACE(jump);
    TestServer server;
    TestClient client(server);
    client.Talk("SET soon v PX 2000\r\nSET far v EX 8640000\r\nHSET hash f v g v\r\n");
    client.Talk("HPEXPIRE hash 2000 FIELDS 1 f\r\n");
    server.Advance(milliseconds(500));
    SetWallClock(server, jump);
    // Between the jump and the next sweep.
    client.Talk("SET new v PX 300\r\nHPEXPIRE hash 300 FIELDS 1 g\r\n");
    for (int i = 0; i < 25; ++i) server.Advance(milliseconds(20));
    // No lookup: the sweep has removed them.
    storage::Keyspace& keyspace = server->databases()[0];
    const bool forward = jump > 0;
    EXPECT_EQ(keyspace.size(), forward ? 1U : 3U);
    EXPECT_EQ(client.Talk("EXISTS new\r\nEXISTS far\r\n"), ":0\r\n:1\r\n");
    EXPECT_EQ(client.Talk("EXISTS soon\r\nHLEN hash\r\n"),
              forward ? ":0\r\n:0\r\n" : ":1\r\n:1\r\n");
    if (forward) continue;
    SetWallClock(server, -jump);
    for (int i = 0; i < 100; ++i) server.Advance(milliseconds(20));
    EXPECT_EQ(keyspace.size(), 1U);
  }
}

}  // namespace
}  // namespace aeris
