// KeyHasher: the keyed 64-bit hash that places every key.
//
// The table is sorted by this hash, so its high bits must be as good as its low ones, and an
// attacker without the secret must not be able to choose keys that collide. AES rounds under three
// random 128-bit keys where the CPU has them, SipHash-1-3 otherwise; both behave alike to callers.
//
// AES form: the key's bytes go into one, two or four lanes of 16 bytes. Each lane starts from its
// own secret, and every 16 bytes are followed by three AES rounds, under secrets and the length,
// before the next ones come in; the lanes are joined by XOR and one more round. Three rounds,
// because a difference that survives them has passed nine or more S-boxes, so an attacker who
// cannot see hashes guesses a collision with a chance below 2^-54. With the one round that some
// hashes use it is 2^-6. There is no proof, as there is none for Go's map hash, which is built
// alike. Hash values must not reach clients.
//
// Cost:     about 1 ns per short key back to back, 7 ns when the next step waits for it;
//           SipHash-1-3 takes 8 and 13 ns for 16 bytes.
// Reads:    only the key's own bytes, so keys may end where a page does.
// Rejected: XXH3, rapidhash, Murmur with a secret seed: collisions that do not depend on the seed.
// Measured: tests/bench/storage/hash_function_bench.cc
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace aeris::storage {

class KeyHasher {
 public:
  using Secret = std::array<std::byte, 48>;
  enum class Kind : std::uint8_t { kAes, kSipHash };

  explicit KeyHasher(const Secret& secret);    // the best kind that this CPU has
  KeyHasher(const Secret& secret, Kind kind);  // tests run both; kAes needs the CPU's support

  std::uint64_t operator()(std::string_view key) const;
  Kind kind() const { return kind_; }
  static bool CpuHasAes();

 private:
  alignas(16) Secret secret_;
  Kind kind_;
};

// A key together with its hash: hashed once per command, looked up as often as needed.
struct HashedKey {
  std::string_view text;
  std::uint64_t hash = 0;
};

// SipHash with one round per 8 bytes and three at the end, under the 16 bytes at `key`.
[[nodiscard]] std::uint64_t SipHash13(const std::byte* key, std::string_view bytes);

}  // namespace aeris::storage
