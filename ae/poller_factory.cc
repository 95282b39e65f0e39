#include "ae/poller_factory.h"

#include <string>

#include "ae/epoll_poller.h"
#include "ae/poll_poller.h"
#include "ae/select_poller.h"

namespace aeris::ae {

std::expected<std::unique_ptr<Poller>, Error> MakePoller(std::string_view name) {
  if (name == "epoll") {
    auto epoll = EpollPoller::Create();
    if (!epoll) return std::unexpected(std::move(epoll.error()));
    return std::unique_ptr<Poller>(std::move(*epoll));
  }
  if (name == "poll") return std::make_unique<PollPoller>();
  if (name == "select") return std::make_unique<SelectPoller>();
  return std::unexpected(Error::Invalid("unknown event poller '" + std::string(name) +
                                        "', known are epoll, poll and select"));
}

}  // namespace aeris::ae
