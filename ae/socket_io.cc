// Reads and writes, and the sorting of their errno (ae/socket.h).
#include <limits.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "ae/socket.h"
#include "src/base/check.h"

namespace aeris::ae {
namespace {

IoResult Failure(int sys_errno) {
  if (sys_errno == EAGAIN) return {.kind = IoKind::kWouldBlock};
  return {.kind = IoKind::kFailed, .sys_errno = sys_errno};
}

// Calls until no signal interrupts.
template <typename Call>
ssize_t Uninterrupted(Call call) {
  ssize_t moved = 0;
  do {
    moved = call();
  } while (moved < 0 && errno == EINTR);
  return moved;
}

IoResult Taken(ssize_t moved) {
  if (moved < 0) return Failure(errno);
  if (moved == 0) return {.kind = IoKind::kClosed};
  return {.kind = IoKind::kDone, .bytes = static_cast<std::size_t>(moved)};
}

IoResult Written(ssize_t moved) {
  if (moved < 0) return Failure(errno);
  return {.kind = IoKind::kDone, .bytes = static_cast<std::size_t>(moved)};
}

}  // namespace

IoResult Read(int fd, std::span<char> bytes) {
  AERIS_DCHECK(!bytes.empty());
  return Taken(Uninterrupted([&] { return ::read(fd, bytes.data(), bytes.size()); }));
}

IoResult ReadV(int fd, std::span<const iovec> pieces) {
  AERIS_DCHECK(!pieces.empty());
  const int count = static_cast<int>(std::min<std::size_t>(pieces.size(), IOV_MAX));
  return Taken(Uninterrupted([&] { return ::readv(fd, pieces.data(), count); }));
}

IoResult Write(int fd, std::span<const char> bytes) {
  const ssize_t moved =
      Uninterrupted([&] { return ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL); });
  if (moved < 0 && errno == ENOTSOCK) {
    return Written(Uninterrupted([&] { return ::write(fd, bytes.data(), bytes.size()); }));
  }
  return Written(moved);
}

IoResult WriteV(int fd, std::span<const iovec> pieces) {
  const std::size_t count = std::min<std::size_t>(pieces.size(), IOV_MAX);
  msghdr message{};
  // The kernel does not write to the pieces; the type is shared with recvmsg(2).
  message.msg_iov = const_cast<iovec*>(pieces.data());
  message.msg_iovlen = count;
  const ssize_t moved = Uninterrupted([&] { return ::sendmsg(fd, &message, MSG_NOSIGNAL); });
  if (moved < 0 && errno == ENOTSOCK) {
    return Written(
        Uninterrupted([&] { return ::writev(fd, pieces.data(), static_cast<int>(count)); }));
  }
  return Written(moved);
}

}  // namespace aeris::ae
