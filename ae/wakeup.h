// A bell that any thread may ring and the loop hears, through eventfd(2).
#pragma once

#include <atomic>
#include <expected>
#include <functional>
#include <memory>

#include "ae/event_loop.h"
#include "src/base/error.h"
#include "src/base/unique_fd.h"

namespace aeris::ae {

// The callback runs on the loop's thread, at least once after each Ring() and at most once per
// turn: rings that come before it has run are one. What a thread wrote before Ring() the callback
// sees.
class Wakeup final : private FileHandler {
 public:
  static std::expected<std::unique_ptr<Wakeup>, Error> Create(
      EventLoop& loop, std::move_only_function<void()> callback);
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;
  // On the loop's thread, when no thread rings any more; not from the callback.
  ~Wakeup() = default;

  // From any thread. A system call only for the first ring since the
  // callback last began.
  void Ring();

 private:
  Wakeup(UniqueFd fd, std::move_only_function<void()> callback);
  void OnReady(Ready ready) override;

  UniqueFd fd_;
  std::move_only_function<void()> callback_;
  std::atomic<bool> rung_ = false;
  FileEvent event_;
};

}  // namespace aeris::ae
