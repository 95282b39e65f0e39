#include "src/base/random.h"

#include <sys/random.h>

#include <cerrno>

#include "src/base/check.h"

namespace aeris {

void FillWithSecret(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t got = getrandom(bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    AERIS_CHECK(got > 0);  // fails only on a kernel without the call, older than 3.17
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace aeris
