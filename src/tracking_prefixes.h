// TrackingPrefixes: who wants to hear of all keys that begin with a prefix (CLIENT TRACKING BCAST),
// and the keys written in this turn.
//
//   prefixes_   "user:" --> { readers by id; keys written in this turn, each with its writer }
//   written_    those prefixes with keys, in the order of names
//
// Holds:    a prefix exists while it has a reader.
// Cost:     Note() takes O(log prefixes) for each prefix that matches, and one more; nothing is
//           looked at for the others. A turn's keys are sorted once per prefix, and encoded once
//           for all of its readers who have not written any of them themselves.
// Memory:   about 200 bytes per prefix and 64 per reader of it; a turn's keys until its end.
// Order:    as in Redis, prefixes by name and the keys of a message by name; readers by id, where
//           Redis has them by address.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace aeris {

class Client;

class TrackingPrefixes {
 public:
  // Nobody in particular: the key expired, or was evicted.
  static constexpr std::uint64_t kNoWriter = 0;

  std::size_t size() const { return prefixes_.size(); }
  void Add(std::string_view prefix, Client& reader);
  void Remove(std::string_view prefix, const Client& reader);

  // The key was changed by the client of that id. The last one who does counts.
  void Note(std::string_view key, std::uint64_t writer);

  // What was noted since the last time, once for each prefix: send(reader, keys) for each reader;
  // `keys` is a RESP array of the names. Those that a reader wrote itself are left out where
  // no_loop(reader), and so is a message without any. Nobody is added or removed meanwhile.
  void Flush(const std::function<bool(const Client&)>& no_loop,
             const std::function<void(Client&, std::string_view keys)>& send);

 private:
  struct Written {
    std::string key;
    std::uint64_t writer;
  };
  struct Prefix {
    std::map<std::uint64_t, Client*> readers;
    std::vector<Written> keys;
  };

  static void SortKeys(std::vector<Written>& keys);
  static std::string Encode(const std::vector<Written>& keys, std::uint64_t without);

  std::map<std::string, Prefix, std::less<>> prefixes_;
  std::map<std::string_view, Prefix*> written_;
};

// Whether one is the beginning of the other.
bool PrefixesOverlap(std::string_view a, std::string_view b);

}  // namespace aeris
