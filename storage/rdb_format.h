// The numbers of the RDB format that reader and writer share.
#pragma once

#include <bit>
#include <cstdint>

namespace aeris::storage::rdb {

static_assert(std::endian::native == std::endian::little, "integers are written as they lie");

// What a value begins with. Those that we write are marked; the others come from older or newer
// servers.
enum class Type : std::uint8_t {
  kString = 0,  // written
  kList = 1,
  kSet = 2,             // written
  kZsetText = 3,        // scores as text
  kHash = 4,            // written
  kZset = 5,            // written
  kIntset = 11,         // written
  kHashListpack = 16,   // written
  kZsetListpack = 17,   // written
  kListListpacks = 18,  // written
  kStream = 15,
  kStream2 = 19,        // written
  kSetListpack = 20,    // Redis 7.2
  kStream3 = 21,        // Redis 7.2
  kHashDeadlines = 24,  // Redis 7.4; written for a hash whose fields have deadlines
};

inline constexpr std::uint16_t kVersion = 10;           // what Redis 7.0 reads and writes
inline constexpr std::uint16_t kVersionDeadlines = 12;  // what kHashDeadlines needs
inline constexpr std::uint16_t kVersionRead = 12;       // we know what Redis 7.4 writes

enum class LengthForm : std::uint8_t { k6Bit, k14Bit, kWide, kEncoded };
inline constexpr std::uint8_t kLength32 = 0x80;
inline constexpr std::uint8_t kLength64 = 0x81;

enum class StringForm : std::uint8_t { kInt8, kInt16, kInt32, kLzf };

// What a list's node is: one item, or a block of them.
enum class NodeForm : std::uint8_t { kPlain = 1, kPacked = 2 };

}  // namespace aeris::storage::rdb
