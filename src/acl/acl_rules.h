// The language of access rules: "on >secret ~cache:* +@read (+set ~own:*)".
//
//   on off nopass resetpass >password <password #digest !digest reset
//   sanitize-payload skip-sanitize-payload clearselectors (rules of a selector)
//   of the root and of selectors: allkeys resetkeys ~pattern %R~pattern %W~pattern %RW~pattern
//     allchannels resetchannels &pattern allcommands nocommands +command -command +command|sub
//     -command|sub +command|first-argument +@category -@category
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/acl/acl_user.h"

namespace aeris {

enum class AclFault : std::uint8_t {
  kUnknownCommand,
  kSyntax,
  kKeysAfterAll,
  kChannelsAfterAll,
  kNoSuchPassword,
  kBadDigest,
  kFirstArgumentOfSubcommand,
  kTooMany,
};
// Redis's words; the last one has none there.
std::string_view AclFaultText(AclFault fault);

// What rules mean depends on.
struct AclRuleContext {
  const AclCatalogue& catalogue;
  bool default_all_channels;  // acl-pubsub-default
};

// One rule; after a fault the rights are as they were.
std::expected<void, AclFault> ApplyAclRule(AclUser::Rights& rights, std::string_view rule,
                                           const AclRuleContext& context);

// Words that belong to one selector joined to one rule. The error is the place of the word whose
// parenthesis is not closed.
std::expected<std::vector<std::string>, std::size_t> JoinSelectors(
    std::span<const std::string_view> words);

// Names and patterns have no white space and no NUL, so that they can be written in lines.
bool HasSpaceOrNul(std::string_view text);

}  // namespace aeris
