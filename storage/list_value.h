// Lists: what commands do with one, whatever its encoding. A packed block while it fits the one
// block of list-max-listpack-size, inside its entry where it is small; then a BlockList.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/block_list.h"
#include "storage/collection_editor.h"
#include "storage/entry.h"

namespace aeris::storage {

// Reading. Good as long as the entry.
class ListView {
 public:
  explicit ListView(std::string_view block) : structure_(nullptr), packed_(block) {}
  // `entry` is a list.
  explicit ListView(EntryView entry)
      : structure_(static_cast<const BlockList*>(entry.structure())),
        packed_(structure_ == nullptr ? entry.block() : std::string_view()) {}

  std::size_t size() const { return structure_ != nullptr ? structure_->size() : packed_.size(); }

  // An item, and a way to its neighbours.
  class Cursor {
   public:
    PackedItem item() const { return view_.Get(place_.at); }
    bool Is(std::string_view text) const { return view_.Is(place_.at, text); }
    // False when there is none; the cursor is of no use then.
    bool Next();
    bool Previous();
    // The items of one block from this one on: for going through many at once.
    PackedView view() const { return view_; }
    PackedView::Position at() const { return place_.at; }
    bool NextBlock();

   private:
    friend class ListView;
    const BlockList* structure_;
    BlockList::Place place_;
    PackedView view_{std::string_view()};
  };
  // `index` is below size().
  Cursor At(std::size_t index) const;

 private:
  const BlockList* structure_;
  PackedView packed_;
};

// Changing; see CollectionEditor.
class ListEditor {
 public:
  // `entry` is what Find() of the key has just given: none, or a list.
  ListEditor(Keyspace& keyspace, const HashedKey& key, EntryView entry, const ListLimits& limits,
             UnixMs now)
      : editor_(keyspace, key, entry, ValueType::kList, now), limits_(limits) {}
  // One that replaces what is at the key.
  static ListEditor New(Keyspace& keyspace, const HashedKey& key, const ListLimits& limits,
                        UnixMs now, UnixMs deadline = kNoDeadline) {
    return {keyspace, key, limits, deadline, now};
  }

  bool existed() const { return editor_.existed(); }
  std::size_t size();

  void Push(ListEnd end, std::string_view text);
  // Of a list that is not empty: the text of an end's item, without removing it.
  std::string Peek(ListEnd end);
  // Removes `count` items from one end, at most all.
  void Remove(ListEnd end, std::size_t count);
  // `index` is below size().
  void Replace(std::size_t index, std::string_view text);
  // Beside the first item with the text `pivot`. False when there is none.
  bool InsertBeside(std::string_view pivot, bool after, std::string_view text);
  // Removes items with this text from one end on, at most `count`. Returns how many.
  std::size_t RemoveMatching(std::string_view text, ListEnd from, std::size_t count);

  // The key goes with the last item.
  StoreResult Commit() { return editor_.Commit(size() == 0); }

 private:
  ListEditor(Keyspace& keyspace, const HashedKey& key, const ListLimits& limits, UnixMs deadline,
             UnixMs now)
      : editor_(CollectionEditor::New(keyspace, key, ValueType::kList, now, deadline)),
        limits_(limits) {}

  BlockList* structure() { return static_cast<BlockList*>(editor_.structure()); }
  // The packed block if it may have `text` as well; null when the list is a structure now.
  PackedBlock* BlockFor(std::string_view text, std::size_t bytes_less = 0, bool one_more = true);

  CollectionEditor editor_;
  ListLimits limits_;
};

}  // namespace aeris::storage
