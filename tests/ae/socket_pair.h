// Connected descriptors for tests.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <string_view>
#include <utility>

#include "src/base/check.h"
#include "src/base/unique_fd.h"

namespace aeris::ae::testing {

struct FdPair {
  UniqueFd first;
  UniqueFd second;
};

inline FdPair MakeSocketPair() {
  int fds[2];
  AERIS_CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

// `first` is the end to read, `second` the one to write.
inline FdPair MakePipe() {
  int fds[2];
  AERIS_CHECK(::pipe2(fds, O_NONBLOCK | O_CLOEXEC) == 0);
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

inline void Put(const UniqueFd& fd, std::string_view text) {
  AERIS_CHECK(::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

// What is there now, at most 64 KB.
inline std::string Take(const UniqueFd& fd) {
  std::string text(65536, '\0');
  const ssize_t size = ::read(fd.get(), text.data(), text.size());
  text.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return text;
}

}  // namespace aeris::ae::testing
