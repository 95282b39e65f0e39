// Accepts the connections of one listening socket.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "ae/event_loop.h"
#include "ae/socket.h"
#include "src/base/error.h"
#include "src/base/unique_fd.h"

namespace aeris::ae {

// At most `accepts_per_turn_max` connections per turn, so that a flood of them starves nobody. When
// no descriptor is left, accept(2) would fail at once in every turn for as long as a connection
// waits; so the listener drops its interest and tries again after `pause`. Clients that are
// connected notice nothing, and those that wait stay in the kernel's backlog.
class Listener final : private FileHandler {
 public:
  struct Options {
    std::size_t accepts_per_turn_max = 1000;
    std::chrono::milliseconds pause{100};
    // Called when a pause begins, not again while retries fail: errno of accept(2), for the log.
    std::move_only_function<void(int sys_errno)> on_pause = nullptr;
  };
  // A new connection, non-blocking, and its peer's address as text. May destroy the Listener.
  using Callback = std::move_only_function<void(UniqueFd fd, std::string peer)>;

  // `fd` listens and is non-blocking (ListenTcp, ListenUnix).
  static std::expected<std::unique_ptr<Listener>, Error> Create(EventLoop& loop, UniqueFd fd,
                                                                Options options, Callback callback);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener();

  int fd() const { return fd_.get(); }
  bool paused() const { return retry_.active(); }
  std::uint64_t pause_count() const { return pause_count_; }          // pauses begun
  std::uint64_t accept_count() const { return accept_count_; }        // connections handed over
  std::uint64_t transient_count() const { return transient_count_; }  // lost before accept(2)

 private:
  Listener(EventLoop& loop, UniqueFd fd, Options options, Callback callback);
  void OnReady(Ready ready) override;
  // Accepts what is there, at most a turn's worth; then pauses or resumes by what it met.
  void AcceptSome();
  // False when the callback has destroyed this object.
  bool HandOver(AcceptResult result);
  void Pause(int sys_errno);
  void Resume();
  std::optional<std::chrono::milliseconds> Retry();

  EventLoop& loop_;
  UniqueFd fd_;
  Options options_;
  Callback callback_;
  bool* destroyed_ = nullptr;  // set while callback_ runs
  std::uint64_t pause_count_ = 0;
  std::uint64_t accept_count_ = 0;
  std::uint64_t transient_count_ = 0;
  FileEvent event_;
  TimeEvent retry_;  // set while paused
};

}  // namespace aeris::ae
