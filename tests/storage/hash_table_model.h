// A hash table over entries that a test owns, with hashes that the test chooses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "src/base/random.h"
#include "storage/hash_table.h"
#include "storage/prefetch.h"

namespace aeris::storage {

struct TestEntry {
  std::uint64_t key = 0;
  std::uint64_t hash = 0;
  UnixMs deadline = kNoDeadline;
};

// Keys are the 8 bytes of a number.
inline std::string_view KeyText(const std::uint64_t& key) {
  return {reinterpret_cast<const char*>(&key), sizeof(key)};
}

// Hands out entries and their references, and counts how often the table reads them.
class TestArena {
 public:
  // References have their high nibble set, so that the table must keep all 36 bits.
  Ref Add(std::uint64_t key, std::uint64_t hash) {
    if (free_.empty()) {
      entries_.emplace_back();
      free_.push_back(entries_.size() | (entries_.size() % 16) << 32);
    }
    const Ref ref = free_.back();
    free_.pop_back();
    at(ref) = {.key = key, .hash = hash};
    return ref;
  }
  void Remove(Ref ref) {
    at(ref) = {};
    free_.push_back(ref);
  }
  TestEntry& at(Ref ref) { return entries_[(ref & 0xFFFFFFFF) - 1]; }
  std::uint64_t reads = 0;     // keys hashed again
  std::uint64_t compared = 0;  // keys compared with one that is looked for

 private:
  std::vector<TestEntry> entries_;
  std::vector<Ref> free_;
};

struct TestPolicy {
  TestArena* arena;

  std::uint64_t HashOf(Ref ref) const {
    ++arena->reads;
    return arena->at(ref).hash;
  }
  bool Matches(Ref ref, std::string_view key) const {
    ++arena->compared;
    return KeyText(arena->at(ref).key) == key;
  }
  void Prefetch(Ref ref) const { storage::Prefetch(&arena->at(ref)); }
};

using TestTable = HashTable<TestPolicy>;

// A hash that spreads (the finaliser of splitmix64).
inline std::uint64_t Spread(std::uint64_t key) {
  key += 0x9E3779B97F4A7C15;
  key = (key ^ (key >> 30)) * 0xBF58476D1CE4E5B9;
  key = (key ^ (key >> 27)) * 0x94D049BB133111EB;
  return key ^ (key >> 31);
}

}  // namespace aeris::storage
