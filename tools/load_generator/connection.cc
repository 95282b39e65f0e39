#include "tools/load_generator/connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "ae/socket.h"

namespace aeris::load {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
// The payload of a value that has so much left is dropped in the kernel instead of being copied.
constexpr std::size_t kDroppedBytesMin = 16 * 1024;
constexpr std::size_t kDroppedBytesMax = 256 * 1024;  // by one call
// Where values are that large, a read takes little more than the begin of one.
constexpr std::size_t kHeadBytes = 4 * 1024;

}  // namespace

UniqueFd ConnectTo(const Options& options) {
  const bool v6 = options.host == "::1";
  UniqueFd fd(::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) Fail("socket", errno);
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(options.port);
  six.sin6_addr = in6addr_loopback;
  sockaddr_in four{};
  four.sin_family = AF_INET;
  four.sin_port = htons(options.port);
  four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* address =
      v6 ? reinterpret_cast<const sockaddr*>(&six) : reinterpret_cast<const sockaddr*>(&four);
  if (::connect(fd.get(), address, v6 ? sizeof six : sizeof four) != 0) Fail("connect", errno);
  // No thousands of ports in TIME_WAIT for the next run.
  if (!ae::SetTcpNoDelay(fd.get()) || !ae::SetLingerReset(fd.get())) Fail("setsockopt", errno);
  return fd;
}

void Fail(std::string_view what, int sys_errno) {
  std::fprintf(stderr, "load-generator: %.*s%s%s\n", static_cast<int>(what.size()), what.data(),
               sys_errno != 0 ? ": " : "", sys_errno != 0 ? std::strerror(sys_errno) : "");
  std::exit(1);
}

void FailTimeout(const Options& options) {
  std::fprintf(stderr, "load-generator: not done after %g s\n", options.timeout_seconds);
  std::exit(3);
}

Connection::Connection(const Options& options, int epoll_fd)
    : epoll_fd_(epoll_fd),
      fd_(ConnectTo(options)),
      scanner_(MakeReplyScanner(options.protocol)),
      read_bytes_(options.value_bytes > kDroppedBytesMin + kHeadBytes ? kHeadBytes : kReadBytes) {
  epoll_event event{.events = EPOLLIN, .data = {.ptr = this}};
  if (::epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd_.get(), &event) != 0) Fail("epoll_ctl", errno);
}

void Connection::SetWritable(bool wanted) {
  epoll_event event{.events = wanted ? EPOLLIN | EPOLLOUT : EPOLLIN, .data = {.ptr = this}};
  if (::epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, fd_.get(), &event) != 0) Fail("epoll_ctl", errno);
}

void Connection::Send(const Batch& batch, MonotonicTime due) {
  waiting_.push_back({due, batch.replies});
  if (!unsent_.empty()) {
    unsent_.append(batch.bytes);
    return;
  }
  const ssize_t sent =
      ::send(fd_.get(), batch.bytes.data(), batch.bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN && errno != EINTR) Fail("send", errno);
  const auto taken = static_cast<std::size_t>(sent < 0 ? 0 : sent);
  if (taken == batch.bytes.size()) return;
  unsent_.assign(batch.bytes.substr(taken));
  unsent_begin_ = 0;
  SetWritable(true);
}

void Connection::Flush() {
  const std::string_view rest = std::string_view(unsent_).substr(unsent_begin_);
  const ssize_t sent = ::send(fd_.get(), rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN && errno != EINTR) Fail("send", errno);
  if (sent > 0) unsent_begin_ += static_cast<std::size_t>(sent);
  if (unsent_begin_ != unsent_.size()) return;
  unsent_.clear();
  unsent_begin_ = 0;
  SetWritable(false);
}

std::size_t Connection::ReadReplies() {
  std::size_t complete = 0;
  if (scanner_->payload_left() < kDroppedBytesMin) {
    std::array<char, kReadBytes> bytes;
    complete = scanner_->Scan({bytes.data(), Receive(bytes.data(), read_bytes_, 0)});
    if (!scanner_->fault().empty()) Fail(scanner_->fault());
  }
  if (scanner_->payload_left() >= kDroppedBytesMin) {
    // TCP drops with MSG_TRUNC, and writes nothing to the buffer; it is one all the same, for the
    // sanitizers, which do not know.
    std::array<char, kDroppedBytesMax> untouched;
    const std::size_t bytes = std::min(scanner_->payload_left(), untouched.size());
    scanner_->SkipPayload(Receive(untouched.data(), bytes, MSG_TRUNC));
  }
  return complete;
}

std::size_t Connection::Receive(char* buffer, std::size_t bytes, int flags) {
  const ssize_t got = ::recv(fd_.get(), buffer, bytes, MSG_DONTWAIT | flags);
  if (got == 0) Fail("the server closed a connection");
  if (got > 0) return static_cast<std::size_t>(got);
  if (errno != EAGAIN && errno != EINTR) Fail("recv", errno);
  return 0;
}

}  // namespace aeris::load
