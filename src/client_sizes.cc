#include "src/client_sizes.h"

#include <bit>
#include <ranges>

#include "src/base/check.h"
#include "src/client.h"

namespace aeris {

void ClientSizes::Stop() {
  AERIS_CHECK(bytes_ == 0);
  on_ = false;
}

void ClientSizes::CountNow(Client& client) {
  if (client.closing) return;
  const std::size_t bytes = client.memory();
  bytes_ += bytes - client.counted.bytes;
  client.counted.bytes = bytes;
  const auto bucket = static_cast<std::uint8_t>(client.no_evict ? 0 : std::bit_width(bytes));
  if (bucket == client.counted.bucket) [[likely]]
    return;
  Unfile(client);
  File(client, bucket);
}

void ClientSizes::Remove(Client& client) {
  Unfile(client);
  bytes_ -= client.counted.bytes;
  client.counted = {};
}

void ClientSizes::File(Client& client, std::uint8_t bucket) {
  if (bucket == 0) return;
  std::vector<Client*>& clients = buckets_[bucket];
  client.counted.bucket = bucket;
  client.counted.place = static_cast<std::uint32_t>(clients.size());
  clients.push_back(&client);
}

// The last one of the bucket takes its place.
void ClientSizes::Unfile(Client& client) {
  if (client.counted.bucket == 0) return;
  std::vector<Client*>& clients = buckets_[client.counted.bucket];
  AERIS_DCHECK(clients[client.counted.place] == &client);
  clients[client.counted.place] = clients.back();
  clients[client.counted.place]->counted.place = client.counted.place;
  clients.pop_back();
  client.counted.bucket = 0;
}

Client* ClientSizes::Largest() const {
  for (const std::vector<Client*>& clients : buckets_ | std::views::reverse) {
    if (!clients.empty()) return clients.front();
  }
  return nullptr;
}

}  // namespace aeris
