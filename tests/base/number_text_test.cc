#include "src/base/number_text.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "src/base/random.h"

namespace aeris {
namespace {

constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

std::string Int64Text(std::int64_t value) {
  std::array<char, kInt64TextMax> text;
  return {text.data(), FormatInt64(text.data(), value)};
}

std::string DoubleText(double value) {
  std::array<char, kDoubleTextMax> text;
  return {text.data(), FormatDouble(text.data(), value)};
}

std::string HumanText(long double value) {
  std::string text(kLongDoubleTextMax, '\0');
  text.resize(FormatLongDoubleHuman(text.data(), value));
  return text;
}

TEST(ParseInt64, TakesTheWholeRange) {
  EXPECT_EQ(ParseInt64("0"), 0);
  EXPECT_EQ(ParseInt64("-1"), -1);
  EXPECT_EQ(ParseInt64("9"), 9);
  EXPECT_EQ(ParseInt64("1234567890"), 1234567890);
  EXPECT_EQ(ParseInt64("9223372036854775807"), kMax);
  EXPECT_EQ(ParseInt64("-9223372036854775808"), kMin);
}

TEST(ParseInt64, RefusesEverySpellingButOne) {
  for (const std::string_view text : {"",
                                      "-",
                                      "+1",
                                      "-0",
                                      "00",
                                      "01",
                                      "-01",
                                      " 1",
                                      "1 ",
                                      "1\n",
                                      "1.0",
                                      "1e3",
                                      "0x10",
                                      "a",
                                      "1a",
                                      "--1",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "18446744073709551616",
                                      "18446744073709551617",
                                      "99999999999999999999",
                                      "100000000000000000000"}) {
    EXPECT_EQ(ParseInt64(text), std::nullopt) << text;
  }
  EXPECT_EQ(ParseInt64(std::string_view("1\0", 2)), std::nullopt);
}

TEST(ParseUint64, TakesTheWholeRangeWithoutSign) {
  EXPECT_EQ(ParseUint64("0"), 0U);
  EXPECT_EQ(ParseUint64("18446744073709551615"), std::numeric_limits<std::uint64_t>::max());
  for (const std::string_view text : {"", "-1", "-0", "+1", "01", "18446744073709551616",
                                      "28446744073709551615", "184467440737095516150"}) {
    EXPECT_EQ(ParseUint64(text), std::nullopt) << text;
  }
}

TEST(FormatInt64, GivesWhatParseInt64Reads) {
  EXPECT_EQ(Int64Text(0), "0");
  EXPECT_EQ(Int64Text(-7), "-7");
  EXPECT_EQ(Int64Text(kMin), "-9223372036854775808");
  EXPECT_EQ(Int64Text(kMax), "9223372036854775807");
  constexpr std::uint64_t kSeed = 20240901;
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  Random random(kSeed);
  for (int i = 0; i < 20000; ++i) {
    // Every number of digits, both signs.
    const auto value = static_cast<std::int64_t>(random.Next() >> random.Below(64));
    for (const std::int64_t signed_value :
         {value, static_cast<std::int64_t>(0 - static_cast<std::uint64_t>(value))}) {
      ASSERT_EQ(Int64Text(signed_value), std::to_string(signed_value));
      ASSERT_EQ(ParseInt64(Int64Text(signed_value)), signed_value);
    }
  }
}

TEST(FormatInt64, GivesEveryPowerOfTenAndItsNeighbours) {
  for (std::uint64_t power = 1; power <= 1000000000000000000U; power *= 10) {
    for (const std::uint64_t value : {power - 1, power, power + 1}) {
      std::array<char, kInt64TextMax> text;
      EXPECT_EQ(std::string(text.data(), FormatUint64(text.data(), value)), std::to_string(value));
    }
  }
  std::array<char, kInt64TextMax> text;
  EXPECT_EQ(std::string(text.data(), FormatUint64(text.data(), ~std::uint64_t{0})),
            "18446744073709551615");
}

TEST(ParseDouble, TakesWhatStrtodTakes) {
  EXPECT_EQ(ParseDouble("1"), 1.0);
  EXPECT_EQ(ParseDouble("01"), 1.0);
  EXPECT_EQ(ParseDouble("+1"), 1.0);
  EXPECT_EQ(ParseDouble("-1.5e3"), -1500.0);
  EXPECT_EQ(ParseDouble(".5"), 0.5);
  EXPECT_EQ(ParseDouble("-.5"), -0.5);
  EXPECT_EQ(ParseDouble("5."), 5.0);
  EXPECT_EQ(ParseDouble("0x1p3"), 8.0);
  EXPECT_EQ(ParseDouble("0x10"), 16.0);
  EXPECT_EQ(ParseDouble("-0X1.8"), -1.5);
  EXPECT_EQ(ParseDouble("inf"), std::numeric_limits<double>::infinity());
  EXPECT_EQ(ParseDouble("+InF"), std::numeric_limits<double>::infinity());
  EXPECT_EQ(ParseDouble("-infinity"), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(ParseDouble("1.7976931348623157e308"), std::numeric_limits<double>::max());
  EXPECT_EQ(ParseDouble("4.9406564584124654e-324"), std::numeric_limits<double>::denorm_min());
  EXPECT_EQ(ParseDouble("1" + std::string(300, '0')), 1e300);
  EXPECT_EQ(ParseDouble(std::string(10000, '0') + "1"), 1.0);
  ASSERT_TRUE(ParseDouble("-0").has_value());
  EXPECT_TRUE(std::signbit(*ParseDouble("-0")));
}

TEST(ParseDouble, RefusesWhatIsNoNumberOrOutOfRange) {
  for (const std::string_view text :
       {"",      " 1",     "\t1",    "\n1",  "\v1",     "1 ",  "1\n", "1x",   "abc",    "-",
        "+",     ".",      "e5",     "1e",   "1e+",     "0x",  "nan", "-nan", "nan(1)", "NaN",
        "1e400", "-1e400", "1e-400", "infx", "infinit", "--1", "+-1", "1,5",  "1_0"}) {
    EXPECT_EQ(ParseDouble(text), std::nullopt) << text;
  }
  EXPECT_EQ(ParseDouble(std::string_view("1\0", 2)), std::nullopt);
  EXPECT_EQ(ParseDouble("1" + std::string(310, '0')), std::nullopt);
}

TEST(ParseDouble, AgreesWithStrtodOnRandomText) {
  constexpr std::uint64_t kSeed = 7;
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  constexpr std::string_view kAlphabet = "0123456789012345678901.-+eEx ainf";
  Random random(kSeed);
  int accepted = 0;
  for (int i = 0; i < 100000; ++i) {
    std::string text;
    for (std::uint64_t n = 1 + random.Below(8); n > 0; --n)
      text += kAlphabet[random.Below(kAlphabet.size())];
    char* end = nullptr;
    errno = 0;
    const double value = std::strtod(text.c_str(), &end);
    const bool vanished = errno == ERANGE && (std::isinf(value) || value == 0);
    const bool expected =
        text[0] != ' ' && end == text.c_str() + text.size() && !std::isnan(value) && !vanished;
    const std::optional<double> parsed = ParseDouble(text);
    ASSERT_EQ(parsed.has_value(), expected) << text;
    if (expected) {
      ++accepted;
      ASSERT_EQ(std::memcmp(&*parsed, &value, sizeof value), 0) << text;
    }
  }
  EXPECT_GT(accepted, 10000);
}

TEST(FormatDouble, PrintsSeventeenDigits) {
  EXPECT_EQ(DoubleText(0), "0");
  EXPECT_EQ(DoubleText(-0.0), "-0");
  EXPECT_EQ(DoubleText(3), "3");
  EXPECT_EQ(DoubleText(0.1), "0.10000000000000001");
  EXPECT_EQ(DoubleText(3.14), "3.1400000000000001");
  EXPECT_EQ(DoubleText(1e17), "1e+17");
  EXPECT_EQ(DoubleText(1e16), "10000000000000000");
  EXPECT_EQ(DoubleText(1e-5), "1.0000000000000001e-05");
  EXPECT_EQ(DoubleText(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(DoubleText(-std::numeric_limits<double>::infinity()), "-inf");
  EXPECT_EQ(DoubleText(std::numeric_limits<double>::quiet_NaN()), "nan");
  EXPECT_EQ(DoubleText(-std::numeric_limits<double>::quiet_NaN()), "nan");
}

TEST(FormatDouble, AgreesWithPrintfAndReadsBackTheSame) {
  constexpr std::uint64_t kSeed = 99;
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  Random random(kSeed);
  for (int i = 0; i < 50000; ++i) {
    const std::uint64_t bits = random.Next();
    double value;
    std::memcpy(&value, &bits, sizeof value);
    if (i % 2 == 0)
      value = static_cast<double>(static_cast<std::int64_t>(bits >> random.Below(64))) / 1000;
    if (!std::isfinite(value)) continue;
    std::array<char, 64> printed;
    std::snprintf(printed.data(), printed.size(), "%.17g", value);
    ASSERT_EQ(DoubleText(value), printed.data());
    ASSERT_EQ(ParseDouble(DoubleText(value)), value);
  }
}

TEST(ParseLongDouble, KeepsMoreDigitsThanADouble) {
  EXPECT_EQ(ParseLongDouble("3.0e3"), 3000.0L);
  EXPECT_EQ(ParseLongDouble("0x10"), 16.0L);
  EXPECT_EQ(ParseLongDouble("17179869184.3"), 17179869184.3L);
  EXPECT_EQ(ParseLongDouble("1e400"), 1e400L);
  EXPECT_EQ(ParseLongDouble("inf"), std::numeric_limits<long double>::infinity());
  for (const std::string_view text : {"", " 1", "1 ", "nan", "1e5000", "1e-5000", "abc"}) {
    EXPECT_EQ(ParseLongDouble(text), std::nullopt) << text;
  }
  EXPECT_EQ(ParseLongDouble(std::string(kLongDoubleTextMax - 1, '1').replace(1, 1, ".")),
            ParseLongDouble("1.1111111111111111111111111"));
  EXPECT_EQ(ParseLongDouble(std::string(kLongDoubleTextMax, '0')), std::nullopt);
}

TEST(FormatLongDoubleHuman, TrimsZerosAndDot) {
  EXPECT_EQ(HumanText(3), "3");
  EXPECT_EQ(HumanText(10), "10");
  EXPECT_EQ(HumanText(0), "0");
  EXPECT_EQ(HumanText(-0.0L), "0");
  EXPECT_EQ(HumanText(-1e-30L), "0");
  EXPECT_EQ(HumanText(0.1L), "0.1");
  EXPECT_EQ(HumanText(-2.5L), "-2.5");
  EXPECT_EQ(HumanText(10.5L + 0.1L), "10.6");
  EXPECT_EQ(HumanText(5.0e3L + 2.0e2L), "5200");
  EXPECT_EQ(HumanText(1e300L).size(), 301U);
  EXPECT_EQ(HumanText(std::numeric_limits<long double>::max()).size(), 4933U);
}

}  // namespace
}  // namespace aeris
