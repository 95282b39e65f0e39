// TlsHandshakes: the handshakes that are under way, so many at a time that established clients
// hardly notice.
//
//   Add() -> the socket has something: Queue() -> Run() takes a step -> watched again, or done
//
// A handshake is a hundred to a thousand times the work of a GET, nearly all of it one signature.
// So the loop does none where it finds a socket ready: it lines them up, and at the end of a turn,
// when all replies are written, takes steps for half a millisecond, one at least. A storm of new
// connections then costs those that are established one step per turn, whatever its size. Those
// that wait are not watched meanwhile, so they cost a turn nothing else.
//
// Holds:  who stands in the line is not watched; a client stands there at most once. Who has not
//         finished within kTimeLimit is closed.
// Memory: 16 bytes per connection of the last ten seconds; OpenSSL's share begins with the first
//         step.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

#include "ae/event_loop.h"
#include "src/base/clock.h"

namespace aeris {

class Client;
class Server;

class TlsHandshakes {
 public:
  // Between two signatures of an RSA key there is time for some thousand requests.
  static constexpr std::chrono::microseconds kTurnShare{500};
  // Long enough for a client far away that has to fetch its certificate's key; short enough that
  // those who stay silent do not fill up maxclients.
  static constexpr std::chrono::seconds kTimeLimit{10};

  explicit TlsHandshakes(Server& server) : server_(server) {}
  TlsHandshakes(const TlsHandshakes&) = delete;
  TlsHandshakes& operator=(const TlsHandshakes&) = delete;

  // `client` has just connected; client.tls is set.
  void Add(const Client& client);
  // Its socket is ready for the next step.
  void Queue(Client& client);
  // Takes steps: at the end of each turn, after the replies have been written.
  void Run() {
    if (!line_.empty()) [[unlikely]]
      TakeSteps();
  }

 private:
  struct UnderWay {
    std::uint64_t id;
    MonotonicTime until;
  };

  void TakeSteps();
  void TakeStep(Client& client);
  void Finish(Client& client);
  void Fail(Client& client);
  void Watch(Client& client, ae::Ready interest);
  std::optional<std::chrono::milliseconds> CloseLate();
  // A flood of failures must not fill the disk.
  bool MayLog();

  Server& server_;
  std::deque<std::uint64_t> line_;  // clients that are ready
  std::deque<UnderWay> under_way_;  // in the order of connecting; some are done already
  ae::TimeEvent next_turn_;         // set while the line is not empty: the loop does not sleep
  ae::TimeEvent close_late_;        // set while some are under way
  MonotonicTime log_window_{};
  int logged_in_window_ = 0;
  std::uint64_t not_logged_ = 0;
};

}  // namespace aeris
