#include "src/deadline_argument.h"

#include <gtest/gtest.h>

#include <limits>

namespace aeris {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
constexpr UnixMs kNow = 1'700'000'000'000;
constexpr DeadlineUnit kSeconds{.seconds = true, .absolute = false};
constexpr DeadlineUnit kMilliseconds{.seconds = false, .absolute = false};
constexpr DeadlineUnit kUnixSeconds{.seconds = true, .absolute = true};
constexpr DeadlineUnit kUnixMilliseconds{.seconds = false, .absolute = true};

TEST(DeadlineFrom, CountsFromNowOrFrom1970) {
  EXPECT_EQ(DeadlineFrom(10, kSeconds, kNow), kNow + 10'000);
  EXPECT_EQ(DeadlineFrom(10, kMilliseconds, kNow), kNow + 10);
  EXPECT_EQ(DeadlineFrom(10, kUnixSeconds, kNow), 10'000);
  EXPECT_EQ(DeadlineFrom(10, kUnixMilliseconds, kNow), 10);
  EXPECT_EQ(DeadlineFrom(-10, kSeconds, kNow), kNow - 10'000);
}

TEST(DeadlineFrom, RefusesWhatDoesNotFitAndTakesWhatJustDoes) {
  EXPECT_EQ(DeadlineFrom(kMax, kUnixMilliseconds, kNow), kMax);
  EXPECT_EQ(DeadlineFrom(kMin, kUnixMilliseconds, kNow), kMin);
  EXPECT_EQ(DeadlineFrom(kMax - kNow, kMilliseconds, kNow), kMax);
  EXPECT_EQ(DeadlineFrom(kMax - kNow + 1, kMilliseconds, kNow), std::nullopt);
  EXPECT_EQ(DeadlineFrom(kMax / 1000, kUnixSeconds, kNow), kMax / 1000 * 1000);
  EXPECT_EQ(DeadlineFrom(kMax / 1000 + 1, kUnixSeconds, kNow), std::nullopt);
  EXPECT_EQ(DeadlineFrom(kMin / 1000, kUnixSeconds, kNow), kMin / 1000 * 1000);
  EXPECT_EQ(DeadlineFrom(kMin / 1000 - 1, kUnixSeconds, kNow), std::nullopt);
  // The product fits and the sum does not.
  EXPECT_EQ(DeadlineFrom(kMax / 1000, kSeconds, kNow), std::nullopt);
  EXPECT_EQ(DeadlineFrom((kMax - kNow) / 1000, kSeconds, kNow), (kMax - kNow) / 1000 * 1000 + kNow);
  EXPECT_EQ(DeadlineFrom(kMin, kMilliseconds, kNow), kMin + kNow);
}

}  // namespace
}  // namespace aeris
