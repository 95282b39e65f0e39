// AdminServer: HTTP on a port of its own, for metrics, health, and a page to look at.
//
//   GET /metrics      Prometheus text format 0.0.4 (metrics.h)
//   GET /healthz      200: the loop turns (health.h)
//   GET /readyz       200, or 503 with the reasons
//   GET /             the page, with /page.css, /page.js and /icon.svg (page.h)
//   GET /stats.json   what it draws (stats_json.h)
//
// It runs on the server's loop and never keeps it: a request is at most 8 KiB and answered from
// numbers that are there, a connection has one answer a turn and all of them kAnswersPerTurn, and
// sockets are written as far as they take it. Connections are kept for further requests
// (HTTP/1.1), at most kConnectionsMax; one more takes the place of that which has been idle
// longest, or is refused when all are busy. The limit keeps them within the descriptors that are
// reserved beside those of clients.
//
// There is no password here. The address is loopback unless admin-bind says otherwise, a browser
// must ask for it by a name that cannot be turned against it (allowed_host.h), and names of keys
// are hidden while clients need a password or may not do everything (stats_json.h).
//
// Cost:   nothing while admin-port is 0. While it is open 0.1 ms a second for the history
//         (history.h) and, above 512 clients, 50 ns a second for each (client_census.h). An answer:
//         docs/admin.md.
// Memory: nothing while it is closed; open 130 KiB, 9 KiB for each connection, and what an answer
//         has until it is sent.
#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ae/event_loop.h"
#include "ae/listener.h"
#include "src/admin/client_census.h"
#include "src/admin/http_reply.h"
#include "src/admin/http_request.h"
#include "src/admin/metrics.h"
#include "src/base/clock.h"
#include "src/base/error.h"
#include "src/base/unique_fd.h"

namespace aeris {

class AdminConnection;
class History;
class Server;

class AdminServer {
 public:
  static constexpr std::size_t kConnectionsMax = 16;
  static constexpr std::size_t kAnswersPerTurn = 4;

  explicit AdminServer(Server& server);
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;
  ~AdminServer();

  // Opens and closes what admin-port and admin-bind say: at the start, and when they have changed.
  // Connections of before are closed. After an error it is closed.
  std::expected<void, Error> Apply();

  // --- For connections.
  ae::EventLoop& loop();
  // Whether one may answer in this turn; else it asks again in the next one.
  bool MayAnswer();
  HttpReply Answer(const HttpRequest& request);
  // Counts an answer that no Answer() gave.
  void NoteRefused();
  // Somebody speaks no HTTP. A flood of such brings one line a minute.
  void NoteForeign(const std::string& peer);
  void NoteTimeout() { ++stats_.timeouts; }
  // Destroys it; may be called from its own handlers, as their last act.
  void Close(const AdminConnection& connection);
  std::int64_t UnixSeconds() const;

  std::size_t connections() const { return connections_.size(); }
  std::size_t port() const;  // that it listens on, 0 while closed

 private:
  void OnConnection(UniqueFd fd, std::string peer);
  bool MakeRoom();
  std::optional<std::chrono::milliseconds> Tick();
  HttpReply Route(const HttpRequest& request);

  Server& server_;
  std::unique_ptr<ae::Listener> listener_;
  std::vector<std::unique_ptr<AdminConnection>> connections_;
  std::unique_ptr<History> history_;  // while it is open
  ClientCensus census_;
  AdminStats stats_;
  ae::TimeEvent tick_;
  MonotonicTime next_row_{};
  std::size_t answered_ = 0;  // in this turn
  ae::TimeEvent next_turn_;
  MonotonicTime foreign_logged_{};
  MonotonicTime refusal_logged_{};
};

}  // namespace aeris
