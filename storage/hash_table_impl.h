// The member functions of HashTable, in the order of its declaration (hash_table.h).
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/hash_table.h"
#include "storage/prefetch.h"

namespace aeris::storage {

// --- Finding

template <HashTablePolicy Policy>
[[gnu::always_inline]] inline auto HashTable<Policy>::Find(std::uint64_t hash,
                                                           std::string_view key) const -> Slot {
  return Search(hash, [&](Ref ref) { return ref != 0 && policy_.Matches(ref, key); });
}

template <HashTablePolicy Policy>
auto HashTable<Policy>::FindRef(std::uint64_t hash, Ref ref) const -> Slot {
  return Search(hash, [&](Ref found) { return found == ref; });
}

template <HashTablePolicy Policy>
auto HashTable<Policy>::FindHash(std::uint64_t hash) const -> Slot {
  return Search(hash, [&](Ref found) { return found != 0 && policy_.HashOf(found) == hash; });
}

// From the home bucket on, over those that an entry has passed.
template <HashTablePolicy Policy>
template <typename IsIt>
[[gnu::always_inline]] inline auto HashTable<Policy>::Search(std::uint64_t hash, IsIt&& is_it) const
    -> Slot {
  const bool in_old = InOld(hash);
  const BucketArray& array = in_old ? old_ : main_;
  Bucket* bucket = &array[array.Home(hash)];
  for (;;) {
    for (unsigned mask = bucket->Match(Fingerprint(hash)); mask != 0; mask &= mask - 1) {
      const unsigned index = LowestBit(mask);
      if (is_it(bucket->ref(index))) return Slot(bucket, index, in_old);
    }
    if (bucket->spill() == 0) return Slot();
    ++bucket;
  }
}

template <HashTablePolicy Policy>
void HashTable<Policy>::PrefetchEntry(std::uint64_t hash) const {
  const BucketArray& array = ArrayOf(hash);
  const Bucket& bucket = array[array.Home(hash)];
  for (unsigned mask = bucket.Match(Fingerprint(hash)); mask != 0; mask &= mask - 1) {
    if (const Ref ref = bucket.ref(LowestBit(mask)); ref != 0) policy_.Prefetch(ref);
  }
}

template <HashTablePolicy Policy>
void HashTable<Policy>::PrefetchDeadline(std::uint64_t hash) const {
  if (filed_ == 0) return;
  const BucketArray& array = ArrayOf(hash);
  const std::uint64_t home = array.Home(hash);
  for (unsigned mask = array[home].Match(Fingerprint(hash)); mask != 0; mask &= mask - 1) {
    const unsigned index = LowestBit(mask);
    if (array[home].filed(index)) array.codes().Prefetch(array.SlotNumber(home, index));
  }
}

template <HashTablePolicy Policy>
auto HashTable<Policy>::RandomSlot(Random& random) const -> Slot {
  if (size_ == 0) return Slot();
  // Homes before the hand are empty for good; what the main array has is before MainEnd().
  const std::uint64_t main_end = MainEnd();
  const std::uint64_t buckets = main_end + (moving() ? old_.buckets() - hand_ : 0);
  const auto slot_at = [&](std::uint64_t bucket, unsigned index) {
    const bool in_old = bucket >= main_end;
    Bucket& chosen = in_old ? old_[bucket - main_end + hand_] : main_[bucket];
    return chosen.ref(index) != 0 ? Slot(&chosen, index, in_old) : Slot();
  };
  constexpr int kTries = 128;  // a third of the slots is filled, unless the table was just emptied
  for (int i = 0; i < kTries; ++i) {
    const std::uint64_t bucket = random.Below(buckets);
    if (Slot slot = slot_at(bucket, static_cast<unsigned>(random.Below(Bucket::kSlots))))
      return slot;
  }
  const std::uint64_t start = random.Below(buckets);
  for (std::uint64_t i = 0; i < buckets; ++i) {
    for (unsigned index = 0; index < Bucket::kSlots; ++index) {
      if (Slot slot = slot_at((start + i) % buckets, index)) return slot;
    }
  }
  return Slot();
}

// --- Changing

template <HashTablePolicy Policy>
auto HashTable<Policy>::Insert(std::uint64_t hash, Ref ref) -> Slot {
  if (moving()) {
    MoveHomes(kMovePerChange);
  } else if (size_ >= grow_above_ && !MakeRoom()) {
    return Slot();
  }
  const Slot slot = Place(InOld(hash), hash, ref);
  if (slot) ++size_;
  return slot;
}

// Starts to grow. Where memory for it is short that is tried again some insertions later; false
// when the table is full.
template <HashTablePolicy Policy>
bool HashTable<Policy>::MakeRoom() {
  const auto fresh = static_cast<double>(size_) / (Bucket::kSlots * kFreshLoad);
  const std::uint64_t homes = std::max(main_.homes() + 1, static_cast<std::uint64_t>(fresh));
  const bool put_off = PutsOffMove(homes);
  if (!put_off && StartMove(homes)) return true;
  if (size_ >= SizeAt(kFullLoad)) return false;
  grow_above_ = std::min(SizeAt(put_off ? kPutOffLoad : kFullLoad),
                         size_ + 1 + static_cast<std::size_t>(main_.homes()) / 8);
  return true;
}

// Not for ever: beyond kPutOffLoad each further key makes all lookups longer.
template <HashTablePolicy Policy>
bool HashTable<Policy>::PutsOffMove(std::uint64_t homes) const {
  if constexpr (JudgesGrowth<Policy>) {
    return size_ < SizeAt(kPutOffLoad) && !policy_.MayTake(BytesToMove(homes));
  } else {
    return false;
  }
}

// What a move to a larger array adds while it lasts. The old array's pages go back as the hand
// leaves them, a small one as a whole at the end.
template <HashTablePolicy Policy>
std::size_t HashTable<Policy>::BytesToMove(std::uint64_t homes) const {
  constexpr std::size_t kCodesBytes = Bucket::kSlots + 1;  // and their bitmap
  const std::size_t home_bytes = sizeof(Bucket) + (filed_ != 0 ? kCodesBytes : 0);
  const bool in_steps = main_.bucket_bytes().size() >= ZeroedRegion::kMappedBytesMin;
  return static_cast<std::size_t>(in_steps ? homes - main_.homes() : homes) * home_bytes;
}

template <HashTablePolicy Policy>
void HashTable<Policy>::Erase(Slot slot, std::uint64_t hash) {
  BucketArray& array = array_of(slot);
  const std::uint64_t bucket = array.IndexOf(slot.bucket_);
  EraseAt(array, bucket, slot.index_, array.Home(hash));
  PullBack(array, bucket);
  if (moving()) {
    MoveHomes(kMovePerChange);
  } else {
    ShrinkBelow(shrink_below_);
  }
}

template <HashTablePolicy Policy>
auto HashTable<Policy>::Place(bool in_old, std::uint64_t hash, Ref ref) -> Slot {
  BucketArray& array = in_old ? old_ : main_;
  const std::uint64_t home = array.Home(hash);
  std::uint64_t bucket = home;
  unsigned free = array[bucket].FreeMask();
  while (free == 0) {
    if (++bucket == array.buckets() && !array.EnlargeTail(in_old ? hand_ : 0)) return Slot();
    free = array[bucket].FreeMask();
  }
  for (std::uint64_t passed = home; passed < bucket; ++passed) array[passed].AddSpill();
  Bucket& target = array[bucket];
  const unsigned index = LowestBit(free);
  target.Put(index, Fingerprint(hash), ref, bucket != home);
  return Slot(&target, index, in_old);
}

template <HashTablePolicy Policy>
void HashTable<Policy>::EraseAt(BucketArray& array, std::uint64_t bucket, unsigned index,
                                std::uint64_t home) {
  AERIS_DCHECK(home <= bucket && (home != bucket) == array[bucket].displaced(index));
  for (std::uint64_t passed = home; passed < bucket; ++passed) array[passed].RemoveSpill();
  if (array[bucket].filed(index)) Unfile(array, bucket, index);
  array[bucket].Clear(index);
  --size_;
}

// Entries that had passed over `bucket` while it was full take the place that became free, and so
// on from the place that they leave. Without this a table that churns fills with displaced entries.
template <HashTablePolicy Policy>
void HashTable<Policy>::PullBack(BucketArray& array, std::uint64_t bucket) {
  for (unsigned i = 0; i < kPullsMax && array[bucket].spill() != 0; ++i) {
    const std::uint64_t from = PullOne(array, bucket);
    if (from == bucket) return;
    bucket = from;
  }
}

// Returns where the entry came from, or `bucket` if none was found. One that the sweep under way
// still has to look at stays: behind the sweep it would be overlooked.
template <HashTablePolicy Policy>
std::uint64_t HashTable<Policy>::PullOne(BucketArray& array, std::uint64_t bucket) {
  for (std::uint64_t b = bucket; b < bucket + kPullsMax && array[b].spill() != 0;) {
    Bucket& source = array[++b];
    for (unsigned mask = source.DisplacedMask(); mask != 0; mask &= mask - 1) {
      const unsigned index = LowestBit(mask);
      if (source.filed(index) && wheel_.IsDue(array.codes().Get(array.SlotNumber(b, index)))) {
        continue;
      }
      const std::uint64_t home = array.Home(policy_.HashOf(source.ref(index)));
      if (home > bucket) continue;
      const Slot target(&array[bucket], LowestBit(array[bucket].FreeMask()), &array == &old_);
      target.bucket_->Put(target.index_, source.fingerprint(index), source.ref(index),
                          home != bucket);
      CopyBits(array, b, index, target);
      EraseAt(array, b, index, bucket);  // it passed over [home, b), and now over [home, bucket)
      ++size_;
      return b;
    }
  }
  return bucket;
}

template <HashTablePolicy Policy>
void HashTable<Policy>::CopyBits(BucketArray& from, std::uint64_t bucket, unsigned index,
                                 Slot target) {
  target.bucket_->SetPolicy(target.index_, from[bucket].policy(index));
  if (!from[bucket].filed(index)) return;
  std::uint8_t code = from.codes().Get(from.SlotNumber(bucket, index));
  // A sweep that is under way will not see the slot in its new place.
  if (wheel_.IsDue(code)) code = wheel_.DelayCode();
  BucketArray& to = array_of(target);
  File(to, to.IndexOf(target.bucket_), target.index_, code);
}

template <HashTablePolicy Policy>
void HashTable<Policy>::SetDeadline(Slot slot, UnixMs deadline) {
  BucketArray& array = array_of(slot);
  const std::uint64_t bucket = array.IndexOf(slot.bucket_);
  const bool filed = slot.bucket_->filed(slot.index_);
  if (deadline == kNoDeadline) {
    if (filed) Unfile(array, bucket, slot.index_);
    return;
  }
  const std::uint8_t code = wheel_.FileCode(deadline);
  if (filed && wheel_.DueNoLater(deadline_code(slot), code)) return;
  File(array, bucket, slot.index_, code);
}

template <HashTablePolicy Policy>
void HashTable<Policy>::File(BucketArray& array, std::uint64_t bucket, unsigned index,
                             std::uint8_t code) {
  AERIS_CHECK(Prepare(array.codes(), array));
  array.codes().Set(array.SlotNumber(bucket, index), code);
  if (array[bucket].filed(index)) return;
  array[bucket].SetFiled(index, true);
  ++filed_;
}

template <HashTablePolicy Policy>
void HashTable<Policy>::Unfile(BucketArray& array, std::uint64_t bucket, unsigned index) {
  array.codes().Set(array.SlotNumber(bucket, index), 0);
  array[bucket].SetFiled(index, false);
  --filed_;
}

template <HashTablePolicy Policy>
bool HashTable<Policy>::Reserve(std::size_t entries) {
  if (size_ != 0 || moving()) return true;
  const double homes = static_cast<double>(entries) / (Bucket::kSlots * kReservedLoad);
  const std::uint64_t wanted = static_cast<std::uint64_t>(homes) + 1;
  return wanted <= main_.homes() || StartMove(wanted);
}

template <HashTablePolicy Policy>
void HashTable<Policy>::Clear() {
  main_ = BucketArray(1);
  AERIS_CHECK(main_.allocated());
  old_ = BucketArray();
  hand_ = 0;
  size_ = 0;
  filed_ = 0;
  steady_size_ = 0;
  settled_ = false;
  SetLimits();
}

// --- Resizing

template <HashTablePolicy Policy>
void HashTable<Policy>::SetLimits() {
  const auto slots = static_cast<double>(main_.homes() * Bucket::kSlots);
  grow_above_ = static_cast<std::size_t>(slots * kGrowLoad);
  shrink_below_ = main_.homes() == 1 ? 0 : static_cast<std::size_t>(slots * kShrinkLoad);
  tidy_below_ = main_.homes() == 1 ? 0 : static_cast<std::size_t>(slots * kTidyLoad);
}

template <HashTablePolicy Policy>
bool HashTable<Policy>::StartMove(std::uint64_t homes) {
  AERIS_DCHECK(!moving() && homes != main_.homes());
  if (homes > homes_max_) return false;
  BucketArray fresh(homes);
  if (!fresh.allocated()) return false;
  // What is filed finds its place in the new array without fail.
  if (filed_ != 0 && !Prepare(fresh.codes(), fresh)) return false;
  old_ = std::move(main_);
  settled_ = false;
  steady_size_ = 0;
  main_ = std::move(fresh);
  hand_ = 0;
  SetLimits();
  if (old_.homes() < kMoveAtOnceHomes) MoveHomes(old_.homes());
  return true;
}

template <HashTablePolicy Policy>
void HashTable<Policy>::ShrinkBelow(std::size_t size) {
  if (moving() || size_ >= size) return;
  const auto fresh = static_cast<double>(size_) / (Bucket::kSlots * kFreshLoad);
  const std::uint64_t homes = static_cast<std::uint64_t>(fresh) + 1;
  // A table that stays larger than it needs to be works as well; the next change tries again.
  if (homes < main_.homes()) static_cast<void>(StartMove(homes));
}

template <HashTablePolicy Policy>
bool HashTable<Policy>::Step(std::uint64_t buckets_max) {
  ShrinkBelow(tidy_below_);
  if (!moving()) return false;
  MoveHomes(buckets_max);
  return moving() || size_ < tidy_below_;
}

template <HashTablePolicy Policy>
void HashTable<Policy>::MoveHomes(std::uint64_t count) {
  const std::uint64_t end = hand_ + std::min(count, old_.homes() - hand_);
  while (hand_ < end) {
    MoveHome(hand_);
    ++hand_;
  }
  if (hand_ == old_.homes()) {
    old_ = BucketArray();
    hand_ = 0;
  } else {
    old_.ReleaseBefore(hand_);
  }
}

// Takes everything whose home is `home`: its bucket, in which all earlier homes' entries are gone,
// and what has spilt, for which the displaced entries of the following buckets are hashed.
template <HashTablePolicy Policy>
void HashTable<Policy>::MoveHome(std::uint64_t home) {
  if (home + 2 * kPrefetchBuckets < old_.buckets()) {
    storage::Prefetch(&old_[home + 2 * kPrefetchBuckets]);
    PrefetchEntries(old_[home + kPrefetchBuckets]);
  }
  const Bucket& bucket = old_[home];
  for (unsigned mask = bucket.OccupiedMask(); mask != 0; mask &= mask - 1) {
    const unsigned index = LowestBit(mask);
    MoveSlot(home, index, home, policy_.HashOf(bucket.ref(index)));
  }
  for (std::uint64_t b = home; bucket.spill() != 0 && old_[b].spill() != 0;) {
    ++b;
    for (unsigned mask = old_[b].DisplacedMask(); mask != 0; mask &= mask - 1) {
      const unsigned index = LowestBit(mask);
      const std::uint64_t hash = policy_.HashOf(old_[b].ref(index));
      if (old_.Home(hash) == home) MoveSlot(b, index, home, hash);
    }
  }
}

template <HashTablePolicy Policy>
void HashTable<Policy>::MoveSlot(std::uint64_t bucket, unsigned index, std::uint64_t home,
                                 std::uint64_t hash) {
  const Slot target = Place(false, hash, old_[bucket].ref(index));
  // Places in a fresh array end only where a run of full buckets passes the tail and memory ends.
  AERIS_CHECK(target);
  CopyBits(old_, bucket, index, target);
  EraseAt(old_, bucket, index, home);
  ++size_;
}

template <HashTablePolicy Policy>
void HashTable<Policy>::PrefetchEntries(const Bucket& bucket) const {
  for (unsigned mask = bucket.OccupiedMask(); mask != 0; mask &= mask - 1) {
    policy_.Prefetch(bucket.ref(LowestBit(mask)));
  }
}

template <HashTablePolicy Policy>
std::uint64_t HashTable<Policy>::MainEnd() const {
  if (!moving()) return main_.buckets();
  if (hand_ == 0) return 0;
  // The last home that the hand has filled, and what it may have spilt.
  const std::uint64_t last = main_.Home((old_.StartUnit(hand_) - 1) << BucketArray::kUnitShift);
  return std::min(main_.buckets(), last + 1 + (main_.buckets() - main_.homes()));
}

// --- Sweeps

template <HashTablePolicy Policy>
template <typename Visit>
void HashTable<Policy>::ForEachBucket(Visit&& visit) const {
  const std::uint64_t main_end = MainEnd();
  for (std::uint64_t b = 0; b < main_end; ++b) visit(std::as_const(main_[b]));
  if (!moving()) return;
  for (std::uint64_t b = hand_; b < old_.buckets(); ++b) visit(std::as_const(old_[b]));
}

template <HashTablePolicy Policy>
template <typename Visit>
std::uint64_t HashTable<Policy>::Scan(std::uint64_t cursor, std::size_t count,
                                      Visit&& visit) const {
  // Like the command in Redis: where the table is nearly empty a call ends after 10 buckets per
  // entry asked for.
  std::size_t buckets_left = std::min(count, std::size_t{1} << 40) * 10;
  std::size_t visited = 0;
  while (cursor < kCursorEnd) {
    visited += ScanHome(cursor, visit);
    if (visited >= count || buckets_left == 0) break;
    --buckets_left;
  }
  return cursor < kCursorEnd ? cursor : 0;
}

// Visits what lies between the cursor and the end of its home bucket, and moves the cursor there.
template <HashTablePolicy Policy>
template <typename Visit>
std::size_t HashTable<Policy>::ScanHome(std::uint64_t& cursor, Visit&& visit) const {
  const std::uint64_t position = cursor;
  const bool in_old = InOld(position << BucketArray::kUnitShift);
  const BucketArray& array = in_old ? old_ : main_;
  const std::uint64_t home = array.Home(position << BucketArray::kUnitShift);
  cursor = array.StartUnit(home + 1);
  // Beyond the hand the other array goes on.
  if (moving() && !in_old) cursor = std::min(cursor, old_.StartUnit(hand_));

  const bool whole = array.StartUnit(home) == position;
  std::size_t visited = 0;
  const Bucket& first = array[home];
  PrefetchEntries(first);
  for (unsigned mask = first.OccupiedMask(); mask != 0; mask &= mask - 1) {
    const unsigned index = LowestBit(mask);
    const Ref ref = first.ref(index);
    if (!whole || first.displaced(index)) {
      const std::uint64_t hash = policy_.HashOf(ref);
      if (array.Home(hash) != home || Unit(hash) < position) continue;
    }
    visit(ref);
    ++visited;
  }
  for (std::uint64_t b = home; array[b].spill() != 0;) {
    const Bucket& bucket = array[++b];
    for (unsigned mask = bucket.DisplacedMask(); mask != 0; mask &= mask - 1) {
      const Ref ref = bucket.ref(LowestBit(mask));
      const std::uint64_t hash = policy_.HashOf(ref);
      if (array.Home(hash) != home || Unit(hash) < position) continue;
      visit(ref);
      ++visited;
    }
  }
  return visited;
}

template <HashTablePolicy Policy>
template <typename Visit>
std::uint64_t HashTable<Policy>::SampleSlots(std::uint64_t cursor, std::size_t count,
                                             std::size_t buckets_max, bool only_filed,
                                             Visit&& visit) const {
  std::size_t visited = 0;
  while (cursor < kCursorEnd && visited < count && buckets_max-- != 0) {
    const std::uint64_t hash = cursor << BucketArray::kUnitShift;
    const bool in_old = InOld(hash);
    const BucketArray& array = in_old ? old_ : main_;
    std::uint64_t number = array.Home(hash);
    const bool last = number + 1 == array.homes();
    cursor = array.StartUnit(number + 1);
    if (moving() && !in_old) cursor = std::min(cursor, old_.StartUnit(hand_));
    // What spills over the last home has no home of its own.
    for (bool more = true; more; ++number) {
      Bucket& bucket = array[number];
      unsigned mask = only_filed ? bucket.FiledMask() : bucket.OccupiedMask();
      for (unsigned rest = mask; rest != 0; rest &= rest - 1) {
        policy_.Prefetch(bucket.ref(LowestBit(rest)));
      }
      for (; mask != 0; mask &= mask - 1) {
        visit(Slot(&bucket, LowestBit(mask), in_old));
        ++visited;
      }
      more = last && bucket.spill() != 0;
    }
  }
  return cursor < kCursorEnd ? cursor : 0;
}

template <HashTablePolicy Policy>
template <typename Visit>
auto HashTable<Policy>::ExpireSweep(UnixMs now, std::size_t keys_max, Visit&& visit)
    -> SweepResult {
  Settle(now);
  SweepResult result;
  if (filed_ == 0) {
    wheel_.Reset(now);
    return result;
  }
  wheel_.Observe(now);
  std::size_t budget = std::min(keys_max, std::size_t{1} << 40) * kKeyCost;
  while (wheel_.in_pass() || wheel_.Behind(now)) {
    if (!wheel_.in_pass()) {
      if (!wheel_.Begin(now)) break;
      main_.codes().StartPass(0);
      old_.codes().StartPass(old_.SlotNumber(hand_, 0));
    }
    if (!SweepArray(true, budget, result, visit) || !SweepArray(false, budget, result, visit)) {
      result.more = true;
      break;
    }
    wheel_.End();
  }
  if (result.erased != 0) Step(std::min<std::uint64_t>(result.erased, 32) * kMovePerChange);
  return result;
}

template <HashTablePolicy Policy>
std::size_t HashTable<Policy>::CountDue(UnixMs now) const {
  if (filed_ == 0) return 0;
  ExpireWheel wheel = wheel_;
  wheel.Observe(now);
  if (wheel.in_pass()) return main_.codes().CountDueLeft(wheel) + old_.codes().CountDueLeft(wheel);
  if (!wheel.Behind(now) || !wheel.Begin(now)) return 0;
  return main_.codes().CountDue(wheel, 0) +
         (moving() ? old_.codes().CountDue(wheel, old_.SlotNumber(hand_, 0)) : 0);
}

template <HashTablePolicy Policy>
UnixMs HashTable<Policy>::NextLook() const {
  AERIS_DCHECK(!wheel_.in_pass());
  if (filed_ == 0) return kNoDeadline;
  std::bitset<256> codes;
  main_.codes().AddCodes(0, codes);
  if (moving()) old_.codes().AddCodes(old_.SlotNumber(hand_, 0), codes);
  return wheel_.EarliestLook(codes);
}

// Huge pages are for a table at rest.
template <HashTablePolicy Policy>
void HashTable<Policy>::Settle(UnixMs now) {
  if (settled_ || moving()) return;
  const std::size_t change = size_ > steady_size_ ? size_ - steady_size_ : steady_size_ - size_;
  if (change > steady_size_ / kSteadyShare || now < steady_since_) {
    steady_size_ = size_;
    steady_since_ = now;
  } else if (now - steady_since_ >= kSettleMs) {
    settled_ = true;
  }
}

// True when the array is through with the current pass.
template <HashTablePolicy Policy>
template <typename Visit>
bool HashTable<Policy>::SweepArray(bool in_old, std::size_t& budget, SweepResult& result,
                                   Visit&& visit) {
  BucketArray& array = in_old ? old_ : main_;
  std::array<std::uint64_t, DeadlineCodes::kDueMax> due;
  while (!array.codes().done()) {
    if (budget < kKeyCost) return false;
    const auto [found, chunks] = array.codes().CollectDue(wheel_, due, budget / kChunkCost);
    budget -= std::min(budget, chunks * kChunkCost);
    for (std::size_t i = 0; i < found; ++i) {
      if (budget < kKeyCost) {
        array.codes().PutBack({due.data() + i, found - i});
        return false;
      }
      if (i + 2 * kPrefetchDue < found) {
        storage::Prefetch(&array[due[i + 2 * kPrefetchDue] / Bucket::kSlots]);
      }
      if (i + kPrefetchDue < found) {
        const std::uint64_t ahead = due[i + kPrefetchDue];
        policy_.Prefetch(
            array[ahead / Bucket::kSlots].ref(static_cast<unsigned>(ahead % Bucket::kSlots)));
      }
      const std::size_t before = result.looked_at;
      VisitDue(in_old, due[i], result, visit);
      budget -= std::min(budget, (result.looked_at - before) * kKeyCost);
    }
  }
  return true;
}

template <HashTablePolicy Policy>
template <typename Visit>
void HashTable<Policy>::VisitDue(bool in_old, std::uint64_t slot_number, SweepResult& result,
                                 Visit&& visit) {
  BucketArray& array = in_old ? old_ : main_;
  const std::uint64_t bucket = slot_number / Bucket::kSlots;
  const auto index = static_cast<unsigned>(slot_number % Bucket::kSlots);
  Bucket& holder = array[bucket];
  // Before the visitor frees the entry.
  const std::uint64_t home =
      holder.displaced(index) ? array.Home(policy_.HashOf(holder.ref(index))) : bucket;
  const ExpireVerdict verdict = visit(Slot(&holder, index, in_old));
  result.looked_at += 1 + verdict.more_work;
  if (verdict.erase) {
    EraseAt(array, bucket, index, home);
    PullBack(array, bucket);
    ++result.erased;
  } else if (verdict.deadline == kNoDeadline) {
    Unfile(array, bucket, index);
  } else {
    File(array, bucket, index, wheel_.FileCode(verdict.deadline));
  }
}

// --- Figures

template <HashTablePolicy Policy>
std::size_t HashTable<Policy>::memory_bytes() const {
  return main_.ResidentBytes(MainEnd()) + old_.ResidentBytes(old_.buckets());
}

template <HashTablePolicy Policy>
std::size_t HashTable<Policy>::mapped_bytes() const {
  return main_.MappedBytes(MainEnd()) + old_.MappedBytes(old_.buckets());
}

template <HashTablePolicy Policy>
void HashTable<Policy>::CheckInvariants() const {
  std::size_t entries = 0;
  std::size_t filed = 0;
  CheckArray(main_, 0, entries, filed);
  if (moving()) CheckArray(old_, hand_, entries, filed);
  AERIS_CHECK(entries == size_);
  AERIS_CHECK(filed == filed_);
}

template <HashTablePolicy Policy>
void HashTable<Policy>::CheckArray(const BucketArray& array, std::uint64_t first,
                                   std::size_t& entries, std::size_t& filed) const {
  std::vector<unsigned> spill(static_cast<std::size_t>(array.buckets()));
  for (std::uint64_t b = first; b < array.buckets(); ++b) {
    const Bucket& bucket = array[b];
    for (unsigned index = 0; index < Bucket::kSlots; ++index) {
      const std::size_t number = array.SlotNumber(b, index);
      if (bucket.ref(index) == 0) {
        AERIS_CHECK(!bucket.displaced(index) && !bucket.filed(index) && bucket.policy(index) == 0);
        AERIS_CHECK(array.codes().Get(number) == 0);
        continue;
      }
      const std::uint64_t hash = policy_.HashOf(bucket.ref(index));
      const std::uint64_t home = array.Home(hash);
      AERIS_CHECK(&ArrayOf(hash) == &array);
      AERIS_CHECK(home >= first && home <= b);
      AERIS_CHECK(bucket.fingerprint(index) == Fingerprint(hash));
      AERIS_CHECK(bucket.displaced(index) == (home != b));
      for (std::uint64_t passed = home; passed < b; ++passed)
        ++spill[static_cast<std::size_t>(passed)];
      if (bucket.filed(index)) array.codes().CheckSlot(number);
      AERIS_CHECK(bucket.filed(index) == (array.codes().Get(number) != 0));
      ++entries;
      if (bucket.filed(index)) ++filed;
    }
  }
  for (std::uint64_t b = first; b < array.buckets(); ++b) {
    const unsigned expected = spill[static_cast<std::size_t>(b)];
    const unsigned counted = array[b].spill();
    AERIS_CHECK(counted == expected || counted == Bucket::kSpillMax);
  }
}

}  // namespace aeris::storage
