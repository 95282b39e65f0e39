// The longest of many times, each with what it was the time of.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <vector>

namespace aeris::load {

inline constexpr std::size_t kLongestKept = 10;

// Keeps the ten with most `nanoseconds` that have been offered, longest first.
template <typename Item>
void KeepLongest(std::vector<Item>& longest, const Item& item) {
  if (longest.size() == kLongestKept && item.nanoseconds <= longest.back().nanoseconds) return;
  const auto place =
      std::ranges::upper_bound(longest, item.nanoseconds, std::greater{}, &Item::nanoseconds);
  longest.insert(place, item);
  if (longest.size() > kLongestKept) longest.pop_back();
}

}  // namespace aeris::load
