#include "src/keyspace_events.h"

#include <fmt/format.h>

#include <algorithm>

#include "src/client.h"
#include "src/client_tracking.h"
#include "src/command_context.h"
#include "src/command_keys.h"
#include "src/command_table.h"
#include "src/server.h"
#include "src/watched_keys.h"

namespace aeris {
namespace {

constexpr unsigned Bit(KeyEvent kind) { return 1U << static_cast<unsigned>(kind); }
constexpr unsigned Bit(KeyspaceEvents::Listener who) { return 1U << static_cast<unsigned>(who); }

constexpr unsigned kAllClasses = Bit(KeyEvent::kNew) - 1;  // that "A" stands for

// Whether the value is another one now: Redis takes what happens to the groups of a stream, and to
// its last id, for no change. A miss is none either.
bool IsChange(KeyEvent kind, std::string_view event) {
  if (kind == KeyEvent::kKeyMiss) return false;
  return kind != KeyEvent::kStream || (!event.starts_with("xgroup-") && event != "xsetid");
}

}  // namespace

void KeyspaceEvents::Choose(unsigned classes) {
  const bool any = (classes & (Bit(KeyEvent::kKeyspace) | Bit(KeyEvent::kKeyevent))) != 0;
  classes_ = any ? classes : 0;
  Update();
}

void KeyspaceEvents::Listen(Listener who, bool on) {
  const unsigned bit = 1U << static_cast<unsigned>(who);
  listeners_ = on ? listeners_ | bit : listeners_ & ~bit;
  Update();
}

void KeyspaceEvents::Update() {
  wanted_ = classes_;
  if (wants(KeyEvent::kNew) || listeners_ != 0) wanted_ |= kAllClasses;
}

void KeyspaceEvents::TellListeners(KeyEvent kind, std::size_t database, std::string_view key) {
  if ((listeners_ & 1U << static_cast<unsigned>(Listener::kWatchedKeys)) != 0) {
    const bool gone = kind == KeyEvent::kExpired || kind == KeyEvent::kEvicted;
    server_.watched_keys().Touch(database, key,
                                 gone ? WatchedKeys::Change::kGone : WatchedKeys::Change::kWritten);
  }
  if ((listeners_ & 1U << static_cast<unsigned>(Listener::kTracking)) != 0) {
    server_.tracking().Invalidate(key, kind == KeyEvent::kExpired);
  }
}

void KeyspaceEvents::Publish(KeyEvent kind, std::string_view event, std::size_t database,
                             std::string_view key) {
  // What was there may still expire or be missed before the command makes it.
  const bool makes = kind != KeyEvent::kExpired && kind != KeyEvent::kKeyMiss;
  if (!absent_.empty() && makes && TakeAbsent(database, key) && kind != KeyEvent::kNew) {
    Send("new", database, key);
  }
  if (listeners_ != 0 && IsChange(kind, event)) TellListeners(kind, database, key);
  if ((classes_ & Bit(kind)) != 0) Send(event, database, key);
}

void KeyspaceEvents::Send(std::string_view event, std::size_t database, std::string_view key) {
  PubSub& pubsub = server_.pubsub();
  if (pubsub.silent()) return;
  if (wants(KeyEvent::kKeyspace)) {
    pubsub.Publish(fmt::format("__keyspace@{}__:{}", database, key), event);
  }
  if (wants(KeyEvent::kKeyevent)) {
    pubsub.Publish(fmt::format("__keyevent@{}__:{}", database, event), key);
  }
}

void KeyspaceEvents::NoteAbsentKeys(const CommandContext& context) {
  KeyPositions positions;
  if (!FindKeys(context.command().spec(), context.args(), positions)) return;
  storage::Keyspace& keyspace = context.keyspace();
  const auto database = static_cast<std::size_t>(context.client().database);
  for (const KeyPosition& position : positions.keys()) {
    const std::string_view key = context.arg(position.index);
    if (keyspace.Find(keyspace.Hash(key), context.now(), storage::kPeek)) continue;
    absent_.push_back({.database = database, .key = std::string(key)});
  }
}

bool KeyspaceEvents::TakeAbsent(std::size_t database, std::string_view key) {
  const auto count = std::erase_if(
      absent_, [&](const Absent& each) { return each.database == database && each.key == key; });
  return count != 0;
}

void KeyspaceEvents::KeyExpired(const storage::Keyspace& keyspace, std::string_view key) {
  server_.blocked_clients().KeyExpired(keyspace, key);
  if (!wants(KeyEvent::kExpired)) return;
  Publish(KeyEvent::kExpired, "expired", server_.databases().IndexOf(keyspace), key);
}

void KeyspaceEvents::FieldsExpired(const storage::Keyspace& keyspace, std::string_view key,
                                   bool all) {
  if (all) server_.blocked_clients().KeyExpired(keyspace, key);
  if (wanted_ == 0) return;
  const std::size_t database = server_.databases().IndexOf(keyspace);
  if (wants(KeyEvent::kHash)) Publish(KeyEvent::kHash, "hexpired", database, key);
  if (all && wants(KeyEvent::kGeneric)) Publish(KeyEvent::kGeneric, "del", database, key);
}

}  // namespace aeris
