// The rows of the data: memory, keys, encodings.
#include <array>

#include "src/config_rows.h"
#include "src/config_special.h"

namespace aeris {
namespace {

using namespace config_rows;  // the vocabulary of the rows
using namespace config_special;

constexpr auto kPolicies = [] {
  std::array<EnumName, kMaxmemoryPolicies.size()> names{};
  for (std::size_t i = 0; i < names.size(); ++i) {
    names[i] = Name(kMaxmemoryPolicies[i].name, kMaxmemoryPolicies[i].policy);
  }
  return names;
}();
constexpr EnumName kSanitize[] = {Name("no", SanitizePayload::kNo),
                                  Name("yes", SanitizePayload::kYes),
                                  Name("clients", SanitizePayload::kClients)};

// Why directives of Redis need no effect here.
constexpr std::string_view kLargeIsFreedByAThread =
    "large values are always freed by a thread, small ones at once";
constexpr std::string_view kFlushNeverWaits =
    "flushing never waits for keys to be freed, with SYNC and with ASYNC";
constexpr std::string_view kPagesAreTidied =
    "sparse pages are emptied and returned all the time, in small steps";

constexpr int kFixed = kConfigImmutable;

constexpr ConfigRow kRows[] = {
    // ---- Memory
    Works("maxmemory", Bytes<&Config::maxmemory>(0, kUint64Max), {.hook = ConfigHook::kMemory}),
    Works("maxmemory-policy", Enum<&Config::maxmemory_policy>(kPolicies),
          {.hook = ConfigHook::kMemory}),
    Works("maxmemory-db", Special<DatabaseLimitsOption>(),
          {.flags = kConfigMultiArg, .hook = ConfigHook::kMemory}),
    Works("maxmemory-samples", Integer<&Config::maxmemory_samples>(1, kInt32Max),
          {.hook = ConfigHook::kMemory}),
    Works("maxmemory-eviction-tenacity", Integer<&Config::maxmemory_eviction_tenacity>(0, 100),
          {.hook = ConfigHook::kMemory}),
    Works("lfu-log-factor", Integer<&Config::lfu_log_factor>(0, kInt32Max),
          {.hook = ConfigHook::kMemory}),
    Works("lfu-decay-time", Integer<&Config::lfu_decay_time>(0, kInt32Max),
          {.hook = ConfigHook::kMemory}),
    Needless("lazyfree-lazy-eviction", Bool<&Config::lazyfree_lazy_eviction>(),
             kLargeIsFreedByAThread),
    Needless("lazyfree-lazy-expire", Bool<&Config::lazyfree_lazy_expire>(), kLargeIsFreedByAThread),
    Needless("lazyfree-lazy-server-del", Bool<&Config::lazyfree_lazy_server_del>(),
             kLargeIsFreedByAThread),
    Needless("lazyfree-lazy-user-del", Bool<&Config::lazyfree_lazy_user_del>(),
             kLargeIsFreedByAThread),
    Needless("lazyfree-lazy-user-flush", Bool<&Config::lazyfree_lazy_user_flush>(),
             kFlushNeverWaits),
    Works("jemalloc-bg-thread", Bool<&Config::jemalloc_bg_thread>(),
          {.hook = ConfigHook::kAllocator}),
    Needless("activedefrag", Bool<&Config::activedefrag>(), kPagesAreTidied),
    Needless("active-defrag-ignore-bytes", Bytes<&Config::active_defrag_ignore_bytes>(1, kInt64Max),
             kPagesAreTidied),
    Needless("active-defrag-threshold-lower",
             Integer<&Config::active_defrag_threshold_lower>(0, 1000), kPagesAreTidied),
    Needless("active-defrag-threshold-upper",
             Integer<&Config::active_defrag_threshold_upper>(0, 1000), kPagesAreTidied),
    Needless("active-defrag-cycle-min", Integer<&Config::active_defrag_cycle_min>(1, 99),
             kPagesAreTidied),
    Needless("active-defrag-cycle-max", Integer<&Config::active_defrag_cycle_max>(1, 99),
             kPagesAreTidied),
    Needless("active-defrag-max-scan-fields",
             Integer<&Config::active_defrag_max_scan_fields>(1, kInt64Max), kPagesAreTidied),

    // ---- Keys
    Needless("active-expire-effort", Integer<&Config::active_expire_effort>(1, 10),
             "every key that is due is found, without looking at others"),
    Needless("activerehashing", Bool<&Config::activerehashing>(),
             "tables grow and shrink in small steps all the time"),
    Works("notify-keyspace-events", Special<KeyspaceEventsOption>(), {.hook = ConfigHook::kEvents}),
    Later("sanitize-dump-payload", Enum<&Config::sanitize_dump_payload>(kSanitize)),
    Later("busy-reply-threshold", Integer<&Config::busy_reply_threshold>(0, kInt64Max),
          {.alias = "lua-time-limit"}),

    // ---- Encodings
    Works("hash-max-listpack-entries", Integer<&Config::hash_max_listpack_entries>(0, kInt64Max),
          {.alias = "hash-max-ziplist-entries", .hook = ConfigHook::kEncodings}),
    Works("hash-max-listpack-value", Bytes<&Config::hash_max_listpack_value>(0, kInt64Max),
          {.alias = "hash-max-ziplist-value", .hook = ConfigHook::kEncodings}),
    Works("list-max-listpack-size", Integer<&Config::list_max_listpack_size>(kInt32Min, kInt32Max),
          {.alias = "list-max-ziplist-size"}),
    Later("list-compress-depth", Integer<&Config::list_compress_depth>(0, kInt32Max),
          {.hook = ConfigHook::kEncodings}),
    Works("set-max-intset-entries", Integer<&Config::set_max_intset_entries>(0, kInt64Max)),
    Works("zset-max-listpack-entries", Integer<&Config::zset_max_listpack_entries>(0, kInt64Max),
          {.alias = "zset-max-ziplist-entries"}),
    Works("zset-max-listpack-value", Bytes<&Config::zset_max_listpack_value>(0, kInt64Max),
          {.alias = "zset-max-ziplist-value"}),
    Works("hll-sparse-max-bytes", Bytes<&Config::hll_sparse_max_bytes>(0, kInt64Max)),
    Works("stream-node-max-bytes", Bytes<&Config::stream_node_max_bytes>(0, kInt64Max),
          {.hook = ConfigHook::kEncodings}),
    Works("stream-node-max-entries", Integer<&Config::stream_node_max_entries>(0, kInt64Max),
          {.hook = ConfigHook::kEncodings}),
};
static_assert(NamesAreLowerCaseAndUnique(kRows));

}  // namespace

std::span<const ConfigRow> DataConfigRows() { return kRows; }

}  // namespace aeris
