// The bytes of an entry: one key with its value, deadline and access clock in one allocation.
//
// Short form, for keys to 63 bytes and values to 127 (bit 0 of the first word is 1):
//
//   bits 0    1        2         3-8       9-15        16-31
//   [ 1 | integer | deadline | key size | value size | access clock ] 4 bytes
//   [ deadline 0 or 5 ][ key ][ value ]
//
// Long form, for everything else (bit 0 is 0):
//
//   byte 0  bits 1-2 kind: 0 text, 1 integer, 2 blob, 3 kept for collections
//           bit 3 deadline, bit 4 the deadline takes 8 bytes, bit 5 grown (raw although short),
//           bit 6 wide key size, bit 7 the key is a blob (wide as well)
//   byte 1  key size, unless wide
//   2 to 3  access clock, where the short form has it
//   [ key size 0 or 4 ][ value size 0 or 2 ][ deadline 0, 5 or 8 ][ key ][ value ]
//
// Deadline: milliseconds since 2020 in 5 bytes (to 2054), others as Unix time in 8. Integer: two's
// complement in the fewest of 1, 2, 4, 8 bytes. Blob, as key or as value: a pointer, not aligned;
// the value size is left out then, since the blob has it. Entries are 4-byte aligned, no more.
//
// Overhead: 4 bytes for most keys of a cache, 9 with a deadline, 6 and more for large ones. A
// layout of one byte per field needs 5 and 10 for the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "src/base/clock.h"

namespace aeris::storage::entry_layout {

enum class Kind : std::uint8_t { kText, kInteger, kBlob, kCollection };

inline constexpr std::uint32_t kShort = 1u << 0;
inline constexpr std::uint32_t kShortInteger = 1u << 1;
inline constexpr std::uint32_t kShortDeadline = 1u << 2;
inline constexpr int kShortKeyShift = 3;
inline constexpr std::uint32_t kShortKeyMax = 63;
inline constexpr int kShortValueShift = 9;
inline constexpr std::uint32_t kShortValueMax = 127;

inline constexpr int kKindShift = 1;
inline constexpr std::uint32_t kKindMask = 3;
inline constexpr std::uint32_t kDeadline = 1u << 3;
inline constexpr std::uint32_t kWideDeadline = 1u << 4;
inline constexpr std::uint32_t kGrown = 1u << 5;
inline constexpr std::uint32_t kWideKey = 1u << 6;
inline constexpr std::uint32_t kBlobKey = 1u << 7;

inline constexpr std::size_t kHeadBytes = 4;
inline constexpr std::size_t kClockOffset = 2;
inline constexpr std::size_t kDeadlineBytes = 5;
inline constexpr std::size_t kWideDeadlineBytes = 8;
inline constexpr UnixMs kDeadlineEpoch = 1'577'836'800'000;  // 2020-01-01
inline constexpr UnixMs kDeadlineEnd = kDeadlineEpoch + (UnixMs{1} << 40);
inline constexpr std::size_t kPointerBytes = 8;
static_assert(sizeof(void*) == kPointerBytes);

template <typename T>
T LoadAs(const std::byte* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

// Where the parts of an entry are, from its start. Sizes are of the stored bytes: 8 for a pointer.
struct Fields {
  Kind kind = Kind::kText;
  bool grown = false;
  bool blob_key = false;
  std::uint32_t deadline_size = 0;  // 0, 5 or 8
  std::uint32_t deadline_offset = 0;
  std::uint32_t key_offset = 0;
  std::uint32_t key_size = 0;  // of the key itself, also when it is a blob
  std::uint32_t value_offset = 0;
  std::uint32_t value_size = 0;

  std::uint32_t size() const { return value_offset + value_size; }
};

inline Fields FieldsOfShort(std::uint32_t head) {
  Fields fields;
  fields.kind = (head & kShortInteger) != 0 ? Kind::kInteger : Kind::kText;
  fields.deadline_size = (head & kShortDeadline) != 0 ? std::uint32_t{kDeadlineBytes} : 0;
  fields.deadline_offset = kHeadBytes;
  fields.key_offset = std::uint32_t{kHeadBytes} + fields.deadline_size;
  fields.key_size = head >> kShortKeyShift & kShortKeyMax;
  fields.value_offset = fields.key_offset + fields.key_size;
  fields.value_size = head >> kShortValueShift & kShortValueMax;
  return fields;
}

Fields FieldsOfLong(const std::byte* entry, std::uint32_t head);

inline Fields FieldsOf(const std::byte* entry) {
  const auto head = LoadAs<std::uint32_t>(entry);
  if ((head & kShort) != 0) [[likely]] {
    return FieldsOfShort(head);
  }
  return FieldsOfLong(entry, head);
}

// The deadline in `size` bytes (5 or 8) at `bytes`.
inline UnixMs LoadDeadline(const std::byte* bytes, std::uint32_t size) {
  if (size == kWideDeadlineBytes) return LoadAs<UnixMs>(bytes);
  const UnixMs low = LoadAs<std::uint32_t>(bytes);
  const UnixMs high = LoadAs<std::uint8_t>(bytes + 4);
  return kDeadlineEpoch + (high << 32 | low);
}

}  // namespace aeris::storage::entry_layout
