// GET /metrics: the server's figures for Prometheus.
//
// The names that begin with redis_ are those of the widely used exporter
// (oliver006/redis_exporter 1.45, Debian's prometheus-redis-exporter), with its types and labels,
// so that its dashboards and alerts work without it; tests/integration/test_prometheus.py holds the
// two against each other. Ours begin with aeris_. docs/admin.md lists them.
//
// All of it comes from counters that are there; nothing goes over keys, and over no more than 512
// clients. Labels have few values: databases, commands that were called, code words of errors (128
// at most), ranks. Names of keys are never among them.
//
// Cost: 22 to 40 KB, of which a command that was called is 0.5 KB; 1.35 ms in a debug build after
// 30
//       different commands (docs/admin.md).
#pragma once

#include <cstdint>
#include <string>

#include "src/client_figures.h"

namespace aeris {

class MetricsWriter;
class Server;

// What the admin port counts about itself.
struct AdminStats {
  std::uint64_t requests = 0;
  std::uint64_t refused_requests = 0;     // answered with 400 and above, 503 of /readyz left out
  std::uint64_t connections = 0;          // accepted
  std::uint64_t refused_connections = 0;  // of these, closed since there were too many
  std::uint64_t timeouts = 0;             // connections cut as too slow
};

struct MetricsSources {
  Server& server;
  const ClientFigures& clients;
  const AdminStats& admin;
};

std::string MetricsText(const MetricsSources& from);

// The families that are a field of INFO each (info_metrics.cc).
void WriteInfoMetrics(const MetricsSources& from, MetricsWriter& metrics);
// What the cache says about itself, and this port (cache_metrics.cc).
void WriteCacheMetrics(const MetricsSources& from, MetricsWriter& metrics);

}  // namespace aeris
