#include "src/client_figures.h"

#include <algorithm>

#include "src/blocked_clients.h"
#include "src/client.h"
#include "src/client_registry.h"

namespace aeris {

void ClientFigures::Add(const Client& client) {
  query_bytes_max = std::max(query_bytes_max, client.query().capacity());
  reply_bytes_max = std::max(reply_bytes_max, client.replies().memory());
  if (client.blocked || client.postponed) ++blocked;
  if (client.blocked && client.blocked->has_timeout()) ++with_timeout;
  memory += client.memory();
}

ClientFigures CountClients(ClientRegistry& clients) {
  ClientFigures figures;
  clients.ForEach([&](const Client& client) { figures.Add(client); });
  return figures;
}

}  // namespace aeris
