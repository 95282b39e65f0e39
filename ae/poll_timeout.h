// The timeout argument of poll(2) and epoll_wait(2).
#pragma once

#include <algorithm>
#include <chrono>
#include <climits>

namespace aeris::ae {

// -1 for any negative timeout; a longer one than fits is cut, which ends a wait early and no more.
constexpr int ToPollTimeout(std::chrono::milliseconds timeout) {
  if (timeout.count() < 0) return -1;
  return static_cast<int>(std::min<std::chrono::milliseconds::rep>(timeout.count(), INT_MAX));
}

}  // namespace aeris::ae
