// LATENCY GRAPH: the samples of one event as a picture of ASCII characters.
//
//   command - high 500 ms, low 100 ms (all time high 500 ms)
//   ----------------------------------------------------------
//      #
//     #|      four rows; a column is filled up to its height relative to the lowest and highest
//    _||      sample, its top is one of _ o # (a third, two thirds, all of the row)
//   _|||
//
//   3210      how long ago it was, from top to bottom: 3s, 2s, 1s, 0s
//   ssss
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "src/latency_monitor.h"

namespace aeris {

// `series` has at least one sample.
std::string DrawLatencyGraph(std::string_view event, const LatencyMonitor::Series& series,
                             std::int64_t now_seconds);

}  // namespace aeris
