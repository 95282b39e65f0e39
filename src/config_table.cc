// The rows of the server itself: network, clients, process, access, logs, slow log and latency.
#include <syslog.h>

#include "src/config_rows.h"
#include "src/config_special.h"

namespace aeris {
namespace {

using namespace config_rows;  // the vocabulary of the rows
using namespace config_special;

constexpr EnumName kEventPollers[] = {Name("epoll", EventPoller::kEpoll),
                                      Name("poll", EventPoller::kPoll),
                                      Name("select", EventPoller::kSelect)};
constexpr EnumName kSupervised[] = {Name("upstart", Supervised::kUpstart),
                                    Name("systemd", Supervised::kSystemd),
                                    Name("auto", Supervised::kAuto), Name("no", Supervised::kNo)};
constexpr EnumName kLogLevels[] = {
    Name("debug", LogLevel::kDebug), Name("verbose", LogLevel::kVerbose),
    Name("notice", LogLevel::kNotice), Name("warning", LogLevel::kWarning)};
constexpr EnumName kSyslogFacilities[] = {
    {"user", LOG_USER},     {"local0", LOG_LOCAL0}, {"local1", LOG_LOCAL1},
    {"local2", LOG_LOCAL2}, {"local3", LOG_LOCAL3}, {"local4", LOG_LOCAL4},
    {"local5", LOG_LOCAL5}, {"local6", LOG_LOCAL6}, {"local7", LOG_LOCAL7}};
// "yes" is what Redis shows for "relative": the first name of a value is its name.
constexpr EnumName kOomScoreAdj[] = {
    Name("no", OomScoreAdj::kNo), Name("yes", OomScoreAdj::kRelative),
    Name("relative", OomScoreAdj::kRelative), Name("absolute", OomScoreAdj::kAbsolute)};
constexpr EnumName kAclPubsub[] = {Name("allchannels", AclPubsubDefault::kAllChannels),
                                   Name("resetchannels", AclPubsubDefault::kResetChannels)};
constexpr EnumName kShutdownWays[] = {{"default", 0},
                                      {"save", kShutdownSave},
                                      {"nosave", kShutdownNosave},
                                      {"now", kShutdownNow},
                                      {"force", kShutdownForce}};

constexpr int kFixed = kConfigImmutable;
constexpr std::int64_t kMegabyte = 1 << 20;

// Values out of range are moved to the nearest end, not refused.
constexpr ConfigField kHzField =
    IntegerField{[](const Config& config) { return static_cast<std::int64_t>(config.hz); },
                 [](Config& config, std::int64_t value) {
                   config.hz = static_cast<int>(value < 1 ? 1 : value > 500 ? 500 : value);
                 },
                 0, kInt32Max};

// Empty would be every address, and who means that writes "*".
ConfigResult CheckAdminBind(std::string_view address) {
  const bool one_word = !address.empty() && address.find(' ') == std::string_view::npos;
  if (one_word) return {};
  return std::unexpected("argument must be one address");
}

constexpr ConfigRow kRows[] = {
    // ---- Network
    Works("bind", Special<BindOption>(), {kConfigMultiArg, "", ConfigHook::kBind}),
    Works("port", Integer<&Config::port>(0, 65535), {.hook = ConfigHook::kPort}),
    Works("unixsocket", Text<&Config::unixsocket>(), {kFixed}),
    Works("unixsocketperm", Integer<&Config::unixsocketperm>(0, 0777, IntegerUnit::kOctal),
          {kFixed}),
    Works("tcp-backlog", Integer<&Config::tcp_backlog>(0, kInt32Max), {kFixed}),
    Works("tcp-keepalive", Integer<&Config::tcp_keepalive>(0, kInt32Max)),
    Works("tcp-send-buffer", Bytes<&Config::tcp_send_buffer>(0, kInt32Max)),
    Works("tcp-receive-buffer", Bytes<&Config::tcp_receive_buffer>(0, kInt32Max)),
    Works("protected-mode", Bool<&Config::protected_mode>()),
    Later("bind-source-addr", Text<&Config::bind_source_addr>()),
    Later("socket-mark-id", Integer<&Config::socket_mark_id>(0, kUint32Max), {kFixed}),
    Works("admin-port", Integer<&Config::admin_port>(0, 65535), {.hook = ConfigHook::kAdminPort}),
    Works("admin-bind", Text<&Config::admin_bind>(CheckAdminBind),
          {.hook = ConfigHook::kAdminPort}),
    // Not among what CONFIG GET * shows: Redis's suite expects to be able to set all of those.
    Works("event-poller", Enum<&Config::event_poller>(kEventPollers), {kFixed | kConfigHidden}),

    // ---- Clients
    Works("maxclients", Integer<&Config::maxclients>(1, kUint32Max),
          {.hook = ConfigHook::kMaxClients}),
    Works("timeout", Integer<&Config::timeout>(0, kInt32Max)),
    Works("requirepass", Text<&Config::requirepass>(),
          {kConfigSensitive, "", ConfigHook::kRequirePass}),
    Works("client-query-buffer-limit",
          Bytes<&Config::client_query_buffer_limit>(kMegabyte, kInt64Max),
          {.hook = ConfigHook::kLimits}),
    Works("proto-max-bulk-len", Bytes<&Config::proto_max_bulk_len>(kMegabyte, kInt64Max),
          {.hook = ConfigHook::kLimits}),
    Works("client-output-buffer-limit", Special<OutputLimitsOption>(),
          {kConfigMultiArg, "", ConfigHook::kOutputLimits}),
    Works("maxmemory-clients",
          Integer<&Config::maxmemory_clients>(-100, kInt64Max, IntegerUnit::kBytesOrPercent),
          {.hook = ConfigHook::kMemory}),
    Works("tracking-table-max-keys", Integer<&Config::tracking_table_max_keys>(0, kInt64Max)),
    Works("tracking-client-max-keys", Integer<&Config::tracking_client_max_keys>(0, kInt64Max)),

    // ---- The process
    Works("databases", Integer<&Config::databases>(1, kInt32Max), {kFixed}),
    Works("hz", kHzField, {.hook = ConfigHook::kHz}),
    Later("dynamic-hz", Bool<&Config::dynamic_hz>()),
    Works("daemonize", Bool<&Config::daemonize>(), {kFixed}),
    Works("supervised", Enum<&Config::supervised>(kSupervised), {kFixed}),
    Works("pidfile", Text<&Config::pidfile>(), {kFixed}),
    Works("dir", Special<DirectoryOption>(), {kConfigProtected}),
    Works("set-proc-title", Bool<&Config::set_proc_title>(), {kFixed}),
    Works("proc-title-template", Text<&Config::proc_title_template>(CheckProcTitleTemplate),
          {.hook = ConfigHook::kProcTitle}),
    Works("always-show-logo", Bool<&Config::always_show_logo>(), {kFixed}),
    Later("shutdown-timeout", Integer<&Config::shutdown_timeout>(0, kInt32Max)),
    Later("shutdown-on-sigint", EnumBits<&Config::shutdown_on_sigint>(kShutdownWays),
          {kConfigMultiArg}),
    Later("shutdown-on-sigterm", EnumBits<&Config::shutdown_on_sigterm>(kShutdownWays),
          {kConfigMultiArg}),
    Works("crash-log-enabled", Bool<&Config::crash_log_enabled>(), {.hook = ConfigHook::kCrashLog}),
    Later("crash-memcheck-enabled", Bool<&Config::crash_memcheck_enabled>()),
    Later("use-exit-on-panic", Bool<&Config::use_exit_on_panic>(), {kConfigHidden}),
    Later("watchdog-period", Integer<&Config::watchdog_period>(0, kInt32Max), {kConfigHidden}),
    Works("disable-thp", Bool<&Config::disable_thp>(), {kFixed}),
    Later("oom-score-adj", Enum<&Config::oom_score_adj>(kOomScoreAdj)),
    Later("oom-score-adj-values", Special<OomScoreAdjValuesOption>(), {kConfigMultiArg}),
    Later("server_cpulist", Text<&Config::server_cpulist>(), {kFixed}),
    Later("bio_cpulist", Text<&Config::bio_cpulist>(), {kFixed}),
    Later("aof_rewrite_cpulist", Text<&Config::aof_rewrite_cpulist>(), {kFixed}),
    Later("bgsave_cpulist", Text<&Config::bgsave_cpulist>(), {kFixed}),
    Later("ignore-warnings", Text<&Config::ignore_warnings>()),
    Later("io-threads", Integer<&Config::io_threads>(1, 128), {kFixed}),
    Later("io-threads-do-reads", Bool<&Config::io_threads_do_reads>(), {kFixed}),

    // ---- Access
    Works("enable-protected-configs", Enum<&Config::enable_protected_configs>(kPermissions),
          {kFixed}),
    Works("enable-debug-command", Enum<&Config::enable_debug_command>(kPermissions), {kFixed}),
    Later("enable-module-command", Enum<&Config::enable_module_command>(kPermissions), {kFixed}),
    Works("aclfile", Text<&Config::aclfile>(), {kFixed}),
    Works("acllog-max-len", Integer<&Config::acllog_max_len>(0, kInt64Max),
          {.hook = ConfigHook::kAclLog}),
    Works("acl-pubsub-default", Enum<&Config::acl_pubsub_default>(kAclPubsub)),

    // ---- Log, slow log, latency
    Works("loglevel", Enum<&Config::loglevel>(kLogLevels), {.hook = ConfigHook::kLog}),
    Works("logfile", Text<&Config::logfile>(), {kFixed}),
    Works("syslog-enabled", Bool<&Config::syslog_enabled>(), {kFixed}),
    Works("syslog-ident", Text<&Config::syslog_ident>(), {kFixed}),
    Works("syslog-facility", Enum<&Config::syslog_facility>(kSyslogFacilities), {kFixed}),
    Works("slowlog-log-slower-than", Integer<&Config::slowlog_log_slower_than>(-1, kInt64Max)),
    Works("slowlog-max-len", Integer<&Config::slowlog_max_len>(0, kInt64Max),
          {.hook = ConfigHook::kSlowlog}),
    Works("latency-monitor-threshold", Integer<&Config::latency_monitor_threshold>(0, kInt64Max)),
    Works("latency-tracking", Bool<&Config::latency_tracking>(), {.hook = ConfigHook::kLatency}),
    Works("latency-tracking-info-percentiles", Special<PercentilesOption>(),
          {kConfigMultiArg, "", ConfigHook::kLatency}),
};
static_assert(NamesAreLowerCaseAndUnique(kRows));

}  // namespace

std::span<const ConfigRow> ServerConfigRows() { return kRows; }

}  // namespace aeris
