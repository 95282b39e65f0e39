// DUMP and RESTORE: a value as Redis serialises it (value_payload.h), then the RDB version (2
// bytes, little endian) and the CRC-64 (Jones) of everything before it.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "storage/entry.h"
#include "storage/value_payload.h"

namespace aeris::storage {

[[nodiscard]] std::string DumpPayload(EntryView entry, UnixMs now);

enum class PayloadFault : std::uint8_t {
  kChecksum,  // too short, a newer version, or a wrong checksum
  kFormat,    // well signed but not a value: "Bad data format"
};
enum class Checksum : std::uint8_t { kVerified, kIgnored };
// The value in `payload`, which is a stranger's. Bytes between the value and the footer are
// ignored, as Redis ignores them; a value that would go on into the footer, or LZF of no bytes, is
// refused, where Redis 7.0 takes it.
[[nodiscard]] std::expected<PayloadValue, PayloadFault> ParseDumpPayload(
    std::string_view payload, Checksum checksum = Checksum::kVerified);

}  // namespace aeris::storage
