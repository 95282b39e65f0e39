// TopKeys: the keys with the most requests, or bytes, of a stream too long to count them all.
//
// A fixed number of keys has counters. A key without one takes the place of the key that has least,
// and begins with that one's count, as if all of it had been its own (Space-Saving: Metwally et
// al., ICDT 2005) -- but only with the chance of its share in the sum, so that keys that come once
// do not chase each other through the table (randomised admission: Ben Basat et al., INFOCOM 2017).
// Counts are right on average; that of a key which carries a share of the stream is nearly exact.
//
// Cost:    a key with a counter is found by its hash, about 10 ns; one without is refused as fast.
//          Taking a place is a look at all counters, 50 ns.
// Memory:  12 KiB and the keys.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/random.h"

namespace aeris {

// What requests move. In the order of the array: each can be what a table is ranked by.
enum class KeyLoad : std::uint8_t { kRequests, kBytes };
struct KeyLoads {
  std::array<std::uint64_t, 2> of{};

  std::uint64_t operator[](KeyLoad load) const { return of[static_cast<std::size_t>(load)]; }
};

struct HotKey {
  std::string key;
  std::size_t database = 0;
  KeyLoads loads;
};

class TopKeys {
 public:
  static constexpr std::size_t kKeysMax = 128;
  // Longer keys are left out: shortened they would be others.
  static constexpr std::size_t kKeyBytesMax = 1024;

  // `random` outlives it.
  TopKeys(KeyLoad ranked_by, Random& random) : ranked_by_(ranked_by), random_(random) {}

  // A key's 64-bit name (different keys of any database have different ones), and its text for who
  // asks. Loads of 0 are left out.
  void Add(std::uint64_t name, std::string_view text, std::size_t database, const KeyLoads& loads);
  // All counts are halved, so that keys of yesterday give way.
  void Halve();
  void Clear();

  // Those with most, at most `count`, in their order.
  std::vector<HotKey> Top(std::size_t count) const;
  // Zero for a key without counters.
  KeyLoads Of(std::uint64_t name) const;

  // Aborts when an invariant does not hold; for tests.
  void CheckInvariants() const;

 private:
  static constexpr std::size_t kPlaces = 4 * kKeysMax;  // of the index
  static constexpr std::size_t kNone = kKeysMax;
  struct Key {
    std::uint64_t name = 0;
    std::uint64_t other_load = 0;  // the one that does not rank
    std::size_t database = 0;
    std::string text;
  };

  static constexpr std::array<std::uint8_t, kPlaces> NoPlaces() {
    std::array<std::uint8_t, kPlaces> places;
    places.fill(kNone);
    return places;
  }
  static std::size_t HomeOf(std::uint64_t name) { return (name >> 32) % kPlaces; }
  std::size_t PlaceOf(std::uint64_t name) const;  // where it is, or an empty place
  std::size_t Find(std::uint64_t name) const { return places_[PlaceOf(name)]; }
  void LeaveIndex(std::uint64_t name);
  void Take(std::size_t index, std::uint64_t name, std::string_view text, std::size_t database);
  KeyLoads LoadsOf(std::size_t index) const;

  KeyLoad ranked_by_;
  Random& random_;
  std::size_t count_ = 0;
  std::uint64_t least_ = 0;                      // no key of a full table has less
  std::array<std::uint64_t, kKeysMax> loads_{};  // that rank; apart, to be gone through
  std::array<Key, kKeysMax> keys_;
  // Keys by their names: the index of a key, or kNone; probed from the home place on.
  std::array<std::uint8_t, kPlaces> places_ = NoPlaces();
};

}  // namespace aeris
