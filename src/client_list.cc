#include "src/client_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>

#include "ae/socket.h"
#include "protocol/buffer_pool.h"
#include "src/acl/acl_users.h"
#include "src/blocked_clients.h"
#include "src/client.h"
#include "src/client_tracking.h"
#include "src/command_table.h"
#include "src/pubsub.h"
#include "src/text.h"
#include "src/transaction.h"
#include "src/watched_keys.h"

namespace aeris {
namespace {

std::int64_t SecondsSince(MonotonicTime then, MonotonicTime now) {
  return std::chrono::duration_cast<std::chrono::seconds>(now - then).count();
}

std::string_view Events(const Client& client) {
  const ae::Ready interest = client.event().interest();
  const bool reads = ae::Has(interest, ae::Ready::kRead);
  const bool writes = ae::Has(interest, ae::Ready::kWrite);
  if (reads) return writes ? "rw" : "r";
  return writes ? "w" : "";
}

void AppendBufferFields(std::string& out, const Client& client) {
  const protocol::ReplyBuffer& replies = client.replies();
  const std::size_t first = std::min(replies.memory(), protocol::BufferPool::kBlockBytes);
  fmt::format_to(
      std::back_inserter(out),
      " qbuf={} qbuf-free={} argv-mem={} multi-mem={} rbs={} rbp={} obl={} oll={} omem={} "
      "tot-mem={}",
      client.query_bytes(), client.query().bytes_free(), client.parser().memory(),
      client.transaction ? client.transaction->memory() : 0, first, first,
      std::min(replies.size(), protocol::BufferPool::kBlockBytes), replies.segments(),
      replies.bytes_against_limit(), client.memory());
}

}  // namespace

std::optional<ClientType> ParseClientType(std::string_view name) {
  if (EqualsIgnoringCase(name, "normal")) return ClientType::kNormal;
  if (EqualsIgnoringCase(name, "master")) return ClientType::kMaster;
  if (EqualsIgnoringCase(name, "replica")) return ClientType::kReplica;
  if (EqualsIgnoringCase(name, "slave")) return ClientType::kReplica;
  if (EqualsIgnoringCase(name, "pubsub")) return ClientType::kPubsub;
  return std::nullopt;
}

// Replication does not exist, and a monitor is a normal client to Redis too.
ClientType TypeOf(const Client& client) {
  return client.subscriptions ? ClientType::kPubsub : ClientType::kNormal;
}

std::string ClientFlags(const Client& client) {
  std::string flags;
  if (client.monitor) flags += 'O';
  if (client.subscriptions) flags += 'P';
  if (client.transaction) flags += 'x';
  if (client.postponed || client.blocked) flags += 'b';
  if (client.watch && client.watch->changed()) flags += 'd';
  if (client.tracking) {
    flags += 't';
    if (client.tracking->broken_redirect()) flags += 'R';
    if (client.tracking->options().bcast) flags += 'B';
  }
  if (client.close_after_reply) flags += 'c';
  if (client.unix_socket()) flags += 'U';
  if (client.no_evict) flags += 'e';
  if (client.no_touch) flags += 'T';
  return flags.empty() ? "N" : flags;
}

void AppendClientLine(std::string& out, const Client& client, MonotonicTime now) {
  fmt::format_to(
      std::back_inserter(out),
      "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={} db={} sub={} psub={} "
      "ssub={} multi={}",
      client.id(), client.peer(), ae::LocalAddress(client.fd()), client.fd(), client.name,
      SecondsSince(client.created, now), SecondsSince(client.last_interaction, now),
      ClientFlags(client), client.database, PubSub::CountOf(client, ChannelKind::kChannel),
      PubSub::CountOf(client, ChannelKind::kPattern),
      PubSub::CountOf(client, ChannelKind::kShardChannel),
      client.transaction ? static_cast<std::int64_t>(client.transaction->size()) : -1);
  AppendBufferFields(out, client);
  fmt::format_to(
      std::back_inserter(out),
      " events={} cmd={} user={} redir={} resp={} lib-name={} lib-ver={}\n", Events(client),
      client.last_command != nullptr ? client.last_command->full_name() : "NULL",
      UserNameOf(client),
      client.tracking ? static_cast<std::int64_t>(client.tracking->options().redirect) : -1,
      client.reply().resp(), client.library ? client.library->name : "",
      client.library ? client.library->version : "");
}

}  // namespace aeris
