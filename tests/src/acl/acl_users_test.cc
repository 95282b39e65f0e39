// Users in a running server: who is checked, what follows a change, what the log says.
#include "src/acl/acl_users.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/client.h"
#include "tests/support/test_server.h"

// Absent where another allocator is linked.
extern "C" [[gnu::weak]] int mallctl(const char* name, void* old_value, std::size_t* old_size,
                                     void* new_value, std::size_t new_size);

namespace aeris {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using testing::Request;
using ::testing::StartsWith;
using testing::TestClient;
using testing::TestServer;

TEST(AclUsers, ANewConnectionIsTheDefaultUserWhoMayDoEverything) {
  TestServer server;
  TestClient client(server);
  EXPECT_TRUE(client.peer()->authenticated);
  EXPECT_TRUE(client.peer()->unrestricted);
  EXPECT_EQ(server->acl().UserOf(*client.peer()).name(), "default");
}

TEST(AclUsers, FlagsOfClientsFollowLoginsAndRights) {
  TestServer server;
  TestClient admin(server), client(server);
  EXPECT_EQ(admin.Talk(Request({"ACL", "SETUSER", "bob", "on", "nopass", "+@all"})), "+OK\r\n");
  EXPECT_EQ(client.Talk(Request({"AUTH", "bob", ""})), "+OK\r\n");
  EXPECT_FALSE(client.peer()->unrestricted);
  admin.Talk(Request({"ACL", "SETUSER", "bob", "~*", "&*"}));
  EXPECT_TRUE(client.peer()->unrestricted);
  admin.Talk(Request({"ACL", "SETUSER", "bob", "-get"}));
  EXPECT_FALSE(client.peer()->unrestricted);
  EXPECT_TRUE(client.peer()->authenticated);
  EXPECT_TRUE(admin.peer()->unrestricted);
  client.Talk(Request({"RESET"}));
  EXPECT_TRUE(client.peer()->unrestricted);
}

TEST(AclUsers, WhoHasNotLoggedInDependsOnTheDefaultUser) {
  TestServer server([](Config& config) { config.requirepass = "pw"; });
  TestClient client(server), known(server);
  EXPECT_EQ(known.Talk(Request({"AUTH", "pw"})), "+OK\r\n");
  EXPECT_FALSE(client.peer()->authenticated);
  EXPECT_FALSE(client.peer()->unrestricted);
  EXPECT_THAT(client.Talk(Request({"GET", "k"})), StartsWith("-NOAUTH"));
  known.Talk(Request({"ACL", "SETUSER", "default", "nopass"}));
  EXPECT_TRUE(client.peer()->authenticated);
  EXPECT_EQ(client.Talk(Request({"GET", "k"})), "$-1\r\n");
  known.Talk(Request({"ACL", "SETUSER", "default", "off"}));
  EXPECT_FALSE(client.peer()->authenticated);
  EXPECT_TRUE(known.peer()->authenticated) << "it has logged in";
  EXPECT_EQ(client.peer()->user, nullptr);
}

TEST(AclUsers, RequestsInOnePipelineSeeEachChangeAtOnce) {
  TestServer server;
  TestClient client(server);
  client.Talk(Request({"ACL", "SETUSER", "bob", "on", "nopass", "+@all", "~*", "&*"}));
  EXPECT_EQ(client.Talk(Request({"AUTH", "bob", ""}) + Request({"SET", "k", "1"}) +
                        Request({"ACL", "SETUSER", "bob", "-set"}) + Request({"SET", "k", "2"}) +
                        Request({"GET", "k"})),
            "+OK\r\n+OK\r\n+OK\r\n-NOPERM this user has no permissions to run the 'set' command"
            "\r\n$1\r\n1\r\n");
}

TEST(AclUsers, NothingRunsForADeletedUser) {
  TestServer server;
  TestClient admin(server), client(server);
  admin.Talk(Request({"ACL", "SETUSER", "bob", "on", "nopass", "+@all", "~*", "&*"}));
  client.Talk(Request({"AUTH", "bob", ""}));
  EXPECT_EQ(client.Talk(Request({"ACL", "DELUSER", "bob"}) + Request({"SET", "k", "1"})), ":1\r\n");
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(admin.Talk(Request({"GET", "k"})), "$-1\r\n");
}

// As redis-server 7.0 does. What someone subscribed to as another user stays while the user that it
// is now has no channels that could be lost.
TEST(AclUsers, SubscribersAreClosedWhenTheirUserHadChannelsAndLacksTheirs) {
  struct Change {
    std::string before, after;
    bool closes;
  };
  // The client listens to the channel `a`.
  const Change changes[] = {
      {"resetchannels", "+@keyspace", false},
      {"resetchannels", "&b", false},
      {"&*", "+@keyspace", false},
      {"&*", "resetchannels", true},
      {"allchannels", "(&*)", false},
      {"allchannels", "resetchannels", true},
      {"resetchannels &a &b", "&c", false},
      {"resetchannels &b", "+@keyspace", true},
      {"resetchannels &b &c", "resetchannels &c &b", true},
      {"resetchannels (&b)", "&c", true},
      {"resetchannels (+get)", "clearselectors", false},
      {"resetchannels &b (&c)", "clearselectors", true},
      {"resetchannels &a &b", "resetchannels &a", false},
      {"resetchannels &a &b", "resetchannels &b", true},
      {"resetchannels &a*", "resetchannels &*", false},
      {"resetchannels &b", "resetchannels &B", true},
      {"resetchannels &b", "resetchannels &[a]", false},
  };
  const auto rules = [](const std::string& text) {
    return "ACL SETUSER bob on nopass ~* +@all " + text + "\r\n";
  };
  for (const Change& change : changes) {
    SCOPED_TRACE(change.before + ", then " + change.after);
    TestServer server;
    TestClient admin(server), client(server);
    EXPECT_EQ(admin.Talk(rules(change.before)), "+OK\r\n");
    client.Talk(Request({"HELLO", "3"}) + Request({"SUBSCRIBE", "a"}));
    EXPECT_EQ(client.Talk(Request({"AUTH", "bob", ""})), "+OK\r\n");
    EXPECT_EQ(admin.Talk(rules(change.after)), "+OK\r\n");
    client.Receive();
    EXPECT_EQ(client.closed(), change.closes);
  }
}

// The end of who changed its own rights comes after its transaction, which runs as it is now.
TEST(AclUsers, WhoIsClosedByItsOwnRulesGetsNoOtherRights) {
  TestServer server;
  TestClient admin(server), client(server);
  admin.Talk(Request({"ACL", "SETUSER", "bob", "on", "nopass", "~*", "&*", "+@all"}));
  client.Talk(Request({"HELLO", "3"}) + Request({"SUBSCRIBE", "a"}) + Request({"AUTH", "bob", ""}));
  client.Talk(Request({"MULTI"}) + Request({"ACL", "SETUSER", "bob", "resetchannels", "-set"}) +
              Request({"SET", "k", "1"}) + Request({"APPEND", "k", "2"}) +
              Request({"PUBLISH", "b", "m"}));
  EXPECT_EQ(client.Talk(Request({"EXEC"})), "*4\r\n+OK\r\n");
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(admin.Talk(Request({"GET", "k"})), "$1\r\n2\r\n");
  EXPECT_EQ(server->stats().errors_by_code.find("NOPERM")->second, 2U);
}

TEST(AclUsers, ChannelsAreCheckedAgainWhenATransactionRuns) {
  TestServer server;
  TestClient admin(server), client(server);
  admin.Talk(Request({"ACL", "SETUSER", "bob", "on", "nopass", "resetchannels", "~*", "+@all"}));
  client.Talk(Request({"HELLO", "3"}) + Request({"MULTI"}) + Request({"PSUBSCRIBE", "[ab]"}) +
              Request({"AUTH", "bob", ""}) +
              Request({"ACL", "SETUSER", "bob", "on", "nopass", "~*", "+@all"}) +
              Request({"SUBSCRIBE", "b", "a"}));
  EXPECT_THAT(client.Talk(Request({"EXEC"})),
              HasSubstr("+OK\r\n+OK\r\n-NOPERM ACLs rules changed between"));
  EXPECT_FALSE(client.closed());
}

TEST(AclUsers, NothingIsRepliedAfterTheEndOfOnesOwnUser) {
  TestServer server;
  TestClient admin(server), client(server);
  admin.Talk(Request({"ACL", "SETUSER", "bob", "on", "nopass", "+@all", "~*", "&*"}));
  client.Talk(Request({"AUTH", "bob", ""}) + Request({"MULTI"}) +
              Request({"ACL", "DELUSER", "bob"}) + Request({"GET", "k"}));
  EXPECT_EQ(client.Talk(Request({"EXEC"})), "*2\r\n:1\r\n");
  EXPECT_TRUE(client.closed());
}

TEST(AclUsers, KeysMayBeReadByAnyOfTheSelectors) {
  TestServer server;
  TestClient admin(server), client(server);
  admin.Talk(Request(
      {"ACL", "SETUSER", "bob", "on", "nopass", "+@all", "%W~w*", "%R~r*", "(%R~s* +get)"}));
  EXPECT_TRUE(server->acl().MayReadKey(*client.peer(), "other"));
  client.Talk(Request({"AUTH", "bob", ""}));
  EXPECT_TRUE(server->acl().MayReadKey(*client.peer(), "r1"));
  EXPECT_TRUE(server->acl().MayReadKey(*client.peer(), "s1"));
  EXPECT_FALSE(server->acl().MayReadKey(*client.peer(), "w1"));
  EXPECT_FALSE(server->acl().MayReadKey(*client.peer(), "other"));
}

TEST(AclUsers, AgesInTheLogAreOfTheServersClock) {
  TestServer server;
  TestClient client(server);
  client.Talk(Request({"AUTH", "nobody", "x"}));
  server.Advance(milliseconds(1500));
  EXPECT_THAT(client.Talk(Request({"ACL", "LOG"})), HasSubstr("age-seconds\r\n$3\r\n1.5\r\n"));
  server.Advance(milliseconds(60001));
  client.Talk(Request({"AUTH", "nobody", "x"}));
  EXPECT_EQ(server->acl().log().records().size(), 2U);
}

TEST(AclUsers, ARefusalCountsAsRejectedAndAsError) {
  TestServer server;
  TestClient client(server);
  client.Talk(Request({"ACL", "SETUSER", "bob", "on", "nopass", "+get", "~a"}));
  client.Talk(Request({"AUTH", "bob", ""}));
  client.Talk(Request({"GET", "b"}) + Request({"SET", "a", "b"}));
  EXPECT_EQ(server->commands().Find("get")->stats().rejected, 1U);
  EXPECT_EQ(server->commands().Find("set")->stats().rejected, 1U);
  EXPECT_EQ(server->stats().errors_by_code.find("NOPERM")->second, 2U);
}

TEST(AclUsers, ATransactionsCommandIsRefusedInTheWordsOfExec) {
  TestServer server;
  TestClient client(server);
  client.Talk(Request({"ACL", "SETUSER", "bob", "on", "nopass", "+get", "~a", "+publish"}));
  client.Talk(Request({"AUTH", "bob", ""}));
  const auto refusal = [&](std::vector<std::string_view> request) {
    return server->acl()
        .RefusalAtExec(*client.peer(), *server->commands().Find(request[0]), request)
        .value_or("none");
  };
  const std::string begin =
      "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC "
      "call. This command is no longer allowed for the following reason: ";
  EXPECT_EQ(refusal({"get", "a"}), "none");
  EXPECT_EQ(refusal({"get", "b"}), begin + "no permission to touch the specified keys");
  EXPECT_EQ(refusal({"set", "a", "b"}),
            begin + "no permission to execute the command or subcommand");
  EXPECT_EQ(refusal({"publish", "c", "m"}),
            begin + "no permission to access one of the channels used as arguments");
}

TEST(AclUsers, ChecksOfARestrictedClientAllocateNothing) {
  if (mallctl == nullptr) GTEST_SKIP() << "no jemalloc";
  TestServer server;
  TestClient client(server);
  client.Talk(Request(
      {"ACL", "SETUSER", "bob", "on", "nopass", "+@all", "~a*", "~b*", "&*", "(+get ~c*)"}));
  client.Talk(Request({"AUTH", "bob", ""}));
  const std::vector<std::string_view> request = {"mget", "a1", "b2", "a3"};
  const Command& command = *server->commands().Find("mget");
  const auto allocated = [] {
    std::uint64_t bytes = 0;
    std::size_t size = sizeof bytes;
    EXPECT_EQ(mallctl("thread.allocated", &bytes, &size, nullptr, 0), 0);
    return bytes;
  };
  const std::uint64_t before = allocated();
  for (int i = 0; i < 100; ++i) {
    ASSERT_FALSE(server->acl().Check(*client.peer(), command, request));
  }
  EXPECT_EQ(allocated(), before);
}

}  // namespace
}  // namespace aeris
