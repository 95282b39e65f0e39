#include "ae/select_poller.h"

#include <algorithm>
#include <cerrno>
#include <string>

#include "src/base/check.h"

namespace aeris::ae {

SelectPoller::SelectPoller() {
  FD_ZERO(&read_);
  FD_ZERO(&write_);
}

std::expected<void, Error> SelectPoller::Add(int fd, Ready interest) {
  if (fd >= FD_SETSIZE) {
    return std::unexpected(Error{ErrorCode::kLimit, 0,
                                 "select cannot watch descriptor " + std::to_string(fd) +
                                     ", only those below " + std::to_string(FD_SETSIZE) +
                                     "; use epoll or poll"});
  }
  Set(fd, interest);
  return {};
}

std::expected<void, Error> SelectPoller::Change(int fd, Ready interest) {
  Set(fd, interest);
  return {};
}

void SelectPoller::Remove(int fd) { Set(fd, Ready::kNone); }

void SelectPoller::Wait(std::chrono::milliseconds timeout, std::vector<Fired>& fired) {
  fired.clear();
  fd_set readable = read_;
  fd_set writable = write_;
  timeval time{};
  if (timeout.count() >= 0) {
    time.tv_sec = timeout.count() / 1000;
    time.tv_usec = timeout.count() % 1000 * 1000;
  }
  const int count =
      ::select(fds_end_, &readable, &writable, nullptr, timeout.count() < 0 ? nullptr : &time);
  AERIS_CHECK(count >= 0 || errno == EINTR);
  if (count <= 0) return;
  for (int fd = 0; fd < fds_end_; ++fd) {
    Ready ready = Ready::kNone;
    if (FD_ISSET(fd, &readable)) ready |= Ready::kRead;
    if (FD_ISSET(fd, &writable)) ready |= Ready::kWrite;
    if (ready != Ready::kNone) fired.push_back({fd, ready});
  }
}

void SelectPoller::Set(int fd, Ready interest) {
  FD_CLR(fd, &read_);
  FD_CLR(fd, &write_);
  if (Has(interest, Ready::kRead)) FD_SET(fd, &read_);
  if (Has(interest, Ready::kWrite)) FD_SET(fd, &write_);
  if (interest != Ready::kNone) fds_end_ = std::max(fds_end_, fd + 1);
  while (fds_end_ > 0 && !FD_ISSET(fds_end_ - 1, &read_) && !FD_ISSET(fds_end_ - 1, &write_)) {
    --fds_end_;
  }
}

}  // namespace aeris::ae
