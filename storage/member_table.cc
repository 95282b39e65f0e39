#include "storage/member_table.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>

#include "src/base/check.h"

namespace aeris::storage {
namespace {

// A renewal starts when this share of the heap is free, and that many bytes more.
constexpr std::size_t kWasteShare = 4;
constexpr std::size_t kWasteBytesMin = std::size_t{4} << 10;
// After one that could not gain more, when this share has been freed since.
constexpr std::size_t kFreshWasteShare = 8;
// Old pages given back by each change once a renewal is through.
constexpr std::size_t kPagesPerChange = 8;

}  // namespace

MemberTable::MemberTable(const KeyHasher& hasher, const Limits& limits)
    : hasher_(hasher),
      heap_(limits.pages_max),
      blobs_(limits.blob_bytes_max),
      table_(Policy{&heap_, &hasher}, limits.homes_max) {}

// --- Changing

Ref MemberTable::Insert(HashedKey member, MemberParts parts) {
  AERIS_DCHECK(Find(member) == 0);
  static_cast<void>(Tend(0));
  parts.member = member.text;
  if (!MakeBlobs(parts)) return 0;
  const Ref ref = InsertEntry(member.hash, parts);
  if (ref == 0) FreeBlobs(parts);
  return ref;
}

Ref MemberTable::InsertEntry(std::uint64_t hash, const MemberParts& parts) {
  const std::size_t bytes = parts.EntryBytes();
  const Ref ref = heap_.Allocate(bytes);
  if (ref == 0) return 0;
  parts.Write(heap_.At(ref));
  if (!table_.Insert(hash, ref)) {
    heap_.Free(ref, bytes);
    return 0;
  }
  return ref;
}

// Turns what does not fit an entry into blobs. False, and nothing done, without memory.
bool MemberTable::MakeBlobs(MemberParts& parts) {
  Blob* member_blob = nullptr;
  if (MemberIsBlob(parts.member.size())) {
    member_blob = blobs_.Create(parts.member, parts.member.size());
    if (member_blob == nullptr) return false;
  }
  if (ValueIsBlob(parts.member.size(), parts.value.size())) {
    parts.value_blob = blobs_.Create(parts.value, parts.value.size());
    if (parts.value_blob == nullptr) {
      if (member_blob != nullptr) blobs_.Free(member_blob);
      return false;
    }
  }
  parts.member_blob = member_blob;
  return true;
}

void MemberTable::FreeBlobs(const MemberParts& parts) {
  if (parts.member_blob != nullptr) blobs_.Free(parts.member_blob);
  if (parts.value_blob != nullptr) blobs_.Free(parts.value_blob);
}

Ref MemberTable::SetValue(Ref ref, std::string_view value) {
  MemberParts parts = At(ref).parts();
  AERIS_DCHECK(parts.has_value);
  Blob* const old_blob = parts.value_blob;
  const bool as_blob = ValueIsBlob(parts.member.size(), value.size());
  if (as_blob && old_blob != nullptr && blobs_.Assign(old_blob, value)) return Tend(ref);
  parts.value = value;
  parts.value_blob = as_blob ? blobs_.Create(value, value.size()) : nullptr;
  if (as_blob && parts.value_blob == nullptr) return 0;
  const Ref stored = Store(ref, parts);
  if (stored == 0) {
    if (as_blob) blobs_.Free(parts.value_blob);
    return 0;
  }
  if (old_blob != nullptr) blobs_.Free(old_blob);
  return Tend(stored);
}

// Writes the member's entry anew, in place if it fits its slot. `parts` may lie in the old entry.
Ref MemberTable::Store(Ref ref, const MemberParts& parts) {
  const std::size_t bytes = parts.EntryBytes();
  const std::size_t old_bytes = At(ref).entry_bytes();
  std::array<std::byte, member_layout::kEntryBytesMax> entry;
  AERIS_DCHECK(bytes <= entry.size());
  parts.Write(entry.data());
  Ref target = ref;
  if (MemberHeap::SlotBytes(bytes) != MemberHeap::SlotBytes(old_bytes)) {
    const std::uint64_t hash = Hash(parts.member);
    target = heap_.Allocate(bytes);
    if (target == 0) return 0;
    table_.Replace(table_.FindRef(hash, ref), target);
    heap_.Free(ref, old_bytes);
  }
  std::memcpy(heap_.At(target), entry.data(), bytes);
  return target;
}

void MemberTable::SetScore(Ref ref, double score) {
  std::byte* const entry = heap_.At(ref);
  const member_layout::Fields fields = member_layout::FieldsOf(entry);
  AERIS_DCHECK(fields.has(member_layout::kHasScore));
  std::memcpy(entry + fields.score_offset, &score, sizeof score);
}

Ref MemberTable::SetDeadline(Ref ref, UnixMs deadline, UnixMs now) {
  if (deadline == kNoDeadline) return ClearDeadline(ref);
  if (!table_.PrepareDeadlines()) return 0;
  MemberParts parts = At(ref).parts();
  const std::uint64_t hash = Hash(parts.member);
  parts.deadline = deadline;
  const Ref stored = Store(ref, parts);
  if (stored == 0) return 0;
  FileDeadline({.hash = hash, .ref = stored}, deadline, now);
  return Tend(stored);
}

// Of an entry that has it already, in a table that is prepared for it.
void MemberTable::FileDeadline(Place place, UnixMs deadline, UnixMs now) {
  latest_now_ = now;
  if (deadlines() == 0) {
    // The wheel stood still while there was nothing for it to do.
    static_cast<void>(table_.ExpireSweep(now, 0, [](Table::Slot) { return ExpireVerdict{}; }));
    next_deadline_ = deadline;
  }
  table_.SetDeadline(table_.FindRef(place.hash, place.ref), deadline);
  next_deadline_ = std::min(next_deadline_, deadline);
}

Ref MemberTable::ClearDeadline(Ref ref) {
  MemberParts parts = At(ref).parts();
  if (parts.deadline == kNoDeadline) return ref;
  table_.SetDeadline(table_.FindRef(Hash(parts.member), ref), kNoDeadline);
  parts.deadline = kNoDeadline;
  if (const Ref stored = Store(ref, parts); stored != 0) return Tend(stored);
  // No memory for the smaller entry: this one keeps the place.
  std::byte* const entry = heap_.At(ref);
  std::memcpy(entry + member_layout::FieldsOf(entry).deadline_offset, &kNoDeadline,
              sizeof kNoDeadline);
  return ref;
}

bool MemberTable::Erase(HashedKey member) {
  const Table::Slot slot = table_.Find(member.hash, member.text);
  if (!slot) return false;
  EraseSlot(slot, member.hash);
  return true;
}

void MemberTable::Erase(Ref ref) {
  const std::uint64_t hash = Hash(At(ref).member());
  EraseSlot(table_.FindRef(hash, ref), hash);
}

void MemberTable::EraseSlot(Table::Slot slot, std::uint64_t hash) {
  const MemberView view = At(table_.ref(slot));
  table_.Erase(slot, hash);
  FreeEntry(view);
  static_cast<void>(Tend(0));
}

void MemberTable::FreeEntry(MemberView view) {
  const std::size_t bytes = view.entry_bytes();
  FreeBlobs(view.parts());
  heap_.Free(view.ref(), bytes);
}

// --- Renewal

bool MemberTable::Wasteful() const {
  const std::size_t held = heap_.bytes_held();
  const std::size_t free = heap_.bytes_free();
  return free > held / kWasteShare + kWasteBytesMin &&
         free > free_after_renewal_ + held / kFreshWasteShare;
}

// What each change does for the heap. Returns where the member at `ref` is afterwards.
Ref MemberTable::Tend(Ref ref) {
  if (heap_.renewing() || heap_.releasing() || Wasteful()) {
    static_cast<void>(Renew(kMovesPerChange, ref));
  }
  return ref;
}

bool MemberTable::Maintain(std::size_t members_max) {
  Ref none = 0;
  const bool renewal_left = Renew(members_max, none);
  const bool resize_left = table_.Step(members_max / Bucket::kSlots + 1);
  return renewal_left || resize_left;
}

// True while work is left. `follow` is kept up to date.
bool MemberTable::Renew(std::size_t members_max, Ref& follow) {
  if (heap_.releasing()) {
    const bool left = heap_.ReleaseOld(kPagesPerChange);
    if (!left) free_after_renewal_ = heap_.bytes_free();
    return left;
  }
  if (!heap_.renewing()) {
    if (!Wasteful()) return false;
    heap_.StartRenewal();
    renewal_cursor_ = 0;
  }
  // A table that lost so much may be too large as well.
  static_cast<void>(table_.Step(Table::kMovePerChange));
  bool moved_all = true;
  const std::uint64_t next = table_.Scan(renewal_cursor_, members_max, [&](Ref ref) {
    if (moved_all && heap_.IsOld(ref)) moved_all = Move(ref, follow);
  });
  // Without memory for one of them, the same step is tried again later.
  if (!moved_all) return true;
  renewal_cursor_ = next;
  if (next != 0) return true;
  heap_.FinishRenewal();
  return true;
}

bool MemberTable::Move(Ref from, Ref& follow) {
  const MemberView old = At(from);
  const std::size_t bytes = old.entry_bytes();
  const Ref to = heap_.Allocate(bytes);
  if (to == 0) return false;
  const MemberView moved = At(to);
  std::memcpy(heap_.At(to), heap_.At(from), bytes);
  table_.Replace(table_.FindRef(Hash(moved.member()), from), to);
  if (listener_ != nullptr) listener_->MemberMoved(from, moved);
  heap_.Free(from, bytes);
  if (follow == from) follow = to;
  return true;
}

// --- Copying

std::unique_ptr<MemberTable> MemberTable::Clone() const {
  std::unique_ptr<MemberTable> copy(new (std::nothrow) MemberTable(hasher_));
  if (copy == nullptr || !copy->CopyFrom(*this)) return nullptr;
  return copy;
}

bool MemberTable::CopyFrom(const MemberTable& other) {
  if (!Reserve(other.size())) return false;
  if (other.deadlines() != 0 && !table_.PrepareDeadlines()) return false;
  bool all = true;
  // In the order of hashes, so that both tables are walked from one end to the other.
  other.ForEach([&](MemberView view) {
    if (all) all = CopyMember(view.parts(), other.latest_now_);
  });
  return all;
}

bool MemberTable::CopyMember(MemberParts parts, UnixMs now) {
  parts.member_blob = nullptr;
  parts.value_blob = nullptr;
  if (!MakeBlobs(parts)) return false;
  const std::uint64_t hash = Hash(parts.member);
  const Ref ref = InsertEntry(hash, parts);
  if (ref == 0) {
    FreeBlobs(parts);
    return false;
  }
  if (parts.deadline != kNoDeadline) {
    FileDeadline({.hash = hash, .ref = ref}, parts.deadline, now);
  }
  return true;
}

void MemberTable::CheckInvariants() const {
  heap_.CheckInvariants();
  table_.CheckInvariants();
  blobs_.CheckInvariants();
  std::size_t slot_bytes = 0;
  std::size_t blobs = 0;
  std::size_t deadlines = 0;
  ForEach([&](MemberView view) {
    const MemberParts parts = view.parts();
    slot_bytes += MemberHeap::SlotBytes(view.entry_bytes());
    AERIS_CHECK((parts.member_blob != nullptr) == MemberIsBlob(parts.member.size()));
    AERIS_CHECK((parts.value_blob != nullptr) ==
                ValueIsBlob(parts.member.size(), parts.value.size()));
    if (parts.member_blob != nullptr) ++blobs;
    if (parts.value_blob != nullptr) ++blobs;
    const bool filed = table_.has_deadline(table_.FindRef(Hash(parts.member), view.ref()));
    AERIS_CHECK(filed == (parts.deadline != kNoDeadline));
    if (filed) ++deadlines;
    if (filed) AERIS_CHECK(NextDeadline() <= parts.deadline);
  });
  AERIS_CHECK(slot_bytes == heap_.bytes_used());
  AERIS_CHECK(blobs == blobs_.count());
  AERIS_CHECK(deadlines == table_.deadlines());
}

}  // namespace aeris::storage
