#include "src/process.h"

#include <bsd/unistd.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <span>
#include <utility>

#include "src/base/unique_fd.h"

namespace aeris {
namespace {

std::string ListenAddress(const Config& config) {
  const int port = config.port != 0 ? config.port : config.tls_port;
  if (port == 0) return "unixsocket:" + config.unixsocket;
  const std::string first = config.bind.empty() ? "*" : config.bind.front();
  return fmt::format("{}:{}", first.starts_with('-') ? first.substr(1) : first, port);
}

void ReplaceAll(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

}  // namespace

std::expected<void, Error> Daemonize() {
  const pid_t child = fork();
  if (child < 0) return std::unexpected(Error::System("fork", errno));
  if (child > 0) _exit(0);
  setsid();
  const UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) return std::unexpected(Error::System("/dev/null", errno));
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null.get(), stream);
  return {};
}

std::expected<void, Error> WritePidFile(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!fd) return std::unexpected(Error::System(path, errno));
  const std::string text = fmt::format("{}\n", getpid());
  if (write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return std::unexpected(Error::System(path, errno));
  }
  return {};
}

Supervisor DetectSupervisor(Supervised configured) {
  const bool automatic = configured == Supervised::kAuto;
  if ((automatic || configured == Supervised::kUpstart) && std::getenv("UPSTART_JOB") != nullptr) {
    return Supervisor::kUpstart;
  }
  if ((automatic || configured == Supervised::kSystemd) &&
      std::getenv("NOTIFY_SOCKET") != nullptr) {
    return Supervisor::kSystemd;
  }
  return Supervisor::kNone;
}

std::expected<void, Error> NotifySystemd(std::string_view state) {
  const int result = sd_notify(0, std::string(state).c_str());
  if (result < 0) return std::unexpected(Error::System("sd_notify", -result));
  return {};
}

bool HugePagesAreAlwaysOn() {
  std::ifstream setting("/sys/kernel/mm/transparent_hugepage/enabled");
  std::string line;
  return std::getline(setting, line) && line.find("[always]") != std::string::npos;
}

void RefuseUnaskedHugePages() {
  constexpr unsigned long kExceptAdvised = 2;  // PR_THP_DISABLE_EXCEPT_ADVISED of Linux 6.18
  if (prctl(PR_SET_THP_DISABLE, 1, kExceptAdvised, 0, 0) == 0) return;
  if (HugePagesAreAlwaysOn()) prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
}

void GiveBackStartUpPages() {
  const auto give_back = [](dl_phdr_info* object, std::size_t, void*) {
    const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
    for (const ElfW(Phdr) & segment : std::span(object->dlpi_phdr, object->dlpi_phnum)) {
      // Writable segments hold relocations and data.
      if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
      const std::uintptr_t begin = object->dlpi_addr + segment.p_vaddr;
      const std::uintptr_t aligned = begin & ~(page - 1);
      // The kernel's own object is no file and refuses.
      (void)madvise(reinterpret_cast<void*>(aligned), begin + segment.p_memsz - aligned,
                    MADV_DONTNEED);
    }
    return 0;
  };
  dl_iterate_phdr(give_back, nullptr);
}

void InitProcessTitle(int argc, char** argv) { setproctitle_init(argc, argv, environ); }

void SetProcessTitle(const Config& config, std::string_view executable) {
  if (!config.set_proc_title) return;
  std::string title = config.proc_title_template;
  ReplaceAll(title, "{title}", executable);
  ReplaceAll(title, "{listen-addr}", ListenAddress(config));
  ReplaceAll(title, "{server-mode}", "");
  ReplaceAll(title, "{port}", std::to_string(config.port));
  ReplaceAll(title, "{tls-port}", std::to_string(config.tls_port));
  ReplaceAll(title, "{unixsocket}", config.unixsocket);
  ReplaceAll(title, "{config-file}", "");
  while (title.ends_with(' ')) title.pop_back();
  setproctitle("-%s", title.c_str());
}

}  // namespace aeris
