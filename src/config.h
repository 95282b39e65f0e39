// Config: every directive of Redis 7.0 (and a few of ours) as a plain typed field. The server reads
// the fields directly (`config.maxclients`); only ConfigTable writes them, after the value passed
// the check of its row. The initialisers here are the defaults, and there is no other list of them:
// CONFIG REWRITE and the tests compare with a fresh Config{}.
//
// A field whose row in config_table*.cc says kNoEffectYet or kNeedless is kept and shown, and
// nothing reads it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/log.h"
#include "src/maxmemory_policy.h"

namespace aeris {

enum class EventPoller : std::uint8_t { kEpoll, kPoll, kSelect };
enum class Supervised : std::uint8_t { kNo, kUpstart, kSystemd, kAuto };
// Who may use what could harm the host: nobody, anybody, or connections from this machine.
enum class Permission : std::uint8_t { kNo, kYes, kLocal };
enum class OomScoreAdj : std::uint8_t { kNo, kRelative, kAbsolute };
enum class AppendFsync : std::uint8_t { kNo, kEverysec, kAlways };
enum class DisklessLoad : std::uint8_t { kDisabled, kOnEmptyDb, kSwapdb };
enum class SanitizePayload : std::uint8_t { kNo, kClients, kYes };
enum class AclPubsubDefault : std::uint8_t { kAllChannels, kResetChannels };
enum class EndpointType : std::uint8_t { kIp, kHostname, kUnknown };
enum class PropagationError : std::uint8_t { kIgnore, kPanic, kPanicOnReplicas };
enum class TlsAuthClients : std::uint8_t { kNo, kYes, kOptional };

// Bits of shutdown-on-sigint and shutdown-on-sigterm; none set is "default".
inline constexpr std::uint8_t kShutdownSave = 1;
inline constexpr std::uint8_t kShutdownNosave = 2;
inline constexpr std::uint8_t kShutdownNow = 4;
inline constexpr std::uint8_t kShutdownForce = 8;

// One database of maxmemory-db.
struct DatabaseLimit {
  std::size_t database = 0;
  std::uint64_t bytes = 0;                  // 0: no limit of its own
  std::optional<MaxmemoryPolicy> policy{};  // none: maxmemory-policy
  bool operator==(const DatabaseLimit&) const = default;
};

// One class of client-output-buffer-limit. 0 means no limit of that kind.
struct OutputLimit {
  std::uint64_t hard_bytes = 0;
  std::uint64_t soft_bytes = 0;
  std::int64_t soft_seconds = 0;  // how long above soft_bytes before the client is cut
  bool none() const { return hard_bytes == 0 && soft_bytes == 0; }
  bool operator==(const OutputLimit&) const = default;
};
// Order of Config::client_output_buffer_limit.
enum class OutputLimitClass : std::uint8_t { kNormal, kReplica, kPubsub };
inline constexpr std::size_t kOutputLimitClasses = 3;

// The letters of notify-keyspace-events in the order that Redis prints them; "A" is the first ten.
inline constexpr std::string_view kKeyspaceEventClasses = "g$lshzxetdnKEm";

struct SavePoint {
  std::int64_t seconds = 0;
  std::int64_t changes = 0;
  bool operator==(const SavePoint&) const = default;
};

// A rename-command line. `to` is empty when the command is switched off. The server refuses unknown
// names at start with FatalConfigText(line, ...) of config_file.h, hence the place.
struct RenamedCommand {
  std::string from;
  std::string to;
  int line = 0;
  std::string text;
  bool operator==(const RenamedCommand&) const = default;
};

struct Config {
  // ---- Network
  std::vector<std::string> bind = {"*", "-::*"};  // a leading '-': failing to bind it is no error
  int port = 6379;                                // 0: no TCP
  std::string unixsocket;
  unsigned unixsocketperm = 0;  // 0: what the umask gives
  int tcp_backlog = 511;
  int tcp_keepalive = 300;               // seconds, 0: off
  std::uint64_t tcp_send_buffer = 0;     // bytes for SO_SNDBUF, 0: the kernel's choice
  std::uint64_t tcp_receive_buffer = 0;  // bytes for SO_RCVBUF, 0: the kernel's choice
  bool protected_mode = true;
  std::string bind_source_addr;
  unsigned socket_mark_id = 0;
  EventPoller event_poller = EventPoller::kEpoll;
  int admin_port = 0;  // HTTP for metrics and health; 0: off
  std::string admin_bind = "127.0.0.1";

  // ---- Clients
  unsigned maxclients = 10000;
  int timeout = 0;  // seconds of idleness, 0: never
  std::string requirepass;
  std::uint64_t client_query_buffer_limit = 1024ULL << 20;
  std::uint64_t proto_max_bulk_len = 512ULL << 20;
  std::array<OutputLimit, kOutputLimitClasses> client_output_buffer_limit = {{
      {0, 0, 0},
      {256ULL << 20, 64ULL << 20, 60},
      {32ULL << 20, 8ULL << 20, 60},
  }};
  std::int64_t maxmemory_clients = 0;                // negative: percent of maxmemory
  std::uint64_t tracking_table_max_keys = 1000000;   // 0: no limit
  std::uint64_t tracking_client_max_keys = 1000000;  // of one client in that table; 0: no limit

  // ---- The process
  int databases = 16;
  int hz = 10;  // calls of the cron a second; the table keeps it within 1 and 500
  bool dynamic_hz = true;
  bool daemonize = false;
  Supervised supervised = Supervised::kNo;
  std::string pidfile;
  std::string dir;  // absolute; empty: where the process was started
  bool set_proc_title = true;
  std::string proc_title_template = "{title} {listen-addr} {server-mode}";
  bool always_show_logo = false;
  int shutdown_timeout = 10;  // seconds
  std::uint8_t shutdown_on_sigint = 0;
  std::uint8_t shutdown_on_sigterm = 0;
  bool crash_log_enabled = true;
  bool crash_memcheck_enabled = true;
  bool use_exit_on_panic = false;
  int watchdog_period = 0;  // ms
  bool disable_thp = true;
  OomScoreAdj oom_score_adj = OomScoreAdj::kNo;
  std::array<int, 3> oom_score_adj_values = {0, 200, 800};
  std::string server_cpulist;
  std::string bio_cpulist;
  std::string aof_rewrite_cpulist;
  std::string bgsave_cpulist;
  std::string ignore_warnings;
  int io_threads = 1;
  bool io_threads_do_reads = false;
  std::vector<RenamedCommand> renamed_commands;
  std::vector<std::string> modules;  // text after "loadmodule"

  // ---- Protected commands and options
  Permission enable_protected_configs = Permission::kNo;
  Permission enable_debug_command = Permission::kNo;
  Permission enable_module_command = Permission::kNo;

  // ---- Access control lists
  std::vector<std::string> users;  // text after "user"
  std::string aclfile;
  std::int64_t acllog_max_len = 128;
  AclPubsubDefault acl_pubsub_default = AclPubsubDefault::kResetChannels;

  // ---- Logging
  LogLevel loglevel = LogLevel::kNotice;
  std::string logfile;  // empty: standard output
  bool syslog_enabled = false;
  std::string syslog_ident = "redis";
  int syslog_facility = 16 << 3;  // LOG_LOCAL0, as syslog(3) counts

  // ---- Slow log and latency
  std::int64_t slowlog_log_slower_than = 10000;  // microseconds; negative: off
  std::int64_t slowlog_max_len = 128;
  std::int64_t latency_monitor_threshold = 0;  // ms; 0: off
  bool latency_tracking = true;
  std::vector<double> latency_tracking_info_percentiles = {50, 99, 99.9};

  // ---- Memory
  std::uint64_t maxmemory = 0;  // bytes, 0: no limit
  MaxmemoryPolicy maxmemory_policy = MaxmemoryPolicy::kNoeviction;
  std::vector<DatabaseLimit> maxmemory_db;  // by database, each once
  int maxmemory_samples = 5;
  int maxmemory_eviction_tenacity = 10;
  int lfu_log_factor = 10;
  int lfu_decay_time = 1;  // minutes
  bool lazyfree_lazy_eviction = false;
  bool lazyfree_lazy_expire = false;
  bool lazyfree_lazy_server_del = false;
  bool lazyfree_lazy_user_del = false;
  bool lazyfree_lazy_user_flush = false;
  bool jemalloc_bg_thread = true;
  bool activedefrag = false;
  std::uint64_t active_defrag_ignore_bytes = 100ULL << 20;
  int active_defrag_threshold_lower = 10;
  int active_defrag_threshold_upper = 100;
  int active_defrag_cycle_min = 1;
  int active_defrag_cycle_max = 25;
  std::int64_t active_defrag_max_scan_fields = 1000;

  // ---- Keyspace
  int active_expire_effort = 1;
  bool activerehashing = true;
  // Bit i stands for character i of kKeyspaceEventClasses.
  unsigned notify_keyspace_events = 0;
  SanitizePayload sanitize_dump_payload = SanitizePayload::kNo;
  std::int64_t busy_reply_threshold = 5000;  // ms

  // ---- Encodings
  std::uint64_t hash_max_listpack_entries = 512;
  std::uint64_t hash_max_listpack_value = 64;
  int list_max_listpack_size = -2;
  int list_compress_depth = 0;
  std::uint64_t set_max_intset_entries = 512;
  std::uint64_t zset_max_listpack_entries = 128;
  std::uint64_t zset_max_listpack_value = 64;
  std::uint64_t hll_sparse_max_bytes = 3000;
  std::uint64_t stream_node_max_bytes = 4096;
  std::int64_t stream_node_max_entries = 100;

  // ---- Snapshots
  std::vector<SavePoint> save = {{3600, 1}, {300, 100}, {60, 10000}};
  std::string dbfilename = "dump.rdb";
  bool rdbcompression = true;
  bool rdbchecksum = true;
  bool rdb_save_incremental_fsync = true;
  bool rdb_del_sync_files = false;
  bool stop_writes_on_bgsave_error = true;
  int rdb_key_save_delay = 0;
  int key_load_delay = 0;
  int loading_process_events_interval_bytes = 2 << 20;

  // ---- Append-only file
  bool appendonly = false;
  std::string appendfilename = "appendonly.aof";
  std::string appenddirname = "appendonlydir";
  AppendFsync appendfsync = AppendFsync::kEverysec;
  bool no_appendfsync_on_rewrite = false;
  int auto_aof_rewrite_percentage = 100;
  std::int64_t auto_aof_rewrite_min_size = 64LL << 20;
  bool aof_load_truncated = true;
  bool aof_use_rdb_preamble = true;
  bool aof_timestamp_enabled = false;
  bool aof_rewrite_incremental_fsync = true;
  bool aof_disable_auto_gc = false;

  // ---- Replication
  std::string replicaof_host;  // empty: this server is a master
  int replicaof_port = 0;
  std::string masteruser;
  std::string masterauth;
  bool replica_serve_stale_data = true;
  bool replica_read_only = true;
  bool replica_ignore_maxmemory = true;
  bool replica_ignore_disk_write_errors = false;
  bool replica_lazy_flush = false;
  bool replica_announced = true;
  std::string replica_announce_ip;
  int replica_announce_port = 0;
  int replica_priority = 100;
  bool repl_diskless_sync = true;
  int repl_diskless_sync_delay = 5;
  int repl_diskless_sync_max_replicas = 0;
  DisklessLoad repl_diskless_load = DisklessLoad::kDisabled;
  bool repl_disable_tcp_nodelay = false;
  int repl_ping_replica_period = 10;
  int repl_timeout = 60;
  std::int64_t repl_backlog_size = 1 << 20;
  std::int64_t repl_backlog_ttl = 3600;
  int min_replicas_to_write = 0;
  int min_replicas_max_lag = 10;
  PropagationError propagation_error_behavior = PropagationError::kIgnore;

  // ---- Cluster
  bool cluster_enabled = false;
  std::string cluster_config_file = "nodes.conf";
  std::int64_t cluster_node_timeout = 15000;
  int cluster_port = 0;
  std::string cluster_announce_ip;
  std::string cluster_announce_hostname;
  int cluster_announce_port = 0;
  int cluster_announce_tls_port = 0;
  int cluster_announce_bus_port = 0;
  EndpointType cluster_preferred_endpoint_type = EndpointType::kIp;
  std::uint64_t cluster_link_sendbuf_limit = 0;
  int cluster_migration_barrier = 1;
  int cluster_replica_validity_factor = 10;
  bool cluster_replica_no_failover = false;
  bool cluster_require_full_coverage = true;
  bool cluster_allow_reads_when_down = false;
  bool cluster_allow_pubsubshard_when_down = true;
  bool cluster_allow_replica_migration = true;

  // ---- TLS
  int tls_port = 0;
  std::string tls_cert_file;
  std::string tls_key_file;
  std::string tls_key_file_pass;
  std::string tls_client_cert_file;
  std::string tls_client_key_file;
  std::string tls_client_key_file_pass;
  std::string tls_dh_params_file;
  std::string tls_ca_cert_file;
  std::string tls_ca_cert_dir;
  TlsAuthClients tls_auth_clients = TlsAuthClients::kYes;
  bool tls_replication = false;
  bool tls_cluster = false;
  std::string tls_protocols;
  std::string tls_ciphers;
  std::string tls_ciphersuites;
  bool tls_prefer_server_ciphers = false;
  bool tls_session_caching = true;
  int tls_session_cache_size = 20480;
  int tls_session_cache_timeout = 300;

  const OutputLimit& output_limit(OutputLimitClass of) const {
    return client_output_buffer_limit[static_cast<std::size_t>(of)];
  }

  bool operator==(const Config&) const = default;
};

}  // namespace aeris
