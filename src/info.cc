#include "src/info.h"

#include <algorithm>

#include "src/info_sections.h"
#include "src/text.h"

namespace aeris {
namespace {

constexpr InfoSection kSections[] = {
    {"server", "Server", WriteServerInfo, true},
    {"clients", "Clients", WriteClientsInfo, true},
    {"memory", "Memory", WriteMemoryInfo, true},
    {"persistence", "Persistence", WritePersistenceInfo, true},
    {"stats", "Stats", WriteStatsInfo, true},
    {"replication", "Replication", WriteReplicationInfo, true},
    {"cpu", "CPU", WriteCpuInfo, true},
    {"modules", "Modules", WriteModulesInfo, true, "module_list"},
    {"commandstats", "Commandstats", WriteCommandStatsInfo, false},
    {"errorstats", "Errorstats", WriteErrorStatsInfo, true},
    {"latencystats", "Latencystats", WriteLatencyStatsInfo, false},
    {"cluster", "Cluster", WriteClusterInfo, true},
    {"keyspace", "Keyspace", WriteKeyspaceInfo, true},
    {"cache", "Cache", WriteCacheInfo, false},
};

bool Asks(std::string_view name, const InfoSection& section) {
  if (EqualsIgnoringCase(name, "default")) return section.by_default;
  return EqualsIgnoringCase(name, "all") || EqualsIgnoringCase(name, "everything") ||
         EqualsIgnoringCase(name, section.name) ||
         (!section.alias.empty() && EqualsIgnoringCase(name, section.alias));
}

}  // namespace

std::vector<const InfoSection*> SelectInfoSections(std::span<const std::string_view> names) {
  static constexpr std::string_view kDefault[] = {"default"};
  if (names.empty()) names = kDefault;
  std::vector<const InfoSection*> selected;
  for (const InfoSection& section : kSections) {
    const auto asks = [&](std::string_view name) { return Asks(name, section); };
    if (std::any_of(names.begin(), names.end(), asks)) selected.push_back(&section);
  }
  return selected;
}

std::string InfoText(Server& server, std::span<const std::string_view> names,
                     std::size_t database) {
  InfoWriter info(database);
  for (const InfoSection* section : SelectInfoSections(names)) {
    info.Section(section->title);
    section->write(server, info);
  }
  return info.text();
}

}  // namespace aeris
