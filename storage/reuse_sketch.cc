#include "storage/reuse_sketch.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <new>
#include <type_traits>
#include <utility>

#include "src/base/check.h"

namespace aeris::storage {
namespace {

constexpr std::size_t kStamps = 2 * ReuseSketch::kKeysMax;
constexpr std::size_t kChains = ReuseSketch::kKeysMax;
// Requests of the sample after which all counts are halved: a few minutes to hours of traffic.
constexpr double kRequestsMax = 1 << 17;
// A model that is wrong by more than this is not wrong about the policy alone.
constexpr double kFactorMax = 2;
// The model's misses are off by this divided by the root of the number of keys, one time in ten.
constexpr double kDoubt = 1.5;

// Distances fall into 16 steps for each power of two.
constexpr unsigned kStepBits = 4;
constexpr std::size_t kSteps = (64 - kStepBits) << kStepBits;

std::size_t StepOf(std::uint64_t distance) {
  constexpr std::uint64_t kExact = (2U << kStepBits) - 1;
  const unsigned shift = static_cast<unsigned>(std::bit_width(distance | kExact)) - (kStepBits + 1);
  return (std::size_t{shift} << kStepBits) + static_cast<std::size_t>(distance >> shift);
}

// The lowest distance of a step.
double StepBegin(std::size_t step) {
  if (step < (2U << kStepBits)) return static_cast<double>(step);
  const std::size_t shift = (step >> kStepBits) - 1;
  return std::ldexp(static_cast<double>(step - (shift << kStepBits)), static_cast<int>(shift));
}

}  // namespace

struct ReuseSketch::Tables {
  using Index = std::uint16_t;  // of a key; or a stamp
  static constexpr Index kNone = std::numeric_limits<Index>::max();
  static_assert(kKeysMax < kNone && kStamps < kNone);

  struct Key {
    std::uint64_t name;
    UnixMs deadline;
    std::uint32_t bytes;
    Index stamp;
    Index next;  // of its chain, or of the free ones
  };

  Tables();

  // --- The keys.
  Index Find(std::uint64_t name) const;
  Index Insert(std::uint64_t name);
  void Remove(Index index);
  // The key becomes the newest one.
  void Renew(Index index);
  void SetItem(Index index, const Item& item);
  Index Oldest();

  // --- Their stamps.
  void AddBytes(std::size_t stamp, std::int64_t bytes);
  std::uint64_t BytesUntil(std::size_t stamp) const;  // of this stamp and older ones
  std::size_t NextStamp();
  void NumberAnew();

  // --- What is known about all requests.
  void Count(double distance);
  void Halve();

  static std::size_t ChainOf(std::uint64_t name) { return (name >> 40) % kChains; }

  std::array<Key, kKeysMax> keys;
  std::array<Index, kChains> chains;
  std::array<Index, kStamps> owners;            // of each stamp
  std::array<std::uint64_t, kStamps + 1> sums;  // sums[i]: of the stamps (i - (i & -i), i]
  std::array<double, kSteps> requests;          // by their distances
  double requests_missing = 0;                  // those that miss at any size
  double requests_counted = 0;                  // of both kinds
  double requests_expected = 0;                 // all requests times the rate
  double hits_expected = 0;
  std::size_t key_count = 0;
  std::uint64_t bytes = 0;  // of all keys
  std::size_t next_stamp = 0;
  std::size_t oldest_stamp = 0;  // no key has an older one
  Index free;
};

ReuseSketch::Tables::Tables() : keys(), chains(), owners(), sums(), requests(), free(0) {
  chains.fill(kNone);
  owners.fill(kNone);
  for (std::size_t i = 0; i < kKeysMax; ++i) {
    keys[i].next = i + 1 < kKeysMax ? static_cast<Index>(i + 1) : kNone;
  }
}

auto ReuseSketch::Tables::Find(std::uint64_t name) const -> Index {
  Index index = chains[ChainOf(name)];
  while (index != kNone && keys[index].name != name) index = keys[index].next;
  return index;
}

// With the newest stamp and no bytes. There is room.
auto ReuseSketch::Tables::Insert(std::uint64_t name) -> Index {
  const std::size_t stamp = NextStamp();
  const Index index = free;
  AERIS_CHECK(index != kNone);
  free = keys[index].next;
  Index& chain = chains[ChainOf(name)];
  keys[index] = {.name = name,
                 .deadline = kNoDeadline,
                 .bytes = 0,
                 .stamp = static_cast<Index>(stamp),
                 .next = std::exchange(chain, index)};
  owners[stamp] = index;
  ++key_count;
  return index;
}

void ReuseSketch::Tables::Remove(Index index) {
  SetItem(index, {});
  owners[keys[index].stamp] = kNone;
  Index* link = &chains[ChainOf(keys[index].name)];
  while (*link != index) link = &keys[*link].next;
  *link = keys[index].next;
  keys[index].next = std::exchange(free, index);
  --key_count;
}

void ReuseSketch::Tables::Renew(Index index) {
  if (keys[index].stamp + std::size_t{1} == next_stamp) return;
  const std::size_t to = NextStamp();
  Key& key = keys[index];
  AddBytes(key.stamp, -std::int64_t{key.bytes});
  owners[key.stamp] = kNone;
  key.stamp = static_cast<Index>(to);
  owners[to] = index;
  AddBytes(to, key.bytes);
}

void ReuseSketch::Tables::SetItem(Index index, const Item& item) {
  Key& key = keys[index];
  const auto now = static_cast<std::uint32_t>(
      std::min<std::size_t>(item.bytes, std::numeric_limits<std::uint32_t>::max()));
  key.deadline = item.deadline;
  if (now != key.bytes) AddBytes(key.stamp, std::int64_t{now} - std::int64_t{key.bytes});
  bytes += std::uint64_t{now} - key.bytes;
  key.bytes = now;
}

// There is one.
auto ReuseSketch::Tables::Oldest() -> Index {
  while (owners[oldest_stamp] == kNone) ++oldest_stamp;
  return owners[oldest_stamp];
}

void ReuseSketch::Tables::AddBytes(std::size_t stamp, std::int64_t more) {
  for (std::size_t i = stamp + 1; i <= kStamps; i += i & -i) {
    sums[i] += static_cast<std::uint64_t>(more);
  }
}

std::uint64_t ReuseSketch::Tables::BytesUntil(std::size_t stamp) const {
  std::uint64_t sum = 0;
  for (std::size_t i = stamp + 1; i != 0; i -= i & -i) sum += sums[i];
  return sum;
}

std::size_t ReuseSketch::Tables::NextStamp() {
  if (next_stamp == kStamps) NumberAnew();
  return next_stamp++;
}

// In the same order, from 0. At least half of the stamps have no key, so that 20 to 40 us of work
// come once in thousands of requests of the sample.
void ReuseSketch::Tables::NumberAnew() {
  std::size_t to = 0;
  sums.fill(0);
  for (std::size_t from = 0; from < kStamps; ++from) {
    const Index index = std::exchange(owners[from], kNone);
    if (index == kNone) continue;
    owners[to] = index;
    keys[index].stamp = static_cast<Index>(to);
    sums[++to] = keys[index].bytes;
  }
  for (std::size_t i = 1; i <= kStamps; ++i) {
    const std::size_t parent = i + (i & -i);
    if (parent <= kStamps) sums[parent] += sums[i];
  }
  next_stamp = to;
  oldest_stamp = 0;
}

// A request at that distance, infinite if it misses at any size.
void ReuseSketch::Tables::Count(double distance) {
  constexpr double kDistanceMax = 1e18;
  ++requests_counted;
  if (distance > kDistanceMax) {
    ++requests_missing;
  } else {
    ++requests[StepOf(static_cast<std::uint64_t>(distance))];
  }
}

void ReuseSketch::Tables::Halve() {
  for (double& count : requests) count /= 2;
  requests_missing /= 2;
  requests_counted /= 2;
  requests_expected /= 2;
  hits_expected /= 2;
}

// --- ReuseSketch

ReuseSketch::ReuseSketch() : memory_(new (std::nothrow) std::byte[sizeof(Tables)]) {
  static_assert(sizeof(Tables) <= kBytesMax && std::is_trivially_destructible_v<Tables>);
}
ReuseSketch::~ReuseSketch() = default;

void ReuseSketch::Clear() {
  tables_ = nullptr;
  threshold_ = kThresholdMax;
  newest_ = kNoKey;
}

void ReuseSketch::ForgetRequests() {
  if (tables_ == nullptr) return;
  tables_->requests.fill(0);
  tables_->requests_missing = 0;
  tables_->requests_counted = 0;
  tables_->requests_expected = 0;
  tables_->hits_expected = 0;
}

// False without memory: the request is left out then.
bool ReuseSketch::Prepare() {
  if (tables_ == nullptr && memory_ != nullptr) [[unlikely]]
    tables_ = new (memory_.get()) Tables;
  return tables_ != nullptr;
}

// The oldest key goes when it lies beyond the range; else half of the sample does, and what has
// been counted weighs as much as what is to come.
void ReuseSketch::MakeRoom() {
  using Index = Tables::Index;
  Tables& tables = *tables_;
  while (tables.key_count == kKeysMax) {
    const Index oldest = tables.Oldest();
    const std::uint64_t distance = (tables.bytes - tables.keys[oldest].bytes) * keys_per_sampled();
    if (range_ != 0 && distance > range_) {
      tables.Remove(oldest);
      return;
    }
    if (threshold_ <= 1) return tables.Remove(oldest);
    threshold_ /= 2;
    tables.Halve();
    for (const Index index : tables.owners) {
      if (index != Tables::kNone && !Samples(tables.keys[index].name)) tables.Remove(index);
    }
  }
}

void ReuseSketch::CountAll(const Totals& totals) {
  if (totals.hits < last_.hits || totals.misses < last_.misses) last_ = {};
  if (tables_ != nullptr) {
    const double rate = 1 / static_cast<double>(keys_per_sampled());
    const double hits = rate * static_cast<double>(totals.hits - last_.hits);
    const double misses = rate * static_cast<double>(totals.misses - last_.misses);
    tables_->requests_expected += hits + misses;
    tables_->hits_expected += hits;
    if (tables_->requests_expected > kRequestsMax) tables_->Halve();
  }
  last_ = totals;
}

void ReuseSketch::Requested(std::uint64_t key, const Item& found, UnixMs now) {
  if (!Prepare()) return;
  Tables& tables = *tables_;
  const auto keys_each = static_cast<double>(keys_per_sampled());
  constexpr double kMisses = std::numeric_limits<double>::infinity();
  const Tables::Index index = tables.Find(key);
  if (index == Tables::kNone) {
    // What is there was used before the sample began, or longer ago than it goes back.
    tables.Count(found.bytes != 0 ? static_cast<double>(tables.bytes) * keys_each : kMisses);
    if (found.bytes != 0) Stored(key, found);
    return;
  }
  const Tables::Key& known = tables.keys[index];
  const bool expired = known.deadline != kNoDeadline && now > known.deadline;
  const std::uint64_t newer = tables.bytes - tables.BytesUntil(known.stamp);
  const double distance = static_cast<double>(newer) * keys_each + known.bytes;
  tables.Count(expired && found.bytes == 0 ? kMisses : distance);
  tables.Renew(index);
  if (found.bytes != 0) tables.SetItem(index, found);
  newest_ = key;
}

void ReuseSketch::CountRepeat() { tables_->Count(0); }

void ReuseSketch::Stored(std::uint64_t key, const Item& item) {
  if (!Prepare()) return;
  Tables::Index index = tables_->Find(key);
  if (index != Tables::kNone) {
    tables_->Renew(index);
  } else {
    MakeRoom();
    // Half of the sample may just have left it.
    if (!Samples(key)) return;
    index = tables_->Insert(key);
  }
  tables_->SetItem(index, item);
  newest_ = key;
}

void ReuseSketch::Removed(std::uint64_t key) {
  if (tables_ == nullptr) return;
  if (key == newest_) newest_ = kNoKey;
  if (const Tables::Index index = tables_->Find(key); index != Tables::kNone) {
    tables_->Remove(index);
  }
}

void ReuseSketch::SetRange(std::size_t bytes) {
  if (bytes < range_ / 4) Clear();
  range_ = bytes;
}

double ReuseSketch::ModelHitRatio(double bytes) const {
  if (tables_ == nullptr || tables_->requests_expected <= 0) return 0;
  const Tables& tables = *tables_;
  // Requests too many in the sample, or too few, are of hot keys.
  double hits = tables.requests_expected - tables.requests_counted;
  for (std::size_t step = 0; step < kSteps; ++step) {
    const double begin = StepBegin(step), end = StepBegin(step + 1);
    if (bytes <= begin) break;
    hits += tables.requests[step] * std::min(1.0, (bytes - begin) / (end - begin));
  }
  return std::clamp(hits / tables.requests_expected, 0.0, 1.0);
}

double ReuseSketch::HitRatio(double present_bytes, double bytes) const {
  if (tables_ == nullptr || tables_->requests_expected <= 0) return 0;
  const double measured = 1 - tables_->hits_expected / tables_->requests_expected;
  const double present = 1 - ModelHitRatio(present_bytes);
  const double other = 1 - ModelHitRatio(bytes);
  // What the sample may be wrong by is no reason to scale.
  const double doubt = kDoubt / std::sqrt(std::max(1.0, static_cast<double>(tables_->key_count)));
  const double policy = measured - std::clamp(measured - present, -doubt, doubt);
  const double factor = present > 0 ? std::clamp(policy / present, 1 / kFactorMax, kFactorMax) : 1;
  const double misses = measured + factor * (other - present);
  return std::clamp(1 - misses, 0.0, 1.0);
}

double ReuseSketch::sampled_requests() const {
  return tables_ != nullptr ? tables_->requests_counted : 0;
}

std::size_t ReuseSketch::sampled_keys() const {
  return tables_ != nullptr ? tables_->key_count : 0;
}

std::uint64_t ReuseSketch::keys_per_sampled() const {
  return (std::uint64_t{1} << 32) / threshold_;
}

void ReuseSketch::CheckInvariants() const {
  if (tables_ == nullptr) return;
  const Tables& tables = *tables_;
  std::size_t count = 0;
  std::uint64_t bytes = 0;
  for (std::size_t stamp = 0; stamp < kStamps; ++stamp) {
    const Tables::Index index = tables.owners[stamp];
    if (index != Tables::kNone) {
      const Tables::Key& key = tables.keys[index];
      AERIS_CHECK(key.stamp == stamp && stamp >= tables.oldest_stamp && stamp < tables.next_stamp);
      AERIS_CHECK(tables.Find(key.name) == index && Samples(key.name));
      ++count;
      bytes += key.bytes;
    }
    AERIS_CHECK(tables.BytesUntil(stamp) == bytes);
  }
  AERIS_CHECK(count == tables.key_count && bytes == tables.bytes);
  std::size_t free = 0;
  for (Tables::Index at = tables.free; at != Tables::kNone; at = tables.keys[at].next) ++free;
  AERIS_CHECK(count + free == kKeysMax);
}

}  // namespace aeris::storage
