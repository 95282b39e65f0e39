// KeyspaceEvents: what happens to keys, told to whoever subscribed to it.
//
//   __keyspace@<db>__:<key>    event     with K in notify-keyspace-events
//   __keyevent@<db>__:<event>  key       with E
//
// Handlers say what they have done (CommandContext::Notify) with the names and in the order of
// Redis 7.0; keys that expire are told by the keyspace, those that are evicted by Eviction.
//
// Cost:     where a class is not asked for, a test of one word. A message is two of PubSub's.
// "new"     (class n) comes before the first event of a key that was not there when its command
//           began, so no handler says it, but for those that replace a key by another one (RENAME,
//           MOVE, COPY, RESTORE), which Redis calls new whatever was there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/config.h"
#include "storage/keyspace.h"

namespace aeris {

class CommandContext;
class Server;

// The classes of events, in the order of kKeyspaceEventClasses.
enum class KeyEvent : std::uint8_t {
  kGeneric,
  kString,
  kList,
  kSet,
  kHash,
  kZset,
  kExpired,
  kEvicted,
  kStream,
  kModule,
  kNew,
  kKeyspace,  // not a class: which of the two messages are wanted
  kKeyevent,
  kKeyMiss,
};
static_assert(kKeyspaceEventClasses[static_cast<std::size_t>(KeyEvent::kNew)] == 'n' &&
                  kKeyspaceEventClasses[static_cast<std::size_t>(KeyEvent::kKeyMiss)] == 'm' &&
                  kKeyspaceEventClasses[static_cast<std::size_t>(KeyEvent::kKeyevent)] == 'E',
              "a class is the position of its letter");

class KeyspaceEvents final : public storage::ExpiryListener {
 public:
  explicit KeyspaceEvents(Server& server) : server_(server) {}

  // As Config::notify_keyspace_events has them.
  void Choose(unsigned classes);
  bool wants(KeyEvent kind) const { return (wanted_ >> static_cast<unsigned>(kind) & 1U) != 0; }

  // Who else hears of each change: Publish() tells them whatever the classes are.
  enum class Listener : std::uint8_t { kWatchedKeys, kTracking };
  void Listen(Listener who, bool on);

  // A change that has no event of its own: the listeners are told.
  void NoteChange(std::size_t database, std::string_view key) {
    if (listeners_ != 0) [[unlikely]]
      TellListeners(KeyEvent::kGeneric, database, key);
  }

  // Call it when wants(kind). With "new" every class is, since it comes before their first event.
  void Publish(KeyEvent kind, std::string_view event, std::size_t database, std::string_view key);

  // Around each command that may make keys, while wants(kNew).
  void NoteAbsentKeys(const CommandContext& context);
  void ForgetAbsentKeys() { absent_.clear(); }

  // What was waited for at the key is served by the next BlockedClients::Serve().
  void KeyExpired(const storage::Keyspace& keyspace, std::string_view key) override;
  void FieldsExpired(const storage::Keyspace& keyspace, std::string_view key, bool all) override;

 private:
  struct Absent {
    std::size_t database;
    std::string key;
  };
  bool TakeAbsent(std::size_t database, std::string_view key);
  void Send(std::string_view event, std::size_t database, std::string_view key);

  void TellListeners(KeyEvent kind, std::size_t database, std::string_view key);
  void Update();

  Server& server_;
  unsigned wanted_ = 0;     // bit i: KeyEvent i; nothing while nobody hears
  unsigned classes_ = 0;    // of notify-keyspace-events; 0 while neither message is wanted
  unsigned listeners_ = 0;  // bit i: Listener i
  std::vector<Absent> absent_;
};

}  // namespace aeris
