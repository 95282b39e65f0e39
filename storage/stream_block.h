// The entries of a stream in a packed block, laid out as Redis lays them out, so that DUMP copies
// blocks as they are.
//
//   block          [ master entry ][ entry ][ entry ] ...
//   master entry   [ live ][ deleted ][ fields ][ name ] ... [ 0 ]
//   entry          [ flags ][ ms ][ seq ][ value ] ... [ items ]                      same fields
//                  [ flags ][ ms ][ seq ][ fields ][ name ][ value ] ... [ items ]    own fields
//
// The master entry has the names of the fields of the entry that the block was made for; entries
// with the same fields do not repeat them. `ms` and `seq` are relative to the id of the block,
// which its owner knows. `items` counts the items of the entry before it: it is how a reader walks
// backwards. An entry that is deleted only has its flag set; it goes with its block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "storage/packed_block.h"
#include "storage/stream_id.h"

namespace aeris::storage {

// One entry of a block. Positions are of the block it was read from.
struct StreamBlockEntry {
  using Position = PackedView::Position;

  StreamId id = {};
  std::size_t fields = 0;
  Position at = 0;      // its flags
  Position values = 0;  // the first value; the first name when it has its own
  Position names = 0;   // the first name, in the master entry when the fields are the same
  bool same_fields = false;
  bool deleted = false;
};

class StreamBlockView {
 public:
  using Position = PackedView::Position;

  // `bytes` are a block whose id is `first`. O(fields of the master entry).
  StreamBlockView(std::string_view bytes, StreamId first);

  std::size_t live() const { return live_; }
  std::size_t deleted() const { return deleted_; }
  // Where the first entry is, and where one that is appended will be; equal when there is none.
  Position begin() const { return begin_; }
  Position end() const { return static_cast<Position>(view_.bytes().size() - 1); }

  // The entry at a position that is not end().
  StreamBlockEntry Read(Position at) const;
  // The position behind an entry. O(its fields).
  Position After(const StreamBlockEntry& entry) const;
  // The position of the entry before one, which is not begin(). O(its fields).
  Position Before(Position at) const;

  // Calls visit(PackedItem name, PackedItem value) for each field of an entry.
  template <typename Visit>
  void ForEachField(const StreamBlockEntry& entry, Visit&& visit) const {
    Position name = entry.names;
    Position value = entry.values;
    for (std::size_t i = 0; i < entry.fields; ++i) {
      const PackedItem text = view_.Get(name);
      if (entry.same_fields) {
        name = Over(name);
      } else {
        value = Over(name);
        name = Over(value);
      }
      visit(text, view_.Get(value));
      value = Over(value);
    }
  }

 private:
  friend class StreamBlockEditor;

  Position Over(Position at) const;
  Position Over(Position at, std::size_t items) const;

  PackedView view_;
  StreamId first_;
  std::size_t live_;
  std::size_t deleted_;
  std::size_t fields_;
  Position names_;
  Position begin_;
};

class StreamBlockEditor {
 public:
  using Position = PackedView::Position;

  // `block` is one whose id is `first`, or empty.
  StreamBlockEditor(PackedBlock& block, StreamId first) : block_(block), first_(first) {}

  // Makes an empty block one for entries that have the fields of `pairs`, names and values by
  // turns.
  void Start(std::span<const std::string_view> pairs);
  // Appends an entry. The id is above those of all others. True when positions of other entries
  // have moved. Takes room as it needs, at first twice what there was, up to `bytes_usual` in all.
  bool Append(StreamId id, std::span<const std::string_view> pairs, std::size_t bytes_usual);
  // Sets the flag of an entry that is live. Positions may move. Returns how far.
  Position MarkDeleted(const StreamBlockEntry& entry);

  // Removes entries above an id, all of which are deleted, from a block with live ones.
  void DropDeletedAbove(StreamId id);

  // The most bytes that an entry of these fields and values can take.
  static std::size_t EntryBytesMax(std::span<const std::string_view> pairs);
  // And a block that is made for such an entry and holds nothing else.
  static std::size_t NewBlockBytesMax(std::span<const std::string_view> pairs);

 private:
  bool HasFieldsOf(const StreamBlockView& view, std::span<const std::string_view> pairs) const;
  // The counts of the master entry; true when that has moved what follows.
  bool SetCounts(std::size_t live, std::size_t deleted);

  PackedBlock& block_;
  StreamId first_;
};

// Whether bytes from outside are a block of entries in every detail, with ids that ascend from
// `first` on. O(bytes).
bool ValidStreamBlock(std::string_view bytes, StreamId first);
// The id of the last entry of a block, deleted or not. Requires one.
StreamId LastIdOf(std::string_view bytes, StreamId first);

}  // namespace aeris::storage
