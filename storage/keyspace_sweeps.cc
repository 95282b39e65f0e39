// What goes over a keyspace step by step: SCAN, expiry, growing and shrinking, sparse pages.
#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>

#include "src/base/check.h"
#include "storage/huge_page.h"
#include "storage/keyspace_impl.h"

namespace aeris::storage {
namespace {

// A clock that is set back by less than this costs no memory.
constexpr UnixMs kClockSlack = 24 * 3600 * 1000;
constexpr std::size_t kMoveBatch = 64;         // entries on their way into the cache at once
constexpr std::size_t kHolesMin = 2 << 20;     // bytes of holes that nothing is done about at once
constexpr std::size_t kHolesShare = 12;        // of what is in use, likewise
constexpr std::size_t kWorkPerPage = 32;       // what returning a page costs, in entries moved
constexpr std::size_t kSlotsPerMove = 16;      // looked through in a sparse page, likewise
constexpr std::size_t kFieldsPerLook = 512;    // due ones, removed at a time
constexpr std::size_t kBlockLooks = 64;        // blocks looked at in one step
constexpr std::size_t kBlockGrowthShare = 16;  // of the pages: more of them are worth another pass
// Each huge page is a mapping of its own, of which a process has 65,530.
constexpr std::size_t kArenaBlocksMax = 8192;
// When a sweep comes back to what it did not finish: not in the same pass.
constexpr UnixMs kLookAgainMs = 100;

}  // namespace

// What a sweep does with a key that it was to look at.
ExpireVerdict Keyspace::Impl::Look(EntryView entry, UnixMs now) {
  if (entry.expired(now)) {
    context.stats.expire_lag.Record(context.LagOf(entry.deadline(), now));
    CountExpired(entry);
    Forget(entry);
    return ExpireVerdict::Erase();
  }
  Collection* const object = ValueObject(entry.bytes());
  if (object == nullptr || object->NextDeadline() == kNoDeadline) {
    return ExpireVerdict::KeepUntil(entry.deadline());
  }
  const std::size_t before = object->size();
  const bool more = ExpireFields(entry, *object, now);
  const std::size_t work = more ? kFieldsPerLook : before - object->size();
  if (object->size() == 0) {
    Forget(entry);
    return {.erase = true, .more_work = work};
  }
  collections.Update(*object);
  if (more && !unfinished_key) unfinished_key = entry.key();
  CollectionAccount::SetFiled(*object, more ? now + kLookAgainMs : object->NextDeadline());
  return {.deadline = FiledTimes(entry).look, .more_work = work};
}

// Removes what is due among the parts of an entry's value. Whether more is.
bool Keyspace::Impl::ExpireFields(EntryView entry, Collection& object, UnixMs now) {
  const std::size_t before = object.size();
  const bool more = object.ExpireDue(now, kFieldsPerLook);
  if (object.size() == before) return more;
  const bool all = object.size() == 0;
  if (all) ++context.stats.expired;
  if (context.expiry_listener != nullptr) {
    context.expiry_listener->FieldsExpired(owner, entry.key(), all);
  }
  return more;
}

// Goes on with the collection that the last look did not finish. Whether its key is gone.
bool Keyspace::Impl::LookAgain(UnixMs now) {
  const std::string key = std::move(*unfinished_key);
  unfinished_key.reset();
  const std::uint64_t hash = context.hasher(key);
  const EntryTable::Slot slot = table.Find(hash, key);
  Collection* const object = slot ? ValueObject(BytesOf(slot)) : nullptr;
  if (object == nullptr) return false;
  const bool more = ExpireFields(ViewOf(slot), *object, now);
  if (object->size() == 0) {
    Remove(slot, hash);
    return true;
  }
  collections.Update(*object);
  if (more) {
    unfinished_key = key;
  } else if (table.PrepareDeadlines()) {
    FileTimes(slot, FiledTimes(ViewOf(slot)));
  }
  return false;
}

// Moves the base to where deadlines can still come: what is left has been proven to lie behind it,
// so every near deadline keeps its meaning. With no deadlines at all it follows a clock that was
// set back as well; otherwise new deadlines before it take a byte more.
void Keyspace::Impl::AdvanceDeadlineBase() {
  const UnixMs floor = std::max(table.deadline_floor(), kClockSlack) - kClockSlack;
  if (floor > deadline_base || table.deadlines() == 0) deadline_base = floor;
}

// Moves up to `entries_max` entries out of sparse pages, fewer where pages hold few. False when
// there is nothing to gain.
bool Keyspace::Impl::EmptyPages(std::size_t entries_max) {
  std::array<Ref, kMoveBatch> refs;
  std::array<std::uint64_t, kMoveBatch> hashes;
  const EntryPolicy& policy = table.policy();
  for (std::size_t work = 0; work < entries_max;) {
    const std::uint64_t searched = arena.slots_searched();
    const std::size_t count =
        arena.SlotsToMove(std::span(refs).first(std::min(kMoveBatch, entries_max - work)));
    if (count == 0) return false;
    for (std::size_t i = 0; i < count; ++i) policy.Prefetch(refs[i]);
    for (std::size_t i = 0; i < count; ++i) {
      hashes[i] = policy.HashOf(refs[i]);
      table.PrefetchBucket(hashes[i]);
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (MoveEntry(refs[i], hashes[i])) continue;
      arena.StopEmptying();
      return false;
    }
    work += count + (arena.slots_searched() - searched) / kSlotsPerMove;
  }
  return true;
}

// To the fullest page that has room. False, and nothing done, without memory.
bool Keyspace::Impl::MoveEntry(Ref from, std::uint64_t hash) {
  const std::size_t bytes = arena.SlotBytes(from);
  const Ref to = arena.Allocate(bytes);
  if (to == 0) return false;
  std::memcpy(arena.At(to), arena.At(from), bytes);
  const EntryTable::Slot slot = table.FindRef(hash, from);
  AERIS_CHECK(slot);  // whatever is in the arena is in the table
  table.Replace(slot, to);
  arena.Free(from);
  return true;
}

std::uint64_t Keyspace::ScanWith(std::uint64_t cursor, std::size_t count, UnixMs now,
                                 VisitFunction visit, void* state) {
  if (impl_ == nullptr) return 0;
  return impl_->table.Scan(cursor, count, [&](Ref ref) {
    const EntryView entry = impl_->ViewOf(impl_->arena.At(ref));
    if (!entry.expired(now)) visit(state, entry);
  });
}

EntryView Keyspace::RandomEntry(UnixMs now) {
  if (impl_ == nullptr) return EntryView();
  for (int removed = 0;; ++removed) {
    const EntryTable::Slot slot = impl_->table.RandomSlot(context_.random);
    if (!slot) return EntryView();
    const EntryView entry = impl_->ViewOf(slot);
    if (!entry.expired(now) || removed == kDrawsMax) return entry;
    impl_->CountExpired(entry);
    impl_->Remove(slot, context_.hasher(entry.key()));
  }
}

Keyspace::ExpireResult Keyspace::ExpireDue(UnixMs now, std::size_t work_max) {
  if (impl_ == nullptr) return {};
  std::size_t finished = 0;
  const std::size_t work = impl_->unfinished_key ? kFieldsPerLook : 0;
  if (impl_->unfinished_key && impl_->LookAgain(now)) finished = 1;
  const auto swept =
      impl_->table.ExpireSweep(now, work_max, [&](EntryTable::Slot slot) -> ExpireVerdict {
        return impl_->Look(impl_->ViewOf(slot), now);
      });
  impl_->AdvanceDeadlineBase();
  return {.expired = swept.erased + finished,
          .work = swept.looked_at + work,
          .more = swept.more || impl_->unfinished_key};
}

std::size_t Keyspace::ExpireBacklog(UnixMs now) const {
  if (impl_ == nullptr) return 0;
  return impl_->table.CountDue(now) + (impl_->unfinished_key ? 1 : 0);
}

bool Keyspace::Maintain(std::size_t work_max) {
  if (impl_ == nullptr) return false;
  // By turns: a table that changes all the time must not keep pages from being emptied.
  const bool pages_first = impl_->pages_first = !impl_->pages_first;
  if (!pages_first && impl_->table.Step(work_max)) return true;
  const bool more = impl_->EmptyPages(work_max);
  if (impl_->arena.ReturnPages(work_max / kWorkPerPage + 1) || more) return true;
  return pages_first && impl_->table.Step(work_max);
}

// After an eviction. Values of another size than before leave holes in all pages of the old one,
// faster than Maintain() fills them: then as many entries are moved as go, and twice as many where
// there are twice as many holes. That bounds them, whatever the sizes.
void Keyspace::Impl::FillHoles() {
  if (++evicted_since_fill < kMoveBatch) [[likely]]
    return;
  evicted_since_fill = 0;
  const std::size_t in_use = arena.bytes_in_use();
  const std::size_t holes = arena.bytes_held() - std::min(arena.bytes_held(), in_use);
  const std::size_t enough = kHolesMin + in_use / kHolesShare;
  if (holes <= enough) return;
  static_cast<void>(EmptyPages(holes > 2 * enough ? 2 * kMoveBatch : kMoveBatch));
}

// The next block of small pages; empty while the table changes, and when all have been replaced.
std::span<std::byte> Keyspace::Impl::NextSmallBlock() {
  if (!table.settled()) {
    table_blocks_replaced = 0;
    return {};
  }
  const std::span<std::byte> of_table = HugePage::Blocks(table.settled_memory());
  if (table_blocks_replaced * HugePage::kBytes < of_table.size()) {
    return of_table.subspan(table_blocks_replaced * HugePage::kBytes, HugePage::kBytes);
  }
  const std::size_t pages = arena.pages_in_use();
  if (pages <= replaced_pages + replaced_pages / kBlockGrowthShare) return {};
  const std::size_t blocks = std::min(arena.blocks(), kArenaBlocksMax);
  replaced_blocks.resize(std::max(replaced_blocks.size(), blocks));
  for (std::size_t i = 0; i < kBlockLooks && arena_block_next < blocks; ++i, ++arena_block_next) {
    if (replaced_blocks[arena_block_next]) continue;
    const std::span<std::byte> block = arena.FullBlock(arena_block_next);
    if (!block.empty()) return block;
  }
  if (arena_block_next >= blocks) {
    arena_block_next = 0;
    replaced_pages = pages;
  }
  return {};
}

bool Keyspace::WantsHugePage() { return impl_ != nullptr && !impl_->NextSmallBlock().empty(); }

bool Keyspace::TakeHugePage(HugePage page) {
  Impl& impl = *impl_;
  const std::span<std::byte> block = impl.NextSmallBlock();
  AERIS_DCHECK(!block.empty());
  if (!page.TakePlaceOf(block)) return false;
  if (HugePage::Blocks(impl.table.settled_memory()).size() >
      impl.table_blocks_replaced * HugePage::kBytes) {
    ++impl.table_blocks_replaced;
  } else {
    impl.replaced_blocks[impl.arena_block_next++] = true;
  }
  return true;
}

}  // namespace aeris::storage
