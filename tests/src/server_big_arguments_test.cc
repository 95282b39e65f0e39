// Arguments of 32 KiB and more, which are read straight to where they are stored.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <string_view>

#include "src/server.h"
#include "tests/support/test_server.h"

namespace aeris {
namespace {

using testing::Bulk;
using testing::Repeat;
using testing::Request;
using testing::TestClient;
using testing::TestServer;

std::string Noise(std::size_t size, std::mt19937_64& random) {
  std::string text(size, ' ');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

TEST(Server, BigArgumentsArriveInAnyPieces) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  constexpr std::array<std::size_t, 9> kSizes = {0,     1,     16 * 1024, 32767,  32768,
                                                 32769, 65536, 300000,    2500000};
  for (int round = 0; round < 8; ++round) {
    TestServer server;
    TestClient client(server);
    std::string stream, expected;
    for (int i = 0; i < 12; ++i) {
      const std::string value = Noise(kSizes[random() % kSizes.size()], random);
      const std::string key = random() % 4 == 0 ? value : "key";
      stream += Request({"SET", key, value}) + Request({"GET", key}) + Request({"ECHO", value}) +
                Request({"APPEND", key, value}) + Request({"STRLEN", key}) + "PING\r\n";
      expected += "+OK\r\n" + Bulk(value) + Bulk(value) + ":" + std::to_string(2 * value.size()) +
                  "\r\n:" + std::to_string(2 * value.size()) + "\r\n+PONG\r\n";
    }
    std::string received;
    for (std::string_view rest = stream; !rest.empty();) {
      const std::size_t piece =
          std::min<std::size_t>(rest.size(), 1 + random() % (1U << (random() % 21)));
      ASSERT_TRUE(client.Send(rest.substr(0, piece)));
      rest.remove_prefix(piece);
      received += client.Receive();
    }
    ASSERT_TRUE(received == expected) << received.size() << " bytes for " << expected.size();
    ASSERT_EQ(client.peer()->unparsed_bytes(), 0U);
    ASSERT_EQ(client.peer()->parser().memory() / 1024, 0U);
    server->databases()[0].CheckInvariants();
  }
}

TEST(Server, ABigValueIsStoredWhereItWasRead) {
  TestServer server;
  TestClient client(server);
  const std::string value(200'000, 'v');
  const std::string request = Request({"SET", "key", value});
  const std::string_view head = std::string_view(request).substr(0, 50'000);
  ASSERT_TRUE(client.Send(head));
  server.Settle();
  ASSERT_EQ(client.peer()->parser().blocks().size(), 1U);
  const char* const block = client.peer()->parser().blocks()[0].data;
  EXPECT_LT(client.peer()->query().size(), 100U);
  ASSERT_EQ(client.Talk(std::string_view(request).substr(head.size())), "+OK\r\n");
  auto& keyspace = server->databases()[0];
  const auto entry = keyspace.Find(keyspace.Hash("key"), 0, storage::kPeek);
  EXPECT_EQ(entry.text().data(), block);
  EXPECT_TRUE(entry.text() == value);
}

TEST(Server, APauseKeepsBigArguments) {
  TestServer server;
  TestClient client(server);
  TestClient admin(server);
  const std::string value(300'000, 'v');
  admin.Talk("CLIENT PAUSE 100000 WRITE\r\n");
  std::string stream;
  for (int i = 0; i < 4; ++i) stream += Request({"SET", "key" + std::to_string(i), value});
  // The second is cut in the middle while the first one is held back.
  const std::size_t cut = stream.size() / 2 - 1000;
  EXPECT_EQ(client.Talk(std::string_view(stream).substr(0, cut)), "");
  EXPECT_EQ(client.Talk(std::string_view(stream).substr(cut)), "");
  EXPECT_EQ(admin.Talk("DBSIZE\r\n"), ":0\r\n");
  admin.Talk("CLIENT UNPAUSE\r\n");
  EXPECT_EQ(client.Receive(), Repeat("+OK\r\n", 4));
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(client.Talk(Request({"GET", "key" + std::to_string(i)})) == Bulk(value));
  }
}

TEST(Server, APauseKeepsABigArgumentThatIsUnderWay) {
  TestServer server;
  TestClient client(server);
  TestClient admin(server);
  admin.Talk("CLIENT PAUSE 100000 WRITE\r\n");
  const std::string value(100'000, 'v');
  const std::string stream = Request({"INCR", "n"}) + Request({"SET", "key", value});
  const std::size_t cut = 10'000;  // both requests begin in one read, and the batch runs later
  EXPECT_EQ(client.Talk(std::string_view(stream).substr(0, cut)), "");
  admin.Talk("CLIENT UNPAUSE\r\n");
  EXPECT_EQ(client.Talk(std::string_view(stream).substr(cut)), ":1\r\n+OK\r\n");
  EXPECT_TRUE(client.Talk(Request({"GET", "key"})) == Bulk(value));
}

TEST(Server, APromiseOfABigArgumentCostsWhatArrives) {
  TestServer server;
  TestClient client(server);
  client.Talk("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\n");
  // 1 MiB and a head, as the allocator rounds them.
  EXPECT_LE(client.peer()->memory(), (5U << 18) + 32'000);
  const std::string part(3'000'000, 'x');
  client.Talk(part);
  EXPECT_LE(client.peer()->memory(), 2 * part.size() + (1U << 20) + 32'000);
  EXPECT_EQ(client.peer()->unparsed_bytes() / 1000, 3000U);
  client.Close();
  server.Settle();
  EXPECT_EQ(client.peer(), nullptr);
}

TEST(Server, ABigArgumentCountsAgainstTheQueryBufferLimit) {
  TestServer server;
  server.config().client_query_buffer_limit = 1'100'000;
  TestClient client(server);
  TestClient other(server);
  EXPECT_EQ(other.Talk(Request({"SET", "k", std::string(1'000'000, 'v')})), "+OK\r\n");
  client.Talk("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2000000\r\n" + std::string(1'000'000, 'x'));
  EXPECT_FALSE(client.closed());
  client.Talk(std::string(500'000, 'x'));
  EXPECT_TRUE(client.closed());
}

TEST(Server, ABigArgumentThatCrlfDoesNotFollowEndsTheConnection) {
  TestServer server;
  TestClient client(server);
  std::string request = Request({"SET", "k", std::string(100'000, 'v')});
  request[request.size() - 1] = 'x';
  EXPECT_EQ(client.Talk("PING\r\n" + request + "PING\r\n"),
            "+PONG\r\n-ERR Protocol error: expected CRLF after bulk\r\n");
  EXPECT_TRUE(client.closed());
}

TEST(Server, ABigValueMayReplaceWhatAReplyStillSends) {
  TestServer server;
  TestClient slow(server);
  TestClient fast(server);
  const std::string first(4'000'000, '1'), second(4'000'000, '2');
  fast.Talk(Request({"SET", "k", first}));
  slow.Send(Request({"GET", "k"}));
  server.Settle();
  ASSERT_FALSE(slow.peer()->replies().empty());
  EXPECT_TRUE(fast.Talk(Request({"SET", "k", second, "GET"})) == Bulk(first));
  EXPECT_TRUE(slow.Receive() == Bulk(first));
  EXPECT_TRUE(fast.Talk(Request({"GETSET", "k", first})) == Bulk(second));
  EXPECT_EQ(fast.Talk(Request({"SETEX", "k", "0", first})),
            "-ERR invalid expire time in 'setex' command\r\n");
  EXPECT_EQ(fast.Talk(Request({"SETNX", "k", second})), ":0\r\n");
  EXPECT_EQ(fast.Talk(Request({"SET", "k", second, "PXAT", "1"})), "+OK\r\n");
  EXPECT_EQ(fast.Talk(Request({"SETNX", "k", second})), ":1\r\n");
  EXPECT_EQ(fast.Talk(Request({first})).substr(0, 22), "-ERR unknown command '");
  server->databases()[0].CheckInvariants();
}

}  // namespace
}  // namespace aeris
