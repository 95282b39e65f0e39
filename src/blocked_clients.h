// BlockedClients: clients whose command waits for a key, in the order in which they came.
//
//   handler   finds nothing to return, calls CommandContext::BlockOn(keys, wait); its client runs
//             nothing further, its next requests stay in its query buffer
//   writer    makes or changes a key, calls CommandContext::SignalReady: no more than a test while
//             nobody waits. The dispatcher signals the keys of a writing command that hold no
//             stream any more, and the keyspace those that have expired
//   served    when the writer's whole command is done (MULTI and scripts: all of it), the commands
//             of those who wait for the key run again, the earliest first, as long as the key has
//             the type that they wait for; CommandContext::served_key() is the argument to look at.
//             A handler that still finds nothing calls BlockOn again and keeps its place
//   ended     by its reply, its timeout, CLIENT UNBLOCK, or with its connection
//
//   queues_   (database, key) --> { arrival: client, arrival: client, ... }
//   ready_    keys that were signalled, in that order; each at most once
//
// Cost:     O(log n) to block, to serve and to end per key, n clients; a timeout is a timer of the
//           event loop. Nothing per turn.
// Memory:   a copy of the arguments and about 100 bytes per key that is waited for; part of the
//           client's memory.
// Rejected: values handed from the writer to the client that waits, as Redis does: every command
//           would exist twice. Running it again gives the same replies, errors of a destination's
//           type among them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ae/event_loop.h"
#include "storage/keyspace.h"
#include "storage/value_type.h"

namespace aeris {

class BlockedClients;
class Client;
class Command;
class CommandContext;
class Server;

// What a client waits for; given to CommandContext::BlockOn.
struct BlockedWait {
  // The type of the keys. A key that gets another type wakes nobody else.
  storage::ValueType type = storage::ValueType::kList;
  // Zero: for ever.
  std::chrono::milliseconds timeout{0};
  // The reply where blocking is not allowed (inside MULTI and scripts): null instead of a null
  // array. The reply of a timeout is a null array for all commands.
  bool null_when_denied = false;
  // Also run again when the key is gone, or of another type (XREADGROUP).
  bool wake_when_gone = false;
  // Arguments that read otherwise when the command runs again: what "$" meant when it blocked.
  std::span<const std::pair<std::size_t, std::string>> replaced = {};
};

// A command that runs again for its client. `key` is the argument that names the key which became
// ready; `waits_on` is set by BlockOn.
struct ServedCommand {
  std::size_t key = 0;
  bool waits_on = false;
};

// The command of one client while it is blocked; part of the client. Destroying it takes the client
// out of all queues.
class BlockedCommand {
 public:
  BlockedCommand(BlockedClients& owner, const Command& command,
                 std::span<const std::string_view> arguments, const BlockedWait& wait);
  BlockedCommand(const BlockedCommand&) = delete;
  BlockedCommand& operator=(const BlockedCommand&) = delete;
  ~BlockedCommand();

  const Command& command() const { return command_; }
  bool has_timeout() const { return timeout_.active(); }
  std::size_t memory() const;

 private:
  friend class BlockedClients;
  BlockedClients& owner_;
  const Command& command_;
  std::vector<std::string> arguments_;
  storage::ValueType type_;
  bool wake_when_gone_;
  std::uint64_t arrival_ = 0;
  std::size_t database_ = 0;
  std::vector<std::size_t> keys_;  // arguments, each key once
  ae::TimeEvent timeout_;
};

class BlockedClients final {
 public:
  explicit BlockedClients(Server& server) : server_(server) {}
  BlockedClients(const BlockedClients&) = delete;
  BlockedClients& operator=(const BlockedClients&) = delete;

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // `keys` are arguments of the command that `context` runs.
  void Block(const CommandContext& context, std::span<const std::size_t> keys,
             const BlockedWait& wait);

  // The key was made, changed or removed. Those who wait for it are served by the next Serve().
  // O(1); call it only when not empty().
  void Signal(std::size_t database, std::string_view key);
  // The same after a command that may write the key, unless it is a stream: those who wait for a
  // group of one are told that it is gone, and of a stream whoever made it grow has told already.
  void SignalUnlessStream(std::size_t database, std::string_view key);
  void KeyExpired(const storage::Keyspace& keyspace, std::string_view key);
  // The same for all keys of a database that are waited for.
  void SignalDatabase(std::size_t database);
  bool has_ready() const { return !ready_.empty(); }
  // Serves all keys that are ready, those included that become ready meanwhile. Between commands.
  void Serve();

  enum class Reason : std::uint8_t { kTimeout, kError };
  // CLIENT UNBLOCK, and the end of a timeout. `client` is blocked.
  void Unblock(Client& client, Reason reason);

  // Ids of clients that are not blocked any more, since the last call: their next requests wait.
  bool has_resumed() const { return !resumed_.empty(); }
  std::vector<std::uint64_t> TakeResumed() { return std::exchange(resumed_, {}); }
  void AddResumed(std::uint64_t id) { resumed_.push_back(id); }

 private:
  friend class BlockedCommand;

  struct Place {
    std::size_t database;
    std::string_view key;
    bool operator==(const Place&) const = default;
  };
  struct StoredPlace {
    std::size_t database;
    std::string key;
    operator Place() const { return {database, key}; }
  };
  struct PlaceHash {
    using is_transparent = void;
    std::size_t operator()(const Place& place) const {
      return std::hash<std::string_view>()(place.key) ^ place.database;
    }
  };
  struct PlaceEqual {
    using is_transparent = void;
    bool operator()(const Place& a, const Place& b) const { return a == b; }
  };
  struct Queue {
    std::map<std::uint64_t, Client*> clients;  // by arrival
    bool ready = false;                        // stands in ready_
  };

  void Dequeue(BlockedCommand& blocked);
  void ServeKey(const StoredPlace& place);
  bool WakesFor(const BlockedCommand& blocked, const StoredPlace& place) const;
  void Run(Client& client, const StoredPlace& place);

  Server& server_;
  std::unordered_map<StoredPlace, Queue, PlaceHash, PlaceEqual> queues_;
  std::deque<StoredPlace> ready_;
  std::vector<std::uint64_t> resumed_;
  std::uint64_t arrivals_ = 0;
  std::size_t size_ = 0;
};

// Argument `index` as a timeout in seconds, with fractions, rounded up to milliseconds: 0 for ever.
// nullopt after the error reply.
std::optional<std::chrono::milliseconds> TimeoutSecondsArg(const CommandContext& context,
                                                           std::size_t index);
// The same for a whole number of milliseconds.
std::optional<std::chrono::milliseconds> TimeoutMillisecondsArg(const CommandContext& context,
                                                                std::size_t index);

}  // namespace aeris
