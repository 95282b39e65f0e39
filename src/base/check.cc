#include "src/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace aeris {

void CheckFailed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "=== ASSERTION FAILED ===\n==> %s:%d '%s' is not true\n", file, line,
               expression);
  std::abort();
}

}  // namespace aeris
