// AclCommandSet: the commands that a selector allows.
//
//   bits             one for each command and subcommand of the catalogue, and one for those to
//   come first arguments  of commands whose bit is not set: allowed with these as first argument
//
// Cost:    one bit test; for a command that is not allowed, a comparison with each first argument.
// Memory:  128 bytes, and what first arguments take.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/acl/acl_catalogue.h"

namespace aeris {

class AclCommandSet {
 public:
  void AllowAll();
  void AllowNone();
  // The command and its subcommands; what was said of their first arguments is forgotten.
  void Change(const AclCatalogue& catalogue, std::size_t id, bool allow);
  void ChangeCategory(const AclCatalogue& catalogue, AclCategory category, bool allow);
  // False when there are too many.
  [[nodiscard]] bool AllowFirstArgument(std::size_t id, std::string_view argument);

  // Everything, since AllowAll() and nothing taken away.
  bool all() const { return all_; }
  bool has(std::size_t id) const { return bits_.test(id); }
  // Whether the request may run. Commands that lead to a login always may.
  bool Allows(const Command& command, std::span<const std::string_view> arguments) const;

  // The rules that make this set of a new one: "+@all -@dangerous +info". As in Redis, categories
  // are guessed from what is allowed: the one that fits best, again and again, then single
  // commands.
  std::string Describe(const AclCatalogue& catalogue) const;

 private:
  static constexpr std::size_t kToCome = kAclCommandsMax - 1;
  std::string FittingCategories(const AclCatalogue& catalogue, AclCommandSet& reached) const;

  AclCommandBits bits_;
  bool all_ = false;
  std::map<std::size_t, std::vector<std::string>> first_arguments_;
};

}  // namespace aeris
