#include "src/keyspace_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <vector>

#include "tests/support/test_server.h"

namespace aeris {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Request;
using testing::TestClient;
using testing::TestServer;

class KeyspaceEventsTest : public ::testing::Test {
 protected:
  KeyspaceEventsTest() { listener.Talk(Request({"PSUBSCRIBE", "__keyevent@*"})); }

  void Choose(std::string_view classes) {
    client.Talk(Request({"CONFIG", "SET", "notify-keyspace-events", classes}));
  }
  // The events that a request causes, as "database:name key".
  std::vector<std::string> EventsOf(std::initializer_list<std::string_view> request) {
    client.Talk(Request(request));
    return Heard();
  }
  std::vector<std::string> Heard() {
    std::vector<std::string> lines;
    const std::string received = listener.Receive();
    for (std::size_t at = 0; at < received.size();) {
      const std::size_t end = received.find("\r\n", at);
      lines.push_back(received.substr(at, end - at));
      at = end + 2;
    }
    // *4, pmessage, the pattern, "__keyevent@0__:set", the key: each with its length before it.
    std::vector<std::string> events;
    for (std::size_t i = 0; i + 8 < lines.size(); i += 9) {
      std::string channel = lines[i + 6].substr(std::string_view("__keyevent@").size());
      channel.erase(channel.find("__"), 2);
      events.push_back(channel + " " + lines[i + 8]);
    }
    return events;
  }

  TestServer server;
  TestClient client{server};
  TestClient listener{server};
};

TEST_F(KeyspaceEventsTest, WantsNothingWithoutAMessageToSend) {
  KeyspaceEvents& events = server->events();
  EXPECT_FALSE(events.wants(KeyEvent::kGeneric));
  Choose("A");
  EXPECT_FALSE(events.wants(KeyEvent::kGeneric));
  Choose("KA");
  EXPECT_TRUE(events.wants(KeyEvent::kGeneric));
  EXPECT_TRUE(events.wants(KeyEvent::kModule));
  EXPECT_FALSE(events.wants(KeyEvent::kKeyMiss));
  EXPECT_FALSE(events.wants(KeyEvent::kNew));
  EXPECT_FALSE(events.wants(KeyEvent::kKeyevent));
  Choose("Exmn");
  EXPECT_TRUE(events.wants(KeyEvent::kExpired));
  EXPECT_TRUE(events.wants(KeyEvent::kKeyMiss));
  EXPECT_TRUE(events.wants(KeyEvent::kNew));
  Choose("Exm");
  EXPECT_FALSE(events.wants(KeyEvent::kEvicted));
  Choose("");
  EXPECT_FALSE(events.wants(KeyEvent::kExpired));
}

TEST_F(KeyspaceEventsTest, TellsOfChosenClassesAlone) {
  Choose("E$");
  EXPECT_THAT(EventsOf({"SET", "k", "v", "EX", "100"}), ElementsAre("0:set k"));
  EXPECT_THAT(EventsOf({"DEL", "k"}), IsEmpty());
  Choose("Eg");
  EXPECT_THAT(EventsOf({"SET", "k", "v", "EX", "100"}), ElementsAre("0:expire k"));
}

TEST_F(KeyspaceEventsTest, ANewKeyIsToldOfFirstAndOnce) {
  Choose("EAn");
  EXPECT_THAT(EventsOf({"MSET", "a", "1", "a", "2", "b", "3"}),
              ElementsAre("0:new a", "0:set a", "0:set a", "0:new b", "0:set b"));
  EXPECT_THAT(EventsOf({"SET", "a", "1"}), ElementsAre("0:set a"));
  EXPECT_THAT(EventsOf({"RENAME", "a", "b"}),
              ElementsAre("0:new b", "0:rename_from a", "0:rename_to b"));
  EXPECT_THAT(EventsOf({"MOVE", "b", "1"}), ElementsAre("1:new b", "0:move_from b", "1:move_to b"));
  EXPECT_THAT(EventsOf({"RPUSH", "list", "x"}), ElementsAre("0:new list", "0:rpush list"));
  EXPECT_THAT(EventsOf({"LMOVE", "list", "other", "LEFT", "LEFT"}),
              ElementsAre("0:new other", "0:lpush other", "0:lpop list", "0:del list"));
  // Nothing of an earlier command is left.
  EXPECT_THAT(EventsOf({"GETDEL", "other"}), IsEmpty());
  EXPECT_THAT(EventsOf({"INCR", "n"}), ElementsAre("0:new n", "0:incrby n"));
}

TEST_F(KeyspaceEventsTest, ANewKeyIsToldOfWithoutOtherClasses) {
  Choose("En");
  EXPECT_THAT(EventsOf({"SET", "k", "v"}), ElementsAre("0:new k"));
  EXPECT_THAT(EventsOf({"SET", "k", "w"}), IsEmpty());
  EXPECT_THAT(EventsOf({"RENAME", "k", "l"}), ElementsAre("0:new l"));
  Choose("Exn");
  EXPECT_THAT(EventsOf({"SADD", "s", "a"}), ElementsAre("0:new s"));
  EXPECT_THAT(EventsOf({"DEL", "s"}), IsEmpty());
}

TEST_F(KeyspaceEventsTest, AMissIsNoCreation) {
  Choose("EAmn");
  EXPECT_THAT(EventsOf({"GETSET", "k", "v"}), ElementsAre("0:keymiss k", "0:new k", "0:set k"));
  EXPECT_THAT(EventsOf({"MGET", "k", "none"}), ElementsAre("0:keymiss none"));
}

TEST_F(KeyspaceEventsTest, AKeyExpiresBeforeItIsNew) {
  Choose("EAn");
  client.Talk(Request({"DEBUG", "SET-ACTIVE-EXPIRE", "0"}) +
              Request({"SET", "k", "v", "PX", "10"}));
  server.Advance(std::chrono::milliseconds(20));
  (void)Heard();
  EXPECT_THAT(EventsOf({"SET", "k", "v"}), ElementsAre("0:expired k", "0:new k", "0:set k"));
}

TEST_F(KeyspaceEventsTest, DueKeysAreToldOfWithoutBeingRead) {
  Choose("Ex");
  client.Talk(Request({"SET", "k", "v", "PX", "10"}));
  for (int i = 0; i < 20; ++i) server.Advance(std::chrono::milliseconds(20));
  EXPECT_THAT(Heard(), ElementsAre("0:expired k"));
}

}  // namespace
}  // namespace aeris
