// ClientFigures: what clients come to together. INFO and MEMORY STATS walk over all of them for it;
// the admin port, which must not, has a census that does so in steps (src/admin/client_census.h).
#pragma once

#include <cstddef>

namespace aeris {

class Client;
class ClientRegistry;

struct ClientFigures {
  std::size_t query_bytes_max = 0;  // of query buffers, as the allocator rounds them
  std::size_t reply_bytes_max = 0;
  std::size_t blocked = 0;       // those that CLIENT PAUSE holds count, as in Redis
  std::size_t with_timeout = 0;  // of the blocked ones
  std::size_t memory = 0;        // bytes of all

  void Add(const Client& client);
};

// O(clients).
ClientFigures CountClients(ClientRegistry& clients);

}  // namespace aeris
