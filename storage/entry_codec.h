// Writing entries: which form a key with its value takes, and its bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "src/base/clock.h"
#include "storage/arena.h"
#include "storage/blob.h"
#include "storage/entry.h"

namespace aeris::storage {

// Larger values are blobs. Up to 4 KiB classes of the arena waste less than an allocation would
// (4.5 KiB for a slot of 4,118 bytes, 5 for a blob), and what is in the arena can be moved, so that
// memory comes back when values of other sizes follow: with 2 KiB, resident memory was twice the
// limit for a second after values of 3.6 KiB.
inline constexpr std::size_t kInlineValueMax = 4096;
// Packed blocks of collections, which are edited in place, lie apart sooner.
inline constexpr std::size_t kInlineBlockMax = 2048;
// Larger keys are blobs; hardly anybody has such keys, they only have to work.
inline constexpr std::size_t kInlineKeyMax = 2048;
inline constexpr std::size_t kEntryHeadMax = 4 + 4 + 2 + entry_layout::kAnyDeadlineBytes;
static_assert(kEntryHeadMax + kInlineKeyMax + kInlineValueMax <= Arena::kSlotBytesMax,
              "every entry fits a slot of the arena");

// What is to be stored. Exactly one of text, integer and blob counts, by `kind`; of a collection
// the tag, and the text or the object.
struct EntrySpec {
  std::string_view key{};
  Blob* key_blob = nullptr;  // set for keys above kInlineKeyMax
  UnixMs deadline = kNoDeadline;
  std::uint16_t access_clock = 0;
  entry_layout::Kind kind = entry_layout::Kind::kText;
  bool grown = false;          // text that a command made longer or shorter: raw at any size
  std::string_view text{};     // of at most kInlineValueMax bytes, or kInlineBlockMax
  std::size_t zero_bytes = 0;  // that follow the text
  std::int64_t integer = 0;
  Blob* blob = nullptr;
  CollectionTag tag{};
  Collection* object = nullptr;
};

// An entry's form, worked out once: its first bytes and where its parts go.
class EntryForm {
 public:
  // In a keyspace whose deadline base is `deadline_base` (entry_layout.h).
  EntryForm(const EntrySpec& spec, UnixMs deadline_base);
  std::size_t size() const { return fields_.size(); }
  const entry_layout::Fields& fields() const { return fields_; }
  // Writes size() bytes to `to`, which does not overlap what the spec points at.
  void Write(const EntrySpec& spec, std::byte* to) const;

 private:
  bool short_form_ = false;
  entry_layout::Fields fields_;
};

// The spec that would store `entry` again. Views and blobs are the entry's own.
EntrySpec SpecOf(EntryView entry);

// Changes in place, where the place stays the same size.
void StoreAccessClock(std::byte* entry, std::uint16_t clock);
void StoreDeadline(std::byte* entry, UnixMs deadline);      // same number of bytes as before
void StoreInteger(std::byte* entry, std::int64_t integer);  // same number of bytes as before
void StoreBlob(std::byte* entry, Blob* blob);
void StoreObject(std::byte* entry, Collection* object);  // of an entry that points at one

Blob* ValueBlob(const std::byte* entry);  // null when the value is not a blob
Blob* KeyBlob(const std::byte* entry);    // null when the key is not a blob

// Bytes that an integer and a deadline take.
std::uint32_t IntegerBytes(std::int64_t integer);
std::uint32_t DeadlineBytes(UnixMs deadline, UnixMs deadline_base);

}  // namespace aeris::storage
