#include "tools/load_generator/reply_scanner.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace aeris::load {
namespace {

struct Seen {
  std::size_t replies = 0;
  ReplyCounts counts;
  std::string fault;
};

// The pieces are copied to blocks of exactly their size, so that a read beyond one shows.
Seen Scan(Protocol protocol, const std::vector<std::string_view>& pieces) {
  const std::unique_ptr<ReplyScanner> scanner = MakeReplyScanner(protocol);
  Seen seen;
  for (const std::string_view piece : pieces) {
    const auto block = std::make_unique<char[]>(piece.size());
    piece.copy(block.get(), piece.size());
    seen.replies += scanner->Scan({block.get(), piece.size()});
  }
  seen.counts = scanner->counts();
  seen.fault = scanner->fault();
  return seen;
}

void ExpectSame(const Seen& left, const Seen& right) {
  EXPECT_EQ(left.replies, right.replies);
  EXPECT_EQ(left.counts.statuses, right.counts.statuses);
  EXPECT_EQ(left.counts.integers, right.counts.integers);
  EXPECT_EQ(left.counts.values, right.counts.values);
  EXPECT_EQ(left.counts.nulls, right.counts.nulls);
  EXPECT_EQ(left.counts.value_bytes, right.counts.value_bytes);
  EXPECT_EQ(left.counts.errors, right.counts.errors);
  EXPECT_EQ(left.fault, right.fault);
}

// Every kind of RESP2: statuses, errors, integers, values that are empty, long or hold CRLF, both
// nulls, arrays that are empty, nested, and of mixed elements.
constexpr std::string_view kResp =
    "+OK\r\n"
    "-ERR no such thing\r\n"
    ":-42\r\n"
    "$0\r\n\r\n"
    "$4\r\na\r\nb\r\n"
    "$12\r\n0123456789ab\r\n"
    "$-1\r\n"
    "*-1\r\n"
    "*0\r\n"
    "*3\r\n$1\r\nx\r\n$-1\r\n:7\r\n"
    "*2\r\n*2\r\n+a\r\n*0\r\n*1\r\n*1\r\n$2\r\nyz\r\n"
    "+\r\n";

constexpr std::string_view kMemcached =
    "STORED\r\n"
    "END\r\n"
    "VALUE key:1 0 4\r\na\r\nb\r\nEND\r\n"
    "VALUE key:1 0 0\r\n\r\nVALUE key:2 5 3\r\nEND\r\nEND\r\n"
    "17\r\n"
    "TOUCHED\r\n"
    "NOT_FOUND\r\n"
    "DELETED\r\n"
    "SERVER_ERROR out of memory\r\n"
    "VERSION 1.6.18\r\n";

TEST(RespScanner, CountsEveryKindOfReply) {
  const Seen seen = Scan(Protocol::kResp, {kResp});
  EXPECT_EQ(seen.replies, 12U);
  EXPECT_EQ(seen.counts.statuses, 3U);
  EXPECT_EQ(seen.counts.integers, 2U);
  EXPECT_EQ(seen.counts.values, 5U);
  EXPECT_EQ(seen.counts.nulls, 3U);
  EXPECT_EQ(seen.counts.value_bytes, 0U + 4 + 12 + 1 + 2);
  EXPECT_EQ(seen.counts.errors, 1U);
  EXPECT_EQ(seen.fault, "error reply: ERR no such thing");
}

TEST(MemcachedScanner, CountsEveryKindOfReply) {
  const Seen seen = Scan(Protocol::kMemcached, {kMemcached});
  EXPECT_EQ(seen.replies, 10U);
  EXPECT_EQ(seen.counts.statuses, 2U);
  EXPECT_EQ(seen.counts.integers, 4U);
  EXPECT_EQ(seen.counts.values, 3U);
  EXPECT_EQ(seen.counts.value_bytes, 4U + 0 + 3);
  EXPECT_EQ(seen.counts.errors, 1U);
  EXPECT_EQ(seen.fault, "error reply: SERVER_ERROR out of memory");
}

class Splits : public testing::TestWithParam<std::pair<Protocol, std::string_view>> {};

TEST_P(Splits, ChangeNothing) {
  const auto [protocol, stream] = GetParam();
  const Seen whole = Scan(protocol, {stream});
  for (std::size_t first = 0; first <= stream.size(); ++first) {
    for (std::size_t second = first; second <= stream.size(); ++second) {
      SCOPED_TRACE(testing::Message() << "split after bytes " << first << " and " << second);
      ExpectSame(Scan(protocol, {stream.substr(0, first), stream.substr(first, second - first),
                                 stream.substr(second)}),
                 whole);
    }
  }
}

TEST_P(Splits, IntoSingleBytesChangeNothing) {
  const auto [protocol, stream] = GetParam();
  std::vector<std::string_view> bytes;
  for (std::size_t i = 0; i < stream.size(); ++i) bytes.push_back(stream.substr(i, 1));
  ExpectSame(Scan(protocol, bytes), Scan(protocol, {stream}));
}

INSTANTIATE_TEST_SUITE_P(Protocols, Splits,
                         testing::Values(std::pair{Protocol::kResp, kResp},
                                         std::pair{Protocol::kMemcached, kMemcached}));

TEST(ReplyScanner, GivesNoReplyBeforeItsLastByte) {
  for (const std::string_view reply : {"$3\r\nabc\r\n", "*2\r\n:1\r\n$1\r\nx\r\n", "+OK\r\n"}) {
    const std::unique_ptr<ReplyScanner> scanner = MakeReplyScanner(Protocol::kResp);
    EXPECT_EQ(scanner->Scan(reply.substr(0, reply.size() - 1)), 0U) << reply;
    EXPECT_EQ(scanner->Scan(reply.substr(reply.size() - 1)), 1U) << reply;
  }
}

TEST(ReplyScanner, TakesPayloadsThatTheCallerDropped) {
  const std::unique_ptr<ReplyScanner> scanner = MakeReplyScanner(Protocol::kResp);
  EXPECT_EQ(scanner->Scan("$1000\r\nabc"), 0U);
  EXPECT_EQ(scanner->payload_left(), 997U);
  scanner->SkipPayload(997);
  EXPECT_EQ(scanner->Scan("\r\n+OK\r\n"), 2U);
  EXPECT_EQ(scanner->counts().value_bytes, 1000U);
  EXPECT_EQ(scanner->fault(), "");
}

TEST(ReplyScanner, NotesWhichRepliesHeldAValue) {
  for (const auto& [protocol, stream] :
       {std::pair{Protocol::kResp,
                  std::string_view("+OK\r\n$1\r\nx\r\n$-1\r\n$0\r\n\r\n:1\r\n*1\r\n$1\r\nx\r\n")},
        std::pair{
            Protocol::kMemcached,
            std::string_view("STORED\r\nVALUE k 0 1\r\nx\r\nEND\r\nEND\r\n"
                             "VALUE k 0 0\r\n\r\nEND\r\n1\r\nVALUE k 0 1\r\nx\r\nEND\r\n")}}) {
    for (std::size_t split = 0; split <= stream.size(); ++split) {
      const std::unique_ptr<ReplyScanner> scanner = MakeReplyScanner(protocol);
      std::vector<bool> held;
      scanner->Scan(protocol == Protocol::kResp ? "$1\r\nx\r\n" : "VALUE k 0 1\r\nx\r\nEND\r\n");
      scanner->NoteValues(&held);
      scanner->Scan(stream.substr(0, split));
      scanner->Scan(stream.substr(split));
      EXPECT_EQ(held, (std::vector<bool>{false, true, false, true, false, true})) << split;
    }
  }
}

TEST(ReplyScanner, RefusesStreamsThatCannotBeFollowed) {
  for (const std::string_view stream : {"$3\r\nabcd\r\n+OK\r\n", "$3\r\nab\r\n+OK\r\n", "$x\r\n",
                                        "$-2\r\n", "*1x\r\n", "OK\r\n", "\r\n", "$3\r\nabc\n\n"}) {
    const Seen seen = Scan(Protocol::kResp, {stream, "+OK\r\n+OK\r\n"});
    EXPECT_EQ(seen.replies, 0U) << stream;
    EXPECT_TRUE(seen.fault.starts_with("broken reply: ")) << stream << ": " << seen.fault;
  }
  for (const std::string_view stream : {"VALUE k 0 x\r\n", "VALUE k 0 1\r\nab\r\nEND\r\n"}) {
    const Seen seen = Scan(Protocol::kMemcached, {stream});
    EXPECT_TRUE(seen.fault.starts_with("broken reply: ")) << stream << ": " << seen.fault;
  }
  const std::string endless(100'000, '+');
  EXPECT_TRUE(Scan(Protocol::kResp, {endless}).fault.starts_with("broken reply: a line without"));
}

}  // namespace
}  // namespace aeris::load
