// DUMP and RESTORE: a value as Redis serialises it. Type byte and body in RDB form, then the RDB
// version (2 bytes, little endian, 10) and the CRC-64 (Jones) of everything before it.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

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
// are there before anything is allocated.
[[nodiscard]] std::expected<std::string, PayloadFault> ParseDumpPayload(std::string_view payload);

// CRC-64 as Redis uses it (Jones polynomial, reflected, initial value 0).
[[nodiscard]] std::uint64_t Crc64(std::uint64_t crc, std::string_view bytes);

}  // namespace aeris::storage
