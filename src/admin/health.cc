#include "src/admin/health.h"

#include <fmt/format.h>

#include <cstddef>

#include "src/server.h"

namespace aeris {
namespace {

// Whether eviction has anything to remove.
bool AnyMayGo(const Databases& databases) {
  for (std::size_t i = 0; i < databases.count(); ++i) {
    if (databases[i].evictable() != 0) return true;
  }
  return false;
}

void AddMemoryReasons(Server& server, std::vector<std::string>& reasons) {
  const Databases& databases = server.databases();
  const std::size_t limit = server.config().maxmemory;
  if (limit != 0 && server.used_memory() > limit && !AnyMayGo(databases)) {
    reasons.push_back(
        fmt::format("memory: {} bytes are in use, maxmemory is {}, and no key may be removed: "
                    "writes are refused",
                    server.used_memory(), limit));
  }
  for (const DatabaseLimit& own : server.config().maxmemory_db) {
    const storage::Keyspace& keyspace = databases[own.database];
    if (own.bytes == 0 || keyspace.used_bytes() <= own.bytes || keyspace.evictable() != 0) continue;
    reasons.push_back(
        fmt::format("memory: database {} has {} bytes, its limit is {}, and no key of it may be "
                    "removed: writes to it are refused",
                    own.database, keyspace.used_bytes(), own.bytes));
  }
}

}  // namespace

std::vector<std::string> ReasonsAgainstReadiness(Server& server) {
  std::vector<std::string> reasons;
  AddMemoryReasons(server, reasons);
  if (server.pause().active(server.monotonic())) {
    const bool all = server.pause().kind() == ClientPause::Kind::kAll;
    reasons.push_back(
        fmt::format("paused: CLIENT PAUSE holds {}", all ? "all commands" : "commands that write"));
  }
  if (server.clients().size() >= server.config().maxclients) {
    reasons.push_back(
        fmt::format("clients: all {} of maxclients are connected", server.config().maxclients));
  }
  return reasons;
}

HttpReply HealthReply() { return {.body = "ok\n"}; }

HttpReply ReadinessReply(Server& server) {
  const std::vector<std::string> reasons = ReasonsAgainstReadiness(server);
  if (reasons.empty()) return {.body = "ready\n"};
  HttpReply reply{.status = 503, .body = "not ready\n"};
  for (const std::string& reason : reasons) {
    reply.body += reason;
    reply.body += '\n';
  }
  return reply;
}

}  // namespace aeris
