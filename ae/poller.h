// What a back end of the event loop must do: watch descriptors, level-triggered, and say which are
// ready. ae/poller_factory.h makes one by name; tests/ae/poller_test.cc is the contract of all.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <string_view>
#include <vector>

#include "src/base/error.h"

namespace aeris::ae {

enum class Ready : std::uint8_t { kNone = 0, kRead = 1, kWrite = 2, kBoth = 3 };

constexpr Ready operator|(Ready a, Ready b) {
  return static_cast<Ready>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
constexpr Ready operator&(Ready a, Ready b) {
  return static_cast<Ready>(static_cast<unsigned>(a) & static_cast<unsigned>(b));
}
constexpr Ready& operator|=(Ready& a, Ready b) { return a = a | b; }

// Whether `ready` holds any bit of `wanted`.
constexpr bool Has(Ready ready, Ready wanted) { return (ready & wanted) != Ready::kNone; }

struct Fired {
  int fd = -1;
  Ready ready = Ready::kNone;
};

// A wait without end.
inline constexpr std::chrono::milliseconds kForever{-1};

class Poller {
 public:
  virtual ~Poller() = default;

  // `fd` is open and not yet added. kNone adds it silent: nothing is reported, a hang-up neither.
  // Fails with kSystem when the kernel refuses it, kLimit when the back end cannot hold its number.
  virtual std::expected<void, Error> Add(int fd, Ready interest) = 0;
  // `fd` was added. On failure the old interest stays.
  virtual std::expected<void, Error> Change(int fd, Ready interest) = 0;
  // `fd` was added and is still open.
  virtual void Remove(int fd) = 0;

  // Replaces `fired` with the descriptors that are ready, each once; waits for the first one at
  // most `timeout`, kForever without end. A signal ends the wait early. A hang-up or error of a
  // descriptor that has an interest makes it ready in that direction at least, commonly in both, so
  // that its handler meets the error by reading or writing.
  virtual void Wait(std::chrono::milliseconds timeout, std::vector<Fired>& fired) = 0;

  // As in redis.conf: "epoll", "poll", "select".
  virtual std::string_view name() const = 0;
};

}  // namespace aeris::ae
