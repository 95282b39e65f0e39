#include "storage/packed_block.h"

#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <optional>

#include "src/base/check.h"

namespace aeris::storage {
namespace {

using Position = PackedView::Position;

constexpr std::uint8_t kText6 = 0x80;
constexpr std::uint8_t kInteger13 = 0xc0;
constexpr std::uint8_t kText12 = 0xe0;
constexpr std::uint8_t kText32 = 0xf0;
constexpr std::uint8_t kInteger16 = 0xf1;
constexpr std::uint8_t kInteger24 = 0xf2;
constexpr std::uint8_t kInteger32 = 0xf3;
constexpr std::uint8_t kInteger64 = 0xf4;
constexpr std::uint8_t kEndMark = 0xff;

constexpr std::size_t kCountOffset = 4;
constexpr std::uint32_t kManyItems = 0xffff;
constexpr std::size_t kBackBytesMax = 5;
constexpr std::size_t kHeadMax = 5;

std::uint8_t ByteAt(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}

template <typename T>
T LoadAt(std::string_view bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

// Head and data of the item at `at`. `bytes` holds at least its head.
std::size_t DataBytes(std::string_view bytes, std::size_t at) {
  const std::uint8_t head = ByteAt(bytes, at);
  if (head < kText6) return 1;
  if (head < kInteger13) return 1 + (head & 0x3fu);
  if (head < kText12) return 2;
  if (head < kText32) return 2 + ((head & 0xfu) << 8 | ByteAt(bytes, at + 1));
  switch (head) {
    case kText32:
      return 5 + std::size_t{LoadAt<std::uint32_t>(bytes, at + 1)};
    case kInteger16:
      return 3;
    case kInteger24:
      return 4;
    case kInteger32:
      return 5;
    default:
      return 9;
  }
}

// Bytes of the field that says the size of head and data.
std::size_t BackBytes(std::size_t data_bytes) {
  if (data_bytes < 1u << 7) return 1;
  return (static_cast<std::size_t>(std::bit_width(data_bytes)) + 6) / 7;
}

// Seven bits a byte, the lowest in the last one; all but the first have the high bit set.
void WriteBack(char* to, std::size_t data_bytes, std::size_t count) {
  for (std::size_t i = count; i-- > 0;) {
    const auto low = static_cast<std::uint8_t>(data_bytes & 0x7f);
    to[i] = static_cast<char>(i == 0 ? low : low | 0x80);
    data_bytes >>= 7;
  }
}

// The size that ends before `end`.
std::size_t ReadBack(std::string_view bytes, std::size_t end, std::size_t begin) {
  std::size_t size = 0;
  for (unsigned i = 0; i < kBackBytesMax && end - i > begin; ++i) {
    const std::uint8_t byte = ByteAt(bytes, end - i - 1);
    size |= std::size_t{byte & 0x7fu} << (7 * i);
    if ((byte & 0x80) == 0) return size;
  }
  return 0;
}

// The head of an item, with an integer's data, its text left out.
struct Head {
  std::array<char, 9> bytes{};
  std::size_t size = 0;

  void Add(std::uint64_t value, std::size_t count) {
    std::memcpy(bytes.data() + size, &value, count);  // little endian
    size += count;
  }
};

Head HeadOf(std::int64_t integer) {
  const auto bits = static_cast<std::uint64_t>(integer);
  Head head;
  if (integer >= 0 && integer <= 127) {
    head.Add(bits, 1);
  } else if (integer >= -4096 && integer <= 4095) {
    head.Add(kInteger13 | (bits >> 8 & 0x1f), 1);
    head.Add(bits & 0xff, 1);
  } else if (integer >= std::numeric_limits<std::int16_t>::min() &&
             integer <= std::numeric_limits<std::int16_t>::max()) {
    head.Add(kInteger16, 1);
    head.Add(bits, 2);
  } else if (integer >= -(1 << 23) && integer < 1 << 23) {
    head.Add(kInteger24, 1);
    head.Add(bits, 3);
  } else if (integer >= std::numeric_limits<std::int32_t>::min() &&
             integer <= std::numeric_limits<std::int32_t>::max()) {
    head.Add(kInteger32, 1);
    head.Add(bits, 4);
  } else {
    head.Add(kInteger64, 1);
    head.Add(bits, 8);
  }
  return head;
}

Head HeadOfText(std::size_t size) {
  Head head;
  if (size < 64) {
    head.Add(kText6 | size, 1);
  } else if (size < 4096) {
    head.Add(kText12 | size >> 8, 1);
    head.Add(size & 0xff, 1);
  } else {
    head.Add(kText32, 1);
    head.Add(size, 4);
  }
  return head;
}

// Integers of up to 20 digits are the only texts worth parsing.
std::optional<std::int64_t> IntegerIn(std::string_view text) {
  if (text.empty() || text.size() > kInt64TextMax) return std::nullopt;
  const char first = text.front();
  if (first != '-' && (first < '0' || first > '9')) return std::nullopt;
  return ParseInt64(text);
}

std::int64_t SignExtended(std::uint32_t value, unsigned bits) {
  const unsigned unused = 32 - bits;
  return static_cast<std::int32_t>(value << unused) >> unused;
}

}  // namespace

// --- Reading

std::size_t PackedView::size() const {
  const std::uint32_t count = LoadAt<std::uint16_t>(bytes_, kCountOffset);
  if (count != kManyItems) return count;
  std::size_t counted = 0;
  for (Position at = First(); at != kEnd; at = Next(at)) ++counted;
  return counted;
}

Position PackedView::ItemBytes(Position at) const {
  const std::size_t data = DataBytes(bytes_, at);
  return static_cast<Position>(data + BackBytes(data));
}

Position PackedView::Previous(Position at) const {
  if (at == kHeadBytes) return kEnd;
  const std::size_t data = ReadBack(bytes_, at, kHeadBytes);
  return static_cast<Position>(at - data - BackBytes(data));
}

Position PackedView::At(std::int64_t index) const {
  const auto count = static_cast<std::int64_t>(size());
  if (index < 0) index += count;
  if (index < 0 || index >= count) return kEnd;
  if (index <= count / 2) return Skip(First(), static_cast<std::size_t>(index));
  Position at = Last();
  for (std::int64_t i = count - 1; i > index; --i) at = Previous(at);
  return at;
}

Position PackedView::Skip(Position at, std::size_t steps) const {
  for (; steps > 0 && at != kEnd; --steps) at = Next(at);
  return at;
}

PackedItem PackedView::Get(Position at) const {
  const std::uint8_t head = ByteAt(bytes_, at);
  const auto text = [&](std::size_t offset, std::size_t size) {
    return PackedItem{.text = bytes_.substr(at + offset, size)};
  };
  const auto integer = [](std::int64_t value) {
    return PackedItem{.integer = value, .is_integer = true};
  };
  if (head < kText6) return integer(head);
  if (head < kInteger13) return text(1, head & 0x3fu);
  if (head < kText12) {
    return integer(SignExtended((head & 0x1fu) << 8 | ByteAt(bytes_, at + 1), 13));
  }
  if (head < kText32) return text(2, (head & 0xfu) << 8 | ByteAt(bytes_, at + 1));
  switch (head) {
    case kText32:
      return text(5, LoadAt<std::uint32_t>(bytes_, at + 1));
    case kInteger16:
      return integer(LoadAt<std::int16_t>(bytes_, at + 1));
    case kInteger24: {
      const std::uint32_t low = LoadAt<std::uint16_t>(bytes_, at + 1);
      return integer(SignExtended(low | std::uint32_t{ByteAt(bytes_, at + 3)} << 16, 24));
    }
    case kInteger32:
      return integer(LoadAt<std::int32_t>(bytes_, at + 1));
    default:
      return integer(LoadAt<std::int64_t>(bytes_, at + 1));
  }
}

bool PackedView::Is(Position at, std::string_view text) const {
  const PackedItem item = Get(at);
  if (!item.is_integer) return item.text == text;
  return IntegerIn(text) == item.integer;
}

Position PackedView::Find(Position at, std::string_view text, unsigned skip) const {
  const std::optional<std::int64_t> integer = IntegerIn(text);
  while (at != kEnd) {
    const PackedItem item = Get(at);
    // An integer is never stored as text.
    if (integer ? item.is_integer && item.integer == *integer
                : !item.is_integer && item.text == text) {
      return at;
    }
    at = Skip(at, std::size_t{skip} + 1);
  }
  return kEnd;
}

std::size_t PackedView::BytesFor(std::string_view text) {
  const std::optional<std::int64_t> integer = IntegerIn(text);
  const std::size_t data =
      integer ? HeadOf(*integer).size : HeadOfText(text.size()).size + text.size();
  return data + BackBytes(data);
}

char* PackedView::WriteItem(char* to, std::string_view text) {
  if (const auto integer = IntegerIn(text)) return WriteItem(to, *integer);
  const Head head = HeadOfText(text.size());
  std::memcpy(to, head.bytes.data(), head.size);
  if (!text.empty()) std::memcpy(to + head.size, text.data(), text.size());
  const std::size_t data = head.size + text.size();
  const std::size_t back = BackBytes(data);
  WriteBack(to + data, data, back);
  return to + data + back;
}

char* PackedView::WriteItem(char* to, std::int64_t integer) {
  const Head head = HeadOf(integer);
  std::memcpy(to, head.bytes.data(), head.size);
  to[head.size] = static_cast<char>(head.size);  // always one byte
  return to + head.size + 1;
}

bool PackedView::Valid(std::string_view bytes) {
  if (bytes.size() < kEmptyBytes || bytes.size() > PackedBlock::kBytesMax) return false;
  if (LoadAt<std::uint32_t>(bytes, 0) != bytes.size()) return false;
  if (ByteAt(bytes, bytes.size() - 1) != kEndMark) return false;
  const std::size_t end = bytes.size() - 1;
  std::size_t items = 0;
  for (std::size_t at = kHeadBytes; at < end; ++items) {
    const std::uint8_t head = ByteAt(bytes, at);
    if (head > kInteger64) return false;
    // Of the longest head the size may lie behind the end mark.
    if (head == kText32 && end - at < kHeadMax) return false;
    const std::size_t data = DataBytes(bytes, at);
    const std::size_t back = BackBytes(data);
    if (back > kBackBytesMax || data > end - at || back > end - at - data) return false;
    std::array<char, kBackBytesMax> expected{};
    WriteBack(expected.data(), data, back);
    if (bytes.substr(at + data, back) != std::string_view(expected.data(), back)) return false;
    at += data + back;
  }
  const std::uint32_t count = LoadAt<std::uint16_t>(bytes, kCountOffset);
  return count == kManyItems || count == items;
}

// --- Changing

EncodedItem::EncodedItem(std::string_view text) {
  const std::optional<std::int64_t> integer = IntegerIn(text);
  const Head head = integer ? HeadOf(*integer) : HeadOfText(text.size());
  if (!integer) text_ = text;
  std::memcpy(head_, head.bytes.data(), sizeof head_);
  head_size_ = static_cast<std::uint8_t>(head.size);
  back_size_ = static_cast<std::uint8_t>(BackBytes(head.size + text_.size()));
}

void EncodedItem::WriteTo(char* to) const {
  std::memcpy(to, head_, head_size_);
  if (!text_.empty()) std::memcpy(to + head_size_, text_.data(), text_.size());
  const std::size_t data = head_size_ + text_.size();
  WriteBack(to + data, data, back_size_);
}

void PackedBlock::Clear() {
  bytes_.assign(PackedView::kEmptyBytes, '\0');
  bytes_.back() = static_cast<char>(kEndMark);
  WriteSize();
}

// Puts `item`, whole, in the place of `old_bytes` bytes.
Position PackedBlock::Put(Position at, Position old_bytes, std::string_view item, int items_added) {
  if (at == kEnd) at = static_cast<Position>(bytes_.size() - 1);
  bytes_.replace(at, old_bytes, item);
  AERIS_CHECK(bytes_.size() <= kBytesMax);
  WriteSize();
  if (items_added != 0) CountChanged(items_added);
  return at;
}

namespace {

// An item's whole bytes: in place where they are short, which they mostly are.
class WholeItem {
 public:
  WholeItem(const Head& head, std::string_view text) {
    const std::size_t data = head.size + text.size();
    const std::size_t back = BackBytes(data);
    size_ = data + back;
    char* to = inline_.data();
    if (size_ > inline_.size()) {
      long_.resize(size_);
      to = long_.data();
    }
    std::memcpy(to, head.bytes.data(), head.size);
    if (!text.empty()) std::memcpy(to + head.size, text.data(), text.size());
    WriteBack(to + data, data, back);
  }
  std::string_view bytes() const { return {long_.empty() ? inline_.data() : long_.data(), size_}; }

 private:
  std::array<char, 256> inline_;
  std::string long_;
  std::size_t size_ = 0;
};

WholeItem ItemOf(std::int64_t integer) { return {HeadOf(integer), {}}; }

WholeItem ItemOf(std::string_view text) {
  if (const auto integer = IntegerIn(text)) return ItemOf(*integer);
  return {HeadOfText(text.size()), text};
}

}  // namespace

Position PackedBlock::Insert(Position at, std::string_view text) {
  return Put(at, 0, ItemOf(text).bytes(), 1);
}

Position PackedBlock::Insert(Position at, std::int64_t integer) {
  return Put(at, 0, ItemOf(integer).bytes(), 1);
}

Position PackedBlock::Replace(Position at, std::string_view text) {
  return Put(at, view().ItemBytes(at), ItemOf(text).bytes(), 0);
}

Position PackedBlock::Replace(Position at, std::int64_t integer) {
  return Put(at, view().ItemBytes(at), ItemOf(integer).bytes(), 0);
}

Position PackedBlock::Erase(Position at, std::size_t count) {
  Position end = at;
  const auto block_end = static_cast<Position>(bytes_.size() - 1);
  std::size_t erased = 0;
  for (; erased < count && end != block_end; ++erased) end += view().ItemBytes(end);
  bytes_.erase(at, end - at);
  WriteSize();
  CountChanged(-static_cast<std::int64_t>(erased));
  return at + 1 == bytes_.size() ? kEnd : at;
}

void PackedBlock::AppendItems(PackedView from, Position begin, Position end, std::size_t count) {
  const std::size_t stop = end == kEnd ? from.bytes().size() - 1 : end;
  bytes_.insert(bytes_.size() - 1, from.bytes().substr(begin, stop - begin));
  Appended(count);
}

void PackedBlock::Appended(std::size_t count) {
  AERIS_CHECK(bytes_.size() <= kBytesMax);
  WriteSize();
  CountChanged(static_cast<std::int64_t>(count));
}

void PackedBlock::Reserve(std::size_t bytes) {
  if (bytes <= bytes_.capacity()) return;
  // std::string::reserve() at least doubles.
  std::string grown;
  grown.reserve(bytes);
  grown = bytes_;
  bytes_.swap(grown);
}

void PackedBlock::WriteSize() {
  const auto size = static_cast<std::uint32_t>(bytes_.size());
  std::memcpy(bytes_.data(), &size, sizeof size);
}

// Once there are too many to say, they are counted again only when that may no longer be so.
void PackedBlock::CountChanged(std::int64_t by) {
  std::uint16_t stored = LoadAt<std::uint16_t>(bytes_, kCountOffset);
  std::int64_t count = stored;
  if (stored == kManyItems) {
    if (by > 0) return;
    count = static_cast<std::int64_t>(view().size());
  } else {
    count += by;
  }
  stored = static_cast<std::uint16_t>(count < kManyItems ? count : kManyItems);
  std::memcpy(bytes_.data() + kCountOffset, &stored, sizeof stored);
}

}  // namespace aeris::storage
