#include "src/tls_context.h"

#include <memory>
#include <utility>

#include "src/server.h"

namespace aeris {

using std::chrono::milliseconds;

std::expected<void, Error> TlsContext::Start() {
  if (Apply()) return {};
  return std::unexpected(Error::Invalid("Failed to configure TLS. Check logs for more info."));
}

ConfigResult TlsContext::Apply() {
  if (!wanted()) {
    settings_.reset();
    look_at_files_.Reset();
    return {};
  }
  if (!Load()) {
    return std::unexpected("Unable to update TLS configuration. Check server logs.");
  }
  if (!look_at_files_.active()) {
    look_at_files_ =
        server_.loop().AddTimeEvent(kLookAtFilesEvery, [this] { return LookAtFiles(); });
  }
  return {};
}

bool TlsContext::wanted() const { return server_.config().tls_port != 0; }

bool TlsContext::Load() {
  const Config& config = server_.config();
  // Before the files are read: what changes meanwhile is seen as a change.
  tried_ = last_look_ = FileIdentities::Of(config);
  auto made = MakeTlsSettings(config);
  if (!made) {
    server_.log().Warning("{}", made.error());
    return false;
  }
  settings_ = std::move(*made);
  const std::string warning = TlsCertificateWarning(*settings_, config);
  if (!warning.empty()) server_.log().Warning("{}", warning);
  return true;
}

std::optional<milliseconds> TlsContext::LookAtFiles() {
  const FileIdentities now = FileIdentities::Of(server_.config());
  const bool at_rest = now == std::exchange(last_look_, now);
  if (at_rest && now != tried_) {
    if (Load()) {
      server_.log().Notice("The TLS files have changed and are loaded: certificate {}",
                           server_.config().tls_cert_file);
    } else {
      server_.log().Warning(
          "The TLS files have changed and cannot be used; what was loaded before goes on.");
    }
  }
  return kLookAtFilesEvery;
}

void TlsContext::Accept(Client& client) {
  client.tls = std::make_unique<TlsConnection>(*settings_, client.fd(), bio_, allocation_);
  handshakes_.Add(client);
}

void TlsContext::ReadAgain(const Client& client) {
  with_more_.push_back(client.id());
  WakeLoop();
}

void TlsContext::WakeLoop() {
  if (next_turn_.active()) return;
  next_turn_ =
      server_.loop().AddTimeEvent(milliseconds(0), [this]() -> std::optional<milliseconds> {
        ReadThoseWithMore();
        return with_more_.empty() ? std::nullopt : std::optional(milliseconds(0));
      });
}

void TlsContext::ReadThoseWithMore() {
  for (const std::uint64_t id : std::exchange(with_more_, {})) {
    Client* const client = server_.clients().Find(id);
    if (client != nullptr && client->tls->has_more()) {
      server_.io().OnClientReady(*client, ae::Ready::kRead);
    }
  }
}

}  // namespace aeris
