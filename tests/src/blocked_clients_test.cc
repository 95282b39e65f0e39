// Clients that wait for keys: who is served, when, and what becomes of what they sent behind.
#include "src/blocked_clients.h"

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

std::string Popped(std::string_view key, std::string_view item) {
  return "*2\r\n$" + std::to_string(key.size()) + "\r\n" + std::string(key) + "\r\n$" +
         std::to_string(item.size()) + "\r\n" + std::string(item) + "\r\n";
}

class BlockedClientsTest : public ::testing::Test {
 protected:
  // What it waits with; nothing comes back yet.
  void Block(TestClient& client, std::initializer_list<std::string_view> request) {
    EXPECT_EQ(client.Talk(Request(request)), "");
    ASSERT_TRUE(client.peer()->blocked);
  }
  std::size_t blocked() { return server_->blocked_clients().size(); }

  TestServer server_;
  TestClient a_{server_}, b_{server_}, c_{server_}, writer_{server_};
};

TEST_F(BlockedClientsTest, AreServedInOrderOfArrivalAndNoMoreThanThereIs) {
  Block(a_, {"BLPOP", "k", "0"});
  Block(b_, {"BRPOP", "other", "k", "0"});
  Block(c_, {"BLPOP", "k", "0"});
  EXPECT_EQ(blocked(), 3U);
  EXPECT_EQ(writer_.Talk(Request({"RPUSH", "k", "1", "2"})), ":2\r\n");
  EXPECT_EQ(a_.Receive(), Popped("k", "1"));
  EXPECT_EQ(b_.Receive(), Popped("k", "2"));
  EXPECT_EQ(c_.Receive(), "");
  EXPECT_EQ(blocked(), 1U);
  EXPECT_EQ(writer_.Talk(Request({"EXISTS", "k"})), ":0\r\n");
  EXPECT_EQ(writer_.Talk(Request({"LPUSH", "k", "3"})), ":1\r\n");
  EXPECT_EQ(c_.Receive(), Popped("k", "3"));
  EXPECT_EQ(blocked(), 0U);
}

TEST_F(BlockedClientsTest, KeysAreServedInOrderOfWritingWithinOnePipeline) {
  Block(a_, {"BLPOP", "x", "y", "0"});
  writer_.Talk(Request({"RPUSH", "y", "1"}) + Request({"RPUSH", "x", "2"}));
  EXPECT_EQ(a_.Receive(), Popped("y", "1"));
  EXPECT_EQ(writer_.Talk(Request({"LLEN", "x"})), ":1\r\n");
}

TEST_F(BlockedClientsTest, OneThatIsServedServesTheNext) {
  Block(a_, {"BLMOVE", "x", "y", "LEFT", "RIGHT", "0"});
  Block(b_, {"BRPOPLPUSH", "y", "z", "0"});
  Block(c_, {"BLMPOP", "0", "1", "z", "LEFT", "COUNT", "5"});
  writer_.Talk(Request({"RPUSH", "x", "1"}));
  EXPECT_EQ(a_.Receive(), "$1\r\n1\r\n");
  EXPECT_EQ(b_.Receive(), "$1\r\n1\r\n");
  EXPECT_EQ(c_.Receive(), "*2\r\n$1\r\nz\r\n*1\r\n$1\r\n1\r\n");
  EXPECT_EQ(writer_.Talk(Request({"DBSIZE"})), ":0\r\n");
}

TEST_F(BlockedClientsTest, DestinationOfAnotherTypeIsAnErrorAndTheNextGetsTheItem) {
  writer_.Talk(Request({"SET", "y", "text"}));
  Block(a_, {"BLMOVE", "x", "y", "LEFT", "RIGHT", "0"});
  Block(b_, {"BLPOP", "x", "0"});
  writer_.Talk(Request({"RPUSH", "x", "1"}));
  EXPECT_EQ(a_.Receive(), "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n");
  EXPECT_EQ(b_.Receive(), Popped("x", "1"));
}

TEST_F(BlockedClientsTest, AnotherTypeWakesNobody) {
  Block(a_, {"BLPOP", "k", "0"});
  writer_.Talk(Request({"SET", "source", "text"}) + Request({"RENAME", "source", "k"}));
  EXPECT_EQ(a_.Receive(), "");
  writer_.Talk(Request({"RPUSH", "source", "1"}) + Request({"RENAME", "source", "k"}));
  EXPECT_EQ(a_.Receive(), Popped("k", "1"));
}

TEST_F(BlockedClientsTest, KeysThatArriveByOtherWaysWakeToo) {
  Block(a_, {"BLPOP", "k", "0"});
  writer_.Talk(Request({"RPUSH", "s", "1"}) + Request({"COPY", "s", "k"}));
  EXPECT_EQ(a_.Receive(), Popped("k", "1"));
  writer_.Talk(Request({"SELECT", "1"}) + Request({"RPUSH", "k", "2"}));
  Block(a_, {"BLPOP", "k", "0"});
  writer_.Talk(Request({"MOVE", "k", "0"}));
  EXPECT_EQ(a_.Receive(), Popped("k", "2"));
  writer_.Talk(Request({"RPUSH", "k", "3"}));
  Block(a_, {"BLPOP", "k", "0"});
  writer_.Talk(Request({"SWAPDB", "0", "1"}));
  EXPECT_EQ(a_.Receive(), Popped("k", "3"));
}

TEST_F(BlockedClientsTest, WhatFollowsInThePipelineWaitsAndRunsInItsOrder) {
  const std::string behind = Request({"SET", "q", "1"}) + Request({"BLPOP", "k", "0"}) +
                             Request({"GET", "q"}) + "nonsense\r\n*1\r\n$4\r\nPI";
  EXPECT_EQ(a_.Talk(Request({"PING"}) + Request({"BLPOP", "k", "0"}) + behind), "+PONG\r\n");
  EXPECT_EQ(writer_.Talk(Request({"GET", "q"})), "$-1\r\n");
  EXPECT_EQ(a_.Talk("NG\r\n"), "");
  writer_.Talk(Request({"RPUSH", "k", "1"}));
  EXPECT_EQ(a_.Receive(), Popped("k", "1") + "+OK\r\n");
  EXPECT_TRUE(a_.peer()->blocked);
  writer_.Talk(Request({"RPUSH", "k", "2"}));
  const std::string rest = a_.Receive();
  EXPECT_TRUE(rest.starts_with(Popped("k", "2") + "$1\r\n1\r\n-ERR unknown command")) << rest;
  EXPECT_TRUE(rest.ends_with("+PONG\r\n")) << rest;
}

TEST_F(BlockedClientsTest, FaultBehindIsMetWhenItIsServed) {
  EXPECT_EQ(a_.Talk(Request({"BLPOP", "k", "0"}) + "*1\r\nx\r\n"), "");
  writer_.Talk(Request({"RPUSH", "k", "1"}));
  EXPECT_EQ(a_.Receive(), Popped("k", "1") + "-ERR Protocol error: expected '$', got 'x'\r\n");
  EXPECT_TRUE(a_.closed());
}

TEST_F(BlockedClientsTest, BigArgumentBehindIsKept) {
  const std::string big(100'000, 'x');
  EXPECT_EQ(a_.Talk(Request({"BLPOP", "k", "0"}) + Request({"SET", "big", big})), "");
  writer_.Talk(Request({"RPUSH", "k", "1"}));
  EXPECT_EQ(a_.Receive(), Popped("k", "1") + "+OK\r\n");
  EXPECT_EQ(writer_.Talk(Request({"STRLEN", "big"})), ":100000\r\n");
}

TEST_F(BlockedClientsTest, TimeoutEndsTheWaitAndNotBefore) {
  Block(a_, {"BLPOP", "k", "0.25"});
  Block(b_, {"BLMOVE", "k", "d", "LEFT", "LEFT", "0.001"});
  server_.Advance(milliseconds(2));
  EXPECT_EQ(b_.Receive(), "*-1\r\n");
  server_.Advance(milliseconds(240));
  EXPECT_EQ(a_.Receive(), "");
  server_.Advance(milliseconds(10));
  EXPECT_EQ(a_.Receive(), "*-1\r\n");
  EXPECT_EQ(blocked(), 0U);
  EXPECT_EQ(writer_.Talk(Request({"RPUSH", "k", "1"})), ":1\r\n");
  EXPECT_EQ(writer_.Talk(Request({"LLEN", "k"})), ":1\r\n");
}

TEST_F(BlockedClientsTest, TimeoutsThatMakeNoSenseAreRefused) {
  for (const std::string_view wrong : {"-1", "-0.001", "inf", "1e400", "9223372036854775807"}) {
    EXPECT_EQ(a_.Talk(Request({"BLPOP", "k", wrong})), "-ERR timeout is negative\r\n") << wrong;
  }
  for (const std::string_view wrong : {"x", "", "nan", "1x"}) {
    EXPECT_EQ(a_.Talk(Request({"BLPOP", "k", wrong})),
              "-ERR timeout is not a float or out of range\r\n")
        << wrong;
  }
  Block(a_, {"BLPOP", "k", "9223372036854774"});
}

TEST_F(BlockedClientsTest, UnblockEndsTheWait) {
  Block(a_, {"BLPOP", "k", "0"});
  Block(b_, {"BLPOP", "k", "0"});
  const auto unblock = [&](TestClient& client, std::string_view how) {
    return writer_.Talk(Request({"CLIENT", "UNBLOCK", std::to_string(client.id()), how}));
  };
  EXPECT_EQ(unblock(a_, "TIMEOUT"), ":1\r\n");
  EXPECT_EQ(a_.Receive(), "*-1\r\n");
  EXPECT_EQ(unblock(b_, "ERROR"), ":1\r\n");
  EXPECT_EQ(b_.Receive(), "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n");
  EXPECT_EQ(unblock(b_, "ERROR"), ":0\r\n");
  EXPECT_EQ(a_.Talk(Request({"PING"})), "+PONG\r\n");
}

// Redis tells them whichever way the stream goes.
class GroupReadersTest : public BlockedClientsTest {
 protected:
  GroupReadersTest() { writer_.Talk(Request({"DEBUG", "SET-ACTIVE-EXPIRE", "0"})); }

  void WaitForStreamThatExpires(TestClient& client) {
    writer_.Talk(Request({"XGROUP", "CREATE", "s", "g", "$", "MKSTREAM"}));
    writer_.Talk(Request({"PEXPIRE", "s", "100"}));
    Block(client, {"XREADGROUP", "GROUP", "g", "c", "BLOCK", "0", "STREAMS", "s", ">"});
    server_.Advance(milliseconds(500));
    EXPECT_EQ(client.Receive(), "");
  }
  static constexpr const char* kGone = "-UNBLOCKED the stream key no longer exists\r\n";
};

TEST_F(GroupReadersTest, HearOfAStreamThatExpiresByItself) {
  WaitForStreamThatExpires(a_);
  writer_.Talk(Request({"DEBUG", "SET-ACTIVE-EXPIRE", "1"}));
  server_.Advance(milliseconds(500));
  EXPECT_EQ(a_.Receive(), kGone);
}

TEST_F(GroupReadersTest, HearOfAStreamThatExpiresUnderAReader) {
  WaitForStreamThatExpires(a_);
  EXPECT_EQ(writer_.Talk(Request({"GET", "s"})), "$-1\r\n");
  EXPECT_EQ(a_.Receive(), kGone);
}

TEST_F(GroupReadersTest, HearOfAStreamThatExpiresUnderOneWhoBlocks) {
  WaitForStreamThatExpires(a_);
  Block(b_, {"BLPOP", "s", "0"});
  EXPECT_EQ(a_.Receive(), kGone);
  EXPECT_EQ(blocked(), 1U);
}

TEST_F(GroupReadersTest, AreNotWokenByACommandThatAddsNoEntry) {
  writer_.Talk(Request({"XADD", "s", "1-1", "f", "v"}));
  writer_.Talk(Request({"XGROUP", "CREATE", "s", "g", "$"}));
  Block(a_, {"XREADGROUP", "GROUP", "g", "c", "BLOCK", "0", "STREAMS", "s", ">"});
  EXPECT_EQ(writer_.Talk(Request({"XGROUP", "SETID", "s", "g", "0"})), "+OK\r\n");
  EXPECT_EQ(a_.Receive(), "");
  EXPECT_EQ(blocked(), 1U);
  writer_.Talk(Request({"XADD", "s", "2-1", "f", "v"}));
  EXPECT_EQ(a_.Receive(),
            "*1\r\n*2\r\n$1\r\ns\r\n*2\r\n"
            "*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n"
            "*2\r\n$3\r\n2-1\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n");
}

TEST_F(BlockedClientsTest, ClosedAndKilledOnesLeaveNothingBehind) {
  Block(a_, {"BLPOP", "k", "0"});
  Block(b_, {"BLPOP", "k", "l", "5"});
  Block(c_, {"BLPOP", "k", "0"});
  a_.Close();
  server_.Settle();
  EXPECT_EQ(blocked(), 2U);
  // Killed and written in one pipeline: it gets nothing.
  writer_.Talk(Request({"CLIENT", "KILL", "ID", std::to_string(b_.id())}) +
               Request({"RPUSH", "k", "1"}));
  EXPECT_EQ(c_.Receive(), Popped("k", "1"));
  EXPECT_EQ(b_.Receive(), "");
  EXPECT_TRUE(b_.closed());
  EXPECT_EQ(blocked(), 0U);
  server_.Advance(milliseconds(6000));
}

TEST_F(BlockedClientsTest, AreShown) {
  Block(a_, {"BLPOP", "k", "10"});
  const std::string line = writer_.Talk(Request({"CLIENT", "LIST", "ID", std::to_string(a_.id())}));
  EXPECT_NE(line.find(" flags=bU "), std::string::npos) << line;
  EXPECT_NE(line.find(" cmd=blpop "), std::string::npos) << line;
  const std::string info = writer_.Talk(Request({"INFO", "clients"}));
  EXPECT_NE(info.find("blocked_clients:1\r\n"), std::string::npos);
  EXPECT_NE(info.find("clients_in_timeout_table:1\r\n"), std::string::npos);
}

TEST_F(BlockedClientsTest, SkippedReplyIsTheServedOne) {
  EXPECT_EQ(a_.Talk(Request({"CLIENT", "REPLY", "SKIP"}) + Request({"BLPOP", "k", "0"}) +
                    Request({"PING"})),
            "");
  writer_.Talk(Request({"RPUSH", "k", "1"}));
  EXPECT_EQ(a_.Receive(), "+PONG\r\n");
}

TEST_F(BlockedClientsTest, Resp3NullIsOneForAll) {
  a_.Talk(Request({"HELLO", "3"}));
  Block(a_, {"BLPOP", "k", "0.01"});
  server_.Advance(milliseconds(20));
  EXPECT_EQ(a_.Receive(), "_\r\n");
}

TEST_F(BlockedClientsTest, DeniedBlockingRepliesAtOnce) {
  a_.peer()->deny_blocking = true;
  EXPECT_EQ(a_.Talk(Request({"BLPOP", "k", "0"})), "*-1\r\n");
  EXPECT_EQ(a_.Talk(Request({"BLMOVE", "k", "d", "LEFT", "LEFT", "0"})), "$-1\r\n");
}

TEST_F(BlockedClientsTest, ManyAreServedByOneWriteAndFreedWithTheServer) {
  constexpr std::size_t kClients = 300;
  std::vector<std::unique_ptr<TestClient>> clients;
  for (std::size_t i = 0; i < kClients; ++i) {
    clients.push_back(std::make_unique<TestClient>(server_));
    clients.back()->Send(Request({"BLPOP", "k", "100"}));
    server_.Settle();
  }
  EXPECT_EQ(blocked(), kClients);
  std::string push = "*" + std::to_string(kClients / 2 + 2) + "\r\n$5\r\nRPUSH\r\n$1\r\nk\r\n";
  for (std::size_t i = 0; i < kClients / 2; ++i) {
    const std::string item = std::to_string(i);
    push += "$" + std::to_string(item.size()) + "\r\n" + item + "\r\n";
  }
  writer_.Talk(push);
  for (std::size_t i = 0; i < kClients / 2; ++i) {
    EXPECT_EQ(clients[i]->Receive(), Popped("k", std::to_string(i)));
  }
  EXPECT_EQ(blocked(), kClients - kClients / 2);
}

}  // namespace
}  // namespace aeris
