// The oldest back end: select(2), for descriptors below FD_SETSIZE (1024) only.
#pragma once

#include <sys/select.h>

#include <expected>
#include <string_view>
#include <vector>

#include "ae/poller.h"
#include "src/base/error.h"

namespace aeris::ae {

// select(2) knows no hang-up: it makes a descriptor readable and writable, so it is reported in the
// directions of interest alone.
class SelectPoller final : public Poller {
 public:
  SelectPoller();

  // kLimit when `fd` is FD_SETSIZE or more.
  std::expected<void, Error> Add(int fd, Ready interest) override;
  std::expected<void, Error> Change(int fd, Ready interest) override;
  void Remove(int fd) override;
  void Wait(std::chrono::milliseconds timeout, std::vector<Fired>& fired) override;
  std::string_view name() const override { return "select"; }

 private:
  void Set(int fd, Ready interest);

  fd_set read_;
  fd_set write_;
  int fds_end_ = 0;  // above the highest descriptor with an interest
};

}  // namespace aeris::ae
