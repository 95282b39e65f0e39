// Stream: entries in the order of their ids, in packed blocks, with consumer groups.
//
//   blocks   id 1000-0 -> [ master entry ][ entry ] ... [ entry ]      up to 100 entries, 4 KiB
//            id 1873-4 -> [ master entry ][ entry ] ...     (stream_block.h, stream_blocks.h)
//   groups   name -> last id, pending entries, consumers               (stream_groups.h)
//
// A block is filed under the id of the entry it was made for. Entries are only appended; one that
// is deleted stays in its block as a gap, and a block goes with its last live entry. (A trim may
// leave one of gaps alone, see TrimInside.) A stream is always this structure, however small, and
// stays without entries: its ids go on.
//
// Cost:     appending O(1); finding O(log blocks) and a walk in one block; removing blocks from
//           the front O(1) for each 128 of them. What is large goes to be destroyed elsewhere
//           (Collection::TakeCutOff).
// Memory:   of an entry its packed items, 7 bytes beside the values when it has the fields of its
//           block; about 1 byte per entry for the block's share of the index.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "storage/collection.h"
#include "storage/packed_block.h"
#include "storage/stream_block.h"
#include "storage/stream_blocks.h"
#include "storage/stream_groups.h"
#include "storage/stream_id.h"

namespace aeris::storage {

// What a block may hold; 0 is no limit but that of a block.
struct StreamBlockLimits {
  std::uint64_t bytes_max = 4096;
  std::int64_t entries_max = 100;
};

struct StreamTrim {
  enum class By : std::uint8_t { kNothing, kLength, kMinId };

  By by = By::kNothing;
  std::uint64_t length_max = 0;  // kLength
  StreamId id_min = {};          // kMinId
  bool whole_blocks = false;     // remove no entry from a block that stays
  std::uint64_t limit = 0;       // stop before more entries than this are removed; 0 is no limit
};

class Stream final : public Collection {
 public:
  using Blocks = StreamBlocks;
  using Groups = std::map<std::string, StreamGroup, std::less<>>;

  Stream() : Collection(ValueType::kStream) {}

  Encoding encoding() const override { return Encoding::kStream; }
  std::size_t size() const override { return length_; }
  std::size_t memory_bytes() const override {
    return sizeof *this + blocks_.memory_bytes() + bytes_;
  }
  std::size_t FreeEffort() const override;
  std::unique_ptr<Collection> Clone() const override;
  void CheckInvariants() const override;

  // --- What XINFO shows.
  StreamId first_id() const { return first_id_; }  // of the first live entry, 0-0 without any
  StreamId last_id() const { return last_id_; }    // the highest id that it ever had
  StreamId max_deleted_id() const { return max_deleted_id_; }
  std::uint64_t entries_added() const { return entries_added_; }
  // In order; for DUMP too, which copies them.
  const Blocks& blocks() const { return blocks_; }
  // The id of the last live entry, 0-0 without any.
  StreamId LastLiveId() const;

  // XSETID, RESTORE. The caller has checked that the last id is not below a live entry's. Deleted
  // ones above it are dropped, since their ids may come again.
  void SetLastId(StreamId id);
  void SetMaxDeletedId(StreamId id) { max_deleted_id_ = id; }
  void SetEntriesAdded(std::uint64_t count) { entries_added_ = count; }
  // How many entries were added up to and with `id`; kEntriesUnknown when that cannot be told.
  std::int64_t AddedUpTo(StreamId id) const;

  // --- Entries. `pairs` are fields and values by turns, at least one of each.
  enum class AppendResult : std::uint8_t { kAdded, kNotGreater, kTooLarge };
  [[nodiscard]] AppendResult Append(StreamId id, std::span<const std::string_view> pairs,
                                    const StreamBlockLimits& limits);
  // False when there is no such entry.
  bool Delete(StreamId id);
  // Returns how many entries were removed.
  std::size_t Trim(const StreamTrim& trim);
  bool Contains(StreamId id) const;

  // --- Groups, in the order of their names.
  const Groups& groups() const { return groups_; }
  StreamGroup* FindGroup(std::string_view name);
  // Null when there is one of this name.
  StreamGroup* CreateGroup(std::string_view name, StreamId last_id, std::int64_t entries_read);
  // False when absent.
  bool DestroyGroup(std::string_view name);
  // As StreamGroup::DeleteConsumer().
  std::size_t DeleteConsumer(StreamGroup& group, std::string_view name);
  // An entry that comes after the group's last id was read: it becomes that, and is counted.
  void Advance(StreamGroup& group, StreamId id) const;
  // Entries that the group has still to read; none when that cannot be told.
  std::optional<std::int64_t> Lag(const StreamGroup& group) const;

  // --- For RESTORE.
  // Whether bytes are a block whose id is `first`, in every detail.
  static bool ValidBlock(std::string_view listpack, StreamId first) {
    return ValidStreamBlock(listpack, first);
  }
  // Adds a block behind all others. False, and nothing has changed, when it is not valid or has an
  // id that is not above all that are there. Sets the first id, not the last.
  [[nodiscard]] bool AddBlock(std::string_view listpack, StreamId first);

 private:
  friend class StreamReader;

  static std::size_t BytesOf(const std::string& group_name);
  // Where an entry is appended: the last block, or a new one.
  Blocks::Iterator BlockFor(StreamId id, std::span<const std::string_view> pairs,
                            const StreamBlockLimits& limits);
  Blocks::Iterator RemoveBlock(Blocks::Iterator block, std::size_t live);
  // Whether a trim removes all of some blocks, with so many entries; `last` is the last of them.
  bool GoesWhole(const StreamTrim& trim, std::size_t entries, const Blocks::Block& last) const;
  void TrimGroups(const StreamTrim& trim);
  std::size_t TrimInside(Blocks::Iterator block, const StreamTrim& trim);
  void FindFirstId();
  static std::optional<StreamBlockEntry> FindEntry(Blocks::Iterator block, StreamId id);
  // Whether an entry from `start` on was deleted, as far as that is known.
  bool HasGapFrom(StreamId start) const;

  std::size_t bytes_ = 0;  // of groups, which count in it; so it goes after them
  Blocks blocks_;
  Groups groups_;
  std::size_t length_ = 0;
  std::uint64_t layout_ = 1;  // changes when a position in a block may have become another one
  StreamId first_id_;
  StreamId last_id_;
  StreamId max_deleted_id_;
  std::uint64_t entries_added_ = 0;
};

// Reads the live entries of a range of ids, upwards or downwards. The stream does not change
// meanwhile.
//
//   StreamReader reader(stream, {.start = ..., .end = ...});
//   while (reader.Next()) { reader.id(); reader.ForEachField(...); }
class StreamReader {
 public:
  struct Range {
    StreamId start;
    StreamId end = kStreamIdMax;
    bool backward = false;
  };
  StreamReader(const Stream& stream, const Range& range) : StreamReader(stream, range, {}) {}
  // Begins where `mark` was made when that is where the range begins.
  StreamReader(const Stream& stream, const Range& range, const StreamMark& mark);

  // False behind the last one.
  bool Next();
  StreamId id() const { return entry_.id; }
  std::size_t field_count() const { return entry_.fields; }
  // visit(PackedItem name, PackedItem value)
  template <typename Visit>
  void ForEachField(Visit&& visit) const {
    view_->ForEachField(entry_, visit);
  }
  // For the reader that goes on behind this entry. Upwards only.
  StreamMark Mark() const;

 private:
  void Enter(Stream::Blocks::Iterator block);
  bool NextForward();
  bool NextBackward();

  const Stream& stream_;
  Range range_;
  Stream::Blocks::Iterator block_;
  std::optional<StreamBlockView> view_;  // of block_; none at the end
  StreamBlockView::Position at_ = 0;     // of the next entry, or behind it when going downwards
  StreamBlockEntry entry_;
};

}  // namespace aeris::storage
