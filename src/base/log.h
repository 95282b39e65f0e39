// The log: one line per event in Redis's format, "pid:role dd Mon yyyy hh:mm:ss.mmm mark message",
// so that existing log tools read it. Sinks (standard output, file, syslog) are spdlog's.
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "src/base/error.h"

namespace aeris {

enum class LogLevel : std::uint8_t { kDebug, kVerbose, kNotice, kWarning };  // marks . - * #

class Log {
 public:
  struct Options {
    LogLevel level = LogLevel::kNotice;
    std::string file;  // empty: standard output
    bool syslog = false;
    std::string syslog_ident = "aeris";
    int syslog_facility = 16 << 3;  // LOG_LOCAL0
    bool standard_output = true;    // false: to nowhere when `file` is empty (a daemon)
  };

  Log();
  ~Log();
  // Fails with kSystem when the file cannot be opened; the old sinks stay then.
  std::expected<void, Error> Open(const Options& options);
  void set_level(LogLevel level) { level_ = level; }
  LogLevel level() const { return level_; }
  void set_role(char role) { role_ = role; }  // M master, S replica, C child

  bool enabled(LogLevel level) const { return level >= level_; }
  void Write(LogLevel level, std::string_view message);

  template <typename... Args>
  void Debug(fmt::format_string<Args...> format, Args&&... args) {
    if (enabled(LogLevel::kDebug)) {
      Write(LogLevel::kDebug, fmt::format(format, std::forward<Args>(args)...));
    }
  }
  template <typename... Args>
  void Verbose(fmt::format_string<Args...> format, Args&&... args) {
    if (enabled(LogLevel::kVerbose)) {
      Write(LogLevel::kVerbose, fmt::format(format, std::forward<Args>(args)...));
    }
  }
  template <typename... Args>
  void Notice(fmt::format_string<Args...> format, Args&&... args) {
    if (enabled(LogLevel::kNotice)) {
      Write(LogLevel::kNotice, fmt::format(format, std::forward<Args>(args)...));
    }
  }
  template <typename... Args>
  void Warning(fmt::format_string<Args...> format, Args&&... args) {
    Write(LogLevel::kWarning, fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  struct Sinks;
  LogLevel level_ = LogLevel::kNotice;
  char role_ = 'M';
  std::unique_ptr<Sinks> sinks_;
};

}  // namespace aeris
