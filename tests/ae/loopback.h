// TCP connections to this machine for tests.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>

#include "src/base/check.h"
#include "src/base/unique_fd.h"

namespace aeris::ae::testing {

// Blocking; connected as soon as the listener's backlog takes it, accepted or not.
inline UniqueFd Connect(std::uint16_t port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  AERIS_CHECK(fd);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* const base = reinterpret_cast<const sockaddr*>(&address);
  AERIS_CHECK(::connect(fd.get(), base, sizeof address) == 0);
  return fd;
}

inline UniqueFd Connect6(std::uint16_t port) {
  UniqueFd fd(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  AERIS_CHECK(fd);
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  address.sin6_addr = in6addr_loopback;
  const auto* const base = reinterpret_cast<const sockaddr*>(&address);
  AERIS_CHECK(::connect(fd.get(), base, sizeof address) == 0);
  return fd;
}

// Waits until `fd` can be read (or accepted from), without end.
inline void AwaitReadable(int fd) {
  pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
  int ready = 0;
  do {
    ready = ::poll(&entry, 1, -1);
  } while (ready < 0 && errno == EINTR);
  AERIS_CHECK(ready == 1);
}

// Exactly `size` bytes from a blocking or non-blocking descriptor; fewer when the stream ends.
inline std::string ReadExactly(int fd, std::size_t size) {
  std::string text;
  while (text.size() < size) {
    AwaitReadable(fd);
    char bytes[4096];
    const std::size_t wanted = size - text.size();
    const ssize_t got = ::read(fd, bytes, wanted < sizeof bytes ? wanted : sizeof bytes);
    if (got <= 0) break;
    text.append(bytes, static_cast<std::size_t>(got));
  }
  return text;
}

}  // namespace aeris::ae::testing
