// Collection: a value that is not a string and has outgrown its entry; what the keyspace must know
// of it. Each type's own header has the rest (list_value.h, hash_value.h, ...).
//
// While small, a collection is a packed block or an intset inside its entry, as bytes:
//
//   entry's value   [ tag ][ block ]     or     [ tag ][ pointer to a Collection ]
//   tag             bits 0-2 the type (ValueType), bit 3 an intset, bit 4 a pointer
//
// A block that outgrows the entry (kInlineBlockMax) lies in a PackedCollection, and is used in the
// same way. Only what outgrows the thresholds of its type is a structure of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "src/base/clock.h"
#include "storage/allocated_bytes.h"
#include "storage/packed_block.h"
#include "storage/value_type.h"

namespace aeris::storage {

// The form of a collection's bytes while it is packed.
enum class PackedForm : std::uint8_t { kListpack, kIntset };

class MemberTable;

class CollectionTag {
 public:
  CollectionTag() = default;
  CollectionTag(ValueType type, PackedForm form, bool object)
      : bits_(static_cast<std::uint8_t>(static_cast<unsigned>(type) |
                                        (form == PackedForm::kIntset ? kIntset : 0) |
                                        (object ? kObject : 0))) {}
  explicit CollectionTag(std::byte byte) : bits_(static_cast<std::uint8_t>(byte)) {}

  std::uint8_t bits() const { return bits_; }
  ValueType type() const { return static_cast<ValueType>(bits_ & kTypeMask); }
  PackedForm form() const {
    return (bits_ & kIntset) != 0 ? PackedForm::kIntset : PackedForm::kListpack;
  }
  bool is_object() const { return (bits_ & kObject) != 0; }

 private:
  static constexpr unsigned kTypeMask = 7;
  static constexpr unsigned kIntset = 1u << 3;
  static constexpr unsigned kObject = 1u << 4;
  std::uint8_t bits_ = 0;
};

// Owned by the entry that points at it. Made and used on the main thread, destroyed on any.
class Collection {
 public:
  virtual ~Collection() = default;
  Collection(const Collection&) = delete;
  Collection& operator=(const Collection&) = delete;

  ValueType type() const { return type_; }
  virtual Encoding encoding() const = 0;
  virtual std::size_t size() const = 0;          // elements, fields, entries
  virtual std::size_t memory_bytes() const = 0;  // as the allocator rounds them; O(1)
  // What of that is mapped, not the allocator's; O(1).
  virtual std::size_t mapped_bytes() const { return 0; }
  // Work to destroy it, in allocations.
  virtual std::size_t FreeEffort() const = 0;
  // Null without memory.
  virtual std::unique_ptr<Collection> Clone() const = 0;
  // When some of its parts are due; kNoDeadline unless they can have deadlines.
  virtual UnixMs NextDeadline() const { return kNoDeadline; }
  // Removes what is due, at most about `count_max` parts. True while more is due. The collection
  // may be empty afterwards; its key is removed then.
  virtual bool ExpireDue(UnixMs /*now*/, std::size_t /*count_max*/) { return false; }
  // Where its members are found by their hashes, if they are; for hints.
  virtual const MemberTable* members() const { return nullptr; }
  // The bytes of a block that only lies apart (PackedCollection).
  virtual PackedBlock* block() { return nullptr; }
  // What the last change has cut off, if that was large: to be destroyed where nobody waits for it.
  std::unique_ptr<Collection> TakeCutOff() { return std::move(cut_off_); }
  // Aborts when an invariant does not hold. O(n).
  virtual void CheckInvariants() const = 0;

 protected:
  explicit Collection(ValueType type) : type_(type) {}
  void CutOff(std::unique_ptr<Collection> part) { cut_off_ = std::move(part); }

 private:
  friend class CollectionAccount;
  ValueType type_;
  std::unique_ptr<Collection> cut_off_;
  UnixMs filed_ = kNoDeadline;     // NextDeadline() when it was last looked at
  std::size_t counted_bytes_ = 0;  // memory_bytes() then
  std::size_t counted_mapped_ = 0;
};

// A packed block, or an intset's bytes, too large for an entry.
class PackedCollection final : public Collection {
 public:
  PackedCollection(ValueType type, PackedForm form, std::string_view bytes)
      : Collection(type), form_(form), block_(bytes) {}

  PackedForm form() const { return form_; }
  std::string_view bytes() const { return block_.bytes(); }
  PackedBlock* block() override { return &block_; }
  Encoding encoding() const override;
  std::size_t size() const override;
  std::size_t memory_bytes() const override {
    return AllocatedBytes(sizeof *this) + block_.allocated_bytes();
  }
  std::size_t FreeEffort() const override { return 1; }
  std::unique_ptr<Collection> Clone() const override;
  void CheckInvariants() const override;

 private:
  PackedForm form_;
  PackedBlock block_;
};

// Elements of a packed collection: a hash and a sorted set have two items for each.
std::size_t PackedCount(ValueType type, PackedForm form, std::string_view bytes);
// OBJECT ENCODING of a packed collection.
Encoding PackedEncoding(ValueType type, PackedForm form);

// The keyspace's account of its collections.
class CollectionAccount {
 public:
  std::size_t bytes() const { return bytes_; }
  std::size_t mapped_bytes() const { return mapped_bytes_; }
  std::size_t count() const { return count_; }

  void Add(Collection& collection) {
    ++count_;
    collection.counted_bytes_ = 0;
    collection.counted_mapped_ = 0;
    Update(collection);
  }
  void Remove(Collection& collection) {
    --count_;
    Count(collection, 0, 0);
    collection.filed_ = kNoDeadline;
  }
  void Update(Collection& collection) {
    Count(collection, collection.memory_bytes(), collection.mapped_bytes());
  }
  // The deadline under which the keyspace has filed the collection's key.
  static UnixMs filed(const Collection& collection) { return collection.filed_; }
  static void SetFiled(Collection& collection, UnixMs at) { collection.filed_ = at; }
  static std::size_t counted(const Collection& collection) { return collection.counted_bytes_; }

 private:
  void Count(Collection& collection, std::size_t bytes, std::size_t mapped) {
    bytes_ += bytes - std::exchange(collection.counted_bytes_, bytes);
    mapped_bytes_ += mapped - std::exchange(collection.counted_mapped_, mapped);
  }

  std::size_t bytes_ = 0;
  std::size_t mapped_bytes_ = 0;
  std::size_t count_ = 0;
};

}  // namespace aeris::storage
