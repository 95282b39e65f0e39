// Sets, in any of their forms:
//
//   intset      all members integers, at most set-max-intset-entries; bisection
//   packed      at most kPackedMembersMax members of at most kPackedMemberMax bytes, one after the
//               other; OBJECT ENCODING says "hashtable", as Redis 7.0 has no such form
//   structure   SetStructure: a hash-ordered table (member_table.h)
//
// A set starts as an intset or packed and never goes back to a smaller form.
// Cost:     in a table O(1), in the others a walk over at most 8 KiB, or a bisection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "src/base/random.h"
#include "storage/collection_editor.h"
#include "storage/intset.h"
#include "storage/member_table.h"
#include "storage/packed_block.h"

namespace aeris::storage {

class SetStructure final : public Collection {
 public:
  explicit SetStructure(std::unique_ptr<MemberTable> table)
      : Collection(ValueType::kSet), table_(std::move(table)) {}

  MemberTable& table() { return *table_; }
  const MemberTable& table() const { return *table_; }

  Encoding encoding() const override { return Encoding::kHashtable; }
  std::size_t size() const override { return table_->size(); }
  std::size_t memory_bytes() const override;
  std::size_t mapped_bytes() const override { return table_->mapped_bytes(); }
  const MemberTable* members() const override { return table_.get(); }
  std::size_t FreeEffort() const override { return table_->allocations(); }
  std::unique_ptr<Collection> Clone() const override;
  void CheckInvariants() const override { table_->CheckInvariants(); }

 private:
  std::unique_ptr<MemberTable> table_;
};

// Reading a set; of no key, an empty one. Valid until the keyspace changes.
class SetView {
 public:
  SetView() = default;
  explicit SetView(EntryView entry);
  // Of a set that is being made.
  explicit SetView(CollectionEditor& editor);

  std::size_t size() const;
  bool empty() const { return size() == 0; }
  bool Contains(std::string_view member) const;
  // found[i] says whether members[i] is there; at most kBatch members. Waits for memory once.
  static constexpr std::size_t kBatch = 32;
  void Contains(std::span<const std::string_view> members, std::span<bool> found) const;
  // Whether membership is told without a walk.
  bool indexed() const { return table_ != nullptr || form_ == PackedForm::kIntset; }

  // Calls `visit(std::string_view)` for every member, valid for the call, until one call that
  // returns bool says false.
  template <typename Visit>
  void ForEach(Visit&& visit) const;
  // The members of a step of SSCAN from `cursor` on; all of them unless in a table.
  template <typename Visit>
  std::uint64_t Scan(std::uint64_t cursor, std::size_t count, Visit&& visit) const;
  // A member chosen at random, each with the same chance, of a set that is not empty; an integer's
  // text is written to `scratch`.
  std::string_view RandomMember(Random& random, IntegerText& scratch) const;

 private:
  template <typename Visit>
  static bool Call(Visit& visit, std::string_view member) {
    if constexpr (std::is_void_v<std::invoke_result_t<Visit&, std::string_view>>) {
      visit(member);
      return true;
    } else {
      return visit(member);
    }
  }

  const MemberTable* table_ = nullptr;
  PackedForm form_ = PackedForm::kListpack;
  std::string_view bytes_{};  // unless in a table; none at all for an absent key
};

struct SetLimits {
  std::size_t intset_entries = 512;
};

// Changing a set: the one at a key, or a new one.
class SetEditor {
 public:
  static constexpr std::size_t kPackedMembersMax = 128;
  static constexpr std::size_t kPackedMemberMax = 64;

  // `entry` is what Find() of the key has just given: none, or a set.
  SetEditor(Keyspace& keyspace, const HashedKey& key, EntryView entry, SetLimits limits, UnixMs now)
      : editor_(keyspace, key, entry, ValueType::kSet, now),
        hasher_(&keyspace.hasher()),
        limits_(limits) {
    if (!entry) StartAsIntset();
  }
  // One that replaces what is at the key.
  static SetEditor New(Keyspace& keyspace, const HashedKey& key, SetLimits limits, UnixMs now,
                       UnixMs deadline = kNoDeadline) {
    return {keyspace, key, limits, deadline, now};
  }

  SetView view() { return SetView(editor_); }
  std::size_t size() { return view().size(); }

  // kStored when it was added, kNoKey when it was there.
  StoreResult Add(std::string_view member);
  // Whether it was there.
  bool Remove(std::string_view member);

  // The key is removed when nothing is left.
  StoreResult Commit() { return editor_.Commit(size() == 0); }

 private:
  SetEditor(Keyspace& keyspace, const HashedKey& key, SetLimits limits, UnixMs deadline, UnixMs now)
      : editor_(CollectionEditor::New(keyspace, key, ValueType::kSet, now, deadline)),
        hasher_(&keyspace.hasher()),
        limits_(limits) {
    StartAsIntset();
  }

  void StartAsIntset() {
    editor_.set_form(PackedForm::kIntset);
    editor_.block()->raw() = EmptyIntset();
  }
  StoreResult AddInteger(std::int64_t value);
  StoreResult AddPacked(std::string_view member);
  StoreResult AddToTable(std::string_view member);
  bool Pack();
  bool BecomeTable();
  MemberTable& table() { return static_cast<SetStructure*>(editor_.structure())->table(); }

  CollectionEditor editor_;
  const KeyHasher* hasher_;
  SetLimits limits_;
};

template <typename Visit>
void SetView::ForEach(Visit&& visit) const {
  if (table_ != nullptr) {
    // A table's own walk cannot be stopped.
    std::uint64_t cursor = 0;
    bool go_on = true;
    do {
      cursor = table_->Scan(cursor, 64, [&](const MemberView& member) {
        if (go_on) go_on = Call(visit, member.member());
      });
    } while (cursor != 0 && go_on);
    return;
  }
  if (bytes_.empty()) return;
  IntegerText scratch;
  if (form_ == PackedForm::kIntset) {
    const IntsetView set(bytes_);
    for (std::size_t i = 0; i < set.size(); ++i) {
      if (!Call(visit, {scratch.bytes, FormatInt64(scratch.bytes, set[i])})) return;
    }
    return;
  }
  const PackedView block(bytes_);
  for (auto at = block.First(); at != PackedView::kEnd; at = block.Next(at)) {
    if (!Call(visit, block.Get(at).Text(scratch))) return;
  }
}

template <typename Visit>
std::uint64_t SetView::Scan(std::uint64_t cursor, std::size_t count, Visit&& visit) const {
  if (table_ != nullptr) {
    return table_->Scan(cursor, count, [&](const MemberView& member) { visit(member.member()); });
  }
  ForEach(visit);
  return 0;
}

}  // namespace aeris::storage
