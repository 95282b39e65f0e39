#include "src/admin/http_request.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>

namespace aeris {
namespace {

constexpr std::string_view kGet = "GET /metrics HTTP/1.1\r\nHost: localhost:9121\r\n\r\n";

std::string Get(std::string_view target, std::string_view fields = "Host: a\r\n") {
  return "GET " + std::string(target) + " HTTP/1.1\r\n" + std::string(fields) + "\r\n";
}

HttpParse Outcome(std::string_view bytes) {
  HttpRequestParser parser;
  return parser.Parse(bytes);
}

// The status that a request is refused with; 0 when it is not refused.
int Status(std::string_view bytes) {
  HttpRequestParser parser;
  return parser.Parse(bytes) == HttpParse::kRefused ? parser.status() : 0;
}

bool KeepsAlive(std::string_view bytes) {
  HttpRequestParser parser;
  EXPECT_EQ(parser.Parse(bytes), HttpParse::kRequest) << bytes;
  return parser.request().keep_alive;
}

TEST(HttpRequestParser, GivesPathQueryAndHost) {
  HttpRequestParser parser;
  const std::string bytes =
      "GET /stats.json?since=12&x= HTTP/1.1\r\nAccept: */*\r\nhOsT: \t[::1]:9121 \r\n\r\n";
  ASSERT_EQ(parser.Parse(bytes), HttpParse::kRequest);
  EXPECT_EQ(parser.request().path, "/stats.json");
  EXPECT_EQ(parser.request().query, "since=12&x=");
  EXPECT_EQ(parser.request().host, "[::1]:9121");
  EXPECT_TRUE(parser.request().keep_alive);
  EXPECT_EQ(parser.size(), bytes.size());
}

// Each head is copied to a heap block of exactly its size, so that AddressSanitizer sees a read one
// byte past what has arrived.
TEST(HttpRequestParser, GivesTheSameForEverySplit) {
  const std::string whole = std::string(kGet) + "GET / HTTP/1.1\r\n";
  for (std::size_t split = 0; split < kGet.size(); ++split) {
    SCOPED_TRACE(testing::Message() << "split after byte " << split);
    HttpRequestParser parser;
    const auto head = std::make_unique<char[]>(split);
    whole.copy(head.get(), split);
    ASSERT_EQ(parser.Parse({head.get(), split}), HttpParse::kNeedMore);
    ASSERT_EQ(parser.Parse(whole), HttpParse::kRequest);
    EXPECT_EQ(parser.request().path, "/metrics");
    EXPECT_EQ(parser.request().host, "localhost:9121");
    EXPECT_EQ(parser.size(), kGet.size());
  }
}

TEST(HttpRequestParser, TakesByteAfterByte) {
  HttpRequestParser parser;
  for (std::size_t size = 1; size < kGet.size(); ++size) {
    ASSERT_EQ(parser.Parse(kGet.substr(0, size)), HttpParse::kNeedMore) << size;
  }
  EXPECT_EQ(parser.Parse(kGet), HttpParse::kRequest);
}

TEST(HttpRequestParser, RefusesOtherMethodsAsSoonAsTheirLineIsThere) {
  for (const std::string_view method :
       {"POST", "HEAD", "PUT", "DELETE", "OPTIONS", "CONNECT", "TRACE", "M-SEARCH", "GETX"}) {
    EXPECT_EQ(Status(std::string(method) + " / HTTP/1.1\r\n"), 405) << method;
  }
}

TEST(HttpRequestParser, RefusesOtherVersions) {
  EXPECT_EQ(Status("GET / HTTP/2.0\r\n\r\n"), 505);
  EXPECT_EQ(Status("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505);
  EXPECT_EQ(Status("GET / HTTP/0.9\r\n\r\n"), 505);
  for (const std::string_view version :
       {"HTTP/1", "HTTP/1.", "HTTP/11.1", "HTTP/1.10", "HTTP/x.y"}) {
    EXPECT_EQ(Status("GET / " + std::string(version) + "\r\n\r\n"), 400) << version;
  }
  EXPECT_EQ(Status("GET /\r\n"), 400);  // HTTP/0.9
}

TEST(HttpRequestParser, RefusesMalformedLines) {
  for (const std::string_view line :
       {"GET  / HTTP/1.1", "GET / / HTTP/1.1", "GET http://a/ HTTP/1.1", "GET * HTTP/1.1",
        "GET /\x01 HTTP/1.1", "GET /\x80 HTTP/1.1", "GET /\t HTTP/1.1", "GET / \x7f HTTP/1.1"}) {
    EXPECT_EQ(Status(std::string(line) + "\r\nHost: a\r\n\r\n"), 400) << line;
  }
  EXPECT_EQ(Status("GET / HTTP/1.1\nHost: a\n\n"), 400);  // a line ends with CRLF
}

TEST(HttpRequestParser, RefusesMalformedFields) {
  for (const std::string_view fields :
       {"Host a\r\n", ": a\r\n", "Host : a\r\n", " Host: a\r\n", "Host: a\r\n b\r\n",
        "Host: a\r\nx y: z\r\n", "Host: a\r\nX: \x01\r\n", "Host: a\nX: y\r\n", "Host: a\rX: y\r\n",
        "Host: \r\n", "Host: a\r\nHost: a\r\n", "Host: a\r\nX: a\x7f\r\n"}) {
    EXPECT_EQ(Status(Get("/", fields)), 400) << fields;
  }
  using std::string_view_literals::operator""sv;
  EXPECT_EQ(Status(Get("/", "Host: a\0b\r\n"sv)), 400);
  EXPECT_EQ(Outcome(Get("/", "Host: a\r\nX: \xc3\xa4 \t,y\r\nEmpty:\r\n")), HttpParse::kRequest);
}

TEST(HttpRequestParser, RefusesBodies) {
  EXPECT_EQ(Status(Get("/", "Host: a\r\nContent-Length: 1\r\n")), 400);
  EXPECT_EQ(Status(Get("/", "Host: a\r\nContent-Length: +0\r\n")), 400);
  EXPECT_EQ(Status(Get("/", "Host: a\r\nContent-Length: 00\r\n")), 400);
  EXPECT_EQ(Status(Get("/", "Host: a\r\nTransfer-Encoding: chunked\r\n")), 400);
  EXPECT_EQ(Outcome(Get("/", "Host: a\r\nContent-Length: 0\r\n")), HttpParse::kRequest);
}

TEST(HttpRequestParser, WantsOneHostButForTheOldVersion) {
  EXPECT_EQ(Status("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(Outcome("GET / HTTP/1.0\r\n\r\n"), HttpParse::kRequest);
}

TEST(HttpRequestParser, KnowsWhetherTheConnectionStays) {
  EXPECT_TRUE(KeepsAlive(Get("/")));
  EXPECT_FALSE(KeepsAlive(Get("/", "Host: a\r\nConnection: close\r\n")));
  EXPECT_FALSE(KeepsAlive(Get("/", "Host: a\r\nConnection: TE , CLOSE\r\n")));
  EXPECT_TRUE(KeepsAlive(Get("/", "Host: a\r\nConnection: closed, close-not\r\n")));
  EXPECT_FALSE(KeepsAlive("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_TRUE(KeepsAlive("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"));
  EXPECT_FALSE(KeepsAlive("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n"));
}

TEST(HttpRequestParser, TakesEightKibibytesAndNotAByteMore) {
  const std::size_t around = Get("/", "Host: a\r\nX: \r\n").size();
  const auto of_size = [&](std::size_t size) {
    return Get("/", "Host: a\r\nX: " + std::string(size - around, 'x') + "\r\n");
  };
  ASSERT_EQ(of_size(kHttpRequestBytesMax).size(), kHttpRequestBytesMax);
  EXPECT_EQ(Outcome(of_size(kHttpRequestBytesMax)), HttpParse::kRequest);
  EXPECT_EQ(Status(of_size(kHttpRequestBytesMax + 1)), 431);
  EXPECT_EQ(Status("GET /" + std::string(kHttpRequestBytesMax, 'x')), 431);
  EXPECT_EQ(Outcome("GET /" + std::string(kHttpRequestBytesMax - 6, 'x')), HttpParse::kNeedMore);
}

TEST(HttpRequestParser, TellsOtherProtocolsApart) {
  using std::string_view_literals::operator""sv;
  for (const std::string_view bytes :
       {"*"sv, "*1\r\n$4\r\nPING\r\n"sv, "$4\r\n"sv, "PING\r\n"sv, "ping\r\n"sv, "\r\n"sv,
        "SET key value\r\n"sv, "GET key\r\n"sv, "\x16\x03\x01\x02"sv, "\0"sv, "\xff"sv,
        "HTTP/1.1 200 OK\r\n\r\n"sv}) {
    EXPECT_EQ(Outcome(bytes), HttpParse::kNotHttp) << bytes;
  }
  EXPECT_EQ(Outcome("PING"), HttpParse::kNeedMore);
}

// Whatever comes, in whatever pieces: one of the four outcomes, and a request lies within the
// bytes.
TEST(HttpRequestParser, SurvivesRandomChangesOfARequest) {
  constexpr std::uint32_t kSeed = 20261121;
  std::mt19937 random(kSeed);
  const std::string seed_text = Get("/a?b=c", "Host: a:1\r\nConnection: close\r\nX: y\r\n");
  constexpr std::string_view kBytes = "\r\n :/?GH1.0*\t\x01\x80";
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = seed_text;
    for (int change = 0; change < 3; ++change) {
      const std::size_t at = random() % bytes.size();
      const char byte = kBytes[random() % kBytes.size()];
      if (random() % 2 == 0) {
        bytes[at] = byte;
      } else {
        bytes.insert(at, 1, byte);
      }
    }
    HttpRequestParser in_pieces;
    HttpParse outcome = HttpParse::kNeedMore;
    for (std::size_t size = 0; size < bytes.size() && outcome == HttpParse::kNeedMore;) {
      size = std::min<std::size_t>(bytes.size(), size + 1 + random() % 20);
      outcome = in_pieces.Parse(std::string_view(bytes).substr(0, size));
    }
    HttpRequestParser at_once;
    ASSERT_EQ(outcome, at_once.Parse(bytes)) << "seed " << kSeed << ": " << bytes;
    if (outcome == HttpParse::kRequest) {
      ASSERT_LE(at_once.size(), bytes.size());
      ASSERT_EQ(at_once.size(), in_pieces.size());
      ASSERT_TRUE(at_once.request().path.starts_with('/'));
    }
  }
}

TEST(QueryValue, FindsNames) {
  EXPECT_EQ(QueryValue("since=12", "since"), "12");
  EXPECT_EQ(QueryValue("a=b&since=12&since=13", "since"), "12");
  EXPECT_EQ(QueryValue("sinc=1&since", "since"), "");
  EXPECT_EQ(QueryValue("&&=&since=", "since"), "");
  EXPECT_EQ(QueryValue("", "since"), "");
}

}  // namespace
}  // namespace aeris
