// Users as text: a file of lines "user <name> <rule> ...", one for each user (aclfile).
#pragma once

#include <expected>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "src/acl/acl_rules.h"

namespace aeris {

// By name, in the order of its bytes.
using AclUserMap = std::map<std::string, std::unique_ptr<AclUser>, std::less<>>;

// Reads all lines. The error tells what is wrong with each line, up to a bound; `name` is what it
// calls the file.
std::expected<AclUserMap, std::string> ParseAclFile(std::string_view name, std::string_view text,
                                                    const AclRuleContext& context);

// One `user` line of the configuration, without that word; quotes count there. The error is the
// reason, with the rule that is wrong.
std::expected<std::unique_ptr<AclUser>, std::string> ParseConfigUser(std::string_view line,
                                                                     const AclRuleContext& context);

// A text that ParseAclFile() reads as these users.
std::string AclFileText(const AclUserMap& users, const AclCatalogue& catalogue);

}  // namespace aeris
