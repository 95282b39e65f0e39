// PFSELFTEST: that this build of the server counts right.
#pragma once

#include <optional>
#include <string>

namespace aeris::storage::hyperloglog {

// What is wrong; nullopt when nothing is. A few milliseconds.
std::optional<std::string> SelfTest();

}  // namespace aeris::storage::hyperloglog
