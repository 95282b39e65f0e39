#include "src/top_keys.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "src/base/check.h"

namespace aeris {

std::size_t TopKeys::PlaceOf(std::uint64_t name) const {
  std::size_t place = HomeOf(name);
  while (places_[place] != kNone && keys_[places_[place]].name != name) {
    place = (place + 1) % kPlaces;
  }
  return place;
}

// Those behind it that were kept from their home by it move up.
void TopKeys::LeaveIndex(std::uint64_t name) {
  std::size_t gap = PlaceOf(name);
  for (std::size_t at = (gap + 1) % kPlaces; places_[at] != kNone; at = (at + 1) % kPlaces) {
    const std::size_t home = HomeOf(keys_[places_[at]].name);
    if ((at - home) % kPlaces < (at - gap) % kPlaces) continue;
    places_[gap] = places_[at];
    gap = at;
  }
  places_[gap] = kNone;
}

void TopKeys::Take(std::size_t index, std::uint64_t name, std::string_view text,
                   std::size_t database) {
  places_[PlaceOf(name)] = static_cast<std::uint8_t>(index);
  keys_[index].name = name;
  keys_[index].database = database;
  keys_[index].text = text;
}

void TopKeys::Add(std::uint64_t name, std::string_view text, std::size_t database,
                  const KeyLoads& loads) {
  const std::uint64_t load = loads[ranked_by_];
  const std::uint64_t other = loads.of[1 - static_cast<std::size_t>(ranked_by_)];
  if (load == 0) return;
  if (const std::size_t index = Find(name); index != kNone) {
    loads_[index] += load;
    keys_[index].other_load += other;
    return;
  }
  if (text.size() > kKeyBytesMax) return;
  if (count_ < kKeysMax) {
    Take(count_, name, text, database);
    loads_[count_] = load;
    keys_[count_].other_load = other;
    ++count_;
    return;
  }
  // The chance is load / (least + load). `least_` may be too low by now: it is looked for only when
  // the die has fallen well for that, and then thrown once more for the rest.
  if (random_.Below(least_ + load) >= load) return;
  const auto victim = std::min_element(loads_.begin(), loads_.end());
  const std::uint64_t before = std::exchange(least_, *victim);
  if (random_.Below(least_ + load) >= before + load) return;
  const auto index = static_cast<std::size_t>(victim - loads_.begin());
  LeaveIndex(keys_[index].name);
  Take(index, name, text, database);
  *victim += load;
  // It has been there as often without being seen.
  keys_[index].other_load = static_cast<std::uint64_t>(
      static_cast<double>(other) * static_cast<double>(*victim) / static_cast<double>(load));
}

void TopKeys::Halve() {
  for (std::uint64_t& load : loads_) load /= 2;
  for (Key& key : keys_) key.other_load /= 2;
  least_ /= 2;
}

void TopKeys::Clear() {
  count_ = 0;
  least_ = 0;
  loads_ = {};
  keys_ = {};
  places_ = NoPlaces();
}

KeyLoads TopKeys::LoadsOf(std::size_t index) const {
  KeyLoads loads;
  loads.of[static_cast<std::size_t>(ranked_by_)] = loads_[index];
  loads.of[1 - static_cast<std::size_t>(ranked_by_)] = keys_[index].other_load;
  return loads;
}

KeyLoads TopKeys::Of(std::uint64_t name) const {
  const std::size_t index = Find(name);
  return index != kNone ? LoadsOf(index) : KeyLoads();
}

std::vector<HotKey> TopKeys::Top(std::size_t count) const {
  std::array<std::size_t, kKeysMax> order;
  const auto end = order.begin() + static_cast<std::ptrdiff_t>(count_);
  std::iota(order.begin(), end, std::size_t{0});
  std::sort(order.begin(), end,
            [this](std::size_t a, std::size_t b) { return loads_[a] > loads_[b]; });
  std::vector<HotKey> top;
  for (std::size_t i = 0; i < std::min(count, count_); ++i) {
    const std::size_t index = order[i];
    if (loads_[index] == 0) break;
    top.push_back(
        {.key = keys_[index].text, .database = keys_[index].database, .loads = LoadsOf(index)});
  }
  return top;
}

void TopKeys::CheckInvariants() const {
  std::size_t found = 0;
  for (std::size_t place = 0; place < kPlaces; ++place) {
    if (places_[place] == kNone) continue;
    ++found;
    AERIS_CHECK(places_[place] < count_);
    AERIS_CHECK(PlaceOf(keys_[places_[place]].name) == place);
  }
  AERIS_CHECK(found == count_);
  AERIS_CHECK(count_ < kKeysMax || *std::min_element(loads_.begin(), loads_.end()) >= least_);
}

}  // namespace aeris
