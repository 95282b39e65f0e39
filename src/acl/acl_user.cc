#include "src/acl/acl_user.h"

#include <algorithm>

namespace aeris {

bool AclUser::unrestricted() const {
  return std::ranges::any_of(rights_.selectors, &AclSelector::allows_everything);
}

std::optional<AclDenial> AclUser::Check(AclRequest& request) const {
  AclDenial told{.reason = AclReason::kCommand};
  for (const AclSelector& selector : rights_.selectors) {
    const std::optional<AclDenial> denial = selector.Check(request);
    if (!denial) return std::nullopt;
    if (denial->reason > told.reason ||
        (denial->reason == told.reason && denial->argument > told.argument)) {
      told = *denial;
    }
  }
  return told;
}

bool AclUser::AllowsKey(std::string_view key, KeyFlags flags) const {
  return std::ranges::any_of(rights_.selectors, [&](const AclSelector& selector) {
    return selector.AllowsKey(key, flags);
  });
}

bool AclUser::AllowsChannel(std::string_view channel, bool is_pattern) const {
  return std::ranges::any_of(rights_.selectors, [&](const AclSelector& selector) {
    return selector.AllowsChannel(channel, is_pattern);
  });
}

bool AclUser::ReadsAllKeys(AclRequest& request) const {
  return std::ranges::any_of(rights_.selectors, [&](const AclSelector& selector) {
    return selector.ReadsAllKeys() && !selector.Check(request);
  });
}

}  // namespace aeris
