#include "protocol/request_parser.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/random.h"
#include "tests/protocol/request_generator.h"
#include "tests/protocol/request_oracle.h"

namespace aeris::protocol {
namespace {

using std::string_view_literals::operator""sv;

constexpr Limits kUnauthenticated{.authenticated = false};

std::vector<std::size_t> EveryByte(std::size_t size) {
  std::vector<std::size_t> ends;
  for (std::size_t i = 0; i < size; ++i) ends.push_back(i);
  return ends;
}

// Whole, in two pieces at every place, and byte by byte.
void ExpectForEverySplit(std::string_view stream, const std::vector<Outcome>& expected,
                         const Limits& limits = {}) {
  EXPECT_EQ(ToText(ParseInPieces(stream, {}, limits)), ToText(expected));
  for (std::size_t split = 0; split < stream.size(); ++split) {
    ASSERT_EQ(ToText(ParseInPieces(stream, {split}, limits)), ToText(expected))
        << "split after byte " << split << " of " << stream.substr(0, 100);
  }
  ASSERT_EQ(ToText(ParseInPieces(stream, EveryByte(stream.size()), limits)), ToText(expected))
      << "byte by byte: " << stream.substr(0, 100);
}

void ExpectErrorForEverySplit(std::string_view stream, const std::string& error,
                              const Limits& limits = {}) {
  ExpectForEverySplit(stream, {{.arguments = {}, .error = error, .end = 0}}, limits);
}

TEST(RequestParser, GivesSameArgumentsForEverySplit) {
  constexpr std::string_view kRequest = "*3\r\n$3\r\nSET\r\n$2\r\nk1\r\n$4\r\na\r\nb\r\n";
  ExpectForEverySplit(kRequest, {{{"SET", "k1", "a\r\nb"}, "", kRequest.size()}});
}

TEST(RequestParser, GivesEmptyAndBinaryArguments) {
  constexpr std::string_view kRequest = "*3\r\n$0\r\n\r\n$3\r\n\0\r\n\r\n$1\r\n\xff\r\n"sv;
  ExpectForEverySplit(kRequest, {{{"", std::string("\0\r\n", 3), "\xff"}, "", kRequest.size()}});
}

TEST(RequestParser, GivesInlineRequestsEndedByLfOrCrlf) {
  ExpectForEverySplit("PING\nSET k v\r\n  ECHO\t\"a b\" \r\r\n",
                      {{{"PING"}, "", 5}, {{"SET", "k", "v"}, "", 14}, {{"ECHO", "a b"}, "", 30}});
}

TEST(RequestParser, TakesTypeBytesOfOtherFramesAsInline) {
  ExpectForEverySplit("$4\r\nPING\r\n", {{{"$4"}, "", 4}, {{"PING"}, "", 10}});
}

// No state may be left over after an empty request (CVE-2026-27623): either kind follows, whole or
// in pieces.
TEST(RequestParser, EmptyRequestsLeaveNothingBehind) {
  constexpr std::string_view kRequest = "*1\r\n$4\r\nPING\r\n";
  for (const std::string empty :
       {"*0\r\n", "*-1\r\n", "*-10\r\n", "*-9223372036854775808\r\n", "\r\n", "\n", "  \t\r\n"}) {
    const std::size_t n = empty.size();
    ExpectForEverySplit(empty + std::string(kRequest),
                        {{{}, "", n}, {{"PING"}, "", n + kRequest.size()}});
    ExpectForEverySplit(empty + "PING a\r\n", {{{}, "", n}, {{"PING", "a"}, "", n + 8}});
    ExpectForEverySplit(empty + empty + "\"x\"\n",
                        {{{}, "", n}, {{}, "", 2 * n}, {{"x"}, "", 2 * n + 4}});
  }
}

// Texts are those of redis-server 7.0.15 for the same bytes.
TEST(RequestParser, RefusesCountsThatAreNoNumber) {
  for (const std::string count :
       {"2147483648", "3000000000", "18446744073709551617", "9223372036854775808",
        "-9223372036854775809", "+1", "01", "-0", "", "abc", "1 ", " 1", "1a", "0x1", "1.0"}) {
    ExpectErrorForEverySplit("*" + count + "\r\n", "invalid multibulk length");
  }
  ExpectErrorForEverySplit("*1\0\r\n"sv, "invalid multibulk length");
}

TEST(RequestParser, RefusesLengthsThatAreNoNumberOrOutOfRange) {
  for (const std::string length : {"-1", "-10", "536870913", "4294967300", "18446744073709551620",
                                   "9223372036854775807", "+4", "04", "-0", "", "4 ", "abc"}) {
    ExpectErrorForEverySplit("*2\r\n$4\r\nECHO\r\n$" + length + "\r\nPING\r\n",
                             "invalid bulk length");
  }
}

TEST(RequestParser, RefusesAnythingButBulkStringsAsArguments) {
  for (const char type : std::string_view("P*:+-_#,(=%~>|\"'\\\xff ")) {
    ExpectErrorForEverySplit(std::string("*1\r\n") + type + "1\r\n$4\r\nPING\r\n",
                             std::string("expected '$', got '") + type + "'");
  }
}

TEST(RequestParser, LetsNoControlByteIntoAnErrorText) {
  for (int byte = 0; byte < 0x80; byte = byte == 0x1f ? 0x7f : byte + 1) {
    ExpectErrorForEverySplit(std::string("*1\r\n") + static_cast<char>(byte) + "\r\n",
                             "expected '$', got ' '");
  }
}

TEST(RequestParser, NeverEndsACountOrLengthLineWithALoneByte) {
  ExpectErrorForEverySplit("*1\n$4\r\nPING\r\n", "invalid multibulk length");
  ExpectErrorForEverySplit("*1\rX$4\r\nPING\r\n", "invalid multibulk length");
  ExpectErrorForEverySplit("*1\r\r\n$4\r\nPING\r\n", "invalid multibulk length");
  ExpectErrorForEverySplit("*1\r\n$4\nPING\r\n", "invalid bulk length");
  ExpectErrorForEverySplit("*1\r\n$4\rXPING\r\n", "invalid bulk length");
}

// Redis 7.0 skips these two bytes unseen.
TEST(RequestParser, RefusesAnArgumentThatCrlfDoesNotFollow) {
  for (const std::string end : {"xx", "\n\n", "\n\r", "\rx", "x\n", "\r\r"}) {
    ExpectErrorForEverySplit("*1\r\n$4\r\nPING" + end, "expected CRLF after bulk");
  }
}

TEST(RequestParser, RefusesUnbalancedQuotes) {
  for (const std::string line : {"\"PING", "'PING", "\"PING\"x", "'PING'x", "a\"b\"c", "\"a\\\"",
                                 "'a\\'", "PING \"", "\"\\"}) {
    ExpectErrorForEverySplit(line + "\r\n", "unbalanced quotes in request");
  }
}

TEST(RequestParser, AnswersWhatStandsBeforeABrokenFrame) {
  ExpectForEverySplit("PING\r\n*1\r\n$4\r\nPING\r\n*1\r\n!\r\nPING\r\n",
                      {{{"PING"}, "", 6}, {{"PING"}, "", 20}, {{}, "expected '$', got '!'", 0}});
}

TEST(RequestParser, EndsLinesAt64KiB) {
  struct Case {
    std::string before;
    std::string first;
    char fill;
    std::string error;
  };
  for (const Case& c : {Case{"", "*", '1', "too big mbulk count string"},
                        Case{"", "", 'a', "too big inline request"},
                        Case{"*1\r\n", "$", '1', "too big bulk count string"},
                        Case{"*1\r\n", "x", 'x', "too big bulk count string"}}) {
    const std::string longest = c.before + c.first + std::string(65536 - c.first.size(), c.fill);
    EXPECT_EQ(ToText(ParseInPieces(longest, {}, {})), "") << c.error;
    const std::string over = longest + c.fill;
    EXPECT_EQ(ToText(ParseInPieces(over, {}, {})), "error: " + c.error + "\n");
    EXPECT_EQ(ToText(ParseInPieces(over, {5, 30000, 65536}, {})), "error: " + c.error + "\n");
    // The end of the line comes too late, whether it arrives with the rest or not.
    EXPECT_EQ(ToText(ParseInPieces(over + "\r\n", {}, {})), "error: " + c.error + "\n");
  }
  const std::string line(65536, 'a');
  EXPECT_EQ(ParseInPieces(line + "\n", {}, {}).at(0).arguments, (std::vector<std::string>{line}));
}

TEST(RequestParser, HoldsTheBoundOfArguments) {
  EXPECT_EQ(ToText(ParseInPieces("*1048576\r\n", {}, {})), "");
  ExpectErrorForEverySplit("*1048577\r\n", "invalid multibulk length");
  ExpectErrorForEverySplit("*3\r\n", "invalid multibulk length", Limits{.args_max = 2});
}

TEST(RequestParser, HoldsTheTighterBoundsBeforeLogin) {
  EXPECT_EQ(ToText(ParseInPieces("*10\r\n$16384\r\n", {}, kUnauthenticated)), "");
  ExpectErrorForEverySplit("*11\r\n", "unauthenticated multibulk length", kUnauthenticated);
  ExpectErrorForEverySplit("*1048577\r\n", "unauthenticated multibulk length", kUnauthenticated);
  ExpectErrorForEverySplit("*2147483648\r\n", "invalid multibulk length", kUnauthenticated);
  ExpectErrorForEverySplit("*1\r\n$16385\r\n", "unauthenticated bulk length", kUnauthenticated);
  ExpectErrorForEverySplit("*1\r\n$536870913\r\n", "invalid bulk length", kUnauthenticated);
  ExpectForEverySplit(
      "*-1\r\nPING 1 2 3 4 5 6 7 8 9 10 11\r\n",
      {{{}, "", 5}, {{"PING", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"}, "", 35}},
      kUnauthenticated);
}

TEST(RequestParser, TakesChangedLimitsFromTheNextHeaderOn) {
  RequestParser parser;
  Limits limits;
  ASSERT_EQ(parser.Parse("*2\r\n$5\r\n", limits), ParseStatus::kNeedMore);
  limits.bulk_bytes_max = 4;
  ASSERT_EQ(parser.Parse("*2\r\n$5\r\nabcde\r\n", limits), ParseStatus::kNeedMore);
  ASSERT_EQ(parser.Parse("*2\r\n$5\r\nabcde\r\n$5\r\n", limits), ParseStatus::kError);
  EXPECT_EQ(parser.fault(), ParseFault::kInvalidBulkLength);
  parser.Reset();
  EXPECT_EQ(parser.fault(), ParseFault::kNone);
  EXPECT_EQ(parser.Parse("PING\n", limits), ParseStatus::kRequest);
}

TEST(RequestParser, SaysHowMuchTheArgumentUnderWayNeeds) {
  RequestParser parser;
  std::string bytes = "*2\r\n$3\r\nGET\r\n$100000\r\n";
  ASSERT_EQ(parser.Parse("*2\r\n$3\r\nGE", {}), ParseStatus::kNeedMore);
  EXPECT_EQ(parser.bulk_bytes_expected(), 3U);
  ASSERT_EQ(parser.Parse(bytes.substr(0, 15), {}), ParseStatus::kNeedMore);
  EXPECT_EQ(parser.bulk_bytes_expected(), 0U) << "inside the length line";
  ASSERT_EQ(parser.Parse(bytes, {}), ParseStatus::kNeedMore);
  EXPECT_EQ(parser.bulk_bytes_expected(), 100002U);
  bytes.append(100001, 'v');
  ASSERT_EQ(parser.Parse(bytes, {}), ParseStatus::kNeedMore);
  EXPECT_EQ(parser.bulk_bytes_expected(), 1U);
}

TEST(RequestParser, CountsBytesBeyond32Bits) {
  RequestParser parser;
  const Limits limits{.bulk_bytes_max = std::int64_t{1} << 40};
  ASSERT_EQ(parser.Parse("*1\r\n$4294967300\r\nPING\r\n", limits), ParseStatus::kNeedMore);
  EXPECT_EQ(parser.bulk_bytes_expected(), 4294967300U + 2 - 6);
}

TEST(RequestParser, ReservesNothingForAPromise) {
  RequestParser parser;
  ASSERT_EQ(parser.Parse("*1048576\r\n$536870912\r\n", {}), ParseStatus::kNeedMore);
  EXPECT_LE(parser.memory(), kArgsReservedMax * sizeof(ArgRange));
}

TEST(RequestParser, GivesTheMemoryOfAHugeRequestBack) {
  std::string bytes = "*100000\r\n";
  for (int i = 0; i < 100000; ++i) bytes += "$1\r\nx\r\n";
  RequestParser parser;
  ASSERT_EQ(parser.Parse(bytes, {}), ParseStatus::kRequest);
  EXPECT_EQ(parser.arg_count(), 100000U);
  EXPECT_GE(parser.memory(), 100000 * sizeof(ArgRange));
  parser.Reset();
  EXPECT_EQ(parser.memory(), 0U);
}

TEST(RequestParser, KeepsTheCapacityOfUsualRequests) {
  RequestParser parser;
  ASSERT_EQ(parser.Parse("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", {}), ParseStatus::kRequest);
  const std::size_t memory = parser.memory();
  EXPECT_GT(memory, 0U);
  parser.Reset();
  EXPECT_EQ(parser.memory(), memory);
  EXPECT_FALSE(parser.in_request());
  parser.Release();
  EXPECT_EQ(parser.memory(), 0U);
}

TEST(RequestParser, ArgumentsFollowBytesThatMove) {
  const std::string first = "*2\r\n$3\r\nGET\r\n$1\r\n";
  const std::string second = first + "k\r\n";
  RequestParser parser;
  ASSERT_EQ(parser.Parse(first, {}), ParseStatus::kNeedMore);
  ASSERT_EQ(parser.Parse(second, {}), ParseStatus::kRequest);
  const std::string moved = second;
  EXPECT_EQ(parser.argument(1, moved).data(), moved.data() + 17);
  EXPECT_EQ(parser.argument(1, moved), "k");
  EXPECT_FALSE(parser.arguments_decoded());
  EXPECT_FALSE(parser.is_inline());
}

TEST(RequestParser, SaysWhenArgumentsLiveInTheParser) {
  RequestParser parser;
  std::string bytes = "ECHO \"a\"\r\n";
  ASSERT_EQ(parser.Parse(bytes, {}), ParseStatus::kRequest);
  EXPECT_TRUE(parser.arguments_decoded());
  EXPECT_TRUE(parser.is_inline());
  const std::string_view argument = parser.argument(1, bytes);
  bytes.assign(bytes.size(), '!');
  EXPECT_EQ(argument, "a");
  parser.Reset();
  EXPECT_FALSE(parser.arguments_decoded());
}

TEST(RequestParser, TakesABigArgumentByteByByteInLinearTime) {
  constexpr std::size_t kSize = 4 * 1024 * 1024;
  const std::string bytes =
      "*1\r\n$" + std::to_string(kSize) + "\r\n" + std::string(kSize, 'v') + "\r\n";
  RequestParser parser;
  for (std::size_t end = 0; end < bytes.size(); ++end) {
    ASSERT_EQ(parser.Parse(std::string_view(bytes).substr(0, end), {}), ParseStatus::kNeedMore);
  }
  EXPECT_EQ(parser.Parse(bytes, {}), ParseStatus::kRequest);
}

// The property of the fuzz target on seeded streams: what comes out is what the rules say, and no
// split changes it.
TEST(RequestParser, AgreesWithTheOracleOnGeneratedStreams) {
  constexpr std::uint64_t kSeed = 20250101;
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  Random random(kSeed);
  RequestGenerator generator(random);
  int errors = 0;
  for (int i = 0; i < 3000; ++i) {
    const std::string stream = generator.Stream();
    Limits limits;
    limits.authenticated = random.Below(4) != 0;
    if (random.Below(4) == 0) limits.bulk_bytes_max = 5;
    if (random.Below(4) == 0) limits.args_max = 6;
    const std::string expected = ToText(RequestOracle(stream, limits).Outcomes());
    errors += expected.find("error: ") != std::string::npos ? 1 : 0;
    ASSERT_EQ(ToText(ParseInPieces(stream, {}, limits)), expected) << "stream " << i;
    std::vector<std::size_t> ends;
    for (std::size_t end = 0; end < stream.size(); end += 1 + random.Below(1 + stream.size() / 8)) {
      ends.push_back(end);
    }
    ASSERT_EQ(ToText(ParseInPieces(stream, ends, limits)), expected)
        << "stream " << i << " in pieces";
    if (stream.size() < 300) {
      ASSERT_EQ(ToText(ParseInPieces(stream, EveryByte(stream.size()), limits)), expected)
          << "stream " << i << " byte by byte";
    }
  }
  EXPECT_GT(errors, 250);
}

}  // namespace
}  // namespace aeris::protocol
