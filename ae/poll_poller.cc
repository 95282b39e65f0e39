#include "ae/poll_poller.h"

#include <cerrno>

#include "ae/poll_timeout.h"
#include "src/base/check.h"

namespace aeris::ae {
namespace {

pollfd Entry(int fd, Ready interest) {
  short events = 0;
  if (Has(interest, Ready::kRead)) events |= POLLIN;
  if (Has(interest, Ready::kWrite)) events |= POLLOUT;
  return {.fd = interest == Ready::kNone ? ~fd : fd, .events = events, .revents = 0};
}

}  // namespace

std::expected<void, Error> PollPoller::Add(int fd, Ready interest) {
  const auto index = static_cast<std::size_t>(fd);
  if (index >= positions_.size()) positions_.resize(index + 1);
  positions_[index] = polled_.size();
  polled_.push_back(Entry(fd, interest));
  return {};
}

std::expected<void, Error> PollPoller::Change(int fd, Ready interest) {
  polled_[positions_[static_cast<std::size_t>(fd)]] = Entry(fd, interest);
  return {};
}

void PollPoller::Remove(int fd) {
  const std::size_t position = positions_[static_cast<std::size_t>(fd)];
  const pollfd& last = polled_.back();
  positions_[static_cast<std::size_t>(last.fd < 0 ? ~last.fd : last.fd)] = position;
  polled_[position] = last;
  polled_.pop_back();
}

void PollPoller::Wait(std::chrono::milliseconds timeout, std::vector<Fired>& fired) {
  fired.clear();
  int left = ::poll(polled_.data(), polled_.size(), ToPollTimeout(timeout));
  AERIS_CHECK(left >= 0 || errno == EINTR);
  for (std::size_t i = 0; left > 0 && i < polled_.size(); ++i) {
    const pollfd& entry = polled_[i];
    if (entry.revents == 0) continue;
    --left;
    AERIS_DCHECK((entry.revents & POLLNVAL) == 0);  // closed before its watch ended
    Ready ready = Ready::kNone;
    if ((entry.revents & (POLLIN | POLLHUP | POLLERR | POLLNVAL)) != 0) ready |= Ready::kRead;
    if ((entry.revents & (POLLOUT | POLLHUP | POLLERR | POLLNVAL)) != 0) ready |= Ready::kWrite;
    fired.push_back({entry.fd, ready});
  }
}

}  // namespace aeris::ae
