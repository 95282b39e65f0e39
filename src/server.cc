#include "src/server.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <csignal>
#include <cstdint>

#include "ae/poller_factory.h"
#include "ae/socket.h"
#include "src/acl/acl_users.h"
#include "src/admin/admin_server.h"
#include "src/client_tracking.h"
#include "src/config_file.h"
#include "src/memory_info.h"
#include "src/process.h"
#include "src/protected_mode.h"
#include "src/tls_context.h"
#include "src/version.h"
#include "src/watched_keys.h"

namespace aeris {
namespace {

// Requests that one client gathered while it waited and that run in one turn.
constexpr std::size_t kRequestsPerTurn = 1024;

// A clock that was set, not one that is being slewed.
constexpr std::int64_t kClockSetMs = 1000;

// Subscribers that are written to in one turn: about 0.3 ms, beside which requests are answered.
constexpr std::size_t kSubscribersPerTurn = 64;

std::string_view PollerName(EventPoller poller) {
  switch (poller) {
    case EventPoller::kEpoll:
      return "epoll";
    case EventPoller::kPoll:
      return "poll";
    case EventPoller::kSelect:
      break;
  }
  return "select";
}

// Raises the limit of descriptors to what maxclients needs, as far as the kernel lets us. Returns
// the limit that holds.
std::uint64_t RaiseDescriptorLimit(std::uint64_t wanted) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
  if (limit.rlim_cur >= wanted) return limit.rlim_cur;
  rlimit raised{.rlim_cur = wanted, .rlim_max = std::max<rlim_t>(limit.rlim_max, wanted)};
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) return wanted;
  // Beyond the hard limit only root may go.
  raised = {.rlim_cur = std::min<rlim_t>(limit.rlim_max, wanted), .rlim_max = limit.rlim_max};
  return setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

storage::KeyHasher::Secret MakeHashSecret() {
  storage::KeyHasher::Secret secret;
  FillWithSecret(secret);
  return secret;
}

std::uint64_t MakeSeed() {
  std::array<std::byte, 8> bytes;
  FillWithSecret(bytes);
  return std::bit_cast<std::uint64_t>(bytes);
}

std::string MakeRunId() {
  std::array<std::byte, 20> bytes;
  FillWithSecret(bytes);
  std::string id;
  for (const std::byte byte : bytes) id += fmt::format("{:02x}", static_cast<unsigned>(byte));
  return id;
}

}  // namespace

std::expected<std::unique_ptr<Server>, Error> Server::Create(Options options) {
  Config& config = options.config.config();
  const std::uint64_t wanted = config.maxclients + kDescriptorsReserved;
  const std::uint64_t descriptors = RaiseDescriptorLimit(wanted);
  if (descriptors < wanted) {
    if (descriptors <= kDescriptorsReserved) {
      return std::unexpected(
          Error{ErrorCode::kLimit, 0,
                fmt::format("Your current 'ulimit -n' of {} is not enough for the server to start. "
                            "Please increase your open file limit to at least {}. Exiting.",
                            descriptors, wanted)});
    }
    const unsigned before = config.maxclients;
    config.maxclients = static_cast<unsigned>(descriptors - kDescriptorsReserved);
    options.log.Warning(
        "You requested maxclients of {} requiring at least {} max file descriptors. Current "
        "maximum open files is {}. maxclients has been reduced to {} to compensate for low ulimit. "
        "If you need higher maxclients increase 'ulimit -n'.",
        before, wanted, descriptors, config.maxclients);
  }
  auto poller = ae::MakePoller(PollerName(config.event_poller));
  if (!poller) return std::unexpected(poller.error());
  std::unique_ptr<Server> server(
      new Server(std::move(options), std::move(*poller), descriptors, MakeSeed()));
  if (auto started = server->Start(); !started) return std::unexpected(started.error());
  return server;
}

Server::Server(Options options, std::unique_ptr<ae::Poller> poller, std::uint64_t descriptors,
               std::uint64_t seed)
    : options_(std::move(options)),
      poller_(std::move(poller)),
      descriptors_max_(descriptors),
      loop_({.poller = *poller_, .clock = options_.clock, .fds_max = descriptors}),
      random_(seed),
      hasher_(MakeHashSecret()),
      keyspace_context_{.hasher = hasher_,
                        .random = random_,
                        .stats = {},
                        .lfu_log_factor = config().lfu_log_factor,
                        .lfu_decay_minutes = config().lfu_decay_time},
      databases_(static_cast<std::size_t>(config().databases), keyspace_context_,
                 [this](std::unique_ptr<storage::Keyspace> keyspace) {
                   lazy_free_.Discard(std::move(keyspace));
                 }),
      dispatcher_(*this),
      batch_(*this),
      io_(*this),
      watched_keys_(std::make_unique<WatchedKeys>(*this)),
      tracking_(std::make_unique<Tracking>(*this)),
      acl_(std::make_unique<AclUsers>(*this)),
      tls_(std::make_unique<TlsContext>(*this)),
      admin_(std::make_unique<AdminServer>(*this)),
      clients_(io_, buffers_),
      monitor_(*this),
      run_id_(MakeRunId()),
      started_(options_.clock.Monotonic()),
      started_unix_seconds_(options_.clock.Unix() / 1000) {
  AdjustClock();
  unix_minus_monotonic_at_start_us_ = unix_minus_monotonic_us_;
}

Server::~Server() {
  RemoveUnixSocket();
  // The workers end with what they hold before the arenas' owner goes.
  huge_pages_.Stop();
  lazy_free_.Stop();
}

std::expected<void, Error> Server::Start() {
  if (auto renamed = RenameCommands(config(), commands_); !renamed) return renamed;
  if (auto loaded = acl_->LoadConfigured(); !loaded) return loaded;
  constexpr std::array kSignals = {SIGTERM, SIGINT};
  auto signals = ae::SignalEvent::Create(loop_, kSignals, [this](int signo, pid_t) {
    log().Warning("Received {} scheduling shutdown...", signo == SIGTERM ? "SIGTERM" : "SIGINT");
    Shutdown();
  });
  if (!signals) return std::unexpected(signals.error());
  signals_ = std::move(*signals);
  if (auto started = lazy_free_.Start(loop_); !started) return started;
  if (auto started = huge_pages_.Start(loop_); !started) return started;
  keyspace_context_.disposal = &lazy_free_;
  keyspace_context_.expiry_listener = &events_;
  keyspace_context_.memory_bound = &eviction_;
  if (auto started = tls_->Start(); !started) return started;
  if (auto opened = OpenListeners(); !opened) return opened;
  if (listeners_.empty()) {
    return std::unexpected(Error::Invalid("Configured to not listen anywhere, exiting."));
  }
  if (auto opened = admin_->Apply(); !opened) {
    log().Warning("The admin port cannot be opened: {}", opened.error().message);
    return std::unexpected(Error{
        ErrorCode::kSystem, opened.error().sys_errno,
        fmt::format("Failed listening on admin port {} (TCP), aborting.", config().admin_port)});
  }
  InstallConfigHooks();
  if (!UseAllocatorThread(config().jemalloc_bg_thread)) {
    log().Warning("The allocator's thread cannot be started; freed memory returns later.");
  }
  events_.Choose(config().notify_keyspace_events);
  if (auto applied = ApplyMemoryPolicy(); !applied) {
    return std::unexpected(Error::Invalid(applied.error()));
  }
  AddCrons();
  loop_.SetBeforeSleep([this] { BeforeSleep(); });
  loop_.SetAfterSleep([this] {
    AdjustClock();
    ReadClock();
  });
  startup_memory_ = used_memory();
  return {};
}

int Server::Run() {
  log().Notice("Ready to accept connections");
  loop_.Run();
  log().Warning("User requested shutdown...");
  // What was answered before the end still reaches its client.
  (void)io_.WriteQueued(SIZE_MAX);
  log().Warning("aeris is now ready to exit, bye bye...");
  return 0;
}

void Server::Shutdown() { loop_.Stop(); }

bool Server::password_set() const { return !acl_->default_takes_any_password(); }

std::expected<void, Error> Server::RenameCommands(const Config& config, CommandTable& table) {
  for (const RenamedCommand& renamed : config.renamed_commands) {
    if (auto done = table.Rename(renamed.from, renamed.to); !done) {
      return std::unexpected(
          Error::Invalid(FatalConfigText(renamed.line, renamed.text, done.error(), kVersion)));
    }
  }
  return {};
}

std::expected<void, Error> Server::OpenListeners() {
  for (const bool tls : {false, true}) {
    if (auto opened = OpenPort(tls); !opened) return opened;
  }
  if (!config().unixsocket.empty()) {
    if (auto opened = OpenUnix(); !opened) return opened;
  }
  return {};
}

std::expected<void, Error> Server::OpenPort(bool tls) {
  const int port = tls ? config().tls_port : config().port;
  if (port == 0) return {};
  const std::string failure =
      fmt::format("Failed listening on port {} ({}), aborting.", port, tls ? "TLS" : "TCP");
  bool bound = config().bind.empty();
  for (const std::string& entry : config().bind) {
    const bool optional = entry.starts_with('-');
    const std::string_view address = std::string_view(entry).substr(optional ? 1 : 0);
    auto opened = OpenTcp(address, tls);
    if (opened) {
      bound = true;
      continue;
    }
    const int error = opened.error().sys_errno;
    // An optional address may be missing on this machine; any may be of a family it lacks.
    const bool absent = (optional && error == EADDRNOTAVAIL) || error == EAFNOSUPPORT ||
                        error == EPFNOSUPPORT || error == ENOPROTOOPT || error == EPROTONOSUPPORT ||
                        error == ESOCKTNOSUPPORT;
    if (!absent) {
      log().Warning("Could not create server TCP listening socket {}:{}: {}", address, port,
                    opened.error().message);
      return std::unexpected(Error{ErrorCode::kSystem, error, failure});
    }
  }
  if (!bound) return std::unexpected(Error::Invalid(failure));
  return {};
}

std::expected<void, Error> Server::OpenTcp(std::string_view address, bool tls) {
  auto fd =
      ae::ListenTcp({.address = std::string(address),
                     .port = static_cast<std::uint16_t>(tls ? config().tls_port : config().port),
                     .backlog = config().tcp_backlog});
  if (!fd) return std::unexpected(fd.error());
  return AddListener(std::move(*fd), tls ? ListenerKind::kTls : ListenerKind::kTcp);
}

std::expected<void, Error> Server::OpenUnix() {
  auto fd = ae::ListenUnix({.path = config().unixsocket,
                            .permissions = static_cast<mode_t>(config().unixsocketperm),
                            .backlog = config().tcp_backlog});
  if (!fd) return std::unexpected(fd.error());
  unix_socket_path_ = config().unixsocket;
  return AddListener(std::move(*fd), ListenerKind::kUnix);
}

std::expected<void, Error> Server::AddListener(UniqueFd fd, ListenerKind kind) {
  ae::Listener::Options options;
  if (kind == ListenerKind::kTls) options.accepts_per_turn_max = TlsContext::kAcceptsPerTurn;
  options.on_pause = [this](int sys_errno) {
    log().Warning("Accepting client connection: {}; accepting pauses until descriptors are free",
                  Error::System("accept", sys_errno).message);
  };
  auto listener = ae::Listener::Create(loop_, std::move(fd), std::move(options),
                                       [this, kind](UniqueFd connection, std::string peer) {
                                         OnConnection(std::move(connection), std::move(peer), kind);
                                       });
  if (!listener) return std::unexpected(listener.error());
  listeners_.push_back(std::move(*listener));
  return {};
}

void Server::RemoveUnixSocket() {
  if (!unix_socket_path_.empty()) unlink(unix_socket_path_.c_str());
}

void Server::OnConnection(UniqueFd fd, std::string peer, ListenerKind kind) {
  const bool unix_socket = kind == ListenerKind::kUnix;
  const int number = fd.get();
  if (!unix_socket) {
    // Fails only for a connection that is gone already; the first read tells.
    (void)ae::SetTcpNoDelay(number);
    (void)ae::SetKeepAlive(number, config().tcp_keepalive);
  }
  if (config().tcp_receive_buffer != 0) {
    (void)ae::SetReceiveBuffer(number, static_cast<int>(config().tcp_receive_buffer));
  }
  if (config().tcp_send_buffer != 0) {
    (void)ae::SetSendBuffer(number, static_cast<int>(config().tcp_send_buffer));
  }
  ++stats_.connections_received;
  Client& client = clients_.Add(std::move(fd), std::move(peer), unix_socket, loop_.now());
  acl_->Connect(client);
  const bool tls = kind == ListenerKind::kTls;
  if (RefuseConnection(client, tls)) return clients_.CloseSoon(client);
  auto event = loop_.Watch(number, ae::Ready::kRead, client);
  if (!event) {
    log().Warning("Error registering fd event for the new client: {}", event.error().message);
    return clients_.CloseSoon(client);
  }
  client.event() = std::move(*event);
  if (tls) tls_->Accept(client);
  log().Verbose("Accepted {}", client.peer());
}

// With TLS nothing can be said before the handshake; whether the server is protected is asked after
// it (TlsHandshakes), so that the client is told.
bool Server::RefuseConnection(const Client& candidate, bool tls) {
  std::string_view reason;
  if (clients_.size() > config().maxclients) {
    reason = "-ERR max number of clients reached\r\n";
  } else if (!tls) {
    reason = ProtectedModeDenial(*this, candidate);
  }
  if (reason.empty()) return false;
  ++stats_.connections_rejected;
  // One try: a fresh socket takes this much, and nobody waits for one that does not.
  if (!tls) (void)ae::Write(candidate.fd(), reason);
  return true;
}

void Server::BeforeSleep() {
  do {
    if (!batch_.empty()) batch_.Run();
    if (std::exchange(resume_clients_, false)) ResumePostponed();
    if (blocked_clients_.has_resumed()) ResumeServed();
  } while (!batch_.empty() || resume_clients_ || blocked_clients_.has_resumed());
  tracking_->EndTurn();
  if (!io_.WriteQueued(kSubscribersPerTurn)) {
    write_more_ = loop_.AddTimeEvent(std::chrono::milliseconds(0),
                                     [] { return std::optional<std::chrono::milliseconds>(); });
  }
  tls_->handshakes().Run();
  client_eviction_.Enforce();
  clients_.FreeClosed();
  lazy_free_.BeginTurn();
}

// A paused client may have gathered as much as its query buffer holds. It gets a bounded share of
// this turn, and what is left waits, postponed as it was, for the next.
void Server::ResumePostponed() {
  bool more = false;
  clients_.ForEach([&](Client& client) {
    if (!std::exchange(client.postponed, false)) return;
    if (io_.ParseRequests(client, kRequestsPerTurn)) return;
    client.postponed = true;
    more = true;
  });
  if (!more) return;
  resume_more_ = loop_.AddTimeEvent(std::chrono::milliseconds(0), [this] {
    resume_clients_ = true;
    return std::optional<std::chrono::milliseconds>();
  });
}

// What clients sent while they were blocked; the same bound holds.
void Server::ResumeServed() {
  for (const std::uint64_t id : blocked_clients_.TakeResumed()) {
    Client* const client = clients_.Find(id);
    if (client == nullptr || io_.ParseRequests(*client, kRequestsPerTurn)) continue;
    resume_next_turn_.push_back(id);
  }
  if (resume_next_turn_.empty() || resume_served_.active()) return;
  resume_served_ = loop_.AddTimeEvent(std::chrono::milliseconds(0), [this] {
    for (const std::uint64_t id : std::exchange(resume_next_turn_, {})) {
      blocked_clients_.AddResumed(id);
    }
    return std::optional<std::chrono::milliseconds>();
  });
}

void Server::ResumeClients() {
  pause_.End();
  keyspace_context_.keeps_expired = false;
  resume_clients_ = true;
  pause_end_.Reset();
}

void Server::PauseClients(ClientPause::Kind kind, std::chrono::milliseconds length) {
  pause_.Begin(kind, monotonic_ + length, monotonic_);
  keyspace_context_.keeps_expired = true;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(pause_.until() - monotonic_);
  pause_end_ = loop_.AddTimeEvent(left, [this]() -> std::optional<std::chrono::milliseconds> {
    pause_.End();
    keyspace_context_.keeps_expired = false;
    resume_clients_ = true;
    return std::nullopt;
  });
}

void Server::AdjustClock() {
  const MonotonicTime monotonic = options_.clock.Monotonic();
  const std::int64_t before = unix_minus_monotonic_us_;
  unix_minus_monotonic_us_ =
      options_.clock.UnixMicros() -
      std::chrono::duration_cast<std::chrono::microseconds>(monotonic.time_since_epoch()).count();
  const std::int64_t ahead_ms = (unix_minus_monotonic_us_ - before) / 1000;
  if (ahead_ms > kClockSetMs) {
    keyspace_context_.jumped_from = unix_ms_;
    keyspace_context_.jumped_to = unix_ms_ + ahead_ms;
  }
  unix_ms_end_ = {};
}

void Server::ReadClock() {
  monotonic_ = options_.clock.Monotonic();
  if (monotonic_ < unix_ms_end_) [[likely]]
    return;
  const auto monotonic_us =
      std::chrono::duration_cast<std::chrono::microseconds>(monotonic_.time_since_epoch()).count();
  const auto us = monotonic_us + unix_minus_monotonic_us_;
  unix_ms_ = us / 1000;
  keyspace_context_.age_shift_ms =
      (monotonic_us + unix_minus_monotonic_at_start_us_) / 1000 - unix_ms_;
  unix_ms_end_ = monotonic_ + std::chrono::microseconds(1000 - us % 1000);
}

}  // namespace aeris
