// CommandContext: what a handler gets. One command of one client at one moment.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "protocol/reply_writer.h"
#include "src/base/clock.h"
#include "src/blocked_clients.h"
#include "src/keyspace_events.h"
#include "storage/keyspace.h"

namespace aeris {

class Client;
class Command;
class Server;

class CommandContext {
 public:
  // `key_hashes` are those of the arguments at command.key_range(), which the batch has computed
  // already. `served` is set for a command that runs again for a blocked client.
  CommandContext(Server& server, Client& client, const Command& command,
                 std::span<std::string_view> arguments, protocol::ReplyWriter& reply, UnixMs now,
                 std::span<const std::uint64_t> key_hashes, ServedCommand* served = nullptr);

  Server& server() const { return server_; }
  Client& client() const { return client_; }
  const Command& command() const { return command_; }
  protocol::ReplyWriter& reply() const { return reply_; }
  UnixMs now() const { return now_; }  // the same for the whole command

  // Arguments live until the handler returns; argument 0 is the command's name as sent.
  std::span<const std::string_view> args() const { return arguments_; }
  std::size_t argc() const { return arguments_.size(); }
  std::string_view arg(std::size_t index) const { return arguments_[index]; }
  // Of an argument that was received in a block of its own: what a value that is stored may take
  // over (Keyspace::SetOptions::loose). Null for all others.
  storage::LooseBlob* LooseArg(std::size_t index) const;
  // Case-insensitive comparison with an option's name, given in lower case.
  bool ArgIs(std::size_t index, std::string_view lower_case) const;

  // The client's database.
  storage::Keyspace& keyspace() const { return keyspace_; }
  storage::HashedKey Key(std::size_t index) const;
  // Hints that the keys behind argument `index` are looked up next; for loops over many keys.
  void PrefetchAhead(std::size_t index) const;

  // Finds argument `index` as a key, as a command that only reads does: counts a hit or a miss and
  // sets the access clock unless the client said NO-TOUCH.
  storage::EntryView FindForRead(std::size_t index) const;
  storage::EntryView FindForWrite(std::size_t index) const;
  // The same for one type. False after a WRONGTYPE reply; an absent key gives true and no entry.
  bool FindForRead(std::size_t index, storage::ValueType type, storage::EntryView& entry) const;
  bool FindForWrite(std::size_t index, storage::ValueType type, storage::EntryView& entry) const;
  bool FindStringForRead(std::size_t index, storage::EntryView& entry) const {
    return FindForRead(index, storage::ValueType::kString, entry);
  }
  bool FindStringForWrite(std::size_t index, storage::EntryView& entry) const {
    return FindForWrite(index, storage::ValueType::kString, entry);
  }

  // The one way to read an integer argument; nullopt after the error reply.
  std::optional<std::int64_t> IntegerArg(std::size_t index) const;
  std::optional<std::int64_t> IntegerArg(std::size_t index, std::int64_t min, std::int64_t max,
                                         std::string_view error) const;
  // Writes the string value of an entry as a bulk string.
  void ReplyString(storage::EntryView entry) const;
  void ReplyBlob(storage::BlobRef blob) const;
  // Whether a change has been made; false after the OOM reply.
  bool Stored(storage::StoreResult result) const;
  void ReplyOutOfMemory() const;
  // Before something is built that takes so many bytes and cannot fail: whether they are there.
  // False after the OOM reply. Up to 1 MiB nobody is asked.
  bool MemoryFor(std::size_t bytes) const;
  // "ERR wrong number of arguments for 'x' command", for handlers whose arity depends on options.
  void ReplyWrongArity() const;
  // Hides a secret from MONITOR and the slow log: the argument reads "(redacted)" from now on.
  void Redact(std::size_t index) const;
  // Marks that the command changed data: counts towards dirty (INFO's rdb_changes_since_last_save).
  void Changed(std::uint64_t keys = 1) const;

  // --- Keyspace notifications (keyspace_events.h). What the command has done to the key at
  // argument `index`: once it is done, in Redis's order.
  void Notify(KeyEvent kind, std::string_view event, std::size_t index) const {
    NotifyIn(static_cast<std::size_t>(database()), kind, event, arguments_[index]);
  }
  // The same of any key, in any database.
  void NotifyIn(std::size_t database, KeyEvent kind, std::string_view event,
                std::string_view key) const {
    if (events_.wants(kind)) [[unlikely]]
      events_.Publish(kind, event, database, key);
  }
  // The key at argument `index` has changed in a way that has no event.
  void NoteChange(std::size_t index) const {
    events_.NoteChange(static_cast<std::size_t>(database()), arguments_[index]);
  }
  // Something was taken out of the key's value; "del" follows if that was all there was.
  void NotifyTaken(KeyEvent kind, std::string_view event, std::size_t index) const {
    Notify(kind, event, index);
    NotifyIfGone(index);
  }
  void NotifyIfGone(std::size_t index) const;
  // The key was to be read and is not there; FindForRead() says it.
  void NotifyMissed(std::size_t index) const { Notify(KeyEvent::kKeyMiss, "keymiss", index); }

  // --- Blocking (blocked_clients.h). Blocks the client until one of the keys, given as arguments,
  // has what the command wants; the handler returns without a reply. Where blocking is not allowed,
  // replies null instead. In a command that is served: it goes on waiting.
  void BlockOn(std::span<const std::size_t> keys, const BlockedWait& wait) const;
  // The argument whose key became ready, when the command runs again for a blocked client: the only
  // key to look at.
  std::optional<std::size_t> served_key() const {
    return served_ != nullptr ? std::optional(served_->key) : std::nullopt;
  }
  // Argument `index` is a key of the client's database that did not exist, or not with this type,
  // and does now; or that is gone. Whoever waits for it is served when the command is done.
  void SignalReady(std::size_t index) const {
    SignalReady(static_cast<std::size_t>(database()), arguments_[index]);
  }
  void SignalReady(std::size_t database, std::string_view key) const;
  void SignalDatabase(std::size_t database) const;  // all its keys
  // Whether a value of so many bytes may be made in the client's database (Eviction::CouldHold).
  bool CouldHold(std::uint64_t bytes) const;
  // Before a value of so many bytes goes to another database (Eviction::MakeRoomIn). False after
  // the OOM reply.
  bool RoomIn(std::size_t database, std::uint64_t bytes) const;

 private:
  storage::EntryView Read(std::size_t index) const;  // what FindForRead() does
  storage::HashedKey KeyOfRange(std::size_t index) const;
  int database() const;

  Server& server_;
  Client& client_;
  const Command& command_;
  std::span<std::string_view> arguments_;
  protocol::ReplyWriter& reply_;
  storage::Keyspace& keyspace_;
  KeyspaceEvents& events_;
  UnixMs now_;
  std::span<const std::uint64_t> key_hashes_;
  ServedCommand* served_;
};

}  // namespace aeris
