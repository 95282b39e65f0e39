#include "src/text_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <memory>

#include "src/base/unique_fd.h"

namespace aeris {
namespace {

std::expected<void, Error> WriteAll(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t put = ::write(fd, text.data(), text.size());
    if (put >= 0) {
      text.remove_prefix(static_cast<std::size_t>(put));
    } else if (errno != EINTR) {
      return std::unexpected(Error::System("write " + path, errno));
    }
  }
  if (::fsync(fd) != 0) return std::unexpected(Error::System("fsync " + path, errno));
  return {};
}

// rename(2) is on disk only when the folder is. A file system without fsync of folders is no error.
void SyncFolder(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == path.npos ? "." : path.substr(0, slash + 1);
  const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd) static_cast<void>(::fsync(fd.get()));
}

std::string ResolvedPath(const std::string& path) {
  struct Free {
    void operator()(char* text) const { std::free(text); }
  };
  const std::unique_ptr<char, Free> resolved(::realpath(path.c_str(), nullptr));
  return resolved ? std::string(resolved.get()) : path;
}

}  // namespace

std::expected<TextFile, Error> ReadTextFile(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return std::unexpected(Error::System("open " + path, errno));
  TextFile file{.text = {}, .mode = 0};
  struct stat status {};
  if (::fstat(fd.get(), &status) == 0) file.mode = status.st_mode & 07777U;
  std::array<char, 16384> block;
  for (;;) {
    const ssize_t got = ::read(fd.get(), block.data(), block.size());
    if (got == 0) return file;
    if (got > 0) {
      file.text.append(block.data(), static_cast<std::size_t>(got));
    } else if (errno != EINTR) {
      return std::unexpected(Error::System("read " + path, errno));
    }
  }
}

std::expected<void, Error> ReplaceTextFile(const std::string& path, std::string_view text,
                                           mode_t mode) {
  const std::string target = ResolvedPath(path);
  std::string temporary = target + ".XXXXXX";
  const UniqueFd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd) return std::unexpected(Error::System("create " + temporary, errno));
  std::expected<void, Error> written = WriteAll(fd.get(), text, temporary);
  if (written && ::fchmod(fd.get(), mode) != 0) {
    written = std::unexpected(Error::System("chmod " + temporary, errno));
  }
  if (written && ::rename(temporary.c_str(), target.c_str()) != 0) {
    written = std::unexpected(Error::System("rename " + temporary, errno));
  }
  if (!written) {
    ::unlink(temporary.c_str());
    return written;
  }
  SyncFolder(target);
  return {};
}

}  // namespace aeris
