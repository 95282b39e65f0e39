#include "storage/hash_value.h"

#include <new>
#include <utility>

#include "src/base/check.h"

namespace aeris::storage {
namespace {

using Position = PackedView::Position;

constexpr unsigned kTriesMax = 64;

Position FindField(PackedView view, std::string_view field) {
  return view.Find(view.First(), field, 1);
}

bool HasRoomFor(const PackedBlock& block, std::string_view field, std::string_view value) {
  return block.bytes().size() + PackedView::BytesFor(field) + PackedView::BytesFor(value) <=
         PackedBlock::kBytesMax;
}

bool Meets(UnixMs before, UnixMs after, DeadlineCondition condition) {
  switch (condition) {
    case DeadlineCondition::kAlways:
      return true;
    case DeadlineCondition::kNone:
      return before == kNoDeadline;
    case DeadlineCondition::kAny:
      return before != kNoDeadline;
    case DeadlineCondition::kLater:
      return before != kNoDeadline && after > before;
    case DeadlineCondition::kEarlier:
      return before == kNoDeadline || after < before;
  }
  return false;
}

}  // namespace

// --- HashView

HashView::HashView(EntryView entry, UnixMs now) : now_(now) {
  AERIS_DCHECK(entry.type() == ValueType::kHash);
  if (const Collection* const structure = entry.structure(); structure != nullptr) {
    fields_ = &static_cast<const HashStructure*>(structure)->fields();
  } else {
    packed_ = PackedView(entry.block());
  }
}

std::size_t HashView::size() const {
  return fields_ != nullptr ? fields_->size() : packed_.size() / 2;
}

std::optional<HashField> HashView::Find(std::string_view field) const {
  if (fields_ == nullptr) return FindPacked(field);
  return Live(fields_->Find(field));
}

std::optional<HashField> HashView::FindPacked(std::string_view field) const {
  const Position at = FindField(packed_, field);
  if (at == PackedView::kEnd) return std::nullopt;
  return PackedAt(at);
}

std::optional<HashField> HashView::Live(Ref ref) const {
  if (ref == 0) return std::nullopt;
  const MemberView view = fields_->At(ref);
  if (view.expired(now_)) return std::nullopt;
  return StoredField(view);
}

HashField HashView::At(Handle handle) const {
  if (fields_ == nullptr) return PackedAt(static_cast<Position>(handle));
  return StoredField(fields_->At(handle));
}

std::vector<HashView::Handle> HashView::Handles() const {
  std::vector<Handle> handles;
  handles.reserve(size());
  if (fields_ != nullptr) {
    fields_->ForEach([&](MemberView view) {
      if (!view.expired(now_)) handles.push_back(view.ref());
    });
  } else {
    for (Position at = packed_.First(); at != PackedView::kEnd; at = packed_.Skip(at, 2)) {
      handles.push_back(at);
    }
  }
  return handles;
}

std::optional<HashView::Handle> HashView::RandomHandle(Random& random) const {
  if (fields_ == nullptr) {
    const std::uint64_t index = random.Below(size());
    return packed_.At(static_cast<std::int64_t>(2 * index));
  }
  for (unsigned tries = 0; tries < kTriesMax; ++tries) {
    const Ref ref = fields_->RandomMember(random);
    if (ref != 0 && !fields_->At(ref).expired(now_)) return ref;
  }
  return std::nullopt;
}

// --- HashEditor

HashEditor::HashEditor(Keyspace& keyspace, const HashedKey& key, EntryView entry,
                       const HashLimits& limits, UnixMs now)
    : keyspace_(keyspace),
      limits_(limits),
      now_(now),
      editor_(keyspace, key, entry, ValueType::kHash, now) {}

HashEditor::HashEditor(Keyspace& keyspace, const HashedKey& key, const HashLimits& limits,
                       UnixMs deadline, UnixMs now)
    : keyspace_(keyspace),
      limits_(limits),
      now_(now),
      editor_(CollectionEditor::New(keyspace, key, ValueType::kHash, now, deadline)) {}

MemberTable* HashEditor::fields() {
  Collection* const structure = editor_.structure();
  return structure != nullptr ? &static_cast<HashStructure*>(structure)->fields() : nullptr;
}

// The field's place; an expired one is removed here.
Ref HashEditor::LiveRef(const HashedKey& field) {
  MemberTable& table = *fields();
  const Ref ref = table.Find(field);
  if (ref == 0 || !table.At(ref).expired(now_)) return ref;
  table.Erase(ref);
  return 0;
}

std::optional<HashField> HashEditor::Find(std::string_view field) {
  if (MemberTable* const table = fields(); table != nullptr) {
    const Ref ref = LiveRef(table->Hashed(field));
    if (ref == 0) return std::nullopt;
    const MemberView view = table->At(ref);
    return HashField{
        .name = {.text = view.member()}, .value = {.text = view.value()}, .stored = view};
  }
  const PackedView view = editor_.block()->view();
  const Position at = FindField(view, field);
  if (at == PackedView::kEnd) return std::nullopt;
  return HashField{.name = view.Get(at), .value = view.Get(view.Next(at)), .stored = {}};
}

auto HashEditor::Set(std::string_view field, std::string_view value, bool keep_deadline) -> Put {
  const PackedBlock* const block = editor_.block();
  if (block != nullptr) {
    const bool suits = field.size() <= limits_.packed_bytes_max &&
                       value.size() <= limits_.packed_bytes_max && HasRoomFor(*block, field, value);
    if (suits) return SetPacked(field, value);
    if (!BecomeStructure()) return Put::kNoMemory;
  }
  return SetStored(field, value, keep_deadline);
}

auto HashEditor::SetPacked(std::string_view field, std::string_view value) -> Put {
  PackedBlock& block = *editor_.block();
  const Position at = FindField(block.view(), field);
  if (at != PackedView::kEnd) {
    block.Replace(block.view().Next(at), value);
    // The limit may have been lowered. Without memory it stays packed.
    if (block.size() / 2 > limits_.packed_fields_max) static_cast<void>(BecomeStructure());
    return Put::kReplaced;
  }
  if (block.size() / 2 >= limits_.packed_fields_max) {
    if (!BecomeStructure()) return Put::kNoMemory;
    return SetStored(field, value, false);
  }
  block.Append(field);
  block.Append(value);
  return Put::kCreated;
}

auto HashEditor::SetStored(std::string_view field, std::string_view value, bool keep_deadline)
    -> Put {
  MemberTable& table = *fields();
  const HashedKey hashed = table.Hashed(field);
  const Ref ref = LiveRef(hashed);
  if (ref == 0) return table.Insert(hashed, value) != 0 ? Put::kCreated : Put::kNoMemory;
  const Ref stored = table.SetValue(ref, value);
  if (stored == 0) return Put::kNoMemory;
  // Taking a deadline away cannot fail.
  if (!keep_deadline && table.At(stored).deadline() != kNoDeadline) {
    static_cast<void>(table.SetDeadline(stored, kNoDeadline, now_));
  }
  return Put::kReplaced;
}

bool HashEditor::Erase(std::string_view field) {
  if (MemberTable* const table = fields(); table != nullptr) {
    const Ref ref = LiveRef(table->Hashed(field));
    if (ref != 0) table->Erase(ref);
    return ref != 0;
  }
  PackedBlock& block = *editor_.block();
  const Position at = FindField(block.view(), field);
  if (at == PackedView::kEnd) return false;
  block.Erase(at, 2);
  return true;
}

auto HashEditor::SetDeadline(std::string_view field, UnixMs deadline, DeadlineCondition condition)
    -> Dated {
  const std::optional<HashField> found = Find(field);
  if (!found) return Dated::kNoField;
  if (!Meets(found->deadline(), deadline, condition)) return Dated::kConditionNotMet;
  if (deadline <= now_) {
    Erase(field);
    return Dated::kErased;
  }
  if (editor_.block() != nullptr && !BecomeStructure()) return Dated::kNoMemory;
  MemberTable& table = *fields();
  const Ref stored = table.SetDeadline(table.Find(field), deadline, now_);
  return stored != 0 ? Dated::kDone : Dated::kNoMemory;
}

bool HashEditor::ClearDeadline(std::string_view field) {
  const std::optional<HashField> found = Find(field);
  if (!found || found->deadline() == kNoDeadline) return false;
  static_cast<void>(fields()->SetDeadline(found->stored.ref(), kNoDeadline, now_));
  return true;
}

bool HashEditor::BecomeStructure() {
  std::unique_ptr<HashStructure> made(new (std::nothrow) HashStructure(keyspace_.hasher()));
  if (made == nullptr) return false;
  MemberTable& table = made->fields();
  const PackedView view = editor_.block()->view();
  // Without room made ahead the table grows as it fills.
  static_cast<void>(table.Reserve(view.size() / 2 + 1));
  IntegerText name, value;
  for (Position at = view.First(); at != PackedView::kEnd; at = view.Skip(at, 2)) {
    const HashedKey field = table.Hashed(view.Get(at).Text(name));
    if (table.Insert(field, view.Get(view.Next(at)).Text(value)) == 0) return false;
  }
  editor_.Become(std::move(made));
  return true;
}

StoreResult HashEditor::Commit() {
  const bool empty =
      editor_.structure() != nullptr ? editor_.structure()->size() == 0 : editor_.block()->empty();
  return editor_.Commit(empty);
}

}  // namespace aeris::storage
