// The back end of any POSIX system: poll(2) reads every watched descriptor in every wait.
#pragma once

#include <poll.h>

#include <cstddef>
#include <expected>
#include <string_view>
#include <vector>

#include "ae/poller.h"
#include "src/base/error.h"

namespace aeris::ae {

// Holds: polled_[positions_[fd]] is the entry of fd. An entry without interest has its descriptor
// inverted (negative), which poll(2) skips, its hang-up included.
class PollPoller final : public Poller {
 public:
  std::expected<void, Error> Add(int fd, Ready interest) override;
  std::expected<void, Error> Change(int fd, Ready interest) override;
  void Remove(int fd) override;
  void Wait(std::chrono::milliseconds timeout, std::vector<Fired>& fired) override;
  std::string_view name() const override { return "poll"; }

 private:
  std::vector<pollfd> polled_;          // dense; the last one fills the place of a removed one
  std::vector<std::size_t> positions_;  // by descriptor, in polled_
};

}  // namespace aeris::ae
