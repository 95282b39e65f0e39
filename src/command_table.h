// The commands of this server: the rows of all families joined, found by name, each with its
// running statistics.
#pragma once

#include <algorithm>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "src/base/latency_histogram.h"
#include "src/command.h"

namespace aeris {

// Counters of INFO commandstats and latencystats, of one command or subcommand.
struct CommandStats {
  std::uint64_t calls = 0;
  std::uint64_t nanoseconds = 0;
  std::uint64_t rejected = 0;  // refused before the handler ran
  std::uint64_t failed = 0;    // the handler replied with an error
  LatencyHistogram latency;    // with latency-tracking
};

// Where a command's keys stand, as far as its row says so by position alone: at first, first +
// step, ... Those that only the arguments tell (numkeys, keywords) are not among them.
struct KeyRange {
  std::size_t first = 0;  // argument index, 0: no such key
  std::size_t step = 1;
  std::size_t fixed = 1;  // keys; 0: as many as there are arguments
  std::size_t tail = 0;   // arguments behind the last key, if not fixed

  // Keys among `argument_count` arguments.
  std::size_t Count(std::size_t argument_count) const {
    if (first == 0 || first + tail >= argument_count) return 0;
    if (fixed == 1) return 1;
    const std::size_t there = (argument_count - tail - first - 1) / step + 1;
    return fixed == 0 ? there : std::min(fixed, there);
  }
};

// One command or subcommand while the server runs.
class Command {
 public:
  Command(const CommandSpec& spec, const Command* parent);

  const CommandSpec& spec() const { return spec_; }
  CommandHandler handler() const { return spec_.handler; }
  bool has(CommandFlag flag) const { return flags_.has(flag); }
  CommandFlags flags() const { return flags_; }
  // The row's categories and those that follow from its flags.
  AclCategories categories() const { return categories_; }
  // "get", "client|list"; a renamed command keeps its first name here, as in Redis.
  const std::string& full_name() const { return full_name_; }
  const Command* parent() const { return parent_; }
  // Small and dense, of subcommands too: the bit of the command in what users may run (acl/).
  std::size_t id() const { return id_; }
  std::span<const std::unique_ptr<Command>> subcommands() const { return subcommands_; }
  const Command* FindSubcommand(std::string_view name) const;  // any case, else nullptr

  bool ArityMatches(std::size_t argument_count) const {
    const auto count = static_cast<std::int64_t>(argument_count);
    return spec_.arity >= 0 ? count == spec_.arity : count >= -std::int64_t{spec_.arity};
  }
  const KeyRange& key_range() const { return key_range_; }
  // No container whose subcommand is unknown, and no configuration keeps it from being called.
  bool open_to_all() const { return open_to_all_; }
  // Brief with so many arguments (CommandSpec::brief_args_max), which its arity allows.
  bool IsBrief(std::size_t argument_count) const {
    return argument_count <= spec_.brief_args_max && ArityMatches(argument_count);
  }

  // Statistics change while the table itself is constant.
  CommandStats& stats() const { return stats_; }

 private:
  const CommandSpec& spec_;
  const Command* parent_;
  CommandFlags flags_;
  AclCategories categories_;
  std::string full_name_;
  KeyRange key_range_;
  bool open_to_all_ = false;
  std::vector<std::unique_ptr<Command>> subcommands_;
  mutable CommandStats stats_;
  friend class CommandTable;
  std::size_t id_ = 0;
};

class CommandTable {
 public:
  // All families (src/commands/families.h).
  CommandTable();

  // By name in any case, nullptr when unknown. O(1), no allocation.
  const Command* Find(std::string_view name) const;
  // "get", "client|list" in any case; nullptr when unknown.
  const Command* FindFullName(std::string_view full_name) const;
  // Removes a name, and gives the command a new one unless `to` is empty (rename-command). The
  // error is the reason, for the start to fail with.
  std::expected<void, std::string> Rename(std::string_view from, std::string_view to);

  // Commands by their names in the table, in the order of the families.
  struct Named {
    std::string name;  // as clients send it, lower case unless renamed otherwise
    const Command* command;
  };
  std::span<const Named> commands() const { return commands_; }
  // All commands, those that rename-command switched off too.
  std::span<const std::unique_ptr<Command>> all() const { return owned_; }

  void ResetStats();

 private:
  static constexpr std::size_t kNameBytesMax = 32;  // longer ones are not in the fast index
  struct IndexSlot {
    std::uint32_t hash = 0;
    std::uint32_t position = 0;  // into commands_, plus one; 0 is empty
  };
  static std::uint32_t HashName(std::string_view name);
  void BuildIndex();

  std::vector<std::unique_ptr<Command>> owned_;
  std::vector<Named> commands_;
  std::vector<IndexSlot> index_;  // open addressing, a power of two, at most half full
};

}  // namespace aeris
