// WatchedKeys: keys that clients watch (WATCH) until EXEC, and who is concerned when one changes.
//
//   keys_[database]   key --> place --> place --> place       one for each client that watches it
//   client.watch      Watch: its places by key; changed() once one of the keys has been touched
//
// The changes come from KeyspaceEvents, which is listened to while anybody watches; FLUSHALL and
// SWAPDB say theirs themselves. A client that is concerned leaves the key: the next change of it
// costs nothing for that client. Of a key that had expired when it was watched, its removal is no
// change, as it is none of a key that was not there.
//
// Holds:    a place with existed() is of a key that is there, or has expired since.
// Cost:     while nobody watches, a test per event. Otherwise one hash and one lookup per change of
//           any key, whatever is watched. O(1) to watch a key, by however many clients, and to
//           leave it; EXEC looks every key of its client up.
// Memory:   about 150 bytes and the name for each key of a client, part of the client's memory.
// Rejected: a counter of changes in each entry, which costs every key for the few that are watched,
//           and is gone with the entry.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "storage/hash_function.h"

namespace aeris {

class Client;
class Server;
class WatchedKeys;

// The keys that one client watches. Destroying it leaves them.
class Watch {
 public:
  explicit Watch(WatchedKeys& owner) : owner_(owner) {}
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch();

  // One of them has changed since it was watched.
  bool changed() const { return changed_; }
  std::size_t size() const { return places_.size(); }
  std::size_t memory() const;

 private:
  friend class WatchedKeys;
  struct Place;
  struct KeyHash {
    using is_transparent = void;
    const storage::KeyHasher* hasher;
    std::size_t operator()(std::string_view key) const;
  };
  // A key with the first of its places. An element stays where it is as long as it exists.
  using Keys = std::unordered_map<std::string, Place*, KeyHash, std::equal_to<>>;
  struct Place {
    Watch* watch;
    Keys::value_type* key;  // null: it has left the key
    std::size_t database;
    Place* previous;
    Place* next;
    bool existed;
  };

  WatchedKeys& owner_;
  std::unordered_map<const void*, Place> places_;  // by the key's element
  std::size_t name_bytes_ = 0;
  bool changed_ = false;
};

class WatchedKeys {
 public:
  explicit WatchedKeys(Server& server);
  WatchedKeys(const WatchedKeys&) = delete;
  WatchedKeys& operator=(const WatchedKeys&) = delete;

  // The client watches the key in its database from now on. Nothing when one that it watches has
  // changed already: its EXEC will do nothing.
  void Add(Client& client, std::string_view key);
  // Whether EXEC must not run: a key has changed, or expires now.
  bool Changed(Client& client);

  // What has become of a key.
  enum class Change : std::uint8_t {
    kWritten,  // also by its removal
    kGone,     // it has expired, or was evicted
  };
  void Touch(std::size_t database, std::string_view key, Change change);
  // Before the database is emptied, or the two are swapped.
  void DatabaseEmptied(std::size_t database);
  void DatabasesSwapped(std::size_t a, std::size_t b);

  // Keys that are watched, in all databases.
  std::size_t size() const { return size_; }

 private:
  friend class Watch;
  using Place = Watch::Place;
  using Keys = Watch::Keys;

  bool Exists(std::size_t database, std::string_view key);
  void Concern(Place& place);
  void Leave(Place& place);
  void Forget(std::size_t database, Keys::iterator key);
  template <typename Concerned>
  void TouchEach(std::size_t database, Concerned&& concerned);

  Server& server_;
  std::vector<Keys> keys_;  // by database
  std::size_t size_ = 0;
};

}  // namespace aeris
