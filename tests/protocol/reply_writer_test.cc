#include "protocol/reply_writer.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/random.h"

namespace aeris::protocol {
namespace {

constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
constexpr double kInf = std::numeric_limits<double>::infinity();

std::string Sent(ReplyBuffer& buffer) {
  std::string sent;
  std::array<iovec, 16> entries;
  while (const std::size_t filled = buffer.FillIovec(entries)) {
    const std::size_t before = sent.size();
    for (std::size_t i = 0; i < filled; ++i) {
      sent.append(static_cast<const char*>(entries[i].iov_base), entries[i].iov_len);
    }
    buffer.Consume(sent.size() - before);
  }
  return sent;
}

std::string Written(int resp, const std::function<void(ReplyWriter&)>& write) {
  BufferPool pool;
  ReplyBuffer buffer(pool);
  ReplyWriter writer(buffer, resp);
  write(writer);
  return Sent(buffer);
}

TEST(ReplyWriter, SpellsEveryReplyInBothProtocols) {
  struct Case {
    const char* name;
    std::function<void(ReplyWriter&)> write;
    std::string_view resp2;
    std::string_view resp3;
  };
  const std::vector<Case> cases = {
      {"ok", [](auto& w) { w.Ok(); }, "+OK\r\n", "+OK\r\n"},
      {"simple", [](auto& w) { w.SimpleString("PONG"); }, "+PONG\r\n", "+PONG\r\n"},
      {"error", [](auto& w) { w.Error("ERR no"); }, "-ERR no\r\n", "-ERR no\r\n"},
      {"zero", [](auto& w) { w.Integer(0); }, ":0\r\n", ":0\r\n"},
      {"integer", [](auto& w) { w.Integer(-12345); }, ":-12345\r\n", ":-12345\r\n"},
      {"least", [](auto& w) { w.Integer(kMin); }, ":-9223372036854775808\r\n",
       ":-9223372036854775808\r\n"},
      {"bulk", [](auto& w) { w.Bulk("a\r\nb"); }, "$4\r\na\r\nb\r\n", "$4\r\na\r\nb\r\n"},
      {"empty bulk", [](auto& w) { w.Bulk(""); }, "$0\r\n\r\n", "$0\r\n\r\n"},
      {"empty bulk, ready-made", [](auto& w) { w.EmptyBulk(); }, "$0\r\n\r\n", "$0\r\n\r\n"},
      {"bulk of 10", [](auto& w) { w.Bulk("0123456789"); }, "$10\r\n0123456789\r\n",
       "$10\r\n0123456789\r\n"},
      {"bulk integer", [](auto& w) { w.BulkInteger(-100); }, "$4\r\n-100\r\n", "$4\r\n-100\r\n"},
      {"null", [](auto& w) { w.Null(); }, "$-1\r\n", "_\r\n"},
      {"null array", [](auto& w) { w.NullArray(); }, "*-1\r\n", "_\r\n"},
      {"array", [](auto& w) { w.Array(3); }, "*3\r\n", "*3\r\n"},
      {"empty array", [](auto& w) { w.EmptyArray(); }, "*0\r\n", "*0\r\n"},
      {"long array", [](auto& w) { w.Array(1234567); }, "*1234567\r\n", "*1234567\r\n"},
      {"map", [](auto& w) { w.Map(3); }, "*6\r\n", "%3\r\n"},
      {"set", [](auto& w) { w.Set(2); }, "*2\r\n", "~2\r\n"},
      {"push", [](auto& w) { w.Push(2); }, "*2\r\n", ">2\r\n"},
      {"double", [](auto& w) { w.Double(3.25); }, "$4\r\n3.25\r\n", ",3.25\r\n"},
      {"inexact double", [](auto& w) { w.Double(0.1); }, "$19\r\n0.10000000000000001\r\n",
       ",0.10000000000000001\r\n"},
      {"infinity", [](auto& w) { w.Double(kInf); }, "$3\r\ninf\r\n", ",inf\r\n"},
      {"minus infinity", [](auto& w) { w.Double(-kInf); }, "$4\r\n-inf\r\n", ",-inf\r\n"},
      {"true", [](auto& w) { w.Boolean(true); }, ":1\r\n", "#t\r\n"},
      {"false", [](auto& w) { w.Boolean(false); }, ":0\r\n", "#f\r\n"},
      {"big number", [](auto& w) { w.BigNumber("-123456789012345678901"); },
       "$22\r\n-123456789012345678901\r\n", "(-123456789012345678901\r\n"},
      {"verbatim", [](auto& w) { w.Verbatim("a\nb", "txt"); }, "$3\r\na\nb\r\n",
       "=7\r\ntxt:a\nb\r\n"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Written(2, c.write), c.resp2) << c.name;
    EXPECT_EQ(Written(3, c.write), c.resp3) << c.name;
  }
  EXPECT_EQ(Written(3, [](auto& w) { w.Attribute(1); }), "|1\r\n");
}

TEST(ReplyWriter, LetsNoLineEndIntoALine) {
  EXPECT_EQ(Written(2, [](auto& w) { w.Error("ERR unknown 'a\r\nb\n+OK\r'\r\n"); }),
            "-ERR unknown 'a  b +OK '\r\n");
  EXPECT_EQ(Written(2, [](auto& w) { w.SimpleString("a\r\nb"); }), "+a  b\r\n");
  EXPECT_EQ(Written(3, [](auto& w) { w.BigNumber("1\r\n2"); }), "(1  2\r\n");
}

TEST(ReplyWriter, WritesLongBulksAcrossBlocks) {
  constexpr std::uint64_t kSeed = 5;
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  Random random(kSeed);
  std::string expected;
  const std::string written = Written(2, [&](ReplyWriter& writer) {
    for (int i = 0; i < 300; ++i) {
      const std::string value(random.Below(i % 10 == 0 ? 50000 : 1200),
                              static_cast<char>('a' + i % 26));
      writer.Bulk(value);
      writer.Integer(i);
      expected += "$" + std::to_string(value.size()) + "\r\n" + value +
                  "\r\n:" + std::to_string(i) + "\r\n";
    }
  });
  EXPECT_EQ(written, expected);
}

TEST(ReplyWriter, RefersToPinnedBulks) {
  static constexpr std::string_view kValue = "0123456789";
  int releases = 0;
  EXPECT_EQ(Written(2,
                    [&](ReplyWriter& writer) {
                      writer.BulkPinned(kValue, Pin(&releases, [](void* object) {
                                          ++*static_cast<int*>(object);
                                        }));
                      EXPECT_EQ(releases, 0);
                    }),
            "$10\r\n0123456789\r\n");
  EXPECT_EQ(releases, 1);
}

TEST(ReplyWriter, WritesLengthsAfterTheirElements) {
  const auto write = [](ReplyWriter& writer) {
    const ReplyWriter::Deferred array = writer.BeginArray();
    writer.Integer(1);
    const ReplyWriter::Deferred map = writer.BeginMap();
    writer.Bulk("k");
    writer.Bulk("v");
    writer.EndMap(map, 1);
    const ReplyWriter::Deferred set = writer.BeginSet();
    writer.EndSet(set, 0);
    writer.EndArray(array, 3);
    const ReplyWriter::Deferred push = writer.BeginPush();
    writer.Integer(2);
    writer.EndPush(push, 1);
    writer.Ok();
  };
  EXPECT_EQ(Written(2, write), "*3\r\n:1\r\n*2\r\n$1\r\nk\r\n$1\r\nv\r\n*0\r\n*1\r\n:2\r\n+OK\r\n");
  EXPECT_EQ(Written(3, write), "*3\r\n:1\r\n%1\r\n$1\r\nk\r\n$1\r\nv\r\n~0\r\n>1\r\n:2\r\n+OK\r\n");
}

TEST(ReplyWriter, DeferredLengthsAreExactForEveryCount) {
  for (const std::size_t count :
       std::initializer_list<std::size_t>{0, 1, 9, 10, 99, 100, 2000, 5000, 70000}) {
    std::string expected = "*" + std::to_string(count) + "\r\n";
    const std::string written = Written(2, [&](ReplyWriter& writer) {
      const ReplyWriter::Deferred array = writer.BeginArray();
      for (std::size_t i = 0; i < count; ++i) writer.Integer(7);
      writer.EndArray(array, count);
    });
    for (std::size_t i = 0; i < count; ++i) expected += ":7\r\n";
    EXPECT_EQ(written, expected) << count;
  }
}

TEST(ReplyWriter, WritesNothingWhenMutedButCountsErrors) {
  int releases = 0;
  BufferPool pool;
  ReplyBuffer buffer(pool);
  ReplyWriter writer(buffer, 3);
  writer.set_muted(true);
  writer.Ok();
  writer.SimpleString("x");
  writer.Integer(1);
  writer.Bulk("x");
  writer.Bulk(std::string(1000, 'x'));
  writer.BulkInteger(1);
  writer.Null();
  writer.NullArray();
  writer.Array(1);
  writer.Map(1);
  writer.Set(1);
  writer.Push(1);
  writer.Attribute(1);
  writer.Double(1);
  writer.Boolean(true);
  writer.BigNumber("1");
  writer.Verbatim("x", "txt");
  writer.EndArray(writer.BeginArray(), 1);
  writer.EndMap(writer.BeginMap(), 1);
  writer.BulkPinned("x", Pin(&releases, [](void* object) { ++*static_cast<int*>(object); }));
  writer.Error("WRONGTYPE no");
  EXPECT_EQ(releases, 1);
  EXPECT_EQ(buffer.size(), 0U);
  EXPECT_EQ(buffer.memory(), 0U);
  EXPECT_EQ(writer.errors_written(), 1U);
  writer.set_muted(false);
  writer.Ok();
  EXPECT_EQ(Sent(buffer), "+OK\r\n");
}

TEST(ReplyWriter, KeepsTheCodeWordOfTheLastError) {
  BufferPool pool;
  ReplyBuffer buffer(pool);
  ReplyWriter writer(buffer);
  EXPECT_EQ(writer.last_error(), "");
  writer.Error("ERR syntax error");
  EXPECT_EQ(writer.last_error(), "ERR");
  writer.Error("WRONGTYPE Operation against a key holding the wrong kind of value");
  EXPECT_EQ(writer.last_error(), "WRONGTYPE");
  writer.Error("NOSPACE\r\n");
  EXPECT_EQ(writer.last_error(), "NOSPACE");
  writer.Error(std::string(100, 'X'));
  EXPECT_EQ(writer.last_error(), std::string(32, 'X'));
  EXPECT_EQ(writer.errors_written(), 4U);
}

TEST(ReplyWriter, FollowsAChangeOfProtocol) {
  EXPECT_EQ(Written(2,
                    [](ReplyWriter& writer) {
                      writer.Null();
                      writer.set_resp(3);
                      EXPECT_EQ(writer.resp(), 3);
                      writer.Null();
                    }),
            "$-1\r\n_\r\n");
}

}  // namespace
}  // namespace aeris::protocol
