#include "src/acl/acl_command_set.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "src/acl/acl_limits.h"
#include "src/base/check.h"
#include "src/command_names.h"
#include "src/text.h"

namespace aeris {

void AclCommandSet::AllowAll() {
  bits_.set();
  all_ = true;
  first_arguments_.clear();
}

void AclCommandSet::AllowNone() {
  bits_.reset();
  all_ = false;
  first_arguments_.clear();
}

void AclCommandSet::Change(const AclCatalogue& catalogue, std::size_t id, bool allow) {
  if (!allow) all_ = false;
  bits_.set(id, allow);
  first_arguments_.erase(id);
  for (const std::size_t subcommand : catalogue[id].subcommands) bits_.set(subcommand, allow);
}

void AclCommandSet::ChangeCategory(const AclCatalogue& catalogue, AclCategory category,
                                   bool allow) {
  for (const std::size_t id : catalogue.order()) {
    if (catalogue[id].categories.has(category)) Change(catalogue, id, allow);
  }
}

bool AclCommandSet::AllowFirstArgument(std::size_t id, std::string_view argument) {
  std::vector<std::string>& allowed = first_arguments_[id];
  const bool there = std::ranges::any_of(
      allowed, [&](const std::string& other) { return EqualsIgnoringCase(other, argument); });
  if (there) return true;
  if (allowed.size() == kAclItemsMax) return false;
  allowed.emplace_back(argument);
  return true;
}

bool AclCommandSet::Allows(const Command& command,
                           std::span<const std::string_view> arguments) const {
  if (all_ || bits_.test(command.id()) || command.has(CommandFlag::kNoAuth)) return true;
  if (arguments.size() < 2 || first_arguments_.empty()) return false;
  const auto found = first_arguments_.find(command.id());
  return found != first_arguments_.end() &&
         std::ranges::any_of(found->second, [&](const std::string& allowed) {
           return EqualsIgnoringCase(allowed, arguments[1]);
         });
}

// Categories are taken as long as one has more commands that the set wants changed than others.
// `reached` is what the rules so far make.
std::string AclCommandSet::FittingCategories(const AclCatalogue& catalogue,
                                             AclCommandSet& reached) const {
  const bool adds = !bits_.test(kToCome);
  AclCommandSet left = *this;  // without what the categories so far have explained
  std::array<bool, kAclCategoryNames.size()> taken{};
  std::string rules;
  for (;;) {
    std::optional<std::size_t> best;
    std::size_t best_different = std::numeric_limits<std::size_t>::max();
    std::size_t best_same = 0;
    for (std::size_t i = 0; i < taken.size(); ++i) {
      if (taken[i]) continue;
      // Only of commands that Redis 7.0 has, so that the guess is Redis's.
      const AclCommandBits& category = catalogue.of_redis(static_cast<AclCategory>(i));
      const std::size_t allowed = (left.bits_ & category).count();
      const std::size_t denied = category.count() - allowed;
      const std::size_t different = adds ? denied : allowed;
      const std::size_t same = adds ? allowed : denied;
      if (same <= different) continue;
      if (different > best_different || (different == best_different && same <= best_same)) {
        continue;
      }
      best = i;
      best_different = different;
      best_same = same;
    }
    if (!best) return rules;
    taken[*best] = true;
    reached.ChangeCategory(catalogue, static_cast<AclCategory>(*best), adds);
    left.ChangeCategory(catalogue, static_cast<AclCategory>(*best), !adds);
    rules.append(adds ? " +@" : " -@").append(kAclCategoryNames[*best]);
  }
}

std::string AclCommandSet::Describe(const AclCatalogue& catalogue) const {
  AclCommandSet reached;
  std::string rules = "-@all";
  if (bits_.test(kToCome)) {
    rules = "+@all";
    reached.AllowAll();
  }
  rules += FittingCategories(catalogue, reached);
  const auto add_first_arguments = [&](std::size_t id) {
    const auto found = first_arguments_.find(id);
    if (found == first_arguments_.end() || bits_.test(id)) return;
    for (const std::string& argument : found->second) {
      rules.append(" +").append(catalogue[id].name).append("|").append(argument);
    }
  };
  for (const std::size_t id : catalogue.order()) {
    if (reached.has(id) != bits_.test(id)) {
      reached.Change(catalogue, id, bits_.test(id));
      rules.append(bits_.test(id) ? " +" : " -").append(catalogue[id].name);
    }
    add_first_arguments(id);
  }
  AERIS_CHECK(reached.bits_ == bits_);
  return rules;
}

}  // namespace aeris
