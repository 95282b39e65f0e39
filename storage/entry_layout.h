// The bytes of an entry: one key with its value, deadline and access clock in one allocation.
//
// Short form, for keys of 1 to 64 bytes and values of 1 to 128 (bit 0 of the first word is 1):
//
//   bits 0    1        2          3-8           9-15          16-31
//   [ 1 | integer | deadline | key size - 1 | value size - 1 | access clock ] 4 bytes
//   [ deadline 0 or 4 ][ key ][ value ]
//
// Long form, for everything else (bit 0 is 0):
//
//   byte 0  bits 1-2 kind: 0 text, 1 integer, 2 blob, 3 collection
//           bits 3-4 deadline: 0 none, 1 near, 2 far, 3 any; bit 5 grown (raw although short),
//           bit 6 wide key size, bit 7 the key is a blob (wide as well)
//   byte 1  key size, unless wide
//   2 to 3  access clock, where the short form has it
//   [ key size 0 or 4 ][ value size 0 or 2 ][ deadline 0, 4, 5 or 8 ][ key ][ value ]
//
// Deadline, Unix time in milliseconds, exact:
//   near  4 bytes: the time modulo 2^32. It means the first such time from the keyspace's deadline
//         base on, so 49.7 days can be told apart; the base follows the clock, behind the earliest
//         deadline that is left (keyspace.cc)
//   far   5 bytes: the time since 2020, to 2054
//   any   8 bytes
//
// Collection: a tag, then a packed block or a pointer (collection.h). Integer: two's complement in
// the fewest of 1, 2, 4, 8 bytes. Blob, as key or as value: a pointer, not aligned; the value size
// is left out then, since the blob has it. Entries are 4-byte aligned, no more.
//
// Overhead: 4 bytes for most keys of a cache, 8 with a deadline, 6 and more for large ones. A
// layout of one byte per field needs 5 and 9 for the same.
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
inline constexpr std::uint32_t kShortKeyMax = 64;
inline constexpr int kShortValueShift = 9;
inline constexpr std::uint32_t kShortValueMax = 128;

inline constexpr int kKindShift = 1;
inline constexpr std::uint32_t kKindMask = 3;
inline constexpr int kDeadlineShift = 3;
inline constexpr std::uint32_t kDeadlineMask = 3;
inline constexpr std::uint32_t kGrown = 1u << 5;
inline constexpr std::uint32_t kWideKey = 1u << 6;
inline constexpr std::uint32_t kBlobKey = 1u << 7;

inline constexpr std::size_t kHeadBytes = 4;
inline constexpr std::size_t kClockOffset = 2;
inline constexpr std::uint32_t kNearDeadlineBytes = 4;
inline constexpr UnixMs kNearDeadlineSpan = UnixMs{1} << 32;  // from the deadline base on
inline constexpr std::uint32_t kFarDeadlineBytes = 5;
inline constexpr UnixMs kFarDeadlineEpoch = 1'577'836'800'000;  // 2020-01-01
inline constexpr UnixMs kFarDeadlineEnd = kFarDeadlineEpoch + (UnixMs{1} << 40);
inline constexpr std::uint32_t kAnyDeadlineBytes = 8;
// By the long form's deadline bits.
inline constexpr std::uint32_t kDeadlineBytes[] = {0, kNearDeadlineBytes, kFarDeadlineBytes,
                                                   kAnyDeadlineBytes};
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
  std::uint32_t deadline_size = 0;  // 0, 4, 5 or 8
  std::uint32_t deadline_offset = 0;
  std::uint32_t key_offset = 0;
  std::uint32_t key_size = 0;  // of the key itself, also when it is a blob
  std::uint32_t value_offset = 0;
  std::uint32_t value_size = 0;

  std::uint32_t size() const { return value_offset + value_size; }
};

[[gnu::always_inline]] inline Fields FieldsOfShort(std::uint32_t head) {
  Fields fields;
  fields.kind = (head & kShortInteger) != 0 ? Kind::kInteger : Kind::kText;
  fields.deadline_size = (head & kShortDeadline) != 0 ? kNearDeadlineBytes : 0;
  fields.deadline_offset = kHeadBytes;
  fields.key_offset = std::uint32_t{kHeadBytes} + fields.deadline_size;
  fields.key_size = (head >> kShortKeyShift & (kShortKeyMax - 1)) + 1;
  fields.value_offset = fields.key_offset + fields.key_size;
  fields.value_size = (head >> kShortValueShift & (kShortValueMax - 1)) + 1;
  return fields;
}

inline bool HasValueSize(Kind kind) { return kind != Kind::kBlob; }

// Inline, as every command on a collection asks for one or two of the parts.
inline Fields FieldsOfLong(const std::byte* entry, std::uint32_t head) {
  Fields fields;
  fields.kind = static_cast<Kind>(head >> kKindShift & kKindMask);
  fields.grown = (head & kGrown) != 0;
  fields.blob_key = (head & kBlobKey) != 0;
  std::uint32_t at = kHeadBytes;
  if ((head & kWideKey) != 0) [[unlikely]] {
    fields.key_size = LoadAs<std::uint32_t>(entry + at);
    at += 4;
  } else {
    fields.key_size = head >> 8 & 0xff;
  }
  if (HasValueSize(fields.kind)) {
    fields.value_size = LoadAs<std::uint16_t>(entry + at);
    at += 2;
  } else {
    fields.value_size = kPointerBytes;
  }
  fields.deadline_offset = at;
  fields.deadline_size = kDeadlineBytes[head >> kDeadlineShift & kDeadlineMask];
  fields.key_offset = at + fields.deadline_size;
  fields.value_offset =
      fields.key_offset + (fields.blob_key ? std::uint32_t{kPointerBytes} : fields.key_size);
  return fields;
}

[[gnu::always_inline]] inline Fields FieldsOf(const std::byte* entry) {
  const auto head = LoadAs<std::uint32_t>(entry);
  if ((head & kShort) != 0) [[likely]] {
    return FieldsOfShort(head);
  }
  return FieldsOfLong(entry, head);
}

// The deadline in `size` bytes (4, 5 or 8) at `bytes`, of a keyspace whose deadline base is `base`.
inline UnixMs LoadDeadline(const std::byte* bytes, std::uint32_t size, UnixMs base) {
  if (size == kAnyDeadlineBytes) return LoadAs<UnixMs>(bytes);
  const auto low = LoadAs<std::uint32_t>(bytes);
  if (size == kNearDeadlineBytes) return base + (low - static_cast<std::uint32_t>(base));
  const UnixMs high = LoadAs<std::uint8_t>(bytes + 4);
  return kFarDeadlineEpoch + (high << 32 | low);
}

}  // namespace aeris::storage::entry_layout
