#include "src/base/histogram_sum.h"

#include <gtest/gtest.h>

namespace aeris {
namespace {

TEST(HistogramSum, AddsHistograms) {
  LatencyHistogram one, other, empty;
  for (int i = 0; i < 90; ++i) one.Record(10);
  for (int i = 0; i < 10; ++i) other.Record(200);
  HistogramSum sum;
  EXPECT_EQ(sum.ValueAt(50), 0);
  sum.Add(one);
  sum.Add(other);
  sum.Add(empty);
  EXPECT_EQ(sum.count(), 100U);
  EXPECT_EQ(sum.ValueAt(90), 10);
  EXPECT_EQ(sum.ValueAt(91), 200);
  EXPECT_EQ(sum.ValueAt(100), 200);
}

TEST(HistogramSum, TellsWhatWasAddedSince) {
  LatencyHistogram histogram;
  for (int i = 0; i < 1000; ++i) histogram.Record(5);
  HistogramSum before;
  before.Add(histogram);
  histogram.Record(77);
  HistogramSum now;
  now.Add(histogram);
  EXPECT_EQ(now.Since(before).count(), 1U);
  EXPECT_EQ(now.Since(before).ValueAt(50), 77);
  EXPECT_EQ(now.Since(now).count(), 0U);
}

TEST(HistogramSum, BeginsAgainAfterAReset) {
  LatencyHistogram histogram;
  for (int i = 0; i < 10; ++i) histogram.Record(5);
  HistogramSum before;
  before.Add(histogram);
  histogram.Reset();
  histogram.Record(5);
  histogram.Record(6);
  HistogramSum now;
  now.Add(histogram);
  EXPECT_EQ(now.Since(before).count(), 2U);
}

}  // namespace
}  // namespace aeris
