// Server: owner of everything; start and stop. What happens to a request is in client_io.cc (bytes
// in and out), request_batch.cc (parsed requests, in order) and dispatch.cc (one command);
// server_cron.cc holds the periodic work.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ae/event_loop.h"
#include "ae/listener.h"
#include "ae/poller.h"
#include "ae/signals.h"
#include "protocol/buffer_pool.h"
#include "src/base/clock.h"
#include "src/base/error.h"
#include "src/base/log.h"
#include "src/base/random.h"
#include "src/blocked_clients.h"
#include "src/cache_stats.h"
#include "src/client_eviction.h"
#include "src/client_io.h"
#include "src/client_pause.h"
#include "src/client_registry.h"
#include "src/command_table.h"
#include "src/config_table.h"
#include "src/databases.h"
#include "src/dispatch.h"
#include "src/eviction.h"
#include "src/hot_keys.h"
#include "src/huge_pages.h"
#include "src/keyspace_events.h"
#include "src/latency_monitor.h"
#include "src/lazy_free.h"
#include "src/memory_account.h"
#include "src/monitor.h"
#include "src/pubsub.h"
#include "src/request_batch.h"
#include "src/server_stats.h"
#include "src/slow_log.h"
#include "storage/hash_function.h"

namespace aeris {

class AclUsers;
class AdminServer;
class TlsContext;
class Tracking;
class WatchedKeys;

// Descriptors beside those of clients: listeners, epoll, log, files.
inline constexpr std::uint64_t kDescriptorsReserved = 32;

class Server {
 public:
  // `config` has been read; `config_file` is its path for CONFIG REWRITE, absolute, or empty.
  // All references outlive the server.
  struct Options {
    ConfigTable& config;
    Log& log;
    const Clock& clock;
    std::string config_file;
    std::string executable;
  };
  // Opens the listeners. Errors are of set-up: addresses in use, unknown names in rename-command.
  static std::expected<std::unique_ptr<Server>, Error> Create(Options options);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  // Carries out the rename-command lines. The error is the text with which the start fails.
  static std::expected<void, Error> RenameCommands(const Config& config, CommandTable& table);

  // Serves until Shutdown(). Returns the exit status of the process.
  int Run();
  // One turn of Run(), waiting at most `wait_max`; for tests. Returns the handlers and time
  // callbacks that ran.
  std::size_t RunTurn(std::chrono::milliseconds wait_max) { return loop_.RunOnce(wait_max); }
  // SHUTDOWN, SIGTERM, SIGINT: the present turn is the last.
  void Shutdown();

  // --- Parts.
  const Config& config() const { return options_.config.config(); }
  ConfigTable& config_table() { return options_.config; }
  const std::string& config_file() const { return options_.config_file; }
  const std::string& executable() const { return options_.executable; }
  Log& log() { return options_.log; }
  const Clock& clock() const { return options_.clock; }
  ae::EventLoop& loop() { return loop_; }
  CommandTable& commands() { return commands_; }
  const CommandTable& commands() const { return commands_; }
  ClientRegistry& clients() { return clients_; }
  ClientIo& io() { return io_; }
  Databases& databases() { return databases_; }
  ServerStats& stats() { return stats_; }
  SlowLog& slow_log() { return slow_log_; }
  LatencyMonitor& latency() { return latency_; }
  Monitor& monitor() { return monitor_; }
  PubSub& pubsub() { return pubsub_; }
  KeyspaceEvents& events() { return events_; }
  WatchedKeys& watched_keys() { return *watched_keys_; }
  Tracking& tracking() { return *tracking_; }
  AclUsers& acl() { return *acl_; }
  TlsContext& tls() { return *tls_; }
  AdminServer& admin() { return *admin_; }
  ClientPause& pause() { return pause_; }
  BlockedClients& blocked_clients() { return blocked_clients_; }
  Random& random() { return random_; }
  LazyFree& lazy_free() { return lazy_free_; }
  const MemoryAccount& memory_account() const { return memory_account_; }
  Eviction& eviction() { return eviction_; }
  CacheStats& cache_stats() { return cache_stats_; }
  HotKeys& hot_keys() { return hot_keys_; }
  ClientEviction& client_eviction() { return client_eviction_; }
  protocol::BufferPool& buffers() { return buffers_; }
  Dispatcher& dispatcher() { return dispatcher_; }
  RequestBatch& batch() { return batch_; }

  // --- Figures for INFO.
  const std::string& run_id() const { return run_id_; }
  MonotonicTime started() const { return started_; }
  std::int64_t started_unix_seconds() const { return started_unix_seconds_; }
  std::string_view poller_name() const { return loop_.poller_name(); }
  // Bound TCP addresses and the unix socket, as in the log at start.
  const std::vector<std::unique_ptr<ae::Listener>>& listeners() const { return listeners_; }
  std::uint32_t lru_clock() const {
    return static_cast<std::uint32_t>(unix_ms_ / 1000) & 0xFFFFFFU;
  }
  // What INFO shows and maxmemory limits; and resident memory as the cron last saw it.
  std::size_t used_memory() const { return memory_account_.used(); }
  std::size_t resident_memory() const { return resident_memory_; }
  // Tells the statistics of the cache what all lookups have come to, which is returned; the cron
  // does, and INFO cache.
  HitCounts SampleCache();
  // Used memory when the server was ready to serve.
  std::size_t startup_memory() const { return startup_memory_; }
  std::uint64_t descriptors_max() const { return descriptors_max_; }
  bool active_expire() const { return active_expire_; }
  void set_active_expire(bool on) { active_expire_ = on; }
  bool skip_checksum_validation() const { return skip_checksum_validation_; }
  void set_skip_checksum_validation(bool on) { skip_checksum_validation_ = on; }

  // The time of the command that runs. One reading of the clock per command keeps them right.
  UnixMs unix_ms() const { return unix_ms_; }
  MonotonicTime monotonic() const { return monotonic_; }
  // Reads the clock; the dispatcher calls it between commands.
  void ReadClock();

  // A new client, which is the default user, must give a password.
  bool password_set() const;

  // CLIENT PAUSE and UNPAUSE. Requests that waited run at the end of this turn, in their order.
  void PauseClients(ClientPause::Kind kind, std::chrono::milliseconds length);
  void ResumeClients();

 private:
  enum class ListenerKind : std::uint8_t { kTcp, kTls, kUnix };

  explicit Server(Options options, std::unique_ptr<ae::Poller> poller, std::uint64_t descriptors,
                  std::uint64_t seed);
  std::expected<void, Error> Start();
  std::expected<void, Error> OpenListeners();
  std::expected<void, Error> OpenPort(bool tls);
  std::expected<void, Error> OpenTcp(std::string_view address, bool tls);
  std::expected<void, Error> OpenUnix();
  std::expected<void, Error> AddListener(UniqueFd fd, ListenerKind kind);
  void RemoveUnixSocket();
  void InstallConfigHooks();  // server_config.cc
  bool Relisten();            // server_config.cc
  ConfigResult ApplyMemoryPolicy();
  void AdjustClock();
  void OnConnection(UniqueFd fd, std::string peer, ListenerKind kind);
  bool RefuseConnection(const Client& candidate, bool tls);
  void BeforeSleep();
  void ResumePostponed();
  void ResumeServed();
  // Periodic work, server_cron.cc.
  void AddCrons();
  void SampleRates();
  void SampleMemory();
  void WatchClients();
  std::chrono::milliseconds ExpireKeys();

  Options options_;
  std::unique_ptr<ae::Poller> poller_;
  std::uint64_t descriptors_max_;
  ae::EventLoop loop_;
  Random random_;
  storage::KeyHasher hasher_;
  storage::KeyspaceContext keyspace_context_;
  protocol::BufferPool buffers_;
  CommandTable commands_;
  ServerStats stats_;
  LazyFree lazy_free_{stats_};
  SlowLog slow_log_;
  LatencyMonitor latency_;
  ClientPause pause_;
  Databases databases_;
  HugePages huge_pages_{databases_};
  MemoryAccount memory_account_{MemoryAccount::Parts{.databases = databases_,
                                                     .lazy_free = lazy_free_,
                                                     .huge_pages = huge_pages_,
                                                     .argument_bytes = stats_.argument_bytes}};
  Eviction eviction_{*this};
  CacheStats cache_stats_;
  HotKeys hot_keys_{random_};
  ClientEviction client_eviction_{*this};
  Dispatcher dispatcher_;
  RequestBatch batch_;
  ClientIo io_;
  BlockedClients blocked_clients_{*this};
  PubSub pubsub_{*this};
  KeyspaceEvents events_{*this};
  std::unique_ptr<WatchedKeys> watched_keys_;
  std::unique_ptr<Tracking> tracking_;
  std::unique_ptr<AclUsers> acl_;
  std::unique_ptr<TlsContext> tls_;
  std::unique_ptr<AdminServer> admin_;
  ClientRegistry clients_;
  Monitor monitor_;
  std::vector<std::unique_ptr<ae::Listener>> listeners_;
  std::string unix_socket_path_;  // of the socket that is ours to remove
  std::unique_ptr<ae::SignalEvent> signals_;
  std::vector<ae::TimeEvent> crons_;
  ae::TimeEvent pause_end_;
  ae::TimeEvent resume_more_;
  ae::TimeEvent write_more_;
  ae::TimeEvent resume_served_;
  std::vector<std::uint64_t> resume_next_turn_;  // clients

  std::string run_id_;
  MonotonicTime started_;
  std::int64_t started_unix_seconds_;
  UnixMs unix_ms_ = 0;
  MonotonicTime monotonic_{};
  MonotonicTime unix_ms_end_{};  // until then unix_ms_ is right
  std::int64_t unix_minus_monotonic_us_ = 0;
  std::int64_t unix_minus_monotonic_at_start_us_ = 0;
  std::size_t resident_memory_ = 0;
  std::size_t startup_memory_ = 0;
  std::uint64_t cron_client_id_ = 0;
  bool active_expire_ = true;
  bool skip_checksum_validation_ = false;
  bool resume_clients_ = false;
};

}  // namespace aeris
