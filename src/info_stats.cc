// INFO stats, commandstats, errorstats, latencystats.
#include "src/client_tracking.h"
#include "src/config_special.h"
#include "src/each_command.h"
#include "src/info_sections.h"
#include "src/server.h"

namespace aeris {
namespace {

double Kilobytes(std::uint64_t bytes) { return static_cast<double>(bytes) / 1024; }

void WriteTraffic(const ServerStats& stats, InfoWriter& info) {
  info.Field("total_connections_received", stats.connections_received);
  info.Field("total_commands_processed", stats.commands_processed);
  info.Field("instantaneous_ops_per_sec", stats.commands_rate.per_second());
  info.Field("total_net_input_bytes", stats.net_input_bytes);
  info.Field("total_net_output_bytes", stats.net_output_bytes);
  info.Field("total_net_repl_input_bytes", 0);
  info.Field("total_net_repl_output_bytes", 0);
  info.Line("instantaneous_input_kbps", "{:.2f}", Kilobytes(stats.input_rate.per_second()));
  info.Line("instantaneous_output_kbps", "{:.2f}", Kilobytes(stats.output_rate.per_second()));
  info.Field("instantaneous_input_repl_kbps", "0.00");
  info.Field("instantaneous_output_repl_kbps", "0.00");
  info.Field("rejected_connections", stats.connections_rejected);
  info.Field("tls_handshakes", stats.tls_handshakes);
  info.Field("tls_handshakes_failed", stats.tls_handshakes_failed);
  info.Field("sync_full", 0);
  info.Field("sync_partial_ok", 0);
  info.Field("sync_partial_err", 0);
}

void WriteExpiry(Server& server, InfoWriter& info) {
  const ServerStats& stats = server.stats();
  const storage::KeyspaceStats& keys = server.databases().context().stats;
  info.Field("expired_keys", keys.expired);
  // The expiry wheel knows each key that is due, so none goes stale unseen.
  info.Field("expired_stale_perc", "0.00");
  info.Field("expired_time_cap_reached_count", stats.expire_steps_cut);
  info.Field("expire_cycle_cpu_milliseconds", stats.expire_ns / 1'000'000);
  info.Line("expire_lag_ms", "p50={},p99={},max={}", keys.expire_lag.ValueAt(50),
            keys.expire_lag.ValueAt(99), keys.expire_lag.ValueAt(100));
  info.Field("expire_backlog", server.databases().ExpireBacklog(server.unix_ms()));
}

void WriteKeys(const ServerStats& stats, const Eviction& eviction, const Databases& databases,
               InfoWriter& info) {
  const storage::LookupStats lookups = databases.lookup_stats();
  info.Field("evicted_keys", lookups.evicted);
  info.Field("evicted_clients", stats.evicted_clients);
  info.Field("total_eviction_exceeded_time", eviction.exceeded_in_all().count());
  info.Field("current_eviction_exceeded_time", eviction.exceeded_now().count());
  info.Field("keyspace_hits", lookups.hits);
  info.Field("keyspace_misses", lookups.misses);
}

void WriteChannels(const PubSub& pubsub, InfoWriter& info) {
  info.Field("pubsub_channels", pubsub.channels(ChannelKind::kChannel).size());
  info.Field("pubsub_patterns", pubsub.channels(ChannelKind::kPattern).size());
  info.Field("pubsubshard_channels", pubsub.channels(ChannelKind::kShardChannel).size());
}

void WriteAbsentParts(InfoWriter& info) {
  for (const std::string_view name :
       {"latest_fork_usec", "total_forks", "migrate_cached_sockets", "slave_expires_tracked_keys",
        "active_defrag_hits", "active_defrag_misses", "active_defrag_key_hits",
        "active_defrag_key_misses", "total_active_defrag_time", "current_active_defrag_time"}) {
    info.Field(name, 0);
  }
}

void WriteTracking(const Tracking& tracking, InfoWriter& info) {
  info.Field("tracking_total_keys", tracking.keys());
  info.Field("tracking_total_items", tracking.items());
  info.Field("tracking_total_prefixes", tracking.prefixes());
}

}  // namespace

void WriteStatsInfo(Server& server, InfoWriter& info) {
  const ServerStats& stats = server.stats();
  WriteTraffic(stats, info);
  WriteExpiry(server, info);
  WriteKeys(stats, server.eviction(), server.databases(), info);
  WriteChannels(server.pubsub(), info);
  WriteAbsentParts(info);
  WriteTracking(server.tracking(), info);
  info.Field("unexpected_error_replies", 0);
  info.Field("total_error_replies", stats.error_replies);
  info.Field("dump_payload_sanitizations", 0);
  info.Field("total_reads_processed", stats.reads_processed);
  info.Field("total_writes_processed", stats.writes_processed);
  info.Field("io_threaded_reads_processed", 0);
  info.Field("io_threaded_writes_processed", 0);
  info.Field("client_query_buffer_limit_disconnections", stats.query_buffer_limit_disconnects);
  info.Field("client_output_buffer_limit_disconnections", stats.output_buffer_limit_disconnects);
  info.Field("reply_buffer_shrinks", 0);
  info.Field("reply_buffer_expands", 0);
}

void WriteCommandStatsInfo(Server& server, InfoWriter& info) {
  ForEachCommand(server.commands(), [&](const Command& command) {
    const CommandStats& stats = command.stats();
    if (stats.calls == 0 && stats.rejected == 0 && stats.failed == 0) return;
    const std::uint64_t us = stats.nanoseconds / 1000;
    const double us_per_call =
        stats.calls == 0 ? 0 : static_cast<double>(us) / static_cast<double>(stats.calls);
    info.Line(fmt::format("cmdstat_{}", command.full_name()),
              "calls={},usec={},usec_per_call={:.2f},rejected_calls={},failed_calls={}",
              stats.calls, us, us_per_call, stats.rejected, stats.failed);
  });
}

void WriteErrorStatsInfo(Server& server, InfoWriter& info) {
  for (const auto& [code, count] : server.stats().errors_by_code) {
    info.Line(fmt::format("errorstat_{}", code), "count={}", count);
  }
}

void WriteLatencyStatsInfo(Server& server, InfoWriter& info) {
  const Config& config = server.config();
  if (!config.latency_tracking) return;
  ForEachCommand(server.commands(), [&](const Command& command) {
    const LatencyHistogram& latency = command.stats().latency;
    if (latency.empty()) return;
    std::string values;
    for (const double percentile : config.latency_tracking_info_percentiles) {
      if (!values.empty()) values += ',';
      values += fmt::format("p{}={:.3f}", config_special::PercentileText(percentile),
                            static_cast<double>(latency.ValueAt(percentile)) / 1000);
    }
    info.Field(fmt::format("latency_percentiles_usec_{}", command.full_name()), values);
  });
}

}  // namespace aeris
