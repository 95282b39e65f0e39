#include "ae/listener.h"

#include <optional>
#include <utility>

#include "ae/socket.h"

namespace aeris::ae {

std::expected<std::unique_ptr<Listener>, Error> Listener::Create(EventLoop& loop, UniqueFd fd,
                                                                 Options options,
                                                                 Callback callback) {
  const int raw_fd = fd.get();
  std::unique_ptr<Listener> listener(
      new Listener(loop, std::move(fd), std::move(options), std::move(callback)));
  auto watch = loop.Watch(raw_fd, Ready::kRead, *listener);
  if (!watch) return std::unexpected(std::move(watch.error()));
  listener->event_ = std::move(*watch);
  return listener;
}

Listener::Listener(EventLoop& loop, UniqueFd fd, Options options, Callback callback)
    : loop_(loop),
      fd_(std::move(fd)),
      options_(std::move(options)),
      callback_(std::move(callback)) {}

Listener::~Listener() {
  if (destroyed_ != nullptr) *destroyed_ = true;
}

void Listener::OnReady(Ready) { AcceptSome(); }

void Listener::AcceptSome() {
  for (std::size_t i = 0; i < options_.accepts_per_turn_max; ++i) {
    AcceptResult result = Accept(fd_.get());
    switch (result.status) {
      case AcceptStatus::kConnection:
        if (!HandOver(std::move(result))) return;
        break;
      case AcceptStatus::kRetry:
        ++transient_count_;
        break;
      case AcceptStatus::kNothingLeft:
        Resume();
        return;
      case AcceptStatus::kDescriptorsExhausted:
      case AcceptStatus::kListenerBroken:
        Pause(result.sys_errno);
        return;
    }
  }
  Resume();
}

// The callback lies on the stack meanwhile, since it may destroy the Listener.
bool Listener::HandOver(AcceptResult result) {
  ++accept_count_;
  bool destroyed = false;
  destroyed_ = &destroyed;
  Callback callback = std::move(callback_);
  callback(std::move(result.fd), std::move(result.peer));
  if (destroyed) return false;
  callback_ = std::move(callback);
  destroyed_ = nullptr;
  return true;
}

// A broken listener is treated alike: it cannot be mended here, but it must not spin either.
void Listener::Pause(int sys_errno) {
  if (paused()) return;
  // When the kernel refuses the change we are called again next turn: no worse than before.
  if (!event_.SetInterest(Ready::kNone)) return;
  ++pause_count_;
  retry_ = loop_.AddTimeEvent(options_.pause, [this] { return Retry(); });
  if (options_.on_pause) options_.on_pause(sys_errno);
}

std::optional<std::chrono::milliseconds> Listener::Retry() {
  // Resume() or the callback may end this timer, and the closure with it; `pause` is read before.
  const std::chrono::milliseconds pause = options_.pause;
  AcceptSome();
  return pause;
}

void Listener::Resume() {
  if (!paused()) return;
  if (event_.SetInterest(Ready::kRead)) retry_.Reset();
}

}  // namespace aeris::ae
