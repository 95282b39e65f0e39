// A run of one workload over many connections, in a closed or an open loop.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "src/base/latency_histogram.h"
#include "tools/load_generator/options.h"
#include "tools/load_generator/reply_scanner.h"
#include "tools/load_generator/request_tape.h"

namespace aeris::load {

// One latency per batch: from its write (closed loop) or the time at which it was due (open loop)
// until its last reply.
struct Latencies {
  LatencyHistogram histogram;  // up to 1 s; longer ones count as that
  std::int64_t longest_ns = 0;
  void Record(std::int64_t nanoseconds) {
    histogram.Record(nanoseconds);
    if (nanoseconds > longest_ns) longest_ns = nanoseconds;
  }
};

struct LoadResult {
  RequestCounts asked;
  ReplyCounts replies;
  Latencies latencies;
  double seconds = 0;
  double own_cpu_seconds = 0;
  double server_cpu_seconds = 0;  // of Options::server_pid, 0 without one
};

// Does not return when a reply is an error or of the wrong kind: the program ends.
LoadResult RunLoad(const Options& options);

// CPU time of a process, user and system, all threads; 0 stands for this one.
double CpuSeconds(pid_t pid);

}  // namespace aeris::load
