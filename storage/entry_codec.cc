#include "storage/entry_codec.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <limits>

#include "src/base/check.h"

namespace aeris::storage {

using entry_layout::Fields;
using entry_layout::FieldsOf;
using entry_layout::Kind;
using entry_layout::LoadAs;

namespace {

template <typename T>
void StoreAs(std::byte* to, T value) {
  std::memcpy(to, &value, sizeof value);
}

void StoreText(std::byte* to, std::string_view text) {
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
}

void StoreIntegerIn(std::byte* to, std::uint32_t size, std::int64_t integer) {
  // Little endian: the low bytes are the number in fewer bytes.
  std::memcpy(to, &integer, size);
}

void StoreDeadlineIn(std::byte* to, std::uint32_t size, UnixMs deadline) {
  if (size == entry_layout::kFarDeadlineBytes) deadline -= entry_layout::kFarDeadlineEpoch;
  // Little endian: the low bytes are the time modulo 2^32.
  std::memcpy(to, &deadline, size);
}

template <typename T>
bool Fits(std::int64_t integer) {
  return integer >= std::numeric_limits<T>::min() && integer <= std::numeric_limits<T>::max();
}

std::uint32_t StoredValueBytes(const EntrySpec& spec) {
  switch (spec.kind) {
    case Kind::kText:
      return static_cast<std::uint32_t>(spec.text.size() + spec.zero_bytes);
    case Kind::kInteger:
      return IntegerBytes(spec.integer);
    case Kind::kBlob:
      return entry_layout::kPointerBytes;
    case Kind::kCollection:
      return static_cast<std::uint32_t>(
          1 + (spec.tag.is_object() ? entry_layout::kPointerBytes : spec.text.size()));
  }
  return 0;
}

std::uint32_t ShortHead(const Fields& fields) {
  std::uint32_t head = entry_layout::kShort;
  if (fields.kind == Kind::kInteger) head |= entry_layout::kShortInteger;
  if (fields.deadline_size != 0) head |= entry_layout::kShortDeadline;
  head |= (fields.key_size - 1) << entry_layout::kShortKeyShift;
  head |= (fields.value_size - 1) << entry_layout::kShortValueShift;
  return head;
}

std::uint32_t DeadlineBits(std::uint32_t deadline_size) {
  const auto* const found = std::ranges::find(entry_layout::kDeadlineBytes, deadline_size);
  return static_cast<std::uint32_t>(found - std::begin(entry_layout::kDeadlineBytes));
}

std::uint32_t LongHead(const Fields& fields) {
  std::uint32_t head = static_cast<std::uint32_t>(fields.kind) << entry_layout::kKindShift;
  head |= DeadlineBits(fields.deadline_size) << entry_layout::kDeadlineShift;
  if (fields.grown) head |= entry_layout::kGrown;
  if (fields.blob_key) head |= entry_layout::kBlobKey;
  const bool wide = fields.blob_key || fields.key_size > 0xff;
  return wide ? head | entry_layout::kWideKey : head | fields.key_size << 8;
}

bool IsBetween(std::size_t size, std::size_t least, std::size_t most) {
  return size >= least && size <= most;
}

}  // namespace

EntryForm::EntryForm(const EntrySpec& spec, UnixMs deadline_base) {
  fields_.kind = spec.kind;
  fields_.blob_key = spec.key_blob != nullptr;
  fields_.key_size = static_cast<std::uint32_t>(spec.key.size());
  fields_.value_size = StoredValueBytes(spec);
  fields_.deadline_size = DeadlineBytes(spec.deadline, deadline_base);
  // Only short text needs the mark; longer text is raw anyway.
  fields_.grown = spec.grown && spec.kind == Kind::kText && fields_.value_size <= kEmbstrBytesMax;
  AERIS_DCHECK(fields_.blob_key == (spec.key.size() > kInlineKeyMax));
  AERIS_DCHECK(fields_.value_size <= kInlineValueMax);

  short_form_ = (spec.kind == Kind::kText || spec.kind == Kind::kInteger) && !fields_.grown &&
                fields_.deadline_size <= entry_layout::kNearDeadlineBytes &&
                IsBetween(spec.key.size(), 1, entry_layout::kShortKeyMax) &&
                IsBetween(fields_.value_size, 1, entry_layout::kShortValueMax);
  std::uint32_t at = entry_layout::kHeadBytes;
  if (!short_form_) {
    if (spec.key.size() > 0xff) at += 4;
    if (entry_layout::HasValueSize(spec.kind)) at += 2;
  }
  fields_.deadline_offset = at;
  fields_.key_offset = at + fields_.deadline_size;
  fields_.value_offset =
      fields_.key_offset +
      (fields_.blob_key ? std::uint32_t{entry_layout::kPointerBytes} : fields_.key_size);
}

void EntryForm::Write(const EntrySpec& spec, std::byte* to) const {
  const std::uint32_t head = short_form_ ? ShortHead(fields_) : LongHead(fields_);
  StoreAs(to, head);
  StoreAccessClock(to, spec.access_clock);
  if (!short_form_) {
    std::byte* at = to + entry_layout::kHeadBytes;
    if ((head & entry_layout::kWideKey) != 0) {
      StoreAs(at, fields_.key_size);
      at += 4;
    }
    if (entry_layout::HasValueSize(spec.kind))
      StoreAs(at, static_cast<std::uint16_t>(fields_.value_size));
  }
  StoreDeadlineIn(to + fields_.deadline_offset, fields_.deadline_size, spec.deadline);
  if (fields_.blob_key) {
    StoreAs(to + fields_.key_offset, spec.key_blob);
  } else {
    StoreText(to + fields_.key_offset, spec.key);
  }
  std::byte* const value = to + fields_.value_offset;
  switch (spec.kind) {
    case Kind::kText:
      StoreText(value, spec.text);
      std::memset(value + spec.text.size(), 0, spec.zero_bytes);
      break;
    case Kind::kInteger:
      StoreIntegerIn(value, fields_.value_size, spec.integer);
      break;
    case Kind::kBlob:
      StoreAs(value, spec.blob);
      break;
    case Kind::kCollection:
      *value = std::byte{spec.tag.bits()};
      if (spec.tag.is_object()) {
        StoreAs(value + 1, spec.object);
      } else {
        StoreText(value + 1, spec.text);
      }
      break;
  }
}

EntrySpec SpecOf(EntryView entry) {
  const Fields fields = FieldsOf(entry.bytes());
  EntrySpec spec;
  spec.key = entry.key();
  spec.key_blob = KeyBlob(entry.bytes());
  spec.deadline = entry.deadline();
  spec.access_clock = entry.access_clock();
  spec.kind = fields.kind;
  spec.grown = fields.grown;
  switch (fields.kind) {
    case Kind::kText:
      spec.text = entry.text();
      break;
    case Kind::kInteger:
      spec.integer = entry.integer();
      break;
    case Kind::kBlob:
      spec.blob = ValueBlob(entry.bytes());
      break;
    case Kind::kCollection:
      spec.tag = entry.tag();
      spec.object = ValueObject(entry.bytes());
      if (spec.object == nullptr) spec.text = entry.block();
      break;
  }
  return spec;
}

void StoreAccessClock(std::byte* entry, std::uint16_t clock) {
  StoreAs(entry + entry_layout::kClockOffset, clock);
}

void StoreDeadline(std::byte* entry, UnixMs deadline) {
  const Fields fields = FieldsOf(entry);
  AERIS_DCHECK(fields.deadline_size != 0);
  StoreDeadlineIn(entry + fields.deadline_offset, fields.deadline_size, deadline);
}

void StoreInteger(std::byte* entry, std::int64_t integer) {
  const Fields fields = FieldsOf(entry);
  AERIS_DCHECK(fields.kind == Kind::kInteger && fields.value_size == IntegerBytes(integer));
  StoreIntegerIn(entry + fields.value_offset, fields.value_size, integer);
}

void StoreBlob(std::byte* entry, Blob* blob) {
  const Fields fields = FieldsOf(entry);
  AERIS_DCHECK(fields.kind == Kind::kBlob);
  StoreAs(entry + fields.value_offset, blob);
}

void StoreObject(std::byte* entry, Collection* object) {
  const Fields fields = FieldsOf(entry);
  AERIS_DCHECK(fields.kind == Kind::kCollection);
  StoreAs(entry + fields.value_offset + 1, object);
}

Blob* ValueBlob(const std::byte* entry) {
  const Fields fields = FieldsOf(entry);
  return fields.kind == Kind::kBlob ? LoadAs<Blob*>(entry + fields.value_offset) : nullptr;
}

Blob* KeyBlob(const std::byte* entry) {
  const Fields fields = FieldsOf(entry);
  return fields.blob_key ? LoadAs<Blob*>(entry + fields.key_offset) : nullptr;
}

std::uint32_t IntegerBytes(std::int64_t integer) {
  if (Fits<std::int8_t>(integer)) return 1;
  if (Fits<std::int16_t>(integer)) return 2;
  return Fits<std::int32_t>(integer) ? 4 : 8;
}

std::uint32_t DeadlineBytes(UnixMs deadline, UnixMs deadline_base) {
  using namespace entry_layout;
  if (deadline == kNoDeadline) return 0;
  if (deadline >= deadline_base && deadline - deadline_base < kNearDeadlineSpan) {
    return kNearDeadlineBytes;
  }
  const bool far = deadline >= kFarDeadlineEpoch && deadline < kFarDeadlineEnd;
  return far ? kFarDeadlineBytes : kAnyDeadlineBytes;
}

}  // namespace aeris::storage
