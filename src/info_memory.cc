// INFO memory.
#include <unistd.h>

#include "src/info_sections.h"
#include "src/memory_report.h"
#include "src/server.h"

namespace aeris {
namespace {

std::uint64_t SystemMemory() {
  return static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
         static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

void WriteUse(const MemoryReport& memory, InfoWriter& info) {
  info.Bytes("used_memory", memory.used);
  info.Bytes("used_memory_rss", memory.resident);
  info.Bytes("used_memory_peak", memory.peak);
  info.Line("used_memory_peak_perc", "{:.2f}%", memory.peak_percent());
  info.Field("used_memory_overhead", memory.overhead());
  info.Field("used_memory_startup", memory.startup);
  info.Field("used_memory_dataset", memory.dataset());
  info.Line("used_memory_dataset_perc", "{:.2f}%", memory.dataset_percent());
  info.Field("allocator_allocated", memory.allocator.allocated);
  info.Field("allocator_active", memory.allocator.active);
  info.Field("allocator_resident", memory.allocator.resident);
  info.Bytes("total_system_memory", SystemMemory());
}

void WriteScripts(InfoWriter& info) {
  info.Field("used_memory_lua", 0);
  info.Field("used_memory_vm_eval", 0);
  info.Field("used_memory_lua_human", "0B");
  info.Field("used_memory_scripts_eval", 0);
  info.Field("number_of_cached_scripts", 0);
  info.Field("number_of_functions", 0);
  info.Field("number_of_libraries", 0);
  info.Field("used_memory_vm_functions", 0);
  info.Bytes("used_memory_vm_total", 0);
  info.Field("used_memory_functions", 0);
  info.Bytes("used_memory_scripts", 0);
}

void WriteRatios(const MemoryReport& memory, InfoWriter& info) {
  info.Line("allocator_frag_ratio", "{:.2f}", memory.allocator_fragmentation());
  info.Field("allocator_frag_bytes", memory.allocator_fragmentation_bytes());
  info.Line("allocator_rss_ratio", "{:.2f}", memory.allocator_resident());
  info.Field("allocator_rss_bytes", memory.allocator_resident_bytes());
  info.Line("rss_overhead_ratio", "{:.2f}", memory.process_overhead());
  info.Field("rss_overhead_bytes", memory.process_overhead_bytes());
  info.Line("mem_fragmentation_ratio", "{:.2f}", memory.fragmentation());
  info.Field("mem_fragmentation_bytes", memory.fragmentation_bytes());
}

}  // namespace

void WriteMemoryInfo(Server& server, InfoWriter& info) {
  WriteMemoryInfo(server, MakeMemoryReport(server), info);
}

void WriteMemoryInfo(Server& server, const MemoryReport& memory, InfoWriter& info) {
  WriteUse(memory, info);
  WriteScripts(info);
  info.Bytes("maxmemory", server.config().maxmemory);
  info.Field("maxmemory_policy", RowOf(server.eviction().policy(info.database())).name);
  WriteRatios(memory, info);
  info.Field("mem_not_counted_for_evict", server.memory_account().not_counted());
  info.Field("mem_replication_backlog", 0);
  info.Field("mem_total_replication_buffers", 0);
  info.Field("mem_clients_slaves", 0);
  info.Field("mem_clients_normal", memory.clients);
  info.Field("mem_cluster_links", 0);
  info.Field("mem_aof_buffer", 0);
  info.Field("mem_allocator", AllocatorName());
  info.Field("active_defrag_running", 0);
  info.Field("lazyfree_pending_objects", server.stats().lazyfree_pending);
  info.Field("lazyfreed_objects", server.stats().lazyfreed_objects);
}

}  // namespace aeris
