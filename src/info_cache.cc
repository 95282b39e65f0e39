// INFO cache: how well the server does as a cache, and would do with other memory
// (docs/cache_info.md).
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "src/info_sections.h"
#include "src/server.h"

namespace aeris {
namespace {

void WriteHits(const CacheStats& stats, const HitCounts& totals, InfoWriter& info) {
  const HitCounts minute = stats.LastMinute(totals);
  const HitCounts hour = stats.LastHour(totals);
  info.Line("cache_hit_ratio_minute", "{:.4f}", minute.ratio());
  info.Line("cache_hit_ratio_hour", "{:.4f}", hour.ratio());
  info.Line("cache_hit_ratio", "{:.4f}", totals.ratio());
  info.Field("cache_requests_minute", minute.requests());
  info.Field("cache_requests_hour", hour.requests());
  info.Field("cache_requests", totals.requests());
}

void WriteEvictions(const CacheStats& stats, InfoWriter& info) {
  info.Field("cache_evicted_age_p50_seconds", stats.EvictedAgeSeconds(50));
  info.Field("cache_evicted_age_p90_seconds", stats.EvictedAgeSeconds(90));
  info.Line("cache_evicted_never_read_ratio", "{:.4f}", stats.never_read_ratio());
}

void WriteEstimates(Server& server, InfoWriter& info) {
  const storage::ReuseSketch& reuse = server.databases().context().reuse;
  const CacheEstimates estimates = EstimateHitRatios(server);
  info.Line("cache_estimated_hit_ratio_half_memory", "{:.4f}", estimates.half);
  info.Line("cache_estimated_hit_ratio_double_memory", "{:.4f}", estimates.two);
  info.Line("cache_estimated_hit_ratio_quadruple_memory", "{:.4f}", estimates.four);
  info.Line("cache_estimate_sampled_requests", "{:.0f}", reuse.sampled_requests());
  info.Field("cache_estimate_sampled_keys", reuse.sampled_keys());
  info.Field("cache_estimate_keys_per_sampled", reuse.keys_per_sampled());
}

// "bytes=1,hits=2,..."
std::string CacheFields(Server& server, std::size_t database) {
  const storage::Keyspace& keyspace = server.databases()[database];
  const storage::LookupStats& lookups = keyspace.lookup_stats();
  return fmt::format("bytes={},hits={},misses={},evicted={},policy={}", keyspace.used_bytes(),
                     lookups.hits, lookups.misses, lookups.evicted,
                     RowOf(server.eviction().policy(database)).name);
}

void WriteDatabases(Server& server, InfoWriter& info) {
  for (std::size_t i = 0; i < server.databases().count(); ++i) {
    if (server.databases()[i].size() == 0) continue;
    info.Line(fmt::format("cache_db{}", i), "{},limit={}", CacheFields(server, i),
              server.eviction().database_limit(i));
  }
}

}  // namespace

CacheEstimates EstimateHitRatios(Server& server) {
  const storage::ReuseSketch& reuse = server.databases().context().reuse;
  const auto held = static_cast<double>(server.databases().used_bytes());
  // What the server itself takes does not grow with the limit.
  const double others = std::max(0.0, static_cast<double>(server.used_memory()) - held);
  const auto with = [&](double multiple) {
    const Eviction& eviction = server.eviction();
    return reuse.HitRatio(eviction.KeyBytesAt(1, others), eviction.KeyBytesAt(multiple, others));
  };
  return {.half = with(0.5), .two = with(2), .four = with(kCacheMultipleMax)};
}

void WriteCacheInfo(Server& server, InfoWriter& info) {
  const HitCounts lookups = server.SampleCache();
  WriteHits(server.cache_stats(), lookups, info);
  WriteEvictions(server.cache_stats(), info);
  WriteEstimates(server, info);
  WriteDatabases(server, info);
}

}  // namespace aeris
