// Tracking: client-side caching. Which client has read which key, and whom to tell when it changes
// (CLIENT TRACKING).
//
//   a client reads a key     --> TrackingTable: key --> readers
//   a key changes, expires,  --> a message to each of its readers, and the key leaves the table
//     is evicted
//   with BCAST               --> TrackingPrefixes: one message per prefix at the end of the turn
//   FLUSHALL, FLUSHDB        --> null to all who track, and the table is empty
//
// A message goes to the reader itself as a push (RESP3), or to the client to which it redirects, as
// a push or, to a subscriber with RESP2, as a message of the channel __redis__:invalidate. Others
// get none; what they read is kept in the table all the same, since they may switch to RESP3.
//
// Cost:     with nobody tracking, two tests of one word per command. A read of a client that tracks
//           is two look-ups per key, and a small allocation for a new one. A change is a look-up
//           and a message per reader, encoded once for each protocol. Prefixes:
//           tracking_prefixes.h.
// Memory:   tracking_table.h; 16 KiB for each protocol in which there was a message.
// Limits:   tracking-table-max-keys and tracking-client-max-keys: what is above leaves in steps,
//           random keys of the table, the oldest ones of a client, and is told as a change is.
// Order:    what a command invalidates of its own client, or of one that redirects to it, follows
//           its reply, of a transaction the reply of EXEC. In Redis, messages of others that
//           redirect to it may stand in the middle of its reply.
// Differs:  a client that switches tracking off, or leaves, is forgotten with what it has read;
//           Redis keeps both until the keys change. With NOLOOP a client is told of keys that its
//           own commands evict, which Redis 7.0 forgets. The null of a flush is of the protocol of
//           the client that receives it, in Redis of the one that tracks. Changes of a stream's
//           groups and XSETID, of which XINFO's cached replies would know nothing, invalidate too.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/broadcast_log.h"
#include "src/tracking_prefixes.h"
#include "src/tracking_table.h"

namespace aeris {

class Client;
class Command;
class CommandContext;
class Server;
class Tracking;

// What one client has asked for. Destroying it ends its tracking.
class ClientTracking {
 public:
  struct Options {
    std::uint64_t redirect = 0;  // the id of a client; 0: to itself
    bool bcast = false;
    bool optin = false;
    bool optout = false;
    bool noloop = false;
  };

  ClientTracking(Tracking& owner, Client& client);
  ClientTracking(const ClientTracking&) = delete;
  ClientTracking& operator=(const ClientTracking&) = delete;
  ~ClientTracking();

  const Options& options() const { return options_; }
  const std::set<std::string, std::less<>>& prefixes() const { return prefixes_; }
  // The client to which it redirects was gone when there was something to tell.
  bool broken_redirect() const { return broken_redirect_; }
  // CLIENT CACHING was just called: it holds for the next command, or the next transaction.
  bool caching() const { return caching_; }
  void set_caching() { caching_ = true; }

  std::size_t memory() const;

 private:
  friend class Tracking;
  Tracking& owner_;
  Client& client_;
  TrackingTable::ReaderNumber reader_;
  Options options_;
  std::set<std::string, std::less<>> prefixes_;
  bool broken_redirect_ = false;
  bool caching_ = false;
};

class Tracking {
 public:
  // Prefixes of one client.
  static constexpr std::size_t kPrefixesMax = 65536;

  explicit Tracking(Server& server) : server_(server) {}
  Tracking(const Tracking&) = delete;
  Tracking& operator=(const Tracking&) = delete;

  // CLIENT TRACKING ON, in a command of that client. Replaces its options and adds prefixes, which
  // have been checked.
  void Start(Client& client, const ClientTracking::Options& options,
             const std::vector<std::string_view>& prefixes);

  // Somebody tracks, or did until the command that runs. Around each command, both asked anew: what
  // it invalidates of its own client waits for CommandDone().
  bool on() const { return table_ != nullptr; }
  void CommandBegins(Client& client) { current_ = &client; }
  void CommandDone(const CommandContext& context);
  // A command was refused. `command` is null when it is unknown.
  void CommandRefused(Client& client, const Command* command);

  // The key was changed, removed, evicted; or it has expired.
  void Invalidate(std::string_view key, bool expired);
  // A database was emptied.
  void Flushed();
  // Before the replies of a turn are written. One test while nobody tracks.
  void EndTurn() {
    if (table_ != nullptr || !old_tables_.empty()) [[unlikely]]
      Work();
  }

  std::size_t clients() const { return clients_; }
  std::size_t keys() const { return table_ ? table_->keys() : 0; }
  std::size_t items() const { return table_ ? table_->items() : 0; }
  std::size_t prefixes() const { return prefixes_.size(); }

 private:
  friend class ClientTracking;
  // A message in both of its forms, each made when it is first wanted.
  struct Message {
    std::string_view keys;  // a RESP array; empty for null: all keys
    std::array<protocol::BroadcastLog::Message, 2> encoded;
  };

  void Joins(ClientTracking& tracking);
  void Leaves(ClientTracking& tracking);
  void StopIfUnused();
  void DropTable();
  void Remember(const CommandContext& context, const ClientTracking& tracking);
  void EndCaching(Client& client, const Command* command);
  void Send(Client& reader, Message& message);
  void SendBroken(Client& reader);
  void Deliver(Client& target, std::string_view bytes, protocol::SharedBlock* block);
  void DeliverHeld(Client& client);
  void CutSlow();
  void Work();
  void LimitTable();
  void DropRandomKey();
  void LimitReader(TrackingTable::ReaderNumber reader, std::size_t effort);

  Server& server_;
  std::size_t clients_ = 0;
  std::unique_ptr<TrackingTable> table_;                    // while on()
  std::vector<std::unique_ptr<TrackingTable>> old_tables_;  // are being destroyed
  TrackingPrefixes prefixes_;
  std::array<protocol::BroadcastLog, 2> logs_{protocol::BroadcastLog(2), protocol::BroadcastLog(3)};
  Client* current_ = nullptr;        // whose command runs
  std::string held_;                 // what it is told when that is done
  std::vector<std::uint64_t> slow_;  // clients that may be above their output limit
  std::size_t rounds_above_limit_ = 0;
  TrackingTable::ReaderNumber next_reader_ = 0;  // to be looked at for its limit
};

}  // namespace aeris
