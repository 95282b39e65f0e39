// The bytes of a member of a large hash, set or sorted set, in its collection's MemberHeap.
//
// Short form, for a set's members of 0 to 127 bytes (bit 0 of the head is 1):
//
//   [ 1 | member size 7 bits ] 1 byte, [ member ]
//
// Long form, for everything else (bit 0 is 0):
//
//   head    bit 1 has a value, 2 has a score, 3 room for a deadline, 4 wide member size, 5 wide
//           value size, 6 the member is a blob, 7 the value is a blob
//   [ head 1 ][ member size 0, 1, 4 ][ value size 0, 1, 4 ][ deadline 0, 8 ][ score 0, 8 ]
//   [ member ][ value ]
//
// A blob, as member or as value, is a pointer, and its size is left out, since the blob has it.
// Nothing is aligned. A deadline that was cleared without memory for a smaller entry is kNoDeadline
// in its place.
//
// Overhead: 1 byte for a set's member, 3 for a hash's field, 10 for a sorted set's member, the
// score included; 8 more with a deadline.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "src/base/clock.h"
#include "storage/arena.h"
#include "storage/blob.h"

namespace aeris::storage {

namespace member_layout {

inline constexpr unsigned kShort = 1u << 0;
inline constexpr std::size_t kShortSizeMax = 127;
inline constexpr unsigned kHasValue = 1u << 1;
inline constexpr unsigned kHasScore = 1u << 2;
inline constexpr unsigned kHasDeadline = 1u << 3;
inline constexpr unsigned kWideMember = 1u << 4;
inline constexpr unsigned kWideValue = 1u << 5;
inline constexpr unsigned kBlobMember = 1u << 6;
inline constexpr unsigned kBlobValue = 1u << 7;

inline constexpr std::size_t kHeadBytesMax = 1 + 4 + 4 + 8 + 8;
inline constexpr std::size_t kEntryBytesMax = std::size_t{1} << 10;
// A member longer than this is a blob, and so is a value that does not fit beside its member. Half
// of an entry, so that a value has the other half.
inline constexpr std::size_t kInlineMemberMax = 512;

template <typename T>
T Load(const std::byte* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

// Where the parts of an entry are, from its start. Sizes are of the stored bytes: 8 for a pointer.
struct Fields {
  unsigned head = 0;
  std::uint32_t deadline_offset = 0;
  std::uint32_t score_offset = 0;
  std::uint32_t member_offset = 0;
  std::uint32_t member_size = 0;
  std::uint32_t value_size = 0;

  bool has(unsigned bit) const { return (head & bit) != 0; }
  std::uint32_t value_offset() const { return member_offset + member_size; }
  std::uint32_t size() const { return member_offset + member_size + value_size; }
};

inline Fields FieldsOfLong(const std::byte* entry, unsigned head) {
  Fields fields;
  fields.head = head;
  std::uint32_t at = 1;
  const auto size_field = [&](unsigned blob, unsigned wide) -> std::uint32_t {
    if ((head & blob) != 0) return sizeof(Blob*);
    const std::byte* const field = entry + at;
    at += (head & wide) != 0 ? 4 : 1;
    return (head & wide) != 0 ? Load<std::uint32_t>(field) : Load<std::uint8_t>(field);
  };
  fields.member_size = size_field(kBlobMember, kWideMember);
  if ((head & kHasValue) != 0) fields.value_size = size_field(kBlobValue, kWideValue);
  fields.deadline_offset = at;
  if ((head & kHasDeadline) != 0) at += sizeof(UnixMs);
  fields.score_offset = at;
  if ((head & kHasScore) != 0) at += sizeof(double);
  fields.member_offset = at;
  return fields;
}

inline Fields FieldsOf(const std::byte* entry) {
  const auto head = static_cast<unsigned>(*entry);
  if ((head & kShort) == 0) return FieldsOfLong(entry, head);
  Fields fields;
  fields.member_offset = 1;
  fields.member_size = head >> 1;
  return fields;
}

}  // namespace member_layout

// What is to be stored, or is.
struct MemberParts {
  std::string_view member{};
  Blob* member_blob = nullptr;  // has the member's text, if set
  bool has_value = false;
  std::string_view value{};
  Blob* value_blob = nullptr;  // has the value's text, if set
  bool has_score = false;
  double score = 0;
  UnixMs deadline = kNoDeadline;

  std::size_t EntryBytes() const;
  // Writes the entry. The views must not lie there.
  void Write(std::byte* entry) const;
};

// Whether a member, or a value beside a member, of that many bytes is a blob.
constexpr bool MemberIsBlob(std::size_t member_size) {
  return member_size > member_layout::kInlineMemberMax;
}
constexpr bool ValueIsBlob(std::size_t member_size, std::size_t value_size) {
  const std::size_t member_bytes = MemberIsBlob(member_size) ? sizeof(Blob*) : member_size;
  return value_size > member_layout::kEntryBytesMax - member_layout::kHeadBytesMax - member_bytes;
}

// A member as it is stored, or none. Valid until the next call that may change its table.
class MemberView {
 public:
  MemberView() = default;
  MemberView(Ref ref, const std::byte* entry) : entry_(entry), ref_(ref) {}
  explicit operator bool() const { return entry_ != nullptr; }

  Ref ref() const { return ref_; }
  std::string_view member() const { return TextOfMember(Decode()); }
  bool has_value() const { return Decode().has(member_layout::kHasValue); }
  std::string_view value() const { return TextOfValue(Decode()); }  // empty without one
  double score() const {                                            // 0 without one
    const member_layout::Fields fields = Decode();
    if (!fields.has(member_layout::kHasScore)) return 0;
    return member_layout::Load<double>(entry_ + fields.score_offset);
  }
  UnixMs deadline() const {  // kNoDeadline without one
    const member_layout::Fields fields = Decode();
    if (!fields.has(member_layout::kHasDeadline)) return kNoDeadline;
    return member_layout::Load<UnixMs>(entry_ + fields.deadline_offset);
  }
  // Expired means that the deadline lies before `now`; at the deadline itself the member lives.
  bool expired(UnixMs now) const {
    const UnixMs at = deadline();
    return at != kNoDeadline && now > at;
  }
  // Handles on long texts, which stay as they are and alive whatever becomes of the table, so that
  // a reply can be sent from them. None for what lies in the entry, which is to be copied.
  [[nodiscard]] BlobRef member_blob() const { return BlobRef(parts().member_blob); }
  [[nodiscard]] BlobRef value_blob() const { return BlobRef(parts().value_blob); }

  MemberParts parts() const;
  std::size_t entry_bytes() const { return Decode().size(); }

 private:
  friend class MemberTable;
  member_layout::Fields Decode() const { return member_layout::FieldsOf(entry_); }
  std::string_view TextOfMember(const member_layout::Fields& fields) const {
    const std::byte* const member = entry_ + fields.member_offset;
    if (fields.has(member_layout::kBlobMember)) [[unlikely]] {
      return member_layout::Load<const Blob*>(member)->text();
    }
    return {reinterpret_cast<const char*>(member), fields.member_size};
  }
  std::string_view TextOfValue(const member_layout::Fields& fields) const {
    const std::byte* const value = entry_ + fields.value_offset();
    if (fields.has(member_layout::kBlobValue)) [[unlikely]] {
      return member_layout::Load<const Blob*>(value)->text();
    }
    return {reinterpret_cast<const char*>(value), fields.value_size};
  }

  const std::byte* entry_ = nullptr;
  Ref ref_ = 0;
};

}  // namespace aeris::storage
