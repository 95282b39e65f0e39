#include "src/latency_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <vector>

namespace aeris {
namespace {

constexpr std::size_t kColumns = 80;
constexpr std::int64_t kRows = 4;
constexpr std::string_view kTops = "_o#";
constexpr auto kLevelsPerRow = static_cast<std::int64_t>(kTops.size());
constexpr char kFull = '|';

std::string Ago(std::int64_t seconds) {
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 60 * 60) return fmt::format("{}m", seconds / 60);
  if (seconds < 24 * 60 * 60) return fmt::format("{}h", seconds / (60 * 60));
  return fmt::format("{}d", seconds / (24 * 60 * 60));
}

struct Column {
  std::int64_t level;  // 0 to kRows * kLevelsPerRow - 1
  std::string ago;
};

char CharacterAt(std::int64_t level, std::int64_t row_from_bottom) {
  const std::int64_t above = level - row_from_bottom * kLevelsPerRow;
  if (above < 0) return ' ';
  return above < kLevelsPerRow ? kTops[static_cast<std::size_t>(above)] : kFull;
}

void AppendRows(std::span<const Column> columns, std::string& out) {
  for (std::int64_t row = kRows - 1; row >= 0; --row) {
    for (const Column& column : columns) out += CharacterAt(column.level, row);
    out += '\n';
  }
  out.append(columns.size(), ' ') += '\n';
  std::size_t height = 0;
  for (const Column& column : columns) height = std::max(height, column.ago.size());
  for (std::size_t i = 0; i < height; ++i) {
    for (const Column& column : columns) out += i < column.ago.size() ? column.ago[i] : ' ';
    out += '\n';
  }
}

}  // namespace

std::string DrawLatencyGraph(std::string_view event, const LatencyMonitor::Series& series,
                             std::int64_t now_seconds) {
  const std::vector<LatencyMonitor::Sample> samples = series.OldestFirst();
  const auto [low, high] = std::ranges::minmax_element(
      samples, {}, [](const LatencyMonitor::Sample& sample) { return sample.milliseconds; });
  const std::int64_t lowest = low->milliseconds;
  const std::int64_t span = std::max<std::int64_t>(high->milliseconds - lowest, 1);
  std::vector<Column> columns;
  for (const LatencyMonitor::Sample& sample : samples) {
    const std::int64_t level = (sample.milliseconds - lowest) * kRows * kLevelsPerRow / span;
    columns.push_back({std::min(level, kRows * kLevelsPerRow - 1),
                       Ago(std::max<std::int64_t>(now_seconds - sample.unix_seconds, 0))});
  }
  std::string out = fmt::format("{} - high {} ms, low {} ms (all time high {} ms)\n", event,
                                high->milliseconds, lowest, series.max_ms);
  out.append(kColumns, '-') += '\n';
  for (std::size_t at = 0; at < columns.size(); at += kColumns) {
    if (at != 0) out += '\n';
    AppendRows(std::span(columns).subspan(at, std::min(kColumns, columns.size() - at)), out);
  }
  return out;
}

}  // namespace aeris
