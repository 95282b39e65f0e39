#include "src/client_registry.h"

#include <algorithm>
#include <utility>

#include "src/base/check.h"
#include "src/blocked_clients.h"
#include "src/client_tracking.h"
#include "src/pubsub.h"

namespace aeris {

Client& ClientRegistry::Add(UniqueFd fd, std::string peer, bool unix_socket, MonotonicTime now) {
  const std::uint64_t id = next_id_++;
  auto client = std::make_unique<Client>(
      Client::Options{id, std::move(fd), std::move(peer), unix_socket, now}, events_, pool_);
  // Ids only grow, so the end is the right place and the hint makes this O(1).
  const auto at = clients_.emplace_hint(clients_.end(), id, std::move(client));
  sizes_.Count(*at->second);
  return *at->second;
}

Client* ClientRegistry::Find(std::uint64_t id) {
  const auto found = clients_.find(id);
  return found == clients_.end() || found->second->closing ? nullptr : found->second.get();
}

void ClientRegistry::CloseSoon(Client& client) {
  if (client.closing) return;
  client.closing = true;
  sizes_.Remove(client);
  client.event().Reset();
  client.blocked.reset();
  client.subscriptions.reset();
  client.tracking.reset();
  closing_.push_back(&client);
}

std::size_t ClientRegistry::FreeClosed() {
  if (closing_.empty()) return 0;
  const auto closing = [](const Client* client) { return client->closing; };
  std::erase_if(write_queue_, closing);
  std::erase_if(message_queue_, closing);
  const std::size_t count = closing_.size();
  for (Client* client : closing_) {
    AERIS_DCHECK(!client->in_batch);
    clients_.erase(client->id());
  }
  closing_.clear();
  return count;
}

void ClientRegistry::QueueFirst(Client& client) {
  sizes_.Count(client);
  if (client.in_write_queue || client.closing) return;
  client.in_write_queue = true;
  write_queue_.push_back(&client);
}

void ClientRegistry::QueueMessages(Client& client) {
  sizes_.Count(client);
  if (client.in_write_queue || client.in_message_queue || client.closing) return;
  client.in_message_queue = true;
  message_queue_.push_back(&client);
}

std::size_t ClientRegistry::memory() const {
  std::size_t bytes = 0;
  for (const auto& [id, client] : clients_) bytes += client->memory();
  return bytes;
}

}  // namespace aeris
