#include "src/server_main.h"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>

#include "src/base/cycle_clock.h"
#include "src/crash_report.h"
#include "src/process.h"
#include "src/server.h"
#include "src/version.h"

namespace aeris {
namespace {

std::string AbsolutePath(const std::string& path) {
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  return error ? path : absolute.string();
}

Log::Options LogOptions(const Config& config, bool daemon) {
  return {.level = config.loglevel,
          .file = config.logfile,
          .syslog = config.syslog_enabled,
          .syslog_ident = config.syslog_ident,
          .syslog_facility = config.syslog_facility,
          .standard_output = !daemon};
}

bool ShowsLogo(const Config& config) {
  const bool terminal = config.logfile.empty() && !config.syslog_enabled && isatty(STDOUT_FILENO);
  return config.always_show_logo || terminal;
}

// Process and port in large, or in one line.
void SayWhatRuns(const Config& config, Log& log) {
  const int port = config.port != 0 ? config.port : config.tls_port;
  if (!ShowsLogo(config)) return log.Notice("Running mode=standalone, port={}.", port);
  log.Notice("+---  aeris {}, a cache server that speaks the Redis protocol", kVersion);
  log.Notice("|     Port: {}", port);
  log.Notice("+---  PID: {}", getpid());
}

// The rename-command lines, tried on a table of their own: a fault in them is one of the
// configuration, which is told before anything starts.
std::expected<void, Error> RenamesAreRight(const Config& config) {
  if (config.renamed_commands.empty()) return {};
  CommandTable table;
  return Server::RenameCommands(config, table);
}

void TellSupervisor(Supervisor supervisor, Log& log) {
  if (supervisor == Supervisor::kSystemd) {
    if (auto told = NotifySystemd("STATUS=Ready to accept connections\nREADY=1\n"); !told) {
      log.Warning("{}", told.error().message);
    }
  } else if (supervisor == Supervisor::kUpstart) {
    raise(SIGSTOP);
  }
}

int Serve(ConfigTable& table, const Invocation& invocation, Supervisor supervisor, Log& log) {
  const CycleClock clock;
  auto server = Server::Create({.config = table,
                                .log = log,
                                .clock = clock,
                                .config_file = invocation.config_file,
                                .executable = invocation.executable});
  if (!server) {
    log.Warning("{}", server.error().message);
    if (!table.config().logfile.empty()) {
      std::fprintf(stderr, "%s\n", server.error().message.c_str());
    }
    return 1;
  }
  SetProcessTitle(table.config(), invocation.program);
  SayWhatRuns(table.config(), log);
  if (table.config().crash_log_enabled) {
    InstallCrashReport(table.config().logfile, &(*server)->batch());
  }
  GiveBackStartUpPages();
  TellSupervisor(supervisor, log);
  const int status = (*server)->Run();
  // READY was heard, so there is nothing new to say when this is not.
  if (supervisor == Supervisor::kSystemd) (void)NotifySystemd("STOPPING=1\n");
  RemoveCrashReport();
  return status;
}

}  // namespace

Invocation InvocationOf(const std::string& program, const ConfigSource& source) {
  return {.program = program,
          .executable = AbsolutePath(program),
          .config_file = source.file.empty() ? "" : AbsolutePath(source.file)};
}

int RunServer(ConfigTable& table, const Invocation& invocation) {
  const Config& config = table.config();
  const Supervisor supervisor = DetectSupervisor(config.supervised);
  const bool daemon = config.daemonize && supervisor == Supervisor::kNone;
  signal(SIGHUP, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  if (config.disable_thp) RefuseUnaskedHugePages();
  if (auto named = RenamesAreRight(config); !named) {
    std::fprintf(stderr, "\n%s\n", named.error().message.c_str());
    return 1;
  }
  // Before the terminal is given up, so that the reason of a failure reaches it.
  Log log;
  if (auto opened = log.Open(LogOptions(config, daemon)); !opened) {
    std::fprintf(stderr, "Can't open the log file: %s\n", opened.error().message.c_str());
    return 1;
  }
  if (daemon) {
    if (auto done = Daemonize(); !done) {
      std::fprintf(stderr, "%s\n", done.error().message.c_str());
      return 1;
    }
  }
  log.Warning("oO0OoO0OoO0Oo aeris is starting oO0OoO0OoO0Oo");
  log.Warning("aeris version={}, bits=64, pid={}, just started", kVersion, getpid());
  if (invocation.config_file.empty()) {
    log.Warning(
        "Warning: no config file specified, using the default config. In order to specify a config "
        "file use {} /path/to/redis.conf",
        invocation.program);
  } else {
    log.Warning("Configuration loaded");
  }
  for (const std::string& warning : table.TakeWarnings()) log.Warning("{}", warning);
  std::string pidfile = config.pidfile;
  if (pidfile.empty() && daemon) pidfile = "/var/run/redis.pid";
  if (!pidfile.empty()) {
    if (auto written = WritePidFile(pidfile); !written) {
      log.Warning("Failed to write PID file: {}", written.error().message);
    }
  }
  const int status = Serve(table, invocation, supervisor, log);
  if (!pidfile.empty()) unlink(pidfile.c_str());
  return status;
}

}  // namespace aeris
