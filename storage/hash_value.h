// A hash, in either of its encodings: a packed block of field, value, field, value, ... in the
// order in which the fields came, or a HashStructure.
//
// Fields may have deadlines. A hash with one is a structure, so a packed one pays nothing for them.
// A field whose deadline has passed is as good as gone for everything here but size(), until the
// keyspace's sweep or a write to it removes it, within about 100 ms.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "src/base/clock.h"
#include "src/base/random.h"
#include "storage/collection_editor.h"
#include "storage/entry.h"
#include "storage/hash_structure.h"
#include "storage/keyspace.h"
#include "storage/packed_block.h"

namespace aeris::storage {

// Beyond either a hash is a structure, and stays one.
struct HashLimits {
  std::uint64_t packed_fields_max = 512;
  std::uint64_t packed_bytes_max = 64;  // of a field and of a value
};

// A field as it is stored. Valid until the keyspace changes.
struct HashField {
  PackedItem name;
  PackedItem value;
  MemberView stored;  // none in a packed hash

  UnixMs deadline() const { return stored ? stored.deadline() : kNoDeadline; }
  // Of a value that has a block of its own; see PinnedText().
  BlobRef PinnedValue() const { return stored ? stored.value_blob() : BlobRef(); }
};

// Read access to a hash, for one command.
class HashView {
 public:
  // Names a field in its hash until it changes.
  using Handle = std::uint64_t;

  // `entry` holds a hash.
  HashView(EntryView entry, UnixMs now);

  // Fields, those included that have expired and are not yet removed.
  std::size_t size() const;
  // Whether all of size() are there, none of them expired.
  bool exact() const { return fields_ == nullptr || !MayHaveExpired(); }
  std::optional<HashField> Find(std::string_view field) const;
  // Find() of each, with their waits for memory overlapped: calls `visit` with
  // std::optional<HashField> in their order.
  template <typename Visit>
  void FindEach(std::span<const std::string_view> fields, Visit&& visit) const;
  // Calls `visit(const HashField&)` for each. O(n)
  template <typename Visit>
  void ForEach(Visit&& visit) const;
  // Whether RandomHandle() is O(1); a packed hash is walked instead.
  bool cheap_to_pick() const { return fields_ != nullptr; }
  // A step of HSCAN: about `count` fields; all at once when packed. Returns the next cursor.
  template <typename Visit>
  std::uint64_t Scan(std::uint64_t cursor, std::size_t count, Visit&& visit) const;

  HashField At(Handle handle) const;
  // All of them, 8 bytes each. O(n)
  std::vector<Handle> Handles() const;
  // Any field with the same chance. nullopt when there is none, or when most have expired and it
  // gives up: Handles() has the rest.
  std::optional<Handle> RandomHandle(Random& random) const;

 private:
  static constexpr std::size_t kFindAhead = 32;

  bool MayHaveExpired() const {
    const UnixMs next = fields_->NextDeadline();
    return next != kNoDeadline && next < now_;
  }
  std::optional<HashField> FindPacked(std::string_view field) const;
  std::optional<HashField> Live(Ref ref) const;
  HashField PackedAt(PackedView::Position at) const {
    return {.name = packed_.Get(at), .value = packed_.Get(packed_.Next(at)), .stored = {}};
  }
  static HashField StoredField(MemberView view) {
    return {.name = {.text = view.member()}, .value = {.text = view.value()}, .stored = view};
  }

  UnixMs now_;
  PackedView packed_{std::string_view()};
  const MemberTable* fields_ = nullptr;  // of a structure
};

// When a field's deadline may be changed; one without counts as never due.
enum class DeadlineCondition : std::uint8_t { kAlways, kNone, kAny, kLater, kEarlier };

// A hash that one command changes, or makes. Whatever it did, Commit() ends it.
class HashEditor {
 public:
  enum class Put : std::uint8_t { kCreated, kReplaced, kNoMemory };
  // With the numbers that HEXPIRE replies.
  enum class Dated : std::int8_t {
    kNoField = -2,
    kNoMemory = -1,
    kConditionNotMet = 0,
    kDone = 1,
    kErased = 2
  };

  // `entry` is what Find() of the key has just given: none, or a hash.
  HashEditor(Keyspace& keyspace, const HashedKey& key, EntryView entry, const HashLimits& limits,
             UnixMs now);
  // One that replaces what is at the key.
  static HashEditor New(Keyspace& keyspace, const HashedKey& key, const HashLimits& limits,
                        UnixMs now, UnixMs deadline = kNoDeadline) {
    return {keyspace, key, limits, deadline, now};
  }

  bool existed() const { return editor_.existed(); }
  std::optional<HashField> Find(std::string_view field);
  // Gives the field this value, and the deadline that it has, or none. Neither text may lie in the
  // hash. Without memory nothing has changed.
  Put Set(std::string_view field, std::string_view value, bool keep_deadline);
  // Whether it was there.
  bool Erase(std::string_view field);
  // A deadline that has passed erases the field.
  Dated SetDeadline(std::string_view field, UnixMs deadline, DeadlineCondition condition);
  // Removes the deadline. False when the field has none, or is not there.
  bool ClearDeadline(std::string_view field);

  // Removes the key with its last field. kNoMemory: a packed hash is as it was.
  StoreResult Commit();

 private:
  HashEditor(Keyspace& keyspace, const HashedKey& key, const HashLimits& limits, UnixMs deadline,
             UnixMs now);
  [[nodiscard]] bool BecomeStructure();
  Put SetPacked(std::string_view field, std::string_view value);
  Put SetStored(std::string_view field, std::string_view value, bool keep_deadline);
  MemberTable* fields();
  Ref LiveRef(const HashedKey& field);

  Keyspace& keyspace_;
  HashLimits limits_;
  UnixMs now_;
  CollectionEditor editor_;
};

// --- HashView's templates

template <typename Visit>
void HashView::FindEach(std::span<const std::string_view> fields, Visit&& visit) const {
  if (fields_ == nullptr) {
    for (const std::string_view field : fields) visit(FindPacked(field));
    return;
  }
  while (!fields.empty()) {
    const auto some = fields.first(std::min(fields.size(), kFindAhead));
    std::uint64_t hashes[kFindAhead];
    for (std::size_t i = 0; i < some.size(); ++i) {
      hashes[i] = fields_->Hash(some[i]);
      if (some.size() > 1) fields_->PrefetchBucket(hashes[i]);
    }
    if (some.size() > 1) {
      for (std::size_t i = 0; i < some.size(); ++i) fields_->PrefetchEntry(hashes[i]);
    }
    for (std::size_t i = 0; i < some.size(); ++i) {
      visit(Live(fields_->Find(HashedKey{some[i], hashes[i]})));
    }
    fields = fields.subspan(some.size());
  }
}

template <typename Visit>
void HashView::ForEach(Visit&& visit) const {
  if (fields_ != nullptr) {
    fields_->ForEach([&](MemberView view) {
      if (!view.expired(now_)) visit(StoredField(view));
    });
    return;
  }
  for (auto at = packed_.First(); at != PackedView::kEnd; at = packed_.Skip(at, 2)) {
    visit(PackedAt(at));
  }
}

template <typename Visit>
std::uint64_t HashView::Scan(std::uint64_t cursor, std::size_t count, Visit&& visit) const {
  if (fields_ == nullptr) {
    ForEach(visit);
    return 0;
  }
  return fields_->Scan(cursor, count, [&](MemberView view) {
    if (!view.expired(now_)) visit(StoredField(view));
  });
}

}  // namespace aeris::storage
