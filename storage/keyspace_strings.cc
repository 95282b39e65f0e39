// Strings in a keyspace: in their entries while small, else in blobs.
#include <algorithm>
#include <cstring>
#include <optional>

#include "src/base/check.h"
#include "src/base/number_text.h"
#include "storage/keyspace_impl.h"

namespace aeris::storage {

using entry_layout::Fields;
using entry_layout::FieldsOf;
using entry_layout::Kind;

// The common overwrite: inline text by text of the same size, with a deadline in as many bytes.
bool Keyspace::Impl::OverwriteSameShape(EntryTable::Slot slot, std::string_view value,
                                        UnixMs deadline, UnixMs now) {
  std::byte* const entry = BytesOf(slot);
  const Fields fields = FieldsOf(entry);
  if (fields.kind != Kind::kText || fields.grown || fields.value_size != value.size() ||
      fields.deadline_size != DeadlineBytes(deadline, deadline_base)) {
    return false;
  }
  // An entry that has grown keeps room that text of its own would not have.
  if (SizeClass::Bytes(SizeClass::Of(fields.size())) != arena.SlotBytes(table.ref(slot))) {
    return false;
  }
  if (!value.empty()) std::memmove(entry + fields.value_offset, value.data(), value.size());
  if (fields.deadline_size != 0) {
    const UnixMs before = ViewOf(entry).deadline();
    StoreDeadline(entry, deadline);
    FileDeadline(slot, before, deadline);
  }
  Touch(entry, now);
  return true;
}

// Text that is not an integer: inside the entry, or in a blob, the old one where that suits. False
// without memory.
bool Keyspace::Impl::SetSpecText(EntrySpec& spec, std::string_view value, EntryTable::Slot slot,
                                 LooseBlob* loose) {
  if (value.size() <= kInlineValueMax) {
    spec.kind = Kind::kText;
    spec.text = value;
    return true;
  }
  spec.kind = Kind::kBlob;
  if (loose != nullptr) {
    spec.blob = blobs.Adopt(*loose, value.size());
    return spec.blob != nullptr;
  }
  if (slot && AssignInPlace(spec, value, slot)) return true;
  spec.blob = blobs.Create(value, value.size());
  return spec.blob != nullptr;
}

// Changes the text of the blob that the entry at `slot` holds, if the entry can then be stored
// without fail: once the text has changed there is no way back.
bool Keyspace::Impl::AssignInPlace(EntrySpec& spec, std::string_view value, EntryTable::Slot slot) {
  spec.blob = ValueBlob(BytesOf(slot));
  return spec.blob != nullptr && FitsInPlace(slot, spec) && blobs.Assign(spec.blob, value);
}

// Whether storing `spec` at `slot` takes no memory.
bool Keyspace::Impl::FitsInPlace(EntryTable::Slot slot, EntrySpec spec) const {
  const EntryView old = ViewOf(slot);
  if (spec.deadline != kNoDeadline && !table.has_deadline(slot)) return false;
  spec.key = old.key();
  spec.key_blob = KeyBlob(old.bytes());
  return EntryForm(spec, deadline_base).size() <= arena.SlotBytes(table.ref(slot));
}

std::span<char> Keyspace::Impl::WritableText(EntryTable::Slot slot) {
  std::byte* const entry = BytesOf(slot);
  if (Blob* const blob = ValueBlob(entry); blob != nullptr) return BlobStore::Bytes(blob);
  const Fields fields = FieldsOf(entry);
  return {reinterpret_cast<char*>(entry + fields.value_offset), fields.value_size};
}

// A string inside its entry becomes `size` bytes long, there or in a blob.
std::optional<std::span<char>> Keyspace::Impl::ResizeInline(const HashedKey& key,
                                                            EntryTable::Slot slot,
                                                            std::size_t size) {
  const EntryView old = ViewOf(slot);
  if (!old.is_integer() && old.text_size() == size && old.encoding() == Encoding::kRaw) {
    return WritableText(slot);
  }
  IntegerText scratch;
  const std::string_view text = old.Text(scratch);
  const bool grows = size > text.size();
  EntrySpec spec = SpecOf(old);
  std::size_t slot_bytes = 0;
  if (size > kInlineValueMax) {
    spec.kind = Kind::kBlob;
    spec.blob = blobs.Create(text, size);
    if (spec.blob == nullptr) return std::nullopt;
  } else {
    spec.kind = Kind::kText;
    spec.grown = true;
    spec.text = text.substr(0, size);
    spec.zero_bytes = size - spec.text.size();
    if (grows) {
      const std::size_t slack = std::min(GrownCapacity(size), kInlineValueMax) - size;
      slot_bytes = EntryForm(spec, deadline_base).size() + slack;
    }
  }
  slot = StoreOwned(key, slot, spec, slot_bytes, Slack::kKeep);
  if (!slot) return std::nullopt;
  return WritableText(slot);
}

StoreResult Keyspace::SetString(const HashedKey& key, std::string_view value, UnixMs now,
                                const SetOptions& options) {
  Impl& impl = parts(now);
  const EntryTable::Slot slot = impl.FindLive(key, now);
  EntrySpec spec;
  if (!options.keep_deadline) {
    spec.deadline = options.deadline;
  } else if (slot) {
    spec.deadline = impl.ViewOf(slot).deadline();
  }
  std::optional<std::int64_t> integer;
  if (options.find_integer && value.size() <= kInt64TextMax) integer = ParseInt64(value);
  if (integer) {
    spec.kind = Kind::kInteger;
    spec.integer = *integer;
  } else {
    if (slot && impl.OverwriteSameShape(slot, value, spec.deadline, now)) {
      return StoreResult::kStored;
    }
    if (!impl.SetSpecText(spec, value, slot, options.loose)) return StoreResult::kNoMemory;
  }
  spec.access_clock = impl.ClockAfterUse(slot, now);
  if (options.loose == nullptr || spec.kind != Kind::kBlob) {
    return ResultOf(impl.StoreOwned(key, slot, spec, 0, Slack::kNone));
  }
  const EntryTable::Slot stored = impl.Store(key, slot, spec, 0, Slack::kNone);
  // The caller's view of the value lives on.
  if (!stored) impl.blobs.Loosen(spec.blob, *options.loose);
  return ResultOf(stored);
}

StoreResult Keyspace::SetInteger(const HashedKey& key, std::int64_t value, UnixMs now) {
  Impl& impl = parts(now);
  const EntryTable::Slot slot = impl.FindLive(key, now);
  EntrySpec spec;
  if (slot) {
    std::byte* const entry = impl.BytesOf(slot);
    const Fields fields = FieldsOf(entry);
    if (fields.kind == Kind::kInteger && fields.value_size == IntegerBytes(value)) {
      StoreInteger(entry, value);
      return StoreResult::kStored;
    }
    spec.deadline = impl.ViewOf(entry).deadline();
    spec.access_clock = impl.ViewOf(entry).access_clock();
  } else {
    spec.access_clock = FirstAccessClock(impl.access(), context_.AgeTime(now));
  }
  spec.kind = Kind::kInteger;
  spec.integer = value;
  return ResultOf(impl.Store(key, slot, spec, 0, Slack::kNone));
}

std::optional<std::span<char>> Keyspace::ResizeString(const HashedKey& key, std::size_t size,
                                                      UnixMs now) {
  Impl& impl = parts(now);
  const EntryTable::Slot slot = impl.FindLive(key, now);
  if (!slot) return SetZeros(key, size, now);
  std::byte* const entry = impl.BytesOf(slot);
  Blob* const blob = ValueBlob(entry);
  if (blob == nullptr) return impl.ResizeInline(key, slot, size);
  Blob* const resized = impl.blobs.Resize(blob, size);
  if (resized == nullptr) return std::nullopt;
  StoreBlob(entry, resized);
  return BlobStore::Bytes(resized);
}

std::optional<std::span<char>> Keyspace::SetZeros(const HashedKey& key, std::size_t size,
                                                  UnixMs now) {
  Impl& impl = parts(now);
  EntryTable::Slot slot = impl.FindLive(key, now);
  EntrySpec spec;
  spec.access_clock = impl.ClockAfterUse(slot, now);
  if (size > kInlineValueMax) {
    spec.kind = Kind::kBlob;
    spec.blob = impl.blobs.Create({}, size);
    if (spec.blob == nullptr) return std::nullopt;
  } else {
    spec.grown = true;
    spec.zero_bytes = size;
  }
  slot = impl.StoreOwned(key, slot, spec, 0, Slack::kNone);
  if (!slot) return std::nullopt;
  return impl.WritableText(slot);
}

}  // namespace aeris::storage
