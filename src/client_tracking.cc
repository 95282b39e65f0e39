#include "src/client_tracking.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "src/base/check.h"
#include "src/client.h"
#include "src/command_context.h"
#include "src/command_keys.h"
#include "src/command_table.h"
#include "src/server.h"
#include "storage/allocated_bytes.h"

namespace aeris {
namespace {

using Listener = KeyspaceEvents::Listener;

// Items of clients that have left, removed in one turn: 0.1 ms. And a share of what is left, so
// that clients who come, read and leave cannot be faster.
constexpr std::size_t kSweptPerTurn = 1000;
constexpr std::size_t kTurnsToSweep = 100;
// Keys of a table that is not used any more, destroyed in one turn; smaller ones go at once.
constexpr std::size_t kDestroyedPerTurn = 1000;
// Keys above a limit that leave at once; the more often it was not enough, the more, as in Redis.
constexpr std::size_t kEffort = 100;

constexpr std::string_view kPushHead = ">2\r\n$10\r\ninvalidate\r\n";
constexpr std::string_view kMessageHead = "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n";

std::string OneKey(std::string_view key) {
  return fmt::format("*1\r\n${}\r\n{}\r\n", key.size(), key);
}

}  // namespace

// --- One client

ClientTracking::ClientTracking(Tracking& owner, Client& client) : owner_(owner), client_(client) {
  owner_.Joins(*this);
}

ClientTracking::~ClientTracking() { owner_.Leaves(*this); }

std::size_t ClientTracking::memory() const {
  // Nodes of the set, of the prefix and of its readers, with their names.
  constexpr std::size_t kBytesEach = 64 + 144 + 64;
  std::size_t bytes = sizeof *this;
  for (const std::string& prefix : prefixes_) {
    bytes += kBytesEach + 2 * storage::TextHeapBytes(prefix.capacity());
  }
  return bytes;
}

void Tracking::Start(Client& client, const ClientTracking::Options& options,
                     const std::vector<std::string_view>& prefixes) {
  current_ = &client;
  if (!client.tracking) client.tracking = std::make_unique<ClientTracking>(*this, client);
  ClientTracking& tracking = *client.tracking;
  tracking.options_ = options;
  tracking.broken_redirect_ = false;
  if (!options.bcast) return;
  const auto add = [&](std::string_view prefix) {
    tracking.prefixes_.emplace(prefix);
    prefixes_.Add(prefix, client);
  };
  if (prefixes.empty()) add("");
  for (const std::string_view prefix : prefixes) add(prefix);
}

void Tracking::Joins(ClientTracking& tracking) {
  if (!table_) table_ = std::make_unique<TrackingTable>();
  tracking.reader_ = table_->AddReader(tracking.client_);
  ++clients_;
  server_.events().Listen(Listener::kTracking, true);
}

void Tracking::Leaves(ClientTracking& tracking) {
  for (const std::string& prefix : tracking.prefixes_) prefixes_.Remove(prefix, tracking.client_);
  table_->RemoveReader(tracking.reader_);
  --clients_;
  StopIfUnused();
}

// Not before the end of a command: a transaction may switch tracking off and on.
void Tracking::StopIfUnused() {
  if (clients_ != 0 || current_ != nullptr) return;
  server_.events().Listen(Listener::kTracking, false);
  DropTable();
}

void Tracking::DropTable() {
  if (table_->keys() > kDestroyedPerTurn) old_tables_.push_back(std::move(table_));
  table_.reset();
  rounds_above_limit_ = 0;
}

// --- Around a command

void Tracking::CommandDone(const CommandContext& context) {
  Client& client = context.client();
  if (client.tracking) {
    Remember(context, *client.tracking);
    EndCaching(client, &context.command());
  }
  // A command inside a transaction or a script: the reply goes on.
  if (client.deny_blocking) return;
  current_ = nullptr;
  DeliverHeld(client);
  StopIfUnused();
  CutSlow();
}

void Tracking::CommandRefused(Client& client, const Command* command) {
  if (client.tracking) EndCaching(client, command);
}

// CLIENT CACHING holds until a command that is none of CLIENT, or the end of a transaction.
void Tracking::EndCaching(Client& client, const Command* command) {
  ClientTracking& tracking = *client.tracking;
  if (!tracking.caching_ || client.transaction || client.deny_blocking) return;
  const Command* const container = command != nullptr ? command->parent() : nullptr;
  if (container == nullptr || container->spec().name != "client") tracking.caching_ = false;
}

void Tracking::Remember(const CommandContext& context, const ClientTracking& tracking) {
  const ClientTracking::Options& options = tracking.options_;
  if (options.bcast || !context.command().has(CommandFlag::kReadonly)) return;
  if ((options.optin && !tracking.caching_) || (options.optout && tracking.caching_)) return;
  // It was remembered when it began to wait.
  if (context.served_key()) return;
  KeyPositions positions;
  if (!FindKeys(context.command().spec(), context.args(), positions)) return;
  std::size_t added = 0;
  for (const KeyPosition& position : positions.keys()) {
    if (table_->items() == TrackingTable::kItemsMax) [[unlikely]]
      DropRandomKey();
    if (table_->Add(context.Key(position.index), tracking.reader_)) ++added;
  }
  if (added == 0) return;
  LimitReader(tracking.reader_, added + kEffort);
  LimitTable();
}

// --- Changes

void Tracking::Invalidate(std::string_view key, bool expired) {
  const bool by_client = current_ != nullptr && !expired;
  if (prefixes_.size() != 0) {
    prefixes_.Note(key, by_client ? current_->id() : TrackingPrefixes::kNoWriter);
  }
  if (table_->keys() == 0) return;
  std::string keys;
  Message message;
  table_->Take(server_.databases()[0].Hash(key), [&](Client& reader) {
    const ClientTracking::Options& options = reader.tracking->options_;
    if (options.bcast || (options.noloop && &reader == current_)) return;
    if (keys.empty()) message.keys = keys = OneKey(key);
    Send(reader, message);
  });
}

// The table is given up, so readers get new numbers in another.
void Tracking::Flushed() {
  if (clients_ == 0) return;
  Message message;
  auto table = std::make_unique<TrackingTable>();
  server_.clients().ForEach([&](Client& client) {
    if (!client.tracking) return;
    client.tracking->reader_ = table->AddReader(client);
    Send(client, message);
  });
  DropTable();
  table_ = std::move(table);
}

// --- Messages

void Tracking::Send(Client& reader, Message& message) {
  const std::uint64_t redirect = reader.tracking->options_.redirect;
  Client* const target = redirect == 0 ? &reader : server_.clients().Find(redirect);
  if (target == nullptr) return SendBroken(reader);
  const bool push = target->reply().resp() > 2;
  if (!push && (redirect == 0 || !target->subscriptions)) return;
  protocol::BroadcastLog::Message& encoded = message.encoded[push ? 1 : 0];
  if (encoded.block == nullptr) {
    const std::string_view null = push ? "_\r\n" : "$-1\r\n";
    encoded = logs_[push ? 1 : 0].AddEncoded(push ? kPushHead : kMessageHead,
                                             message.keys.empty() ? null : message.keys);
  }
  Deliver(*target, encoded.bytes, encoded.block);
}

void Tracking::SendBroken(Client& reader) {
  reader.tracking->broken_redirect_ = true;
  if (reader.reply().resp() == 2) return;
  const std::string text = fmt::format(">2\r\n$21\r\ntracking-redir-broken\r\n:{}\r\n",
                                       reader.tracking->options_.redirect);
  Deliver(reader, text, nullptr);
}

// Messages come even to those who want no replies (CLIENT REPLY).
void Tracking::Deliver(Client& target, std::string_view bytes, protocol::SharedBlock* block) {
  if (target.closing || target.close_after_reply) return;
  if (&target == current_) {
    held_ += bytes;
    return;
  }
  if (block != nullptr) {
    target.replies().AppendShared(bytes, *block);
  } else {
    target.replies().Append(bytes);
  }
  server_.clients().QueueWrite(target);
  if (server_.io().NeedsOutputCheck(target)) [[unlikely]]
    slow_.push_back(target.id());
}

void Tracking::DeliverHeld(Client& client) {
  if (held_.empty()) return;
  const std::string held = std::exchange(held_, {});
  Deliver(client, held, nullptr);
}

// Not while readers are walked over: who is cut leaves the tables.
void Tracking::CutSlow() {
  if (slow_.empty()) [[likely]]
    return;
  for (const std::uint64_t id : std::exchange(slow_, {})) {
    Client* const client = server_.clients().Find(id);
    if (client != nullptr) server_.io().EnforceOutputLimit(*client);
  }
}

// --- The end of a turn

void Tracking::Work() {
  if (!old_tables_.empty() && !old_tables_.back()->DestroySome(kDestroyedPerTurn)) {
    old_tables_.pop_back();
  }
  if (!on()) return;
  if (prefixes_.size() != 0) {
    prefixes_.Flush([](const Client& reader) { return reader.tracking->options_.noloop; },
                    [this](Client& reader, std::string_view keys) {
                      Message message{.keys = keys, .encoded = {}};
                      Send(reader, message);
                    });
  }
  LimitTable();
  if (next_reader_ >= table_->reader_numbers()) next_reader_ = 0;
  LimitReader(next_reader_++, kEffort);
  (void)table_->Sweep(kSweptPerTurn + table_->left_items() / kTurnsToSweep);
  CutSlow();
}

void Tracking::LimitTable() {
  const std::uint64_t keys_max = server_.config().tracking_table_max_keys;
  if (keys_max == 0 || table_->keys() <= keys_max) [[likely]] {
    rounds_above_limit_ = 0;
    return;
  }
  std::size_t effort = kEffort * ++rounds_above_limit_;
  for (; effort != 0 && table_->keys() > keys_max; --effort) DropRandomKey();
}

void Tracking::DropRandomKey() {
  const std::string key(table_->RandomKey(server_.random().Next()));
  const std::string keys = OneKey(key);
  Message message{.keys = keys, .encoded = {}};
  table_->Take(server_.databases()[0].Hash(key), [&](Client& reader) { Send(reader, message); });
}

// Only this client is told: the others keep the key.
void Tracking::LimitReader(TrackingTable::ReaderNumber reader, std::size_t effort) {
  const std::uint64_t keys_max = server_.config().tracking_client_max_keys;
  Client* const client = table_->ClientOf(reader);
  if (keys_max == 0 || client == nullptr) return;
  for (; effort != 0 && table_->KeysOf(reader) > keys_max; --effort) {
    const std::string keys = OneKey(table_->OldestKeyOf(reader));
    table_->RemoveOldestOf(reader);
    Message message{.keys = keys, .encoded = {}};
    Send(*client, message);
  }
}

}  // namespace aeris
