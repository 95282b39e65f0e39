// Choosing keys to remove where memory is short.
#include <limits>
#include <string>

#include "storage/eviction_pool.h"
#include "storage/keyspace_impl.h"

namespace aeris::storage {
namespace {

// Most buckets looked at for one sample: where few keys have deadlines, the next call goes on.
constexpr std::size_t kSampleBuckets = 256;

}  // namespace

std::uint64_t Keyspace::Impl::EvictionScore(EvictionOrder order, EntryView entry, UnixMs now) {
  switch (order) {
    case EvictionOrder::kLeastRecent:
      return IdleSeconds(entry.access_clock(), now);
    case EvictionOrder::kLeastFrequent:
      return 255U - LfuFrequency(entry.access_clock(), now, context.lfu_decay_minutes);
    case EvictionOrder::kSoonestDeadline:
      return static_cast<std::uint64_t>(std::numeric_limits<UnixMs>::max() - entry.deadline());
    case EvictionOrder::kRandom:
      break;
  }
  return context.random.Next();
}

void Keyspace::SampleVictims(EvictionOrder order, bool only_volatile, std::size_t count,
                             std::size_t database, UnixMs now, EvictionPool& pool) {
  if (impl_ == nullptr) return;
  Impl& impl = *impl_;
  impl.eviction_cursor = impl.table.SampleSlots(
      impl.eviction_cursor, count, kSampleBuckets, only_volatile, [&](EntryTable::Slot slot) {
        const EntryView entry = impl.ViewOf(slot);
        // A hash without a deadline is filed for its fields.
        if (only_volatile && entry.deadline() == kNoDeadline) return;
        const std::uint64_t score = impl.EvictionScore(order, entry, now);
        if (!pool.Wants(score)) return;
        pool.Offer({.score = score, .hash = context_.hasher(entry.key()), .database = database});
      });
}

std::optional<std::string> Keyspace::Evict(std::uint64_t hash, bool only_volatile) {
  if (impl_ == nullptr) return std::nullopt;
  const EntryTable::Slot slot = impl_->table.FindHash(hash);
  if (!slot) return std::nullopt;
  const EntryView entry = impl_->ViewOf(slot);
  if (only_volatile && entry.deadline() == kNoDeadline) return std::nullopt;
  std::string key(entry.key());
  impl_->Remove(slot, hash);
  return key;
}

}  // namespace aeris::storage
