#include "src/admin/admin_server.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "ae/socket.h"
#include "src/admin/admin_connection.h"
#include "src/admin/allowed_host.h"
#include "src/admin/health.h"
#include "src/admin/history.h"
#include "src/admin/page.h"
#include "src/admin/stats_json.h"
#include "src/base/number_text.h"
#include "src/server.h"

namespace aeris {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTick{100};
constexpr std::chrono::seconds kRow{1};
constexpr std::chrono::minutes kLogEvery{1};
constexpr int kBacklog = 64;

// Whether to write a line that a flood of the same event must not repeat.
bool TimeToLog(MonotonicTime& logged, MonotonicTime now) {
  if (logged != MonotonicTime{} && now - logged < kLogEvery) return false;
  logged = now;
  return true;
}

}  // namespace

AdminServer::AdminServer(Server& server) : server_(server) {}
AdminServer::~AdminServer() = default;

ae::EventLoop& AdminServer::loop() { return server_.loop(); }
std::int64_t AdminServer::UnixSeconds() const { return server_.unix_ms() / 1000; }

std::size_t AdminServer::port() const {
  return listener_ == nullptr ? 0 : ae::LocalPort(listener_->fd());
}

std::expected<void, Error> AdminServer::Apply() {
  // An address can be bound only once, so the old one goes first.
  connections_.clear();
  listener_.reset();
  tick_.Reset();
  history_.reset();
  census_ = {};
  const Config& config = server_.config();
  if (config.admin_port == 0) return {};
  auto fd = ae::ListenTcp({.address = config.admin_bind,
                           .port = static_cast<std::uint16_t>(config.admin_port),
                           .backlog = kBacklog});
  if (!fd) return std::unexpected(std::move(fd.error()));
  ae::Listener::Options options;
  options.accepts_per_turn_max = kConnectionsMax;
  options.on_pause = [this](int sys_errno) {
    server_.log().Warning("Accepting connections of the admin port pauses: {}",
                          Error::System("accept", sys_errno).message);
  };
  auto listener = ae::Listener::Create(loop(), std::move(*fd), std::move(options),
                                       [this](UniqueFd connection, std::string peer) {
                                         OnConnection(std::move(connection), std::move(peer));
                                       });
  if (!listener) return std::unexpected(std::move(listener.error()));
  listener_ = std::move(*listener);
  history_ = std::make_unique<History>();
  history_->Sample(server_, loop().clock().Monotonic());
  next_row_ = loop().clock().Monotonic() + kRow;
  tick_ = loop().AddTimeEvent(kTick, [this] { return Tick(); });
  server_.log().Notice("The admin port is open on {}", ae::LocalAddress(listener_->fd()));
  return {};
}

std::optional<milliseconds> AdminServer::Tick() {
  census_.Step(server_.clients());
  const MonotonicTime now = loop().now();
  if (now >= next_row_) {
    history_->Sample(server_, now);
    next_row_ = std::max(next_row_ + kRow, now + kTick);
  }
  return kTick;
}

void AdminServer::OnConnection(UniqueFd fd, std::string peer) {
  ++stats_.connections;
  if (!MakeRoom()) {
    ++stats_.refused_connections;
    if (TimeToLog(refusal_logged_, loop().now())) {
      server_.log().Warning("Admin port: {} connections are busy, that of {} is refused",
                            connections_.size(), peer);
    }
    return;
  }
  (void)ae::SetTcpNoDelay(fd.get());  // fails for one that is gone, which the first read tells
  auto connection = std::make_unique<AdminConnection>(*this, std::move(fd), std::move(peer));
  if (auto watched = connection->Start(); !watched) {
    ++stats_.refused_connections;
    server_.log().Warning("Admin port: {}", watched.error().message);
    return;
  }
  connections_.push_back(std::move(connection));
}

// Closes the one that has been idle longest when there are as many as may be. False when none is.
bool AdminServer::MakeRoom() {
  if (connections_.size() < kConnectionsMax) return true;
  const AdminConnection* longest = nullptr;
  for (const auto& connection : connections_) {
    if (!connection->idle()) continue;
    if (longest == nullptr || connection->idle_since() < longest->idle_since()) {
      longest = connection.get();
    }
  }
  if (longest == nullptr) return false;
  Close(*longest);
  return true;
}

void AdminServer::Close(const AdminConnection& connection) {
  std::erase_if(connections_, [&](const auto& one) { return one.get() == &connection; });
}

bool AdminServer::MayAnswer() {
  if (answered_ == kAnswersPerTurn) return false;
  if (answered_++ == 0) {
    next_turn_ = loop().AddTimeEvent(milliseconds(0), [this]() -> std::optional<milliseconds> {
      answered_ = 0;
      return std::nullopt;
    });
  }
  return true;
}

void AdminServer::NoteRefused() {
  ++stats_.requests;
  ++stats_.refused_requests;
}

void AdminServer::NoteForeign(const std::string& peer) {
  if (!TimeToLog(foreign_logged_, loop().now())) return;
  server_.log().Warning("Admin port: {} speaks no HTTP; its connection is closed", peer);
}

HttpReply AdminServer::Answer(const HttpRequest& request) {
  ++stats_.requests;
  HttpReply reply = Route(request);
  if (reply.status >= 400 && reply.status < 500) ++stats_.refused_requests;
  return reply;
}

HttpReply AdminServer::Route(const HttpRequest& request) {
  // HTTP/1.0 needs no Host; browsers, which the check is for, always send one.
  if (!request.host.empty() && !IsAllowedHost(request.host, server_.config().admin_bind)) {
    HttpReply reply = StatusReply(403);
    reply.body += "Ask by an address, by localhost, or by the name in admin-bind.\n";
    return reply;
  }
  const std::string_view path = request.path;
  if (path == "/healthz") return HealthReply();
  if (path == "/readyz") return ReadinessReply(server_);
  if (path == "/metrics") {
    return {
        .content_type = "text/plain; version=0.0.4; charset=utf-8",
        .body = MetricsText(
            {.server = server_, .clients = census_.Figures(server_.clients()), .admin = stats_})};
  }
  if (path == "/stats.json") {
    const auto since = ParseUint64(QueryValue(request.query, "since")).value_or(0);
    return {.content_type = "application/json",
            .body = StatsJson({.server = server_,
                               .clients = census_.Figures(server_.clients()),
                               .history = *history_},
                              since)};
  }
  const PageResource resource = FindPageResource(path);
  if (resource.content.empty()) return StatusReply(404);
  return {.content_type = resource.content_type, .body = std::string(resource.content)};
}

}  // namespace aeris
