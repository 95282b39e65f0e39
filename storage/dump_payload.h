// DUMP and RESTORE: a value as Redis serialises it. Type byte and body in RDB form, then the RDB
// version (2 bytes, little endian, 10) and the CRC-64 (Jones) of everything before it.
//
//   string   [ 0 ][ length ][ bytes ] | [ 0 ][ c0 | c1 | c2 ][ int8 | int16 | int32 ]
//            [ 0 ][ c3 ][ compressed length ][ length ][ LZF bytes ]
//   length   00xxxxxx | 01xxxxxx x8 | 80 x32 | 81 x64, big endian
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "storage/crc64.h"
#include "storage/entry.h"

namespace aeris::storage {

inline constexpr std::uint16_t kRdbVersion = 10;

// The payload of a string. Integers in RDB's compact forms, text over 20 bytes compressed (LZF)
// when that makes it shorter.
[[nodiscard]] std::string DumpPayload(EntryView entry);

enum class PayloadFault : std::uint8_t {
  kChecksum,  // too short, a newer version, or a wrong checksum
  kFormat,    // well signed but not a value: "Bad data format"
};
// The string in `payload`. The payload is a stranger's: lengths are checked against the bytes that
// are there before anything is allocated, and what LZF may expand to is bounded by
// kPayloadTextMax. Bytes between the value and the footer are ignored, as Redis ignores
// them; a value that would go on into the footer, or LZF of no bytes, is refused, where Redis 7.0
// takes it.
[[nodiscard]] std::expected<std::string, PayloadFault> ParseDumpPayload(std::string_view payload);

// The largest string that a payload may hold: what a client may send in one argument by default.
inline constexpr std::size_t kPayloadTextMax = std::size_t{512} << 20;

}  // namespace aeris::storage
