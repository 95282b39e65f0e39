// PackedBlock: a short sequence of texts and integers in one piece of memory, the form of all small
// collections, of a list's blocks and of a stream's.
//
// The bytes are those of Redis's listpack, so that DUMP copies them:
//
//   [ bytes in all 4 ][ items 2 ][ item ][ item ] ... [ 0xff ]
//   item   [ head 1 to 5 ][ text or integer ][ size of head and data, 1 to 5 bytes, read backwards
//   ] head   0xxxxxxx integer 0 to 127          10xxxxxx text to 63 bytes
//          110xxxxx integer of 13 bits        1110xxxx text to 4095 bytes     11110000 longer
//          f1, f2, f3, f4: integer of 2, 3, 4, 8 bytes
//
// Text that is the decimal form of a 64-bit integer is stored as that integer.
// Cost:     both ends O(1); in the middle a walk, and a move of what follows. 2 bytes per short
//           item, 7 per block.
// Holds:    the sizes of each item agree from both sides, and so does the block's. A count of 65535
//           means "as many or more": then it is counted.
// Bytes that came from outside go through Valid() first; nothing else here checks them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "src/base/number_text.h"
#include "storage/allocated_bytes.h"

namespace aeris::storage {

// Room for the decimal text of any integer.
struct IntegerText {
  char bytes[24];
};

// One item: text inside the block, or an integer.
struct PackedItem {
  std::string_view text{};
  std::int64_t integer = 0;
  bool is_integer = false;

  // Of an integer, written to `scratch`.
  std::string_view Text(IntegerText& scratch) const {
    if (!is_integer) return text;
    return {scratch.bytes, FormatInt64(scratch.bytes, integer)};
  }
  std::string String() const {
    IntegerText scratch;
    return std::string(Text(scratch));
  }
};

// Reading. Positions are offsets into the block, valid until it changes; kEnd is none.
class PackedView {
 public:
  using Position = std::uint32_t;
  static constexpr Position kEnd = 0;
  static constexpr std::size_t kHeadBytes = 6;
  static constexpr std::size_t kEmptyBytes = kHeadBytes + 1;

  explicit PackedView(std::string_view bytes) : bytes_(bytes) {}

  std::string_view bytes() const { return bytes_; }
  bool empty() const { return bytes_.size() == kEmptyBytes; }
  std::size_t size() const;  // items; O(1) below 65535

  Position First() const { return empty() ? kEnd : Position{kHeadBytes}; }
  Position Last() const { return Previous(End()); }
  // kEnd after the last, and before the first.
  Position Next(Position at) const {
    const Position next = at + ItemBytes(at);
    return next == End() ? kEnd : next;
  }
  Position Previous(Position at) const;
  // Counted from the end when negative, -1 is the last; kEnd outside. Walks from the nearer end.
  Position At(std::int64_t index) const;
  // `steps` items further, kEnd beyond the end.
  Position Skip(Position at, std::size_t steps) const;

  PackedItem Get(Position at) const;
  // Whether the item has this text, integers by their decimal form.
  bool Is(Position at, std::string_view text) const;
  // The first item with this text among `at` and every (skip + 1)th one after it. kEnd if none.
  Position Find(Position at, std::string_view text, unsigned skip = 0) const;

  // Bytes that an item takes: head, data and the size behind them.
  Position ItemBytes(Position at) const;
  // Those that this text will take.
  static std::size_t BytesFor(std::string_view text);
  // Writes an item, of a text at most kItemBytesMax more bytes than it has; returns its end.
  static constexpr std::size_t kItemBytesMax = 10;
  static char* WriteItem(char* to, std::string_view text);
  static char* WriteItem(char* to, std::int64_t integer);

  // Whether the bytes are a block in every detail. O(n).
  static bool Valid(std::string_view bytes);

 protected:
  Position End() const { return static_cast<Position>(bytes_.size() - 1); }

 private:
  std::string_view bytes_;
};

// The bytes of one item before they stand in a block: for containers that lay blocks out themselves
// (list_block.h). Refers to the text it was made of.
class EncodedItem {
 public:
  explicit EncodedItem(std::string_view text);
  std::size_t size() const { return head_size_ + text_.size() + back_size_; }
  // Writes size() bytes.
  void WriteTo(char* to) const;

 private:
  std::string_view text_;  // empty for an integer
  char head_[9];
  std::uint8_t head_size_;
  std::uint8_t back_size_;
};

// Changing. Owns its bytes; below 1 GiB.
class PackedBlock {
 public:
  using Position = PackedView::Position;
  static constexpr Position kEnd = PackedView::kEnd;
  // A block does not grow beyond this, so that sizes fit their fields.
  static constexpr std::size_t kBytesMax = std::size_t{1} << 30;

  PackedBlock() { Clear(); }
  // A copy of a block's bytes.
  explicit PackedBlock(std::string_view bytes) : bytes_(bytes) {}

  PackedView view() const { return PackedView(bytes_); }
  std::string_view bytes() const { return bytes_; }
  std::size_t size() const { return view().size(); }
  bool empty() const { return view().empty(); }
  // Whether an item of this text still fits.
  bool HasRoomFor(std::string_view text) const {
    return bytes_.size() + PackedView::BytesFor(text) <= kBytesMax;
  }

  void Clear();
  void Assign(std::string_view bytes) { bytes_.assign(bytes); }
  void Append(std::string_view text) { Insert(kEnd, text); }
  void Append(std::int64_t integer) { Insert(kEnd, integer); }
  void Prepend(std::string_view text) {
    Insert(empty() ? kEnd : Position{PackedView::kHeadBytes}, text);
  }
  // Before `at`, at the end for kEnd. Returns where the new item is; `text` may lie inside.
  Position Insert(Position at, std::string_view text);
  Position Insert(Position at, std::int64_t integer);
  // Returns where the item is then.
  Position Replace(Position at, std::string_view text);
  Position Replace(Position at, std::int64_t integer);
  // Removes `count` items from `at` on; returns the one that follows, kEnd if none.
  Position Erase(Position at, std::size_t count = 1);
  // Appends items copied from another block: the whole items between two positions of it (kEnd is
  // its end), `count` of them.
  void AppendItems(PackedView from, Position begin, Position end, std::size_t count);
  // Appends `count` items, `bytes_max` bytes at most, which write(char* to) puts there by
  // PackedView::WriteItem; it returns their end.
  template <typename Write>
  void AppendWith(std::size_t bytes_max, std::size_t count, Write&& write) {
    const std::size_t end = bytes_.size() - 1;
    bytes_.resize_and_overwrite(end + bytes_max + 1, [&](char* bytes, std::size_t) {
      char* const stop = write(bytes + end);
      *stop = static_cast<char>(0xff);
      return static_cast<std::size_t>(stop - bytes) + 1;
    });
    Appended(count);
  }
  // Room for `bytes` in all, and no more.
  void Reserve(std::size_t bytes);
  // The bytes themselves, for contents that are no items (an intset).
  std::string& raw() { return bytes_; }
  // As many bytes as it has, no more.
  void ShrinkToFit() { bytes_.shrink_to_fit(); }
  std::size_t capacity_bytes() const { return bytes_.capacity(); }
  // What it has allocated.
  std::size_t allocated_bytes() const { return TextHeapBytes(bytes_.capacity()); }

 private:
  Position Put(Position at, Position old_bytes, std::string_view item, int items_added);
  void Appended(std::size_t count);
  void CountChanged(std::int64_t by);
  void WriteSize();

  std::string bytes_;
};

}  // namespace aeris::storage
