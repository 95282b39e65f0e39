// The texts of the admin port: UTF-8, JSON, Prometheus, heads of answers.
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "src/admin/http_reply.h"
#include "src/admin/json_writer.h"
#include "src/admin/metrics_writer.h"
#include "src/admin/utf8_text.h"

namespace aeris {
namespace {

using std::string_view_literals::operator""sv;

TEST(Utf8Text, KeepsCharactersAndShowsOtherBytes) {
  EXPECT_EQ(Utf8Text("abc", 100), "abc");
  EXPECT_EQ(Utf8Text("\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", 100),
            "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80");
  EXPECT_EQ(Utf8Text("a\xff\x80z", 100), "a\\xff\\x80z");
  EXPECT_EQ(Utf8Text("\xc3", 100), "\\xc3");
  EXPECT_EQ(Utf8Text("\xe2\x82", 100), "\\xe2\\x82");
  EXPECT_EQ(Utf8Text("\xc3(", 100), "\\xc3(");
}

TEST(Utf8Text, RefusesOverlongFormsSurrogatesAndWhatIsTooLarge) {
  for (const std::string_view bytes :
       {"\xc0\x80"sv, "\xc1\xbf"sv, "\xe0\x9f\xbf"sv, "\xed\xa0\x80"sv, "\xed\xbf\xbf"sv,
        "\xf0\x8f\xbf\xbf"sv, "\xf4\x90\x80\x80"sv, "\xf5\x80\x80\x80"sv, "\x80"sv, ""sv}) {
    EXPECT_EQ(Utf8CharacterSize(bytes), 0U) << bytes;
  }
  for (const std::string_view bytes :
       {"\x7f"sv, "\xc2\x80"sv, "\xe0\xa0\x80"sv, "\xed\x9f\xbf"sv, "\xee\x80\x80"sv,
        "\xf0\x90\x80\x80"sv, "\xf4\x8f\xbf\xbf"sv, "\0"sv}) {
    EXPECT_EQ(Utf8CharacterSize(bytes), bytes.size()) << bytes;
  }
}

TEST(Utf8Text, CutsBetweenCharacters) {
  EXPECT_EQ(Utf8Text("abcd", 3), "abc...");
  EXPECT_EQ(Utf8Text("ab\xe2\x82\xac", 4), "ab...");
  EXPECT_EQ(Utf8Text("ab\xe2\x82\xac", 5), "ab\xe2\x82\xac");
}

TEST(JsonWriter, NestsAndSeparates) {
  JsonWriter json;
  json.BeginObject();
  json.Number("a", 1);
  json.BeginArray("b");
  json.EndArray();
  json.BeginArray("c");
  json.Number({}, 1.5);
  json.BeginObject();
  json.Bool("d", true);
  json.EndObject();
  json.Number({}, std::numeric_limits<double>::infinity());
  json.EndArray();
  json.Text("e", "");
  json.EndObject();
  EXPECT_EQ(json.text(), R"({"a":1,"b":[],"c":[1.5,{"d":true},null],"e":""})");
}

TEST(JsonWriter, EscapesWhatMayNotStandInAString) {
  JsonWriter json;
  json.Text({}, "\"\\\n\x01</script>&\x7f\xff\xc3\xa4");
  EXPECT_EQ(json.text(),
            "\"\\\"\\\\\\u000a\\u0001\\u003c/script\\u003e\\u0026\\u007f\\\\xff\xc3\xa4\"");
}

TEST(JsonWriter, KeepsWholeNumbers) {
  JsonWriter json;
  json.BeginArray();
  json.Number({}, std::numeric_limits<std::uint64_t>::max());
  json.Number({}, std::numeric_limits<std::int64_t>::min());
  json.EndArray();
  EXPECT_EQ(json.text(), "[18446744073709551615,-9223372036854775808]");
}

TEST(MetricsWriter, WritesFamilies) {
  MetricsWriter metrics;
  metrics.Gauge("a_bytes", "Bytes of a.", 12);
  metrics.Family("b_total", MetricType::kCounter, "Of b.");
  metrics.Sample({{"x", "1"}, {"y", "2"}}, 0.25);
  metrics.Family("c", MetricType::kSummary, "Of c.");
  metrics.Sample({{"quantile", "0.5"}}, 3);
  metrics.Sample("_count", {{"x", "1"}}, "7");
  EXPECT_EQ(metrics.Take(),
            "# HELP a_bytes Bytes of a.\n# TYPE a_bytes gauge\na_bytes 12\n"
            "# HELP b_total Of b.\n# TYPE b_total counter\nb_total{x=\"1\",y=\"2\"} 0.25\n"
            "# HELP c Of c.\n# TYPE c summary\nc{quantile=\"0.5\"} 3\nc_count{x=\"1\"} 7\n");
}

TEST(MetricsWriter, EscapesLabels) {
  MetricsWriter metrics;
  metrics.Family("a", MetricType::kGauge, "A.");
  metrics.Sample({{"x", "q\"b\\n\nl\xff"}}, 1);
  EXPECT_TRUE(metrics.Take().ends_with("\na{x=\"q\\\"b\\\\n\\nl\\\\xff\"} 1\n"));
}

TEST(MetricsWriter, WritesNumbersThatAreNotFinite) {
  EXPECT_EQ(MetricsWriter::NumberText(std::numeric_limits<double>::infinity()), "+Inf");
  EXPECT_EQ(MetricsWriter::NumberText(-std::numeric_limits<double>::infinity()), "-Inf");
  EXPECT_EQ(MetricsWriter::NumberText(std::numeric_limits<double>::quiet_NaN()), "NaN");
  EXPECT_EQ(MetricsWriter::NumberText(0.1), "0.1");
}

TEST(HttpHead, HasWhatEveryAnswerNeeds) {
  const HttpReply reply{.content_type = "text/html", .body = "12345"};
  const std::string head = HttpHead(reply, true, 1795298021);
  EXPECT_TRUE(head.starts_with("HTTP/1.1 200 OK\r\n")) << head;
  EXPECT_TRUE(head.ends_with("\r\n\r\n"));
  for (const std::string_view field :
       {"\r\nDate: Sat, 21 Nov 2026 21:53:41 GMT\r\n", "\r\nContent-Type: text/html\r\n",
        "\r\nContent-Length: 5\r\n", "\r\nConnection: keep-alive\r\n",
        "\r\nCache-Control: no-store\r\n", "\r\nX-Content-Type-Options: nosniff\r\n",
        "\r\nContent-Security-Policy: default-src 'none'; "}) {
    EXPECT_NE(head.find(field), std::string::npos) << field;
  }
  EXPECT_EQ(head.find("Allow:"), std::string::npos);
  EXPECT_NE(HttpHead(StatusReply(405), false, 0).find("\r\nAllow: GET\r\nConnection: close\r\n"),
            std::string::npos);
}

}  // namespace
}  // namespace aeris
