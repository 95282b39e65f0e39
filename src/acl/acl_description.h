// Rights in the words of rules, as ACL LIST, ACL GETUSER, ACL SAVE and CONFIG REWRITE show them.
// Applying the words to a new user gives the same rights.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/acl/acl_user.h"

namespace aeris {

// "on nopass ~* &* +@all", selectors in parentheses.
std::string DescribeRights(const AclUser::Rights& rights, const AclCatalogue& catalogue);
// "user alice on ...", a line of a file of users.
std::string DescribeUser(const AclUser& user, const AclCatalogue& catalogue);

// "on", "nopass" ...
std::vector<std::string_view> FlagNames(const AclUser::Rights& rights);
// "~cache:* %R~log:*"
std::string DescribeKeys(const AclSelector& selector);
// "&news &sports:*"
std::string DescribeChannels(const AclSelector& selector);

}  // namespace aeris
