// MEMORY: what keys and the server take.
#include <string>

#include "src/command_context.h"
#include "src/commands/families.h"
#include "src/commands/help.h"
#include "src/commands/key_specs.h"
#include "src/error_replies.h"
#include "src/memory_report.h"
#include "src/server.h"

namespace aeris {
namespace {

// MEMORY USAGE key [SAMPLES count]. Replies bytes | null. Sizes are known, so nothing is sampled.
void MemoryUsage(CommandContext& context) {
  for (std::size_t i = 3; i < context.argc(); i += 2) {
    if (!context.ArgIs(i, "samples") || i + 1 == context.argc()) {
      return context.reply().Error(err::kSyntax);
    }
    const auto samples = context.IntegerArg(i + 1);
    if (!samples) return;
    if (*samples < 0) return context.reply().Error(err::kSyntax);
  }
  const storage::EntryView entry =
      context.keyspace().Find(context.Key(2), context.now(), storage::kPeek);
  if (!entry) return context.reply().Null();
  context.reply().Integer(static_cast<std::int64_t>(context.keyspace().MemoryUsage(entry)));
}

// The pairs of MEMORY STATS, written into a map of unknown length.
class StatsMap {
 public:
  explicit StatsMap(protocol::ReplyWriter& reply) : reply_(reply), map_(reply.BeginMap()) {}
  void Bytes(std::string_view name, std::size_t value) {
    Difference(name, static_cast<std::int64_t>(value));
  }
  void Difference(std::string_view name, std::int64_t value) {
    Name(name);
    reply_.Integer(value);
  }
  void Ratio(std::string_view name, double value) {
    Name(name);
    reply_.Double(value);
  }
  // The value follows.
  void Name(std::string_view name) {
    reply_.Bulk(name);
    ++pairs_;
  }
  void End() { reply_.EndMap(map_, pairs_); }

 private:
  protocol::ReplyWriter& reply_;
  protocol::ReplyWriter::Deferred map_;
  std::size_t pairs_ = 0;
};

void WriteDatabases(CommandContext& context, StatsMap& stats) {
  const Databases& databases = context.server().databases();
  for (std::size_t i = 0; i < databases.count(); ++i) {
    if (databases[i].size() == 0) continue;
    stats.Name("db." + std::to_string(i));
    StatsMap one(context.reply());
    // Deadlines lie in the entries and their wheel in the table: there is no second table.
    one.Bytes("overhead.hashtable.main", databases[i].memory().table);
    one.Bytes("overhead.hashtable.expires", 0);
    one.Bytes("overhead.hashtable.slot-to-keys", 0);
    one.End();
  }
}

// MEMORY STATS. Replies a map of names to integers, doubles and, for each database that is not
// empty, a map.
void MemoryStats(CommandContext& context) {
  const MemoryReport memory = MakeMemoryReport(context.server());
  StatsMap stats(context.reply());
  stats.Bytes("peak.allocated", memory.peak);
  stats.Bytes("total.allocated", memory.used);
  stats.Bytes("startup.allocated", memory.startup);
  stats.Bytes("replication.backlog", 0);
  stats.Bytes("clients.slaves", 0);
  stats.Bytes("clients.normal", memory.clients);
  stats.Bytes("cluster.links", 0);
  stats.Bytes("aof.buffer", 0);
  stats.Bytes("lua.caches", 0);
  stats.Bytes("functions.caches", 0);
  WriteDatabases(context, stats);
  stats.Bytes("overhead.total", memory.overhead());
  stats.Bytes("keys.count", memory.keys);
  stats.Bytes("keys.bytes-per-key", memory.keys == 0 ? 0 : memory.net() / memory.keys);
  stats.Bytes("dataset.bytes", memory.dataset());
  stats.Ratio("dataset.percentage", memory.dataset_percent());
  stats.Ratio("peak.percentage", memory.peak_percent());
  stats.Bytes("allocator.allocated", memory.allocator.allocated);
  stats.Bytes("allocator.active", memory.allocator.active);
  stats.Bytes("allocator.resident", memory.allocator.resident);
  stats.Ratio("allocator-fragmentation.ratio", memory.allocator_fragmentation());
  stats.Difference("allocator-fragmentation.bytes", memory.allocator_fragmentation_bytes());
  stats.Ratio("allocator-rss.ratio", memory.allocator_resident());
  stats.Difference("allocator-rss.bytes", memory.allocator_resident_bytes());
  stats.Ratio("rss-overhead.ratio", memory.process_overhead());
  stats.Difference("rss-overhead.bytes", memory.process_overhead_bytes());
  stats.Ratio("fragmentation", memory.fragmentation());
  stats.Difference("fragmentation.bytes", memory.fragmentation_bytes());
  stats.End();
}

// MEMORY DOCTOR. Replies verbatim text.
void MemoryDoctor(CommandContext& context) {
  const MemoryReport memory = MakeMemoryReport(context.server());
  context.reply().Verbatim(
      MemoryAdvice({.memory = memory, .client_count = context.server().clients().size()}), "txt");
}

// MEMORY MALLOC-STATS. Replies verbatim text of the allocator's own.
void MemoryMallocStats(CommandContext& context) {
  context.reply().Verbatim(AllocatorReport(), "txt");
}

// MEMORY PURGE. Replies OK.
void MemoryPurge(CommandContext& context) {
  if (!PurgeAllocator()) return context.reply().Error("ERR Error purging dirty pages");
  context.reply().Ok();
}

void MemoryHelp(CommandContext& context) {
  static constexpr std::string_view kLines[] = {
      "DOCTOR",
      "    Return memory problems reports.",
      "MALLOC-STATS",
      "    Return internal statistics report from the memory allocator.",
      "PURGE",
      "    Attempt to purge dirty pages for reclamation by the allocator.",
      "STATS",
      "    Return information about the memory usage of the server.",
      "USAGE <key> [SAMPLES <count>]",
      "    Return memory in bytes used by <key> and its value. Nested values are",
      "    sampled up to <count> times (default: 5, 0 means sample all).",
  };
  ReplyHelp(context, kLines);
}

constexpr std::string_view kMemoryDoctorTips[] = {
    "nondeterministic_output", "request_policy:all_shards", "response_policy:special"};

constexpr std::string_view kMemoryPurgeTips[] = {"request_policy:all_shards",
                                                 "response_policy:all_succeeded"};

constexpr CommandSpec kMemorySubcommands[] = {
    {.name = "doctor",
     .handler = MemoryDoctor,
     .arity = 2,
     .group = Group::kServer,
     .since = "4.0.0",
     .complexity = "O(1)",
     .summary = "Outputs memory problems report",
     .tips = kMemoryDoctorTips},
    {.name = "help",
     .handler = MemoryHelp,
     .arity = 2,
     .flags = Flag::kLoading | Flag::kStale,
     .group = Group::kServer,
     .since = "4.0.0",
     .complexity = "O(1)",
     .summary = "Show helpful text about the different subcommands"},
    {.name = "malloc-stats",
     .handler = MemoryMallocStats,
     .arity = 2,
     .group = Group::kServer,
     .since = "4.0.0",
     .complexity = "Depends on how much memory is allocated, could be slow",
     .summary = "Show allocator internal stats",
     .tips = kMemoryDoctorTips},
    {.name = "purge",
     .handler = MemoryPurge,
     .arity = 2,
     .group = Group::kServer,
     .since = "4.0.0",
     .complexity = "Depends on how much memory is allocated, could be slow",
     .summary = "Ask the allocator to release memory",
     .tips = kMemoryPurgeTips},
    {.name = "stats",
     .handler = MemoryStats,
     .arity = 2,
     .group = Group::kServer,
     .since = "4.0.0",
     .complexity = "O(1)",
     .summary = "Show memory usage details",
     .tips = kMemoryDoctorTips},
    {.name = "usage",
     .handler = MemoryUsage,
     .arity = -3,
     .flags = Flag::kReadonly,
     .keys = kInspectSubcommandKey,
     .group = Group::kServer,
     .since = "4.0.0",
     .complexity = "O(N) where N is the number of samples.",
     .summary = "Estimate the memory usage of a key",
     .arguments = "key:key#0 'SAMPLES' count:integer?"},
};

constexpr CommandSpec kMemoryCommands[] = {
    {.name = "memory",
     .arity = -2,
     .group = Group::kServer,
     .since = "4.0.0",
     .complexity = "Depends on subcommand.",
     .summary = "A container for memory diagnostics commands",
     .subcommands = kMemorySubcommands},
};

}  // namespace

std::span<const CommandSpec> MemoryCommands() { return kMemoryCommands; }

}  // namespace aeris
