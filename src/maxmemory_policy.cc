#include "src/maxmemory_policy.h"

#include "src/text.h"

namespace aeris {

std::optional<MaxmemoryPolicy> MaxmemoryPolicyNamed(std::string_view name) {
  for (const MaxmemoryPolicyRow& row : kMaxmemoryPolicies) {
    if (EqualsIgnoringCase(name, row.name)) return row.policy;
  }
  return std::nullopt;
}

}  // namespace aeris
