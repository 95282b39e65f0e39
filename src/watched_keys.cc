#include "src/watched_keys.h"

#include <memory>
#include <ranges>
#include <utility>

#include "src/base/check.h"
#include "src/client.h"
#include "src/server.h"
#include "storage/allocated_bytes.h"

namespace aeris {
namespace {

// Of one that was watched by many; a few cost nothing to keep.
constexpr std::size_t kEmptyBucketsMax = 1024;

}  // namespace

std::size_t Watch::KeyHash::operator()(std::string_view key) const { return (*hasher)(key); }

Watch::~Watch() {
  for (Place& place : places_ | std::views::values) {
    if (place.key == nullptr) continue;
    const bool last = place.previous == nullptr && place.next == nullptr;
    const std::string_view name = place.key->first;
    const std::size_t database = place.database;
    owner_.Leave(place);
    if (last) owner_.Forget(database, owner_.keys_[database].find(name));
  }
}

std::size_t Watch::memory() const {
  // The place and the element of the key, as nodes of their tables, with a bucket each.
  constexpr std::size_t kBytesPerKey = 144;
  return storage::AllocatedBytes(sizeof *this) + places_.size() * kBytesPerKey + name_bytes_;
}

WatchedKeys::WatchedKeys(Server& server) : server_(server) {
  const std::size_t count = server_.databases().count();
  keys_.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    keys_.emplace_back(0, Watch::KeyHash{&server_.databases()[i].hasher()});
  }
}

bool WatchedKeys::Exists(std::size_t database, std::string_view key) {
  storage::Keyspace& keyspace = server_.databases()[database];
  return bool{keyspace.Find(keyspace.Hash(key), server_.unix_ms(), storage::kPeek)};
}

void WatchedKeys::Add(Client& client, std::string_view key) {
  if (client.watch && client.watch->changed()) return;
  const auto database = static_cast<std::size_t>(client.database);
  // First: one that expires now leaves those who watch it already.
  const bool existed = Exists(database, key);
  if (!client.watch) client.watch = std::make_unique<Watch>(*this);
  // It may be among those that the client watches.
  if (client.watch->changed()) return;
  Keys& keys = keys_[database];
  auto at = keys.find(key);
  if (at == keys.end()) {
    at = keys.emplace(std::string(key), nullptr).first;
    if (size_++ == 0) server_.events().Listen(KeyspaceEvents::Listener::kWatchedKeys, true);
  }
  const auto [place, added] = client.watch->places_.try_emplace(&*at);
  if (!added) return;
  Place* const first = std::exchange(at->second, &place->second);
  place->second = {.watch = client.watch.get(),
                   .key = &*at,
                   .database = database,
                   .previous = nullptr,
                   .next = first,
                   .existed = existed};
  if (first != nullptr) first->previous = at->second;
  client.watch->name_bytes_ += storage::TextHeapBytes(at->first.capacity());
}

bool WatchedKeys::Changed(Client& client) {
  if (!client.watch) return false;
  Watch& watch = *client.watch;
  std::string key;  // the name may go with its last place
  for (const Place& place : watch.places_ | std::views::values) {
    if (watch.changed_) break;
    // One that expires now is told by its event, unless CLIENT PAUSE keeps it where it is.
    if (!place.existed) continue;
    key = place.key->first;
    if (!Exists(place.database, key)) watch.changed_ = true;
  }
  return watch.changed_;
}

// Its client's EXEC will do nothing.
void WatchedKeys::Concern(Place& place) {
  place.watch->changed_ = true;
  Leave(place);
}

void WatchedKeys::Leave(Place& place) {
  (place.previous != nullptr ? place.previous->next : place.key->second) = place.next;
  if (place.next != nullptr) place.next->previous = place.previous;
  place.key = nullptr;
}

// The key has no places left.
void WatchedKeys::Forget(std::size_t database, Keys::iterator key) {
  AERIS_DCHECK(key->second == nullptr);
  Keys& keys = keys_[database];
  keys.erase(key);
  if (keys.empty() && keys.bucket_count() > kEmptyBucketsMax) {
    Keys(0, keys.hash_function()).swap(keys);
  }
  if (--size_ == 0) server_.events().Listen(KeyspaceEvents::Listener::kWatchedKeys, false);
}

void WatchedKeys::Touch(std::size_t database, std::string_view key, Change change) {
  Keys& keys = keys_[database];
  const auto at = keys.find(key);
  if (at == keys.end()) return;
  for (Place *place = at->second, *next = nullptr; place != nullptr; place = next) {
    next = place->next;
    if (change == Change::kWritten || place->existed) Concern(*place);
  }
  if (at->second == nullptr) Forget(database, at);
}

// All places of the database of which `concerned(place)`.
template <typename Concerned>
void WatchedKeys::TouchEach(std::size_t database, Concerned&& concerned) {
  Keys& keys = keys_[database];
  std::vector<Keys::value_type*> left;
  for (Keys::value_type& key : keys) {
    for (Place *place = key.second, *next = nullptr; place != nullptr; place = next) {
      next = place->next;
      if (concerned(*place)) Concern(*place);
    }
    if (key.second == nullptr) left.push_back(&key);
  }
  for (const Keys::value_type* const key : left) Forget(database, keys.find(key->first));
}

void WatchedKeys::DatabaseEmptied(std::size_t database) {
  TouchEach(database, [](const Place& place) { return place.existed; });
}

void WatchedKeys::DatabasesSwapped(std::size_t a, std::size_t b) {
  if (a == b) return;
  // Nobody watches what expires in the other database under this lookup, but by its own number.
  const auto swapped = [this](std::size_t from, std::size_t to) {
    std::vector<const std::string*> absent;
    TouchEach(from, [](const Place& place) { return place.existed; });
    for (const auto& [key, places] : keys_[from]) absent.push_back(&key);
    for (const std::string* const key : absent) {
      if (Exists(to, *key)) Touch(from, *key, Change::kWritten);
    }
  };
  swapped(a, b);
  swapped(b, a);
}

}  // namespace aeris
