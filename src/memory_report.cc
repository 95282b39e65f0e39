#include "src/memory_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "src/server.h"

namespace aeris {
namespace {

constexpr std::size_t kMegabyte = std::size_t{1} << 20;
// Below this the server's own parts blur every ratio.
constexpr std::size_t kTooLittleToTell = 5 * kMegabyte;
constexpr double kPeakFactor = 1.5;
constexpr double kFragmentationFactor = 1.4;
constexpr double kAllocatorFactor = 1.1;
constexpr std::size_t kWorthMentioning = 10 * kMegabyte;
constexpr std::size_t kClientBytes = 200 * 1024;

}  // namespace

MemoryReport MakeMemoryReport(Server& server) {
  return MakeMemoryReport(server, server.clients().memory());
}

MemoryReport MakeMemoryReport(Server& server, std::size_t client_bytes) {
  // First, before anything here takes some.
  const std::size_t used = server.used_memory();
  const storage::Keyspace::Memory keyspaces = server.databases().memory();
  const std::size_t held = keyspaces.mapped - keyspaces.entries + keyspaces.arena;
  MemoryReport report;
  report.allocator = ReadAllocatorInfo();
  report.allocator.allocated += keyspaces.mapped;
  report.allocator.active += held;
  report.allocator.resident += held;
  report.used = used;
  report.resident = ResidentBytes();
  report.peak = std::max<std::size_t>(server.stats().peak_memory, report.used);
  report.startup = server.startup_memory();
  report.clients = client_bytes;
  report.tables = keyspaces.table;
  for (std::size_t i = 0; i < server.databases().count(); ++i) {
    report.keys += server.databases()[i].size();
  }
  return report;
}

std::string MemoryAdvice(const MemoryAdviceInput& input) {
  const MemoryReport& memory = input.memory;
  if (memory.net() < kTooLittleToTell) {
    return "Hi, there is next to no data in this server, so its memory says nothing about how it "
           "is used. Ask again when it holds some.\n";
  }
  std::string found;
  const auto add = [&](std::string_view title, const std::string& text) {
    found += fmt::format(" * {}: {}\n\n", title, text);
  };
  if (static_cast<double>(memory.peak) > static_cast<double>(memory.used) * kPeakFactor) {
    add("Peak memory",
        fmt::format("{} bytes were in use once, {} are now. The process may keep some of the "
                    "difference for what comes next; MEMORY PURGE gives back what can be given.",
                    memory.peak, memory.used));
  }
  if (memory.fragmentation() > kFragmentationFactor &&
      memory.fragmentation_bytes() > static_cast<std::int64_t>(kWorthMentioning)) {
    add("High total RSS",
        fmt::format("the process has {:.2f} times the memory that is in use. This is usual after "
                    "many keys have gone and before new ones fill their place.",
                    memory.fragmentation()));
  }
  if (memory.allocator_fragmentation() > kAllocatorFactor &&
      memory.allocator_fragmentation_bytes() > static_cast<std::int64_t>(kWorthMentioning)) {
    add("High allocator fragmentation",
        fmt::format("pages of the allocator hold {:.2f} times what lives in them.",
                    memory.allocator_fragmentation()));
  }
  if (memory.allocator_resident() > kAllocatorFactor &&
      memory.allocator_resident_bytes() > static_cast<std::int64_t>(kWorthMentioning)) {
    add("High allocator RSS overhead",
        fmt::format("the allocator has {:.2f} times the pages that it uses, of which some may go "
                    "back: with time, or by MEMORY PURGE.",
                    memory.allocator_resident()));
  }
  if (memory.process_overhead() > kAllocatorFactor &&
      memory.process_overhead_bytes() > static_cast<std::int64_t>(kWorthMentioning)) {
    add("High process RSS overhead",
        fmt::format("the process has {:.2f} times the memory that the allocator knows of.",
                    memory.process_overhead()));
  }
  if (input.client_count != 0 && memory.clients / input.client_count > kClientBytes) {
    add("Big client buffers",
        fmt::format("{} clients hold {} bytes. CLIENT LIST shows which ones do not read their "
                    "replies (omem) or send much at once (qbuf).",
                    input.client_count, memory.clients));
  }
  if (found.empty()) return "Hi, nothing about the memory of this server looks wrong.\n";
  return "Hi, this is what looks unusual about the memory of this server:\n\n" + found;
}

}  // namespace aeris
