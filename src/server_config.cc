// What CONFIG SET changes in the running server.
#include <fmt/format.h>

#include <string>
#include <utility>

#include "src/acl/acl_users.h"
#include "src/admin/admin_server.h"
#include "src/crash_report.h"
#include "src/memory_info.h"
#include "src/process.h"
#include "src/server.h"
#include "src/tls_context.h"

namespace aeris {

void Server::InstallConfigHooks() {
  ConfigTable& table = config_table();
  table.OnChange(ConfigHook::kBind, [this]() -> ConfigResult {
    if (Relisten()) return {};
    return std::unexpected("Failed to bind to specified addresses.");
  });
  table.OnChange(ConfigHook::kPort, [this]() -> ConfigResult {
    if (Relisten()) return {};
    return std::unexpected("Unable to listen on this port. Check server logs.");
  });
  table.OnChange(ConfigHook::kTls, [this] { return tls_->Apply(); });
  table.OnChange(ConfigHook::kTlsPort, [this]() -> ConfigResult {
    if (auto applied = tls_->Apply(); !applied) return applied;
    if (Relisten()) return {};
    return std::unexpected("Unable to listen on this port. Check server logs.");
  });
  table.OnChange(ConfigHook::kMaxClients, [this]() -> ConfigResult {
    if (config().maxclients + kDescriptorsReserved <= descriptors_max_) return {};
    return std::unexpected(fmt::format(
        "The operating system is not able to handle the specified number of clients, try with {}",
        descriptors_max_ - kDescriptorsReserved));
  });
  table.OnChange(ConfigHook::kLog, [this]() -> ConfigResult {
    log().set_level(config().loglevel);
    return {};
  });
  table.OnChange(ConfigHook::kRequirePass, [this]() -> ConfigResult {
    acl_->SetDefaultPassword(config().requirepass);
    return {};
  });
  table.OnChange(ConfigHook::kAclLog, [this]() -> ConfigResult {
    acl_->log().Trim(static_cast<std::size_t>(config().acllog_max_len));
    return {};
  });
  table.OnChange(ConfigHook::kCrashLog, [this]() -> ConfigResult {
    if (config().crash_log_enabled) {
      InstallCrashReport(config().logfile, &batch_);
    } else {
      RemoveCrashReport();
    }
    return {};
  });
  table.OnChange(ConfigHook::kProcTitle, [this]() -> ConfigResult {
    SetProcessTitle(config(), executable());
    return {};
  });
  table.OnChange(ConfigHook::kSlowlog, [this]() -> ConfigResult {
    slow_log_.Trim(static_cast<std::size_t>(config().slowlog_max_len));
    return {};
  });
  table.OnChange(ConfigHook::kAllocator, [this]() -> ConfigResult {
    if (UseAllocatorThread(config().jemalloc_bg_thread)) return {};
    return std::unexpected("The allocator's thread cannot be started.");
  });
  table.OnChange(ConfigHook::kEvents, [this]() -> ConfigResult {
    events_.Choose(config().notify_keyspace_events);
    return {};
  });
  table.OnChange(ConfigHook::kAdminPort, [this]() -> ConfigResult {
    const auto applied = admin_->Apply();
    if (applied) return {};
    log().Warning("The admin port cannot be opened: {}", applied.error().message);
    return std::unexpected("Unable to listen on the admin port. Check server logs.");
  });
  table.OnChange(ConfigHook::kMemory, [this] { return ApplyMemoryPolicy(); });
}

ConfigResult Server::ApplyMemoryPolicy() {
  for (const DatabaseLimit& limit : config().maxmemory_db) {
    if (limit.database < databases_.count()) continue;
    return std::unexpected(fmt::format("maxmemory-db: there is no database {}", limit.database));
  }
  keyspace_context_.lfu_log_factor = config().lfu_log_factor;
  keyspace_context_.lfu_decay_minutes = config().lfu_decay_time;
  eviction_.OnConfigChange();
  client_eviction_.OnConfigChange();
  return {};
}

bool Server::Relisten() {
  // An address that is in the old and the new list can be bound only once, so the old listeners go
  // first. When the new ones cannot be opened, the table restores the old values and runs this hook
  // again, which brings the old listeners back.
  listeners_.clear();
  if (OpenListeners()) return true;
  listeners_.clear();
  return false;
}

}  // namespace aeris
