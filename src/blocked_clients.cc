#include "src/blocked_clients.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "src/base/check.h"
#include "src/base/number_text.h"
#include "src/client.h"
#include "src/command_context.h"
#include "src/error_replies.h"
#include "src/server.h"

namespace aeris {
namespace {

using std::chrono::milliseconds;

// A timer that far ahead is none; what is beyond does not fit the loop's nanoseconds.
constexpr milliseconds kTimeoutMax = std::chrono::years(100);

}  // namespace

BlockedCommand::BlockedCommand(BlockedClients& owner, const Command& command,
                               std::span<const std::string_view> arguments, const BlockedWait& wait)
    : owner_(owner),
      command_(command),
      arguments_(arguments.begin(), arguments.end()),
      type_(wait.type),
      wake_when_gone_(wait.wake_when_gone) {
  for (const auto& [index, text] : wait.replaced) arguments_[index] = text;
}

BlockedCommand::~BlockedCommand() { owner_.Dequeue(*this); }

std::size_t BlockedCommand::memory() const {
  // A node of the queue and one of the table for each key.
  constexpr std::size_t kBytesPerKey = 128;
  std::size_t bytes = sizeof *this + keys_.size() * kBytesPerKey;
  for (const std::string& each : arguments_) bytes += sizeof each + each.capacity();
  return bytes;
}

void BlockedClients::Block(const CommandContext& context, std::span<const std::size_t> keys,
                           const BlockedWait& wait) {
  Client& client = context.client();
  AERIS_CHECK(client.blocked == nullptr);
  auto blocked = std::make_unique<BlockedCommand>(*this, context.command(), context.args(), wait);
  blocked->database_ = static_cast<std::size_t>(client.database);
  blocked->arrival_ = ++arrivals_;
  blocked->keys_.reserve(keys.size());
  for (const std::size_t key : keys) {
    Queue& queue = queues_[{blocked->database_, blocked->arguments_[key]}];
    // A key that is given twice is waited for once, at its first place.
    if (queue.clients.emplace(blocked->arrival_, &client).second) blocked->keys_.push_back(key);
  }
  if (wait.timeout.count() > 0 && wait.timeout < kTimeoutMax) {
    const auto end = [this, id = client.id()]() -> std::optional<milliseconds> {
      Client* const waiting = server_.clients().Find(id);
      // The timer is part of what is destroyed then, so nothing is done after this.
      if (waiting != nullptr && waiting->blocked) Unblock(*waiting, Reason::kTimeout);
      return std::nullopt;
    };
    blocked->timeout_ = server_.loop().AddTimeEvent(wait.timeout, end);
  }
  ++size_;
  client.blocked = std::move(blocked);
}

void BlockedClients::Dequeue(BlockedCommand& blocked) {
  if (blocked.arrival_ == 0) return;
  for (const std::size_t key : blocked.keys_) {
    const auto at = queues_.find(Place{blocked.database_, blocked.arguments_[key]});
    at->second.clients.erase(blocked.arrival_);
    if (at->second.clients.empty()) queues_.erase(at);
  }
  --size_;
}

void BlockedClients::Signal(std::size_t database, std::string_view key) {
  const auto at = queues_.find(Place{database, key});
  if (at == queues_.end() || at->second.ready) return;
  at->second.ready = true;
  ready_.push_back(at->first);
}

void BlockedClients::SignalUnlessStream(std::size_t database, std::string_view key) {
  if (!queues_.contains(Place{database, key})) return;
  storage::Keyspace& keyspace = server_.databases()[database];
  const storage::EntryView entry =
      keyspace.Find(keyspace.Hash(key), server_.unix_ms(), storage::kPeek);
  if (!entry || entry.type() != storage::ValueType::kStream) Signal(database, key);
}

void BlockedClients::KeyExpired(const storage::Keyspace& keyspace, std::string_view key) {
  if (!empty()) Signal(server_.databases().IndexOf(keyspace), key);
}

void BlockedClients::SignalDatabase(std::size_t database) {
  for (auto& [place, queue] : queues_) {
    if (place.database != database || queue.ready) continue;
    queue.ready = true;
    ready_.push_back(place);
  }
}

void BlockedClients::Serve() {
  while (!ready_.empty()) {
    const StoredPlace place = std::move(ready_.front());
    ready_.pop_front();
    ServeKey(place);
  }
}

void BlockedClients::ServeKey(const StoredPlace& place) {
  // Queues come and go while commands run; arrivals only grow.
  std::uint64_t after = 0;
  for (bool first = true;; first = false) {
    const auto queue = queues_.find(Place(place));
    if (queue == queues_.end()) return;
    if (first) queue->second.ready = false;
    const auto next = queue->second.clients.upper_bound(after);
    if (next == queue->second.clients.end()) return;
    after = next->first;
    Client& client = *next->second;
    if (client.closing || client.blocked == nullptr) continue;
    if (WakesFor(*client.blocked, place)) Run(client, place);
  }
}

bool BlockedClients::WakesFor(const BlockedCommand& blocked, const StoredPlace& place) const {
  storage::Keyspace& keyspace = server_.databases()[place.database];
  const storage::EntryView entry =
      keyspace.Find(keyspace.Hash(place.key), server_.unix_ms(), storage::kPeek);
  return blocked.wake_when_gone_ || (entry && entry.type() == blocked.type_);
}

void BlockedClients::Run(Client& client, const StoredPlace& place) {
  // Out of the client while it runs, so that closing the client leaves it alone.
  std::unique_ptr<BlockedCommand> blocked = std::move(client.blocked);
  const auto key = std::ranges::find(blocked->keys_, place.key, [&](std::size_t each) {
    return std::string_view(blocked->arguments_[each]);
  });
  AERIS_CHECK(key != blocked->keys_.end());
  // Handlers may redact arguments, so they get views.
  std::vector<std::string_view> arguments(blocked->arguments_.begin(), blocked->arguments_.end());
  ServedCommand served{.key = *key};
  server_.dispatcher().RunServed(client, blocked->command_, arguments, served);
  if (client.closing) return;
  if (served.waits_on) {
    client.blocked = std::move(blocked);
    return;
  }
  AddResumed(client.id());
}

void BlockedClients::Unblock(Client& client, Reason reason) {
  const std::unique_ptr<BlockedCommand> blocked = std::move(client.blocked);
  server_.dispatcher().EndBlocked(client, blocked->command_, reason == Reason::kError);
  AddResumed(client.id());
}

std::optional<milliseconds> TimeoutSecondsArg(const CommandContext& context, std::size_t index) {
  const std::optional<long double> seconds = ParseLongDouble(context.arg(index));
  if (!seconds || std::isnan(*seconds)) {
    context.reply().Error("ERR timeout is not a float or out of range");
    return std::nullopt;
  }
  const long double ms = std::ceil(*seconds * 1000);
  // Redis 7.0 has this text for what is too large as well. It rounds -0.0001 up to "for ever",
  // which later versions do not.
  constexpr auto kMax = static_cast<long double>(std::numeric_limits<std::int64_t>::max());
  if (*seconds < 0 || ms > kMax) {
    context.reply().Error("ERR timeout is negative");
    return std::nullopt;
  }
  return milliseconds(static_cast<std::int64_t>(ms));
}

std::optional<milliseconds> TimeoutMillisecondsArg(const CommandContext& context,
                                                   std::size_t index) {
  constexpr auto kLimits = std::numeric_limits<std::int64_t>();
  const auto ms = context.IntegerArg(index, kLimits.min(), kLimits.max(),
                                     "ERR timeout is not an integer or out of range");
  if (!ms) return std::nullopt;
  if (*ms < 0) {
    context.reply().Error("ERR timeout is negative");
    return std::nullopt;
  }
  return milliseconds(*ms);
}

}  // namespace aeris
