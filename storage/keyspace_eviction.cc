// Choosing keys to remove where memory is short.
#include <algorithm>
#include <limits>
#include <utility>

#include "storage/eviction_pool.h"
#include "storage/keyspace_impl.h"

namespace aeris::storage {
namespace {

// Most buckets looked at for one sample: where few keys have deadlines, the next call goes on.
constexpr std::size_t kSampleBuckets = 256;
// Newcomers and buckets that one search for the next key looks at.
constexpr int kSearchSteps = 256;
// Newcomers whose bucket, and whose entry, are read ahead.
constexpr std::size_t kBucketAhead = 8;
constexpr std::size_t kEntryAhead = 4;
// Where nothing has to go yet, newcomers are at most twice their share; then they settle unseen.
constexpr std::size_t kFillingShare = S3Fifo::kNewcomerShare / 2;
// A newcomer is large from so many times the mean size on.
constexpr std::size_t kLargeMeans = 8;

// How far the hand goes: the golden ratio's share of the hash space. Its steps come to all places
// alike and to each about once in a turn, and never to one beside those before. A hand that went on
// to the next bucket would leave a region of free slots behind it while new keys, which fall
// everywhere, fill what lies before it to runs of full buckets, hundreds of them.
constexpr std::uint64_t kHandStep = 0x9E37'79B9'7F4A'7C15;

}  // namespace

void Keyspace::SetEvictionPolicy(EvictionPolicy policy, bool limited) {
  policy_ = policy;
  limited_ = limited;
  if (impl_ != nullptr) impl_->UsePolicy(policy, limited);
}

void Keyspace::SwapRole(Keyspace& other) {
  std::swap(lookup_stats_, other.lookup_stats_);
  const EvictionPolicy policy = policy_;
  const bool limited = limited_;
  SetEvictionPolicy(other.policy_, other.limited_);
  other.SetEvictionPolicy(policy, limited);
}

void Keyspace::Impl::UsePolicy(EvictionPolicy next, bool limited) {
  eviction = next;
  counts_uses = limited && eviction.order != EvictionOrder::kNone;
  admits = limited && eviction.order == EvictionOrder::kS3Fifo;
  if (admits && queues == nullptr) queues = std::make_unique<S3Fifo>();
}

bool Keyspace::Impl::Evictable(EntryView entry) const {
  return !eviction.only_volatile || entry.deadline() != kNoDeadline;
}

std::size_t Keyspace::Impl::evictable() const {
  if (eviction.order == EvictionOrder::kNone) return 0;
  return eviction.only_volatile ? deadline_count : table.size();
}

std::size_t Keyspace::evictable() const { return impl_ != nullptr ? impl_->evictable() : 0; }

// Shows `count` keys that may be evictable, and some more, where the hand is.
template <typename Visit>
void Keyspace::Impl::MoveHand(std::size_t count, Visit&& visit) {
  const std::uint64_t cursor = eviction_hand >> BucketArray::kUnitShift;
  static_cast<void>(
      table.SampleSlots(cursor, count, kSampleBuckets, eviction.only_volatile, visit));
  eviction_hand += kHandStep;
  table.PrefetchBucket(eviction_hand);
}

// --- By samples

std::uint64_t Keyspace::Impl::EvictionScore(EntryView entry, UnixMs now) {
  switch (eviction.order) {
    case EvictionOrder::kLeastRecent:
      return IdleSeconds(entry.access_clock(), context.AgeTime(now));
    case EvictionOrder::kLeastFrequent:
      return 255U -
             LfuFrequency(entry.access_clock(), context.AgeTime(now), context.lfu_decay_minutes);
    case EvictionOrder::kSoonestDeadline:
      return static_cast<std::uint64_t>(std::numeric_limits<UnixMs>::max() - entry.deadline());
    default:
      return context.random.Next();
  }
}

void Keyspace::SampleVictims(std::size_t count, std::size_t database, UnixMs now,
                             EvictionPool& pool) {
  if (impl_ == nullptr) return;
  Impl& impl = *impl_;
  impl.MoveHand(count, [&](EntryTable::Slot slot) {
    const EntryView entry = impl.ViewOf(slot);
    // A hash without a deadline is filed for its fields.
    if (!impl.Evictable(entry)) return;
    const std::uint64_t score = impl.EvictionScore(entry, now);
    if (!pool.Wants(score)) return;
    pool.Offer({.score = score, .hash = context_.hasher(entry.key()), .database = database});
  });
}

bool Keyspace::Evict(std::uint64_t hash, UnixMs now, Evicted& evicted) {
  if (impl_ == nullptr) return false;
  const EntryTable::Slot slot = impl_->table.FindHash(hash);
  if (!slot || !impl_->Evictable(impl_->ViewOf(slot))) return false;
  impl_->Evict(slot, hash, now, evicted);
  ++lookup_stats_.evicted;
  return true;
}

void Keyspace::Impl::Evict(EntryTable::Slot slot, std::uint64_t hash, UnixMs now,
                           Keyspace::Evicted& evicted) {
  const EntryView entry = ViewOf(slot);
  evicted.key = entry.key();
  evicted.idle_seconds = SecondsSinceUse(entry.access_clock(), access(), context.AgeTime(now));
  evicted.used = S3Fifo::used(table.policy_bits(slot));
  Remove(slot, hash);
  FillHoles();
}

// --- By queues

// A key that is new in the table.
void Keyspace::Impl::Admit(EntryTable::Slot slot, std::uint64_t hash) {
  if (eviction.only_volatile && ViewOf(slot).deadline() == kNoDeadline) return;
  const unsigned bits = queues->Admit(hash);
  table.SetPolicyBits(slot, bits);
  if (S3Fifo::newcomer(bits)) {
    const std::size_t bytes = MemoryOf(ViewOf(slot));
    if (bytes * table.size() > kLargeMeans * used_bytes()) queues->NoteLarge(hash, bytes);
  }
  if (queues->newcomers() * kFillingShare > evictable()) SettleEldest();
}

// The eldest newcomer settles, used or not.
void Keyspace::Impl::SettleEldest() {
  const auto eldest = queues->TakeEldest();
  const EntryTable::Slot slot = eldest ? table.FindHash(*eldest) : EntryTable::Slot();
  if (!slot) return;
  const unsigned bits = table.policy_bits(slot);
  if (!S3Fifo::newcomer(bits)) return;
  table.SetPolicyBits(slot, S3Fifo::Settled(bits));
  if (!S3Fifo::used(bits)) queues->AddUnproven(table.size());
}

bool Keyspace::EvictNext(UnixMs now, Evicted& evicted) {
  if (impl_ == nullptr || impl_->queues == nullptr) return false;
  Impl& impl = *impl_;
  const std::size_t used_bytes = impl.used_bytes();
  bool found = false;
  for (int step = 0; !found && step < kSearchSteps; ++step) {
    const bool many = impl.queues->newcomers() * S3Fifo::kNewcomerShare > impl.evictable();
    const bool unproven = impl.queues->many_unproven();
    if (many && unproven) impl.SettleEldest();
    if (impl.queues->many_large(used_bytes)) {
      found = impl.EvictNewcomer(impl.queues->TakeEldestLarge(), now, evicted);
    } else if (many && !unproven) {
      found = impl.EvictEldest(now, evicted);
    } else {
      found = impl.EvictSettled(now, evicted);
    }
  }
  // Where all the settled are in use, or none of them is evictable.
  if (!found) found = impl.EvictEldest(now, evicted);
  if (found) ++lookup_stats_.evicted;
  return found;
}

bool Keyspace::Impl::EvictEldest(UnixMs now, Keyspace::Evicted& evicted) {
  if (const auto ahead = queues->Eldest(kBucketAhead)) table.PrefetchBucket(*ahead);
  if (const auto ahead = queues->Eldest(kEntryAhead)) table.PrefetchEntry(*ahead);
  return EvictNewcomer(queues->TakeEldest(), now, evicted);
}

// The eldest newcomer of a queue goes, or settles because it has been used.
bool Keyspace::Impl::EvictNewcomer(std::optional<std::uint64_t> eldest, UnixMs now,
                                   Keyspace::Evicted& evicted) {
  if (!eldest) return false;
  const EntryTable::Slot slot = table.FindHash(*eldest);
  if (!slot) return false;
  const unsigned bits = table.policy_bits(slot);
  if (!S3Fifo::newcomer(bits)) return false;
  const EntryView entry = ViewOf(slot);
  const unsigned price =
      std::clamp(queues->PriceOf(MemoryOf(entry), context.random), 1U, S3Fifo::kUsesMax);
  if (S3Fifo::uses(bits) >= price || !Evictable(entry)) {
    table.SetPolicyBits(slot, S3Fifo::WithUses(S3Fifo::Settled(bits), 1));
    return false;
  }
  queues->Remember(*eldest, table.size());
  Evict(slot, *eldest, now, evicted);
  return true;
}

// Takes the next key that the hand has found.
bool Keyspace::Impl::EvictSettled(UnixMs now, Keyspace::Evicted& evicted) {
  if (queues->victims.empty()) FindVictims();
  while (!queues->victims.empty()) {
    const std::uint64_t hash = queues->victims.back();
    queues->victims.pop_back();
    const EntryTable::Slot slot = table.FindHash(hash);
    if (!slot) continue;
    // It may have been used, or be another key by now.
    const unsigned bits = table.policy_bits(slot);
    if (S3Fifo::newcomer(bits) || S3Fifo::uses(bits) != 0 || !Evictable(ViewOf(slot))) continue;
    if (!S3Fifo::used(bits)) queues->Remember(hash, table.size());
    Evict(slot, hash, now, evicted);
    return true;
  }
  return false;
}

// The hand looks at a bucket that is not empty.
void Keyspace::Impl::FindVictims() {
  const bool only_unproven = queues->many_unproven();
  MoveHand(1, [&](EntryTable::Slot slot) {
    const unsigned bits = table.policy_bits(slot);
    const EntryView entry = ViewOf(slot);
    if (S3Fifo::newcomer(bits) || !Evictable(entry)) return;
    const std::size_t bytes = MemoryOf(entry);
    queues->Met(bits, bytes, table.size());
    if (only_unproven && S3Fifo::used(bits)) return;
    const unsigned uses = S3Fifo::uses(bits), price = queues->PriceOf(bytes, context.random);
    if (uses < price) queues->victims.push_back(context.hasher(entry.key()));
    table.SetPolicyBits(slot, S3Fifo::WithUses(bits, uses < price ? 0 : uses - price));
  });
}

}  // namespace aeris::storage
