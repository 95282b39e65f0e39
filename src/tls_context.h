// TlsContext: TLS of the server. The settings that new connections get, the watch over the files
// they come from, and what the loop has to do beside reading and writing.
//
// Connections keep the settings that they began with. A change is made whole and put in the place
// of the old one, or not at all: CONFIG SET answers with Redis's error then, and the log says why.
//
// Files are looked at once a second (stat(2), five at most), while tls-port is set. One that has
// changed is loaded when it has stayed the same from one look to the next, since a certificate and
// its key are written one after the other; if both do not fit then, the old ones go on and the log
// says so, once.
// Rejected: inotify. A file that is replaced by rename, or reached through links that are turned
//           over (as Kubernetes does with secrets), needs watches on every folder on the way, and
//           network file systems tell nothing.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <vector>

#include "ae/event_loop.h"
#include "src/base/error.h"
#include "src/config_table.h"
#include "src/memory_info.h"
#include "src/tls_connection.h"
#include "src/tls_handshakes.h"
#include "src/tls_settings.h"

namespace aeris {

class Client;
class Server;

class TlsContext {
 public:
  static constexpr std::chrono::seconds kLookAtFilesEvery{1};
  // Each takes some 10 us, which the handshakes' share of a turn does not cover.
  static constexpr std::size_t kAcceptsPerTurn = 16;

  explicit TlsContext(Server& server) : server_(server), handshakes_(server) {}
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // Makes the settings when tls-port is set. For the start; the reason is in the log.
  std::expected<void, Error> Start();
  // After a change of tls-port or of another tls directive. Nothing has changed when it fails.
  ConfigResult Apply();

  // A connection to tls-port.
  void Accept(Client& client);
  TlsHandshakes& handshakes() { return handshakes_; }

  // The client's connection has more than its socket tells of: it is read again in the next turn.
  void ReadAgain(const Client& client);
  // The next wait of the loop ends at once.
  void WakeLoop();

 private:
  bool wanted() const;
  bool Load();
  std::optional<std::chrono::milliseconds> LookAtFiles();
  void ReadThoseWithMore();

  Server& server_;
  TlsBio bio_;
  ThreadAllocation allocation_;
  TlsSettings settings_;  // null while tls-port is 0
  FileIdentities tried_;  // what the last load saw, whether it worked or not
  FileIdentities last_look_;
  ae::TimeEvent look_at_files_;
  TlsHandshakes handshakes_;
  std::vector<std::uint64_t> with_more_;  // clients
  ae::TimeEvent next_turn_;
};

}  // namespace aeris
