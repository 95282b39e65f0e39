// HashStructure: a large hash, or one whose fields have deadlines: fields and values in a
// MemberTable.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "storage/collection.h"
#include "storage/hash_function.h"
#include "storage/member_table.h"

namespace aeris::storage {

class HashStructure final : public Collection {
 public:
  // `hasher` outlives it, but for its destructor.
  explicit HashStructure(const KeyHasher& hasher)
      : HashStructure(std::make_unique<MemberTable>(hasher)) {}

  MemberTable& fields() { return *fields_; }
  const MemberTable& fields() const { return *fields_; }

  Encoding encoding() const override { return Encoding::kHashtable; }
  std::size_t size() const override { return fields_->size(); }
  std::size_t memory_bytes() const override;
  std::size_t mapped_bytes() const override { return fields_->mapped_bytes(); }
  std::size_t FreeEffort() const override { return fields_->allocations(); }
  std::unique_ptr<Collection> Clone() const override;
  const MemberTable* members() const override { return fields_.get(); }
  UnixMs NextDeadline() const override { return fields_->NextDeadline(); }
  bool ExpireDue(UnixMs now, std::size_t count_max) override;
  void CheckInvariants() const override { fields_->CheckInvariants(); }

 private:
  explicit HashStructure(std::unique_ptr<MemberTable> fields)
      : Collection(ValueType::kHash), fields_(std::move(fields)) {}

  std::unique_ptr<MemberTable> fields_;
};

}  // namespace aeris::storage
