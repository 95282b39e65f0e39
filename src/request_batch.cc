#include "src/request_batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <utility>

#include "src/command_table.h"
#include "src/dispatch.h"
#include "src/server.h"
#include "src/transaction.h"
#include "storage/member_table.h"

namespace aeris {
namespace {

// Slots kept between batches; a request of a million arguments has 16 MiB of them.
constexpr std::size_t kArgumentsKept = 64 * 1024;

// Spreads short names over the slots; any odd number with bits all over does.
constexpr std::uint64_t kKnownNameFactor = 0x9e3779b97f4a7c15;

// The bytes of a name of 1 to 7 and their number in one word, 0 for any other: different names are
// different words.
std::uint64_t ShortName(std::string_view name) {
  const char* const p = name.data();
  const std::size_t size = name.size();
  std::uint64_t word = 0;
  if (size >= 4 && size <= 7) {
    std::uint32_t low = 0, high = 0;
    std::memcpy(&low, p, 4);
    std::memcpy(&high, p + size - 4, 4);
    word = low | std::uint64_t{high} << (8 * (size - 4));
  } else if (size >= 1 && size <= 3) {
    const auto byte = [&](std::size_t i) { return std::uint64_t{static_cast<std::uint8_t>(p[i])}; };
    word = byte(0) | byte(size / 2) << 8 | byte(size - 1) << 16;
  } else {
    return 0;
  }
  return word | std::uint64_t{size} << 56;
}

}  // namespace

RequestBatch::RequestBatch(Server& server) : server_(server) {
  requests_.reserve(kRequestsMax);
  clients_.reserve(kRequestsMax);
}

void RequestBatch::Add(Client& client, std::string_view bytes) {
  const std::size_t first = arguments_.size();
  client.parser().AppendArguments(bytes, arguments_);
  Push(client, first, client.parser().size());
}

// The request of `bytes` bytes whose arguments stand behind `first_argument`.
void RequestBatch::Push(Client& client, std::size_t first_argument, std::size_t bytes) {
  const std::size_t begin = client.parsed_bytes;
  client.parsed_bytes += bytes;
  Note(client);
  const std::size_t count = arguments_.size() - first_argument;
  if (count == 0) return;  // an empty request gets no reply
  const std::span<const std::string_view> arguments(arguments_.data() + first_argument, count);
  const Command* const command = FindCommand(arguments);
  const std::size_t first_key = key_hashes_.size();
  const std::uint32_t keys = HashKeys(client, command, arguments);
  requests_.push_back({.client = &client,
                       .command = command,
                       .begin = begin,
                       .first_argument = static_cast<std::uint32_t>(first_argument),
                       .argument_count = static_cast<std::uint32_t>(count),
                       .first_key = static_cast<std::uint32_t>(first_key),
                       .key_count = keys});
}

// The subcommand where there is one by that name.
[[gnu::always_inline]] inline const Command* RequestBatch::FindCommand(
    std::span<const std::string_view> arguments) {
  const std::uint64_t word = ShortName(arguments[0]);
  KnownName& known = known_names_[word * kKnownNameFactor >> 60];
  const Command* command = known.command;
  if (known.word != word || word == 0) {
    command = server_.commands().Find(arguments[0]);
    if (command == nullptr) return nullptr;
    known = {.word = word, .command = command};
  }
  if (command->subcommands().empty() || arguments.size() == 1) [[likely]]
    return command;
  const Command* const subcommand = command->FindSubcommand(arguments[1]);
  return subcommand != nullptr ? subcommand : command;
}

// Hashes the keys that stand at fixed positions and asks for the buckets of the first ones. Returns
// their number.
[[gnu::always_inline]] inline std::uint32_t RequestBatch::HashKeys(
    const Client& client, const Command* command, std::span<const std::string_view> arguments) {
  if (command == nullptr) return 0;
  const KeyRange& range = command->key_range();
  const std::size_t count = range.Count(arguments.size());
  if (count == 0) return 0;
  has_members_ |= command->spec().member != 0;
  const storage::Keyspace& keyspace =
      server_.databases()[static_cast<std::size_t>(client.database)];
  if (count != 1) return HashManyKeys(keyspace, range, count, arguments);
  const std::uint64_t hash = keyspace.Hash(arguments[range.first]).hash;
  keyspace.PrefetchBucket(hash);
  key_hashes_.push_back(hash);
  return 1;
}

std::uint32_t RequestBatch::HashManyKeys(const storage::Keyspace& keyspace, const KeyRange& range,
                                         std::size_t count,
                                         std::span<const std::string_view> arguments) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t hash = keyspace.Hash(arguments[range.first + i * range.step]).hash;
    if (i < kKeysMax) keyspace.PrefetchBucket(hash);
    key_hashes_.push_back(hash);
  }
  return static_cast<std::uint32_t>(count);
}

void RequestBatch::AddFault(Client& client, std::string_view text) {
  const auto first = static_cast<std::uint32_t>(arguments_.size());
  arguments_.push_back(text);
  Note(client);
  requests_.push_back({.client = &client,
                       .command = nullptr,
                       .begin = client.parsed_bytes,
                       .first_argument = first,
                       .argument_count = 0,
                       .first_key = 0,
                       .key_count = 0});
}

void RequestBatch::Run() {
  if (key_hashes_.size() > 1) {
    PrefetchEntries();
    if (has_members_) PrefetchMembers();
  }
  server_.ReadClock();
  for (Request& request : requests_) {
    if (request.client == nullptr) continue;
    const Client& client = *request.client;
    if (client.closing || client.postponed || client.close_after_reply) continue;
    RunOne(request);
  }
  server_.dispatcher().EndBatch();
  current_ = {};
  requests_.clear();
  arguments_.clear();
  key_hashes_.clear();
  has_members_ = false;
  if (arguments_.capacity() > kArgumentsKept) {
    std::vector<std::string_view>().swap(arguments_);
    std::vector<std::uint64_t>().swap(key_hashes_);
  }
  for (Client* client : clients_) {
    client->in_batch = false;
    if (client->transaction) [[unlikely]]
      KeepQueued(*client);
    client->query().Consume(std::exchange(client->parsed_bytes, 0));
    // So the next clients read into blocks that are still in cache, and idle ones hold none.
    client->query().ReleaseIfEmpty();
    server_.clients().sizes().Count(*client);
    if (client->transaction) [[unlikely]]
      server_.io().EnforceQueryLimit(*client);
  }
  clients_.clear();
}

void RequestBatch::Note(Client& client) {
  if (client.in_batch) return;
  client.in_batch = true;
  clients_.push_back(&client);
}

void RequestBatch::PrefetchEntries() const {
  for (const Request& request : requests_) {
    const auto database = static_cast<std::size_t>(request.client->database);
    const storage::Keyspace& keyspace = std::as_const(server_.databases())[database];
    const std::size_t count = std::min<std::size_t>(request.key_count, kKeysMax);
    if (count == 0) continue;
    const bool writes = request.command->has(CommandFlag::kWrite);
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t hash = key_hashes_[request.first_key + i];
      keyspace.PrefetchEntry(hash);
      if (writes) keyspace.PrefetchDeadline(hash);
    }
  }
}

// For members of large collections: first the buckets, then the entries. A run of requests to one
// key looks for it once.
void RequestBatch::PrefetchMembers() const {
  struct Member {
    const storage::MemberTable* table;
    std::uint64_t hash;
  };
  std::array<Member, kRequestsMax> members;
  std::size_t count = 0;
  const Client* last_client = nullptr;
  std::string_view last_key;
  const storage::MemberTable* table = nullptr;
  for (const Request& request : requests_) {
    if (request.command == nullptr || request.key_count == 0) continue;
    const std::size_t member = request.command->spec().member;
    if (member == 0 || member >= request.argument_count || count == members.size()) continue;
    const std::string_view* const arguments = &arguments_[request.first_argument];
    const std::string_view key = arguments[request.command->key_range().first];
    if (request.client != last_client || key != last_key) {
      const auto database = static_cast<std::size_t>(request.client->database);
      table = std::as_const(server_.databases())[database].PeekMembers(
          {key, key_hashes_[request.first_key]});
      last_client = request.client;
      last_key = key;
    }
    if (table == nullptr) continue;
    const std::uint64_t hash = table->Hash(arguments[member]);
    table->PrefetchBucket(hash);
    members[count++] = {.table = table, .hash = hash};
  }
  for (const Member& each : std::span(members).first(count)) each.table->PrefetchEntry(each.hash);
}

[[gnu::always_inline]] inline void RequestBatch::RunOne(Request& request) {
  Client& client = *request.client;
  const std::span<std::string_view> arguments(arguments_.data() + request.first_argument,
                                              request.argument_count);
  if (request.argument_count == 0) {
    server_.dispatcher().RunFault(client, arguments_[request.first_argument]);
    return;
  }
  current_ = {&client, arguments.data(), arguments.size()};
  const Dispatcher::Outcome outcome =
      server_.dispatcher().Run(client, request.command, arguments,
                               {key_hashes_.data() + request.first_key, request.key_count});
  if (outcome == Dispatcher::Outcome::kPostponed) {
    // It and what follows stay in the query buffer and are parsed again when the pause ends.
    client.postponed = true;
    PutBack(client, request.begin);
  } else if (outcome == Dispatcher::Outcome::kBlocked) {
    KeepForLater(request);
  }
}

// Requests from `begin` on are to be parsed again.
void RequestBatch::PutBack(Client& client, std::size_t begin) {
  // Blocks that are put back move what stands behind.
  if (client.transaction) KeepQueued(client);
  if (!client.PutBackBlocks()) {
    server_.log().Warning("Closing client id={} addr={}: no memory to keep its request.",
                          client.id(), client.peer());
    server_.clients().CloseSoon(client);
  }
  client.parsed_bytes = begin;
  client.parser().Reset();
  client.reading_stopped = false;  // a fault behind it is met again then
}

// What it refers to goes with the batch.
void RequestBatch::KeepQueued(Client& client) {
  if (client.transaction->Keep()) return;
  server_.log().Warning(
      "No memory for the transaction of client id={} addr={}, which is discarded.", client.id(),
      client.peer());
}

// The requests behind one that has blocked its client go back to the query buffer. They leave the
// batch for good: the client may be served before it ends.
void RequestBatch::KeepForLater(Request& blocking) {
  Client& client = *blocking.client;
  bool first = true;
  for (Request* later = &blocking + 1; later != requests_.data() + requests_.size(); ++later) {
    if (later->client != &client) continue;
    if (std::exchange(first, false)) PutBack(client, later->begin);
    later->client = nullptr;
  }
}

}  // namespace aeris
