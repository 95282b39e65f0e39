#include "src/memory_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aeris {
namespace {

using testing::HasSubstr;

constexpr std::size_t kMegabyte = std::size_t{1} << 20;

MemoryReport Healthy() {
  MemoryReport report;
  report.startup = kMegabyte;
  report.used = 101 * kMegabyte;
  report.peak = 110 * kMegabyte;
  report.resident = 112 * kMegabyte;
  report.tables = 10 * kMegabyte;
  report.clients = 1000;
  report.keys = 1000000;
  report.allocator = {.allocated = report.used,
                      .active = 104 * kMegabyte,
                      .resident = 108 * kMegabyte,
                      .retained = 0};
  return report;
}

TEST(MemoryReport, DividesUseIntoOverheadAndDataset) {
  const MemoryReport report = Healthy();
  EXPECT_EQ(report.overhead(), 11 * kMegabyte + 1000);
  EXPECT_EQ(report.overhead() + report.dataset(), report.used);
  EXPECT_EQ(report.net(), 100 * kMegabyte);
}

TEST(MemoryReport, OfNothingHasNoRatios) {
  const MemoryReport report;
  EXPECT_EQ(report.dataset_percent(), 0);
  EXPECT_EQ(report.peak_percent(), 0);
  EXPECT_EQ(report.fragmentation(), 0);
  EXPECT_EQ(report.dataset(), 0U);
}

TEST(MemoryReport, DifferencesMayBeNegative) {
  MemoryReport report = Healthy();
  report.resident = report.used - 5;  // swapped out
  EXPECT_EQ(report.fragmentation_bytes(), -5);
}

TEST(MemoryAdvice, FindsNothingInAHealthyServer) {
  EXPECT_THAT(MemoryAdvice({.memory = Healthy(), .client_count = 10}),
              HasSubstr("nothing about the memory"));
}

TEST(MemoryAdvice, DoesNotJudgeAnEmptyServer) {
  MemoryReport report = Healthy();
  report.used = 2 * kMegabyte;
  EXPECT_THAT(MemoryAdvice({.memory = report, .client_count = 1}), HasSubstr("next to no data"));
}

TEST(MemoryAdvice, NamesEachThingThatIsUnusual) {
  MemoryReport report = Healthy();
  report.peak = 2 * report.used;
  report.resident = 2 * report.used;
  report.allocator.active = report.used + 20 * kMegabyte;
  report.allocator.resident = report.allocator.active + 20 * kMegabyte;
  report.clients = 5 * kMegabyte;
  const std::string advice = MemoryAdvice({.memory = report, .client_count = 10});
  EXPECT_THAT(advice, HasSubstr("Peak memory"));
  EXPECT_THAT(advice, HasSubstr("High total RSS"));
  EXPECT_THAT(advice, HasSubstr("High allocator fragmentation"));
  EXPECT_THAT(advice, HasSubstr("High allocator RSS overhead"));
  EXPECT_THAT(advice, HasSubstr("High process RSS overhead"));
  EXPECT_THAT(advice, HasSubstr("Big client buffers"));
}

}  // namespace
}  // namespace aeris
