// AclCatalogue: the commands that access rules can name, by their ids.
//
// A rule may name any command of Redis 7.0. Those that this server does not have are in the
// catalogue too: a file of users written for Redis loads, is described as Redis describes it, and
// the command is unknown to clients whatever the rules say. Names are those before rename-command.
//
// Built once; lookups are for rules, never for requests, which know the id of their command.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "src/command_names.h"
#include "src/command_table.h"

namespace aeris {

inline constexpr std::size_t kAclCommandsMax = 1024;
using AclCommandBits = std::bitset<kAclCommandsMax>;

class AclCatalogue {
 public:
  struct Entry {
    std::string name;  // "get", "client|list"
    AclCategories categories;
    std::optional<std::size_t> parent{};
    std::vector<std::size_t> subcommands{};
    bool of_redis = true;   // Redis 7.0 has it
    bool of_server = true;  // this server has it
  };

  explicit AclCatalogue(const CommandTable& table);

  // The id by full name in any case.
  std::optional<std::size_t> Find(std::string_view name) const;
  const Entry& operator[](std::size_t id) const { return entries_[id]; }
  std::size_t size() const { return entries_.size(); }
  // The commands of a category that Redis 7.0 has.
  const AclCommandBits& of_redis(AclCategory category) const {
    return of_redis_[static_cast<std::size_t>(category)];
  }
  // Ids in the order in which rules and categories list them: a container before its subcommands.
  const std::vector<std::size_t>& order() const { return order_; }

 private:
  void Add(const Command& command, std::optional<std::size_t> parent);
  void AddAbsent(std::string_view name, AclCategories categories);

  std::vector<Entry> entries_;  // by id: those of the table, then the absent ones
  std::vector<std::size_t> order_;
  std::unordered_map<std::string, std::size_t> ids_;
  std::array<AclCommandBits, kAclCategoryNames.size()> of_redis_;
};

}  // namespace aeris
