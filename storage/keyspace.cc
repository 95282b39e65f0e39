#include "storage/keyspace.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string>
#include <type_traits>

#include "src/base/check.h"
#include "src/base/number_text.h"
#include "storage/arena.h"
#include "storage/blob.h"
#include "storage/entry_codec.h"
#include "storage/hash_table.h"
#include "storage/prefetch.h"

namespace aeris::storage {

using entry_layout::Fields;
using entry_layout::FieldsOf;
using entry_layout::Kind;

namespace {

__extension__ using WideInt = __int128;

constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kPrefetchBytesMax = 4 * kCacheLine;
// A clock that is set back by less than this costs no memory.
constexpr UnixMs kClockSlack = 24 * 3600 * 1000;
constexpr std::size_t kLargeBytes = std::size_t{1} << 20;  // freed in about 50 us
constexpr std::size_t kLargeBlobs = 64;
constexpr std::size_t kMoveBatch = 64;    // entries on their way into the cache at once
constexpr std::size_t kWorkPerPage = 32;  // what returning a page costs, in entries moved

// What the table knows about entries.
class EntryPolicy {
 public:
  EntryPolicy(const Arena& arena, const KeyHasher& hasher) : arena_(&arena), hasher_(&hasher) {}

  std::uint64_t HashOf(Ref ref) const { return (*hasher_)(KeyOf(arena_->At(ref))); }
  bool Matches(Ref ref, std::string_view key) const { return KeyOf(arena_->At(ref)) == key; }
  // Entries are not aligned to lines, so one of 56 bytes is mostly on two.
  void Prefetch(Ref ref) const {
    const std::byte* const entry = arena_->At(ref);
    storage::Prefetch(entry);
    const std::size_t bytes = std::min(arena_->SlotBytes(ref), kPrefetchBytesMax);
    for (std::size_t at = kCacheLine; at < bytes; at += kCacheLine) storage::Prefetch(entry + at);
    storage::Prefetch(entry + bytes - 1);
  }

 private:
  const Arena* arena_;
  const KeyHasher* hasher_;
};

using Table = HashTable<EntryPolicy>;

StoreResult ResultOf(Table::Slot stored) {
  return stored ? StoreResult::kStored : StoreResult::kNoMemory;
}

// Collections that take more allocations to destroy are given away.
constexpr std::size_t kDisposeEffort = 64;
constexpr std::size_t kFieldsPerLook = 512;  // due ones, removed at a time
// When a sweep comes back to what it did not finish: not in the same pass.
constexpr UnixMs kLookAgainMs = 100;

UnixMs Earlier(UnixMs a, UnixMs b) {
  if (a == kNoDeadline || b == kNoDeadline) return std::max(a, b);
  return std::min(a, b);
}

// A key's deadline, and when the sweep has to look at it: parts of its value may be due earlier.
struct Times {
  UnixMs deadline = kNoDeadline;
  UnixMs look = kNoDeadline;
};

// Under which the entry has been filed.
Times FiledTimes(EntryView entry) {
  const UnixMs deadline = entry.deadline();
  const Collection* const object = ValueObject(entry.bytes());
  if (object == nullptr) [[likely]] {
    return {deadline, deadline};
  }
  return {deadline, Earlier(deadline, CollectionAccount::filed(*object))};
}

// Whether a new form may keep a slot that is larger than it needs.
enum class Slack : std::uint8_t { kNone, kKeep };

}  // namespace

struct Keyspace::Impl {
  explicit Impl(KeyspaceContext& shared)
      : context(shared),
        arena({.reserve_bytes = shared.limits.arena_bytes}),
        blobs(shared.limits.blob_bytes),
        table(EntryPolicy(arena, shared.hasher), shared.limits.table_homes) {}

  ~Impl() {
    if (collections.count() == 0) return;
    table.ForEach([&](Ref ref) { delete ValueObject(arena.At(ref)); });
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  AccessPolicy access() const {
    return {context.lfu, context.lfu_log_factor, context.lfu_decay_minutes};
  }
  EntryView ViewOf(const std::byte* entry) const { return {entry, deadline_base}; }
  EntryView ViewOf(Table::Slot slot) const { return ViewOf(arena.At(table.ref(slot))); }
  std::byte* BytesOf(Table::Slot slot) const { return arena.At(table.ref(slot)); }

  Table::Slot FindLive(const HashedKey& key, UnixMs now);
  void Touch(std::byte* entry, UnixMs now);
  std::uint16_t ClockAfterUse(Table::Slot slot, UnixMs now);

  Table::Slot Store(const HashedKey& key, Table::Slot slot, EntrySpec& spec, std::size_t slot_bytes,
                    Slack slack);
  Table::Slot Create(const HashedKey& key, EntrySpec& spec);
  bool Rewrite(Table::Slot slot, const EntrySpec& spec, const EntryForm& form,
               std::size_t slot_bytes, Slack slack);
  bool OverwriteSameShape(Table::Slot slot, std::string_view value, UnixMs deadline, UnixMs now);
  bool SetSpecText(EntrySpec& spec, std::string_view value, Table::Slot slot, LooseBlob* loose);
  bool AssignInPlace(EntrySpec& spec, std::string_view value, Table::Slot slot);
  bool FitsInPlace(Table::Slot slot, EntrySpec spec) const;
  Table::Slot StoreOwned(const HashedKey& key, Table::Slot slot, EntrySpec& spec,
                         std::size_t slot_bytes, Slack slack);
  std::optional<std::span<char>> ResizeInline(const HashedKey& key, Table::Slot slot,
                                              std::size_t size);
  StoreResult StoreCollection(const HashedKey& key, EntrySpec& spec, bool keep_deadline,
                              UnixMs now);
  std::span<char> WritableText(Table::Slot slot);

  bool EmptyPages(std::size_t entries_max);
  bool MoveEntry(Ref from, std::uint64_t hash);

  void Forget(EntryView entry);
  void Remove(Table::Slot slot, std::uint64_t hash);
  void AccountDeadline(UnixMs deadline, int sign);
  void FileDeadline(Table::Slot slot, UnixMs before, UnixMs after);
  void FileTimes(Table::Slot slot, const Times& before);
  void Release(Collection* object);
  ExpireVerdict Look(EntryView entry, UnixMs now);
  bool LookAgain(UnixMs now);
  void AdvanceDeadlineBase();

  KeyspaceContext& context;
  Arena arena;
  BlobStore blobs;
  CollectionAccount collections;
  PackedBlock scratch_block;
  Table table;
  // A collection of which more parts are due than one look removes: the wheel would come back to it
  // only after its shortest step.
  std::optional<std::string> unfinished_key;
  std::size_t deadline_count = 0;
  WideInt deadline_sum = 0;
  UnixMs deadline_base = 0;  // no near deadline lies before it, nor 2^32 ms behind it
};

// --- Finding

// The key's slot, if it has not expired. An expired one is removed here.
auto Keyspace::Impl::FindLive(const HashedKey& key, UnixMs now) -> Table::Slot {
  const Table::Slot slot = table.Find(key.hash, key.text);
  if (!slot || !table.has_deadline(slot)) return slot;
  if (!ViewOf(slot).expired(now)) return slot;
  Remove(slot, key.hash);
  ++context.stats.expired;
  return Table::Slot();
}

void Keyspace::Impl::Touch(std::byte* entry, UnixMs now) {
  const std::uint16_t before = ViewOf(entry).access_clock();
  // Without building what only the other meaning of the clock needs.
  const std::uint16_t after =
      !context.lfu ? AccessClockOf(now) : NextAccessClock(before, access(), now, context.random);
  // A line that is only read stays shared between cores and need not be written back.
  if (after != before) StoreAccessClock(entry, after);
}

std::uint16_t Keyspace::Impl::ClockAfterUse(Table::Slot slot, UnixMs now) {
  if (!slot) return FirstAccessClock(access(), now);
  return NextAccessClock(ViewOf(slot).access_clock(), access(), now, context.random);
}

// --- Storing

// Makes the entry at `slot` (or a new one) what `spec` says, in a slot of at least `slot_bytes`.
// The spec's key is the stored one's if there is one. Frees the old value's blob if the spec has
// another value; the spec's views may lie in the old entry. No slot, and nothing changed, without
// memory.
auto Keyspace::Impl::Store(const HashedKey& key, Table::Slot slot, EntrySpec& spec,
                           std::size_t slot_bytes, Slack slack) -> Table::Slot {
  const bool dated = spec.deadline != kNoDeadline ||
                     (spec.object != nullptr && spec.object->NextDeadline() != kNoDeadline);
  if (dated && !table.PrepareDeadlines()) return Table::Slot();
  if (!slot) return Create(key, spec);
  const EntryView old = ViewOf(slot);
  Blob* const old_blob = ValueBlob(old.bytes());
  Collection* const old_object = ValueObject(old.bytes());
  const Times old_times = FiledTimes(old);
  spec.key = old.key();
  spec.key_blob = KeyBlob(old.bytes());
  const EntryForm form(spec, deadline_base);
  if (!Rewrite(slot, spec, form, std::max(slot_bytes, form.size()), slack)) return Table::Slot();
  if (old_blob != nullptr && old_blob != spec.blob) blobs.Free(old_blob);
  if (old_object != spec.object) {
    if (old_object != nullptr) Release(old_object);
    if (spec.object != nullptr) collections.Add(*spec.object);
  }
  FileTimes(slot, old_times);
  return slot;
}

// As Store; a blob or a collection that is the spec's own, made for it, is freed without memory.
auto Keyspace::Impl::StoreOwned(const HashedKey& key, Table::Slot slot, EntrySpec& spec,
                                std::size_t slot_bytes, Slack slack) -> Table::Slot {
  const Table::Slot stored = Store(key, slot, spec, slot_bytes, slack);
  if (!stored && spec.kind == Kind::kBlob && !(slot && ValueBlob(BytesOf(slot)) == spec.blob)) {
    blobs.Free(spec.blob);
  }
  if (!stored && spec.object != nullptr && !(slot && ValueObject(BytesOf(slot)) == spec.object)) {
    delete spec.object;
  }
  return stored;
}

auto Keyspace::Impl::Create(const HashedKey& key, EntrySpec& spec) -> Table::Slot {
  spec.key = key.text;
  if (spec.key.size() > kInlineKeyMax) {
    spec.key_blob = blobs.Create(spec.key, spec.key.size());
    if (spec.key_blob == nullptr) return Table::Slot();
  }
  const EntryForm form(spec, deadline_base);
  const Ref ref = arena.Allocate(form.size());
  if (ref != 0) {
    form.Write(spec, arena.At(ref));
    if (const Table::Slot slot = table.Insert(key.hash, ref)) {
      if (spec.object != nullptr) collections.Add(*spec.object);
      FileTimes(slot, Times());
      return slot;
    }
    arena.Free(ref);
  }
  if (spec.key_blob != nullptr) blobs.Free(spec.key_blob);
  return Table::Slot();
}

// False, and nothing changed, without memory.
bool Keyspace::Impl::Rewrite(Table::Slot slot, const EntrySpec& spec, const EntryForm& form,
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

// The common overwrite: inline text by text of the same size, with a deadline in as many bytes.
bool Keyspace::Impl::OverwriteSameShape(Table::Slot slot, std::string_view value, UnixMs deadline,
                                        UnixMs now) {
  std::byte* const entry = BytesOf(slot);
  const Fields fields = FieldsOf(entry);
  if (fields.kind != Kind::kText || fields.grown || fields.value_size != value.size() ||
      fields.deadline_size != DeadlineBytes(deadline, deadline_base)) {
    return false;
  }
  // An entry that has grown keeps room that text of its own would not have.
  if (SizeClass::Bytes(SizeClass::Of(fields.size())) != arena.SlotBytes(table.ref(slot))) {
    return false;
  }
  if (!value.empty()) std::memmove(entry + fields.value_offset, value.data(), value.size());
  if (fields.deadline_size != 0) {
    const UnixMs before = ViewOf(entry).deadline();
    StoreDeadline(entry, deadline);
    FileDeadline(slot, before, deadline);
  }
  Touch(entry, now);
  return true;
}

// Text that is not an integer: inside the entry, or in a blob, the old one where that suits. False
// without memory.
bool Keyspace::Impl::SetSpecText(EntrySpec& spec, std::string_view value, Table::Slot slot,
                                 LooseBlob* loose) {
  if (value.size() <= kInlineValueMax) {
    spec.kind = Kind::kText;
    spec.text = value;
    return true;
  }
  spec.kind = Kind::kBlob;
  if (loose != nullptr) {
    spec.blob = blobs.Adopt(*loose, value.size());
    return spec.blob != nullptr;
  }
  if (slot && AssignInPlace(spec, value, slot)) return true;
  spec.blob = blobs.Create(value, value.size());
  return spec.blob != nullptr;
}

// Changes the text of the blob that the entry at `slot` holds, if the entry can then be stored
// without fail: once the text has changed there is no way back.
bool Keyspace::Impl::AssignInPlace(EntrySpec& spec, std::string_view value, Table::Slot slot) {
  spec.blob = ValueBlob(BytesOf(slot));
  return spec.blob != nullptr && FitsInPlace(slot, spec) && blobs.Assign(spec.blob, value);
}

// Whether storing `spec` at `slot` takes no memory.
bool Keyspace::Impl::FitsInPlace(Table::Slot slot, EntrySpec spec) const {
  const EntryView old = ViewOf(slot);
  if (spec.deadline != kNoDeadline && !table.has_deadline(slot)) return false;
  spec.key = old.key();
  spec.key_blob = KeyBlob(old.bytes());
  return EntryForm(spec, deadline_base).size() <= arena.SlotBytes(table.ref(slot));
}

std::span<char> Keyspace::Impl::WritableText(Table::Slot slot) {
  std::byte* const entry = BytesOf(slot);
  if (Blob* const blob = ValueBlob(entry); blob != nullptr) return BlobStore::Bytes(blob);
  const Fields fields = FieldsOf(entry);
  return {reinterpret_cast<char*>(entry + fields.value_offset), fields.value_size};
}

// A string inside its entry becomes `size` bytes long, there or in a blob.
std::optional<std::span<char>> Keyspace::Impl::ResizeInline(const HashedKey& key, Table::Slot slot,
                                                            std::size_t size) {
  const EntryView old = ViewOf(slot);
  if (!old.is_integer() && old.text_size() == size && old.encoding() == Encoding::kRaw) {
    return WritableText(slot);
  }
  IntegerText scratch;
  const std::string_view text = old.Text(scratch);
  const bool grows = size > text.size();
  EntrySpec spec = SpecOf(old);
  std::size_t slot_bytes = 0;
  if (size > kInlineValueMax) {
    spec.kind = Kind::kBlob;
    spec.blob = blobs.Create(text, size);
    if (spec.blob == nullptr) return std::nullopt;
  } else {
    spec.kind = Kind::kText;
    spec.grown = true;
    spec.text = text.substr(0, size);
    spec.zero_bytes = size - spec.text.size();
    if (grows) {
      const std::size_t slack = std::min(GrownCapacity(size), kInlineValueMax) - size;
      slot_bytes = EntryForm(spec, deadline_base).size() + slack;
    }
  }
  slot = StoreOwned(key, slot, spec, slot_bytes, Slack::kKeep);
  if (!slot) return std::nullopt;
  return WritableText(slot);
}

StoreResult Keyspace::Impl::StoreCollection(const HashedKey& key, EntrySpec& spec,
                                            bool keep_deadline, UnixMs now) {
  const Table::Slot slot = FindLive(key, now);
  if (keep_deadline && slot) spec.deadline = ViewOf(slot).deadline();
  spec.access_clock = slot ? ViewOf(slot).access_clock() : FirstAccessClock(access(), now);
  return ResultOf(StoreOwned(key, slot, spec, 0, Slack::kNone));
}

// --- Removing

void Keyspace::Impl::AccountDeadline(UnixMs deadline, int sign) {
  if (deadline == kNoDeadline) return;
  deadline_sum += sign * WideInt{deadline};
  deadline_count += static_cast<std::size_t>(sign);
}

void Keyspace::Impl::FileDeadline(Table::Slot slot, UnixMs before, UnixMs after) {
  if (before == after) return;
  AccountDeadline(before, -1);
  AccountDeadline(after, 1);
  table.SetDeadline(slot, after);
}

// The entry at `slot` was filed under `before`, and is what it will be now.
void Keyspace::Impl::FileTimes(Table::Slot slot, const Times& before) {
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

// What a sweep does with a key that it was to look at.
ExpireVerdict Keyspace::Impl::Look(EntryView entry, UnixMs now) {
  if (entry.expired(now)) {
    Forget(entry);
    return ExpireVerdict::Erase();
  }
  Collection* const object = ValueObject(entry.bytes());
  if (object == nullptr || object->NextDeadline() == kNoDeadline) {
    return ExpireVerdict::KeepUntil(entry.deadline());
  }
  const bool more = object->ExpireDue(now, kFieldsPerLook);
  if (object->size() == 0) {
    Forget(entry);
    return ExpireVerdict::Erase();
  }
  collections.Update(*object);
  if (more && !unfinished_key) unfinished_key = entry.key();
  CollectionAccount::SetFiled(*object, more ? now + kLookAgainMs : object->NextDeadline());
  return ExpireVerdict::KeepUntil(FiledTimes(entry).look);
}

// Goes on with the collection that the last look did not finish. Whether its key is gone.
bool Keyspace::Impl::LookAgain(UnixMs now) {
  const std::string key = std::move(*unfinished_key);
  unfinished_key.reset();
  const std::uint64_t hash = context.hasher(key);
  const Table::Slot slot = table.Find(hash, key);
  Collection* const object = slot ? ValueObject(BytesOf(slot)) : nullptr;
  if (object == nullptr) return false;
  const bool more = object->ExpireDue(now, kFieldsPerLook);
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

// A collection that no entry points at any more.
void Keyspace::Impl::Release(Collection* object) {
  collections.Remove(*object);
  std::unique_ptr<Collection> dead(object);
  if (context.disposal != nullptr && dead->FreeEffort() > kDisposeEffort) {
    context.disposal->Dispose(std::move(dead));
  }
}

// Moves the base to where deadlines can still come: what is left has been proven to lie behind it,
// so every near deadline keeps its meaning. With no deadlines at all it follows a clock that was
// set back as well; otherwise new deadlines before it take a byte more.
void Keyspace::Impl::AdvanceDeadlineBase() {
  const UnixMs floor = std::max(table.deadline_floor(), kClockSlack) - kClockSlack;
  if (floor > deadline_base || table.deadlines() == 0) deadline_base = floor;
}

// Frees what belongs to an entry that leaves the table.
void Keyspace::Impl::Forget(EntryView entry) {
  AccountDeadline(entry.deadline(), -1);
  if (Blob* const blob = ValueBlob(entry.bytes()); blob != nullptr) blobs.Free(blob);
  if (Blob* const blob = KeyBlob(entry.bytes()); blob != nullptr) blobs.Free(blob);
  if (Collection* const object = ValueObject(entry.bytes())) Release(object);
  arena.Free(arena.RefOf(entry.bytes()));
}

void Keyspace::Impl::Remove(Table::Slot slot, std::uint64_t hash) {
  const EntryView entry = ViewOf(slot);
  table.Erase(slot, hash);
  Forget(entry);
}

// --- Memory

// Moves up to `entries_max` entries out of sparse pages. False when there is nothing to gain.
bool Keyspace::Impl::EmptyPages(std::size_t entries_max) {
  std::array<Ref, kMoveBatch> refs;
  std::array<std::uint64_t, kMoveBatch> hashes;
  const EntryPolicy& policy = table.policy();
  for (std::size_t moved = 0; moved < entries_max;) {
    const std::size_t count =
        arena.SlotsToMove(std::span(refs).first(std::min(kMoveBatch, entries_max - moved)));
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
    moved += count;
  }
  return true;
}

// To the fullest page that has room. False, and nothing done, without memory.
bool Keyspace::Impl::MoveEntry(Ref from, std::uint64_t hash) {
  const std::size_t bytes = arena.SlotBytes(from);
  const Ref to = arena.Allocate(bytes);
  if (to == 0) return false;
  std::memcpy(arena.At(to), arena.At(from), bytes);
  const Table::Slot slot = table.FindRef(hash, from);
  AERIS_CHECK(slot);  // whatever is in the arena is in the table
  table.Replace(slot, to);
  arena.Free(from);
  return true;
}

// --- Keyspace

Keyspace::Keyspace(KeyspaceContext& context) : context_(context) {}
Keyspace::~Keyspace() = default;

Keyspace::Impl& Keyspace::parts(UnixMs now) {
  if (impl_ == nullptr) {
    impl_ = std::make_unique<Impl>(context_);
    // Sets the expire wheel to the present, so that the first deadlines are filed where they
    // belong.
    ExpireDue(now, 0);
  }
  return *impl_;
}

HashedKey Keyspace::Hash(std::string_view key) const { return {key, context_.hasher(key)}; }

EntryView Keyspace::Find(const HashedKey& key, UnixMs now, Lookup lookup) {
  const Table::Slot slot = impl_ != nullptr ? impl_->FindLive(key, now) : Table::Slot();
  if (!slot) {
    if (lookup.count) ++context_.stats.misses;
    return EntryView();
  }
  if (lookup.count) ++context_.stats.hits;
  std::byte* const entry = impl_->BytesOf(slot);
  if (lookup.touch) impl_->Touch(entry, now);
  return impl_->ViewOf(entry);
}

void Keyspace::PrefetchBucket(std::uint64_t hash) const {
  if (impl_ != nullptr) impl_->table.PrefetchBucket(hash);
}

void Keyspace::PrefetchEntry(std::uint64_t hash) const {
  if (impl_ != nullptr) impl_->table.PrefetchEntry(hash);
}

const MemberTable* Keyspace::PeekMembers(const HashedKey& key) const {
  if (impl_ == nullptr) return nullptr;
  const Table::Slot slot = impl_->table.Find(key.hash, key.text);
  const Collection* const object = slot ? ValueObject(impl_->BytesOf(slot)) : nullptr;
  return object != nullptr ? object->members() : nullptr;
}

StoreResult Keyspace::SetString(const HashedKey& key, std::string_view value, UnixMs now,
                                const SetOptions& options) {
  Impl& impl = parts(now);
  const Table::Slot slot = impl.FindLive(key, now);
  EntrySpec spec;
  if (!options.keep_deadline) {
    spec.deadline = options.deadline;
  } else if (slot) {
    spec.deadline = impl.ViewOf(slot).deadline();
  }
  std::optional<std::int64_t> integer;
  if (options.find_integer && value.size() <= kInt64TextMax) integer = ParseInt64(value);
  if (integer) {
    spec.kind = Kind::kInteger;
    spec.integer = *integer;
  } else {
    if (slot && impl.OverwriteSameShape(slot, value, spec.deadline, now)) {
      return StoreResult::kStored;
    }
    if (!impl.SetSpecText(spec, value, slot, options.loose)) return StoreResult::kNoMemory;
  }
  spec.access_clock = impl.ClockAfterUse(slot, now);
  if (options.loose == nullptr || spec.kind != Kind::kBlob) {
    return ResultOf(impl.StoreOwned(key, slot, spec, 0, Slack::kNone));
  }
  const Table::Slot stored = impl.Store(key, slot, spec, 0, Slack::kNone);
  // The caller's view of the value lives on.
  if (!stored) impl.blobs.Loosen(spec.blob, *options.loose);
  return ResultOf(stored);
}

StoreResult Keyspace::SetInteger(const HashedKey& key, std::int64_t value, UnixMs now) {
  Impl& impl = parts(now);
  const Table::Slot slot = impl.FindLive(key, now);
  EntrySpec spec;
  if (slot) {
    std::byte* const entry = impl.BytesOf(slot);
    const Fields fields = FieldsOf(entry);
    if (fields.kind == Kind::kInteger && fields.value_size == IntegerBytes(value)) {
      StoreInteger(entry, value);
      return StoreResult::kStored;
    }
    spec.deadline = impl.ViewOf(entry).deadline();
    spec.access_clock = impl.ViewOf(entry).access_clock();
  } else {
    spec.access_clock = FirstAccessClock(impl.access(), now);
  }
  spec.kind = Kind::kInteger;
  spec.integer = value;
  return ResultOf(impl.Store(key, slot, spec, 0, Slack::kNone));
}

std::optional<std::span<char>> Keyspace::ResizeString(const HashedKey& key, std::size_t size,
                                                      UnixMs now) {
  Impl& impl = parts(now);
  const Table::Slot slot = impl.FindLive(key, now);
  if (!slot) return SetZeros(key, size, now);
  std::byte* const entry = impl.BytesOf(slot);
  Blob* const blob = ValueBlob(entry);
  if (blob == nullptr) return impl.ResizeInline(key, slot, size);
  Blob* const resized = impl.blobs.Resize(blob, size);
  if (resized == nullptr) return std::nullopt;
  StoreBlob(entry, resized);
  return BlobStore::Bytes(resized);
}

std::optional<std::span<char>> Keyspace::SetZeros(const HashedKey& key, std::size_t size,
                                                  UnixMs now) {
  Impl& impl = parts(now);
  Table::Slot slot = impl.FindLive(key, now);
  EntrySpec spec;
  spec.access_clock = impl.ClockAfterUse(slot, now);
  if (size > kInlineValueMax) {
    spec.kind = Kind::kBlob;
    spec.blob = impl.blobs.Create({}, size);
    if (spec.blob == nullptr) return std::nullopt;
  } else {
    spec.grown = true;
    spec.zero_bytes = size;
  }
  slot = impl.StoreOwned(key, slot, spec, 0, Slack::kNone);
  if (!slot) return std::nullopt;
  return impl.WritableText(slot);
}

StoreResult Keyspace::SetDeadline(const HashedKey& key, UnixMs deadline, UnixMs now) {
  if (impl_ == nullptr) return StoreResult::kNoKey;
  const Table::Slot slot = impl_->FindLive(key, now);
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
                                std::string_view bytes, bool keep_deadline, UnixMs now) {
  EntrySpec spec;
  spec.kind = Kind::kCollection;
  const bool large = bytes.size() >= kInlineValueMax;
  spec.tag = CollectionTag(type, form, large);
  if (large) {
    spec.object = new PackedCollection(type, form, bytes);
  } else {
    spec.text = bytes;
  }
  return parts(now).StoreCollection(key, spec, keep_deadline, now);
}

StoreResult Keyspace::SetObject(const HashedKey& key, std::unique_ptr<Collection>& object,
                                bool keep_deadline, UnixMs now) {
  EntrySpec spec;
  spec.kind = Kind::kCollection;
  spec.tag = CollectionTag(object->type(), PackedForm::kListpack, true);
  spec.object = object.release();
  return parts(now).StoreCollection(key, spec, keep_deadline, now);
}

void Keyspace::ObjectChanged(const HashedKey& key, Collection& object, UnixMs now) {
  Impl& impl = parts(now);
  impl.collections.Update(object);
  if (object.NextDeadline() == CollectionAccount::filed(object)) [[likely]] {
    return;
  }
  const Table::Slot slot = impl.table.Find(key.hash, key.text);
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
  const Table::Slot slot = impl_->FindLive(key, now);
  if (!slot) return false;
  impl_->Remove(slot, key.hash);
  return true;
}

StoreResult Keyspace::Copy(const HashedKey& from, Keyspace& to, const HashedKey& to_key,
                           UnixMs now) {
  if (impl_ == nullptr) return StoreResult::kNoKey;
  const Table::Slot source = impl_->FindLive(from, now);
  if (!source) return StoreResult::kNoKey;
  Impl& target = to.parts(now);
  // Entries stay where they are while the table changes, the source's slot does not.
  EntrySpec spec = SpecOf(impl_->ViewOf(source));
  const Table::Slot slot = target.FindLive(to_key, now);
  if (spec.kind == Kind::kBlob) {
    spec.blob = target.blobs.Create(spec.blob->text(), spec.blob->size());
    if (spec.blob == nullptr) return StoreResult::kNoMemory;
  }
  if (spec.object != nullptr) {
    spec.object = spec.object->Clone().release();
    if (spec.object == nullptr) return StoreResult::kNoMemory;
  }
  spec.key_blob = nullptr;
  spec.access_clock = FirstAccessClock(target.access(), now);
  return ResultOf(target.StoreOwned(to_key, slot, spec, 0, Slack::kNone));
}

StoreResult Keyspace::Move(const HashedKey& from, Keyspace& to, const HashedKey& to_key,
                           UnixMs now) {
  if (impl_ == nullptr) return StoreResult::kNoKey;
  const Table::Slot source = impl_->FindLive(from, now);
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
  if (const Table::Slot slot = impl_->FindLive(key, now)) {
    StoreAccessClock(impl_->BytesOf(slot), clock);
  }
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
  for (;;) {
    const Table::Slot slot = impl_->table.RandomSlot(context_.random);
    if (!slot) return EntryView();
    const EntryView entry = impl_->ViewOf(slot);
    if (!entry.expired(now)) return entry;
    impl_->Remove(slot, context_.hasher(entry.key()));
    ++context_.stats.expired;
  }
}

Keyspace::ExpireResult Keyspace::ExpireDue(UnixMs now, std::size_t keys_max) {
  if (impl_ == nullptr) return {};
  std::size_t finished = 0;
  if (impl_->unfinished_key && impl_->LookAgain(now)) finished = 1;
  const auto swept = impl_->table.ExpireSweep(
      now, keys_max,
      [&](Table::Slot slot) -> ExpireVerdict { return impl_->Look(impl_->ViewOf(slot), now); });
  impl_->AdvanceDeadlineBase();
  context_.stats.expired += swept.erased + finished;
  const bool more = swept.more || impl_->unfinished_key;
  if (more) ++context_.stats.expire_steps_cut;
  return {.expired = swept.erased + finished, .more = more};
}

bool Keyspace::Maintain(std::size_t work_max) {
  if (impl_ == nullptr) return false;
  if (impl_->table.Step(work_max)) return true;
  const bool more = impl_->EmptyPages(work_max);
  return impl_->arena.ReturnPages(work_max / kWorkPerPage + 1) || more;
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
  return {.table = impl_->table.memory_bytes() + sizeof(Impl),
          .entries = impl_->arena.bytes_in_use(),
          .arena = impl_->arena.bytes_held(),
          .blobs = impl_->blobs.bytes(),
          .collections = impl_->collections.bytes()};
}

std::size_t Keyspace::MemoryUsage(EntryView entry) const {
  std::size_t bytes = impl_->arena.SlotBytes(impl_->arena.RefOf(entry.bytes()));
  for (const Blob* const blob : {ValueBlob(entry.bytes()), KeyBlob(entry.bytes())}) {
    if (blob != nullptr) bytes += BlobStore::BytesOf(blob);
  }
  if (const Collection* const object = ValueObject(entry.bytes())) bytes += object->memory_bytes();
  // A lone key is not charged for the pages that a small table starts with.
  return bytes + std::min(sizeof(Bucket), impl_->table.memory_bytes() / size());
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
    const Table::Slot slot = impl_->table.Find(context_.hasher(entry.key()), entry.key());
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
