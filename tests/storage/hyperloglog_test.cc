#include "storage/hyperloglog.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "storage/hyperloglog_self_test.h"
#include "storage/hyperloglog_sparse.h"
#include "tests/storage/hyperloglog_properties.h"

namespace aeris::storage::hyperloglog {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

std::string EmptyDense() {
  std::string value(kDenseBytes, 'x');
  WriteEmptyDense(value);
  return value;
}

// As PFADD of one element does it.
void Add(std::string& value, std::string_view element, std::uint64_t bytes_max = 3000) {
  const Observation observation = Observe(element);
  const bool raised =
      IsDense(value) ? RaiseDense(value, observation)
                     : SparseEditor(value, bytes_max).Raise(observation) == RaiseResult::kRaised;
  if (raised) Invalidate(value);
}

void Raise(Registers& registers, Observation observation) {
  std::uint8_t& rank = registers.ranks[observation.index];
  rank = std::max(rank, observation.rank);
}

Registers RegistersOf(std::string_view value) {
  Registers registers;
  EXPECT_TRUE(MergeInto(registers, value));
  return registers;
}

// Ranks as those of hashes, or all of them.
Observation RandomObservation(std::mt19937& random, bool any_rank) {
  const auto index = static_cast<std::uint32_t>(random() % kRegisters);
  const int rank = any_rank ? static_cast<int>(random() % kRankMax) + 1
                            : std::min(std::countr_zero(random() | 1U << 31) + 1, 32);
  return {index, static_cast<std::uint8_t>(rank)};
}

// --- What redis-server 7.0.15 has.

TEST(HyperLogLog, GivesTheBytesOfRedis) {
  std::string value = Empty();
  EXPECT_EQ(value, "HYLL\1\0\0\0\0\0\0\0\0\0\0\0\x7F\xFF"sv);
  for (const std::string_view element : {"1", "2", "3", "3"}) Add(value, element);
  EXPECT_EQ(value,
            "HYLL\1\0\0\0\0\0\0\0\0\0\0\x80]f\x80Mt\x80Q,\x8C"
            "C\xF3"sv);
  EXPECT_EQ(Count(value), 3);
}

TEST(HyperLogLog, HashesElementsOfEveryLengthAsRedis) {
  std::string value = Empty();
  for (const std::string_view element :
       {"", "a", "ab", "abc", "abcdefg", "abcdefgh", "abcdefghi"}) {
    Add(value, element);
  }
  EXPECT_EQ(DescribeSparse(value),
            "Z:719 v:1,1 Z:663 v:1,1 Z:4250 v:2,1 Z:303 v:2,1 Z:964 v:1,1 Z:2570 v:1,1 Z:3236 "
            "v:2,1 Z:3672");
}

TEST(HyperLogLog, CountsAsRedis) {
  std::string value = Empty();
  for (int i = 1; i <= 20000; ++i) {
    Add(value, "element:" + std::to_string(i));
    if (i == 1000) {
      EXPECT_FALSE(IsDense(value));
      EXPECT_EQ(Count(value), 997);
    }
  }
  EXPECT_TRUE(IsDense(value));
  EXPECT_EQ(Count(value), 19987);
}

TEST(HyperLogLog, CountsRegistersThatNobodyCountsUpTo) {
  const auto count_of = [](std::uint8_t rank) {
    Registers registers;
    registers.ranks.fill(rank);
    return Count(registers);
  };
  EXPECT_EQ(count_of(0), 0);
  EXPECT_EQ(count_of(1), 23637);
  EXPECT_EQ(count_of(33), 101520638258700);
  for (const int rank : {50, 51, 52, 63}) {
    EXPECT_EQ(count_of(static_cast<std::uint8_t>(rank)), std::numeric_limits<std::int64_t>::min());
  }
}

// --- The header.

TEST(HyperLogLog, IsKnownByItsHeader) {
  EXPECT_TRUE(IsHyperLogLog(Empty()));
  EXPECT_TRUE(IsHyperLogLog(EmptyDense()));
  EXPECT_TRUE(IsHyperLogLog(Empty().substr(0, kHeaderBytes)));
  EXPECT_FALSE(IsHyperLogLog(""));
  EXPECT_FALSE(IsHyperLogLog(Empty().substr(0, kHeaderBytes - 1)));
  EXPECT_FALSE(IsHyperLogLog(EmptyDense().substr(1)));
  EXPECT_FALSE(IsHyperLogLog(EmptyDense() + "x"));
  std::string value = Empty();
  value[4] = 2;
  EXPECT_FALSE(IsHyperLogLog(value));
  value = Empty();
  value[3] = 'l';
  EXPECT_FALSE(IsHyperLogLog(value));
}

TEST(HyperLogLog, KeepsACountUntilARegisterChanges) {
  std::string value = Empty();
  EXPECT_EQ(CachedCount(value), 0U);
  Add(value, "a");
  EXPECT_EQ(CachedCount(value), std::nullopt);
  StoreCount(value, 0x0102030405060708);
  EXPECT_EQ(CachedCount(value), 0x0102030405060708U);
  EXPECT_EQ(value.substr(8, 8), "\x08\x07\x06\x05\x04\x03\x02\x01");
  Add(value, "a");
  EXPECT_EQ(CachedCount(value), 0x0102030405060708U);
  Add(value, "b");
  EXPECT_EQ(CachedCount(value), std::nullopt);
}

TEST(HyperLogLog, KeepsItsHeaderWhenItBecomesDense) {
  std::string value = Empty();
  value.replace(5, 3, "abc");
  StoreCount(value, 77);
  ASSERT_TRUE(MakeDense(value));
  EXPECT_EQ(value.substr(0, kHeaderBytes), "HYLL\0abc\x4D\0\0\0\0\0\0\0"sv);
}

// --- Both encodings.

TEST(HyperLogLog, HasTheSameRegistersInBothEncodings) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (const std::uint64_t bytes_max :
       {std::uint64_t{0}, std::uint64_t{18}, std::uint64_t{100}, std::uint64_t{3000}, kNoLimit}) {
    SCOPED_TRACE(bytes_max);
    std::string value = Empty();
    std::string dense = EmptyDense();
    Registers model;
    for (int i = 0; i < 2000; ++i) {
      const Observation observation = RandomObservation(random, i == 1990);
      CheckRaise(value, observation, bytes_max);
      if (IsDense(value)) RaiseDense(value, observation);
      RaiseDense(dense, observation);
      Raise(model, observation);
      if (i % 500 == 499) {
        CheckReaders(value);
        ASSERT_EQ(RegistersOf(value).ranks, model.ranks);
        ASSERT_EQ(RegistersOf(dense).ranks, model.ranks);
        ASSERT_EQ(Count(value), Count(dense));
      }
    }
    const bool high = std::ranges::any_of(model.ranks, [](int rank) { return rank > 32; });
    ASSERT_EQ(IsDense(value), high || bytes_max != kNoLimit);
  }
}

TEST(HyperLogLog, BecomesDenseAtARankThatTheSparseEncodingCannotSay) {
  std::string value = Empty();
  EXPECT_EQ(SparseEditor(value, kNoLimit).Raise({5, 32}), RaiseResult::kRaised);
  EXPECT_FALSE(IsDense(value));
  EXPECT_EQ(SparseEditor(value, kNoLimit).Raise({6, 33}), RaiseResult::kRaised);
  ASSERT_TRUE(IsDense(value));
  EXPECT_EQ(DenseRank(value, 5), 32);
  EXPECT_EQ(DenseRank(value, 6), 33);
}

TEST(HyperLogLog, NeverGrowsBeyondItsLimitWhileSparse) {
  std::string value = Empty();
  std::size_t largest = 0;
  for (int i = 0; !IsDense(value); ++i) {
    Add(value, std::to_string(i), 1000);
    if (!IsDense(value)) largest = std::max(largest, value.size());
  }
  EXPECT_LE(largest, 1000U);
  EXPECT_GE(largest, 998U);
}

TEST(HyperLogLog, JoinsEqualNeighboursToRunsOfFour) {
  std::string value = Empty();
  for (std::uint32_t index = 100; index < 109; ++index) {
    SparseEditor(value, kNoLimit).Raise({index, 3});
  }
  EXPECT_EQ(DescribeSparse(value), "Z:100 v:3,4 v:3,4 v:3,1 Z:16275");
}

// All registers in their order, without walking from the start for each.
TEST(HyperLogLog, RaisesAllRegistersAsOneByOne) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 24; ++round) {
    SCOPED_TRACE(round);
    std::string together = Empty();
    Registers registers;
    // Few ranks next to each other, so that runs are split and joined all the time.
    const std::uint32_t spread = round % 3 == 0 ? 300 : kRegisters;
    const std::size_t ranks = random() % 5 + 1;
    const auto some = [&] {
      return Observation{static_cast<std::uint32_t>(random() % spread),
                         static_cast<std::uint8_t>(random() % ranks + 1)};
    };
    for (int i = 0; i < 300; ++i) SparseEditor(together, kNoLimit).Raise(some());
    for (int i = 0; i < 300; ++i) Raise(registers, some());
    const std::uint64_t bytes_max = round % 4 == 0 ? together.size() + 50 : kNoLimit;
    std::string one_by_one = together;
    bool dense = false;
    for (std::uint32_t index = 0; index < kRegisters; ++index) {
      const Observation observation{index, registers.ranks[index]};
      if (observation.rank == 0) continue;
      if (dense) {
        RaiseDense(one_by_one, observation);
      } else {
        SparseEditor(one_by_one, bytes_max).Raise(observation);
      }
      dense = IsDense(one_by_one);
    }
    ASSERT_TRUE(SparseEditor(together, bytes_max).RaiseAll(registers));
    ASSERT_EQ(together, one_by_one);
  }
}

TEST(HyperLogLog, MergesToWhatOneValueWouldHaveSeen) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  std::string all = Empty();
  Registers merged;
  for (const int elements : {0, 10, 500, 5000, 50000}) {
    std::string value = Empty();
    for (int i = 0; i < elements; ++i) {
      const std::string element = std::to_string(random() % 1000000);
      Add(value, element);
      Add(all, element);
    }
    ASSERT_TRUE(MergeInto(merged, value));
  }
  EXPECT_EQ(merged.ranks, RegistersOf(all).ranks);
  EXPECT_EQ(Count(merged), Count(all));
  std::string stored = EmptyDense();
  StoreDense(stored, merged);
  EXPECT_EQ(RegistersOf(stored).ranks, merged.ranks);
}

TEST(HyperLogLog, IsWithinThreeHundredths) {
  std::string value = Empty();
  int next = 10;
  for (int i = 1; i <= 1000000; ++i) {
    Add(value, "visitor " + std::to_string(i));
    if (i != next) continue;
    const auto count = Count(value);
    ASSERT_TRUE(count.has_value());
    EXPECT_LE(std::abs(static_cast<double>(*count) - i), 0.03 * i) << i;
    next += next / 3;
  }
}

TEST(HyperLogLog, PassesItsOwnTest) { EXPECT_EQ(SelfTest(), std::nullopt); }

// --- Values that clients have damaged.

TEST(HyperLogLog, FindsRunsThatDoNotCoverTheRegisters) {
  const std::string header = Empty().substr(0, kHeaderBytes);
  for (const std::string_view opcodes :
       {""sv, "\x7F"sv, "\x7F\xFE"sv, "\x7F\xFF\x7F\xFF"sv, "\x7F\xFF\x80"sv, "\x5F\xFF\x7F\xFF"sv,
        "\x7F\xFF\0"sv, "\x7E\xFF\x40"sv}) {
    std::string value = header + std::string(opcodes);
    SCOPED_TRACE(testing::PrintToString(opcodes));
    CheckReaders(value);
    EXPECT_EQ(Count(value), std::nullopt);
    // What has to become dense is read to its end.
    EXPECT_EQ(SparseEditor(value, 0).Raise({0, 33}), RaiseResult::kCorrupted);
    EXPECT_EQ(value, header + std::string(opcodes));
  }
  // Redundant but complete.
  EXPECT_EQ(Count(header + std::string("\x40\x00\x7F\xFE"sv)), 0);
}

TEST(HyperLogLog, StopsAtTheEndOfRunsThatAreTooShort) {
  std::string value = Empty().substr(0, kHeaderBytes) + "\x05\x7F";
  EXPECT_EQ(SparseEditor(value, kNoLimit).Raise({6, 1}), RaiseResult::kCorrupted);
  EXPECT_EQ(SparseEditor(value, kNoLimit).Raise({16383, 1}), RaiseResult::kCorrupted);
  EXPECT_EQ(SparseEditor(value, kNoLimit).Raise({5, 1}), RaiseResult::kRaised);
  // PFDEBUG DECODE, which only shows what is there, takes the missing byte for 0 as Redis does.
  EXPECT_EQ(DescribeSparse(value), "z:5 v:1,1 Z:16129");
  Registers registers;
  registers.ranks[100] = 1;
  EXPECT_FALSE(SparseEditor(value, kNoLimit).RaiseAll(registers));
}

TEST(HyperLogLog, SurvivesDamage) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 100; ++round) {
    std::string value = Empty();
    const std::size_t elements = random() % 300;
    for (std::size_t i = 0; i < elements; ++i) Add(value, std::to_string(random()));
    for (std::size_t damages = random() % 4; damages > 0; --damages) {
      const std::size_t at = kHeaderBytes + random() % (value.size() - kHeaderBytes);
      const auto byte = static_cast<char>(random());
      switch (random() % 4) {
        case 0:
          value[at] = byte;
          break;
        case 1:
          value.erase(at, random() % 3 + 1);
          break;
        case 2:
          value.insert(at, 1, byte);
          break;
        default:
          value.resize(at + 1);
          break;
      }
      if (value.size() == kHeaderBytes) break;
    }
    CheckReaders(value);
    for (int i = 0; i < 20; ++i) {
      CheckRaise(value, RandomObservation(random, random() % 200 == 0), random() % 4000);
      CheckReaders(value);
    }
  }
}

}  // namespace
}  // namespace aeris::storage::hyperloglog
