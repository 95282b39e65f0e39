#include "storage/keyspace.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "src/base/check.h"
#include "storage/keyspace_impl.h"

namespace aeris::storage {

using entry_layout::Fields;
using entry_layout::FieldsOf;
using entry_layout::Kind;

namespace {

constexpr std::size_t kLargeBytes = std::size_t{1} << 20;  // freed in about 50 us
constexpr std::size_t kLargeBlobs = 64;
// Collections that take more allocations to destroy are given away.
constexpr std::size_t kDisposeEffort = 64;
// The allocator returns blocks of some MiB to the kernel as they are freed, 0.1 ms per MiB.
constexpr std::size_t kDisposeBlobBytes = std::size_t{1} << 20;

}  // namespace

void DropBlob(BlobRef blob, Disposal* disposal) {
  if (disposal == nullptr || !blob.last() || blob.capacity() < kDisposeBlobBytes) return;
  disposal->Dispose(std::move(blob));
}

// --- Finding

void Keyspace::Impl::CountUse(EntryTable::Slot slot) {
  const unsigned before = table.policy_bits(slot);
  const unsigned after = S3Fifo::AfterUse(before);
  if (after != before) table.SetPolicyBits(slot, after);
}

std::uint16_t Keyspace::Impl::ClockAfterUse(EntryTable::Slot slot, UnixMs now) {
  const UnixMs age_now = context.AgeTime(now);
  if (!slot) return FirstAccessClock(access(), age_now);
  return NextAccessClock(ViewOf(slot).access_clock(), access(), age_now, context.random);
}

// --- Storing

// Makes the entry at `slot` (or a new one) what `spec` says, in a slot of at least `slot_bytes`.
// The spec's key is the stored one's if there is one. Frees the old value's blob if the spec has
// another value; the spec's views may lie in the old entry. No slot, and nothing changed, without
// memory.
auto Keyspace::Impl::Store(const HashedKey& key, EntryTable::Slot slot, EntrySpec& spec,
                           std::size_t slot_bytes, Slack slack) -> EntryTable::Slot {
  const bool dated = spec.deadline != kNoDeadline ||
                     (spec.object != nullptr && spec.object->NextDeadline() != kNoDeadline);
  if (dated && !table.PrepareDeadlines()) return EntryTable::Slot();
  if (!slot) return Create(key, spec);
  const EntryView old = ViewOf(slot);
  Blob* const old_blob = ValueBlob(old.bytes());
  Collection* const old_object = ValueObject(old.bytes());
  const Times old_times = FiledTimes(old);
  spec.key = old.key();
  spec.key_blob = KeyBlob(old.bytes());
  const EntryForm form(spec, deadline_base);
  if (!Rewrite(slot, spec, form, std::max(slot_bytes, form.size()), slack))
    return EntryTable::Slot();
  if (old_blob != nullptr && old_blob != spec.blob) FreeBlob(old_blob);
  if (old_object != spec.object) {
    if (old_object != nullptr) Release(old_object);
    if (spec.object != nullptr) collections.Add(*spec.object);
  }
  FileTimes(slot, old_times);
  return slot;
}

// As Store; a blob or a collection that is the spec's own, made for it, is freed without memory.
auto Keyspace::Impl::StoreOwned(const HashedKey& key, EntryTable::Slot slot, EntrySpec& spec,
                                std::size_t slot_bytes, Slack slack) -> EntryTable::Slot {
  const EntryTable::Slot stored = Store(key, slot, spec, slot_bytes, slack);
  if (!stored && spec.kind == Kind::kBlob && !(slot && ValueBlob(BytesOf(slot)) == spec.blob)) {
    blobs.Free(spec.blob);
  }
  if (!stored && spec.object != nullptr && !(slot && ValueObject(BytesOf(slot)) == spec.object)) {
    delete spec.object;
  }
  return stored;
}

auto Keyspace::Impl::Create(const HashedKey& key, EntrySpec& spec) -> EntryTable::Slot {
  spec.key = key.text;
  if (spec.key.size() > kInlineKeyMax) {
    spec.key_blob = blobs.Create(spec.key, spec.key.size());
    if (spec.key_blob == nullptr) return EntryTable::Slot();
  }
  const EntryForm form(spec, deadline_base);
  const Ref ref = arena.Allocate(form.size());
  if (ref != 0) {
    form.Write(spec, arena.At(ref));
    if (const EntryTable::Slot slot = table.Insert(key.hash, ref)) {
      if (spec.object != nullptr) collections.Add(*spec.object);
      FileTimes(slot, Times());
      if (admits) Admit(slot, key.hash);
      if (context.reuse.Samples(key.hash)) [[unlikely]]
        owner.NoteStored(key.hash, ViewOf(slot));
      return slot;
    }
    arena.Free(ref);
  }
  if (spec.key_blob != nullptr) blobs.Free(spec.key_blob);
  return EntryTable::Slot();
}

// False, and nothing changed, without memory.
bool Keyspace::Impl::Rewrite(EntryTable::Slot slot, const EntrySpec& spec, const EntryForm& form,
                             std::size_t slot_bytes, Slack slack) {
  const Ref old_ref = table.ref(slot);
  const std::size_t old_bytes = arena.SlotBytes(old_ref);
  const bool same_class = SizeClass::Bytes(SizeClass::Of(slot_bytes)) == old_bytes;
  const bool slack_suits =
      slack == Slack::kKeep && form.size() <= old_bytes && form.size() >= old_bytes / 2;
  Ref ref = 0;
  if (!same_class && !slack_suits) {
    ref = arena.Allocate(slot_bytes);
    // What becomes smaller, or wanted slack, does without.
    if (ref == 0 && form.size() > old_bytes) return false;
  }
  if (ref == 0) {
    // The spec's views lie in the entry that is to be overwritten.
    std::array<std::byte, Arena::kSlotBytesMax> scratch;
    form.Write(spec, scratch.data());
    std::memcpy(arena.At(old_ref), scratch.data(), form.size());
    return true;
  }
  form.Write(spec, arena.At(ref));
  table.Replace(slot, ref);
  arena.Free(old_ref);
  return true;
}

StoreResult Keyspace::Impl::StoreCollection(const HashedKey& key, EntrySpec& spec,
                                            std::optional<UnixMs> deadline, UnixMs now) {
  const EntryTable::Slot slot = FindLive(key, now);
  spec.deadline = deadline ? *deadline : slot ? ViewOf(slot).deadline() : kNoDeadline;
  spec.access_clock =
      slot ? ViewOf(slot).access_clock() : FirstAccessClock(access(), context.AgeTime(now));
  return ResultOf(StoreOwned(key, slot, spec, 0, Slack::kNone));
}

// --- Removing

void Keyspace::Impl::AccountDeadline(UnixMs deadline, int sign) {
  if (deadline == kNoDeadline) return;
  deadline_sum += sign * WideInt{deadline};
  deadline_count += static_cast<std::size_t>(sign);
}

void Keyspace::Impl::FileDeadline(EntryTable::Slot slot, UnixMs before, UnixMs after) {
  if (before == after) return;
  AccountDeadline(before, -1);
  AccountDeadline(after, 1);
  table.SetDeadline(slot, after);
}

// The entry at `slot` was filed under `before`, and is what it will be now.
void Keyspace::Impl::FileTimes(EntryTable::Slot slot, const Times& before) {
  const EntryView entry = ViewOf(slot);
  if (Collection* const object = ValueObject(entry.bytes())) {
    CollectionAccount::SetFiled(*object, object->NextDeadline());
  }
  const Times after = FiledTimes(entry);
  if (before.deadline != after.deadline) {
    AccountDeadline(before.deadline, -1);
    AccountDeadline(after.deadline, 1);
  }
  if (before.look != after.look) table.SetDeadline(slot, after.look);
}

// A collection that no entry points at any more.
void Keyspace::Impl::Release(Collection* object) {
  collections.Remove(*object);
  Destroy(std::unique_ptr<Collection>(object));
}

// Here, or where that holds up nobody.
void Keyspace::Impl::Destroy(std::unique_ptr<Collection> dead) {
  if (context.disposal != nullptr && dead->FreeEffort() > kDisposeEffort) {
    context.disposal->Dispose(std::move(dead));
  }
}

// One that a reply still holds goes with that.
void Keyspace::Impl::FreeBlob(Blob* blob) { DropBlob(blobs.Release(blob), context.disposal); }

// Frees what belongs to an entry that leaves the table.
void Keyspace::Impl::Forget(EntryView entry) {
  AccountDeadline(entry.deadline(), -1);
  if (Blob* const blob = ValueBlob(entry.bytes()); blob != nullptr) FreeBlob(blob);
  if (Blob* const blob = KeyBlob(entry.bytes()); blob != nullptr) FreeBlob(blob);
  if (Collection* const object = ValueObject(entry.bytes())) Release(object);
  arena.Free(arena.RefOf(entry.bytes()));
}

// Before an entry leaves the table because of a deadline.
void Keyspace::Impl::CountExpired(EntryView entry) {
  ++context.stats.expired;
  if (context.expiry_listener != nullptr) context.expiry_listener->KeyExpired(owner, entry.key());
}

void Keyspace::Impl::Remove(EntryTable::Slot slot, std::uint64_t hash) {
  const EntryView entry = ViewOf(slot);
  table.Erase(slot, hash);
  Forget(entry);
}

// --- Keyspace

Keyspace::Keyspace(KeyspaceContext& context) : context_(context) {}
Keyspace::~Keyspace() = default;

Keyspace::Impl& Keyspace::parts(UnixMs now) {
  if (impl_ == nullptr) {
    impl_ = std::make_unique<Impl>(*this, context_);
    impl_->UsePolicy(policy_, limited_);
    // Sets the expire wheel to the present, so that the first deadlines are filed where they
    // belong.
    ExpireDue(now, 0);
  }
  return *impl_;
}

HashedKey Keyspace::Hash(std::string_view key) const { return {key, context_.hasher(key)}; }

EntryView Keyspace::Find(const HashedKey& key, UnixMs now, Lookup lookup) {
  const EntryTable::Slot slot =
      impl_ != nullptr ? impl_->FindLive(key, now, Impl::IfExpired::kMayStay) : EntryTable::Slot();
  if (lookup.count && context_.reuse.Samples(key.hash)) [[unlikely]]
    NoteRequest(key.hash, slot ? impl_->ViewOf(slot) : EntryView(), now);
  if (!slot) {
    if (lookup.count) ++lookup_stats_.misses;
    return EntryView();
  }
  if (lookup.count) ++lookup_stats_.hits;
  std::byte* const entry = impl_->BytesOf(slot);
  if (lookup.touch) {
    impl_->Touch(entry, now);
    if (impl_->counts_uses) impl_->CountUse(slot);
  }
  return impl_->ViewOf(entry);
}

void Keyspace::PrefetchBucket(std::uint64_t hash) const {
  if (impl_ != nullptr) impl_->table.PrefetchBucket(hash);
}

void Keyspace::PrefetchEntry(std::uint64_t hash) const {
  if (impl_ != nullptr) impl_->table.PrefetchEntry(hash);
}

void Keyspace::PrefetchDeadline(std::uint64_t hash) const {
  if (impl_ != nullptr) impl_->table.PrefetchDeadline(hash);
}

const MemberTable* Keyspace::PeekMembers(const HashedKey& key) const {
  if (impl_ == nullptr) return nullptr;
  const EntryTable::Slot slot = impl_->table.Find(key.hash, key.text);
  const Collection* const object = slot ? ValueObject(impl_->BytesOf(slot)) : nullptr;
  return object != nullptr ? object->members() : nullptr;
}

StoreResult Keyspace::SetDeadline(const HashedKey& key, UnixMs deadline, UnixMs now) {
  if (impl_ == nullptr) return StoreResult::kNoKey;
  const EntryTable::Slot slot = impl_->FindLive(key, now);
  if (!slot) return StoreResult::kNoKey;
  std::byte* const entry = impl_->BytesOf(slot);
  const UnixMs before = impl_->ViewOf(entry).deadline();
  if (before != kNoDeadline &&
      FieldsOf(entry).deadline_size == DeadlineBytes(deadline, impl_->deadline_base)) {
    StoreDeadline(entry, deadline);
    impl_->FileDeadline(slot, before, deadline);
  } else if (before != deadline) {
    EntrySpec spec = SpecOf(impl_->ViewOf(entry));
    spec.deadline = deadline;
    return ResultOf(impl_->Store(key, slot, spec, 0, Slack::kKeep));
  }
  return StoreResult::kStored;
}

StoreResult Keyspace::SetPacked(const HashedKey& key, ValueType type, PackedForm form,
                                std::string_view bytes, std::optional<UnixMs> deadline,
                                UnixMs now) {
  EntrySpec spec;
  spec.kind = Kind::kCollection;
  const bool large = bytes.size() >= kInlineBlockMax;
  spec.tag = CollectionTag(type, form, large);
  if (large) {
    spec.object = new PackedCollection(type, form, bytes);
  } else {
    spec.text = bytes;
  }
  return parts(now).StoreCollection(key, spec, deadline, now);
}

StoreResult Keyspace::SetObject(const HashedKey& key, std::unique_ptr<Collection>& object,
                                std::optional<UnixMs> deadline, UnixMs now) {
  EntrySpec spec;
  spec.kind = Kind::kCollection;
  spec.tag = CollectionTag(object->type(), PackedForm::kListpack, true);
  spec.object = object.release();
  return parts(now).StoreCollection(key, spec, deadline, now);
}

void Keyspace::ObjectChanged(const HashedKey& key, Collection& object, UnixMs now) {
  Impl& impl = parts(now);
  impl.collections.Update(object);
  if (auto part = object.TakeCutOff()) impl.Destroy(std::move(part));
  if (object.NextDeadline() == CollectionAccount::filed(object)) [[likely]] {
    return;
  }
  const EntryTable::Slot slot = impl.table.Find(key.hash, key.text);
  AERIS_CHECK(slot && ValueObject(impl.BytesOf(slot)) == &object);
  // Without memory the parts still expire when they are met.
  if (!impl.table.PrepareDeadlines()) return;
  impl.FileTimes(slot, FiledTimes(impl.ViewOf(slot)));
}

bool Keyspace::OverwritePacked(EntryView entry, PackedForm form, std::string_view bytes) {
  const Fields fields = FieldsOf(entry.bytes());
  if (fields.kind != Kind::kCollection || fields.value_size != bytes.size() + 1) return false;
  const CollectionTag tag(entry.bytes()[fields.value_offset]);
  if (tag.is_object() || tag.form() != form) return false;
  std::byte* const to = impl_->arena.At(impl_->arena.RefOf(entry.bytes()));
  std::memcpy(to + fields.value_offset + 1, bytes.data(), bytes.size());
  return true;
}

PackedBlock& Keyspace::scratch_block(UnixMs now) { return parts(now).scratch_block; }

bool Keyspace::Delete(const HashedKey& key, UnixMs now) {
  if (impl_ == nullptr) return false;
  const EntryTable::Slot slot = impl_->FindLive(key, now);
  if (!slot) return false;
  if (context_.reuse.Samples(key.hash)) context_.reuse.Removed(ReuseName(key.hash));
  impl_->Remove(slot, key.hash);
  return true;
}

StoreResult Keyspace::Copy(const HashedKey& from, Keyspace& to, const HashedKey& to_key,
                           UnixMs now) {
  if (impl_ == nullptr) return StoreResult::kNoKey;
  const EntryTable::Slot source = impl_->FindLive(from, now);
  if (!source) return StoreResult::kNoKey;
  Impl& target = to.parts(now);
  // Entries stay where they are while the table changes, the source's slot does not.
  EntrySpec spec = SpecOf(impl_->ViewOf(source));
  const EntryTable::Slot slot = target.FindLive(to_key, now);
  if (spec.kind == Kind::kBlob) {
    spec.blob = target.blobs.Create(spec.blob->text(), spec.blob->size());
    if (spec.blob == nullptr) return StoreResult::kNoMemory;
  }
  if (spec.object != nullptr) {
    spec.object = spec.object->Clone().release();
    if (spec.object == nullptr) return StoreResult::kNoMemory;
  }
  spec.key_blob = nullptr;
  spec.access_clock = FirstAccessClock(target.access(), context_.AgeTime(now));
  return ResultOf(target.StoreOwned(to_key, slot, spec, 0, Slack::kNone));
}

StoreResult Keyspace::Move(const HashedKey& from, Keyspace& to, const HashedKey& to_key,
                           UnixMs now) {
  if (impl_ == nullptr) return StoreResult::kNoKey;
  const EntryTable::Slot source = impl_->FindLive(from, now);
  if (!source) return StoreResult::kNoKey;
  Impl& target = to.parts(now);
  // The entry stays where it is while the table changes, its slot does not.
  std::byte* const entry = impl_->BytesOf(source);
  EntrySpec spec = SpecOf(impl_->ViewOf(entry));
  spec.key_blob = nullptr;
  const Times times = FiledTimes(impl_->ViewOf(entry));
  if (spec.object != nullptr) impl_->collections.Remove(*spec.object);
  if (!target.Store(to_key, target.FindLive(to_key, now), spec, 0, Slack::kNone)) {
    if (spec.object != nullptr) {
      impl_->collections.Add(*spec.object);
      CollectionAccount::SetFiled(*spec.object, times.look);
    }
    return StoreResult::kNoMemory;
  }
  if (spec.object != nullptr) StoreObject(entry, nullptr);
  if (spec.kind == Kind::kBlob) {
    impl_->blobs.MoveTo(target.blobs, spec.blob);
    StoreBlob(entry, nullptr);  // the old entry owns it no longer
  }
  impl_->Remove(impl_->table.Find(from.hash, from.text), from.hash);
  return StoreResult::kStored;
}

void Keyspace::SetAccessClock(const HashedKey& key, std::uint16_t clock, UnixMs now) {
  if (impl_ == nullptr) return;
  if (const EntryTable::Slot slot = impl_->FindLive(key, now)) {
    StoreAccessClock(impl_->BytesOf(slot), clock);
  }
}

// --- Figures

std::size_t Keyspace::size() const { return impl_ != nullptr ? impl_->table.size() : 0; }

std::size_t Keyspace::deadlines() const { return impl_ != nullptr ? impl_->deadline_count : 0; }

std::int64_t Keyspace::AverageTtlMs(UnixMs now) const {
  const std::size_t count = deadlines();
  if (count == 0) return 0;
  const WideInt average = impl_->deadline_sum / static_cast<WideInt>(count) - now;
  return static_cast<std::int64_t>(std::max(WideInt{0}, average));
}

Keyspace::Memory Keyspace::memory() const {
  if (impl_ == nullptr) return {};
  const S3Fifo* const queues = impl_->queues.get();
  return {.table = impl_->table.memory_bytes() + sizeof(Impl) +
                   (queues != nullptr ? queues->memory_bytes() : 0),
          .entries = impl_->arena.bytes_in_use(),
          .arena = impl_->arena.bytes_held(),
          .blobs = impl_->blobs.bytes(),
          .collections = impl_->collections.bytes(),
          .mapped = mapped_bytes()};
}

std::size_t Keyspace::mapped_bytes() const {
  if (impl_ == nullptr) return 0;
  return impl_->table.mapped_bytes() + impl_->arena.bytes_in_use() +
         impl_->collections.mapped_bytes() +
         (impl_->queues != nullptr ? impl_->queues->mapped_bytes() : 0);
}

std::size_t Keyspace::Impl::used_bytes() const {
  const std::size_t bytes =
      table.memory_bytes() + arena.bytes_in_use() + blobs.bytes() + collections.bytes();
  return queues == nullptr ? bytes : bytes + queues->memory_bytes();
}

std::size_t Keyspace::used_bytes() const { return impl_ != nullptr ? impl_->used_bytes() : 0; }

// What the entry takes by itself.
std::size_t Keyspace::Impl::MemoryOf(EntryView entry) const {
  std::size_t bytes = arena.SlotBytes(arena.RefOf(entry.bytes()));
  for (const Blob* const blob : {ValueBlob(entry.bytes()), KeyBlob(entry.bytes())}) {
    if (blob != nullptr) bytes += BlobStore::BytesOf(blob);
  }
  if (const Collection* const object = ValueObject(entry.bytes())) bytes += object->memory_bytes();
  return bytes;
}

std::size_t Keyspace::MemoryUsage(EntryView entry) const {
  // A lone key is not charged for the pages that a small table starts with.
  return impl_->MemoryOf(entry) + std::min(sizeof(Bucket), impl_->table.memory_bytes() / size());
}

bool Keyspace::large() const {
  if (impl_ == nullptr) return false;
  return impl_->arena.bytes_held() + impl_->blobs.bytes() + impl_->collections.bytes() +
                 impl_->table.memory_bytes() >
             kLargeBytes ||
         impl_->blobs.count() + impl_->collections.count() > kLargeBlobs;
}

void Keyspace::CheckInvariants() const {
  if (impl_ == nullptr) return;
  impl_->table.CheckInvariants();
  impl_->arena.CheckInvariants();
  impl_->blobs.CheckInvariants();
  std::size_t entry_bytes = 0, deadline_count = 0, look_count = 0, blob_count = 0, blob_bytes = 0;
  std::size_t object_count = 0, object_bytes = 0;
  WideInt deadline_sum = 0;
  impl_->table.ForEach([&](Ref ref) {
    const EntryView entry = impl_->ViewOf(impl_->arena.At(ref));
    const std::size_t slot_bytes = impl_->arena.SlotBytes(ref);
    AERIS_CHECK(FieldsOf(entry.bytes()).size() <= slot_bytes);
    entry_bytes += slot_bytes;
    const EntryTable::Slot slot = impl_->table.Find(context_.hasher(entry.key()), entry.key());
    AERIS_CHECK(static_cast<bool>(slot) && impl_->table.ref(slot) == ref);
    const bool looked_at = FiledTimes(entry).look != kNoDeadline;
    AERIS_CHECK(impl_->table.has_deadline(slot) == looked_at);
    look_count += looked_at ? 1 : 0;
    if (Collection* const object = ValueObject(entry.bytes())) {
      object->CheckInvariants();
      AERIS_CHECK(object->size() != 0 || object->type() == ValueType::kStream);
      AERIS_CHECK(object->type() == entry.type());
      AERIS_CHECK(object->memory_bytes() == CollectionAccount::counted(*object));
      ++object_count;
      object_bytes += object->memory_bytes();
    }
    AERIS_CHECK(entry.deadline() == kNoDeadline ||
                entry.deadline() >= impl_->table.deadline_floor());
    if (entry.deadline() != kNoDeadline) {
      ++deadline_count;
      deadline_sum += entry.deadline();
    }
    for (const Blob* const blob : {ValueBlob(entry.bytes()), KeyBlob(entry.bytes())}) {
      if (blob == nullptr) continue;
      ++blob_count;
      blob_bytes += BlobStore::BytesOf(blob);
    }
  });
  AERIS_CHECK(entry_bytes == impl_->arena.bytes_in_use());
  AERIS_CHECK(look_count == impl_->table.deadlines());
  AERIS_CHECK(deadline_count == impl_->deadline_count);
  AERIS_CHECK(object_count == impl_->collections.count());
  AERIS_CHECK(object_bytes == impl_->collections.bytes());
  AERIS_CHECK(deadline_sum == impl_->deadline_sum);
  AERIS_CHECK(blob_count == impl_->blobs.count());
  AERIS_CHECK(blob_bytes == impl_->blobs.bytes());
}

}  // namespace aeris::storage
