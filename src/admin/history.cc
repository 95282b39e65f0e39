#include "src/admin/history.h"

#include <chrono>

#include "src/each_command.h"
#include "src/server.h"

namespace aeris {
namespace {

// A second of a counter; one that is smaller than before has begun again at 0.
double Rate(std::uint64_t now, std::uint64_t before, double seconds) {
  return static_cast<double>(now >= before ? now - before : now) / seconds;
}

}  // namespace

void History::Sample(Server& server, MonotonicTime now) {
  const Totals totals = TotalsOf(server);
  const Totals before = std::exchange(totals_, totals);
  const std::optional<MonotonicTime> since = std::exchange(sampled_, now);
  Row row = PresentState(server);
  AddPercentiles(server, row);
  if (!since || now <= *since) return;
  const double seconds = std::chrono::duration<double>(now - *since).count();
  row[kOperations] = Rate(totals.operations, before.operations, seconds);
  row[kHits] = Rate(totals.lookups.hits, before.lookups.hits, seconds);
  row[kMisses] = Rate(totals.lookups.misses, before.lookups.misses, seconds);
  row[kEvicted] = Rate(totals.evicted, before.evicted, seconds);
  row[kExpired] = Rate(totals.expired, before.expired, seconds);
  row[kInputBytes] = Rate(totals.input_bytes, before.input_bytes, seconds);
  row[kOutputBytes] = Rate(totals.output_bytes, before.output_bytes, seconds);
  rows_[end_++ % kRowsMax] = row;
}

History::Totals History::TotalsOf(Server& server) {
  const ServerStats& stats = server.stats();
  const storage::LookupStats lookups = server.databases().lookup_stats();
  return {.operations = stats.commands_processed,
          .lookups = {.hits = lookups.hits, .misses = lookups.misses},
          .evicted = lookups.evicted,
          .expired = server.databases().context().stats.expired,
          .input_bytes = stats.net_input_bytes,
          .output_bytes = stats.net_output_bytes};
}

History::Row History::PresentState(Server& server) {
  std::size_t keys = 0;
  for (std::size_t i = 0; i < server.databases().count(); ++i) keys += server.databases()[i].size();
  Row row{};
  row[kTimeMs] = static_cast<double>(server.unix_ms());
  row[kUsedBytes] = static_cast<double>(server.used_memory());
  row[kResidentBytes] = static_cast<double>(server.resident_memory());
  row[kLimitBytes] = static_cast<double>(server.config().maxmemory);
  row[kKeys] = static_cast<double>(keys);
  row[kExpireBacklog] = static_cast<double>(server.databases().ExpireBacklog(server.unix_ms()));
  row[kClients] = static_cast<double>(server.clients().size());
  return row;
}

void History::AddPercentiles(Server& server, Row& row) {
  HistogramSum latency;
  ForEachCommand(server.commands(),
                 [&](const Command& command) { latency.Add(command.stats().latency); });
  const HistogramSum lately = latency.Since(std::exchange(latency_, latency));
  constexpr double kNsPerUs = 1000;
  row[kLatencyP50Us] = static_cast<double>(lately.ValueAt(50)) / kNsPerUs;
  row[kLatencyP99Us] = static_cast<double>(lately.ValueAt(99)) / kNsPerUs;
  row[kLatencyP999Us] = static_cast<double>(lately.ValueAt(99.9)) / kNsPerUs;

  HistogramSum lag;
  lag.Add(server.databases().context().stats.expire_lag);
  const HistogramSum lag_lately = lag.Since(std::exchange(expire_lag_, lag));
  row[kExpireLagP50Ms] = static_cast<double>(lag_lately.ValueAt(50));
  row[kExpireLagP99Ms] = static_cast<double>(lag_lately.ValueAt(99));
  row[kExpireLagMaxMs] = static_cast<double>(lag_lately.ValueAt(100));
}

}  // namespace aeris
