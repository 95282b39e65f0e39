// PubSub: channels, patterns and shard channels, who subscribed to them, and the messages that they
// get.
//
//   channels_[kind]   name --> { client, client, client }        each client at a position
//   client            Subscriptions: channel --> its position there
//
// A channel exists while it has a subscriber. Subscriptions are part of their client: when it is
// closed, or RESET, they go and leave nothing behind.
//
// Cost:     O(1) to subscribe and to leave one channel, however many subscribers it has. A message
//           is encoded once for each version of the protocol and referred to by all receivers
//           (protocol/broadcast_log.h); they are written to at the end of the turn, as all replies.
//           Each message is matched against every pattern, as in Redis.
// Memory:   a channel's name and 100 bytes, and 64 bytes per subscription. The memory of a client
//           has all of it, names as if it were their only subscriber.
// Order:    a client gets messages in the order in which they were published; one that matches
//           several of its subscriptions, as channel first. What a command publishes to its own
//           client (RESP3) comes behind the command's reply, so that it never stands in the middle.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "protocol/broadcast_log.h"

namespace aeris {

class Client;
class PubSub;
class Server;

enum class ChannelKind : std::uint8_t { kChannel, kPattern, kShardChannel };
inline constexpr std::size_t kChannelKinds = 3;

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>()(text);
  }
};
// Name and subscribers. An element stays where it is as long as it exists.
using Channels = std::unordered_map<std::string, std::vector<Client*>, TextHash, std::equal_to<>>;

// What one client has subscribed to; never nothing. Destroying it takes the client out of all.
class Subscriptions {
 public:
  Subscriptions(PubSub& owner) : owner_(owner) {}
  Subscriptions(const Subscriptions&) = delete;
  Subscriptions& operator=(const Subscriptions&) = delete;
  ~Subscriptions();

  std::size_t count(ChannelKind kind) const { return places_[Index(kind)].size(); }
  std::size_t size() const;
  std::size_t memory() const;

 private:
  friend class PubSub;
  struct Place {
    std::size_t position;   // among the channel's subscribers
    std::uint64_t arrival;  // grows with each subscription
  };
  static std::size_t Index(ChannelKind kind) { return static_cast<std::size_t>(kind); }

  PubSub& owner_;
  std::size_t name_bytes_ = 0;
  std::array<std::unordered_map<Channels::value_type*, Place>, kChannelKinds> places_;
};

class PubSub {
 public:
  explicit PubSub(Server& server) : server_(server) {}
  PubSub(const PubSub&) = delete;
  PubSub& operator=(const PubSub&) = delete;

  // False when nothing changed.
  bool Subscribe(Client& client, ChannelKind kind, std::string_view name);
  bool Unsubscribe(Client& client, ChannelKind kind, std::string_view name);
  static std::size_t CountOf(const Client& client, ChannelKind kind);
  // In the order in which the client subscribed to them.
  static std::vector<std::string> NamesOf(const Client& client, ChannelKind kind);

  const Channels& channels(ChannelKind kind) const { return channels_[Index(kind)]; }
  std::size_t subscribers(ChannelKind kind, std::string_view name) const;
  // Nobody hears what is published to channels.
  bool silent() const {
    return channels(ChannelKind::kChannel).empty() && channels(ChannelKind::kPattern).empty();
  }

  // Each returns to how many subscriptions the message went. Clients that hold too much unsent are
  // cut. The texts may be of any client's request.
  std::size_t Publish(std::string_view channel, std::string_view message);
  std::size_t PublishToShard(std::string_view channel, std::string_view message);

  // Messages for this client are kept back until DeliverHeld(): around a command of a subscriber.
  void HoldFor(Client& client) { held_for_ = &client; }
  void DeliverHeld();

 private:
  friend class Subscriptions;
  static std::size_t Index(ChannelKind kind) { return static_cast<std::size_t>(kind); }
  void Leave(ChannelKind kind, Channels::value_type& channel, std::size_t position);
  std::size_t Deliver(const Channels::value_type& channel,
                      std::span<const std::string_view> message);
  void CutSlow();

  Server& server_;
  std::array<Channels, kChannelKinds> channels_;
  std::uint64_t arrivals_ = 0;
  std::array<protocol::BroadcastLog, 2> logs_{protocol::BroadcastLog(2), protocol::BroadcastLog(3)};
  Client* held_for_ = nullptr;
  std::string held_;
  std::vector<Client*> slow_;  // may be above their output limit
};

}  // namespace aeris
