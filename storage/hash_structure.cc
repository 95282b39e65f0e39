#include "storage/hash_structure.h"

#include <new>

namespace aeris::storage {

std::size_t HashStructure::memory_bytes() const {
  return sizeof *this + sizeof *fields_ + fields_->memory_bytes();
}

std::unique_ptr<Collection> HashStructure::Clone() const {
  std::unique_ptr<MemberTable> fields = fields_->Clone();
  if (fields == nullptr) return nullptr;
  return std::unique_ptr<Collection>(new (std::nothrow) HashStructure(std::move(fields)));
}

bool HashStructure::ExpireDue(UnixMs now, std::size_t count_max) {
  return fields_->ExpireDue(now, count_max, [](MemberView) {});
}

}  // namespace aeris::storage
