#include "src/client.h"

#include <algorithm>
#include <ranges>
#include <utility>

#include "src/blocked_clients.h"
#include "src/client_tracking.h"
#include "src/pubsub.h"
#include "src/tls_connection.h"
#include "src/transaction.h"
#include "src/watched_keys.h"
#include "storage/allocated_bytes.h"

namespace aeris {

Client::Client(Options options, ClientEvents& events, protocol::BufferPool& pool)
    : created(options.now),
      last_interaction(options.now),
      id_(options.id),
      events_(events),
      fd_(std::move(options.fd)),
      peer_(std::move(options.peer)),
      unix_socket_(options.unix_socket),
      query_(pool),
      replies_(pool),
      reply_(replies_) {}

// Its goodbye goes through the socket, which is closed with the other members.
Client::~Client() { tls.reset(); }

bool Client::local() const {
  return unix_socket_ || peer_.starts_with("127.") || peer_.starts_with("[::1]:") ||
         peer_.starts_with("[::ffff:127.");
}

std::size_t Client::query_bytes() const {
  std::size_t bytes = query_.size();
  if (!parser_.in_request() || parser_.done()) return bytes;
  bytes -= std::min(bytes, parser_.size());
  const auto blocks = parser_.blocks();
  // Of the argument under way; those of earlier ones have been parsed.
  if (!blocks.empty() && blocks.back().index == parser_.arg_count()) bytes += blocks.back().filled;
  return bytes;
}

std::size_t Client::unparsed_bytes() const {
  std::size_t bytes = query_.size();
  for (const auto& block : parser_.blocks()) bytes += block.filled;
  return bytes;
}

bool Client::PutBackBlocks() {
  const std::size_t begin = parsed_bytes - (parser_.done() ? parser_.size() : 0);
  // From the last one on: what is put in does not move the places before it.
  for (const auto& block : parser_.blocks() | std::views::reverse) {
    if (!query_.Insert(begin + block.offset, {block.data, block.filled})) return false;
  }
  return true;
}

std::size_t Client::memory() const {
  using storage::AllocatedBytes;
  // A node of the map by id.
  constexpr std::size_t kRegistryBytes = 64;
  const auto heap = [](const std::string& text) { return storage::TextHeapBytes(text.capacity()); };
  return AllocatedBytes(sizeof *this) + kRegistryBytes + AllocatedBytes(query_.capacity()) +
         parser_.memory() + replies_.memory() + heap(name) + heap(peer_) +
         (library ? AllocatedBytes(sizeof *library) + heap(library->name) + heap(library->version)
                  : 0) +
         (blocked ? blocked->memory() : 0) + (subscriptions ? subscriptions->memory() : 0) +
         (transaction ? transaction->memory() : 0) + (watch ? watch->memory() : 0) +
         (tracking ? tracking->memory() : 0) + (tls ? tls->memory() : 0);
}

}  // namespace aeris
