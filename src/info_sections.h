// The sections of INFO. Names of the fields are Redis 7.0's; a field about something that does not
// exist here says 0; ours are those of INFO cache, expire_*, and what begins with "aeris_".
#pragma once

#include <cstddef>
#include <string>

#include "src/client_figures.h"
#include "src/info_writer.h"
#include "src/memory_report.h"

namespace aeris {

class Server;

void WriteServerInfo(Server& server, InfoWriter& info);        // info_server.cc
void WriteClientsInfo(Server& server, InfoWriter& info);       // info_server.cc
void WriteMemoryInfo(Server& server, InfoWriter& info);        // info_memory.cc
void WritePersistenceInfo(Server& server, InfoWriter& info);   // info_persistence.cc
void WriteStatsInfo(Server& server, InfoWriter& info);         // info_stats.cc
void WriteReplicationInfo(Server& server, InfoWriter& info);   // info_persistence.cc
void WriteCpuInfo(Server& server, InfoWriter& info);           // info_server.cc
void WriteModulesInfo(Server& server, InfoWriter& info);       // info_server.cc
void WriteCommandStatsInfo(Server& server, InfoWriter& info);  // info_stats.cc
void WriteErrorStatsInfo(Server& server, InfoWriter& info);    // info_stats.cc
void WriteLatencyStatsInfo(Server& server, InfoWriter& info);  // info_stats.cc
void WriteClusterInfo(Server& server, InfoWriter& info);       // info_server.cc
void WriteCacheInfo(Server& server, InfoWriter& info);         // info_cache.cc
void WriteKeyspaceInfo(Server& server, InfoWriter& info);      // info_server.cc

// The same from figures that are at hand: without a walk over all clients.
void WriteClientsInfo(Server& server, const ClientFigures& clients, InfoWriter& info);
void WriteMemoryInfo(Server& server, const MemoryReport& memory, InfoWriter& info);

// Hit ratios that other sizes of memory would bring: half, double, and four times as much.
struct CacheEstimates {
  double half = 0;
  double two = 0;
  double four = 0;
};
CacheEstimates EstimateHitRatios(Server& server);  // info_cache.cc

}  // namespace aeris
