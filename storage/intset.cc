#include "storage/intset.h"

#include <limits>
#include <utility>

namespace aeris::storage {

std::int64_t IntsetView::operator[](std::size_t index) const {
  const std::size_t at = kHeadBytes + index * width();
  switch (width()) {
    case 2:
      return Load<std::int16_t>(at);
    case 4:
      return Load<std::int32_t>(at);
    default:
      return Load<std::int64_t>(at);
  }
}

std::size_t IntsetView::LowerBound(std::int64_t value) const {
  std::size_t first = 0;
  for (std::size_t count = size(); count > 0;) {
    const std::size_t half = count / 2;
    if ((*this)[first + half] < value) {
      first += half + 1;
      count -= half + 1;
    } else {
      count = half;
    }
  }
  return first;
}

bool IntsetView::Contains(std::int64_t value) const {
  const std::size_t at = LowerBound(value);
  return at < size() && (*this)[at] == value;
}

bool IntsetView::Valid(std::string_view bytes) {
  if (bytes.size() < kHeadBytes) return false;
  const IntsetView set(bytes);
  const unsigned width = set.width();
  if (width != 2 && width != 4 && width != 8) return false;
  if ((bytes.size() - kHeadBytes) % width != 0) return false;
  if ((bytes.size() - kHeadBytes) / width != set.size() || set.size() == 0) return false;
  for (std::size_t i = 1; i < set.size(); ++i) {
    if (set[i - 1] >= set[i]) return false;
  }
  return true;
}

namespace {

template <typename T>
bool Fits(std::int64_t value) {
  return value >= std::numeric_limits<T>::min() && value <= std::numeric_limits<T>::max();
}

unsigned WidthOf(std::int64_t value) {
  if (Fits<std::int16_t>(value)) return 2;
  return Fits<std::int32_t>(value) ? 4 : 8;
}

void StoreAt(std::string& bytes, std::size_t at, std::uint32_t value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

void Widen(std::string& bytes, unsigned width) {
  const IntsetView narrow(bytes);
  std::string wide(IntsetView::kHeadBytes + narrow.size() * width, '\0');
  StoreAt(wide, 0, width);
  StoreAt(wide, 4, static_cast<std::uint32_t>(narrow.size()));
  for (std::size_t i = 0; i < narrow.size(); ++i) {
    const std::int64_t value = narrow[i];
    std::memcpy(wide.data() + IntsetView::kHeadBytes + i * width, &value, width);
  }
  bytes = std::move(wide);
}

}  // namespace

std::string EmptyIntset() {
  std::string bytes(IntsetView::kHeadBytes, '\0');
  StoreAt(bytes, 0, 2);
  return bytes;
}

bool IntsetInsert(std::string& bytes, std::int64_t value) {
  if (WidthOf(value) > IntsetView(bytes).width()) Widen(bytes, WidthOf(value));
  const IntsetView set(bytes);
  const std::size_t index = set.LowerBound(value);
  if (index < set.size() && set[index] == value) return false;
  const auto count = static_cast<std::uint32_t>(set.size() + 1);
  const unsigned width = set.width();
  // Little endian: the low bytes are the number in fewer bytes.
  char item[sizeof value];
  std::memcpy(item, &value, sizeof value);
  bytes.insert(IntsetView::kHeadBytes + index * width, item, width);
  StoreAt(bytes, 4, count);
  return true;
}

bool IntsetErase(std::string& bytes, std::int64_t value) {
  const IntsetView set(bytes);
  const std::size_t index = set.LowerBound(value);
  if (index == set.size() || set[index] != value) return false;
  const auto count = static_cast<std::uint32_t>(set.size() - 1);
  const unsigned width = set.width();
  bytes.erase(IntsetView::kHeadBytes + index * width, width);
  StoreAt(bytes, 4, count);
  return true;
}

}  // namespace aeris::storage
