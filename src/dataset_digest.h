// DEBUG DIGEST: a fingerprint of the data that does not depend on the order of keys, so that two
// servers, or one before and after a restart, can be compared. The same data gives the same digest
// in Redis 7.0.
//
//   key's digest   mix(key), then its value's
//   value's        mix(type, 4 bytes, big endian), mix(text); with a deadline xor(10 fixed bytes)
//   data set's     for each database with keys mix(number, 4 bytes, big endian), then xor of the
//                  SHA-1 of each key's digest
//   xor(bytes)     digest ^= SHA-1(bytes); mix(bytes): the same, then digest = SHA-1(digest)
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "src/databases.h"

namespace aeris {

using Digest = std::array<std::uint8_t, 20>;

Digest DigestOfValue(storage::EntryView entry, UnixMs now);
// O(bytes of all keys and values).
Digest DigestOfDataset(Databases& databases, UnixMs now);
std::string HexText(const Digest& digest);

}  // namespace aeris
