// The back end for Linux: cost by ready descriptors, not by watched ones.
#pragma once

#include <sys/epoll.h>

#include <cstddef>
#include <expected>
#include <memory>
#include <string_view>
#include <vector>

#include "ae/poller.h"
#include "src/base/error.h"
#include "src/base/unique_fd.h"

namespace aeris::ae {

// epoll(7) reports hang-ups of a descriptor whatever its interest, so one that is silent (kNone) is
// taken out of the set: otherwise its hang-up would end every wait at once.
class EpollPoller final : public Poller {
 public:
  static std::expected<std::unique_ptr<EpollPoller>, Error> Create();

  std::expected<void, Error> Add(int fd, Ready interest) override;
  std::expected<void, Error> Change(int fd, Ready interest) override;
  void Remove(int fd) override;
  // At most kEventsMax a time; the kernel goes round, so the others come first in the next wait.
  void Wait(std::chrono::milliseconds timeout, std::vector<Fired>& fired) override;
  std::string_view name() const override { return "epoll"; }

 private:
  static constexpr std::size_t kEventsMax = 1024;

  explicit EpollPoller(UniqueFd epoll_fd) : epoll_fd_(std::move(epoll_fd)), events_(kEventsMax) {}
  std::expected<void, Error> Control(int operation, int fd, Ready interest);

  UniqueFd epoll_fd_;
  std::vector<Ready> interests_;  // by descriptor
  std::vector<epoll_event> events_;
};

}  // namespace aeris::ae
