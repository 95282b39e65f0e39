#include "storage/dump_payload.h"

#include <cstring>
#include <optional>
#include <utility>

#include "storage/crc64.h"
#include "storage/rdb_format.h"
#include "storage/rdb_reader.h"
#include "storage/rdb_writer.h"

namespace aeris::storage {
namespace {

constexpr std::size_t kFooterBytes = 2 + 8;

template <typename T>
std::string_view BytesOf(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

}  // namespace

std::string DumpPayload(EntryView entry, UnixMs now) {
  RdbWriter out;
  const std::uint16_t version = WriteValue(out, entry, now);
  out.Raw(BytesOf(version));
  const std::uint64_t crc = Crc64(0, out.written());
  out.Raw(BytesOf(crc));
  return std::move(out).Take();
}

std::expected<PayloadValue, PayloadFault> ParseDumpPayload(std::string_view payload,
                                                           Checksum checksum) {
  if (payload.size() < kFooterBytes) return std::unexpected(PayloadFault::kChecksum);
  const std::string_view signed_bytes = payload.substr(0, payload.size() - sizeof(std::uint64_t));
  const std::string_view body = payload.substr(0, payload.size() - kFooterBytes);
  std::uint16_t version;
  std::uint64_t crc;
  std::memcpy(&version, payload.data() + body.size(), sizeof version);
  std::memcpy(&crc, payload.data() + signed_bytes.size(), sizeof crc);
  const bool intact = checksum == Checksum::kIgnored || crc == Crc64(0, signed_bytes);
  if (version > rdb::kVersionRead || !intact) return std::unexpected(PayloadFault::kChecksum);
  RdbReader reader(body);
  auto value = ReadValue(reader);
  if (!value) return std::unexpected(PayloadFault::kFormat);
  return *std::move(value);
}

}  // namespace aeris::storage
