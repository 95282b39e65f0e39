// Stream sockets: listening, accepting, options, addresses as text, and the one place where errno
// of reads, writes and accepts is sorted. Every descriptor made here is non-blocking and
// close-on-exec.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "src/base/error.h"
#include "src/base/unique_fd.h"

namespace aeris::ae {

struct TcpListenOptions {
  std::string address;     // IPv4, IPv6 or a host name; empty or "*" any IPv4, "::*" any IPv6
  std::uint16_t port = 0;  // 0: the kernel chooses, LocalPort() tells
  int backlog = 511;       // the kernel cuts it to net.core.somaxconn
  bool ipv6_only = true;   // an IPv6 socket leaves IPv4 to another one
};

// A listening socket with SO_REUSEADDR. The error's sys_errno is that of the call that failed, so
// the caller can pass over EADDRNOTAVAIL and EAFNOSUPPORT for an optional address; 0 and kNotFound
// when the name does not resolve.
std::expected<UniqueFd, Error> ListenTcp(const TcpListenOptions& options);

struct UnixListenOptions {
  std::string path;
  mode_t permissions = 0;  // of the socket file; 0 leaves what the umask allows
  int backlog = 511;
};

// A listening unix socket. There is no moment in which it is open to more users than `permissions`
// says. A socket file that nobody listens on is removed first; one in use, or a file of another
// kind, is an error (EADDRINUSE). The file stays when the descriptor is closed: unlink(2) is the
// owner's.
std::expected<UniqueFd, Error> ListenUnix(const UnixListenOptions& options);

enum class AcceptStatus : std::uint8_t {
  kConnection,            // fd and peer are set
  kNothingLeft,           // the backlog is empty
  kRetry,                 // the pending connection failed; the listener is fine, accept again
  kDescriptorsExhausted,  // no descriptor or memory; accepting again at once would spin
  kListenerBroken,        // the listening descriptor itself
};

struct AcceptResult {
  AcceptStatus status;
  UniqueFd fd;
  std::string peer;   // as PeerAddress
  int sys_errno = 0;  // of the three failures
};

AcceptResult Accept(int listen_fd);

// Which failure an errno of accept4(2) is: never kConnection.
AcceptStatus SortAcceptErrno(int sys_errno);

// Options of a connection. Errors are kSystem; a connection that was reset already may give one.
std::expected<void, Error> SetTcpNoDelay(int fd, bool on = true);
// Probes after `interval_seconds` of silence, then three at a third of it (at least 1 s each), so a
// dead peer is noticed after about twice the interval. 0 turns keepalive off.
std::expected<void, Error> SetKeepAlive(int fd, int interval_seconds);
// Bytes as asked for; the kernel doubles them for its own use and cuts them to its limits.
std::expected<void, Error> SetReceiveBuffer(int fd, int bytes);
std::expected<void, Error> SetSendBuffer(int fd, int bytes);
// Makes the coming close(2) send RST: unsent bytes are dropped and no TIME_WAIT stays.
std::expected<void, Error> SetLingerReset(int fd);

// "127.0.0.1:6379", "[::1]:6379", "/path:0" for a unix socket (either end gives the path of the
// listening one), "?:0" when the kernel does not say.
std::string PeerAddress(int fd);
std::string LocalAddress(int fd);
// The TCP port that `fd` is bound to, 0 when it has none.
std::uint16_t LocalPort(int fd);

enum class IoKind : std::uint8_t {
  kDone,        // `bytes` were moved, maybe fewer than asked for
  kWouldBlock,  // wait for readiness
  kClosed,      // the peer will send no more (read only)
  kFailed,      // sys_errno; the connection is of no more use
};

struct IoResult {
  IoKind kind = IoKind::kDone;
  std::size_t bytes = 0;  // with kDone
  int sys_errno = 0;      // with kFailed
};

// EINTR is retried. `bytes` is not empty.
[[nodiscard]] IoResult Read(int fd, std::span<char> bytes);
// As Read, into several pieces one after the other.
[[nodiscard]] IoResult ReadV(int fd, std::span<const iovec> pieces);
// No SIGPIPE on sockets. Other descriptors may be written too; there SIGPIPE is the process's.
[[nodiscard]] IoResult Write(int fd, std::span<const char> bytes);
// As Write for several pieces, of which the kernel takes IOV_MAX at most in one call.
[[nodiscard]] IoResult WriteV(int fd, std::span<const iovec> pieces);

}  // namespace aeris::ae
