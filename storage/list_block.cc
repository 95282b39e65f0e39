#include "storage/list_block.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "src/base/check.h"

namespace aeris::storage {
namespace {

constexpr std::uint32_t kHead = PackedView::kHeadBytes;
constexpr std::size_t kFrame = PackedView::kEmptyBytes;
constexpr std::uint32_t kManyItems = 0xffff;

}  // namespace

ListBlock::ListBlock(std::string_view bytes, std::size_t items)
    : data_(std::make_unique_for_overwrite<char[]>(bytes.size())),
      capacity_(static_cast<std::uint32_t>(bytes.size())),
      end_(static_cast<std::uint32_t>(bytes.size() - 1)),
      count_(static_cast<std::uint32_t>(items)) {
  std::memcpy(data_.get(), bytes.data(), bytes.size());
}

ListBlock::Position ListBlock::At(std::size_t index) const {
  const PackedView items = view();
  if (index <= count_ / 2) return items.Skip(items.First(), index);
  Position at = items.Last();
  for (std::size_t i = count_ - 1; i > index; --i) at = items.Previous(at);
  return at;
}

// Size, count and end mark. Small stores that a block in use has in cache.
void ListBlock::WriteFrame() {
  const auto size = static_cast<std::uint32_t>(bytes());
  const auto count = static_cast<std::uint16_t>(std::min(count_, kManyItems));
  char* const head = data_.get() + begin_ - kHead;
  std::memcpy(head, &size, sizeof size);
  std::memcpy(head + sizeof size, &count, sizeof count);
  data_[end_] = static_cast<char>(0xff);
}

// The items move to `begin` of an allocation of `capacity` bytes, the present one if it has that.
void ListBlock::MoveTo(std::size_t capacity, std::size_t begin) {
  AERIS_CHECK(capacity <= PackedBlock::kBytesMax);
  const std::uint32_t size = end_ - begin_;
  if (capacity == capacity_) {
    std::memmove(data_.get() + begin, data_.get() + begin_, size);
  } else {
    auto moved = std::make_unique_for_overwrite<char[]>(capacity);
    if (size > 0) std::memcpy(moved.get() + begin, data_.get() + begin_, size);
    data_ = std::move(moved);
    capacity_ = static_cast<std::uint32_t>(capacity);
  }
  begin_ = static_cast<std::uint32_t>(begin);
  end_ = begin_ + size;
}

namespace {

// What a block of `needed` bytes gets; one that is alone with its item gets no more.
std::size_t CapacityFor(std::size_t needed, bool first) {
  return first ? needed : std::min(std::bit_ceil(needed), PackedBlock::kBytesMax);
}

}  // namespace

void ListBlock::RoomBefore(std::size_t bytes_wanted) {
  if (data_ != nullptr && begin_ - kHead >= bytes_wanted) [[likely]]
    return;
  const std::size_t needed = bytes() + bytes_wanted;
  if (needed <= capacity_) {
    // Room at the other end: half of what is left stays there.
    const std::size_t left = capacity_ - needed;
    return MoveTo(capacity_, kHead + bytes_wanted + (left + 1) / 2);
  }
  const std::size_t capacity = CapacityFor(needed, count_ == 0);
  MoveTo(capacity, capacity - 1 - (end_ - begin_));
}

void ListBlock::RoomBehind(std::size_t bytes_wanted) {
  if (data_ != nullptr && capacity_ - end_ - 1 >= bytes_wanted) [[likely]]
    return;
  const std::size_t needed = bytes() + bytes_wanted;
  if (needed <= capacity_) return MoveTo(capacity_, kHead + (capacity_ - needed) / 2);
  MoveTo(CapacityFor(needed, count_ == 0), kHead);
}

void ListBlock::Reserve(std::size_t bytes, bool before) {
  MoveTo(bytes, before ? bytes - 1 : kHead);
}

void ListBlock::PushFront(const EncodedItem& item) {
  const std::size_t size = item.size();
  RoomBefore(size);
  begin_ -= static_cast<std::uint32_t>(size);
  item.WriteTo(data_.get() + begin_);
  ++count_;
  WriteFrame();
}

void ListBlock::PushBack(const EncodedItem& item) {
  const std::size_t size = item.size();
  RoomBehind(size);
  item.WriteTo(data_.get() + end_);
  end_ += static_cast<std::uint32_t>(size);
  ++count_;
  WriteFrame();
}

void ListBlock::PopFront() {
  begin_ += view().ItemBytes(kHead);
  --count_;
  WriteFrame();
}

void ListBlock::PopBack() {
  end_ = Offset(view().Last());
  --count_;
  WriteFrame();
}

void ListBlock::Insert(Position at, const EncodedItem& item) {
  const auto size = static_cast<std::uint32_t>(item.size());
  const std::uint32_t before = at - kHead;
  if (before < (end_ - begin_) / 2) {
    RoomBefore(size);
    char* const begin = data_.get() + begin_;
    std::memmove(begin - size, begin, before);
    begin_ -= size;
  } else {
    RoomBehind(size);
    char* const from = data_.get() + begin_ + before;
    std::memmove(from + size, from, end_ - begin_ - before);
    end_ += size;
  }
  item.WriteTo(data_.get() + begin_ + before);
  ++count_;
  WriteFrame();
}

void ListBlock::Replace(Position at, const EncodedItem& item) {
  const std::uint32_t old_size = view().ItemBytes(at);
  const auto size = static_cast<std::uint32_t>(item.size());
  if (size > old_size) RoomBehind(size - old_size);
  char* const place = data_.get() + Offset(at);
  const char* const behind = place + old_size;
  std::memmove(place + size, behind, static_cast<std::size_t>(data_.get() + end_ - behind));
  item.WriteTo(place);
  end_ = end_ - old_size + size;
  WriteFrame();
}

ListBlock::Position ListBlock::Erase(Position at, std::size_t count) {
  const PackedView items = view();
  Position stop = at;
  const Position last = end_ - begin_ + kHead;
  std::uint32_t erased = 0;
  for (; erased < count && stop != last; ++erased) stop += items.ItemBytes(stop);
  const std::uint32_t size = stop - at;
  const std::uint32_t before = at - kHead;
  char* const begin = data_.get() + begin_;
  if (before < last - stop) {
    std::memmove(begin + size, begin, before);
    begin_ += size;
  } else {
    std::memmove(begin + before, begin + before + size, last - stop);
    end_ -= size;
  }
  count_ -= erased;
  WriteFrame();
  return stop == last ? PackedView::kEnd : at;
}

ListBlock ListBlock::Split(Position at, std::size_t index) {
  const std::uint32_t from = Offset(at);
  const std::size_t size = end_ - from;
  ListBlock behind;
  behind.MoveTo(size + kFrame, kHead);
  std::memcpy(behind.data_.get() + kHead, data_.get() + from, size);
  behind.end_ = kHead + static_cast<std::uint32_t>(size);
  behind.count_ = count_ - static_cast<std::uint32_t>(index);
  behind.WriteFrame();
  end_ = from;
  count_ = static_cast<std::uint32_t>(index);
  WriteFrame();
  Seal();
  return behind;
}

void ListBlock::Join(const ListBlock& other) {
  const std::uint32_t size = other.end_ - other.begin_;
  RoomBehind(size);
  std::memcpy(data_.get() + end_, other.data_.get() + other.begin_, size);
  end_ += size;
  count_ += other.count_;
  WriteFrame();
}

void ListBlock::Seal() {
  if (capacity_ == bytes()) return;
  MoveTo(bytes(), kHead);
  WriteFrame();
}

void ListBlock::CheckInvariants() const {
  AERIS_CHECK(begin_ >= kHead && begin_ <= end_ && end_ < capacity_);
  AERIS_CHECK(PackedView::Valid(view().bytes()));
  std::size_t items = 0;
  for (Position at = view().First(); at != PackedView::kEnd; at = view().Next(at)) ++items;
  AERIS_CHECK(items == count_);
}

}  // namespace aeris::storage
