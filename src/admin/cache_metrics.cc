// Our own metrics: how well the server does as a cache (docs/cache_info.md says what the figures
// mean), and what this port counts about itself.
#include <fmt/format.h>

#include <cstddef>
#include <string>

#include "src/admin/metrics.h"
#include "src/admin/metrics_writer.h"
#include "src/info_sections.h"
#include "src/server.h"
#include "src/version.h"

namespace aeris {
namespace {

constexpr MetricType kGauge = MetricType::kGauge;
constexpr MetricType kCounter = MetricType::kCounter;
// Hot keys by rank: their names would be labels without end.
constexpr std::size_t kHotKeys = 10;

void WriteHits(Server& server, MetricsWriter& metrics) {
  const HitCounts totals = server.SampleCache();
  const HitCounts minute = server.cache_stats().LastMinute(totals);
  const HitCounts hour = server.cache_stats().LastHour(totals);
  metrics.Family("aeris_hit_ratio", kGauge,
                 "Lookups that found their key, as a share of all in the window.");
  metrics.Sample({{"window", "minute"}}, minute.ratio());
  metrics.Sample({{"window", "hour"}}, hour.ratio());
  metrics.Sample({{"window", "all"}}, totals.ratio());
  metrics.Family("aeris_window_lookups", kGauge, "Lookups in the window.");
  metrics.Sample({{"window", "minute"}}, minute.requests());
  metrics.Sample({{"window", "hour"}}, hour.requests());
  metrics.Sample({{"window", "all"}}, totals.requests());
}

void WriteEstimates(Server& server, MetricsWriter& metrics) {
  const CacheEstimates estimates = EstimateHitRatios(server);
  metrics.Family("aeris_estimated_hit_ratio", kGauge,
                 "What the hit ratio would be with so many times the memory.");
  metrics.Sample({{"memory", "0.5"}}, estimates.half);
  metrics.Sample({{"memory", "2"}}, estimates.two);
  metrics.Sample({{"memory", "4"}}, estimates.four);
}

void WriteEvictions(Server& server, MetricsWriter& metrics) {
  const CacheStats& cache = server.cache_stats();
  metrics.Family("aeris_evicted_age_seconds", MetricType::kSummary,
                 "How long evicted keys had not been used, by percentiles.");
  metrics.Sample({{"quantile", "0.5"}}, cache.EvictedAgeSeconds(50));
  metrics.Sample({{"quantile", "0.9"}}, cache.EvictedAgeSeconds(90));
  metrics.Sample("_count", {}, std::to_string(cache.evicted()));
  metrics.Gauge("aeris_evicted_never_read_ratio",
                "Evicted keys that had not been used since they were stored, as a share.",
                cache.never_read_ratio());
  const auto seconds = [](std::chrono::milliseconds time) {
    return static_cast<double>(time.count()) / 1000;
  };
  metrics.Counter("aeris_eviction_exceeded_seconds_total",
                  "Time for which memory was above a limit.",
                  seconds(server.eviction().exceeded_in_all()));
}

void WriteExpiry(Server& server, MetricsWriter& metrics) {
  const LatencyHistogram& lag = server.databases().context().stats.expire_lag;
  metrics.Family("aeris_expire_lag_seconds", MetricType::kSummary,
                 "How late expired keys were removed, by percentiles.");
  for (const auto& [quantile, percentile] :
       {std::pair("0.5", 50), std::pair("0.99", 99), std::pair("1", 100)}) {
    metrics.Sample({{"quantile", quantile}}, static_cast<double>(lag.ValueAt(percentile)) / 1000);
  }
  metrics.Sample("_count", {}, std::to_string(lag.count()));
}

template <typename Figure>
void WritePerDatabase(const Databases& databases, MetricsWriter& metrics, Figure&& figure) {
  for (std::size_t i = 0; i < databases.count(); ++i) {
    if (databases[i].size() == 0) continue;
    metrics.Sample({{"db", fmt::format("db{}", i)}}, figure(i));
  }
}

void WriteDatabases(Server& server, MetricsWriter& metrics) {
  const Databases& databases = server.databases();
  const auto write = [&](std::string_view name, MetricType type, std::string_view help,
                         auto&& figure) {
    metrics.Family(name, type, help);
    WritePerDatabase(databases, metrics, figure);
  };
  write("aeris_db_bytes", kGauge, "Memory that each database takes.",
        [&](std::size_t i) { return databases[i].used_bytes(); });
  write("aeris_db_limit_bytes", kGauge, "Its limit in maxmemory-db; 0 is none of its own.",
        [&](std::size_t i) { return server.eviction().database_limit(i); });
  write("aeris_db_hits_total", kCounter, "Lookups in it that found their key.",
        [&](std::size_t i) { return databases[i].lookup_stats().hits; });
  write("aeris_db_misses_total", kCounter, "Lookups in it that found no key.",
        [&](std::size_t i) { return databases[i].lookup_stats().misses; });
  write("aeris_db_evicted_keys_total", kCounter, "Keys that it lost for a limit of memory.",
        [&](std::size_t i) { return databases[i].lookup_stats().evicted; });
}

void WriteHotKeys(Server& server, MetricsWriter& metrics) {
  metrics.Family("aeris_hot_key_requests", kGauge,
                 "Requests to the keys with most of them, by rank; halved every ten minutes.");
  int rank = 0;
  for (const HotKey& hot : server.hot_keys().Top(KeyLoad::kRequests, kHotKeys)) {
    metrics.Sample({{"rank", std::to_string(++rank)}}, hot.loads[KeyLoad::kRequests]);
  }
}

void WriteConnections(Server& server, MetricsWriter& metrics) {
  const ServerStats& stats = server.stats();
  metrics.Family("aeris_tls_handshakes_total", kCounter, "TLS handshakes by their end.");
  metrics.Sample({{"end", "done"}}, stats.tls_handshakes);
  metrics.Sample({{"end", "failed"}}, stats.tls_handshakes_failed);
  metrics.Family("aeris_acl_denied_total", kCounter, "What access control has refused.");
  metrics.Sample({{"what", "auth"}}, stats.acl_denied_auth);
  metrics.Sample({{"what", "command"}}, stats.acl_denied_command);
  metrics.Sample({{"what", "key"}}, stats.acl_denied_key);
  metrics.Sample({{"what", "channel"}}, stats.acl_denied_channel);
}

void WriteAdmin(const AdminStats& admin, MetricsWriter& metrics) {
  metrics.Counter("aeris_admin_requests_total", "Requests to this port.", admin.requests);
  metrics.Counter("aeris_admin_refused_requests_total", "Of these, answered with an error.",
                  admin.refused_requests);
  metrics.Counter("aeris_admin_connections_total", "Connections to this port.", admin.connections);
  metrics.Counter("aeris_admin_refused_connections_total",
                  "Of these, closed since there were too many.", admin.refused_connections);
  metrics.Counter("aeris_admin_timeouts_total", "Of these, cut as too slow.", admin.timeouts);
}

}  // namespace

void WriteCacheMetrics(const MetricsSources& from, MetricsWriter& metrics) {
  Server& server = from.server;
  metrics.Family("aeris_build_info", kGauge, "The version, in a label.");
  metrics.Sample({{"version", kVersion}}, 1);
  WriteHits(server, metrics);
  WriteEstimates(server, metrics);
  WriteEvictions(server, metrics);
  WriteExpiry(server, metrics);
  WriteDatabases(server, metrics);
  WriteHotKeys(server, metrics);
  WriteConnections(server, metrics);
  WriteAdmin(from.admin, metrics);
}

}  // namespace aeris
