// The floor under any server of this protocol: reads, counts requests, answers each with +OK, or
// with the same value of so many bytes. No keys, no parsing beyond the count, one buffer for all.
// What a workload costs here is the kernel's share; ARCHITECTURE.md says how far from it we are.
//
//   build/bench/floor-server PORT [BYTES] &
//   build/bench/load-generator --port PORT --workload ping --pipeline 16 --server-pid $!
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

namespace {

[[noreturn]] void Fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

int Listen(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) Fail("bind");
  if (listen(fd, 512) != 0) Fail("listen");
  return fd;
}

void Watch(int epoll, int fd) {
  epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) Fail("epoll_ctl");
}

void Accept(int epoll, int listener) {
  const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return;
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  Watch(epoll, fd);
}

template <typename Number>
bool Parse(const char* text, Number& number) {
  const char* const end = text + std::strlen(text);
  const auto [stop, error] = std::from_chars(text, end, number);
  return error == std::errc{} && stop == end;
}

void SendAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      pollfd writable{.fd = fd, .events = POLLOUT, .revents = 0};
      poll(&writable, 1, -1);
    } else {
      return;  // the next read tells
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::uint16_t port = 0;
  std::size_t value_bytes = 0;
  if (argc < 2 || argc > 3 || !Parse(argv[1], port) ||
      (argc == 3 && !Parse(argv[2], value_bytes))) {
    std::fputs("usage: floor-server PORT [BYTES]\n", stderr);
    return 2;
  }
  const std::string reply = argc == 2 ? "+OK\r\n"
                                      : "$" + std::to_string(value_bytes) + "\r\n" +
                                            std::string(value_bytes, 'v') + "\r\n";
  const int listener = Listen(port);
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  Watch(epoll, listener);
  std::array<epoll_event, 1024> events;
  std::array<char, 16384> bytes;
  std::string replies;
  for (;;) {
    const int ready = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < ready; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == listener) {
        Accept(epoll, listener);
        continue;
      }
      const ssize_t got = recv(fd, bytes.data(), bytes.size(), 0);
      if (got <= 0) {
        close(fd);
        continue;
      }
      replies.clear();
      for (auto n = std::count(bytes.data(), bytes.data() + got, '*'); n > 0; --n) replies += reply;
      SendAll(fd, replies);
    }
  }
}
