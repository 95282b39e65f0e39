// ClientSizes: what clients take in all, and which of them take the most; for maxmemory-clients.
//
//   buckets_[b]   clients of 2^(b-1) to 2^b - 1 bytes that may be evicted, in no order
//
// Kept while it is on. Whatever changes what a client takes has it counted again: some additions,
// and a move to another bucket when it has become twice as large or half.
// Holds:  a client is in the bucket of what it was last counted with, or, if it said NO-EVICT, in
//         none; bytes() is the sum of all that were counted.
// Cost:   O(1), and Largest() O(buckets). Memory: a pointer per client, 24 bytes in it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace aeris {

class Client;

class ClientSizes {
 public:
  // What a client keeps for it.
  struct Counted {
    std::size_t bytes = 0;
    std::uint32_t place = 0;  // in its bucket
    std::uint8_t bucket = 0;  // 0: in none
  };

  bool on() const { return on_; }
  // From now on Count() is to be called for every client, first for all that are there.
  void Start() { on_ = true; }
  // All have been removed.
  void Stop();

  // The client takes what it takes now. Nothing while off.
  void Count(Client& client) {
    if (on_) [[unlikely]]
      CountNow(client);
  }
  // It does not count any more, if it did.
  void Remove(Client& client);

  std::size_t bytes() const { return bytes_; }
  // One of those in the highest bucket; null when none may be evicted.
  Client* Largest() const;

 private:
  static constexpr std::size_t kBuckets = 65;  // by the bits of a size
  void CountNow(Client& client);
  void File(Client& client, std::uint8_t bucket);
  void Unfile(Client& client);

  bool on_ = false;
  std::size_t bytes_ = 0;
  std::array<std::vector<Client*>, kBuckets> buckets_;
};

}  // namespace aeris
