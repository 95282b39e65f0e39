// The admin port of a whole server, over loopback, on a clock that the test moves.
#include "src/admin/admin_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "src/admin/admin_connection.h"
#include "src/admin/history.h"
#include "tests/support/test_server.h"

namespace aeris {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Request;
using ::testing::StartsWith;
using testing::TestClient;
using testing::TestServer;

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// A port that was free a moment ago.
int FreePort() {
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  AERIS_CHECK(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  AERIS_CHECK(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  return ntohs(address.sin_port);
}

class Http {
 public:
  explicit Http(TestServer& server) : server_(server) {
    fd_ = UniqueFd(::socket(AF_INET, SOCK_STREAM, 0));
    const int at_once = 1;  // pieces of a request are not held back
    ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
    const sockaddr_in address = Loopback(server.config().admin_port);
    connected_ =
        ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    server.Settle();
  }

  bool connected() const { return connected_; }
  // All that is sent until the server has nothing to do.
  std::string Talk(std::string_view bytes) {
    if (!bytes.empty()) (void)::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    std::string received;
    for (bool more = true; more;) {
      server_.Settle();
      more = false;
      for (char part[65536];;) {
        const ssize_t got = ::recv(fd_.get(), part, sizeof part, MSG_DONTWAIT);
        if (got <= 0) {
          closed_ = got == 0 || errno == ECONNRESET;
          break;
        }
        received.append(part, static_cast<std::size_t>(got));
        more = true;
      }
    }
    return received;
  }
  std::string Get(std::string_view target) {
    return Talk("GET " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }
  bool closed() {
    Talk("");
    return closed_;
  }

 private:
  TestServer& server_;
  UniqueFd fd_;
  bool connected_ = false;
  bool closed_ = false;
};

class AdminServerTest : public ::testing::Test {
 protected:
  std::string Get(std::string_view target) { return Http(server_).Get(target); }
  std::string Body(std::string_view target) {
    const std::string reply = Get(target);
    return reply.substr(reply.find("\r\n\r\n") + 4);
  }

  TestServer server_{[](Config& config) { config.admin_port = FreePort(); }};
  TestClient client_{server_};
};

std::size_t CountOf(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos;
       at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

TEST_F(AdminServerTest, AnswersWhatThereIs) {
  EXPECT_THAT(Get("/healthz"), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(Body("/healthz"), "ok\n");
  EXPECT_EQ(Body("/readyz"), "ready\n");
  EXPECT_THAT(Get("/metrics"), HasSubstr("Content-Type: text/plain; version=0.0.4"));
  EXPECT_THAT(Get("/stats.json"), HasSubstr("Content-Type: application/json\r\n"));
  EXPECT_THAT(Get("/"), HasSubstr("Content-Type: text/html; charset=utf-8\r\n"));
  EXPECT_THAT(Get("/page.js"), HasSubstr("Content-Type: text/javascript; charset=utf-8\r\n"));
  EXPECT_THAT(Get("/page.css"), HasSubstr("Content-Type: text/css; charset=utf-8\r\n"));
  EXPECT_THAT(Get("/icon.svg"), HasSubstr("Content-Type: image/svg+xml\r\n"));
  for (const std::string_view path : {"/nosuch", "/index.htm", "//", "/page.js/", "/../page.js"}) {
    EXPECT_THAT(Get(path), StartsWith("HTTP/1.1 404 ")) << path;
  }
}

TEST_F(AdminServerTest, AnswersOneAfterTheOtherOnOneConnection) {
  Http http(server_);
  std::string many;
  for (int i = 0; i < 50; ++i) many += "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
  EXPECT_EQ(CountOf(http.Talk(many), "\r\n\r\nok\n"), 50U);
  EXPECT_FALSE(http.closed());
  const std::string last = http.Talk("GET / HTTP/1.1\r\nHost: a\r\n");
  EXPECT_EQ(last, "");
  EXPECT_THAT(http.Talk("Connection: close\r\n\r\nGET /healthz HTTP/1.1\r\n\r\n"),
              StartsWith("HTTP/1.1 403 "));
  EXPECT_TRUE(http.closed());
}

TEST_F(AdminServerTest, AnswersAFewRequestsInATurn) {
  std::vector<std::unique_ptr<Http>> many;
  for (std::size_t i = 0; i < AdminServer::kConnectionsMax; ++i) {
    many.push_back(std::make_unique<Http>(server_));
  }
  std::size_t answered = 0;
  while (server_->admin().MayAnswer()) ++answered;
  EXPECT_EQ(answered, AdminServer::kAnswersPerTurn);
  server_.Settle();
  for (const auto& http : many) EXPECT_THAT(http->Get("/healthz"), HasSubstr("ok\n"));
}

TEST_F(AdminServerTest, RefusesWithAStatusAndCloses) {
  const std::map<std::string, std::string> cases = {
      {"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc", "405"},
      {"GET /\r\n", "400"},
      {"GET / HTTP/1.1\r\n\r\n", "400"},
      {"GET / HTTP/2.0\r\n\r\n", "505"},
      {"GET / HTTP/1.1\r\nX: " + std::string(kHttpRequestBytesMax, 'x'), "431"},
  };
  for (const auto& [request, status] : cases) {
    Http http(server_);
    EXPECT_THAT(http.Talk(request), StartsWith("HTTP/1.1 " + status)) << request.substr(0, 60);
    server_.Advance(AdminConnection::kDrainTime);
    EXPECT_TRUE(http.closed()) << request.substr(0, 60);
  }
  EXPECT_EQ(server_->admin().connections(), 0U);
}

TEST_F(AdminServerTest, ClosesWhatIsNoHttpWithoutAnAnswer) {
  Http http(server_);
  EXPECT_EQ(http.Talk("*1\r\n$4\r\nPING\r\n"), "");
  EXPECT_TRUE(http.closed());
}

TEST_F(AdminServerTest, RefusesNamesOfOtherHosts) {
  Http http(server_);
  EXPECT_THAT(http.Talk("GET /stats.json HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
              StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(http.Talk("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n"),
              StartsWith("HTTP/1.1 200 "));
}

TEST_F(AdminServerTest, CutsSlowRequestsAndIdleConnections) {
  Http slow(server_), idle(server_), silent(server_);
  idle.Get("/healthz");
  EXPECT_EQ(slow.Talk("GET / HT"), "");
  server_.Advance(AdminConnection::kRequestTime - milliseconds(1));
  slow.Talk("TP");  // a byte now and then does not help
  EXPECT_FALSE(slow.closed());
  server_.Advance(milliseconds(1));
  EXPECT_TRUE(slow.closed());
  EXPECT_TRUE(silent.closed());
  EXPECT_FALSE(idle.closed());
  server_.Advance(AdminConnection::kIdleTime);
  EXPECT_TRUE(idle.closed());
  EXPECT_THAT(Body("/metrics"), HasSubstr("\naeris_admin_timeouts_total 1\n"));
}

TEST_F(AdminServerTest, GivesThePlaceOfTheLongestIdleToANewConnection) {
  std::vector<std::unique_ptr<Http>> many;
  for (std::size_t i = 0; i < AdminServer::kConnectionsMax; ++i) {
    many.push_back(std::make_unique<Http>(server_));
    server_.Advance(milliseconds(1));
  }
  many[0]->Get("/healthz");  // now the second one has been idle longest
  EXPECT_THAT(Get("/healthz"), HasSubstr("ok\n"));
  EXPECT_FALSE(many[0]->closed());
  EXPECT_TRUE(many[1]->closed());
  EXPECT_FALSE(many[2]->closed());
}

TEST_F(AdminServerTest, RefusesAConnectionWhileAllAreBusy) {
  std::vector<std::unique_ptr<Http>> many;
  for (std::size_t i = 0; i < AdminServer::kConnectionsMax; ++i) {
    many.push_back(std::make_unique<Http>(server_));
    many.back()->Talk("GET /");
  }
  Http one_more(server_);
  EXPECT_TRUE(one_more.closed());
  for (const auto& http : many) EXPECT_FALSE(http->closed());
  EXPECT_THAT(many[0]->Talk("healthz HTTP/1.0\r\n\r\n"), HasSubstr("ok\n"));
}

TEST_F(AdminServerTest, SaysWhyItIsNotReady) {
  client_.Talk(Request({"CLIENT", "PAUSE", "1000", "WRITE"}));
  EXPECT_THAT(Get("/readyz"), StartsWith("HTTP/1.1 503 "));
  EXPECT_EQ(Body("/readyz"), "not ready\npaused: CLIENT PAUSE holds commands that write\n");
  server_.Advance(milliseconds(1000));
  EXPECT_EQ(Body("/readyz"), "ready\n");
  client_.Talk(Request({"SET", "key", "value"}));
  client_.Talk(Request({"CONFIG", "SET", "maxmemory", "1"}));
  EXPECT_THAT(Body("/readyz"), HasSubstr("maxmemory is 1, and no key may be removed"));
  EXPECT_THAT(Body("/stats.json"), HasSubstr("\"not_ready\":[\"memory: "));
  client_.Talk(Request({"CONFIG", "SET", "maxmemory", "0", "maxmemory-db", "0 1"}));
  EXPECT_THAT(Body("/readyz"), HasSubstr("memory: database 0 has "));
  client_.Talk(Request({"CONFIG", "SET", "maxmemory-db", ""}));
  EXPECT_EQ(Body("/readyz"), "ready\n");
  client_.Talk(Request({"CONFIG", "SET", "maxclients", "1"}));
  EXPECT_EQ(Body("/readyz"), "not ready\nclients: all 1 of maxclients are connected\n");
}

TEST_F(AdminServerTest, WritesEachFamilyOnceUnderItsType) {
  client_.Talk(Request({"SET", "key", "value", "EX", "10"}));
  client_.Talk(Request({"NOSUCH"}));
  std::istringstream text(Body("/metrics"));
  std::set<std::string> families;
  std::string family;
  for (std::string line; std::getline(text, line);) {
    std::istringstream words(line);
    std::string mark, kind, name;
    words >> mark >> kind >> name;
    if (mark != "#") {
      EXPECT_THAT(mark, StartsWith(family)) << line;
    } else if (kind == "HELP") {
      EXPECT_TRUE(families.insert(name).second) << name << " comes twice";
      family = name;
    } else {
      EXPECT_EQ(name, family);
    }
  }
  for (const char* name : {"redis_up", "redis_memory_used_bytes", "redis_db_keys",
                           "redis_commands_total", "redis_errors_total", "aeris_hit_ratio"}) {
    EXPECT_TRUE(families.contains(name)) << name;
  }
}

TEST_F(AdminServerTest, CountsWhatHappened) {
  client_.Talk(Request({"SET", "key", "value", "EX", "10"}));
  client_.Talk(Request({"GET", "key"}));
  client_.Talk(Request({"GET", "nokey"}));
  client_.Talk(Request({"NOSUCH"}));
  const std::string metrics = Body("/metrics");
  for (const std::string_view line :
       {"redis_up 1", "redis_connected_clients 1", "redis_db_keys{db=\"db0\"} 1",
        "redis_db_keys_expiring{db=\"db0\"} 1", "redis_db_keys{db=\"db1\"} 0",
        "redis_keyspace_hits_total 1", "redis_keyspace_misses_total 1",
        "redis_commands_total{cmd=\"get\"} 2", "redis_errors_total{err=\"ERR\"} 1",
        "aeris_db_hits_total{db=\"db0\"} 1", "aeris_hit_ratio{window=\"all\"} 0.5",
        "redis_rdb_last_bgsave_status 1"}) {
    EXPECT_THAT(metrics, HasSubstr("\n" + std::string(line) + "\n"));
  }
}

TEST_F(AdminServerTest, CountsManyClientsInSteps) {
  std::vector<std::unique_ptr<TestClient>> many;
  for (std::size_t i = 0; i < ClientCensus::kCountedAtOnce; ++i) {
    many.push_back(std::make_unique<TestClient>(server_));
  }
  many.back()->Send(Request({"BLPOP", "list", "0"}));
  server_.Settle();
  EXPECT_THAT(Body("/metrics"), HasSubstr("\nredis_blocked_clients 0\n"));
  for (int i = 0; i < 30; ++i) server_.Advance(milliseconds(100));
  EXPECT_THAT(Body("/metrics"), HasSubstr("\nredis_blocked_clients 1\n"));
}

TEST_F(AdminServerTest, GivesRowsThatWereNotSeen) {
  for (int i = 0; i < 5; ++i) server_.Advance(milliseconds(1000));
  EXPECT_THAT(Body("/stats.json"), HasSubstr("\"first\":0,\"next\":5,\"rows\":[["));
  EXPECT_THAT(Body("/stats.json?since=4"), HasSubstr("\"first\":4,\"next\":5,\"rows\":[["));
  EXPECT_THAT(Body("/stats.json?since=5"), HasSubstr("\"first\":5,\"next\":5,\"rows\":[]"));
  EXPECT_THAT(Body("/stats.json?since=6"), HasSubstr("\"first\":0,\"next\":5,\"rows\":[["));
  EXPECT_THAT(Body("/stats.json?since=x"), HasSubstr("\"first\":0,"));
  for (std::size_t i = 0; i < History::kRowsMax; ++i) server_.Advance(milliseconds(1000));
  const std::string body = Body("/stats.json");
  EXPECT_THAT(body, HasSubstr("\"first\":5,\"next\":305,"));
  EXPECT_LT(body.size(), 60U * 1024);
}

TEST_F(AdminServerTest, ShowsNamesOfKeysAndNoValues) {
  client_.Talk(Request({"CONFIG", "SET", "slowlog-log-slower-than", "0"}));
  for (int i = 0; i < 200; ++i) client_.Talk(Request({"SET", "k<script>\xff", "secret-value"}));
  client_.Talk(Request({"CONFIG", "SET", "proc-title-template", "secret-value"}));
  const std::string body = Body("/stats.json");
  EXPECT_THAT(body, HasSubstr("\"key\":\"k\\u003cscript\\u003e\\\\xff\""));
  EXPECT_THAT(body, HasSubstr("\"command\":\"config|set\",\"arguments\":3}"));
  std::string many = "*101\r\n$3\r\nDEL\r\n";
  for (int i = 0; i < 100; ++i) many += "$1\r\nx\r\n";
  client_.Talk(many);
  EXPECT_THAT(Body("/stats.json"),
              HasSubstr("\"command\":\"del\",\"arguments\":100,\"key\":\"x\"}"));
  EXPECT_THAT(body, Not(HasSubstr("secret-value")));
  EXPECT_THAT(Body("/metrics"), Not(HasSubstr("k<script")));
}

TEST_F(AdminServerTest, HidesNamesOfKeysWhileThereIsAPassword) {
  client_.Talk(Request({"CONFIG", "SET", "slowlog-log-slower-than", "0"}));
  for (int i = 0; i < 200; ++i) client_.Talk(Request({"SET", "the-name", "value"}));
  EXPECT_THAT(Body("/stats.json"), HasSubstr("the-name"));
  client_.Talk(Request({"CONFIG", "SET", "requirepass", "password"}));
  const std::string body = Body("/stats.json");
  EXPECT_THAT(body, HasSubstr("\"keys_hidden\":true"));
  EXPECT_THAT(body, Not(HasSubstr("the-name")));
}

TEST_F(AdminServerTest, OpensAndClosesByConfigSet) {
  Http before(server_);
  const int old_port = server_.config().admin_port;
  const int new_port = FreePort();
  const auto set = [&](std::string_view name, std::string_view value) {
    return client_.Talk(Request({"CONFIG", "SET", name, value}));
  };
  EXPECT_EQ(set("admin-port", std::to_string(new_port)), "+OK\r\n");
  EXPECT_TRUE(before.closed());
  EXPECT_EQ(Body("/healthz"), "ok\n");
  EXPECT_EQ(set("admin-bind", "192.0.2.1"),
            "-ERR CONFIG SET failed (possibly related to argument 'admin-bind') - Unable to listen "
            "on the admin port. Check server logs.\r\n");
  EXPECT_EQ(Body("/healthz"), "ok\n") << "the old one is back";
  EXPECT_THAT(set("admin-bind", ""), HasSubstr("argument must be one address"));
  EXPECT_EQ(set("admin-port", "0"), "+OK\r\n");
  EXPECT_EQ(server_->admin().port(), 0U);
  EXPECT_FALSE(Http(server_).connected());
  EXPECT_EQ(set("admin-port", std::to_string(old_port)), "+OK\r\n");
  EXPECT_EQ(Body("/healthz"), "ok\n");
}

TEST(AdminServerOff, ListensNowhereByDefault) {
  TestServer server;
  EXPECT_EQ(server->admin().port(), 0U);
}

}  // namespace
}  // namespace aeris
