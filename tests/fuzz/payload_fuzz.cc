// The properties of DUMP payloads on any bytes behind a valid checksum: refused, or a value that a
// keyspace can hold in either encoding and that comes out again as it went in.
//
// Input: a byte that chooses where the small encodings end, then the type byte and the body.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "src/base/random.h"
#include "storage/hash_function.h"
#include "tests/storage/payload_properties.h"

namespace {

using aeris::storage::ValueLimits;

constexpr aeris::UnixMs kNow = 1'700'000'000'000;

ValueLimits LimitsFrom(std::uint8_t choice) {
  const std::size_t entries = choice % 8;
  ValueLimits limits;
  if (entries == 0) return limits;
  limits.list = {.bytes = 16 * entries, .items = entries};
  limits.set = {.intset_entries = entries};
  limits.hash = {.packed_fields_max = entries, .packed_bytes_max = 8 * entries};
  limits.zset = {.packed_elements_max = entries, .packed_member_bytes_max = 8 * entries};
  return limits;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data + 1), size - 1);
  const aeris::storage::KeyHasher hasher(aeris::storage::KeyHasher::Secret{});
  aeris::Random random(1);
  aeris::storage::KeyspaceContext context{.hasher = hasher, .random = random};
  context.limits.arena_bytes = std::size_t{1} << 26;
  aeris::storage::Keyspace keyspace(context);
  static_cast<void>(aeris::storage::payload::CheckPayload(
      aeris::storage::payload::Signed(body, aeris::storage::rdb::kVersionRead), keyspace,
      LimitsFrom(data[0]), kNow));
  return 0;
}
