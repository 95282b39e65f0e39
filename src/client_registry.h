// ClientRegistry: all clients, by id in the order of connecting, and the only place that frees
// them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "src/client.h"
#include "src/client_sizes.h"

namespace aeris {

class ClientRegistry {
 public:
  // `events` and `pool` outlive the registry.
  ClientRegistry(ClientEvents& events, protocol::BufferPool& pool) : events_(events), pool_(pool) {}

  Client& Add(UniqueFd fd, std::string peer, bool unix_socket, MonotonicTime now);
  Client* Find(std::uint64_t id);
  // Marks the client: it runs no further command, gets no further event, and is freed by
  // FreeClosed(). May be called for any client from anywhere, its own command included.
  void CloseSoon(Client& client);
  // Frees what was marked. Between two turns only. Returns how many.
  std::size_t FreeClosed();

  // A reply waits to be written before the loop sleeps.
  void QueueWrite(Client& client) {
    // A client's further replies of a turn.
    if (client.in_write_queue && !sizes_.on()) [[likely]]
      return;
    QueueFirst(client);
  }
  std::vector<Client*>& write_queue() { return write_queue_; }
  // Messages to a subscriber wait. They may do so for more than a turn, so that a message to many
  // does not keep the loop from all others, and those that come meanwhile go in the same write(2).
  void QueueMessages(Client& client);
  std::deque<Client*>& message_queue() { return message_queue_; }

  std::size_t size() const { return clients_.size() - closing_.size(); }
  std::uint64_t next_id() const { return next_id_; }

  // Clients that are not closing, in the order of their ids. `visit` may call CloseSoon().
  template <typename Visit>
  void ForEach(Visit&& visit) {
    for (auto& [id, client] : clients_) {
      if (!client->closing) visit(*client);
    }
  }
  // At most `count` clients after `*after_id`, wrapping round once; for periodic work in bounded
  // steps.
  template <typename Visit>
  void ForSome(std::uint64_t& after_id, std::size_t count, Visit&& visit) {
    for (count = std::min(count, clients_.size()); count > 0; --count) {
      auto at = clients_.upper_bound(after_id);
      if (at == clients_.end()) at = clients_.begin();
      after_id = at->first;
      if (!at->second->closing) visit(*at->second);
    }
  }

  // Bytes of all clients. O(clients).
  std::size_t memory() const;
  ClientSizes& sizes() { return sizes_; }

 private:
  void QueueFirst(Client& client);

  ClientEvents& events_;
  protocol::BufferPool& pool_;
  std::uint64_t next_id_ = 1;
  std::map<std::uint64_t, std::unique_ptr<Client>> clients_;
  std::vector<Client*> closing_;
  std::vector<Client*> write_queue_;
  std::deque<Client*> message_queue_;
  ClientSizes sizes_;
};

}  // namespace aeris
