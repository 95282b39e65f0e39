#include "src/pubsub.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "src/base/check.h"
#include "src/base/glob.h"
#include "src/client.h"
#include "src/server.h"

namespace aeris {

Subscriptions::~Subscriptions() {
  for (std::size_t kind = 0; kind < kChannelKinds; ++kind) {
    for (const auto& [channel, place] : places_[kind]) {
      owner_.Leave(static_cast<ChannelKind>(kind), *channel, place.position);
    }
  }
}

std::size_t Subscriptions::size() const {
  std::size_t sum = 0;
  for (const auto& places : places_) sum += places.size();
  return sum;
}

std::size_t Subscriptions::memory() const {
  // A node of places_ with its bucket, and the place in the channel; the channel itself.
  constexpr std::size_t kBytesEach = 64 + 100;
  return sizeof *this + size() * kBytesEach + name_bytes_;
}

bool PubSub::Subscribe(Client& client, ChannelKind kind, std::string_view name) {
  Channels& channels = channels_[Index(kind)];
  auto channel = channels.find(name);
  if (channel == channels.end()) channel = channels.try_emplace(std::string(name)).first;
  if (!client.subscriptions) client.subscriptions = std::make_unique<Subscriptions>(*this);
  auto& places = client.subscriptions->places_[Index(kind)];
  std::vector<Client*>& subscribers = channel->second;
  const Subscriptions::Place place{.position = subscribers.size(), .arrival = ++arrivals_};
  if (!places.try_emplace(&*channel, place).second) return false;
  subscribers.push_back(&client);
  client.subscriptions->name_bytes_ += name.size();
  return true;
}

bool PubSub::Unsubscribe(Client& client, ChannelKind kind, std::string_view name) {
  Channels& channels = channels_[Index(kind)];
  const auto channel = channels.find(name);
  if (channel == channels.end() || !client.subscriptions) return false;
  auto& places = client.subscriptions->places_[Index(kind)];
  const auto found = places.find(&*channel);
  if (found == places.end()) return false;
  const std::size_t position = found->second.position;
  places.erase(found);
  client.subscriptions->name_bytes_ -= name.size();
  Leave(kind, *channel, position);
  if (client.subscriptions->size() == 0) client.subscriptions.reset();
  return true;
}

// The last subscriber takes the place of the one that leaves; a channel without any is no more.
void PubSub::Leave(ChannelKind kind, Channels::value_type& channel, std::size_t position) {
  std::vector<Client*>& subscribers = channel.second;
  subscribers[position] = subscribers.back();
  subscribers.pop_back();
  if (position < subscribers.size()) {
    auto& moved = subscribers[position]->subscriptions->places_[Index(kind)];
    moved.find(&channel)->second.position = position;
  }
  if (!subscribers.empty()) {
    if (subscribers.size() < subscribers.capacity() / 4) {
      std::vector<Client*>(subscribers).swap(subscribers);
    }
    return;
  }
  Channels& channels = channels_[Index(kind)];
  channels.erase(channels.find(channel.first));
  if (channels.empty()) Channels().swap(channels);
}

std::size_t PubSub::CountOf(const Client& client, ChannelKind kind) {
  return client.subscriptions ? client.subscriptions->count(kind) : 0;
}

std::vector<std::string> PubSub::NamesOf(const Client& client, ChannelKind kind) {
  std::vector<std::pair<std::uint64_t, const std::string*>> found;
  if (client.subscriptions) {
    for (const auto& [channel, place] : client.subscriptions->places_[Index(kind)]) {
      found.emplace_back(place.arrival, &channel->first);
    }
  }
  std::ranges::sort(found);
  std::vector<std::string> names;
  names.reserve(found.size());
  for (const auto& [arrival, name] : found) names.push_back(*name);
  return names;
}

std::size_t PubSub::subscribers(ChannelKind kind, std::string_view name) const {
  const auto found = channels(kind).find(name);
  return found == channels(kind).end() ? 0 : found->second.size();
}

std::size_t PubSub::Publish(std::string_view channel, std::string_view message) {
  std::size_t receivers = 0;
  const Channels& channels = channels_[Index(ChannelKind::kChannel)];
  if (const auto found = channels.find(channel); found != channels.end()) {
    receivers += Deliver(*found, std::array{std::string_view("message"), channel, message});
  }
  for (const auto& pattern : channels_[Index(ChannelKind::kPattern)]) {
    if (!GlobMatch(pattern.first, channel)) continue;
    receivers += Deliver(pattern, std::array{std::string_view("pmessage"),
                                             std::string_view(pattern.first), channel, message});
  }
  CutSlow();
  return receivers;
}

std::size_t PubSub::PublishToShard(std::string_view channel, std::string_view message) {
  const Channels& channels = channels_[Index(ChannelKind::kShardChannel)];
  const auto found = channels.find(channel);
  if (found == channels.end()) return 0;
  const std::size_t receivers =
      Deliver(*found, std::array{std::string_view("smessage"), channel, message});
  CutSlow();
  return receivers;
}

// Nobody subscribes or leaves meanwhile: those who are too slow are cut afterwards.
std::size_t PubSub::Deliver(const Channels::value_type& channel,
                            std::span<const std::string_view> message) {
  std::array<protocol::BroadcastLog::Message, 2> encoded;
  for (Client* const client : channel.second) {
    // As in Redis they count as receivers.
    if (client->close_after_reply) continue;
    const std::size_t version = client->reply().resp() == 2 ? 0 : 1;
    auto& [bytes, block] = encoded[version];
    if (block == nullptr) encoded[version] = logs_[version].Add(message);
    if (client == held_for_) [[unlikely]] {
      held_ += bytes;
      continue;
    }
    // Messages come even to those who want no replies (CLIENT REPLY).
    client->replies().AppendShared(bytes, *block);
    server_.clients().QueueMessages(*client);
    if (ClientIo::WantsMessagesNow(*client) || server_.io().NeedsOutputCheck(*client)) [[unlikely]]
      slow_.push_back(client);
  }
  return channel.second.size();
}

void PubSub::CutSlow() {
  if (slow_.empty()) [[likely]]
    return;
  for (Client* const client : std::exchange(slow_, {})) {
    if (!client->closing && ClientIo::WantsMessagesNow(*client)) {
      server_.io().WriteMessages(*client);
    }
    server_.io().EnforceOutputLimit(*client);
  }
}

void PubSub::DeliverHeld() {
  Client& client = *std::exchange(held_for_, nullptr);
  if (held_.empty()) return;
  const std::string held = std::exchange(held_, {});
  if (client.closing) return;
  client.replies().Append(held);
  server_.clients().QueueWrite(client);
  server_.io().EnforceOutputLimit(client);
}

}  // namespace aeris
