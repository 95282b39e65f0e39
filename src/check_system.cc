// --check-system: only what matters to aeris. It never forks, so Redis's advice to overcommit
// memory does not hold here; the opposite setting, strict accounting, does matter.
#include <sys/resource.h>
#include <time.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

#include "src/command_line.h"
#include "src/config.h"
#include "src/process.h"

namespace aeris {
namespace {

// Why a check failed and what to do; nothing when all is well or the kernel does not say.
using Finding = std::optional<std::string>;

std::string FirstLine(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// Reading the clock must not be a system call: every command does it.
Finding SlowClock() {
  constexpr int kReads = 100000;
  constexpr long kSystemShareMax = 10;  // percent
  timespec unused{};
  rusage before{};
  rusage after{};
  ::getrusage(RUSAGE_SELF, &before);
  for (int i = 0; i < kReads; ++i) ::clock_gettime(CLOCK_MONOTONIC, &unused);
  ::getrusage(RUSAGE_SELF, &after);
  const auto elapsed_us = [](const timeval& from, const timeval& to) {
    return (to.tv_sec - from.tv_sec) * 1000000L + (to.tv_usec - from.tv_usec);
  };
  const long system = elapsed_us(before.ru_stime, after.ru_stime);
  const long user = elapsed_us(before.ru_utime, after.ru_utime);
  constexpr long kNoticeableUs = 5000;
  if (system < kNoticeableUs || system * 100 < (system + user) * kSystemShareMax) return {};
  return "The clock source '" +
         FirstLine("/sys/devices/system/clocksource/clocksource0/current_clocksource") +
         "' is read by system calls. Choose another one of "
         "/sys/devices/system/clocksource/clocksource0/available_clocksource, tsc if it is there.";
}

Finding XenClock() {
  if (FirstLine("/sys/devices/system/clocksource/clocksource0/current_clocksource") != "xen") {
    return {};
  }
  return "The clock source is 'xen', which is slow. Write tsc to "
         "/sys/devices/system/clocksource/clocksource0/current_clocksource.";
}

Finding StrictOvercommit() {
  if (FirstLine("/proc/sys/vm/overcommit_memory") != "2") return {};
  return "vm.overcommit_memory is 2: address ranges that are reserved and not used yet count as "
         "used, and allocations may fail early. Set it to 0 or 1 with sysctl.";
}

Finding TransparentHugePages() {
  if (!HugePagesAreAlwaysOn()) return {};
  return "Transparent huge pages are always on, which costs latency and memory. Write madvise to "
         "/sys/kernel/mm/transparent_hugepage/enabled.";
}

Finding ShortBacklog() {
  const std::string line = FirstLine("/proc/sys/net/core/somaxconn");
  const int most = line.empty() ? Config{}.tcp_backlog : std::atoi(line.c_str());
  if (most >= Config{}.tcp_backlog) return {};
  return "net.core.somaxconn is " + line + ": the kernel cuts tcp-backlog " +
         std::to_string(Config{}.tcp_backlog) + " down to it. Raise it with sysctl.";
}

Finding FewDescriptors() {
  constexpr rlim_t kOwnDescriptors = 32;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return {};
  const rlim_t wanted = Config{}.maxclients + kOwnDescriptors;
  if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max >= wanted) return {};
  return "At most " + std::to_string(limit.rlim_max) + " descriptors may be open, and maxclients " +
         std::to_string(Config{}.maxclients) + " needs " + std::to_string(wanted) +
         ". Raise the hard limit (ulimit -Hn, or LimitNOFILE of systemd).";
}

struct Check {
  std::string_view name;
  Finding (*run)();
};
constexpr std::array<Check, 6> kChecks = {{{"slow-clocksource", SlowClock},
                                           {"xen-clocksource", XenClock},
                                           {"overcommit", StrictOvercommit},
                                           {"THP", TransparentHugePages},
                                           {"somaxconn", ShortBacklog},
                                           {"descriptors", FewDescriptors}}};

}  // namespace

SystemReport CheckSystem() {
  SystemReport report;
  for (const Check& check : kChecks) {
    const Finding finding = check.run();
    report.text += '[' + std::string(check.name) + "]...";
    report.text += finding ? "WARNING:\n" + *finding + "\n\n" : std::string("OK\n");
    report.good = report.good && !finding;
  }
  return report;
}

}  // namespace aeris
