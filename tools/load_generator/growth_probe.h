// The longest single insert: into an idle server, and into one that another connection fills.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tools/load_generator/load_run.h"
#include "tools/load_generator/options.h"

namespace aeris::load {

struct LongInsert {
  std::int64_t nanoseconds = 0;
  std::uint64_t keys = 0;  // or elements, that the server held
};

struct GrowthResult {
  Latencies idle;     // SETs of one key of an idle server, again and again
  Latencies growing;  // new keys, or Options::command, between those of the other connection
  std::vector<LongInsert> longest;  // the ten longest of `growing`, longest first
  double seconds = 0;
};

// Wants an empty server, and leaves Options::keys keys, or elements, in it. The two kinds of probes
// take turns, so that what disturbs the machine disturbs both.
GrowthResult RunGrowth(const Options& options);

}  // namespace aeris::load
