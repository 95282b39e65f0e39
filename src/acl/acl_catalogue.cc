#include "src/acl/acl_catalogue.h"

#include "src/base/check.h"
#include "src/text.h"

namespace aeris {
namespace {

struct AbsentCommand {
  std::string_view name;
  AclCategories categories;
};

constexpr AclCategories kAdministration = Acl::kAdmin | Acl::kSlow | Acl::kDangerous;
constexpr AclCategories kScript = Acl::kSlow | Acl::kScripting;
constexpr AclCategories kMoving = Acl::kKeyspace | Acl::kWrite | Acl::kSlow | Acl::kDangerous;

// Commands of Redis 7.0, each only as long as no family has it.
constexpr AbsentCommand kAbsent[] = {
    {"bgrewriteaof", kAdministration},
    {"bgsave", kAdministration},
    {"eval", kScript},
    {"eval_ro", kScript},
    {"evalsha", kScript},
    {"evalsha_ro", kScript},
    {"failover", kAdministration},
    {"fcall", kScript},
    {"fcall_ro", kScript},
    {"function", Acl::kSlow},
    {"function|delete", kScript | Acl::kWrite},
    {"function|dump", kScript},
    {"function|kill", kScript},
    {"function|load", kScript | Acl::kWrite},
    {"function|restore", kScript | Acl::kWrite},
    {"function|stats", kScript},
    {"migrate", kMoving},
    {"psync", kAdministration},
    {"replconf", kAdministration},
    {"restore-asking", kMoving},
    {"save", kAdministration},
    {"script", Acl::kSlow},
    {"script|debug", kScript},
    {"script|exists", kScript},
    {"script|flush", kScript},
    {"script|help", kScript},
    {"script|kill", kScript},
    {"script|load", kScript},
    {"sync", kAdministration},
};

// "0.1.0" is our own numbering.
bool IsOfRedis70(std::string_view since) { return since >= "1" && since < "7.1"; }

}  // namespace

AclCatalogue::AclCatalogue(const CommandTable& table) {
  for (const auto& command : table.all()) {
    Add(*command, std::nullopt);
    for (const auto& subcommand : command->subcommands()) Add(*subcommand, command->id());
  }
  for (const AbsentCommand& absent : kAbsent) {
    if (!Find(absent.name)) AddAbsent(absent.name, absent.categories);
  }
  // The last bit stands for commands of the future.
  AERIS_CHECK(entries_.size() < kAclCommandsMax);
  for (std::size_t id = 0; id < entries_.size(); ++id) {
    for (std::size_t category = 0; category < of_redis_.size(); ++category) {
      of_redis_[category].set(
          id, entries_[id].of_redis && entries_[id].categories.has(static_cast<Acl>(category)));
    }
    if (entries_[id].parent) continue;
    order_.push_back(id);
    for (const std::size_t subcommand : entries_[id].subcommands) order_.push_back(subcommand);
  }
}

void AclCatalogue::Add(const Command& command, std::optional<std::size_t> parent) {
  AERIS_CHECK(command.id() == entries_.size());
  if (parent) entries_[*parent].subcommands.push_back(command.id());
  entries_.push_back({.name = command.full_name(),
                      .categories = command.categories(),
                      .parent = parent,
                      .of_redis = IsOfRedis70(command.spec().since)});
  ids_.emplace(command.full_name(), command.id());
}

void AclCatalogue::AddAbsent(std::string_view name, AclCategories categories) {
  const std::size_t id = entries_.size();
  std::optional<std::size_t> parent;
  if (const std::size_t bar = name.find('|'); bar != std::string_view::npos) {
    parent = Find(name.substr(0, bar));
    AERIS_CHECK(parent.has_value());
    entries_[*parent].subcommands.push_back(id);
  }
  entries_.push_back(
      {.name = std::string(name), .categories = categories, .parent = parent, .of_server = false});
  ids_.emplace(name, id);
}

std::optional<std::size_t> AclCatalogue::Find(std::string_view name) const {
  const auto found = ids_.find(ToLower(name));
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

}  // namespace aeris
