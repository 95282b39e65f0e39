#include "src/hot_keys.h"

namespace aeris {

HotKeys::HotKeys(Random& random)
    : random_(random),
      by_requests_(KeyLoad::kRequests, random),
      by_bytes_(KeyLoad::kBytes, random) {
  DrawGap();
}

void HotKeys::DrawGap() { until_next_ = 1 + random_.Below(2 * kSampleEvery - 1); }

// Keys of the same text in other databases are other keys.
std::uint64_t HotKeys::NameOf(std::size_t database, const storage::HashedKey& key) {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;
  return key.hash ^ database * kOdd;
}

void HotKeys::AddKey(std::size_t database, const storage::HashedKey& key, const KeyLoads& loads) {
  const std::uint64_t name = NameOf(database, key);
  by_requests_.Add(name, key.text, database, loads);
  by_bytes_.Add(name, key.text, database, loads);
}

void HotKeys::Age(MonotonicTime now) {
  if (!halved_) halved_ = now;
  if (now - *halved_ < kHalfLife) return;
  halved_ = now;
  by_requests_.Halve();
  by_bytes_.Halve();
}

void HotKeys::Reset() {
  by_requests_.Clear();
  by_bytes_.Clear();
}

std::vector<HotKey> HotKeys::Top(KeyLoad ranked_by, std::size_t count) const {
  const TopKeys& keys = ranked_by == KeyLoad::kRequests ? by_requests_ : by_bytes_;
  std::vector<HotKey> top = keys.Top(count);
  for (HotKey& key : top) {
    for (std::uint64_t& load : key.loads.of) load *= kSampleEvery;
  }
  return top;
}

std::uint64_t HotKeys::RequestsTo(std::size_t database, const storage::HashedKey& key) const {
  return by_requests_.Of(NameOf(database, key))[KeyLoad::kRequests] * kSampleEvery;
}

}  // namespace aeris
