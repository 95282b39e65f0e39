// Back ends by the names that redis.conf gives them.
#pragma once

#include <expected>
#include <memory>
#include <string_view>

#include "ae/poller.h"
#include "src/base/error.h"

namespace aeris::ae {

// `name` is "epoll", "poll" or "select", else kInvalid. kSystem when the kernel gives no epoll.
std::expected<std::unique_ptr<Poller>, Error> MakePoller(std::string_view name);

}  // namespace aeris::ae
