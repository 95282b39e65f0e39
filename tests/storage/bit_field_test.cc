#include "storage/bit_field.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>

namespace aeris::storage {
namespace {

constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr BitFieldType kI8{.is_signed = true, .bits = 8};
constexpr BitFieldType kU8{.is_signed = false, .bits = 8};
constexpr BitFieldType kI64{.is_signed = true, .bits = 64};
constexpr BitFieldType kU63{.is_signed = false, .bits = 63};

std::int64_t Added(std::int64_t old, std::int64_t by, BitFieldType type,
                   BitFieldOverflow overflow) {
  return AddToField(old, by, type, overflow).value;
}

TEST(BitField, ReadsWhatItWroteForEveryTypeAndItsLimits) {
  for (int bits = 1; bits <= 64; ++bits) {
    for (const bool is_signed : {true, false}) {
      if (!is_signed && bits == 64) continue;
      const BitFieldType type{is_signed, bits};
      const std::int64_t max = is_signed ? kMax >> (64 - bits) : kMax >> (63 - bits);
      const std::int64_t min = is_signed ? -max - 1 : 0;
      for (const std::int64_t value : {min, std::int64_t{0}, max}) {
        std::string text(9, '\x5A');
        WriteField(text, 5, type, value);
        EXPECT_EQ(ReadField(text, 5, type), value) << (is_signed ? 'i' : 'u') << bits;
        EXPECT_FALSE(FitField(value, type, BitFieldOverflow::kFail).overflowed);
      }
      EXPECT_EQ(AddToField(max, 1, type, BitFieldOverflow::kWrap).value, min);
      EXPECT_EQ(AddToField(min, -1, type, BitFieldOverflow::kWrap).value, max);
      EXPECT_EQ(AddToField(max, 1, type, BitFieldOverflow::kSaturate).value, max);
      EXPECT_EQ(AddToField(min, -1, type, BitFieldOverflow::kSaturate).value, min);
      EXPECT_TRUE(AddToField(max, 1, type, BitFieldOverflow::kFail).overflowed);
      EXPECT_TRUE(AddToField(min, -1, type, BitFieldOverflow::kFail).overflowed);
    }
  }
}

TEST(BitField, AddsEveryPairOfSmallValues) {
  for (std::int64_t old = -128; old <= 127; ++old) {
    for (std::int64_t by = -600; by <= 600; ++by) {
      const std::int64_t sum = old + by;
      const bool fits = sum >= -128 && sum <= 127;
      ASSERT_EQ(AddToField(old, by, kI8, BitFieldOverflow::kFail).overflowed, !fits);
      ASSERT_EQ(Added(old, by, kI8, BitFieldOverflow::kWrap), static_cast<signed char>(sum));
      ASSERT_EQ(Added(old, by, kI8, BitFieldOverflow::kSaturate),
                std::clamp<std::int64_t>(sum, -128, 127));
    }
  }
}

TEST(BitField, AddsBeyondTheRangeOfInt64) {
  EXPECT_EQ(Added(kMax, kMax, kI64, BitFieldOverflow::kWrap), -2);
  EXPECT_EQ(Added(kMax, kMax, kI64, BitFieldOverflow::kSaturate), kMax);
  EXPECT_EQ(Added(kMin, kMin, kI64, BitFieldOverflow::kWrap), 0);
  EXPECT_EQ(Added(kMin, kMin, kI64, BitFieldOverflow::kSaturate), kMin);
  EXPECT_EQ(Added(kMax, kMax, kU63, BitFieldOverflow::kWrap), kMax - 1);
  EXPECT_EQ(Added(0, kMin, kU63, BitFieldOverflow::kSaturate), 0);
  EXPECT_EQ(Added(-100, kMin, kI8, BitFieldOverflow::kSaturate), -128);
  EXPECT_EQ(Added(100, kMax, kI8, BitFieldOverflow::kSaturate), 127);
}

TEST(BitField, FitsNewValuesAsRedisDoes) {
  const auto saturated = [](std::int64_t value, BitFieldType type) {
    return FitField(value, type, BitFieldOverflow::kSaturate).value;
  };
  EXPECT_EQ(saturated(1000, kI8), 127);
  EXPECT_EQ(saturated(-1000, kI8), -128);
  EXPECT_EQ(saturated(kMax, kI8), 127);
  EXPECT_EQ(saturated(-1, kU8), 255);
  EXPECT_EQ(saturated(kMin, kI64), kMin);
  // 2^63 - 1 below the maximum saturates downwards still, one less does not.
  EXPECT_EQ(saturated(127 - kMax, kI8), -128);
  EXPECT_EQ(saturated(127 - kMax - 1, kI8), 127);
  EXPECT_EQ(FitField(-1, kU8, BitFieldOverflow::kWrap).value, 255);
  EXPECT_EQ(FitField(511, kI8, BitFieldOverflow::kWrap).value, -1);
}

}  // namespace
}  // namespace aeris::storage
