#include "src/pubsub.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/test_server.h"

namespace aeris {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Request;
using ::testing::StartsWith;
using testing::TestClient;
using testing::TestServer;

constexpr auto kChannel = ChannelKind::kChannel;
constexpr auto kPattern = ChannelKind::kPattern;
constexpr auto kShardChannel = ChannelKind::kShardChannel;

std::string Bulks(std::string_view head, std::initializer_list<std::string_view> texts) {
  std::string bytes(head);
  for (const std::string_view text : texts) {
    bytes += "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
  }
  return bytes;
}

std::string Message(std::string_view channel, std::string_view text) {
  return Bulks("*3\r\n", {"message", channel, text});
}

// Otherwise a client could keep any amount of memory by subscribing alone.
TEST(PubSub, NamesOfChannelsAreInTheMemoryOfWhoSubscribed) {
  TestServer server;
  TestClient client(server);
  PubSub& pubsub = server->pubsub();
  const std::size_t before = client.peer()->memory();
  for (int i = 0; i < 100; ++i) {
    const std::string name = std::to_string(i) + std::string(10'000, 'c');
    pubsub.Subscribe(*client.peer(), i % 2 == 0 ? kChannel : kPattern, name);
    pubsub.Subscribe(*client.peer(), i % 2 == 0 ? kChannel : kPattern, name);
  }
  EXPECT_GE(client.peer()->memory(), before + 1'000'000);
  EXPECT_LE(client.peer()->memory(), before + 1'030'000);
  for (int i = 0; i < 99; ++i) {
    const std::string name = std::to_string(i) + std::string(10'000, 'c');
    pubsub.Unsubscribe(*client.peer(), i % 2 == 0 ? kChannel : kPattern, name);
  }
  EXPECT_LE(client.peer()->memory(), before + 11'000);
}

TEST(PubSub, ChannelsExistWhileSomebodyListens) {
  TestServer server;
  TestClient a(server), b(server);
  PubSub& pubsub = server->pubsub();
  EXPECT_TRUE(pubsub.silent());
  EXPECT_TRUE(pubsub.Subscribe(*a.peer(), kChannel, "c"));
  EXPECT_FALSE(pubsub.Subscribe(*a.peer(), kChannel, "c"));
  EXPECT_TRUE(pubsub.Subscribe(*b.peer(), kChannel, "c"));
  EXPECT_TRUE(pubsub.Subscribe(*b.peer(), kPattern, "c"));
  EXPECT_TRUE(pubsub.Subscribe(*b.peer(), kShardChannel, "c"));
  EXPECT_EQ(pubsub.subscribers(kChannel, "c"), 2U);
  EXPECT_EQ(pubsub.subscribers(kPattern, "c"), 1U);
  EXPECT_EQ(pubsub.subscribers(kChannel, "d"), 0U);
  EXPECT_FALSE(pubsub.Unsubscribe(*a.peer(), kPattern, "c"));
  EXPECT_FALSE(pubsub.Unsubscribe(*a.peer(), kChannel, "d"));
  EXPECT_TRUE(pubsub.Unsubscribe(*a.peer(), kChannel, "c"));
  EXPECT_FALSE(pubsub.Unsubscribe(*a.peer(), kChannel, "c"));
  EXPECT_EQ(a.peer()->subscriptions, nullptr);
  EXPECT_EQ(pubsub.subscribers(kChannel, "c"), 1U);
  EXPECT_EQ(PubSub::CountOf(*b.peer(), kChannel), 1U);
  EXPECT_TRUE(pubsub.Unsubscribe(*b.peer(), kChannel, "c"));
  EXPECT_THAT(pubsub.channels(kChannel), IsEmpty());
  EXPECT_FALSE(pubsub.silent());
  EXPECT_TRUE(pubsub.Unsubscribe(*b.peer(), kPattern, "c"));
  EXPECT_TRUE(pubsub.silent());
}

TEST(PubSub, NamesComeInTheOrderOfSubscribing) {
  TestServer server;
  TestClient client(server);
  for (const char* name : {"z", "a", "m", "b"}) {
    server->pubsub().Subscribe(*client.peer(), kPattern, name);
  }
  server->pubsub().Unsubscribe(*client.peer(), kPattern, "a");
  server->pubsub().Subscribe(*client.peer(), kPattern, "a");
  EXPECT_THAT(PubSub::NamesOf(*client.peer(), kPattern), ElementsAre("z", "m", "b", "a"));
  EXPECT_THAT(PubSub::NamesOf(*client.peer(), kChannel), IsEmpty());
}

// Random subscriptions beside sets of names, whole clients leaving among them.
TEST(PubSub, AgreesWithSetsOfNames) {
  TestServer server;
  std::mt19937 random(20261);
  constexpr std::size_t kClients = 12;
  std::vector<std::unique_ptr<TestClient>> clients;
  std::vector<std::set<std::string>> model(kClients);
  for (std::size_t i = 0; i < kClients; ++i) {
    clients.push_back(std::make_unique<TestClient>(server));
  }
  PubSub& pubsub = server->pubsub();
  for (int step = 0; step < 20'000; ++step) {
    const std::size_t who = random() % kClients;
    Client& client = *clients[who]->peer();
    const std::string name = "channel:" + std::to_string(random() % 20);
    if (random() % 100 == 0) {
      client.subscriptions.reset();
      model[who].clear();
    } else if (random() % 2 == 0) {
      EXPECT_EQ(pubsub.Subscribe(client, kChannel, name), model[who].insert(name).second);
    } else {
      EXPECT_EQ(pubsub.Unsubscribe(client, kChannel, name), model[who].erase(name) == 1);
    }
    EXPECT_EQ(PubSub::CountOf(client, kChannel), model[who].size());
    std::size_t subscribers = 0;
    for (const auto& names : model) subscribers += names.count(name);
    ASSERT_EQ(pubsub.subscribers(kChannel, name), subscribers);
  }
  std::set<std::string> all;
  for (const auto& names : model) all.insert(names.begin(), names.end());
  EXPECT_EQ(pubsub.channels(kChannel).size(), all.size());
  clients.clear();
  server.Settle();
  EXPECT_TRUE(pubsub.silent());
}

TEST(PubSub, AMessageGoesToChannelsThenPatterns) {
  TestServer server;
  TestClient subscriber(server), publisher(server);
  subscriber.Talk(Request({"PSUBSCRIBE", "n?ws*"}) + Request({"SUBSCRIBE", "news"}));
  EXPECT_EQ(publisher.Talk(Request({"PUBLISH", "news", "x"})), ":2\r\n");
  EXPECT_EQ(subscriber.Receive(),
            Message("news", "x") + Bulks("*4\r\n", {"pmessage", "n?ws*", "news", "x"}));
  EXPECT_EQ(publisher.Talk(Request({"SPUBLISH", "news", "x"})), ":0\r\n");
  EXPECT_EQ(subscriber.Receive(), "");
}

TEST(PubSub, EachClientGetsItsProtocol) {
  TestServer server;
  TestClient old(server), modern(server), publisher(server);
  old.Talk(Request({"SUBSCRIBE", "c"}));
  modern.Talk(Request({"HELLO", "3"}) + Request({"SUBSCRIBE", "c"}));
  std::string arrays, pushes;
  std::string requests;
  for (int i = 0; i < 100; ++i) {
    const std::string text = std::to_string(i);
    requests += Request({"PUBLISH", "c", text});
    arrays += Message("c", text);
    pushes += Bulks(">3\r\n", {"message", "c", text});
  }
  publisher.Talk(requests);
  EXPECT_EQ(old.Receive(), arrays);
  EXPECT_EQ(modern.Receive(), pushes);
}

// Of a batch that publishes, the sender's own messages stand behind the replies, each behind its
// own.
TEST(PubSub, MessagesToOneselfFollowTheReply) {
  TestServer server;
  TestClient client(server);
  client.Talk(Request({"HELLO", "3"}) + Request({"SUBSCRIBE", "c"}));
  EXPECT_EQ(client.Talk(Request({"PUBLISH", "c", "x"}) + Request({"PING"})),
            ":1\r\n" + Bulks(">3\r\n", {"message", "c", "x"}) + "+PONG\r\n");
}

TEST(PubSub, SubscribersOfResp2MayCallLittle) {
  TestServer server;
  TestClient client(server);
  client.Talk(Request({"SUBSCRIBE", "c"}));
  EXPECT_EQ(client.Talk(Request({"GET", "key"})),
            "-ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / "
            "RESET are allowed in this context\r\n");
  EXPECT_THAT(client.Talk(Request({"CLIENT", "ID"})),
              StartsWith("-ERR Can't execute 'client|id': only"));
  EXPECT_EQ(client.Talk(Request({"PING"})), Bulks("*2\r\n", {"pong", ""}));
  EXPECT_EQ(client.Talk(Request({"PING", "x"})), Bulks("*2\r\n", {"pong", "x"}));
  client.Talk(Request({"UNSUBSCRIBE"}));
  EXPECT_EQ(client.Talk(Request({"PING"})), "+PONG\r\n");
  client.Talk(Request({"SSUBSCRIBE", "c"}));
  EXPECT_EQ(client.Talk(Request({"RESET"})), "+RESET\r\n");
  EXPECT_EQ(client.Talk(Request({"GET", "key"})), "$-1\r\n");
}

TEST(PubSub, MessagesComeWithoutReplies) {
  TestServer server;
  TestClient client(server), publisher(server);
  EXPECT_EQ(client.Talk(Request({"CLIENT", "REPLY", "OFF"}) + Request({"SUBSCRIBE", "c"})),
            Bulks("*3\r\n", {"subscribe", "c"}) + ":1\r\n");
  publisher.Talk(Request({"PUBLISH", "c", "x"}));
  EXPECT_EQ(client.Receive(), Message("c", "x"));
}

TEST(PubSub, ThoseThatCloseOrResetLeaveNothing) {
  TestServer server;
  TestClient leaving(server), resetting(server), killed(server), publisher(server);
  for (TestClient* client : {&leaving, &resetting, &killed}) {
    client->Talk(Request({"SUBSCRIBE", "c", "d"}) + Request({"PSUBSCRIBE", "*"}) +
                 Request({"SSUBSCRIBE", "c"}));
  }
  leaving.Close();
  server.Settle();
  resetting.Talk(Request({"RESET"}));
  // Within one batch.
  EXPECT_EQ(publisher.Talk(Request({"CLIENT", "KILL", "TYPE", "pubsub"}) +
                           Request({"PUBLISH", "c", "x"}) + Request({"PUBSUB", "NUMPAT"})),
            ":1\r\n:0\r\n:0\r\n");
  EXPECT_TRUE(server->pubsub().silent());
  EXPECT_THAT(server->pubsub().channels(kShardChannel), IsEmpty());
  EXPECT_EQ(resetting.Talk(Request({"PING"})), "+PONG\r\n");
}

TEST(PubSub, TheSlowAreCutAtTheHardLimit) {
  TestServer server([](Config& config) {
    config.client_output_buffer_limit[static_cast<std::size_t>(OutputLimitClass::kPubsub)] = {
        .hard_bytes = 1'000'000, .soft_bytes = 0, .soft_seconds = 0};
  });
  TestClient slow(server), publisher(server), fast(server);
  slow.Talk(Request({"SUBSCRIBE", "c", "d"}) + Request({"PSUBSCRIBE", "c*"}));
  fast.Talk(Request({"SUBSCRIBE", "c"}));
  const std::string text(50'000, 'x');
  std::string received;
  for (int i = 0; i < 100 && slow.peer() != nullptr; ++i) {
    publisher.Talk(Request({"PUBLISH", "c", text}));
    received += fast.Receive();
  }
  EXPECT_EQ(slow.peer(), nullptr);
  EXPECT_EQ(server->stats().output_buffer_limit_disconnects, 1U);
  EXPECT_EQ(server->pubsub().subscribers(kChannel, "c"), 1U);
  EXPECT_EQ(server->pubsub().subscribers(kChannel, "d"), 0U);
  EXPECT_EQ(publisher.Talk(Request({"PUBLISH", "c", "last"})), ":1\r\n");
  received += fast.Receive();
  EXPECT_THAT(received, ::testing::EndsWith(Message("c", "last")));
  EXPECT_NE(fast.peer(), nullptr);
}

TEST(PubSub, TheSlowAreCutAfterTheSecondsOfTheSoftLimit) {
  TestServer server([](Config& config) {
    config.client_output_buffer_limit[static_cast<std::size_t>(OutputLimitClass::kPubsub)] = {
        .hard_bytes = 0, .soft_bytes = 100'000, .soft_seconds = 5};
  });
  TestClient slow(server), publisher(server);
  slow.Talk(Request({"SUBSCRIBE", "c"}));
  const std::string text(1'000'000, 'x');
  for (int i = 0; i < 3; ++i) publisher.Talk(Request({"PUBLISH", "c", text}));
  server.Advance(std::chrono::seconds(4));
  EXPECT_NE(slow.peer(), nullptr);
  for (int i = 0; i < 10 && slow.peer() != nullptr; ++i) server.Advance(std::chrono::seconds(1));
  EXPECT_EQ(slow.peer(), nullptr);
}

std::vector<std::unique_ptr<TestClient>> Subscribers(TestServer& server, std::size_t count) {
  std::vector<std::unique_ptr<TestClient>> clients;
  for (std::size_t i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<TestClient>(server));
    clients.back()->Talk(Request({"SUBSCRIBE", "c"}));
  }
  return clients;
}

// How many of them have got something, each of them all that was to be had.
std::size_t Served(std::span<const std::unique_ptr<TestClient>> clients,
                   std::string_view expected) {
  std::size_t served = 0;
  for (const auto& client : clients) {
    const std::string bytes = client->ReceiveSome(expected.size() + 1);
    if (bytes.empty()) continue;
    EXPECT_EQ(bytes, expected);
    ++served;
  }
  return served;
}

TEST(PubSub, AMessageToManyDoesNotKeepTheLoopFromOthers) {
  TestServer server;
  const auto subscribers = Subscribers(server, 150);
  TestClient publisher(server), other(server);
  publisher.Send(Request({"PUBLISH", "c", "1"}));
  server.Turn();
  other.Send(Request({"PING"}));
  server.Turn();
  server.Turn();
  EXPECT_EQ(other.ReceiveSome(100), "+PONG\r\n");
  EXPECT_EQ(Served(subscribers, Message("c", "1")), 128U);
  server.Turn();
  EXPECT_EQ(Served(subscribers, Message("c", "1")), 22U);
  server.Settle();
  EXPECT_EQ(Served(subscribers, ""), 0U);
}

TEST(PubSub, WhoWaitsForAMessageGetsTheNextOnesWithIt) {
  TestServer server;
  const auto subscribers = Subscribers(server, 100);
  const auto late = std::span(subscribers).subspan(64);
  TestClient publisher(server);
  publisher.Send(Request({"PUBLISH", "c", "1"}));
  server.Turn();
  publisher.Send(Request({"PUBLISH", "c", "2"}));
  server.Turn();
  EXPECT_EQ(Served(std::span(subscribers).first(64), Message("c", "1")), 64U);
  EXPECT_EQ(Served(late, ""), 0U);
  server.Turn();
  EXPECT_EQ(Served(late, Message("c", "1") + Message("c", "2")), 36U);
  server.Settle();
  EXPECT_EQ(Served(std::span(subscribers).first(64), Message("c", "2")), 64U);
  EXPECT_EQ(Served(late, ""), 0U);
}

TEST(PubSub, WhoWaitsForAMessageMayLeaveOrAskForAReply) {
  TestServer server;
  auto subscribers = Subscribers(server, 70);
  TestClient publisher(server);
  publisher.Send(Request({"PUBLISH", "c", "1"}));
  server.Turn();
  subscribers[69]->Close();
  subscribers[68]->Send(Request({"UNSUBSCRIBE", "c"}));
  server.Settle();
  EXPECT_EQ(subscribers[68]->Receive(),
            Message("c", "1") + Bulks("*3\r\n", {"unsubscribe", "c"}) + ":0\r\n");
  EXPECT_EQ(server->pubsub().subscribers(kChannel, "c"), 68U);
  EXPECT_EQ(Served(std::span(subscribers).first(68), Message("c", "1")), 68U);
}

// What waits does not grow beyond a block while the socket takes more.
TEST(PubSub, ManyMessagesInOneTurnDoNotWait) {
  TestServer server;
  const auto subscribers = Subscribers(server, 100);
  TestClient publisher(server);
  const std::string text(5'000, 'x');
  std::string requests;
  for (int i = 0; i < 3; ++i) requests += Request({"PUBLISH", "c", text});
  publisher.Send(requests);
  server.Turn();
  EXPECT_EQ(Served(subscribers, Message("c", text)), 0U);
  publisher.Send(requests);
  server.Turn();
  const Client& last = *subscribers.back()->peer();
  EXPECT_LT(last.replies().size(), 16'384U + Message("c", text).size());
  server.Settle();
  std::string all;
  for (int i = 0; i < 6; ++i) all += Message("c", text);
  EXPECT_EQ(Served(subscribers, all), 100U);
}

TEST(PubSub, IsShownByClientListAndInfo) {
  TestServer server;
  TestClient subscriber(server), watcher(server);
  subscriber.Talk(Request({"SUBSCRIBE", "a", "b"}) + Request({"PSUBSCRIBE", "c*"}) +
                  Request({"SSUBSCRIBE", "d", "e", "f"}));
  const std::string line = watcher.Talk(Request({"CLIENT", "LIST", "TYPE", "pubsub"}));
  EXPECT_THAT(line, HasSubstr(" flags=PU db=0 sub=2 psub=1 ssub=3 multi=-1 "));
  EXPECT_THAT(line, HasSubstr(" cmd=ssubscribe "));
  const std::string info = watcher.Talk(Request({"INFO", "stats"}));
  EXPECT_THAT(info, HasSubstr("pubsub_channels:2\r\npubsub_patterns:1\r\n"));
  EXPECT_THAT(info, HasSubstr("pubsubshard_channels:3\r\n"));
}

// Nothing but subscribing made this client different: `timeout` is for those that ask and leave.
TEST(PubSub, SubscribersAreNotIdle) {
  TestServer server([](Config& config) { config.timeout = 10; });
  TestClient subscriber(server), other(server);
  subscriber.Talk(Request({"SUBSCRIBE", "c"}));
  other.Talk(Request({"PING"}));
  for (int i = 0; i < 30; ++i) server.Advance(std::chrono::seconds(1));
  EXPECT_NE(subscriber.peer(), nullptr);
  EXPECT_EQ(other.peer(), nullptr);
}

}  // namespace
}  // namespace aeris
