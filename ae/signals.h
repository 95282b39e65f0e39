// Signals as events of the loop, through signalfd(2).
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <expected>
#include <functional>
#include <memory>
#include <span>

#include "ae/event_loop.h"
#include "src/base/error.h"
#include "src/base/unique_fd.h"

namespace aeris::ae {

// Blocks a set of signals in the calling thread, and so in the threads that it starts later, and
// hands each one to a callback on the loop's thread. Made before any other thread, or a signal goes
// to a thread that does not block it. The kernel merges equal signals that wait.
class SignalEvent final : private FileHandler {
 public:
  // `sender` is the process that sent the signal, 0 when it was the kernel.
  using Callback = std::move_only_function<void(int signo, pid_t sender)>;

  static std::expected<std::unique_ptr<SignalEvent>, Error> Create(EventLoop& loop,
                                                                   std::span<const int> signals,
                                                                   Callback callback);
  SignalEvent(const SignalEvent&) = delete;
  SignalEvent& operator=(const SignalEvent&) = delete;
  // Drops the signals that still wait, then unblocks those that Create blocked. Not to be called
  // from the callback.
  ~SignalEvent();

 private:
  SignalEvent(UniqueFd fd, const sigset_t& newly_blocked, Callback callback);
  void OnReady(Ready ready) override;

  UniqueFd fd_;
  sigset_t newly_blocked_;
  Callback callback_;
  FileEvent event_;
};

}  // namespace aeris::ae
