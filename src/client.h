// Client: one connection. Its bytes in both directions and what commands have set on it.
//
// A client is freed at one place, between two turns of the loop; everything else marks it
// (ClientRegistry::CloseSoon). Handlers that outlive a command hold the id, never a pointer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "ae/event_loop.h"
#include "protocol/query_buffer.h"
#include "protocol/reply_buffer.h"
#include "protocol/reply_writer.h"
#include "protocol/request_parser.h"
#include "src/base/clock.h"
#include "src/base/unique_fd.h"
#include "src/client_sizes.h"

namespace aeris {

class AclUser;
class BlockedCommand;
class ClientTracking;
class Command;
class Subscriptions;
class TlsConnection;
class Transaction;
class Watch;

enum class ReplyMode : std::uint8_t {
  kOn,
  kOff,
  kSkipNext,  // CLIENT REPLY SKIP was just run: the next command is silent
  kSkip,      // that next command
};

// Receives what happens on a client's socket.
class ClientEvents {
 public:
  virtual void OnClientReady(class Client& client, ae::Ready ready) = 0;

 protected:
  ~ClientEvents() = default;
};

class Client final : public ae::FileHandler {
 public:
  struct Options {
    std::uint64_t id;
    UniqueFd fd;
    std::string peer;  // "127.0.0.1:50000", "/path:0"
    bool unix_socket;
    MonotonicTime now;
  };
  Client(Options options, ClientEvents& events, protocol::BufferPool& pool);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  std::uint64_t id() const { return id_; }
  int fd() const { return fd_.get(); }
  const std::string& peer() const { return peer_; }
  bool unix_socket() const { return unix_socket_; }
  // The connection comes from this machine: loopback or a unix socket.
  bool local() const;

  // --- Bytes. reply() writes to replies(); query() holds what is not executed yet.
  protocol::QueryBuffer& query() { return query_; }
  const protocol::QueryBuffer& query() const { return query_; }
  protocol::RequestParser& parser() { return parser_; }
  const protocol::RequestParser& parser() const { return parser_; }
  protocol::ReplyBuffer& replies() { return replies_; }
  const protocol::ReplyBuffer& replies() const { return replies_; }
  protocol::ReplyWriter& reply() { return reply_; }
  const protocol::ReplyWriter& reply() const { return reply_; }
  ae::FileEvent& event() { return event_; }
  const ae::FileEvent& event() const { return event_; }

  // Bytes of requests that have been received and not run.
  std::size_t unparsed_bytes() const;
  // Puts big arguments that were received apart (protocol/argument_block.h) back among query(), so
  // that the request they belong to can be parsed again. False without memory: the request is lost.
  [[nodiscard]] bool PutBackBlocks();

  // Bytes of requests that have been received and not been parsed, those of a big argument that is
  // being received included.
  std::size_t query_bytes() const;

  // Memory of this client as the allocator rounds it, bytes: buffers, names, the object itself and
  // its place in the registry.
  std::size_t memory() const;

  // --- What commands set.
  std::string name;
  struct Library {
    std::string name;
    std::string version;
  };
  std::unique_ptr<Library> library;  // CLIENT SETINFO; null before it
  int database = 0;
  bool authenticated = false;
  bool unrestricted = false;  // logged in as a user who may do everything (acl/acl_users.h)
  bool no_evict = false;
  bool no_touch = false;
  bool monitor = false;
  ReplyMode reply_mode = ReplyMode::kOn;
  const Command* last_command = nullptr;

  // --- What the server keeps about it.
  MonotonicTime created;
  MonotonicTime last_interaction;
  ClientSizes::Counted counted;
  MonotonicTime over_soft_limit_since{};  // zero: it is not over the soft output limit
  // Bytes at the head of query() whose requests stand in the batch.
  std::size_t parsed_bytes = 0;
  bool in_batch = false;
  bool in_write_queue = false;
  bool in_message_queue = false;
  bool reading_stopped = false;  // after a protocol error or QUIT: nothing more is parsed
  bool postponed = false;        // CLIENT PAUSE: whole requests wait in query()
  // Inside MULTI and scripts: what would block replies at once (blocked_clients.h).
  bool deny_blocking = false;
  bool close_after_reply = false;
  bool closing = false;  // CloseSoon() was called: it runs nothing any more
  // The command that waits for a key; whole requests behind it wait in query(). Null if none.
  std::unique_ptr<BlockedCommand> blocked;
  // What it has subscribed to (pubsub.h); null if nothing.
  std::unique_ptr<Subscriptions> subscriptions;
  // Commands queued since MULTI; null outside of one (transaction.h).
  std::unique_ptr<Transaction> transaction;
  // Keys that it watches; null if none (watched_keys.h).
  std::unique_ptr<Watch> watch;
  // CLIENT TRACKING; null when it is off (client_tracking.h).
  std::unique_ptr<ClientTracking> tracking;
  // Between its bytes and the socket; null for a plain connection (tls_connection.h).
  std::unique_ptr<TlsConnection> tls;
  // Whom it has logged in as; null before it has.
  AclUser* user = nullptr;

 private:
  void OnReady(ae::Ready ready) override { events_.OnClientReady(*this, ready); }

  std::uint64_t id_;
  ClientEvents& events_;
  UniqueFd fd_;
  std::string peer_;
  bool unix_socket_;
  protocol::QueryBuffer query_;
  protocol::RequestParser parser_;
  protocol::ReplyBuffer replies_;
  protocol::ReplyWriter reply_;
  ae::FileEvent event_;  // ends before fd_ closes
};

}  // namespace aeris
