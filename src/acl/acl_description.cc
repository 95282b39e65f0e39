#include "src/acl/acl_description.h"

#include <algorithm>

#include "src/quoted_text.h"

namespace aeris {
namespace {

// "~*" would be read as all keys, behind which no pattern may come: a file with it would not load.
std::string_view KeyPrefix(const AclKeyPattern& pattern) {
  if (pattern.read && pattern.write) return pattern.pattern == "*" ? "%RW~" : "~";
  return pattern.read ? "%R~" : "%W~";
}

void AppendWord(std::string& text, std::string_view word) {
  if (word.empty()) return;
  if (!text.empty()) text += ' ';
  text += word;
}

std::string DescribeSelector(const AclSelector& selector, const AclCatalogue& catalogue) {
  std::string text = DescribeKeys(selector);
  if (!selector.all_channels()) AppendWord(text, "resetchannels");
  AppendWord(text, DescribeChannels(selector));
  AppendWord(text, selector.commands().Describe(catalogue));
  return text;
}

// Words between parentheses are read with their quotes, and one that ends in a parenthesis would be
// the last.
std::string InParentheses(std::string_view rules) {
  std::string text;
  while (!rules.empty()) {
    const std::size_t end = std::min(rules.find(' '), rules.size());
    const std::string_view word = rules.substr(0, end);
    rules.remove_prefix(std::min(end + 1, rules.size()));
    const bool plain = word.find_first_of("\"'\\") == word.npos && !word.ends_with(')');
    AppendWord(text, plain ? std::string(word) : QuotedText(word));
  }
  return "(" + text + ")";
}

}  // namespace

std::string DescribeKeys(const AclSelector& selector) {
  if (selector.all_keys()) return "~*";
  std::string text;
  for (const AclKeyPattern& pattern : selector.keys()) {
    AppendWord(text, KeyPrefix(pattern));
    text += pattern.pattern;
  }
  return text;
}

std::string DescribeChannels(const AclSelector& selector) {
  if (selector.all_channels()) return "&*";
  std::string text;
  for (const std::string& pattern : selector.channels()) {
    AppendWord(text, "&");
    text += pattern;
  }
  return text;
}

std::vector<std::string_view> FlagNames(const AclUser::Rights& rights) {
  std::vector<std::string_view> names = {rights.enabled ? "on" : "off"};
  if (rights.any_password) names.push_back("nopass");
  if (rights.payloads == AclUser::Payloads::kTrusted) names.push_back("skip-sanitize-payload");
  if (rights.payloads == AclUser::Payloads::kSanitized) names.push_back("sanitize-payload");
  return names;
}

std::string DescribeRights(const AclUser::Rights& rights, const AclCatalogue& catalogue) {
  std::string text;
  for (const std::string_view name : FlagNames(rights)) AppendWord(text, name);
  for (const PasswordDigest& password : rights.passwords) {
    AppendWord(text, "#" + DigestText(password));
  }
  bool root = true;
  for (const AclSelector& selector : rights.selectors) {
    const std::string rules = DescribeSelector(selector, catalogue);
    AppendWord(text, root ? rules : InParentheses(rules));
    root = false;
  }
  return text;
}

std::string DescribeUser(const AclUser& user, const AclCatalogue& catalogue) {
  return "user " + user.name() + " " + DescribeRights(user.rights(), catalogue);
}

}  // namespace aeris
