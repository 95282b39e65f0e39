#include "src/request_batch.h"

#include <fmt/format.h>

#include <span>
#include <utility>

#include "src/command_table.h"
#include "src/dispatch.h"
#include "src/server.h"

namespace aeris {
namespace {

// Slots kept between batches; a request of a million arguments has 16 MiB of them.
constexpr std::size_t kArgumentsKept = 64 * 1024;

}  // namespace

RequestBatch::RequestBatch(Server& server) : server_(server) {
  requests_.reserve(kRequestsMax);
  clients_.reserve(kRequestsMax);
}

void RequestBatch::Add(Client& client, std::string_view bytes) {
  const auto first = static_cast<std::uint32_t>(arguments_.size());
  client.parser().AppendArguments(bytes, arguments_);
  const auto count = static_cast<std::uint32_t>(arguments_.size() - first);
  const std::size_t begin = client.parsed_bytes;
  client.parsed_bytes += client.parser().size();
  Note(client);
  if (count == 0) return;  // an empty request gets no reply
  const Command* command = server_.commands().Find(arguments_[first]);
  if (command != nullptr && !command->subcommands().empty() && count > 1) {
    const Command* const subcommand = command->FindSubcommand(arguments_[first + 1]);
    if (subcommand != nullptr) command = subcommand;
  }
  std::uint64_t hash = 0;
  if (command != nullptr) {
    const std::size_t key = command->first_key();
    if (key != 0 && key < count) {
      const storage::Keyspace& keyspace =
          server_.databases()[static_cast<std::size_t>(client.database)];
      hash = keyspace.Hash(arguments_[first + key]).hash;
      keyspace.PrefetchBucket(hash);
    }
  }
  requests_.push_back({&client, command, hash, begin, first, count});
}

void RequestBatch::AddFault(Client& client, std::string_view text) {
  const auto first = static_cast<std::uint32_t>(arguments_.size());
  arguments_.push_back(text);
  Note(client);
  requests_.push_back({&client, nullptr, 0, client.parsed_bytes, first, 0});
}

void RequestBatch::Run() {
  if (requests_.size() > 1) Prefetch();
  server_.ReadClock();
  for (const Request& request : requests_) {
    const Client& client = *request.client;
    if (client.closing || client.postponed || client.close_after_reply) continue;
    RunOne(request);
  }
  current_ = {};
  requests_.clear();
  arguments_.clear();
  if (arguments_.capacity() > kArgumentsKept) std::vector<std::string_view>().swap(arguments_);
  for (Client* client : clients_) {
    client->in_batch = false;
    client->query().Consume(std::exchange(client->parsed_bytes, 0));
    // So the next clients read into blocks that are still in cache, and idle ones hold none.
    client->query().ReleaseIfEmpty();
  }
  clients_.clear();
}

void RequestBatch::Note(Client& client) {
  if (client.in_batch) return;
  client.in_batch = true;
  clients_.push_back(&client);
}

void RequestBatch::Prefetch() {
  for (const Request& request : requests_) {
    if (request.first_key_hash == 0) continue;
    const auto database = static_cast<std::size_t>(request.client->database);
    std::as_const(server_.databases())[database].PrefetchEntry(request.first_key_hash);
  }
}

void RequestBatch::RunOne(const Request& request) {
  Client& client = *request.client;
  const std::span<std::string_view> arguments(arguments_.data() + request.first_argument,
                                              request.argument_count);
  if (request.argument_count == 0) {
    server_.dispatcher().RunFault(client, arguments_[request.first_argument]);
    return;
  }
  current_ = {&client, arguments.data(), arguments.size()};
  const Dispatcher::Outcome outcome =
      server_.dispatcher().Run(client, request.command, arguments, request.first_key_hash);
  if (outcome == Dispatcher::Outcome::kPostponed) {
    // It and what follows stay in the query buffer and are parsed again when the pause ends.
    client.postponed = true;
    client.PutBackBlocks();
    client.parsed_bytes = request.begin;
    client.parser().Reset();
    client.reading_stopped = false;  // a fault behind it is met again then
  }
}

}  // namespace aeris
