#include "src/tls_handshakes.h"

#include <string_view>
#include <utility>

#include "ae/socket.h"
#include "src/protected_mode.h"
#include "src/server.h"
#include "src/tls_connection.h"
#include "src/tls_context.h"

namespace aeris {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLookForLate{500};
constexpr int kLogLinesPerSecond = 10;

}  // namespace

void TlsHandshakes::Add(const Client& client) {
  under_way_.push_back({client.id(), server_.loop().now() + kTimeLimit});
  if (close_late_.active()) return;
  close_late_ = server_.loop().AddTimeEvent(kLookForLate, [this] { return CloseLate(); });
}

void TlsHandshakes::Queue(Client& client) {
  Watch(client, ae::Ready::kNone);
  if (!client.closing) line_.push_back(client.id());
}

void TlsHandshakes::TakeSteps() {
  const Clock& clock = server_.clock();
  const MonotonicTime end = clock.Monotonic() + kTurnShare;
  do {
    const std::uint64_t id = line_.front();
    line_.pop_front();
    Client* const client = server_.clients().Find(id);
    if (client != nullptr) TakeStep(*client);
  } while (!line_.empty() && clock.Monotonic() < end);
  if (line_.empty() || next_turn_.active()) return;
  next_turn_ = server_.loop().AddTimeEvent(
      milliseconds(0), []() -> std::optional<milliseconds> { return std::nullopt; });
}

void TlsHandshakes::TakeStep(Client& client) {
  switch (client.tls->Shake()) {
    case TlsConnection::Handshake::kDone:
      return Finish(client);
    case TlsConnection::Handshake::kWantsRead:
      return Watch(client, ae::Ready::kRead);
    case TlsConnection::Handshake::kWantsWrite:
      return Watch(client, ae::Ready::kWrite);
    case TlsConnection::Handshake::kFailed:
      return Fail(client);
  }
}

void TlsHandshakes::Finish(Client& client) {
  ++server_.stats().tls_handshakes;
  server_.log().Verbose("TLS handshake of client id={} addr={} is done: {}", client.id(),
                        client.peer(), client.tls->Description());
  Watch(client, ae::Ready::kRead);
  if (client.closing) return;
  const std::string_view denied = ProtectedModeDenial(server_, client);
  if (!denied.empty()) {
    ++server_.stats().connections_rejected;
    client.replies().Append(denied);
    client.close_after_reply = true;
    server_.clients().QueueWrite(client);
    return server_.tls().WakeLoop();
  }
  if (client.tls->has_more()) server_.tls().ReadAgain(client);
}

void TlsHandshakes::Fail(Client& client) {
  ++server_.stats().tls_handshakes_failed;
  // Those who look whether the port is open go without a word.
  if (client.tls->left()) {
    server_.log().Verbose("Client closed connection during its TLS handshake id={} addr={}",
                          client.id(), client.peer());
  } else if (MayLog()) {
    server_.log().Warning("Error accepting a client connection: {} (addr={} laddr={})",
                          client.tls->error(), client.peer(), ae::LocalAddress(client.fd()));
  }
  server_.clients().CloseSoon(client);
}

void TlsHandshakes::Watch(Client& client, ae::Ready interest) {
  if (client.event().SetInterest(interest)) return;
  server_.clients().CloseSoon(client);
}

std::optional<milliseconds> TlsHandshakes::CloseLate() {
  const MonotonicTime now = server_.loop().now();
  while (!under_way_.empty() && under_way_.front().until <= now) {
    Client* const client = server_.clients().Find(under_way_.front().id);
    under_way_.pop_front();
    if (client == nullptr || !client->tls->shaking()) continue;
    ++server_.stats().tls_handshakes_failed;
    if (MayLog()) {
      server_.log().Warning(
          "Error accepting a client connection: the TLS handshake was not done within {} s "
          "(addr={})",
          kTimeLimit.count(), client->peer());
    }
    server_.clients().CloseSoon(*client);
  }
  if (under_way_.empty()) return std::nullopt;
  return kLookForLate;
}

bool TlsHandshakes::MayLog() {
  const MonotonicTime now = server_.loop().now();
  if (now - log_window_ >= std::chrono::seconds(1)) {
    if (not_logged_ > 0) {
      server_.log().Warning("{} more TLS handshakes failed within a second.", not_logged_);
    }
    log_window_ = now;
    logged_in_window_ = 0;
    not_logged_ = 0;
  }
  if (logged_in_window_ < kLogLinesPerSecond) {
    ++logged_in_window_;
    return true;
  }
  ++not_logged_;
  return false;
}

}  // namespace aeris
