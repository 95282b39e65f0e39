#include "storage/set_value.h"

#include <array>

#include "src/base/check.h"
#include "src/base/number_text.h"

namespace aeris::storage {

std::size_t SetStructure::memory_bytes() const {
  return sizeof *this + sizeof *table_ + table_->memory_bytes();
}

std::unique_ptr<Collection> SetStructure::Clone() const {
  auto copy = table_->Clone();
  return copy != nullptr ? std::make_unique<SetStructure>(std::move(copy)) : nullptr;
}

// --- SetView

SetView::SetView(EntryView entry) {
  if (!entry) return;
  if (const Collection* const structure = entry.structure()) {
    table_ = &static_cast<const SetStructure*>(structure)->table();
    return;
  }
  form_ = entry.form();
  bytes_ = entry.block();
}

SetView::SetView(CollectionEditor& editor) {
  if (const Collection* const structure = editor.structure()) {
    table_ = &static_cast<const SetStructure*>(structure)->table();
    return;
  }
  form_ = editor.form();
  bytes_ = editor.block()->bytes();
}

std::size_t SetView::size() const {
  if (table_ != nullptr) return table_->size();
  return bytes_.empty() ? 0 : PackedCount(ValueType::kSet, form_, bytes_);
}

bool SetView::Contains(std::string_view member) const {
  if (table_ != nullptr) return table_->Find(member) != 0;
  if (bytes_.empty()) return false;
  if (form_ == PackedForm::kIntset) {
    const std::optional<std::int64_t> value = ParseInt64(member);
    return value && IntsetView(bytes_).Contains(*value);
  }
  const PackedView block(bytes_);
  return block.Find(block.First(), member) != PackedView::kEnd;
}

void SetView::Contains(std::span<const std::string_view> members, std::span<bool> found) const {
  AERIS_DCHECK(members.size() <= kBatch && found.size() == members.size());
  if (table_ == nullptr) {
    for (std::size_t i = 0; i < members.size(); ++i) found[i] = Contains(members[i]);
    return;
  }
  std::array<std::uint64_t, kBatch> hashes;
  for (std::size_t i = 0; i < members.size(); ++i) {
    hashes[i] = table_->Hash(members[i]);
    table_->PrefetchBucket(hashes[i]);
  }
  for (std::size_t i = 0; i < members.size(); ++i) table_->PrefetchEntry(hashes[i]);
  for (std::size_t i = 0; i < members.size(); ++i) {
    found[i] = table_->Find({members[i], hashes[i]}) != 0;
  }
}

std::string_view SetView::RandomMember(Random& random, IntegerText& scratch) const {
  if (table_ != nullptr) return table_->At(table_->RandomMember(random)).member();
  const std::size_t index = random.Below(size());
  if (form_ == PackedForm::kIntset) {
    return {scratch.bytes, FormatInt64(scratch.bytes, IntsetView(bytes_)[index])};
  }
  const PackedView block(bytes_);
  return block.Get(block.At(static_cast<std::int64_t>(index))).Text(scratch);
}

// --- SetEditor

StoreResult SetEditor::Add(std::string_view member) {
  if (editor_.structure() != nullptr) return AddToTable(member);
  if (editor_.form() == PackedForm::kIntset) {
    if (const auto value = ParseInt64(member)) return AddInteger(*value);
    if (!Pack()) return StoreResult::kNoMemory;
    if (editor_.structure() != nullptr) return AddToTable(member);
  }
  return AddPacked(member);
}

StoreResult SetEditor::AddInteger(std::int64_t value) {
  std::string& bytes = editor_.block()->raw();
  if (!IntsetInsert(bytes, value)) return StoreResult::kNoKey;
  if (IntsetView(bytes).size() <= limits_.intset_entries) return StoreResult::kStored;
  if (Pack()) return StoreResult::kStored;
  IntsetErase(bytes, value);
  return StoreResult::kNoMemory;
}

StoreResult SetEditor::AddPacked(std::string_view member) {
  PackedBlock& block = *editor_.block();
  if (block.view().Find(block.view().First(), member) != PackedBlock::kEnd) {
    return StoreResult::kNoKey;
  }
  if (member.size() > kPackedMemberMax || block.size() >= kPackedMembersMax) {
    return BecomeTable() ? AddToTable(member) : StoreResult::kNoMemory;
  }
  block.Append(member);
  return StoreResult::kStored;
}

StoreResult SetEditor::AddToTable(std::string_view member) {
  const HashedKey hashed = table().Hashed(member);
  if (table().Find(hashed) != 0) return StoreResult::kNoKey;
  return table().Insert(hashed) != 0 ? StoreResult::kStored : StoreResult::kNoMemory;
}

// An intset gets the form that takes any member. False, and nothing changed, without memory.
bool SetEditor::Pack() {
  const IntsetView set(editor_.block()->bytes());
  if (set.size() > kPackedMembersMax) return BecomeTable();
  PackedBlock block;
  for (std::size_t i = 0; i < set.size(); ++i) block.Append(set[i]);
  *editor_.block() = std::move(block);
  editor_.set_form(PackedForm::kListpack);
  return true;
}

bool SetEditor::BecomeTable() {
  auto made = std::make_unique<MemberTable>(*hasher_);
  bool stored = true;
  view().ForEach([&](std::string_view member) {
    stored = made->Insert(made->Hashed(member)) != 0;
    return stored;
  });
  if (stored) editor_.Become(std::make_unique<SetStructure>(std::move(made)));
  return stored;
}

bool SetEditor::Remove(std::string_view member) {
  if (editor_.structure() != nullptr) return table().Erase(member);
  if (editor_.form() == PackedForm::kIntset) {
    const std::optional<std::int64_t> value = ParseInt64(member);
    return value && IntsetErase(editor_.block()->raw(), *value);
  }
  PackedBlock& block = *editor_.block();
  const auto at = block.view().Find(block.view().First(), member);
  if (at == PackedBlock::kEnd) return false;
  block.Erase(at);
  return true;
}

}  // namespace aeris::storage
