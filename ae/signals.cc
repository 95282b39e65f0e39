#include "ae/signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>

#include "src/base/check.h"

namespace aeris::ae {

std::expected<std::unique_ptr<SignalEvent>, Error> SignalEvent::Create(EventLoop& loop,
                                                                       std::span<const int> signals,
                                                                       Callback callback) {
  sigset_t wanted;
  sigset_t old;
  sigset_t newly_blocked;
  sigemptyset(&wanted);
  sigemptyset(&newly_blocked);
  for (const int signo : signals) AERIS_CHECK(sigaddset(&wanted, signo) == 0);
  AERIS_CHECK(pthread_sigmask(SIG_BLOCK, &wanted, &old) == 0);
  for (const int signo : signals) {
    if (sigismember(&old, signo) == 0) sigaddset(&newly_blocked, signo);
  }
  UniqueFd fd(::signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd) {
    const int sys_errno = errno;
    AERIS_CHECK(pthread_sigmask(SIG_UNBLOCK, &newly_blocked, nullptr) == 0);
    return std::unexpected(Error::System("cannot make a signal descriptor", sys_errno));
  }
  const int raw_fd = fd.get();
  std::unique_ptr<SignalEvent> event(
      new SignalEvent(std::move(fd), newly_blocked, std::move(callback)));
  auto watch = loop.Watch(raw_fd, Ready::kRead, *event);
  if (!watch) return std::unexpected(std::move(watch.error()));
  event->event_ = std::move(*watch);
  return event;
}

SignalEvent::SignalEvent(UniqueFd fd, const sigset_t& newly_blocked, Callback callback)
    : fd_(std::move(fd)), newly_blocked_(newly_blocked), callback_(std::move(callback)) {}

SignalEvent::~SignalEvent() {
  event_.Reset();
  signalfd_siginfo info;
  while (::read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
  }
  AERIS_CHECK(pthread_sigmask(SIG_UNBLOCK, &newly_blocked_, nullptr) == 0);
}

// One signal a call: the descriptor is level-triggered, so the others come in the next turns.
void SignalEvent::OnReady(Ready) {
  signalfd_siginfo info;
  if (::read(fd_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return;
  // Only kill(2) and its kin name a sender; for the kernel's own signals the field is unrelated.
  const bool from_process =
      info.ssi_code == SI_USER || info.ssi_code == SI_QUEUE || info.ssi_code == SI_TKILL;
  callback_(static_cast<int>(info.ssi_signo),
            from_process ? static_cast<pid_t>(info.ssi_pid) : pid_t{0});
}

}  // namespace aeris::ae
