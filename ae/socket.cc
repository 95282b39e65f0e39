#include "ae/socket.h"

#include <arpa/inet.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

namespace aeris::ae {
namespace {

constexpr int kSocketFlags = SOCK_NONBLOCK | SOCK_CLOEXEC;

// The address families lie in one storage; the socket API takes its base type.
struct Address {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);

  sockaddr* base() { return reinterpret_cast<sockaddr*>(&storage); }
  template <typename T>
  T As() const {
    T address;
    std::memcpy(&address, &storage, sizeof address);
    return address;
  }
};

std::expected<void, Error> SetOption(int fd, int level, int option, int value, const char* what) {
  if (::setsockopt(fd, level, option, &value, sizeof value) == 0) return {};
  return std::unexpected(Error::System(what, errno));
}

// Empty when the kernel names none, as for the unbound end of a unix connection.
std::string UnixPath(const Address& address) {
  const auto unix_address = address.As<sockaddr_un>();
  const std::size_t offset = offsetof(sockaddr_un, sun_path);
  if (address.size <= offset || unix_address.sun_path[0] == '\0') return {};
  const std::size_t size_max = std::min<std::size_t>(address.size, sizeof unix_address) - offset;
  return std::string(unix_address.sun_path, strnlen(unix_address.sun_path, size_max));
}

std::string Text(const Address& address) {
  char host[INET6_ADDRSTRLEN] = {};
  switch (address.storage.ss_family) {
    case AF_INET: {
      const auto v4 = address.As<sockaddr_in>();
      ::inet_ntop(AF_INET, &v4.sin_addr, host, sizeof host);
      return std::string(host) + ":" + std::to_string(ntohs(v4.sin_port));
    }
    case AF_INET6: {
      const auto v6 = address.As<sockaddr_in6>();
      ::inet_ntop(AF_INET6, &v6.sin6_addr, host, sizeof host);
      return std::string("[").append(host).append("]:") + std::to_string(ntohs(v6.sin6_port));
    }
    case AF_UNIX:
      return UnixPath(address) + ":0";
    default:
      return "?:0";
  }
}

bool IsUnnamedUnix(const Address& address) {
  return address.storage.ss_family == AF_UNIX && UnixPath(address).empty();
}

using AddressCall = int (*)(int, sockaddr*, socklen_t*);

// The client's end of a unix connection has no name; the other end then speaks for both.
std::string AddressText(int fd, AddressCall call, AddressCall other_call) {
  Address address;
  if (call(fd, address.base(), &address.size) != 0) return "?:0";
  if (IsUnnamedUnix(address)) {
    Address other;
    if (other_call(fd, other.base(), &other.size) == 0) return Text(other);
  }
  return Text(address);
}

struct AddressListDeleter {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

std::expected<UniqueFd, Error> ListenOn(const addrinfo& info, const TcpListenOptions& options,
                                        const std::string& what) {
  UniqueFd fd(::socket(info.ai_family, SOCK_STREAM | kSocketFlags, info.ai_protocol));
  if (!fd) return std::unexpected(Error::System(what, errno));
  auto set = SetOption(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1, what.c_str());
  if (set && info.ai_family == AF_INET6) {
    set = SetOption(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, options.ipv6_only ? 1 : 0, what.c_str());
  }
  if (!set) return std::unexpected(std::move(set.error()));
  if (::bind(fd.get(), info.ai_addr, info.ai_addrlen) != 0 ||
      ::listen(fd.get(), options.backlog) != 0) {
    return std::unexpected(Error::System(what, errno));
  }
  return fd;
}

// Removes a socket file that nobody listens on. EADDRINUSE stands for everything else.
std::expected<void, Error> RemoveStaleSocket(const sockaddr_un& address, const std::string& what) {
  struct stat status;
  if (::lstat(address.sun_path, &status) != 0) {
    if (errno == ENOENT) return {};
    return std::unexpected(Error::System(what, errno));
  }
  if (!S_ISSOCK(status.st_mode)) {
    return std::unexpected(Error{ErrorCode::kSystem, EADDRINUSE,
                                 what + ": the path is taken by another kind of file"});
  }
  const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | kSocketFlags, 0));
  if (!probe) return std::unexpected(Error::System(what, errno));
  const int connected =
      ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  if (connected == 0 || errno == EAGAIN) {  // EAGAIN: its backlog is full
    return std::unexpected(
        Error{ErrorCode::kSystem, EADDRINUSE, what + ": another process listens there"});
  }
  if (::unlink(address.sun_path) == 0 || errno == ENOENT) return {};
  return std::unexpected(Error::System(what, errno));
}

}  // namespace

std::expected<UniqueFd, Error> ListenTcp(const TcpListenOptions& options) {
  const bool any_v4 = options.address.empty() || options.address == "*";
  const bool any_v6 = options.address == "::*";
  const std::string host = any_v4 ? "0.0.0.0" : any_v6 ? "::" : options.address;
  const std::string port = std::to_string(options.port);
  const std::string what = host.find(':') == std::string::npos
                               ? "cannot listen on " + host + ":" + port
                               : "cannot listen on [" + host + "]:" + port;

  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failure = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
  if (failure == EAI_SYSTEM) return std::unexpected(Error::System(what, errno));
  if (failure != 0) {
    return std::unexpected(Error{ErrorCode::kNotFound, 0, what + ": " + ::gai_strerror(failure)});
  }
  const std::unique_ptr<addrinfo, AddressListDeleter> list(found);
  std::expected<UniqueFd, Error> first_failure =
      std::unexpected(Error{ErrorCode::kNotFound, 0, what + ": the name has no address"});
  for (const addrinfo* info = list.get(); info != nullptr; info = info->ai_next) {
    auto fd = ListenOn(*info, options, what);
    if (fd) return fd;
    if (info == list.get()) first_failure = std::move(fd);
  }
  return first_failure;
}

// A unix socket file gets the mode of its socket's inode, without the umask's bits: fchmod(2)
// before bind(2) makes it no wider than asked for, chmod(2) after it brings back what the umask
// took, and until listen(2) nobody can connect. The umask itself stays: it belongs to all threads.
std::expected<UniqueFd, Error> ListenUnix(const UnixListenOptions& options) {
  const std::string what = "cannot listen on the unix socket " + options.path;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (options.path.empty() || options.path.size() >= sizeof address.sun_path) {
    return std::unexpected(Error{ErrorCode::kSystem, ENAMETOOLONG,
                                 what + ": the path must have 1 to " +
                                     std::to_string(sizeof address.sun_path - 1) + " bytes"});
  }
  options.path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (auto removed = RemoveStaleSocket(address, what); !removed) {
    return std::unexpected(std::move(removed.error()));
  }
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | kSocketFlags, 0));
  if (!fd) return std::unexpected(Error::System(what, errno));
  const bool restricted = options.permissions != 0;
  if ((restricted && ::fchmod(fd.get(), options.permissions) != 0) ||
      ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return std::unexpected(Error::System(what, errno));
  }
  if ((restricted && ::chmod(address.sun_path, options.permissions) != 0) ||
      ::listen(fd.get(), options.backlog) != 0) {
    const int sys_errno = errno;
    ::unlink(address.sun_path);
    return std::unexpected(Error::System(what, sys_errno));
  }
  return fd;
}

AcceptResult Accept(int listen_fd) {
  Address address;
  UniqueFd fd(::accept4(listen_fd, address.base(), &address.size, kSocketFlags));
  if (!fd) {
    const int sys_errno = errno;
    return {SortAcceptErrno(sys_errno), {}, {}, sys_errno};
  }
  std::string peer = IsUnnamedUnix(address) ? LocalAddress(fd.get()) : Text(address);
  return {AcceptStatus::kConnection, std::move(fd), std::move(peer), 0};
}

// accept(2) also reports what has happened to the pending connection; its manual asks for those to
// be treated like EAGAIN by retrying. The list is open at its end, so only what is known to be
// about the listening descriptor counts as such.
AcceptStatus SortAcceptErrno(int sys_errno) {
  switch (sys_errno) {
    case EAGAIN:
      return AcceptStatus::kNothingLeft;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      return AcceptStatus::kDescriptorsExhausted;
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
    case EOPNOTSUPP:
    case EFAULT:
      return AcceptStatus::kListenerBroken;
    default:  // EINTR, ECONNABORTED, EPROTO, EPERM, ENETDOWN, EHOSTUNREACH, ETIMEDOUT, ...
      return AcceptStatus::kRetry;
  }
}

std::expected<void, Error> SetTcpNoDelay(int fd, bool on) {
  return SetOption(fd, IPPROTO_TCP, TCP_NODELAY, on ? 1 : 0, "cannot set TCP_NODELAY");
}

std::expected<void, Error> SetKeepAlive(int fd, int interval_seconds) {
  constexpr const char* kWhat = "cannot set keepalive";
  const bool on = interval_seconds > 0;
  auto set = SetOption(fd, SOL_SOCKET, SO_KEEPALIVE, on ? 1 : 0, kWhat);
  if (!on) return set;
  if (set) set = SetOption(fd, IPPROTO_TCP, TCP_KEEPIDLE, interval_seconds, kWhat);
  if (set)
    set = SetOption(fd, IPPROTO_TCP, TCP_KEEPINTVL, std::max(interval_seconds / 3, 1), kWhat);
  if (set) set = SetOption(fd, IPPROTO_TCP, TCP_KEEPCNT, 3, kWhat);
  return set;
}

std::expected<void, Error> SetReceiveBuffer(int fd, int bytes) {
  return SetOption(fd, SOL_SOCKET, SO_RCVBUF, bytes, "cannot set SO_RCVBUF");
}

std::expected<void, Error> SetSendBuffer(int fd, int bytes) {
  return SetOption(fd, SOL_SOCKET, SO_SNDBUF, bytes, "cannot set SO_SNDBUF");
}

std::expected<void, Error> SetLingerReset(int fd) {
  const linger reset{.l_onoff = 1, .l_linger = 0};
  if (::setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) == 0) return {};
  return std::unexpected(Error::System("cannot set SO_LINGER", errno));
}

std::string PeerAddress(int fd) { return AddressText(fd, &::getpeername, &::getsockname); }

std::string LocalAddress(int fd) { return AddressText(fd, &::getsockname, &::getpeername); }

std::uint16_t LocalPort(int fd) {
  Address address;
  if (::getsockname(fd, address.base(), &address.size) != 0) return 0;
  switch (address.storage.ss_family) {
    case AF_INET:
      return ntohs(address.As<sockaddr_in>().sin_port);
    case AF_INET6:
      return ntohs(address.As<sockaddr_in6>().sin6_port);
    default:
      return 0;
  }
}

}  // namespace aeris::ae
