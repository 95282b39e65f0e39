#include "src/base/log.h"

#include <fcntl.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/syslog_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "src/base/unique_fd.h"

namespace aeris {
namespace {

constexpr char kMarks[] = {'.', '-', '*', '#'};

// One event is one line: text of a client inside a message must not look like an event of its own.
std::string OneLine(std::string_view message) {
  std::string line(message);
  for (char& c : line) {
    if ((c >= 0 && c < ' ') || c == '\x7f') c = ' ';
  }
  return line;
}

spdlog::level::level_enum SyslogLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kVerbose:
    case LogLevel::kNotice:
      return spdlog::level::info;
    case LogLevel::kWarning:
      break;
  }
  return spdlog::level::warn;
}

}  // namespace

struct Log::Sinks {
  // The line as Redis writes it; role and mark come with the message, since spdlog knows neither.
  explicit Sinks(std::vector<spdlog::sink_ptr> sinks)
      : logger("aeris", sinks.begin(), sinks.end()) {
    logger.set_level(spdlog::level::trace);
    logger.flush_on(spdlog::level::trace);
  }
  spdlog::logger logger;
  bool syslog = false;
};

Log::Log() { (void)Open(Options{}); }
Log::~Log() = default;

std::expected<void, Error> Log::Open(const Options& options) {
  // spdlog would make the folders of a path that is wrong; this tells.
  if (!options.file.empty()) {
    const UniqueFd file(
        open(options.file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    if (!file) {
      const int saved = errno;
      return std::unexpected(Error{ErrorCode::kSystem, saved, std::strerror(saved)});
    }
  }
  try {
    std::vector<spdlog::sink_ptr> sinks;
    if (!options.file.empty()) {
      sinks.push_back(std::make_shared<spdlog::sinks::basic_file_sink_st>(options.file));
    } else if (options.standard_output) {
      sinks.push_back(std::make_shared<spdlog::sinks::stdout_sink_st>());
    }
    for (const spdlog::sink_ptr& sink : sinks) sink->set_pattern("%P:%v");
    if (options.syslog) {
      sinks.push_back(std::make_shared<spdlog::sinks::syslog_sink_st>(
          options.syslog_ident, LOG_PID | LOG_NDELAY | LOG_NOWAIT, options.syslog_facility, false));
    }
    sinks_ = std::make_unique<Sinks>(std::move(sinks));
    sinks_->syslog = options.syslog;
  } catch (const spdlog::spdlog_ex& failure) {
    const int saved = errno;
    return std::unexpected(Error{ErrorCode::kSystem, saved, failure.what()});
  }
  level_ = options.level;
  return {};
}

void Log::Write(LogLevel level, std::string_view message) {
  if (!enabled(level)) return;
  const auto now = std::chrono::system_clock::now();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm local{};
  localtime_r(&seconds, &local);
  char date[32];
  std::strftime(date, sizeof date, "%d %b %Y %H:%M:%S", &local);
  const auto ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  sinks_->logger.log(SyslogLevel(level), "{} {}.{:03} {} {}", role_, date, ms,
                     kMarks[static_cast<std::size_t>(level)], OneLine(message));
}

}  // namespace aeris
