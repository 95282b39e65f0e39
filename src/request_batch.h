// RequestBatch: whole requests of all clients that were ready in this turn, run in order.
//
// A request is parsed, its command looked up, its keys hashed and their buckets prefetched when it
// is added; before the first one runs, the entries are prefetched. So the waits for memory of up to
// kRequestsMax requests, or kKeysMax keys, overlap, which at a million keys is most of a request's
// time. A single key has nothing to overlap with and skips the pass.
//
// Holds:   arguments are views into the clients' query buffers, which nobody touches before Run().
//          What MULTI has queued and EXEC not yet run is copied when the batch ends
//          (transaction.h).
// Memory:  about 64 bytes per request, 16 per argument, 8 per key, kept between batches.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "protocol/limits.h"
#include "protocol/usual_request.h"
#include "src/client.h"

namespace aeris {

namespace storage {
class Keyspace;
}  // namespace storage
class Command;
class Server;
struct KeyRange;

class RequestBatch {
 public:
  static constexpr std::size_t kRequestsMax = 64;
  // More keys than this are not prefetched by the batch: their lines would push out the first
  // ones. A command with more goes on by itself (CommandContext::PrefetchAhead).
  static constexpr std::size_t kKeysMax = 128;

  explicit RequestBatch(Server& server);

  // The request that client.parser() has just completed. `bytes` is what it was given, which
  // starts at client.parsed_bytes of the query buffer.
  void Add(Client& client, std::string_view bytes);
  // The same for a request that no parser has seen: the one at the head of `bytes`, if it is a
  // usual one of a client that has logged in. False, and nothing added, if not.
  bool AddUsual(Client& client, std::string_view bytes, const protocol::Limits& limits) {
    const std::size_t first = arguments_.size();
    const std::size_t size = protocol::TakeUsualRequest(bytes, limits, arguments_);
    if (size == 0) return false;
    Push(client, first, size);
    return true;
  }
  // The client sent what is no request: the error reply keeps its place among the others, and the
  // client is closed after it. `text` lives until Run().
  void AddFault(Client& client, std::string_view text);
  bool full() const { return requests_.size() >= kRequestsMax || key_hashes_.size() >= kKeysMax; }
  // Nothing to run and no bytes to take out of query buffers, those of empty requests included.
  bool empty() const { return clients_.empty(); }

  // Runs everything that was added and takes the bytes out of the query buffers. Clients may be
  // closing or postponed afterwards. Not to be called by what it calls.
  void Run();

  // The request that runs, for the crash report; null between requests.
  struct Current {
    const Client* client = nullptr;
    const std::string_view* arguments = nullptr;
    std::size_t argument_count = 0;
  };
  const Current& current() const { return current_; }

 private:
  struct Request {
    Client* client;
    const Command* command;  // null when unknown, and for faults
    std::size_t begin;       // of its bytes in the client's query buffer
    std::uint32_t first_argument;
    std::uint32_t argument_count;  // 0: a fault, whose text is the argument
    std::uint32_t first_key;       // among key_hashes_
    std::uint32_t key_count;
  };
  void Push(Client& client, std::size_t first_argument, std::size_t bytes);
  const Command* FindCommand(std::span<const std::string_view> arguments);
  std::uint32_t HashKeys(const Client& client, const Command* command,
                         std::span<const std::string_view> arguments);
  std::uint32_t HashManyKeys(const storage::Keyspace& keyspace, const KeyRange& range,
                             std::size_t count, std::span<const std::string_view> arguments);
  void Note(Client& client);
  void PrefetchEntries() const;
  void PrefetchMembers() const;
  void RunOne(Request& request);
  void KeepForLater(Request& request);
  void PutBack(Client& client, std::size_t begin);
  void KeepQueued(Client& client);

  Server& server_;
  std::vector<Request> requests_;
  std::vector<std::string_view> arguments_;
  std::vector<std::uint64_t> key_hashes_;
  std::vector<Client*> clients_;  // each once
  bool has_members_ = false;      // a command names a member of its key's value
  Current current_;
  // Names looked up before, by a hash of their bytes: clients repeat themselves.
  struct KnownName {
    std::uint64_t word = 0;  // ShortName of the name as it was spelt, 0: empty
    const Command* command = nullptr;
  };
  std::array<KnownName, 16> known_names_;
};

}  // namespace aeris
