// The sections of INFO. Names of the fields are Redis 7.0's; a field about something that does not
// exist here says 0; ours are those of INFO cache, expire_*, and what begins with "aeris_".
#pragma once

#include <cstddef>
#include <string>

#include "src/info_writer.h"

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

// Of one database, for the lines of INFO keyspace and INFO cache: "bytes=1,hits=2,..."
std::string CacheFields(Server& server, std::size_t database);  // info_cache.cc

}  // namespace aeris
