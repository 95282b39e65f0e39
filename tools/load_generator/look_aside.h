// Look-aside clients of a cache: each asks for keys, and sets those that were missing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "tools/load_generator/options.h"

namespace aeris::load {

// Of requests for keys; those of scans, which every cache misses, are apart.
struct CacheCounts {
  std::uint64_t requests = 0;
  std::uint64_t misses = 0;
  std::uint64_t one_time_requests = 0;
  std::uint64_t one_time_misses = 0;
};

struct LookAsideResult {
  // The requests that count, in parts of the same size: alike when the cache has come to rest.
  static constexpr std::size_t kParts = 4;
  std::array<CacheCounts, kParts> parts;
  CacheCounts warm_up;
  double fill_seconds = 0;
  double seconds = 0;  // of the parts, as what follows
  double own_cpu_seconds = 0;
  double server_cpu_seconds = 0;  // of Options::server_pid, 0 without one
};

// Sets every key once, asks for Options::warm_up keys and then for Options::requests. A connection
// has a batch of Options::pipeline GETs under way; the SETs of what they missed go out with its
// next batch, in front of it. The order of the requests is the seed's, whatever the replies are;
// which connection carries which batch is not. Does not return when a reply is an error, of the
// wrong kind or a value of the wrong size.
LookAsideResult RunLookAside(const Options& options);

}  // namespace aeris::load
