#include "tools/load_generator/request_tape.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace aeris::load {
namespace {

RequestTape Tape(const Options& options) { return {options, KeysOf(options)}; }

// All that a run sends, in batches of `pipeline`.
std::string All(const Options& options, std::size_t requests) {
  RequestTape tape = Tape(options);
  std::string sent;
  for (std::size_t taken = 0; taken < requests;) {
    const Batch batch = tape.Next(requests - taken);
    if (batch.requests == 0) break;
    sent += batch.bytes;
    taken += batch.requests;
  }
  return sent;
}

std::size_t CountOf(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(RequestTape, WritesKeysAsRedisBenchmarkDoes) {
  EXPECT_EQ(All({.workload = Workload::kGet, .keys = 1, .sequential = true}, 1),
            "*2\r\n$3\r\nGET\r\n$16\r\nkey:000000000000\r\n");
  EXPECT_EQ(All({.workload = Workload::kLoad, .keys = 1, .value = "abc"}, 1),
            "*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000000\r\n$3\r\nabc\r\n");
  EXPECT_EQ(All({.protocol = Protocol::kMemcached,
                 .workload = Workload::kLoad,
                 .keys = 1,
                 .value = "abc"},
                1),
            "set key:000000000000 0 0 3\r\nabc\r\n");
}

TEST(RequestTape, ATransactionIsSentWholeOrNotAtAll) {
  const Options options{.workload = Workload::kGet, .pipeline = 2, .keys = 1, .transaction = true};
  const std::string get = "*2\r\n$3\r\nGET\r\n$16\r\nkey:000000000000\r\n";
  RequestTape tape = Tape(options);
  for (int i = 0; i < 3; ++i) {
    const Batch batch = tape.Next(2);
    EXPECT_EQ(batch.bytes, "*1\r\n$5\r\nMULTI\r\n" + get + get + "*1\r\n$4\r\nEXEC\r\n");
    EXPECT_EQ(batch.requests, 2U);
    EXPECT_EQ(batch.replies, 4U);
  }
  EXPECT_EQ(tape.asked().requests, 6U);
  EXPECT_EQ(tape.asked().values, 6U);
  EXPECT_EQ(tape.asked().statuses, 9U);
  EXPECT_EQ(tape.Next(1).requests, 0U);
}

TEST(RequestTape, LoadNamesEachKeyOnce) {
  for (const std::size_t pipeline : {1U, 7U, 64U}) {
    const std::string sent = All(
        {.workload = Workload::kLoad, .pipeline = pipeline, .keys = 1001, .key_bytes = 9}, 5000);
    EXPECT_EQ(CountOf(sent, "SET"), 1001U);
    for (const int key : {0, 1, 9, 10, 63, 64, 999, 1000}) {
      const std::string digits = std::to_string(key);
      const std::string name = "key:" + std::string(5 - digits.size(), '0') + digits + "\r\n";
      EXPECT_EQ(CountOf(sent, name), 1U) << name;
    }
  }
}

TEST(RequestTape, HalvesAreTheWholeWithoutOverlap) {
  std::multiset<std::string> names;
  std::size_t first_half = 0;
  for (const int half : {0, 1}) {
    RequestTape tape = Tape({.workload = Workload::kDelete, .keys = 10'000, .half = half});
    for (Batch batch = tape.Next(1); batch.requests != 0; batch = tape.Next(1)) {
      names.insert(std::string(batch.bytes));
      if (half == 0) ++first_half;
    }
  }
  EXPECT_EQ(names.size(), 10'000U);
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), 10'000U);
  EXPECT_GT(first_half, 4'700U);
  EXPECT_LT(first_half, 5'300U);
}

TEST(RequestTape, MixesNineGetsWithOneSetAtEveryDepth) {
  for (const std::size_t pipeline : {1U, 16U, 64U}) {
    const Options options{.workload = Workload::kMixed, .pipeline = pipeline, .keys = 1000};
    const std::string sent = All(options, 10 * pipeline);
    EXPECT_EQ(CountOf(sent, "GET"), 9 * pipeline);
    EXPECT_EQ(CountOf(sent, "SET"), pipeline);
  }
}

TEST(RequestTape, WritesTheNumberOfOneKeyIntoEachRunOfHashes) {
  const std::string sent = All({.workload = Workload::kCommand,
                                .keys = 90,
                                .first = 10,
                                .command = "ZRANGE z ##0 ##9",
                                .sequential = true},
                               90);
  const std::string begin = "*4\r\n$6\r\nZRANGE\r\n$1\r\nz\r\n";
  EXPECT_TRUE(sent.starts_with(begin + "$3\r\n100\r\n$3\r\n109\r\n" + begin)) << sent;
  EXPECT_TRUE(sent.ends_with("$3\r\n990\r\n$3\r\n999\r\n")) << sent;
}

TEST(RequestTape, LoadsEachElementOnceByACommand) {
  for (const std::size_t pipeline : {1U, 7U}) {
    const std::string sent = All({.workload = Workload::kLoad,
                                  .pipeline = pipeline,
                                  .keys = 101,
                                  .command = "ZADD z ???? m:#####"},
                                 500);
    EXPECT_EQ(CountOf(sent, "*4\r\n$4\r\nZADD\r\n$1\r\nz\r\n$4\r\n0"), 101U);
    for (const char* member : {"m:00000\r\n", "m:00009\r\n", "m:00100\r\n"}) {
      EXPECT_EQ(CountOf(sent, std::string("\r\n$7\r\n") + member), 1U) << member;
    }
    // Scores are random below the number of keys: not one for all, not the member's number.
    EXPECT_LT(CountOf(sent, "$4\r\n0007\r\n"), 10U);
    EXPECT_LT(CountOf(sent, "$4\r\n0007\r\n$7\r\nm:00007\r\n") +
                  CountOf(sent, "$4\r\n0011\r\n$7\r\nm:00011\r\n") +
                  CountOf(sent, "$4\r\n0077\r\n$7\r\nm:00077\r\n"),
              3U);
  }
}

TEST(RequestTape, CountsWhatItAskedFor) {
  RequestTape tape = Tape({.workload = Workload::kMget, .pipeline = 4, .keys = 1000});
  EXPECT_EQ(tape.Next(3).requests, 3U);
  EXPECT_EQ(tape.asked().requests, 3U);
  EXPECT_EQ(tape.asked().values, 3 * kMgetKeys);
  EXPECT_EQ(tape.asked().statuses, 0U);
}

TEST(RequestTape, RandomKeysStayInRangeAndDiffer) {
  const std::string sent =
      All({.workload = Workload::kGet, .pipeline = 64, .keys = 10, .key_bytes = 5}, 1000);
  for (int key = 0; key < 10; ++key) {
    EXPECT_GT(CountOf(sent, "key:" + std::to_string(key) + "\r\n"), 50U) << key;
  }
}

}  // namespace
}  // namespace aeris::load
