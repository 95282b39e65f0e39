// The longest reply that a client sees who pings at a steady rate: an idle server, and one that
// another connection keeps at work or gives one large command.
#pragma once

#include <cstdint>
#include <vector>

#include "tools/load_generator/load_run.h"
#include "tools/load_generator/options.h"

namespace aeris::load {

struct LongPing {
  std::int64_t nanoseconds = 0;  // from the time at which it was due
  double at_seconds = 0;         // of the watched time
};

struct WatchResult {
  Latencies idle;                 // PINGs to the idle server
  Latencies watched;              // to the server at work
  std::vector<LongPing> longest;  // the ten longest of `watched`, longest first
  double watched_seconds = 0;
};

// With Options::command the idle server is pinged for Options::seconds, then the other one for as
// long, which is given the command soon after that begins. Without, it is given new keys until
// these or the seconds end, in turns with the idle one, so that what disturbs the machine disturbs
// both.
WatchResult RunWatch(const Options& options);

}  // namespace aeris::load
