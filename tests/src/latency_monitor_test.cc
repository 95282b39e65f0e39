#include "src/latency_monitor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "src/latency_doctor.h"
#include "src/latency_graph.h"

namespace aeris {
namespace {

TEST(LatencyMonitor, KeepsTheLargerOfTwoSamplesOfOneSecond) {
  LatencyMonitor latency;
  latency.Add("command", 100, 20);
  latency.Add("command", 100, 50);
  latency.Add("command", 100, 30);
  latency.Add("command", 101, 10);
  const LatencyMonitor::Series* const series = latency.Find("command");
  ASSERT_NE(series, nullptr);
  const auto samples = series->OldestFirst();
  ASSERT_EQ(samples.size(), 2U);
  EXPECT_EQ(samples[0].milliseconds, 50);
  EXPECT_EQ(samples[1].milliseconds, 10);
  EXPECT_EQ(series->latest().unix_seconds, 101);
  EXPECT_EQ(series->max_ms, 50);
}

TEST(LatencyMonitor, KeepsTheLatestSamplesAndTheWorstOfAllTime) {
  LatencyMonitor latency;
  for (int i = 1; i <= 500; ++i) latency.Add("command", i, 1000 - i);
  const LatencyMonitor::Series& series = *latency.Find("command");
  const auto samples = series.OldestFirst();
  ASSERT_EQ(samples.size(), LatencyMonitor::kSamples);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    EXPECT_EQ(samples[i].unix_seconds, static_cast<std::int64_t>(341 + i));
  }
  EXPECT_EQ(series.max_ms, 999);
}

TEST(LatencyMonitor, ResetsOneEventOrAll) {
  LatencyMonitor latency;
  latency.Add("a", 1, 1);
  latency.Add("b", 1, 1);
  latency.Add("c", 1, 1);
  EXPECT_EQ(latency.Reset("b"), 1U);
  EXPECT_EQ(latency.Reset("b"), 0U);
  EXPECT_EQ(latency.Reset(""), 0U);
  EXPECT_EQ(latency.Find("b"), nullptr);
  EXPECT_EQ(latency.ResetAll(), 2U);
  EXPECT_TRUE(latency.events().empty());
}

// redis-server 7.0.15's picture of one DEBUG SLEEP.
TEST(LatencyGraph, DrawsOneSampleAtTheFloor) {
  LatencyMonitor latency;
  latency.Add("command", 1000, 20);
  EXPECT_EQ(DrawLatencyGraph("command", *latency.Find("command"), 1000),
            "command - high 20 ms, low 20 ms (all time high 20 ms)\n" + std::string(80, '-') +
                "\n \n \n \n_\n \n0\ns\n");
}

TEST(LatencyGraph, DrawsHeightsBetweenTheLowestAndTheHighest) {
  LatencyMonitor latency;
  latency.Add("x", 1000 - 7200, 100);
  latency.Add("x", 1000 - 125, 200);
  latency.Add("x", 1000 - 12, 300);
  latency.Add("x", 999, 400);
  EXPECT_EQ(DrawLatencyGraph("x", *latency.Find("x"), 1000),
            "x - high 400 ms, low 100 ms (all time high 400 ms)\n" + std::string(80, '-') + "\n" +
                "   #\n"
                "  #|\n"
                " o||\n"
                "_|||\n"
                "    \n"
                "2211\n"
                "hm2s\n"
                "  s \n");
}

TEST(LatencyGraph, BreaksAfterEightyColumns) {
  LatencyMonitor latency;
  for (int i = 0; i < 100; ++i) latency.Add("x", 1000 + i, i);
  const std::string graph = DrawLatencyGraph("x", *latency.Find("x"), 1099);
  EXPECT_NE(graph.find("\n\n"), std::string::npos);
  std::size_t widest = 0;
  std::size_t begin = graph.find('\n') + 1;
  for (std::size_t end; (end = graph.find('\n', begin)) != std::string::npos; begin = end + 1) {
    widest = std::max(widest, end - begin);
  }
  EXPECT_EQ(widest, 80U);
}

TEST(LatencyDoctor, SaysWhetherAnythingIsSampled) {
  const LatencyMonitor latency;
  EXPECT_NE(LatencyReport(latency,
                          {.threshold_ms = 0, .slowlog_slower_than_us = 10000, .now_seconds = 1000})
                .find("disabled"),
            std::string::npos);
  EXPECT_NE(LatencyReport(
                latency, {.threshold_ms = 50, .slowlog_slower_than_us = 10000, .now_seconds = 1000})
                .find("50 milliseconds"),
            std::string::npos);
}

TEST(LatencyDoctor, SumsUpEachEvent) {
  LatencyMonitor latency;
  latency.Add("command", 900, 100);
  latency.Add("command", 950, 300);
  latency.Add("expire-cycle", 990, 70);
  const std::string report = LatencyReport(
      latency, {.threshold_ms = 50, .slowlog_slower_than_us = -1, .now_seconds = 1000});
  EXPECT_NE(report.find("1. command: 2 latency spikes (average 200ms, mean deviation 100ms, period "
                        "50.00 sec). Worst all time event 300ms."),
            std::string::npos);
  EXPECT_NE(report.find("2. expire-cycle: 1 latency spikes"), std::string::npos);
  EXPECT_NE(report.find("slow log is off"), std::string::npos);
  EXPECT_NE(report.find("deadlines"), std::string::npos);
}

}  // namespace
}  // namespace aeris
