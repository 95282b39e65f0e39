// Messages from one publisher to many subscribers.
#pragma once

#include <cstdint>

#include "tools/load_generator/options.h"

namespace aeris::load {

struct FanOutResult {
  std::uint64_t messages = 0;   // published
  std::uint64_t delivered = 0;  // messages * subscribers
  double seconds = 0;           // until the last subscriber had the last one
  double own_cpu_seconds = 0;
  double server_cpu_seconds = 0;  // of Options::server_pid, 0 without one
};

// Options::connections subscribe to one channel; one more publishes Options::requests messages,
// Options::pipeline at a time, the next ones when it has the replies. Does not return when a
// subscriber gets other bytes than the messages.
FanOutResult RunFanOut(const Options& options);

}  // namespace aeris::load
