// INFO server, clients, cpu, modules, cluster, keyspace.
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <chrono>

#include "src/client_figures.h"
#include "src/client_tracking.h"
#include "src/info_sections.h"
#include "src/process.h"
#include "src/server.h"
#include "src/version.h"

namespace aeris {
namespace {

std::string OperatingSystem() {
  utsname name{};
  if (uname(&name) != 0) return "unknown";
  return fmt::format("{} {} {}", name.sysname, name.release, name.machine);
}

std::string_view SupervisorName(Supervised configured) {
  switch (DetectSupervisor(configured)) {
    case Supervisor::kSystemd:
      return "systemd";
    case Supervisor::kUpstart:
      return "upstart";
    case Supervisor::kNone:
      break;
  }
  return "no";
}

void CpuTime(InfoWriter& info, std::string_view name, const timeval& time) {
  info.Line(name, "{}.{:06}", time.tv_sec, time.tv_usec);
}

}  // namespace

void WriteServerInfo(Server& server, InfoWriter& info) {
  constexpr std::int64_t kSecondsPerDay = 24 * 3600;
  const Config& config = server.config();
  const std::int64_t unix_us = server.clock().UnixMicros();
  const auto uptime =
      std::chrono::duration_cast<std::chrono::seconds>(server.monotonic() - server.started());
  info.Field("redis_version", kRedisVersion);
  info.Field("aeris_version", kVersion);
  info.Field("redis_git_sha1", "00000000");
  info.Field("redis_git_dirty", 0);
  info.Field("redis_build_id", "0");
  info.Field("redis_mode", "standalone");
  info.Field("os", OperatingSystem());
  info.Field("arch_bits", sizeof(void*) * 8);
  info.Field("monotonic_clock", "POSIX clock_gettime");
  info.Field("multiplexing_api", server.poller_name());
  info.Field("atomicvar_api", "c++11");
  info.Line("gcc_version", "{}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
  info.Field("process_id", getpid());
  info.Field("process_supervised", SupervisorName(config.supervised));
  info.Field("run_id", server.run_id());
  info.Field("tcp_port", config.port != 0 ? config.port : config.tls_port);
  info.Field("server_time_usec", unix_us);
  info.Field("uptime_in_seconds", uptime.count());
  info.Field("uptime_in_days", uptime.count() / kSecondsPerDay);
  info.Field("hz", config.hz);
  info.Field("configured_hz", config.hz);
  info.Field("lru_clock", server.lru_clock());
  info.Field("executable", server.executable());
  info.Field("config_file", server.config_file());
  info.Field("io_threads_active", 0);
}

void WriteClientsInfo(Server& server, InfoWriter& info) {
  WriteClientsInfo(server, CountClients(server.clients()), info);
}

void WriteClientsInfo(Server& server, const ClientFigures& clients, InfoWriter& info) {
  info.Field("connected_clients", server.clients().size());
  info.Field("cluster_connections", 0);
  info.Field("maxclients", server.config().maxclients);
  info.Field("client_recent_max_input_buffer", clients.query_bytes_max);
  info.Field("client_recent_max_output_buffer", clients.reply_bytes_max);
  info.Field("blocked_clients", clients.blocked);
  info.Field("tracking_clients", server.tracking().clients());
  info.Field("clients_in_timeout_table", clients.with_timeout);
}

void WriteCpuInfo(Server& /*server*/, InfoWriter& info) {
  rusage self{};
  rusage children{};
  rusage thread{};
  getrusage(RUSAGE_SELF, &self);
  getrusage(RUSAGE_CHILDREN, &children);
  getrusage(RUSAGE_THREAD, &thread);  // commands run on the main thread, this one too
  CpuTime(info, "used_cpu_sys", self.ru_stime);
  CpuTime(info, "used_cpu_user", self.ru_utime);
  CpuTime(info, "used_cpu_sys_children", children.ru_stime);
  CpuTime(info, "used_cpu_user_children", children.ru_utime);
  CpuTime(info, "used_cpu_sys_main_thread", thread.ru_stime);
  CpuTime(info, "used_cpu_user_main_thread", thread.ru_utime);
}

// There are no modules: the section is its head.
void WriteModulesInfo(Server& /*server*/, InfoWriter& /*info*/) {}

void WriteClusterInfo(Server& /*server*/, InfoWriter& info) { info.Field("cluster_enabled", 0); }

// No field more than Redis has: the usual exporter takes no line that it does not know whole. INFO
// cache has the others.
void WriteKeyspaceInfo(Server& server, InfoWriter& info) {
  const Databases& databases = server.databases();
  for (std::size_t i = 0; i < databases.count(); ++i) {
    const storage::Keyspace& keyspace = databases[i];
    if (keyspace.size() == 0) continue;
    info.Line(fmt::format("db{}", i), "keys={},expires={},avg_ttl={}", keyspace.size(),
              keyspace.deadlines(), keyspace.AverageTtlMs(server.unix_ms()));
  }
}

}  // namespace aeris
