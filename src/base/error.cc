#include "src/base/error.h"

#include <cstring>

namespace aeris {

Error Error::System(std::string what, int sys_errno) {
  what += ": ";
  char text[128];
  what += strerror_r(sys_errno, text, sizeof text);  // the GNU form, which returns the text
  return {ErrorCode::kSystem, sys_errno, std::move(what)};
}

}  // namespace aeris
