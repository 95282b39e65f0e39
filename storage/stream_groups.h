// Consumer groups of a stream: who has read how far, and what was delivered but not acknowledged.
//
//   group     last id, entries read     consumers by name
//             pending:  id -> [ delivered at, deliveries, consumer ]
//   consumer  seen at
//             pending:  id                                 what of the group's is this one's
//
// Holds:    each id that is pending in the group is pending in exactly one of its consumers.
// Memory:   40 bytes per pending entry in the group and 16 in the consumer, and their shares of the
//           chunks (stream_id_map.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "src/base/clock.h"
#include "storage/stream_blocks.h"
#include "storage/stream_id.h"
#include "storage/stream_id_map.h"

namespace aeris::storage {

// A number of entries that cannot be told.
inline constexpr std::int64_t kEntriesUnknown = -1;

struct StreamConsumer {
  struct Nothing {};

  std::string name;
  UnixMs seen_at = 0;
  StreamIdMap<Nothing> pending;
};

struct StreamPending {
  UnixMs delivered_at = 0;
  std::uint64_t deliveries = 0;
  StreamConsumer* consumer = nullptr;
};

class StreamGroup {
 public:
  using Consumers = std::map<std::string, StreamConsumer, std::less<>>;
  using Pending = StreamIdMap<StreamPending>;

  // `account` is where the bytes of consumers and pending entries are counted; it lives longer.
  StreamGroup(StreamId last, std::int64_t read, std::size_t& account)
      : last_id(last), entries_read(read), account_(&account) {}
  ~StreamGroup() { *account_ -= bytes_; }
  StreamGroup(const StreamGroup&) = delete;
  StreamGroup& operator=(const StreamGroup&) = delete;

  StreamId last_id;
  std::int64_t entries_read;  // kEntriesUnknown, or any number a client has set
  StreamMark mark;

  const Consumers& consumers() const { return consumers_; }
  const Pending& pending() const { return pending_; }

  // Null when absent.
  StreamConsumer* FindConsumer(std::string_view name);
  // The consumer, made when absent. Sets when it was seen.
  StreamConsumer& GetConsumer(std::string_view name, UnixMs now);
  // With all that it has pending; returns how many entries that were, none when it is absent. What
  // has to be destroyed goes to `cut`, an empty group that is good for nothing else afterwards.
  // O(1) when nobody else has anything pending, else a look at each chunk that has some of it.
  std::size_t DeleteConsumer(std::string_view name, StreamGroup& cut);

  // Null when the entry is not pending. Of what it points at only the consumer stays as it is.
  StreamPending* FindPending(StreamId id) { return pending_.Find(id); }
  // The entry is pending with `consumer` from now on, whoever had it. Returns its record: a new one
  // has no deliveries.
  StreamPending& Assign(StreamId id, StreamConsumer& consumer);
  // False when it was not pending.
  bool Acknowledge(StreamId id);

  // From now on it is counted there.
  void MoveTo(std::size_t& account);
  // A copy that is counted in another account.
  void CopyTo(StreamGroup& copy) const;
  // Work to destroy it, in allocations.
  std::size_t FreeEffort() const;
  void CheckInvariants() const;
  // What it has counted.
  std::size_t counted_bytes() const { return bytes_; }

 private:
  void Count(std::size_t more) {
    bytes_ += more;
    *account_ += more;
  }
  template <typename Map, typename Change>
  decltype(auto) Counted(Map& map, Change&& change);
  static std::size_t BytesOf(const StreamConsumer& consumer);

  std::size_t* account_;
  std::size_t bytes_ = 0;
  Consumers consumers_;
  Pending pending_;
};

}  // namespace aeris::storage
