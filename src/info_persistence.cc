// INFO persistence and replication. Neither exists: the server keeps its data in memory and runs
// alone, and the fields say so in the words that a Redis without either uses.
#include "src/info_sections.h"
#include "src/server.h"

namespace aeris {

void WritePersistenceInfo(Server& server, InfoWriter& info) {
  info.Field("loading", 0);
  info.Field("async_loading", 0);
  info.Field("current_cow_peak", 0);
  info.Field("current_cow_size", 0);
  info.Field("current_cow_size_age", 0);
  info.Field("current_fork_perc", "0.00");
  info.Field("current_save_keys_processed", 0);
  info.Field("current_save_keys_total", 0);
  info.Field("rdb_changes_since_last_save", server.stats().changes);
  info.Field("rdb_bgsave_in_progress", 0);
  info.Field("rdb_last_save_time", server.started_unix_seconds());
  info.Field("rdb_last_bgsave_status", "ok");
  info.Field("rdb_last_bgsave_time_sec", -1);
  info.Field("rdb_current_bgsave_time_sec", -1);
  info.Field("rdb_saves", 0);
  info.Field("rdb_last_cow_size", 0);
  info.Field("rdb_last_load_keys_expired", 0);
  info.Field("rdb_last_load_keys_loaded", 0);
  info.Field("aof_enabled", 0);
  info.Field("aof_rewrite_in_progress", 0);
  info.Field("aof_rewrite_scheduled", 0);
  info.Field("aof_last_rewrite_time_sec", -1);
  info.Field("aof_current_rewrite_time_sec", -1);
  info.Field("aof_last_bgrewrite_status", "ok");
  info.Field("aof_rewrites", 0);
  info.Field("aof_rewrites_consecutive_failures", 0);
  info.Field("aof_last_write_status", "ok");
  info.Field("aof_last_cow_size", 0);
  info.Field("module_fork_in_progress", 0);
  info.Field("module_fork_last_cow_size", 0);
}

void WriteReplicationInfo(Server& server, InfoWriter& info) {
  info.Field("role", "master");
  info.Field("connected_slaves", 0);
  info.Field("master_failover_state", "no-failover");
  // The id of a history of changes. Ours begins and ends with the process, so the run's id does.
  info.Field("master_replid", server.run_id());
  info.Field("master_replid2", "0000000000000000000000000000000000000000");
  info.Field("master_repl_offset", 0);
  info.Field("second_repl_offset", -1);
  info.Field("repl_backlog_active", 0);
  info.Field("repl_backlog_size", server.config().repl_backlog_size);
  info.Field("repl_backlog_first_byte_offset", 0);
  info.Field("repl_backlog_histlen", 0);
}

}  // namespace aeris
