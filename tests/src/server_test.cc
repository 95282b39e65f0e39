// The server as a whole: what happens between sockets, batches and commands.
#include "src/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "storage/member_table.h"
#include "tests/support/test_server.h"

// Absent where another allocator is linked.
extern "C" [[gnu::weak]] int mallctl(const char* name, void* old_value, std::size_t* old_size,
                                     void* new_value, std::size_t new_size);

namespace aeris {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Bulk;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Repeat;
using testing::Request;
using ::testing::StartsWith;
using testing::TestClient;
using testing::TestServer;

std::string Multibulk(const std::vector<std::string>& arguments) {
  std::string bytes = "*" + std::to_string(arguments.size()) + "\r\n";
  for (const std::string& argument : arguments) bytes += Bulk(argument);
  return bytes;
}

OutputLimit Hard(std::uint64_t bytes) {
  return {.hard_bytes = bytes, .soft_bytes = 0, .soft_seconds = 0};
}

// Commands of as many keys as a batch prefetches, one fewer, one more and many more give what the
// same keys give one by one.
TEST(Server, CommandsOfManyKeysDoWhatSingleKeysDo) {
  for (const std::size_t keys : {1u, 2u, 10u, 127u, 128u, 129u, 160u, 161u, 1000u, 5000u}) {
    SCOPED_TRACE(keys);
    TestServer server;
    TestClient client(server);
    std::vector<std::string> mset = {"MSET"}, mget = {"mget"}, exists = {"EXISTS"}, del = {"DEL"};
    std::string singles, values;
    for (std::size_t i = 0; i < keys; ++i) {
      const std::string key = "key:" + std::to_string(i), value = "value:" + std::to_string(i * 7);
      mset.insert(mset.end(), {key, value});
      mget.push_back(key);
      exists.push_back(key);
      // Every other one is deleted, and one that was never there.
      if (i % 2 == 0) del.push_back(key);
      singles += Request({"GET", key});
      values += Bulk(value);
    }
    EXPECT_EQ(client.Talk(Multibulk(mset)), "+OK\r\n");
    EXPECT_EQ(client.Talk(singles), values);
    EXPECT_EQ(client.Talk(Multibulk(mget)), "*" + std::to_string(keys) + "\r\n" + values);
    EXPECT_EQ(client.Talk(Multibulk(exists)), ":" + std::to_string(keys) + "\r\n");
    del.push_back("absent");
    const std::size_t deleted = (keys + 1) / 2;
    // In one batch with what comes before and after.
    EXPECT_EQ(client.Talk(Multibulk(exists) + Multibulk(del) + Multibulk(exists)),
              ":" + std::to_string(keys) + "\r\n:" + std::to_string(deleted) +
                  "\r\n:" + std::to_string(keys - deleted) + "\r\n");
    EXPECT_EQ(client.Talk(Multibulk(mget)).size(),
              client.Talk("*1\r\n$4\r\nPING\r\n" + singles).size() - 7 +
                  ("*" + std::to_string(keys) + "\r\n").size());
    mset[0] = "MSETNX";
    EXPECT_EQ(client.Talk(Multibulk(mset)), deleted == keys ? ":1\r\n" : ":0\r\n");
  }
}

TEST(Server, KeepsTheOrderOfPipelinesOfSeveralClients) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  TestServer server;
  struct Talker {
    std::unique_ptr<TestClient> client;
    std::string unsent;
    std::string expected;
    std::string received;
  };
  std::vector<Talker> talkers(7);
  for (std::size_t i = 0; i < talkers.size(); ++i) {
    talkers[i].client = std::make_unique<TestClient>(server);
    const std::string key = "counter" + std::to_string(i);
    for (int n = 1; n <= 300; ++n) {
      talkers[i].unsent += Request({"INCR", key});
      talkers[i].expected += ":" + std::to_string(n) + "\r\n";
      if (random() % 3 == 0) {
        talkers[i].unsent += "ECHO 'a b" + std::to_string(n) + "'\r\n";
        talkers[i].expected += Bulk("a b" + std::to_string(n));
      }
      if (random() % 5 == 0) talkers[i].unsent += "\r\n";
    }
  }
  for (bool more = true; more;) {
    more = false;
    for (Talker& talker : talkers) {
      const std::size_t bytes = std::min<std::size_t>(talker.unsent.size(), random() % 4000);
      talker.client->Send(std::string_view(talker.unsent).substr(0, bytes));
      talker.unsent.erase(0, bytes);
      more |= !talker.unsent.empty();
    }
    for (std::size_t turns = random() % 3; turns > 0; --turns) server.Turn();
    Talker& reader = talkers[random() % talkers.size()];
    if (random() % 2 == 0) reader.received += reader.client->Receive();
  }
  for (Talker& talker : talkers) {
    talker.received += talker.client->Receive();
    EXPECT_EQ(talker.received, talker.expected);
  }
}

TEST(Server, TakesARequestSplitAtEveryByte) {
  TestServer server;
  TestClient client(server);
  const std::string bytes = Request({"SET", "k", "a\r\nb"}) + "\r\nGET k\r\n" + "ECHO \"x y\"\r\n" +
                            Request({"GET", "k"}) + "*0\r\n" + Request({"PING"});
  const std::string expected =
      "+OK\r\n" + Bulk("a\r\nb") + Bulk("x y") + Bulk("a\r\nb") + "+PONG\r\n";
  for (std::size_t split = 0; split <= bytes.size(); ++split) {
    client.Send(std::string_view(bytes).substr(0, split));
    server.Settle();
    client.Send(std::string_view(bytes).substr(split));
    ASSERT_EQ(client.Receive(), expected) << split;
  }
  std::string received;
  for (const char byte : bytes) received += client.Talk({&byte, 1});
  EXPECT_EQ(received, expected);
}

TEST(Server, ABatchFollowsSelect) {
  TestServer server;
  TestClient client(server);
  EXPECT_EQ(
      client.Talk(Request({"SET", "a", "zero"}) + Request({"SELECT", "1"}) + Request({"GET", "a"}) +
                  Request({"SET", "a", "one"}) + Request({"SELECT", "0"}) + Request({"GET", "a"}) +
                  Request({"SELECT", "99"}) + Request({"GET", "a"})),
      "+OK\r\n+OK\r\n$-1\r\n+OK\r\n+OK\r\n$4\r\nzero\r\n"
      "-ERR DB index is out of range\r\n$4\r\nzero\r\n");
}

TEST(Server, ABatchFollowsAuth) {
  TestServer server([](Config& config) { config.requirepass = "secret"; });
  TestClient client(server);
  // An argument of this size is refused before a login and taken after it, in one piece of bytes.
  const std::string big(20'000, 'x');
  const std::string received = client.Talk(Request({"GET", "a"}) + Request({"AUTH", "wrong"}) +
                                           Request({"PING"}) + Request({"AUTH", "secret"}) +
                                           Request({"SET", "a", big}) + Request({"STRLEN", "a"}));
  EXPECT_EQ(received,
            "-NOAUTH Authentication required.\r\n"
            "-WRONGPASS invalid username-password pair or user is disabled.\r\n"
            "-NOAUTH Authentication required.\r\n+OK\r\n+OK\r\n:20000\r\n");
}

TEST(Server, ALoginIsNotAskedForWhenThePasswordIsGone) {
  TestServer server([](Config& config) { config.requirepass = "secret"; });
  TestClient waiting(server);
  TestClient admin(server);
  EXPECT_EQ(waiting.Talk("PING\r\n"), "-NOAUTH Authentication required.\r\n");
  EXPECT_EQ(admin.Talk("AUTH secret\r\nCONFIG SET requirepass ''\r\n"), "+OK\r\n+OK\r\n");
  EXPECT_EQ(waiting.Talk("PING\r\n"), "+PONG\r\n");
  EXPECT_THAT(waiting.Talk("HELLO 3\r\n"), StartsWith("%7\r\n"));
}

TEST(Server, ABatchFollowsClientReply) {
  TestServer server;
  TestClient client(server);
  EXPECT_EQ(client.Talk("PING 1\r\nCLIENT REPLY SKIP\r\nPING 2\r\nPING 3\r\nCLIENT REPLY OFF\r\n"
                        "PING 4\r\nNOSUCH\r\nCLIENT REPLY ON\r\nPING 5\r\n"),
            "$1\r\n1\r\n$1\r\n3\r\n+OK\r\n$1\r\n5\r\n");
}

TEST(Server, NothingRunsAfterQuit) {
  TestServer server;
  TestClient client(server);
  TestClient other(server);
  EXPECT_EQ(client.Talk("SET a 1\r\nQUIT\r\nSET a 2\r\n*x\r\n"), "+OK\r\n+OK\r\n");
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(other.Talk("GET a\r\n"), "$1\r\n1\r\n");
}

TEST(Server, AQuitWithoutRepliesClosesToo) {
  TestServer server;
  TestClient client(server);
  EXPECT_EQ(client.Talk("CLIENT REPLY OFF\r\nQUIT\r\n"), "");
  EXPECT_TRUE(client.closed());
}

TEST(Server, AnswersWhatCameBeforeAProtocolErrorAndRunsNothingAfterIt) {
  TestServer server;
  TestClient client(server);
  TestClient other(server);
  client.Send("SET a 1\r\n*2\r\n$3\r\nGET\r\n!1\r\na\r\nSET a 2\r\n");
  other.Send("INCR a\r\nPING\r\n");
  EXPECT_EQ(client.Receive(), "+OK\r\n-ERR Protocol error: expected '$', got '!'\r\n");
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(other.Receive(), ":2\r\n+PONG\r\n");
}

TEST(Server, EmptyRequestsAloneLeaveNothingBehind) {
  TestServer server;
  TestClient client(server);
  EXPECT_EQ(client.Talk(Repeat("\r\n", 50'000) + Repeat("*0\r\n*-1\r\n", 20'000)), "");
  ASSERT_NE(client.peer(), nullptr);
  EXPECT_EQ(client.peer()->query().size(), 0U);
  EXPECT_FALSE(client.peer()->in_batch);
  client.Send("\r\n");
  client.Close();
  server.Settle();
  TestClient other(server);
  EXPECT_EQ(other.Talk("PING\r\n"), "+PONG\r\n");
  EXPECT_EQ(server->clients().size(), 1U);
}

TEST(Server, AClientKilledByACommandOfItsBatchRunsNothingMore) {
  TestServer server;
  TestClient killer(server);
  TestClient victim(server);
  TestClient bystander(server);
  killer.Send("CLIENT KILL ID " + std::to_string(victim.id()) + "\r\nSET k killer\r\n");
  victim.Send("SET k victim\r\nGET k\r\n");
  bystander.Send("PING\r\n");
  EXPECT_EQ(killer.Receive(), ":1\r\n+OK\r\n");
  EXPECT_EQ(victim.Receive(), "");
  EXPECT_TRUE(victim.closed());
  EXPECT_EQ(bystander.Receive(), "+PONG\r\n");
  EXPECT_EQ(killer.Talk("GET k\r\n"), "$6\r\nkiller\r\n");
  EXPECT_EQ(server->clients().size(), 2U);
}

TEST(Server, AClientMayKillItself) {
  TestServer server;
  TestClient client(server);
  EXPECT_EQ(
      client.Talk("CLIENT KILL ID " + std::to_string(client.id()) + " SKIPME no\r\nSET a 1\r\n"),
      ":1\r\n");
  EXPECT_TRUE(client.closed());
  TestClient other(server);
  EXPECT_EQ(other.Talk("EXISTS a\r\n"), ":0\r\n");
}

TEST(Server, APauseHoldsTheRestOfABatchAndResumesInOrder) {
  TestServer server;
  TestClient client(server);
  TestClient other(server);
  client.Send("PING 1\r\nCLIENT PAUSE 1000 ALL\r\n" + Request({"SET", "a", "1"}) +
              "PING '2'\r\nINCR a\r\n");
  other.Send("PING 3\r\nGET a\r\n*x\r\n");
  EXPECT_EQ(client.Receive(), "$1\r\n1\r\n+OK\r\n");
  EXPECT_EQ(other.Receive(), "");
  client.Send("INCR a\r\n");
  server.Advance(milliseconds(999));
  EXPECT_EQ(client.Receive(), "");
  server.Advance(milliseconds(2));
  EXPECT_EQ(client.Receive(), "+OK\r\n$1\r\n2\r\n:2\r\n:3\r\n");
  EXPECT_EQ(other.Receive(),
            "$1\r\n3\r\n$1\r\n3\r\n-ERR Protocol error: invalid multibulk length\r\n");
  EXPECT_TRUE(other.closed());
}

TEST(Server, APauseOfWritesLetsReadsPassAndEndsWithUnpause) {
  TestServer server;
  TestClient writer(server);
  TestClient reader(server);
  EXPECT_EQ(reader.Talk("CLIENT PAUSE 100000 WRITE\r\nGET a\r\n"), "+OK\r\n$-1\r\n");
  EXPECT_EQ(writer.Talk("PING\r\nSET a 1\r\nGET a\r\n"), "+PONG\r\n");
  EXPECT_EQ(reader.Talk("GET a\r\nCLIENT UNPAUSE\r\n"), "$-1\r\n+OK\r\n");
  EXPECT_EQ(writer.Receive(), "+OK\r\n$1\r\n1\r\n");
}

TEST(Server, APausedClientMayGo) {
  TestServer server;
  TestClient admin(server);
  auto paused = std::make_unique<TestClient>(server);
  admin.Talk("CLIENT PAUSE 1000 WRITE\r\n");
  paused->Talk("SET a 1\r\nSET b 1\r\n");
  paused->Close();
  server.Settle();
  server.Advance(milliseconds(2000));
  EXPECT_EQ(admin.Talk("DBSIZE\r\n"), ":0\r\n");
  EXPECT_EQ(server->clients().size(), 1U);
}

// What has gathered while a client was paused is as much as its query buffer may hold.
TEST(Server, AResumedPipelineLeavesTurnsToOthers) {
  TestServer server;
  TestClient admin(server);
  TestClient paused(server);
  admin.Talk("CLIENT PAUSE 1000 WRITE\r\n");
  constexpr std::size_t kRequests = 20'000;
  paused.Send(Repeat("INCR a\r\n", kRequests));
  server.Settle();
  server->stats().commands_processed = 0;
  admin.Send("CLIENT UNPAUSE\r\n");
  for (std::uint64_t before = 0; before < kRequests;) {
    server.Turn();
    const std::uint64_t now = server->stats().commands_processed;
    ASSERT_LE(now - before, 4096U);
    before = now;
  }
  EXPECT_EQ(admin.Talk("GET a\r\n"), "+OK\r\n$5\r\n20000\r\n");
}

TEST(Server, OnePipelineGetsABoundedShareOfATurn) {
  TestServer server;
  TestClient client(server);
  // The query buffer has grown for a big argument.
  client.Send(Request({"SET", "big", std::string(4'000'000, 'x')}));
  EXPECT_EQ(client.Receive(), "+OK\r\n");
  server->stats().commands_processed = 0;
  const std::string pings = Repeat("PING\r\n", 30'000);
  std::size_t sent = 0;
  for (std::uint64_t before = 0; before < 30'000;) {
    if (sent < pings.size()) {
      const std::size_t piece = std::min<std::size_t>(pings.size() - sent, 100'000);
      client.Send(std::string_view(pings).substr(sent, piece));
      sent += piece;
    }
    server.Turn();
    const std::uint64_t now = server->stats().commands_processed;
    ASSERT_LE(now - before, 4096U);
    before = now;
  }
}

TEST(Server, CutsAClientThatDoesNotReadAtItsHardLimit) {
  TestServer server;
  server.config().client_output_buffer_limit[0] = Hard(4'500'000);
  TestClient lazy(server);
  TestClient other(server);
  other.Talk(Request({"SET", "big", std::string(1'000'000, 'x')}));
  for (int i = 0; i < 4; ++i) {
    lazy.Send("GET big\r\n");
    server.Settle();
  }
  EXPECT_NE(lazy.peer(), nullptr);
  lazy.Send("GET big\r\n");
  server.Settle();
  EXPECT_EQ(lazy.peer(), nullptr);
  EXPECT_EQ(server->stats().output_buffer_limit_disconnects, 1U);
}

TEST(Server, AHardLimitStopsACommandInTheMiddleOfItsReply) {
  TestServer server;
  server.config().client_output_buffer_limit[0] = Hard(1'000'000);
  TestClient client(server);
  client.Talk("DEBUG POPULATE 1000 a-name-of-some-length 1000\r\n");
  std::string many = "*1001\r\n$4\r\nMGET\r\n";
  for (int i = 0; i < 1000; ++i) many += Bulk("a-name-of-some-length:" + std::to_string(i));
  EXPECT_EQ(client.Talk(many + "SET after 1\r\n").size() < 1'100'000, true);
  EXPECT_EQ(client.peer(), nullptr) << "1005901 bytes are over the limit";
  TestClient other(server);
  EXPECT_EQ(other.Talk("EXISTS after\r\n"), ":0\r\n");
}

TEST(Server, AHardLimitBelowOneBlockLetsSmallRepliesPass) {
  TestServer server;
  server.config().client_output_buffer_limit[0] = Hard(1000);
  TestClient client(server);
  EXPECT_EQ(client.Talk("PING\r\n"), "+PONG\r\n");
}

TEST(Server, CutsAClientThatStaysAboveTheSoftLimit) {
  TestServer server;
  server.config().client_output_buffer_limit[0] = {
      .hard_bytes = 0, .soft_bytes = 1'000'000, .soft_seconds = 10};
  TestClient lazy(server);
  TestClient quick(server);
  quick.Talk(Request({"SET", "big", std::string(3'000'000, 'x')}));
  lazy.Send("GET big\r\n");
  quick.Send("GET big\r\n");
  server.Settle();
  EXPECT_GT(quick.Receive().size(), 3'000'000U);
  for (int i = 0; i < 10; ++i) server.Advance(seconds(1));
  EXPECT_NE(lazy.peer(), nullptr);
  for (int i = 0; i < 3; ++i) server.Advance(seconds(1));
  EXPECT_EQ(lazy.peer(), nullptr);
  EXPECT_NE(quick.peer(), nullptr);
}

TEST(Server, CutsAClientThatDoesNotLogInNorRead) {
  TestServer server([](Config& config) { config.requirepass = "secret"; });
  TestClient client(server);
  client.Send(Repeat("GET a\r\n", 100));
  server.Settle();
  EXPECT_EQ(client.peer(), nullptr);
}

TEST(Server, CutsAClientWhoseRequestOutgrowsTheQueryBuffer) {
  TestServer server;
  server.config().client_query_buffer_limit = 1'000'000;
  TestClient client(server);
  client.Send("*2\r\n$3\r\nGET\r\n$5000000\r\n");
  const bool sent = client.Send(std::string(2'000'000, 'x'));
  server.Settle();
  EXPECT_EQ(client.peer(), nullptr);
  EXPECT_FALSE(sent && client.Send("x"));
  EXPECT_EQ(server->stats().query_buffer_limit_disconnects, 1U);
}

TEST(Server, ClosesIdleClientsAfterTheTimeout) {
  TestServer server;
  server.config().timeout = 10;
  TestClient idle(server);
  TestClient busy(server);
  TestClient monitor(server);
  monitor.Talk("MONITOR\r\n");
  for (int i = 0; i < 13; ++i) {
    server.Advance(seconds(1));
    busy.Talk("PING\r\n");
  }
  EXPECT_EQ(idle.peer(), nullptr);
  EXPECT_NE(busy.peer(), nullptr);
  EXPECT_NE(monitor.peer(), nullptr);
}

TEST(Server, AClientWithoutBytesUnderWayHoldsNoBuffer) {
  TestServer server;
  TestClient client(server);
  const std::size_t memory = client.peer()->memory();
  for (const std::string_view request : {"PING\r\n", "*1\r\n$4\r\nPING\r\n"}) {
    ASSERT_EQ(client.Talk(request), "+PONG\r\n");
    EXPECT_EQ(client.peer()->query().capacity(), 0U);
    EXPECT_EQ(client.peer()->replies().memory(), 0U);
    EXPECT_LE(client.peer()->memory(), memory + 64);  // a slot for arguments
  }
  EXPECT_LE(client.peer()->memory(), 800U);
  client.Send("*1\r\n$4\r\nPI");
  server.Settle();
  EXPECT_GT(client.peer()->query().capacity(), 0U);
  EXPECT_EQ(client.Talk("NG\r\n"), "+PONG\r\n");
  EXPECT_EQ(client.peer()->query().capacity(), 0U);
}

TEST(Server, SmallGetsAndSetsInPlaceAllocateNothing) {
  // jemalloc counts what a thread has ever been given; under sanitizers there is no jemalloc.
  if (mallctl == nullptr) GTEST_SKIP() << "no jemalloc";
  TestServer server;
  TestClient client(server);
  const std::string set = Request({"SET", "key", std::string(32, 'v')});
  const std::string get = Request({"GET", "key"});
  const std::string number = Request({"INCR", "n"});
  const auto given = [] {
    std::uint64_t bytes = 0;
    std::size_t size = sizeof bytes;
    EXPECT_EQ(mallctl("thread.allocated", &bytes, &size, nullptr, 0), 0);
    return bytes;
  };
  std::array<char, 4096> received;
  const auto talk = [&](std::string_view request) {
    client.Send(request);
    server.Turn();
    server.Turn();
    return client.ReceiveSome(received);
  };
  // Three of a kind, as batch and alone.
  const std::string batch = set + get + number;
  for (int i = 0; i < 10; ++i) talk(batch);
  const std::uint64_t reads = server->stats().reads_processed;
  const std::uint64_t writes = server->stats().writes_processed;
  const std::uint64_t before = given();
  std::size_t answered = 0;
  for (int i = 0; i < 1000; ++i) {
    for (const std::string* request : {&set, &get, &number, &batch}) answered += talk(*request);
  }
  EXPECT_EQ(given() - before, 0U);
  EXPECT_GT(answered, 100'000U);
  EXPECT_EQ(server->stats().reads_processed - reads, 4000U);
  EXPECT_EQ(server->stats().writes_processed - writes, 4000U);
}

TEST(Server, APausedClientIsNotIdle) {
  TestServer server;
  server.config().timeout = 10;
  TestClient admin(server);
  TestClient paused(server);
  admin.Talk("CLIENT PAUSE 60000 WRITE\r\n");
  paused.Talk("SET a 1\r\n");
  for (int i = 0; i < 62; ++i) server.Advance(seconds(1));
  EXPECT_EQ(paused.Receive(), "+OK\r\n");
}

TEST(Server, AClientThatTakesItsReplySlowlyIsNotIdle) {
  TestServer server;
  server.config().timeout = 10;
  TestClient reader(server);
  reader.Talk(Request({"SET", "big", std::string(8'000'000, 'x')}));
  reader.Send("GET big\r\n");
  std::size_t received = 0;
  for (int i = 0; i < 20; ++i) {
    server.Advance(seconds(1));
    received += reader.ReceiveSome(100'000).size();
  }
  EXPECT_GT(received, 1'000'000U);
  EXPECT_NE(reader.peer(), nullptr);
}

TEST(Server, AMonitorSeesWhatRunsWithoutSecrets) {
  TestServer server;
  TestClient monitor(server);
  TestClient client(server);
  EXPECT_EQ(monitor.Talk("MONITOR\r\n"), "+OK\r\n");
  client.Talk("SELECT 3\r\nSET a \"b\\r\\n\"\r\nAUTH secret\r\nCONFIG GET nothing\r\nNOSUCH\r\n");
  const std::string path = server.socket_path();
  EXPECT_EQ(monitor.Receive(),
            "+1700000000.000000 [3 unix:" + path + "] \"SELECT\" \"3\"\r\n" +
                "+1700000000.000000 [3 unix:" + path + "] \"SET\" \"a\" \"b\\r\\n\"\r\n" +
                "+1700000000.000000 [3 unix:" + path + "] \"AUTH\" \"(redacted)\"\r\n");
  EXPECT_EQ(monitor.Talk("GET a\r\n"), "-ERR Replica can't interact with the keyspace\r\n");
  EXPECT_EQ(monitor.Talk("MONITOR\r\n"), "");
  EXPECT_EQ(monitor.Talk("RESET\r\n"), "+RESET\r\n");
  client.Talk("PING\r\n");
  EXPECT_EQ(monitor.Talk("GET a\r\n"), "$-1\r\n");
}

TEST(Server, AMonitorThatWantsNoRepliesGetsNone) {
  TestServer server;
  TestClient monitor(server);
  TestClient client(server);
  EXPECT_EQ(monitor.Talk("MONITOR\r\nCLIENT REPLY OFF\r\n"), "+OK\r\n");
  client.Talk("PING\r\n");
  EXPECT_EQ(monitor.Receive(), "");
}

TEST(Server, AMonitorThatDoesNotReadIsCut) {
  TestServer server;
  server.config().client_output_buffer_limit[0] = Hard(2'000'000);
  TestClient monitor(server);
  TestClient client(server);
  monitor.Talk("MONITOR\r\n");
  for (int i = 0; i < 30; ++i) {
    EXPECT_EQ(client.Talk(Request({"SET", "k", std::string(100'000, 'x')})), "+OK\r\n");
  }
  EXPECT_EQ(monitor.peer(), nullptr);
}

TEST(Server, TheListOfErrorsIsBounded) {
  TestServer server;
  TestClient client(server);
  for (int i = 0; i < 300; ++i) client.Talk("DEBUG ERROR CODE" + std::to_string(i) + "\r\n");
  EXPECT_LE(server->stats().errors_by_code.size(), 128U);
  EXPECT_EQ(server->stats().error_replies, 300U);
}

TEST(Server, SlowExpiryIsALatencyEvent) {
  TestServer server;
  // Every reading of the clock takes a millisecond here, and one step reads it twice.
  server.config().latency_monitor_threshold = 1;
  server.clock().set_step(milliseconds(1));
  server.Advance(milliseconds(100));
  server.clock().set_step(milliseconds(0));
  EXPECT_NE(server->latency().Find("expire-cycle"), nullptr);
}

// However many keys and fields are due: a step ends when half a millisecond has passed, and looks
// at the clock often enough to see it.
TEST(Server, ExpiryOfManyKeysAndFieldsIsDoneInShortSteps) {
  constexpr std::size_t kKeys = 4'000;
  constexpr std::size_t kHashes = 40;
  constexpr std::size_t kFields = 1'000;
  constexpr std::size_t kStepMax = 256 + 2 * 512 + 16;  // of keys and fields
  TestServer server;
  TestClient client(server);
  std::string requests;
  for (std::size_t i = 0; i < kKeys; ++i) {
    requests += "SET key:" + std::to_string(i) + " v PX 1000\r\n";
    requests += "SET far:" + std::to_string(i) + " v EX 100000\r\n";
  }
  std::vector<std::string> fields = {std::to_string(kFields)};
  for (std::size_t i = 0; i < kFields; ++i) fields.push_back("f" + std::to_string(i));
  for (std::size_t i = 0; i < kHashes; ++i) {
    const std::string key = "hash:" + std::to_string(i);
    std::vector<std::string> set = {"HSET", key};
    for (std::size_t j = 1; j < fields.size(); ++j) set.insert(set.end(), {fields[j], "v"});
    std::vector<std::string> expire = {"HPEXPIRE", key, "1000", "FIELDS"};
    expire.insert(expire.end(), fields.begin(), fields.end());
    requests += Multibulk(set) + Multibulk(expire);
  }
  client.Talk(requests);
  storage::Keyspace& keyspace = server->databases()[0];
  const auto left = [&] {
    std::size_t fields_left = 0;
    for (std::size_t i = 0; i < kHashes; ++i) {
      const std::string key = "hash:" + std::to_string(i);
      const storage::MemberTable* const members = keyspace.PeekMembers(keyspace.Hash(key));
      if (members != nullptr) fields_left += members->size();
    }
    return keyspace.size() + fields_left;
  };
  const std::size_t all = 2 * kKeys + kHashes + kHashes * kFields;
  ASSERT_EQ(left(), all);
  server.clock().Advance(milliseconds(1'100));
  // From here on each look at the clock takes as long as a step may.
  server.clock().set_step(std::chrono::microseconds(500));
  std::size_t turns = 0;
  for (std::size_t before = all; before > kKeys && turns < 20'000; ++turns) {
    server.clock().Advance(milliseconds(1));
    server.Turn();
    const std::size_t now = left();
    ASSERT_LE(before - now, kStepMax);
    before = now;
  }
  EXPECT_EQ(left(), kKeys);
  EXPECT_GE(server->stats().expire_steps_cut, (all - kKeys) / kStepMax);
  server.clock().set_step(milliseconds(0));
}

TEST(Server, WritesWhatAHalfClosedClientAskedFor) {
  TestServer server;
  TestClient client(server);
  client.Send("PING 1\r\nPING 2\r\n");
  client.ShutDownWriting();
  EXPECT_EQ(client.Receive(), "$1\r\n1\r\n$1\r\n2\r\n");
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(server->clients().size(), 0U);
}

TEST(Server, AClosingClientWithRepliesIsFreedWhenItsPeerGoes) {
  TestServer server;
  auto client = std::make_unique<TestClient>(server);
  client->Talk(Request({"SET", "big", std::string(5'000'000, 'x')}));
  client->Send("GET big\r\nQUIT\r\n");
  server.Settle();
  EXPECT_EQ(server->clients().size(), 1U);
  client->Close();
  server.Settle();
  EXPECT_EQ(server->clients().size(), 0U);
}

TEST(Server, RefusesWhatSpeaksHttp) {
  TestServer server;
  TestClient client(server);
  EXPECT_EQ(client.Talk("SET a 1\r\nPOST / HTTP/1.1\r\nHost: x\r\n\r\nSET a 2\r\n"), "");
  EXPECT_TRUE(client.closed());
  TestClient other(server);
  EXPECT_EQ(other.Talk("GET a\r\n"), "$1\r\n1\r\n");
}

}  // namespace
}  // namespace aeris
