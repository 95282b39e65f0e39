#include "storage/intset.h"

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

}  // namespace aeris::storage
