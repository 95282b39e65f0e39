#include "src/tracking_prefixes.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "src/client.h"

namespace aeris {

void TrackingPrefixes::Add(std::string_view prefix, Client& reader) {
  auto found = prefixes_.find(prefix);
  if (found == prefixes_.end()) found = prefixes_.try_emplace(std::string(prefix)).first;
  found->second.readers.emplace(reader.id(), &reader);
}

void TrackingPrefixes::Remove(std::string_view prefix, const Client& reader) {
  const auto found = prefixes_.find(prefix);
  if (found == prefixes_.end()) return;
  found->second.readers.erase(reader.id());
  if (!found->second.readers.empty()) return;
  written_.erase(found->first);
  prefixes_.erase(found);
}

// Candidates come in falling order. The greatest name that is not above the key tells how much of
// the key those below it can have: no more than it has itself.
void TrackingPrefixes::Note(std::string_view key, std::uint64_t writer) {
  std::string_view rest = key;
  auto next = prefixes_.upper_bound(rest);
  while (next != prefixes_.begin()) {
    const auto candidate = std::prev(next);
    const std::string_view prefix = candidate->first;
    const std::size_t common =
        static_cast<std::size_t>(std::ranges::mismatch(prefix, rest).in1 - prefix.begin());
    if (common < prefix.size()) {
      rest = rest.substr(0, common);
      next = prefixes_.upper_bound(rest);
      continue;
    }
    Prefix& found = candidate->second;
    if (found.keys.empty()) written_.emplace(prefix, &found);
    found.keys.push_back({.key = std::string(key), .writer = writer});
    next = candidate;
  }
}

void TrackingPrefixes::Flush(const std::function<bool(const Client&)>& no_loop,
                             const std::function<void(Client&, std::string_view keys)>& send) {
  for (const auto& [name, prefix] : std::exchange(written_, {})) {
    std::vector<Written> keys = std::exchange(prefix->keys, {});
    SortKeys(keys);
    const std::string for_all = Encode(keys, kNoWriter);
    for (const auto& [id, reader] : prefix->readers) {
      const auto own = [id = id](const Written& each) { return each.writer == id; };
      if (!no_loop(*reader) || std::ranges::none_of(keys, own)) {
        send(*reader, for_all);
      } else if (!std::ranges::all_of(keys, own)) {
        send(*reader, Encode(keys, id));
      }
    }
  }
}

// Each key once, with its last writer.
void TrackingPrefixes::SortKeys(std::vector<Written>& keys) {
  std::ranges::stable_sort(keys, {}, &Written::key);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const bool last = i + 1 == keys.size() || keys[i + 1].key != keys[i].key;
    if (!last) continue;
    if (kept != i) keys[kept] = std::move(keys[i]);
    ++kept;
  }
  keys.resize(kept);
}

std::string TrackingPrefixes::Encode(const std::vector<Written>& keys, std::uint64_t without) {
  std::size_t count = 0;
  std::string bulks;
  for (const Written& each : keys) {
    if (without != kNoWriter && each.writer == without) continue;
    fmt::format_to(std::back_inserter(bulks), "${}\r\n{}\r\n", each.key.size(), each.key);
    ++count;
  }
  return fmt::format("*{}\r\n{}", count, bulks);
}

bool PrefixesOverlap(std::string_view a, std::string_view b) {
  return a.starts_with(b) || b.starts_with(a);
}

}  // namespace aeris
