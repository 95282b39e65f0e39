#include "src/admin/client_census.h"

#include "src/client_registry.h"

namespace aeris {

void ClientCensus::Step(ClientRegistry& clients) {
  if (clients.size() <= kCountedAtOnce) return;
  std::uint64_t cursor = last_id_;
  clients.ForSome(cursor, clients.size() / kStepsPerRound + 1, [&](const Client& client) {
    // Ids grow, so a smaller one says that the registry has begun again at its first client.
    if (client.id() <= last_id_) {
      figures_ = round_;
      round_ = {};
    }
    last_id_ = client.id();
    round_.Add(client);
  });
}

ClientFigures ClientCensus::Figures(ClientRegistry& clients) const {
  return clients.size() <= kCountedAtOnce ? CountClients(clients) : figures_;
}

}  // namespace aeris
