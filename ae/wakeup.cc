#include "ae/wakeup.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "src/base/check.h"

namespace aeris::ae {

std::expected<std::unique_ptr<Wakeup>, Error> Wakeup::Create(
    EventLoop& loop, std::move_only_function<void()> callback) {
  UniqueFd fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!fd) return std::unexpected(Error::System("cannot make an event descriptor", errno));
  const int raw_fd = fd.get();
  std::unique_ptr<Wakeup> wakeup(new Wakeup(std::move(fd), std::move(callback)));
  auto watch = loop.Watch(raw_fd, Ready::kRead, *wakeup);
  if (!watch) return std::unexpected(std::move(watch.error()));
  wakeup->event_ = std::move(*watch);
  return wakeup;
}

Wakeup::Wakeup(UniqueFd fd, std::move_only_function<void()> callback)
    : fd_(std::move(fd)), callback_(std::move(callback)) {}

void Wakeup::Ring() {
  if (rung_.exchange(true, std::memory_order_acq_rel)) return;
  const std::uint64_t one = 1;
  ssize_t written = 0;
  do {
    written = ::write(fd_.get(), &one, sizeof one);
  } while (written < 0 && errno == EINTR);
  // The counter is 0 or 1, so the write never blocks.
  AERIS_CHECK(written == static_cast<ssize_t>(sizeof one));
}

// The flag falls after the read and before the callback: a ring in between finds the flag up and
// the callback still to come; a later one writes again. The exchange makes what the last ringer
// wrote visible.
void Wakeup::OnReady(Ready) {
  std::uint64_t count = 0;
  const ssize_t got = ::read(fd_.get(), &count, sizeof count);
  AERIS_DCHECK(got == static_cast<ssize_t>(sizeof count));
  static_cast<void>(got);
  rung_.exchange(false, std::memory_order_acq_rel);
  callback_();
}

}  // namespace aeris::ae
