#include "src/acl/acl_rules.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "protocol/inline_parser.h"
#include "src/acl/acl_limits.h"
#include "src/command_names.h"
#include "src/text.h"

namespace aeris {
namespace {

using Result = std::expected<void, AclFault>;

std::unexpected<AclFault> Fault(AclFault fault) { return std::unexpected(fault); }

Result Done(bool fits) {
  if (!fits) return Fault(AclFault::kTooMany);
  return {};
}

// ---- Keys and channels

// What stands before the pattern: "~", or "%R~", "%W~", "%RW~" in any case and order. As in Redis,
// the '~' may be missing when nothing follows.
Result AddKeyPattern(AclSelector& selector, std::string_view rule) {
  if (selector.all_keys()) return Fault(AclFault::kKeysAfterAll);
  AclKeyPattern pattern;
  std::size_t at = 1;
  if (rule[0] == '~') {
    pattern.read = pattern.write = true;
  } else {
    for (; at < rule.size(); ++at) {
      const char letter = UpperCase(rule[at]);
      if (letter == 'R' && !pattern.read) {
        pattern.read = true;
      } else if (letter == 'W' && !pattern.write) {
        pattern.write = true;
      } else if (letter == '~' && (pattern.read || pattern.write)) {
        ++at;
        break;
      } else {
        return Fault(AclFault::kSyntax);
      }
    }
    if (!pattern.read && !pattern.write) return Fault(AclFault::kSyntax);
  }
  pattern.pattern = rule.substr(at);
  if (HasSpaceOrNul(pattern.pattern)) return Fault(AclFault::kSyntax);
  return Done(selector.AddKeys(std::move(pattern)));
}

Result AddChannelPattern(AclSelector& selector, std::string_view rule) {
  if (selector.all_channels()) return Fault(AclFault::kChannelsAfterAll);
  if (HasSpaceOrNul(rule)) return Fault(AclFault::kSyntax);
  return Done(selector.AddChannels(rule.substr(1)));
}

// ---- Commands

Result ChangeCategory(AclCommandSet& commands, std::string_view name, bool allow,
                      const AclCatalogue& catalogue) {
  const std::optional<AclCategory> category = FindAclCategory(name);
  if (!category) return Fault(AclFault::kUnknownCommand);
  commands.ChangeCategory(catalogue, *category, allow);
  return {};
}

// "config|get" is a subcommand, "select|0" a command with its first argument.
Result AllowCommand(AclCommandSet& commands, std::string_view name, const AclCatalogue& catalogue) {
  if (const auto id = catalogue.Find(name)) {
    commands.Change(catalogue, *id, true);
    return {};
  }
  const std::size_t bar = name.rfind('|');
  if (bar == std::string_view::npos) return Fault(AclFault::kUnknownCommand);
  const auto id = catalogue.Find(name.substr(0, bar));
  const std::string_view argument = name.substr(bar + 1);
  if (!id) return Fault(AclFault::kUnknownCommand);
  if (catalogue[*id].parent) return Fault(AclFault::kFirstArgumentOfSubcommand);
  // One with a space could not be read again from a file.
  if (argument.empty() || HasSpaceOrNul(argument)) return Fault(AclFault::kSyntax);
  if (!catalogue[*id].subcommands.empty()) return Fault(AclFault::kUnknownCommand);
  return Done(commands.AllowFirstArgument(*id, argument));
}

Result DenyCommand(AclCommandSet& commands, std::string_view name, const AclCatalogue& catalogue) {
  const auto id = catalogue.Find(name);
  if (!id) return Fault(AclFault::kUnknownCommand);
  commands.Change(catalogue, *id, false);
  return {};
}

// ---- Selectors

Result ApplyToSelector(AclSelector& selector, std::string_view rule,
                       const AclCatalogue& catalogue) {
  const auto is = [rule](std::string_view word, std::string_view sign) {
    return EqualsIgnoringCase(rule, word) || EqualsIgnoringCase(rule, sign);
  };
  if (rule.empty()) return Fault(AclFault::kSyntax);
  if (is("allkeys", "~*")) return selector.SetAllKeys(true), Result();
  if (is("resetkeys", "resetkeys")) return selector.SetAllKeys(false), Result();
  if (is("allchannels", "&*")) return selector.SetAllChannels(true), Result();
  if (is("resetchannels", "resetchannels")) return selector.SetAllChannels(false), Result();
  if (is("allcommands", "+@all")) return selector.commands().AllowAll(), Result();
  if (is("nocommands", "-@all")) return selector.commands().AllowNone(), Result();
  if (rule[0] == '~' || rule[0] == '%') return AddKeyPattern(selector, rule);
  if (rule[0] == '&') return AddChannelPattern(selector, rule);
  if (rule[0] != '+' && rule[0] != '-') return Fault(AclFault::kSyntax);
  const bool allow = rule[0] == '+';
  const std::string_view name = rule.substr(1);
  if (name.starts_with('@')) {
    return ChangeCategory(selector.commands(), name.substr(1), allow, catalogue);
  }
  return allow ? AllowCommand(selector.commands(), name, catalogue)
               : DenyCommand(selector.commands(), name, catalogue);
}

// Of Redis's words "(+get ~key*)" the quotes count, too; unbalanced ones are a fault here.
Result AddSelector(AclUser::Rights& rights, std::string_view rule, const AclRuleContext& context) {
  const auto words = protocol::SplitArguments(rule.substr(1, rule.size() - 2));
  if (!words) return Fault(AclFault::kSyntax);
  AclSelector selector(context.default_all_channels);
  for (const std::string& word : *words) {
    if (auto done = ApplyToSelector(selector, word, context.catalogue); !done) return done;
  }
  // One more for the root.
  if (rights.selectors.size() > kAclItemsMax) return Fault(AclFault::kTooMany);
  rights.selectors.push_back(std::move(selector));
  return {};
}

// ---- Users

std::optional<PasswordDigest> DigestOfRule(std::string_view rule) {
  const bool clear = rule[0] == '>' || rule[0] == '<';
  return clear ? DigestOf(rule.substr(1)) : ParseDigest(rule.substr(1));
}

Result AddPassword(AclUser::Rights& rights, std::string_view rule) {
  const auto digest = DigestOfRule(rule);
  if (!digest) return Fault(AclFault::kBadDigest);
  const bool known = std::ranges::find(rights.passwords, *digest) != rights.passwords.end();
  if (!known && rights.passwords.size() == kAclItemsMax) return Fault(AclFault::kTooMany);
  if (!known) rights.passwords.push_back(*digest);
  rights.any_password = false;
  return {};
}

Result RemovePassword(AclUser::Rights& rights, std::string_view rule) {
  const auto digest = DigestOfRule(rule);
  if (!digest) return Fault(AclFault::kBadDigest);
  if (std::erase(rights.passwords, *digest) == 0) return Fault(AclFault::kNoSuchPassword);
  return {};
}

void Reset(AclUser::Rights& rights, const AclRuleContext& context) {
  rights = {.payloads = AclUser::Payloads::kSanitized};
  rights.selectors.emplace_back(context.default_all_channels);
}

void SetAnyPassword(AclUser::Rights& rights, bool any) {
  rights.any_password = any;
  rights.passwords.clear();
}

// True when it was one of the words that take nothing.
bool ApplyWord(AclUser::Rights& rights, std::string_view rule, const AclRuleContext& context) {
  const auto is = [rule](std::string_view word) { return EqualsIgnoringCase(rule, word); };
  if (is("on") || is("off")) {
    rights.enabled = is("on");
  } else if (is("nopass") || is("resetpass")) {
    SetAnyPassword(rights, is("nopass"));
  } else if (is("sanitize-payload") || is("skip-sanitize-payload")) {
    rights.payloads =
        is("sanitize-payload") ? AclUser::Payloads::kSanitized : AclUser::Payloads::kTrusted;
  } else if (is("clearselectors")) {
    rights.selectors.erase(rights.selectors.begin() + 1, rights.selectors.end());
  } else if (is("reset")) {
    Reset(rights, context);
  } else {
    return false;
  }
  return true;
}

}  // namespace

std::string_view AclFaultText(AclFault fault) {
  switch (fault) {
    case AclFault::kUnknownCommand:
      return "Unknown command or category name in ACL";
    case AclFault::kKeysAfterAll:
      return "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does "
             "not have any effect. Try 'resetkeys' to start with an empty list of patterns";
    case AclFault::kChannelsAfterAll:
      return "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and "
             "does not have any effect. Try 'resetchannels' to start with an empty list of "
             "channels";
    case AclFault::kNoSuchPassword:
      return "The password you are trying to remove from the user does not exist";
    case AclFault::kBadDigest:
      return "The password hash must be exactly 64 characters and contain only lowercase "
             "hexadecimal characters";
    case AclFault::kFirstArgumentOfSubcommand:
      return "Allowing first-arg of a subcommand is not supported";
    case AclFault::kTooMany:
      return "Too many rules of this kind";
    case AclFault::kSyntax:
      break;
  }
  return "Syntax error";
}

std::expected<void, AclFault> ApplyAclRule(AclUser::Rights& rights, std::string_view rule,
                                           const AclRuleContext& context) {
  if (rule.empty() || ApplyWord(rights, rule, context)) return {};
  if (rule[0] == '>' || rule[0] == '#') return AddPassword(rights, rule);
  if (rule[0] == '<' || rule[0] == '!') return RemovePassword(rights, rule);
  if (rule[0] == '(' && rule.ends_with(')')) return AddSelector(rights, rule, context);
  return ApplyToSelector(rights.selectors.front(), rule, context.catalogue);
}

std::expected<std::vector<std::string>, std::size_t> JoinSelectors(
    std::span<const std::string_view> words) {
  std::vector<std::string> rules;
  std::optional<std::size_t> open;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (open) {
      rules.back().append(" ").append(words[i]);
      if (words[i].ends_with(')')) open.reset();
      continue;
    }
    rules.emplace_back(words[i]);
    if (words[i].starts_with('(') && !words[i].ends_with(')')) open = i;
  }
  if (open) return std::unexpected(*open);
  return rules;
}

bool HasSpaceOrNul(std::string_view text) {
  return text.find_first_of(std::string_view(" \t\n\v\f\r\0", 7)) != std::string_view::npos;
}

}  // namespace aeris
