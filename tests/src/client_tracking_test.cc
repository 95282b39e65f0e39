#include "src/client_tracking.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/support/test_server.h"

namespace aeris {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::Request;
using ::testing::StartsWith;
using testing::TestClient;
using testing::TestServer;

std::string Array(std::initializer_list<std::string_view> keys) {
  std::string bytes = "*" + std::to_string(keys.size()) + "\r\n";
  for (const std::string_view key : keys) {
    bytes += "$" + std::to_string(key.size()) + "\r\n" + std::string(key) + "\r\n";
  }
  return bytes;
}
std::string Push(std::initializer_list<std::string_view> keys) {
  return ">2\r\n$10\r\ninvalidate\r\n" + Array(keys);
}
std::string Message(std::initializer_list<std::string_view> keys) {
  return "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n" + Array(keys);
}
const std::string kNullPush = ">2\r\n$10\r\ninvalidate\r\n_\r\n";

// A client of RESP3 that tracks with these options.
std::unique_ptr<TestClient> Tracker(TestServer& server,
                                    std::initializer_list<std::string_view> options = {}) {
  auto client = std::make_unique<TestClient>(server);
  client->Talk(Request({"HELLO", "3"}));
  std::string request = "*" + std::to_string(3 + options.size()) + "\r\n";
  for (std::string_view word : {"CLIENT", "TRACKING", "ON"}) {
    request += "$" + std::to_string(word.size()) + "\r\n" + std::string(word) + "\r\n";
  }
  for (std::string_view word : options) {
    request += "$" + std::to_string(word.size()) + "\r\n" + std::string(word) + "\r\n";
  }
  EXPECT_EQ(client->Talk(request), "+OK\r\n");
  return client;
}

TEST(ClientTracking, AReaderIsToldOnce) {
  TestServer server;
  TestClient writer(server);
  auto reader = Tracker(server);
  reader->Talk(Request({"GET", "k"}) + Request({"MGET", "k", "l"}));
  writer.Talk(Request({"SET", "k", "1"}) + Request({"SET", "k", "2"}) + Request({"SET", "m", "1"}));
  EXPECT_EQ(reader->Receive(), Push({"k"}));
  EXPECT_EQ(server->tracking().keys(), 1U);
  reader->Talk(Request({"GET", "k"}));
  writer.Talk(Request({"DEL", "k"}));
  EXPECT_EQ(reader->Receive(), Push({"k"}));
}

TEST(ClientTracking, WhatOneInvalidatesOneselfFollowsTheReply) {
  TestServer server;
  auto client = Tracker(server);
  EXPECT_EQ(client->Talk(Request({"GET", "a"}) + Request({"MSET", "a", "1", "b", "2"}) +
                         Request({"PING"})),
            "_\r\n+OK\r\n" + Push({"a"}) + "+PONG\r\n");
}

// The key expires in the middle of the reply.
TEST(ClientTracking, NoMessageStandsInsideAReply) {
  TestServer server;
  server->set_active_expire(false);
  auto client = Tracker(server);
  client->Talk(Request({"SET", "x", "1"}) + Request({"SET", "y", "2", "PX", "100"}) +
               Request({"GET", "y"}));
  server.Advance(std::chrono::milliseconds(200));
  EXPECT_EQ(client->Talk(Request({"MGET", "x", "y", "x"})),
            "*3\r\n$1\r\n1\r\n_\r\n$1\r\n1\r\n" + Push({"y"}));
}

// Redis writes it where it stands.
TEST(ClientTracking, NorDoesOneThatWasRedirectedThere) {
  TestServer server;
  server->set_active_expire(false);
  TestClient receiver(server);
  receiver.Talk(Request({"HELLO", "3"}));
  auto reader = Tracker(server, {"REDIRECT", std::to_string(receiver.id())});
  reader->Talk(Request({"SET", "y", "2", "PX", "100"}) + Request({"GET", "y"}));
  server.Advance(std::chrono::milliseconds(200));
  EXPECT_EQ(receiver.Talk(Request({"MGET", "x", "y", "x"})), "*3\r\n_\r\n_\r\n_\r\n" + Push({"y"}));
}

TEST(ClientTracking, ExpiryAndEvictionInvalidate) {
  TestServer server(
      [](Config& config) { config.maxmemory_policy = MaxmemoryPolicy::kVolatileRandom; });
  auto reader = Tracker(server, {"NOLOOP"});
  reader->Talk(Request({"SET", "e", "1", "PX", "100"}) + Request({"GET", "e"}));
  server.Advance(std::chrono::milliseconds(300));
  EXPECT_EQ(reader->Receive(), Push({"e"}));
  reader->Talk(Request({"SET", "v", "1", "EX", "1000"}) + Request({"GET", "v"}));
  reader->Talk(Request({"SETBIT", "big", "16000000", "0"}));
  const std::string limit = std::to_string(server->used_memory() - 1'000'000);
  const std::string received = reader->Talk(Request({"CONFIG", "SET", "maxmemory", limit}) +
                                            Request({"GETBIT", "big", "0"}));
  EXPECT_THAT(received, HasSubstr(Push({"v"})));
}

TEST(ClientTracking, RedirectsToASubscriberOfResp2) {
  TestServer server;
  TestClient receiver(server), writer(server), reader(server);
  const std::string id = std::to_string(receiver.id());
  EXPECT_EQ(reader.Talk(Request({"CLIENT", "TRACKING", "ON", "REDIRECT", id})), "+OK\r\n");
  reader.Talk(Request({"GET", "a"}) + Request({"GET", "b"}));
  writer.Talk(Request({"SET", "a", "1"}));
  EXPECT_EQ(receiver.Receive(), "");  // it has not subscribed
  receiver.Talk(Request({"SUBSCRIBE", "__redis__:invalidate"}));
  writer.Talk(Request({"SET", "b", "1"}));
  EXPECT_EQ(receiver.Receive(), Message({"b"}));
  reader.Talk(Request({"GET", "a"}));
  writer.Talk(Request({"FLUSHALL"}));
  EXPECT_EQ(receiver.Receive(), "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n$-1\r\n");
  EXPECT_EQ(reader.Receive(), "");
}

TEST(ClientTracking, SaysWhenTheRedirectionIsBroken) {
  TestServer server;
  TestClient writer(server);
  auto receiver = std::make_unique<TestClient>(server);
  const std::string id = std::to_string(receiver->id());
  auto reader = Tracker(server, {"REDIRECT", id});
  reader->Talk(Request({"GET", "a"}));
  receiver.reset();
  server.Settle();
  EXPECT_THAT(reader->Talk(Request({"CLIENT", "INFO"})), HasSubstr(" flags=tU "));
  writer.Talk(Request({"SET", "a", "1"}));
  EXPECT_EQ(reader->Receive(), ">2\r\n$21\r\ntracking-redir-broken\r\n:" + id + "\r\n");
  EXPECT_THAT(reader->Talk(Request({"CLIENT", "INFO"})), HasSubstr(" flags=tRU "));
  EXPECT_THAT(reader->Talk(Request({"CLIENT", "INFO"})), HasSubstr(" redir=" + id + " "));
  EXPECT_THAT(reader->Talk(Request({"CLIENT", "TRACKINGINFO"})), HasSubstr("broken_redirect"));
  EXPECT_EQ(reader->Talk(Request({"CLIENT", "TRACKING", "ON"})), "+OK\r\n");
  EXPECT_THAT(reader->Talk(Request({"CLIENT", "TRACKINGINFO"})), Not(HasSubstr("broken_redirect")));
}

TEST(ClientTracking, ATurnsKeysComeInOneMessagePerPrefix) {
  TestServer server;
  TestClient writer(server);
  auto reader = Tracker(server, {"BCAST", "PREFIX", "b:", "PREFIX", "a:"});
  auto everything = Tracker(server, {"BCAST"});
  writer.Talk(Request({"MSET", "b:2", "x", "a:1", "x", "b:1", "x", "c", "x"}) +
              Request({"SET", "b:1", "y"}));
  EXPECT_EQ(reader->Receive(), Push({"a:1"}) + Push({"b:1", "b:2"}));
  EXPECT_EQ(everything->Receive(), Push({"a:1", "b:1", "b:2", "c"}));
  EXPECT_EQ(server->tracking().prefixes(), 3U);
  EXPECT_EQ(server->tracking().keys(), 0U);
  writer.Talk(Request({"SET", "c", "x"}));
  EXPECT_EQ(reader->Receive(), "");
  everything.reset();
  server.Settle();
  EXPECT_EQ(server->tracking().prefixes(), 2U);
}

// Names that are beginnings of one another belong to different clients.
TEST(ClientTracking, FindsAllPrefixesOfAKey) {
  TestServer server;
  TestClient writer(server);
  std::vector<std::unique_ptr<TestClient>> readers;
  const std::vector<std::string_view> prefixes = {"",    "a", "ab", "abc",  "abd",  "abcd",
                                                  "abz", "b", "aa", "\xff", "abca", "c"};
  for (const std::string_view prefix : prefixes) {
    readers.push_back(Tracker(server, {"BCAST", "PREFIX", prefix}));
  }
  for (const std::string_view key : {"abcde", "ab", "a", "", "abz", "\xff\xff", "zz", "abcb"}) {
    writer.Talk(Request({"SET", key, "1"}));
    for (std::size_t i = 0; i < prefixes.size(); ++i) {
      const std::string expected = key.starts_with(prefixes[i]) ? Push({key}) : "";
      EXPECT_EQ(readers[i]->Receive(), expected) << key << " " << prefixes[i];
    }
  }
}

TEST(ClientTracking, NoloopLeavesOutWhatOneWroteOneself) {
  TestServer server;
  TestClient writer(server);
  auto reader = Tracker(server, {"NOLOOP"});
  auto all = Tracker(server, {"BCAST", "NOLOOP"});
  EXPECT_EQ(reader->Talk(Request({"GET", "k"}) + Request({"SET", "k", "1"})), "_\r\n+OK\r\n");
  EXPECT_EQ(all->Receive(), Push({"k"}));
  writer.Send(Request({"SET", "x", "1"}) + Request({"SET", "y", "1"}));
  all->Send(Request({"SET", "y", "2"}) + Request({"SET", "z", "2"}));
  server.Settle();
  const std::string received = all->Receive();
  EXPECT_THAT(received, HasSubstr(Push({"x"})));
  EXPECT_THAT(received, Not(HasSubstr("$1\r\nz")));
  all->Talk(Request({"SET", "z", "3"}));
  EXPECT_EQ(all->Receive(), "");
}

TEST(ClientTracking, CachingHoldsForTheNextCommand) {
  TestServer server;
  auto in = Tracker(server, {"OPTIN"});
  auto out = Tracker(server, {"OPTOUT"});
  in->Talk(Request({"GET", "a"}) + Request({"CLIENT", "CACHING", "YES"}) +
           Request({"CLIENT", "GETREDIR"}) + Request({"GET", "b"}) + Request({"GET", "c"}));
  EXPECT_EQ(server->tracking().items(), 1U);
  // What is refused takes it too.
  in->Talk(Request({"CLIENT", "CACHING", "YES"}) + Request({"NOSUCH"}) + Request({"GET", "d"}) +
           Request({"CLIENT", "CACHING", "YES"}) + Request({"GET"}) + Request({"GET", "d"}));
  EXPECT_EQ(server->tracking().items(), 1U);
  out->Talk(Request({"GET", "a"}) + Request({"CLIENT", "CACHING", "NO"}) + Request({"GET", "e"}) +
            Request({"GET", "f"}));
  EXPECT_EQ(server->tracking().items(), 3U);
  EXPECT_EQ(in->Talk(Request({"CLIENT", "CACHING", "NO"})),
            "-ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.\r\n");
}

TEST(ClientTracking, AFlushIsToldToAllAndEmptiesTheTable) {
  TestServer server;
  TestClient writer(server);
  auto reader = Tracker(server);
  auto all = Tracker(server, {"BCAST", "NOLOOP"});
  std::string requests;
  for (int i = 0; i < 5000; ++i) requests += Request({"GET", std::to_string(i)});
  reader->Talk(requests);
  EXPECT_EQ(server->tracking().keys(), 5000U);
  writer.Talk(Request({"FLUSHDB", "ASYNC"}));
  EXPECT_EQ(server->tracking().keys(), 0U);
  EXPECT_EQ(reader->Receive(), kNullPush);
  EXPECT_EQ(all->Receive(), kNullPush);
  EXPECT_EQ(all->Talk(Request({"FLUSHALL"})), "+OK\r\n" + kNullPush);
  EXPECT_EQ(reader->Receive(), kNullPush);
  reader->Talk(Request({"GET", "7"}));
  writer.Talk(Request({"SET", "7", "x"}));
  EXPECT_EQ(reader->Receive(), Push({"7"}));
}

TEST(ClientTracking, KeysAboveTheLimitOfTheTableLeaveAtRandom) {
  TestServer server;
  server.config().tracking_table_max_keys = 10;
  auto reader = Tracker(server, {"NOLOOP"});
  std::string requests;
  for (int i = 0; i < 2000; ++i) requests += Request({"EXISTS", std::to_string(i)});
  const std::string received = reader->Talk(requests);
  EXPECT_EQ(server->tracking().keys(), 10U);
  std::size_t told = 0;
  for (std::size_t at = 0; (at = received.find(">2", at)) != std::string::npos; ++at) ++told;
  EXPECT_EQ(told, 1990U);
  server.config().tracking_table_max_keys = 3;
  server.Advance(std::chrono::milliseconds(200));
  EXPECT_EQ(server->tracking().keys(), 3U);
}

TEST(ClientTracking, AClientAboveItsShareLosesItsOldestKeys) {
  TestServer server;
  server.config().tracking_client_max_keys = 3;
  auto greedy = Tracker(server);
  auto modest = Tracker(server);
  modest->Talk(Request({"EXISTS", "1"}));
  EXPECT_EQ(greedy->Talk(Request({"EXISTS", "1", "2", "3", "4"})), ":0\r\n" + Push({"1"}));
  EXPECT_EQ(greedy->Talk(Request({"EXISTS", "5"})), ":0\r\n" + Push({"2"}));
  EXPECT_EQ(modest->Receive(), "");
  EXPECT_EQ(server->tracking().items(), 4U);
  // Of one that reads nothing any more as well.
  server.config().tracking_client_max_keys = 1;
  server.Advance(std::chrono::seconds(1));
  EXPECT_EQ(greedy->Receive(), Push({"3"}) + Push({"4"}));
  EXPECT_EQ(server->tracking().items(), 2U);
}

TEST(ClientTracking, WhoLeavesIsForgotten) {
  TestServer server;
  TestClient writer(server);
  auto first = Tracker(server);
  auto second = Tracker(server);
  std::string requests;
  for (int i = 0; i < 3000; ++i) requests += Request({"EXISTS", std::to_string(i)});
  first->Talk(requests);
  second->Talk(Request({"EXISTS", "1"}));
  first.reset();
  for (int i = 0; i < 5; ++i) server.Advance(std::chrono::milliseconds(100));
  EXPECT_EQ(server->tracking().clients(), 1U);
  EXPECT_EQ(server->tracking().items(), 1U);
  EXPECT_EQ(second->Talk(Request({"RESET"})), "+RESET\r\n");
  EXPECT_FALSE(server->tracking().on());
  EXPECT_FALSE(server->events().wants(KeyEvent::kString));
  writer.Talk(Request({"SET", "1", "x"}));
  EXPECT_EQ(second->Receive(), "");
}

TEST(ClientTracking, PrefixesOfAClientMustNotOverlap) {
  TestServer server;
  auto client = Tracker(server, {"BCAST", "PREFIX", "FOO", "PREFIX", "BAR"});
  const auto refusal = [&](std::initializer_list<std::string_view> words) {
    return client->Talk(Request(words));
  };
  const std::string tail = ". Prefixes for a single client must not overlap.\r\n";
  for (const std::string prefix : {"F", "FOO", "FOOL"}) {
    EXPECT_EQ(refusal({"CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "x", "PREFIX", prefix}),
              "-ERR Prefix '" + prefix + "' overlaps with an existing prefix 'FOO'" + tail);
  }
  EXPECT_EQ(refusal({"CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "ab", "PREFIX", "a"}),
            "-ERR Prefix 'ab' overlaps with another provided prefix 'a'" + tail);
  EXPECT_EQ(server->tracking().prefixes(), 2U);
  // So many that not each pair is looked at.
  std::string words;
  for (int i = 1000; i < 2000; ++i) words += "$6\r\nPREFIX\r\n$4\r\n" + std::to_string(i) + "\r\n";
  const std::string head = "$6\r\nCLIENT\r\n$8\r\nTRACKING\r\n$2\r\nON\r\n$5\r\nBCAST\r\n";
  EXPECT_EQ(client->Talk("*2006\r\n" + head + words + "$6\r\nPREFIX\r\n$3\r\n150\r\n"),
            "-ERR Prefix '150' overlaps with another provided prefix '1500'" + tail);
  EXPECT_EQ(client->Talk("*2004\r\n" + head + words), "+OK\r\n");
  EXPECT_EQ(server->tracking().prefixes(), 1002U);
  EXPECT_GT(client->peer()->memory(), 200'000U);
}

TEST(ClientTracking, ASlowReaderIsCut) {
  TestServer server(
      [](Config& config) { config.client_output_buffer_limit[0] = {.hard_bytes = 100'000}; });
  TestClient writer(server);
  auto slow = Tracker(server, {"BCAST"});
  const std::uint64_t id = slow->id();
  const std::string key(10'000, 'k');
  for (int i = 0; i < 100 && server->clients().Find(id) != nullptr; ++i) {
    for (int j = 0; j < 20; ++j) writer.Send(Request({"SET", key + std::to_string(j), "x"}));
    server.Settle();
  }
  EXPECT_EQ(server->clients().Find(id), nullptr);
  EXPECT_EQ(server->tracking().prefixes(), 0U);
}

}  // namespace
}  // namespace aeris
