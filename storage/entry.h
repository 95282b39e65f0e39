// EntryView: read access to one stored key. What its bytes look like is in entry_layout.h; who
// writes them is entry_codec.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "src/base/check.h"
#include "src/base/clock.h"
#include "storage/blob.h"
#include "storage/collection.h"
#include "storage/entry_layout.h"
#include "storage/packed_block.h"
#include "storage/value_type.h"

namespace aeris::storage {

// Text up to this size is embstr, unless it has grown to it.
inline constexpr std::size_t kEmbstrBytesMax = 44;

// A view of a live entry, or of none. Valid until the next call that may change its keyspace
// (including a lookup, which may expire keys).
class EntryView {
 public:
  EntryView() = default;
  // An entry of a keyspace whose deadline base is `deadline_base` (entry_layout.h).
  EntryView(const std::byte* bytes, UnixMs deadline_base)
      : bytes_(bytes), deadline_base_(deadline_base) {}
  explicit operator bool() const { return bytes_ != nullptr; }

  std::string_view key() const;
  ValueType type() const;
  Encoding encoding() const;
  UnixMs deadline() const;  // kNoDeadline when the key has none
  // Expired means that the deadline lies before `now`; at the deadline itself the key still lives.
  bool expired(UnixMs now) const {
    const UnixMs at = deadline();
    return at != kNoDeadline && now > at;
  }

  // Strings. An integer value has no stored text.
  bool is_integer() const;
  std::int64_t integer() const;                       // requires is_integer()
  std::string_view text() const;                      // requires a string that is not an integer
  std::string_view Text(IntegerText& scratch) const;  // any string; integers are written to scratch
  std::size_t text_size() const;                      // STRLEN of any string

  // Collections: the bytes of a packed one, wherever they lie, or its structure.
  CollectionTag tag() const;          // requires a collection
  bool packed() const;                // whether its value is packed bytes
  PackedForm form() const;            // requires packed()
  std::string_view block() const;     // requires packed()
  Collection* structure() const;      // null for strings and what is packed
  std::size_t element_count() const;  // of a collection; O(1) but for blocks of 65535 and more

  // The 16-bit access clock: seconds for LRU, or minutes and a logarithmic counter for LFU.
  std::uint16_t access_clock() const {
    return entry_layout::LoadAs<std::uint16_t>(bytes_ + entry_layout::kClockOffset);
  }

  const std::byte* bytes() const { return bytes_; }

 private:
  const std::byte* bytes_ = nullptr;
  UnixMs deadline_base_ = 0;
};

// The key of the entry at `entry`.
inline std::string_view KeyOf(const std::byte* entry) {
  const entry_layout::Fields fields = entry_layout::FieldsOf(entry);
  const std::byte* const key = entry + fields.key_offset;
  if (fields.blob_key) [[unlikely]] {
    return entry_layout::LoadAs<const Blob*>(key)->text();
  }
  return {reinterpret_cast<const char*>(key), fields.key_size};
}

// The collection that the entry at `entry` points at; null when it points at none.
inline Collection* ValueObject(const std::byte* entry) {
  const entry_layout::Fields fields = entry_layout::FieldsOf(entry);
  if (fields.kind != entry_layout::Kind::kCollection) return nullptr;
  const std::byte* const value = entry + fields.value_offset;
  return CollectionTag(*value).is_object() ? entry_layout::LoadAs<Collection*>(value + 1) : nullptr;
}

// A handle on the text of a large value: it stays as it is now, and alive, whatever becomes of the
// key and of its keyspace, so that a reply can be sent from it. None for values that are stored
// inside their entry (to kInlineBlockMax bytes); those are to be copied.
[[nodiscard]] BlobRef PinnedText(EntryView entry);

inline std::string_view EntryView::key() const { return KeyOf(bytes_); }

inline UnixMs EntryView::deadline() const {
  const entry_layout::Fields fields = entry_layout::FieldsOf(bytes_);
  if (fields.deadline_size == 0) return kNoDeadline;
  return entry_layout::LoadDeadline(bytes_ + fields.deadline_offset, fields.deadline_size,
                                    deadline_base_);
}

inline CollectionTag EntryView::tag() const {
  const entry_layout::Fields fields = entry_layout::FieldsOf(bytes_);
  AERIS_DCHECK(fields.kind == entry_layout::Kind::kCollection);
  return CollectionTag(bytes_[fields.value_offset]);
}

inline Collection* EntryView::structure() const {
  Collection* const object = ValueObject(bytes_);
  return object != nullptr && object->block() == nullptr ? object : nullptr;
}

// Of every lookup, as text() is of every GET: g++ makes calls of both.
[[gnu::always_inline]] inline ValueType EntryView::type() const {
  const auto head = entry_layout::LoadAs<std::uint32_t>(bytes_);
  if ((head & entry_layout::kShort) != 0) [[likely]] {
    return ValueType::kString;
  }
  const auto kind =
      static_cast<entry_layout::Kind>(head >> entry_layout::kKindShift & entry_layout::kKindMask);
  return kind == entry_layout::Kind::kCollection ? tag().type() : ValueType::kString;
}

inline bool EntryView::is_integer() const {
  return entry_layout::FieldsOf(bytes_).kind == entry_layout::Kind::kInteger;
}

[[gnu::always_inline]] inline std::string_view EntryView::text() const {
  const entry_layout::Fields fields = entry_layout::FieldsOf(bytes_);
  AERIS_DCHECK(fields.kind != entry_layout::Kind::kInteger);
  const std::byte* const value = bytes_ + fields.value_offset;
  if (fields.kind == entry_layout::Kind::kBlob) {
    return entry_layout::LoadAs<const Blob*>(value)->text();
  }
  return {reinterpret_cast<const char*>(value), fields.value_size};
}

}  // namespace aeris::storage
