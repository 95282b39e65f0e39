#include "src/command_table.h"

#include <algorithm>
#include <array>

#include "src/base/check.h"
#include "src/commands/families.h"
#include "src/text.h"

namespace aeris {
namespace {

AclCategories ImpliedCategories(CommandFlags flags) {
  AclCategories implied = flags.has(CommandFlag::kFast) ? AclCategory::kFast : AclCategory::kSlow;
  if (flags.has(CommandFlag::kWrite)) implied = implied | AclCategory::kWrite;
  if (flags.has(CommandFlag::kAdmin)) {
    implied = implied | AclCategory::kAdmin | AclCategory::kDangerous;
  }
  if (flags.has(CommandFlag::kPubsub)) implied = implied | AclCategory::kPubsub;
  if (flags.has(CommandFlag::kBlocking)) implied = implied | AclCategory::kBlocking;
  return implied;
}

KeyRange RangeOf(const KeySpec& spec) {
  if (spec.begin != KeySpec::Begin::kIndex || spec.find != KeySpec::Find::kRange) return {};
  if (spec.flags.has(KeyFlag::kNotKey)) return {};
  KeyRange range{.first = static_cast<std::size_t>(spec.index),
                 .step = static_cast<std::size_t>(spec.step)};
  if (spec.last >= 0) {
    range.fixed = static_cast<std::size_t>(spec.last / spec.step + 1);
  } else if (spec.limit <= 1) {
    range.fixed = 0;
    range.tail = static_cast<std::size_t>(-spec.last - 1);
  }
  return range;
}

}  // namespace

Command::Command(const CommandSpec& spec, const Command* parent)
    : spec_(spec),
      parent_(parent),
      flags_(spec.flags),
      categories_(spec.acl | ImpliedCategories(spec.flags)),
      full_name_(parent == nullptr ? std::string(spec.name)
                                   : parent->full_name() + "|" + std::string(spec.name)) {
  // Reading data is @read, unless the command is about scripts (Redis: read-only and not
  // scripting).
  if (spec.flags.has(CommandFlag::kReadonly) && !spec.acl.has(AclCategory::kScripting)) {
    categories_ = categories_ | AclCategory::kRead;
  }
  if (!spec.keys.empty()) key_range_ = RangeOf(spec.keys[0]);
  open_to_all_ = spec.subcommands.empty() && !flags_.has(CommandFlag::kProtected);
  for (const CommandSpec& subcommand : spec.subcommands) {
    subcommands_.push_back(std::make_unique<Command>(subcommand, this));
  }
}

const Command* Command::FindSubcommand(std::string_view name) const {
  for (const auto& subcommand : subcommands_) {
    if (EqualsIgnoringCase(subcommand->spec().name, name)) return subcommand.get();
  }
  return nullptr;
}

CommandTable::CommandTable() {
  for (const std::span<const CommandSpec> family : AllFamilies()) {
    for (const CommandSpec& spec : family) {
      owned_.push_back(std::make_unique<Command>(spec, nullptr));
      commands_.push_back({std::string(spec.name), owned_.back().get()});
    }
  }
  std::size_t next_id = 0;
  for (const auto& command : owned_) {
    command->id_ = next_id++;
    for (const auto& subcommand : command->subcommands_) subcommand->id_ = next_id++;
  }
  BuildIndex();
}

const Command* CommandTable::Find(std::string_view name) const {
  if (name.empty() || name.size() > kNameBytesMax) [[unlikely]] {
    return nullptr;
  }
  const std::uint32_t hash = HashName(name);
  const std::size_t mask = index_.size() - 1;
  for (std::size_t at = hash & mask; index_[at].position != 0; at = (at + 1) & mask) {
    if (index_[at].hash != hash) continue;
    const Named& named = commands_[index_[at].position - 1];
    if (EqualsIgnoringCase(named.name, name)) return named.command;
  }
  return nullptr;
}

const Command* CommandTable::FindFullName(std::string_view full_name) const {
  const std::size_t bar = full_name.find('|');
  const Command* command = Find(full_name.substr(0, bar));
  if (command == nullptr || bar == std::string_view::npos) return command;
  return command->FindSubcommand(full_name.substr(bar + 1));
}

std::expected<void, std::string> CommandTable::Rename(std::string_view from, std::string_view to) {
  const auto found = std::ranges::find_if(
      commands_, [&](const Named& named) { return EqualsIgnoringCase(named.name, from); });
  if (found == commands_.end()) return std::unexpected("No such command in rename-command");
  if (!to.empty()) {
    if (to.size() > kNameBytesMax) return std::unexpected("Target command name is too long");
    if (Find(to) != nullptr) return std::unexpected("Target command name already exists");
    found->name = to;
  } else {
    commands_.erase(found);
  }
  BuildIndex();
  return {};
}

void CommandTable::ResetStats() {
  const auto reset = [](const Command& command) {
    CommandStats& stats = command.stats();
    stats.calls = stats.nanoseconds = stats.rejected = stats.failed = 0;
    stats.latency.Reset();
  };
  for (const auto& command : owned_) {
    reset(*command);
    for (const auto& subcommand : command->subcommands()) reset(*subcommand);
  }
}

std::uint32_t CommandTable::HashName(std::string_view name) {
  // FNV-1a over the lower-cased bytes: names are short and the table is ours.
  std::uint32_t hash = 2166136261U;
  for (const char c : name) {
    hash = (hash ^ static_cast<std::uint8_t>(LowerCase(c))) * 16777619U;
  }
  return hash;
}

void CommandTable::BuildIndex() {
  std::size_t slots = 64;
  while (slots < commands_.size() * 2) slots *= 2;
  index_.assign(slots, {});
  for (std::size_t i = 0; i < commands_.size(); ++i) {
    AERIS_CHECK(commands_[i].name.size() <= kNameBytesMax);
    const std::uint32_t hash = HashName(commands_[i].name);
    std::size_t at = hash & (slots - 1);
    while (index_[at].position != 0) at = (at + 1) & (slots - 1);
    index_[at] = {hash, static_cast<std::uint32_t>(i + 1)};
  }
}

}  // namespace aeris
