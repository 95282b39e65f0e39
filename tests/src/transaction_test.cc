// What MULTI queues: kept across batches, bounded, and run as one.
#include "src/transaction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "src/command_table.h"
#include "src/watched_keys.h"
#include "tests/support/test_server.h"

namespace aeris {
namespace {

using testing::Request;
using testing::TestClient;
using testing::TestServer;

const std::string kQueued = "+QUEUED\r\n";

TEST(Transaction, KeepsWhatItsBatchHadInOneChunk) {
  const CommandTable table;
  Transaction transaction;
  EXPECT_EQ(transaction.size(), 0U);
  EXPECT_TRUE(transaction.Keep());
  const std::size_t empty = transaction.memory();
  {
    std::string text = "SETkvalueGETk";
    std::vector<std::string_view> arguments = {{text.data(), 3},
                                               {text.data() + 3, 1},
                                               {text.data() + 4, 5},
                                               {text.data() + 9, 3},
                                               {text.data() + 12, 1}};
    const std::vector<std::uint64_t> hashes = {7, 8};
    transaction.Queue({.command = table.Find("set"),
                       .arguments = std::span(arguments).first(3),
                       .key_hashes = std::span(hashes).first(1)});
    transaction.Queue({.command = table.Find("get"),
                       .arguments = std::span(arguments).subspan(3),
                       .key_hashes = std::span(hashes).subspan(1)});
    EXPECT_TRUE(transaction.Keep());
    text.assign(text.size(), '-');
  }
  EXPECT_EQ(transaction.size(), 2U);
  EXPECT_TRUE(transaction.flags().has(CommandFlag::kWrite));
  EXPECT_TRUE(transaction.flags().has(CommandFlag::kReadonly));
  EXPECT_GT(transaction.memory(), empty);
  std::vector<std::string> seen;
  transaction.ForEachBatch([&](std::span<const QueuedCommand> commands, bool kept) {
    EXPECT_TRUE(kept);
    for (const QueuedCommand& each : commands) {
      seen.push_back(each.command->full_name());
      seen.insert(seen.end(), each.arguments.begin(), each.arguments.end());
      seen.push_back(std::to_string(each.key_hashes[0]));
    }
  });
  EXPECT_EQ(seen,
            (std::vector<std::string>{"set", "SET", "k", "value", "7", "get", "GET", "k", "8"}));
  transaction.Abort();
  transaction.Clear();
  EXPECT_EQ(transaction.size(), 0U);
  EXPECT_FALSE(transaction.aborted());
  EXPECT_TRUE(transaction.flags().empty());
}

TEST(TransactionPool, MultiAfterTheLastOneEndedAllocatesNothing) {
  TransactionPool pool;
  auto first = pool.Take();
  first->Abort();
  Transaction* const address = first.get();
  pool.GiveBack(std::move(first));
  auto second = pool.Take();
  EXPECT_EQ(second.get(), address);
  EXPECT_FALSE(second->aborted());
  EXPECT_NE(pool.Take(), nullptr);
}

class TransactionTest : public ::testing::Test {
 protected:
  TestServer server_;
  TestClient a_{server_}, b_{server_}, c_{server_};
};

TEST_F(TransactionTest, RunsWhatWasQueuedInItsOrder) {
  EXPECT_EQ(a_.Talk(Request({"MULTI"}) + Request({"SET", "k", "1"}) + Request({"INCR", "k"}) +
                    Request({"GET", "k"}) + Request({"EXEC"})),
            "+OK\r\n" + kQueued + kQueued + kQueued + "*3\r\n+OK\r\n:2\r\n$1\r\n2\r\n");
  EXPECT_EQ(a_.peer()->transaction, nullptr);
  EXPECT_FALSE(a_.peer()->deny_blocking);
}

TEST_F(TransactionTest, AnyWayOfSendingGivesTheSame) {
  std::string requests = Request({"MULTI"}) + "SET 'quoted key' \"a b\"\r\n";
  std::string queued = "+OK\r\n" + kQueued;
  std::string replies = "*201\r\n+OK\r\n";
  for (int i = 0; i < 100; ++i) {
    const std::string key = "key:" + std::to_string(i);
    requests += Request({"SET", key, key}) + Request({"MGET", key, "quoted key", "none"});
    queued += kQueued + kQueued;
    replies +=
        "+OK\r\n*3\r\n$" + std::to_string(key.size()) + "\r\n" + key + "\r\n$3\r\na b\r\n$-1\r\n";
  }
  requests += Request({"EXEC"});
  for (const std::size_t piece : {requests.size(), std::size_t{1000}, std::size_t{37}}) {
    std::string received;
    for (std::size_t at = 0; at < requests.size(); at += piece) {
      a_.Send(std::string_view(requests).substr(at, piece));
      server_.Settle();
      received += a_.Receive();
    }
    EXPECT_EQ(received, queued + replies) << "in pieces of " << piece;
  }
}

// As in Redis.
TEST_F(TransactionTest, NothingIsRepliedAfterItsOwnEndButAllRuns) {
  const std::string own = std::to_string(a_.id());
  EXPECT_EQ(a_.Talk(Request({"MULTI"}) + Request({"SET", "before", "1"}) +
                    Request({"CLIENT", "KILL", "ID", own, "SKIPME", "no"}) +
                    Request({"SET", "after", "1"}) + Request({"INCR", "after"}) +
                    Request({"LPUSH", "after", "x"}) + Request({"EXEC"}) +
                    Request({"SET", "behind", "1"})),
            "+OK\r\n" + kQueued + kQueued + kQueued + kQueued + kQueued + "*5\r\n+OK\r\n:1\r\n");
  EXPECT_TRUE(a_.closed());
  EXPECT_EQ(b_.Talk(Request({"MGET", "before", "after", "behind"})),
            "*3\r\n$1\r\n1\r\n$1\r\n2\r\n$-1\r\n");
}

TEST_F(TransactionTest, NothingOfOthersRunsInBetween) {
  a_.Talk(Request({"MULTI"}) + Request({"SET", "k", "a"}));
  // In one turn: their requests stand between those of the transaction.
  a_.Send(Request({"GET", "k"}));
  b_.Send(Request({"SET", "k", "b"}));
  a_.Send(Request({"EXEC"}));
  EXPECT_EQ(a_.Receive(), kQueued + "*2\r\n+OK\r\n$1\r\na\r\n");
  EXPECT_EQ(b_.Receive(), "+OK\r\n");
}

TEST_F(TransactionTest, BatchesAfterOneThatFlushesOrSelectsUseTheKeyspaceThatIsThere) {
  for (const std::string& flush : {Request({"FLUSHALL"}), Request({"SELECT", "1"}),
                                   Request({"SWAPDB", "0", "1"}) + Request({"FLUSHDB"})}) {
    a_.Talk(Request({"SELECT", "0"}) + Request({"SET", "k", "old"}));
    a_.Talk(Request({"MULTI"}) + flush);
    a_.Talk(Request({"SET", "k", "new"}));
    a_.Talk(Request({"GET", "k"}));
    EXPECT_THAT(a_.Talk(Request({"EXEC"})), ::testing::EndsWith("+OK\r\n$3\r\nnew\r\n"));
  }
}

TEST_F(TransactionTest, BigArgumentsAreKept) {
  const std::string big(200'000, 'x');
  EXPECT_EQ(a_.Talk(Request({"MULTI"}) + Request({"SET", "k", big})), "+OK\r\n" + kQueued);
  EXPECT_GT(a_.peer()->memory(), big.size());
  EXPECT_LT(a_.peer()->memory(), big.size() + 40'000);
  EXPECT_EQ(a_.Talk(Request({"APPEND", "k", big}) + Request({"STRLEN", "k"}) + Request({"EXEC"})),
            kQueued + kQueued + "*3\r\n+OK\r\n:400000\r\n:400000\r\n");
  EXPECT_LT(a_.peer()->memory(), 40'000U);
}

TEST_F(TransactionTest, OneThatPipelinesAllocatesNothingForIt) {
  const std::string requests =
      Request({"MULTI"}) + Request({"GET", "k"}) + Request({"SET", "k", "v"}) + Request({"EXEC"});
  a_.Talk(requests);
  const std::size_t before = server_->used_memory();
  for (int i = 0; i < 100; ++i) a_.Talk(requests);
  EXPECT_EQ(server_->used_memory(), before);
}

TEST_F(TransactionTest, AQueueCountsTowardsTheQueryBufferLimit) {
  server_.config().client_query_buffer_limit = 1 << 20;
  a_.Talk(Request({"MULTI"}));
  const std::string value(10'000, 'x');
  for (int i = 0; i < 99; ++i) ASSERT_EQ(a_.Talk(Request({"SET", "k", value})), kQueued);
  for (int i = 0; i < 10 && !a_.closed(); ++i) a_.Talk(Request({"SET", "k", value}));
  EXPECT_TRUE(a_.closed());
  EXPECT_EQ(server_->stats().query_buffer_limit_disconnects, 1U);
  EXPECT_EQ(b_.Talk(Request({"EXISTS", "k"})), ":0\r\n");
}

TEST_F(TransactionTest, SmallCommandsCountWithTheirPlaces) {
  server_.config().client_query_buffer_limit = 1 << 20;
  a_.Talk(Request({"MULTI"}));
  std::string pings;
  for (int i = 0; i < 1000; ++i) pings += "PING\r\n";
  int sent = 0;
  for (; sent < 100 && !a_.closed(); ++sent) a_.Talk(pings);
  EXPECT_TRUE(a_.closed());
  EXPECT_LT(sent, 20);  // 60 bytes and more of each
}

TEST_F(TransactionTest, OneThatIsAbortedQueuesNothing) {
  a_.Talk(Request({"MULTI"}) + Request({"nosuch"}));
  EXPECT_EQ(a_.Talk(Request({"SET", "k", std::string(10'000, 'x')})), kQueued);
  EXPECT_EQ(a_.peer()->transaction->size(), 0U);
  EXPECT_TRUE(a_.Talk(Request({"EXEC"})).starts_with("-EXECABORT "));
}

TEST_F(TransactionTest, WaitersAreServedAfterTheWholeOfIt) {
  EXPECT_EQ(b_.Talk(Request({"BLPOP", "l", "0"})), "");
  EXPECT_EQ(a_.Talk(Request({"MULTI"}) + Request({"RPUSH", "l", "1"}) +
                    Request({"LPUSH", "l", "0"}) + Request({"LLEN", "l"}) + Request({"EXEC"})),
            "+OK\r\n" + kQueued + kQueued + kQueued + "*3\r\n:1\r\n:2\r\n:2\r\n");
  EXPECT_EQ(b_.Receive(), "*2\r\n$1\r\nl\r\n$1\r\n0\r\n");
}

TEST_F(TransactionTest, IsWholeForOneWhoIsKilledByItsReplies) {
  b_.Talk(Request({"CONFIG", "SET", "client-output-buffer-limit", "normal 100000 0 0"}));
  a_.Talk(Request({"SET", "big", std::string(30'000, 'x')}));
  std::string requests = Request({"MULTI"});
  for (int i = 0; i < 20; ++i) requests += Request({"GET", "big"});
  a_.Talk(requests + Request({"SET", "last", "1"}) + Request({"EXEC"}));
  EXPECT_TRUE(a_.closed());
  EXPECT_EQ(b_.Talk(Request({"GET", "last"})), "$1\r\n1\r\n");
}

TEST_F(TransactionTest, PausedInTheMiddleOfItsPipeline) {
  c_.Talk(Request({"CLIENT", "PAUSE", "100000", "WRITE"}));
  EXPECT_EQ(a_.Talk(Request({"MULTI"}) + Request({"GET", "k"}) + Request({"SET", "k", "1"}) +
                    Request({"EXEC"})),
            "+OK\r\n" + kQueued);
  EXPECT_EQ(a_.peer()->transaction->size(), 1U);
  EXPECT_EQ(b_.Talk(Request({"GET", "k"})), "$-1\r\n");
  c_.Talk(Request({"CLIENT", "UNPAUSE"}));
  EXPECT_EQ(a_.Receive(), kQueued + "*2\r\n$-1\r\n+OK\r\n");
}

TEST_F(TransactionTest, PausedWithABigArgumentBehind) {
  const std::string big(100'000, 'x');
  c_.Talk(Request({"CLIENT", "PAUSE", "100000", "WRITE"}));
  EXPECT_EQ(a_.Talk(Request({"MULTI"}) + Request({"GET", "key"}) + Request({"SET", "key", big}) +
                    Request({"STRLEN", "key"}) + Request({"EXEC"})),
            "+OK\r\n" + kQueued);
  c_.Talk(Request({"CLIENT", "UNPAUSE"}));
  EXPECT_EQ(a_.Receive(), kQueued + kQueued + "*3\r\n$-1\r\n+OK\r\n:100000\r\n");
}

TEST_F(TransactionTest, ClosingInTheMiddleLeavesNothing) {
  const std::size_t before = server_->watched_keys().size();
  a_.Talk(Request({"WATCH", "k", "l"}) + Request({"MULTI"}) + Request({"SET", "k", "1"}));
  a_.Close();
  server_.Settle();
  EXPECT_EQ(server_->watched_keys().size(), before);
  EXPECT_EQ(b_.Talk(Request({"EXISTS", "k"})), ":0\r\n");
}

TEST_F(TransactionTest, ClientLineTellsOfIt) {
  const auto line_has = [&](std::string_view text) {
    return b_.Talk(Request({"CLIENT", "LIST", "ID", std::to_string(a_.id())})).find(text) !=
           std::string::npos;
  };
  EXPECT_TRUE(line_has(" multi=-1 "));
  EXPECT_TRUE(line_has(" multi-mem=0 "));
  a_.Talk(Request({"WATCH", "k"}) + Request({"MULTI"}) + Request({"GET", "k"}));
  EXPECT_TRUE(line_has(" multi=1 "));
  EXPECT_TRUE(line_has(" flags=xU "));
  EXPECT_TRUE(line_has(" cmd=get "));
  EXPECT_FALSE(line_has(" multi-mem=0 "));
  b_.Talk(Request({"SET", "k", "1"}));
  EXPECT_TRUE(line_has(" flags=xdU "));
  a_.Talk(Request({"DISCARD"}));
  EXPECT_TRUE(line_has(" flags=U "));
}

TEST_F(TransactionTest, ATransactionIsCountedByItsCommands) {
  const auto calls = [&](std::string_view name) {
    return server_->commands().Find(name)->stats().calls;
  };
  a_.Talk(Request({"MULTI"}) + Request({"GET", "k"}));
  EXPECT_EQ(calls("get"), 0U);
  a_.Talk(Request({"INCR", "k"}) + Request({"LPUSH", "k", "1"}) + Request({"EXEC"}));
  EXPECT_EQ(calls("get"), 1U);
  EXPECT_EQ(calls("exec"), 1U);
  EXPECT_EQ(server_->commands().Find("lpush")->stats().failed, 1U);
  EXPECT_EQ(server_->commands().Find("exec")->stats().failed, 0U);
  EXPECT_EQ(server_->stats().error_replies, 1U);
}

}  // namespace
}  // namespace aeris
