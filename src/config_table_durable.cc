// The rows of what outlives the process: snapshots, append-only file, replication.
#include "src/config_rows.h"
#include "src/config_special.h"

namespace aeris {
namespace {

using namespace config_rows;  // the vocabulary of the rows
using namespace config_special;

constexpr EnumName kAppendFsync[] = {Name("everysec", AppendFsync::kEverysec),
                                     Name("always", AppendFsync::kAlways),
                                     Name("no", AppendFsync::kNo)};
constexpr EnumName kDisklessLoad[] = {Name("disabled", DisklessLoad::kDisabled),
                                      Name("on-empty-db", DisklessLoad::kOnEmptyDb),
                                      Name("swapdb", DisklessLoad::kSwapdb)};
constexpr EnumName kPropagationErrors[] = {
    Name("ignore", PropagationError::kIgnore), Name("panic", PropagationError::kPanic),
    Name("panic-on-replicas", PropagationError::kPanicOnReplicas)};

constexpr std::int64_t kBacklogBytesMin = 16384;

// Values below the smallest backlog are raised to it, not refused.
constexpr ConfigField kReplBacklogField =
    IntegerField{[](const Config& config) { return config.repl_backlog_size; },
                 [](Config& config, std::int64_t value) {
                   config.repl_backlog_size = value < kBacklogBytesMin ? kBacklogBytesMin : value;
                 },
                 1, kInt64Max, IntegerUnit::kBytes};

constexpr int kFixed = kConfigImmutable;

constexpr ConfigRow kRows[] = {
    // ---- Snapshots
    Later("save", Special<SaveOption>(), {.flags = kConfigMultiArg}),
    Later("dbfilename", Text<&Config::dbfilename>(CheckDbFilename), {.flags = kConfigProtected}),
    Later("rdbcompression", Bool<&Config::rdbcompression>()),
    Later("rdbchecksum", Bool<&Config::rdbchecksum>(), {.flags = kFixed}),
    Later("rdb-save-incremental-fsync", Bool<&Config::rdb_save_incremental_fsync>()),
    Later("rdb-del-sync-files", Bool<&Config::rdb_del_sync_files>()),
    Later("stop-writes-on-bgsave-error", Bool<&Config::stop_writes_on_bgsave_error>()),
    Later("rdb-key-save-delay", Integer<&Config::rdb_key_save_delay>(kInt32Min, kInt32Max),
          {.flags = kConfigHidden}),
    Later("key-load-delay", Integer<&Config::key_load_delay>(kInt32Min, kInt32Max),
          {.flags = kConfigHidden}),
    Later("loading-process-events-interval-bytes",
          Integer<&Config::loading_process_events_interval_bytes>(1024, kInt32Max),
          {.flags = kConfigHidden}),

    // ---- Append-only file
    Later("appendonly", Bool<&Config::appendonly>()),
    Later("appendfilename", Text<&Config::appendfilename>(CheckAppendFilename), {.flags = kFixed}),
    Later("appenddirname", Text<&Config::appenddirname>(CheckAppendDirname), {.flags = kFixed}),
    Later("appendfsync", Enum<&Config::appendfsync>(kAppendFsync)),
    Later("no-appendfsync-on-rewrite", Bool<&Config::no_appendfsync_on_rewrite>()),
    Later("auto-aof-rewrite-percentage",
          Integer<&Config::auto_aof_rewrite_percentage>(0, kInt32Max)),
    Later("auto-aof-rewrite-min-size", Bytes<&Config::auto_aof_rewrite_min_size>(0, kInt64Max)),
    Later("aof-load-truncated", Bool<&Config::aof_load_truncated>()),
    Later("aof-use-rdb-preamble", Bool<&Config::aof_use_rdb_preamble>()),
    Later("aof-timestamp-enabled", Bool<&Config::aof_timestamp_enabled>()),
    Later("aof-rewrite-incremental-fsync", Bool<&Config::aof_rewrite_incremental_fsync>()),
    Later("aof-disable-auto-gc", Bool<&Config::aof_disable_auto_gc>()),

    // ---- Replication
    Later("replicaof", Special<ReplicaOfOption>(),
          {.flags = kFixed | kConfigMultiArg, .alias = "slaveof"}),
    Later("masteruser", Text<&Config::masteruser>(), {.flags = kConfigSensitive}),
    Later("masterauth", Text<&Config::masterauth>(), {.flags = kConfigSensitive}),
    Later("replica-serve-stale-data", Bool<&Config::replica_serve_stale_data>(),
          {.alias = "slave-serve-stale-data"}),
    Later("replica-read-only", Bool<&Config::replica_read_only>(), {.alias = "slave-read-only"}),
    Later("replica-ignore-maxmemory", Bool<&Config::replica_ignore_maxmemory>(),
          {.alias = "slave-ignore-maxmemory"}),
    Later("replica-ignore-disk-write-errors", Bool<&Config::replica_ignore_disk_write_errors>()),
    Later("replica-lazy-flush", Bool<&Config::replica_lazy_flush>(), {.alias = "slave-lazy-flush"}),
    Later("replica-announced", Bool<&Config::replica_announced>()),
    Later("replica-announce-ip", Text<&Config::replica_announce_ip>(),
          {.alias = "slave-announce-ip"}),
    Later("replica-announce-port", Integer<&Config::replica_announce_port>(0, 65535),
          {.alias = "slave-announce-port"}),
    Later("replica-priority", Integer<&Config::replica_priority>(0, kInt32Max),
          {.alias = "slave-priority"}),
    Later("repl-diskless-sync", Bool<&Config::repl_diskless_sync>()),
    Later("repl-diskless-sync-delay", Integer<&Config::repl_diskless_sync_delay>(0, kInt32Max)),
    Later("repl-diskless-sync-max-replicas",
          Integer<&Config::repl_diskless_sync_max_replicas>(0, kInt32Max)),
    Later("repl-diskless-load", Enum<&Config::repl_diskless_load>(kDisklessLoad)),
    Later("repl-disable-tcp-nodelay", Bool<&Config::repl_disable_tcp_nodelay>()),
    Later("repl-ping-replica-period", Integer<&Config::repl_ping_replica_period>(1, kInt32Max),
          {.alias = "repl-ping-slave-period"}),
    Later("repl-timeout", Integer<&Config::repl_timeout>(1, kInt32Max)),
    Later("repl-backlog-size", kReplBacklogField),
    Later("repl-backlog-ttl", Integer<&Config::repl_backlog_ttl>(0, kInt64Max)),
    Later("min-replicas-to-write", Integer<&Config::min_replicas_to_write>(0, kInt32Max),
          {.alias = "min-slaves-to-write"}),
    Later("min-replicas-max-lag", Integer<&Config::min_replicas_max_lag>(0, kInt32Max),
          {.alias = "min-slaves-max-lag"}),
    Later("propagation-error-behavior",
          Enum<&Config::propagation_error_behavior>(kPropagationErrors)),
};
static_assert(NamesAreLowerCaseAndUnique(kRows));

}  // namespace

std::span<const ConfigRow> DurableConfigRows() { return kRows; }

}  // namespace aeris
