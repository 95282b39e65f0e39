#include "ae/epoll_poller.h"

#include <sys/epoll.h>

#include <cerrno>
#include <string>

#include "ae/poll_timeout.h"
#include "src/base/check.h"

namespace aeris::ae {

std::expected<std::unique_ptr<EpollPoller>, Error> EpollPoller::Create() {
  UniqueFd epoll_fd(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_fd) return std::unexpected(Error::System("cannot make an epoll descriptor", errno));
  return std::unique_ptr<EpollPoller>(new EpollPoller(std::move(epoll_fd)));
}

std::expected<void, Error> EpollPoller::Add(int fd, Ready interest) {
  const auto index = static_cast<std::size_t>(fd);
  if (index >= interests_.size()) interests_.resize(index + 1, Ready::kNone);
  if (interest != Ready::kNone) {
    auto added = Control(EPOLL_CTL_ADD, fd, interest);
    if (!added) return added;
  }
  interests_[index] = interest;
  return {};
}

std::expected<void, Error> EpollPoller::Change(int fd, Ready interest) {
  Ready& old = interests_[static_cast<std::size_t>(fd)];
  if (old == interest) return {};
  const int operation = old == Ready::kNone        ? EPOLL_CTL_ADD
                        : interest == Ready::kNone ? EPOLL_CTL_DEL
                                                   : EPOLL_CTL_MOD;
  auto changed = Control(operation, fd, interest);
  if (changed) old = interest;
  return changed;
}

void EpollPoller::Remove(int fd) {
  Ready& old = interests_[static_cast<std::size_t>(fd)];
  if (old == Ready::kNone) return;
  const auto removed = Control(EPOLL_CTL_DEL, fd, Ready::kNone);
  // It fails when the descriptor was closed before its watch ended, which is a mistake of ours.
  AERIS_DCHECK(removed.has_value());
  old = Ready::kNone;
}

void EpollPoller::Wait(std::chrono::milliseconds timeout, std::vector<Fired>& fired) {
  fired.clear();
  const int count = ::epoll_wait(epoll_fd_.get(), events_.data(), static_cast<int>(events_.size()),
                                 ToPollTimeout(timeout));
  AERIS_CHECK(count >= 0 || errno == EINTR);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events_[static_cast<std::size_t>(i)];
    Ready ready = Ready::kNone;
    if ((event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) ready |= Ready::kRead;
    if ((event.events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) ready |= Ready::kWrite;
    fired.push_back({event.data.fd, ready});
  }
}

std::expected<void, Error> EpollPoller::Control(int operation, int fd, Ready interest) {
  epoll_event event{};
  if (Has(interest, Ready::kRead)) event.events |= EPOLLIN;
  if (Has(interest, Ready::kWrite)) event.events |= EPOLLOUT;
  event.data.fd = fd;
  if (::epoll_ctl(epoll_fd_.get(), operation, fd, &event) == 0) return {};
  const int sys_errno = errno;
  return std::unexpected(
      Error::System("epoll cannot watch descriptor " + std::to_string(fd), sys_errno));
}

}  // namespace aeris::ae
