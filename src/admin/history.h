// History: what the server did in each of the last 300 seconds, for the charts of the page.
//
// A row a second, taken while the admin port is open; each has a number that counts from 0, so that
// a page asks for those that it has not seen. Rates and percentiles are of the time since the row
// before.
//
// Cost:   a row is one pass over the latency histograms of the commands that were used, 3 us each
//         (0.1 ms with thirty), and a look at counters that are there.
// Memory: 32 KiB of rows, 96 KiB of histograms.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "src/base/clock.h"
#include "src/base/histogram_sum.h"
#include "src/hit_window.h"

namespace aeris {

class Server;

class History {
 public:
  static constexpr std::size_t kRowsMax = 300;
  // In the order of a row.
  enum Column : std::size_t {
    kTimeMs,      // Unix time
    kOperations,  // commands a second
    kHits,        // lookups a second that found their key, and that did not
    kMisses,
    kUsedBytes,
    kResidentBytes,
    kLimitBytes,  // maxmemory, 0: none
    kKeys,
    kEvicted,  // keys a second
    kExpired,
    kExpireLagP50Ms,  // of the keys that expired in that second; 0 when none did
    kExpireLagP99Ms,
    kExpireLagMaxMs,
    kExpireBacklog,
    kLatencyP50Us,  // of all commands that ran in that second; 0 when none did
    kLatencyP99Us,
    kLatencyP999Us,
    kInputBytes,  // a second
    kOutputBytes,
    kClients,
    kColumns,
  };
  using Row = std::array<double, kColumns>;
  static constexpr std::array<std::string_view, kColumns> kColumnNames = {"time_ms",
                                                                          "operations",
                                                                          "hits",
                                                                          "misses",
                                                                          "used_bytes",
                                                                          "resident_bytes",
                                                                          "limit_bytes",
                                                                          "keys",
                                                                          "evicted",
                                                                          "expired",
                                                                          "expire_lag_p50_ms",
                                                                          "expire_lag_p99_ms",
                                                                          "expire_lag_max_ms",
                                                                          "expire_backlog",
                                                                          "latency_p50_us",
                                                                          "latency_p99_us",
                                                                          "latency_p999_us",
                                                                          "input_bytes",
                                                                          "output_bytes",
                                                                          "clients"};

  // Once a second. The first call only notes where the counters stand.
  void Sample(Server& server, MonotonicTime now);

  // Rows are there from number first() up to and without end().
  std::uint64_t first() const { return end_ - std::min<std::uint64_t>(end_, kRowsMax); }
  std::uint64_t end() const { return end_; }
  const Row& row(std::uint64_t number) const { return rows_[number % kRowsMax]; }

 private:
  // Counters that only grow, until CONFIG RESETSTAT.
  struct Totals {
    std::uint64_t operations = 0;
    HitCounts lookups;
    std::uint64_t evicted = 0;
    std::uint64_t expired = 0;
    std::uint64_t input_bytes = 0;
    std::uint64_t output_bytes = 0;
  };
  static Totals TotalsOf(Server& server);
  static Row PresentState(Server& server);
  void AddPercentiles(Server& server, Row& row);

  std::array<Row, kRowsMax> rows_{};
  std::uint64_t end_ = 0;
  std::optional<MonotonicTime> sampled_;
  Totals totals_;
  HistogramSum latency_;  // as they were at the last row
  HistogramSum expire_lag_;
};

}  // namespace aeris
