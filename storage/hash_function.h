// KeyHasher: the keyed 64-bit hash that places every key.
//
// The table is sorted by this hash, so its high bits must be as good as its low ones, and an
// attacker without the secret must not be able to choose keys that collide. AES rounds under three
// random 128-bit keys where the CPU has them, SipHash-1-3 otherwise; both behave alike to callers.
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

  explicit KeyHasher(const Secret& secret);      // the best kind that this CPU has
  KeyHasher(const Secret& secret, Kind kind);    // tests run both; kAes needs the CPU's support

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

}  // namespace aeris::storage
