// The metrics that are fields of INFO: one row each. INFO's own functions write the fields, so that
// a number has one source.
#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "src/admin/metrics.h"
#include "src/admin/metrics_writer.h"
#include "src/base/number_text.h"
#include "src/info_sections.h"
#include "src/memory_report.h"
#include "src/server.h"

namespace aeris {
namespace {

constexpr MetricType kGauge = MetricType::kGauge;
constexpr MetricType kCounter = MetricType::kCounter;

struct InfoMetric {
  std::string_view field;
  std::string_view name;
  MetricType type;
  std::string_view help;
  double unit = 1;  // of the field, in that of the metric
};

// Types are the exporter's, also where another would be better.
constexpr InfoMetric kInfoMetrics[] = {
    // ---- server, clients, CPU
    {"uptime_in_seconds", "redis_uptime_in_seconds", kGauge, "Seconds since the start."},
    {"process_id", "redis_process_id", kGauge, "Process id of the server."},
    {"connected_clients", "redis_connected_clients", kGauge, "Connected clients."},
    {"blocked_clients", "redis_blocked_clients", kGauge,
     "Clients that wait in a blocking command or for the end of CLIENT PAUSE."},
    {"tracking_clients", "redis_tracking_clients", kGauge, "Clients with CLIENT TRACKING on."},
    {"client_recent_max_input_buffer", "redis_client_recent_max_input_buffer_bytes", kGauge,
     "Largest query buffer of a client."},
    {"client_recent_max_output_buffer", "redis_client_recent_max_output_buffer_bytes", kGauge,
     "Largest reply buffer of a client."},
    {"used_cpu_sys", "redis_cpu_sys_seconds_total", kCounter, "CPU time in the kernel."},
    {"used_cpu_user", "redis_cpu_user_seconds_total", kCounter, "CPU time of the server itself."},
    {"used_cpu_sys_children", "redis_cpu_sys_children_seconds_total", kCounter,
     "CPU time of child processes in the kernel."},
    {"used_cpu_user_children", "redis_cpu_user_children_seconds_total", kCounter,
     "CPU time of child processes."},
    {"used_cpu_sys_main_thread", "redis_cpu_sys_main_thread_seconds_total", kCounter,
     "CPU time of the thread that runs commands in the kernel."},
    {"used_cpu_user_main_thread", "redis_cpu_user_main_thread_seconds_total", kCounter,
     "CPU time of the thread that runs commands."},
    {"clients_in_timeout_table", "redis_clients_in_timeout_table", kGauge,
     "Blocked clients that have a timeout."},
    {"cluster_connections", "redis_cluster_connections", kGauge, "Always 0 here."},
    {"io_threads_active", "redis_io_threads_active", kGauge, "Always 0 here: one thread does all."},
    // ---- memory
    {"allocator_active", "redis_allocator_active_bytes", kGauge,
     "Bytes of the pages that hold allocations."},
    {"allocator_allocated", "redis_allocator_allocated_bytes", kGauge, "Bytes of allocations."},
    {"allocator_resident", "redis_allocator_resident_bytes", kGauge,
     "Bytes of the allocator in physical memory."},
    {"allocator_frag_ratio", "redis_allocator_frag_ratio", kGauge, "Active by allocated bytes."},
    {"allocator_frag_bytes", "redis_allocator_frag_bytes", kGauge, "Active less allocated bytes."},
    {"allocator_rss_ratio", "redis_allocator_rss_ratio", kGauge, "Resident by active bytes."},
    {"allocator_rss_bytes", "redis_allocator_rss_bytes", kGauge, "Resident less active bytes."},
    {"used_memory", "redis_memory_used_bytes", kGauge, "Memory in use: what maxmemory limits."},
    {"used_memory_rss", "redis_memory_used_rss_bytes", kGauge, "Resident memory of the process."},
    {"used_memory_peak", "redis_memory_used_peak_bytes", kGauge, "The most memory in use so far."},
    {"used_memory_lua", "redis_memory_used_lua_bytes", kGauge, "Memory of scripts."},
    {"used_memory_overhead", "redis_memory_used_overhead_bytes", kGauge,
     "Memory in use that is not for data."},
    {"used_memory_startup", "redis_memory_used_startup_bytes", kGauge,
     "Memory in use when the server was ready to serve."},
    {"used_memory_dataset", "redis_memory_used_dataset_bytes", kGauge, "Memory in use for data."},
    {"used_memory_scripts", "redis_memory_used_scripts_bytes", kGauge, "Memory of scripts kept."},
    {"number_of_cached_scripts", "redis_number_of_cached_scripts", kGauge, "Scripts kept."},
    {"maxmemory", "redis_memory_max_bytes", kGauge, "maxmemory; 0 is no limit."},
    {"mem_fragmentation_ratio", "redis_mem_fragmentation_ratio", kGauge,
     "Resident memory by memory in use."},
    {"mem_fragmentation_bytes", "redis_mem_fragmentation_bytes", kGauge,
     "Resident memory less memory in use."},
    {"mem_clients_slaves", "redis_mem_clients_slaves", kGauge, "Bytes of replicas' buffers."},
    {"mem_clients_normal", "redis_mem_clients_normal", kGauge, "Bytes of clients."},
    {"mem_not_counted_for_evict", "redis_mem_not_counted_for_eviction_bytes", kGauge,
     "Bytes that maxmemory does not limit."},
    {"lazyfree_pending_objects", "redis_lazyfree_pending_objects", kGauge,
     "Objects that the lazyfree thread has still to free."},
    {"active_defrag_running", "redis_active_defrag_running", kGauge, "Always 0 here."},
    // ---- persistence
    {"loading", "redis_loading_dump_file", kGauge, "1 while data is being loaded."},
    {"rdb_changes_since_last_save", "redis_rdb_changes_since_last_save", kGauge,
     "Changes since the last save or the start."},
    {"rdb_bgsave_in_progress", "redis_rdb_bgsave_in_progress", kGauge, "1 while saving."},
    {"rdb_last_save_time", "redis_rdb_last_save_timestamp_seconds", kGauge,
     "Unix time of the last save, or the start."},
    {"rdb_last_bgsave_status", "redis_rdb_last_bgsave_status", kGauge,
     "1: the last save was good."},
    {"rdb_last_bgsave_time_sec", "redis_rdb_last_bgsave_duration_sec", kGauge,
     "Seconds of the last save; -1: none."},
    {"rdb_current_bgsave_time_sec", "redis_rdb_current_bgsave_duration_sec", kGauge,
     "Seconds of the present save; -1: none."},
    {"rdb_last_cow_size", "redis_rdb_last_cow_size_bytes", kGauge,
     "Bytes copied for the last save."},
    {"aof_enabled", "redis_aof_enabled", kGauge, "1: there is an append-only file."},
    {"aof_rewrite_in_progress", "redis_aof_rewrite_in_progress", kGauge,
     "1 while it is rewritten."},
    {"aof_rewrite_scheduled", "redis_aof_rewrite_scheduled", kGauge, "1: a rewrite is to come."},
    {"aof_last_rewrite_time_sec", "redis_aof_last_rewrite_duration_sec", kGauge,
     "Seconds of the last rewrite; -1: none."},
    {"aof_current_rewrite_time_sec", "redis_aof_current_rewrite_duration_sec", kGauge,
     "Seconds of the present rewrite; -1: none."},
    {"aof_last_cow_size", "redis_aof_last_cow_size_bytes", kGauge,
     "Bytes copied for the last rewrite."},
    {"aof_last_bgrewrite_status", "redis_aof_last_bgrewrite_status", kGauge,
     "1: the last rewrite was good."},
    {"aof_last_write_status", "redis_aof_last_write_status", kGauge, "1: the last write was good."},
    {"module_fork_in_progress", "redis_module_fork_in_progress", kGauge, "Always 0 here."},
    {"module_fork_last_cow_size", "redis_module_fork_last_cow_size", kGauge, "Always 0 here."},
    // ---- stats
    {"total_connections_received", "redis_connections_received_total", kCounter,
     "Connections accepted."},
    {"rejected_connections", "redis_rejected_connections_total", kCounter,
     "Connections refused, of those accepted."},
    {"total_commands_processed", "redis_commands_processed_total", kCounter, "Commands run."},
    {"total_net_input_bytes", "redis_net_input_bytes_total", kCounter, "Bytes from clients."},
    {"total_net_output_bytes", "redis_net_output_bytes_total", kCounter, "Bytes to clients."},
    {"expired_keys", "redis_expired_keys_total", kCounter, "Keys that have expired."},
    {"evicted_keys", "redis_evicted_keys_total", kCounter, "Keys removed for a limit of memory."},
    {"keyspace_hits", "redis_keyspace_hits_total", kCounter, "Lookups that found their key."},
    {"keyspace_misses", "redis_keyspace_misses_total", kCounter, "Lookups that found no key."},
    {"expired_stale_perc", "redis_expired_stale_percentage", kGauge,
     "Keys that have expired unseen, in percent: always 0 here."},
    {"expired_time_cap_reached_count", "redis_expired_time_cap_reached_total", kGauge,
     "Steps of expiry that ended at their time with more to do."},
    {"pubsub_channels", "redis_pubsub_channels", kGauge, "Channels with subscribers."},
    {"pubsub_patterns", "redis_pubsub_patterns", kGauge, "Patterns with subscribers."},
    {"latest_fork_usec", "redis_latest_fork_seconds", kGauge, "Always 0 here: nothing forks.",
     1e-6},
    {"migrate_cached_sockets", "redis_migrate_cached_sockets_total", kGauge, "Always 0 here."},
    {"active_defrag_hits", "redis_defrag_hits", kGauge, "Always 0 here."},
    {"active_defrag_misses", "redis_defrag_misses", kGauge, "Always 0 here."},
    {"active_defrag_key_hits", "redis_defrag_key_hits", kGauge, "Always 0 here."},
    {"active_defrag_key_misses", "redis_defrag_key_misses", kGauge, "Always 0 here."},
    {"tracking_total_keys", "redis_tracking_total_keys", kGauge,
     "Keys that client-side caching keeps account of."},
    {"tracking_total_items", "redis_tracking_total_items", kGauge,
     "Pairs of key and client that client-side caching keeps account of."},
    {"tracking_total_prefixes", "redis_tracking_total_prefixes", kGauge,
     "Prefixes of client-side caching."},
    {"total_error_replies", "redis_total_error_replies", kCounter, "Replies that are errors."},
    {"unexpected_error_replies", "redis_unexpected_error_replies", kCounter, "Always 0 here."},
    {"total_reads_processed", "redis_total_reads_processed", kCounter, "Reads from sockets."},
    {"total_writes_processed", "redis_total_writes_processed", kCounter, "Writes to sockets."},
    {"io_threaded_reads_processed", "redis_io_threaded_reads_processed", kCounter,
     "Always 0 here: one thread does all."},
    {"io_threaded_writes_processed", "redis_io_threaded_writes_processed", kCounter,
     "Always 0 here: one thread does all."},
    {"dump_payload_sanitizations", "redis_dump_payload_sanitizations", kCounter,
     "Always 0 here: every payload is checked."},
    // ---- replication
    {"connected_slaves", "redis_connected_slaves", kGauge, "Connected replicas."},
    {"repl_backlog_size", "redis_replication_backlog_bytes", kGauge, "Bytes of the backlog."},
    {"repl_backlog_active", "redis_repl_backlog_is_active", kGauge, "1: there is a backlog."},
    {"repl_backlog_first_byte_offset", "redis_repl_backlog_first_byte_offset", kGauge,
     "Where the backlog begins."},
    {"repl_backlog_histlen", "redis_repl_backlog_history_bytes", kGauge, "Bytes in the backlog."},
    {"master_repl_offset", "redis_master_repl_offset", kGauge, "Position of replication."},
    {"second_repl_offset", "redis_second_repl_offset", kGauge,
     "Up to where the former history is valid; -1: there is none."},
    {"slave_expires_tracked_keys", "redis_slave_expires_tracked_keys", kGauge, "Always 0 here."},
    {"sync_full", "redis_replica_resyncs_full", kGauge, "Whole copies sent to replicas."},
    {"sync_partial_ok", "redis_replica_partial_resync_accepted", kGauge,
     "Replicas that went on where they were."},
    {"sync_partial_err", "redis_replica_partial_resync_denied", kGauge,
     "Replicas that could not go on where they were."},
    // ---- cluster
    {"cluster_enabled", "redis_cluster_enabled", kGauge, "1: part of a cluster."},
    // ---- ours
    {"expire_backlog", "aeris_expire_backlog_keys", kGauge,
     "Keys and fields that are due and not yet looked at, estimated."},
    {"expired_time_cap_reached_count", "aeris_expire_steps_cut_total", kCounter,
     "Steps of expiry that ended at their time with more to do."},
    {"evicted_clients", "aeris_evicted_clients_total", kCounter,
     "Clients closed for maxmemory-clients."},
    {"lazyfreed_objects", "aeris_lazyfreed_objects_total", kCounter,
     "Objects that the lazyfree thread has freed."},
    {"pubsubshard_channels", "aeris_pubsub_shard_channels", kGauge,
     "Shard channels with subscribers."},
    {"client_query_buffer_limit_disconnections", "aeris_query_buffer_limit_disconnects_total",
     kCounter, "Clients closed for client-query-buffer-limit."},
    {"client_output_buffer_limit_disconnections", "aeris_output_buffer_limit_disconnects_total",
     kCounter, "Clients closed for client-output-buffer-limit."},
};

struct Field {
  std::string_view name;
  std::string_view value;
};

// The lines of INFO by their names.
std::vector<Field> FieldsOf(std::string_view info) {
  constexpr std::size_t kAbout = 256;
  std::vector<Field> fields;
  fields.reserve(kAbout);
  while (!info.empty()) {
    const std::size_t end = std::min(info.find("\r\n"), info.size());
    const std::string_view line = info.substr(0, end);
    info.remove_prefix(std::min(end + 2, info.size()));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    fields.push_back({line.substr(0, colon), line.substr(colon + 1)});
  }
  std::ranges::sort(fields, {}, &Field::name);
  return fields;
}

// Empty when there is no such field.
std::string_view ValueOf(std::span<const Field> fields, std::string_view name) {
  const auto found = std::ranges::lower_bound(fields, name, {}, &Field::name);
  return found != fields.end() && found->name == name ? found->value : std::string_view();
}

// A status is 1 when it is good, as in the exporter. Nothing for what is no number.
std::string_view NumberOf(std::string_view value) {
  if (value == "ok") return "1";
  if (value == "err") return "0";
  return ParseDouble(value) ? value : std::string_view();
}

void WriteInstance(std::span<const Field> fields, MetricsWriter& metrics) {
  const auto value = [&](std::string_view name) { return ValueOf(fields, name); };
  metrics.Family("redis_instance_info", kGauge, "What runs, in labels.");
  metrics.Sample({{"role", value("role")},
                  {"redis_version", value("redis_version")},
                  {"redis_build_id", value("redis_build_id")},
                  {"redis_mode", value("redis_mode")},
                  {"os", value("os")},
                  {"maxmemory_policy", value("maxmemory_policy")},
                  {"tcp_port", value("tcp_port")},
                  {"run_id", value("run_id")},
                  {"process_id", value("process_id")}},
                 1);
}

std::string InfoOf(const MetricsSources& from) {
  Server& server = from.server;
  InfoWriter info(0);
  WriteServerInfo(server, info);
  WriteClientsInfo(server, from.clients, info);
  WriteMemoryInfo(server, MakeMemoryReport(server, from.clients.memory), info);
  WritePersistenceInfo(server, info);
  WriteStatsInfo(server, info);
  WriteReplicationInfo(server, info);
  WriteCpuInfo(server, info);
  WriteClusterInfo(server, info);
  return info.text();
}

}  // namespace

void WriteInfoMetrics(const MetricsSources& from, MetricsWriter& metrics) {
  const std::string info = InfoOf(from);
  const std::vector<Field> fields = FieldsOf(info);
  WriteInstance(fields, metrics);
  for (const InfoMetric& metric : kInfoMetrics) {
    const std::string_view number = NumberOf(ValueOf(fields, metric.field));
    if (number.empty()) continue;
    metrics.Family(metric.name, metric.type, metric.help);
    if (metric.unit == 1) {
      metrics.Sample({}, {}, number);
    } else {
      metrics.Sample({}, *ParseDouble(number) * metric.unit);
    }
  }
}

}  // namespace aeris
