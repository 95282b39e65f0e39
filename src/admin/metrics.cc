#include "src/admin/metrics.h"

#include <fmt/format.h>

#include <cstddef>
#include <string>

#include "src/admin/metrics_writer.h"
#include "src/each_command.h"
#include "src/server.h"

namespace aeris {
namespace {

// Empty databases beyond this number are left out.
constexpr std::size_t kEmptyDatabasesShown = 16;

// The figure of each command that was called, under the command's name. One that was only refused
// counts as called.
template <typename Figure>
void WritePerCommand(Server& server, MetricsWriter& metrics, Figure&& figure) {
  ForEachCommand(server.commands(), [&](const Command& command) {
    const CommandStats& stats = command.stats();
    if (stats.calls == 0 && stats.rejected == 0 && stats.failed == 0) return;
    metrics.Sample({{"cmd", command.full_name()}}, figure(stats));
  });
}

void WriteCommands(Server& server, MetricsWriter& metrics) {
  metrics.Family("redis_commands_total", MetricType::kCounter, "Calls of each command.");
  WritePerCommand(server, metrics, [](const CommandStats& stats) { return stats.calls; });
  metrics.Family("redis_commands_duration_seconds_total", MetricType::kCounter,
                 "Time that each command has taken.");
  WritePerCommand(server, metrics, [](const CommandStats& stats) {
    return static_cast<double>(stats.nanoseconds / 1000) / 1e6;
  });
  metrics.Family("redis_commands_rejected_calls_total", MetricType::kCounter,
                 "Calls of each command that were refused before it ran.");
  WritePerCommand(server, metrics, [](const CommandStats& stats) { return stats.rejected; });
  metrics.Family("redis_commands_failed_calls_total", MetricType::kCounter,
                 "Calls of each command that ended with an error.");
  WritePerCommand(server, metrics, [](const CommandStats& stats) { return stats.failed; });
}

// As INFO latencystats has them.
void WriteLatencies(Server& server, MetricsWriter& metrics) {
  const Config& config = server.config();
  if (!config.latency_tracking) return;
  metrics.Family("redis_latency_percentiles_usec", MetricType::kSummary,
                 "Microseconds of the calls of each command.");
  ForEachCommand(server.commands(), [&](const Command& command) {
    const CommandStats& stats = command.stats();
    if (stats.latency.empty()) return;
    for (const double percentile : config.latency_tracking_info_percentiles) {
      metrics.Sample(
          {{"cmd", command.full_name()}, {"quantile", MetricsWriter::NumberText(percentile)}},
          static_cast<double>(stats.latency.ValueAt(percentile)) / 1000);
    }
    const MetricsWriter::Labels labels = {{"cmd", command.full_name()}};
    metrics.Sample("_sum", labels, std::to_string(stats.nanoseconds / 1000));
    metrics.Sample("_count", labels, std::to_string(stats.calls));
  });
}

void WriteErrors(Server& server, MetricsWriter& metrics) {
  metrics.Family("redis_errors_total", MetricType::kCounter, "Error replies by their first word.");
  for (const auto& [code, count] : server.stats().errors_by_code) {
    metrics.Sample({{"err", code}}, count);
  }
}

template <typename Figure>
void WritePerDatabase(Server& server, MetricsWriter& metrics, Figure&& figure) {
  const Databases& databases = server.databases();
  for (std::size_t i = 0; i < databases.count(); ++i) {
    if (databases[i].size() == 0 && i >= kEmptyDatabasesShown) continue;
    metrics.Sample({{"db", fmt::format("db{}", i)}}, figure(databases[i]));
  }
}

void WriteDatabases(Server& server, MetricsWriter& metrics) {
  using storage::Keyspace;
  metrics.Family("redis_db_keys", MetricType::kGauge, "Keys of each database.");
  WritePerDatabase(server, metrics, [](const Keyspace& keyspace) { return keyspace.size(); });
  metrics.Family("redis_db_keys_expiring", MetricType::kGauge,
                 "Keys of each database that have a deadline.");
  WritePerDatabase(server, metrics, [](const Keyspace& keyspace) { return keyspace.deadlines(); });
  metrics.Family("redis_db_avg_ttl_seconds", MetricType::kGauge,
                 "Mean time that is left to keys with a deadline.");
  const Databases& databases = server.databases();
  for (std::size_t i = 0; i < databases.count(); ++i) {
    if (databases[i].size() == 0) continue;
    metrics.Sample({{"db", fmt::format("db{}", i)}},
                   static_cast<double>(databases[i].AverageTtlMs(server.unix_ms())) / 1000);
  }
}

void WriteSlowLog(const SlowLog& slow_log, MetricsWriter& metrics) {
  const auto& records = slow_log.records();
  const bool none = records.empty();
  metrics.Gauge("redis_slowlog_length", "Records of the slow log.", records.size());
  metrics.Gauge("redis_slowlog_last_id", "Number of its latest record.",
                none ? 0 : records.front().id);
  metrics.Gauge("redis_last_slow_execution_duration_seconds",
                "Time that the latest command of the slow log took.",
                none ? 0.0 : static_cast<double>(records.front().microseconds) / 1e6);
}

void WriteLatencyEvents(const LatencyMonitor& latency, MetricsWriter& metrics) {
  if (latency.events().empty()) return;
  metrics.Family("redis_latency_spike_last", MetricType::kGauge,
                 "Unix time of the latest event above latency-monitor-threshold.");
  for (const auto& [event, series] : latency.events()) {
    metrics.Sample({{"event_name", event}}, series.latest().unix_seconds);
  }
  metrics.Family("redis_latency_spike_duration_seconds", MetricType::kGauge,
                 "How long that event took.");
  for (const auto& [event, series] : latency.events()) {
    metrics.Sample({{"event_name", event}},
                   static_cast<double>(series.latest().milliseconds) / 1000);
  }
}

}  // namespace

std::string MetricsText(const MetricsSources& from) {
  Server& server = from.server;
  MetricsWriter metrics;
  metrics.Gauge("redis_up", "1: the server answers.", 1);
  metrics.Gauge("redis_start_time_seconds", "Unix time of the start.",
                server.started_unix_seconds());
  metrics.Gauge("redis_config_maxclients", "The directive maxclients.", server.config().maxclients);
  metrics.Gauge("redis_config_maxmemory", "The directive maxmemory.", server.config().maxmemory);
  metrics.Gauge("redis_config_io_threads", "The directive io-threads.", server.config().io_threads);
  WriteInfoMetrics(from, metrics);
  WriteDatabases(server, metrics);
  WriteCommands(server, metrics);
  WriteLatencies(server, metrics);
  WriteErrors(server, metrics);
  WriteSlowLog(server.slow_log(), metrics);
  WriteLatencyEvents(server.latency(), metrics);
  WriteCacheMetrics(from, metrics);
  return metrics.Take();
}

}  // namespace aeris
