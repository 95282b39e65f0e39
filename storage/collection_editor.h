// CollectionEditor: a collection that one command changes.
//
//   CollectionEditor editor(keyspace, key, entry, ValueType::kList, now);   // entry may be none
//   if (PackedBlock* block = editor.block()) { ... change it, or editor.Become(a structure) ... }
//   else { ... change *editor.structure() ... }
//   return editor.Commit(now_empty);                 // removes the key when nothing is left
//
//
//   CollectionEditor editor = CollectionEditor::New(keyspace, key, type, now);   // SUNIONSTORE
//   ... fill it; other keys of the keyspace, the key itself too, may be read meanwhile ...
//   return editor.Commit(empty);          // replaces what was at the key, and its deadline
//
// A small collection is changed in a copy and stored whole by Commit, so that nothing has changed
// when there is no memory for it; a structure changes at once. One editor at a time has a
// keyspace's scratch block.
#pragma once

#include <memory>
#include <optional>

#include "storage/keyspace.h"

namespace aeris::storage {

class CollectionEditor {
 public:
  // `entry` is what Find() of the key has just given: none, or a collection of this type.
  CollectionEditor(Keyspace& keyspace, const HashedKey& key, EntryView entry, ValueType type,
                   UnixMs now);
  // Starts empty, whatever the key holds.
  static CollectionEditor New(Keyspace& keyspace, const HashedKey& key, ValueType type, UnixMs now,
                              UnixMs deadline = kNoDeadline) {
    return {keyspace, key, type, deadline, now};
  }
  CollectionEditor(const CollectionEditor&) = delete;
  CollectionEditor& operator=(const CollectionEditor&) = delete;

  bool existed() const { return existed_; }
  // The bytes to change, those of a new collection when there is none; null for a structure.
  PackedBlock* block() { return block_; }
  PackedForm form() const { return form_; }
  // The block now holds bytes of this form.
  void set_form(PackedForm form) { form_ = form; }
  Collection* structure() { return structure_; }
  // From now on the collection is `structure`, whose elements are all of the block's.
  void Become(std::unique_ptr<Collection> structure);

  // Keeps the deadline of what was changed. kNoMemory replaces nothing: what was there stays. What
  // is not committed was not made; that is for new ones and those that have not been changed.
  StoreResult Commit(bool now_empty);

 private:
  CollectionEditor(Keyspace& keyspace, const HashedKey& key, ValueType type,
                   std::optional<UnixMs> deadline, UnixMs now);

  Keyspace& keyspace_;
  HashedKey key_;
  ValueType type_;
  UnixMs now_;
  bool existed_ = false;
  bool replaces_ = false;
  std::optional<UnixMs> deadline_ = kKeepDeadline;
  EntryView inside_{};            // where the block came from, if it lies in its entry
  Collection* stored_ = nullptr;  // what the entry points at, if it does
  PackedForm form_ = PackedForm::kListpack;
  PackedBlock* block_ = nullptr;
  Collection* structure_ = nullptr;
  std::unique_ptr<Collection> made_;
};

}  // namespace aeris::storage
