// Requests that are brief, in rows: what is kept about them, and what ends a row.
#include "src/dispatch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>

#include "src/server.h"
#include "tests/support/test_server.h"

namespace aeris {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using ::testing::HasSubstr;
using testing::TestClient;
using testing::TestServer;

std::string Times(int count, const std::string& text) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

const CommandStats& StatsOf(TestServer& server, std::string_view name) {
  return server->commands().Find(name)->stats();
}

// Nanoseconds that so many GETs in one pipeline are said to take where each reading of the clock is
// 100 us after the one before.
std::uint64_t TimeOf(TestServer& server, TestClient& client, int count) {
  const std::uint64_t before = StatsOf(server, "get").nanoseconds;
  server.clock().set_step(microseconds(100));
  EXPECT_EQ(client.Talk(Times(count, "GET a\r\n")), Times(count, "$1\r\nv\r\n"));
  server.clock().set_step(milliseconds(0));
  return StatsOf(server, "get").nanoseconds - before;
}

TEST(Dispatcher, ReadsTheClockOnceForARowOfBriefRequests) {
  TestServer server;
  TestClient client(server);
  client.Talk("SET a v\r\n");
  EXPECT_EQ(TimeOf(server, client, 1), 100'000U);
  EXPECT_EQ(TimeOf(server, client, 16), 100'000U);
  EXPECT_EQ(TimeOf(server, client, 17), 200'000U);
  EXPECT_EQ(StatsOf(server, "get").calls, 34U);
  EXPECT_EQ(StatsOf(server, "get").latency.count(), 34U);
  EXPECT_EQ(server->stats().commands_processed, 35U);
}

TEST(Dispatcher, TimesEachRequestWhereTheSlowLogAsks) {
  TestServer server([](Config& config) { config.slowlog_log_slower_than = 999; });
  TestClient client(server);
  client.Talk("SET a v\r\n");
  EXPECT_EQ(TimeOf(server, client, 8), 800'000U);
  client.Talk("CONFIG SET slowlog-log-slower-than 1000\r\n");
  EXPECT_EQ(TimeOf(server, client, 16), 100'000U);
}

TEST(Dispatcher, TheTimeOfARowIsThatOfItsCommand) {
  TestServer server;
  TestClient client(server);
  client.Talk("SET a 1\r\n");
  server.clock().set_step(microseconds(100));
  client.Talk("GET a\r\nGET a\r\nINCR a\r\nGET a\r\nSTRLEN a\r\nMGET a a\r\n");
  server.clock().set_step(milliseconds(0));
  EXPECT_EQ(StatsOf(server, "get").nanoseconds, 200'000U);
  EXPECT_EQ(StatsOf(server, "incr").nanoseconds, 100'000U);
  EXPECT_EQ(StatsOf(server, "strlen").nanoseconds, 100'000U);
  EXPECT_EQ(StatsOf(server, "mget").nanoseconds, 100'000U);
}

TEST(Dispatcher, ASlowRowIsInTheLogOnce) {
  TestServer server;
  TestClient client(server);
  client.Send("GET a\r\nGET b\r\nGET c\r\n");
  server.clock().set_step(milliseconds(20));
  for (int turn = 0; turn < 3; ++turn) server.Turn();
  server.clock().set_step(milliseconds(0));
  EXPECT_EQ(client.Receive(), Times(3, "$-1\r\n"));
  EXPECT_EQ(client.Talk("SLOWLOG LEN\r\n"), ":1\r\n");
  EXPECT_THAT(client.Talk("SLOWLOG GET\r\n"), HasSubstr("$3\r\nGET\r\n$1\r\nc\r\n"));
}

TEST(Dispatcher, FailuresInARowAreCounted) {
  TestServer server;
  TestClient client(server);
  client.Talk("RPUSH list v\r\n");
  client.Talk("GET list\r\nGET a\r\nGET list\r\n");
  EXPECT_EQ(StatsOf(server, "get").calls, 3U);
  EXPECT_EQ(StatsOf(server, "get").failed, 2U);
  EXPECT_THAT(client.Talk("INFO errorstats\r\n"), HasSubstr("errorstat_WRONGTYPE:count=2"));
}

TEST(Dispatcher, StatisticsAreCompleteWhenTheyAreAskedForInTheSamePipeline) {
  TestServer server;
  TestClient client(server);
  EXPECT_THAT(client.Talk("GET a\r\nGET a\r\nINFO commandstats\r\n"),
              HasSubstr("cmdstat_get:calls=2,"));
}

// What a client becomes within a pipeline holds from its next request on.
TEST(Dispatcher, ARowEndsWithWhatMakesItsClientAnother) {
  TestServer server;
  TestClient client(server);
  client.Talk("SET a v\r\n");
  const std::string value = "$1\r\nv\r\n";
  EXPECT_EQ(client.Talk("GET a\r\nMULTI\r\nGET a\r\nEXEC\r\nGET a\r\n"),
            value + "+OK\r\n+QUEUED\r\n*1\r\n" + value + value);
  EXPECT_EQ(client.Talk("GET a\r\nCLIENT REPLY SKIP\r\nGET a\r\nGET a\r\nCLIENT REPLY OFF\r\n"
                        "GET a\r\nCLIENT REPLY ON\r\nGET a\r\n"),
            value + value + "+OK\r\n" + value);
  EXPECT_EQ(client.Talk("GET a\r\nSELECT 1\r\nGET a\r\nSELECT 0\r\nGET a\r\n"),
            value + "+OK\r\n$-1\r\n+OK\r\n" + value);
  EXPECT_THAT(client.Talk("GET a\r\nSUBSCRIBE c\r\nGET a\r\nUNSUBSCRIBE c\r\nGET a\r\n"),
              HasSubstr("-ERR Can't execute 'get': only (P|S)SUBSCRIBE"));
  EXPECT_THAT(client.Talk("ACL SETUSER u on nopass ~b +@all\r\nGET a\r\nAUTH u p\r\nGET a\r\n"),
              HasSubstr("+OK\r\n-NOPERM"));
}

TEST(Dispatcher, ARowEndsWithWhatMakesTheServerAnother) {
  TestServer server;
  TestClient client(server);
  TestClient other(server);
  client.Talk("SET a v\r\n");
  const std::string value = "$1\r\nv\r\n";
  EXPECT_EQ(client.Talk("GET a\r\nCLIENT PAUSE 1000\r\nGET a\r\n"), value + "+OK\r\n");
  server.Advance(milliseconds(1001));
  EXPECT_EQ(client.Receive(), value);
  EXPECT_THAT(client.Talk("SET a v\r\nCONFIG SET maxmemory 1\r\nSET a w\r\nGET a\r\n"),
              HasSubstr("+OK\r\n+OK\r\n-OOM"));
  client.Talk("CONFIG SET maxmemory 0\r\nGET a\r\n");
  other.Talk("MONITOR\r\n");
  client.Talk("GET a\r\nGET a\r\n");
  const std::string seen = other.Receive();
  EXPECT_EQ(std::count(seen.begin(), seen.end(), '\n'), 2) << seen;
}

TEST(Dispatcher, WhoWaitsIsServedWithinARow) {
  TestServer server;
  TestClient waiter(server);
  TestClient client(server);
  waiter.Send("BLPOP list 0\r\n");
  server.Settle();
  EXPECT_EQ(client.Talk("RPUSH list a\r\nLLEN list\r\nRPUSH list b\r\n"), ":1\r\n:0\r\n:1\r\n");
  EXPECT_EQ(waiter.Receive(), "*2\r\n$4\r\nlist\r\n$1\r\na\r\n");
}

}  // namespace
}  // namespace aeris
