#include "storage/collection.h"

#include "src/base/check.h"
#include "storage/intset.h"

namespace aeris::storage {

Encoding PackedEncoding(ValueType type, PackedForm form) {
  switch (type) {
    case ValueType::kList:
      return Encoding::kQuicklist;
    case ValueType::kSet:
      return form == PackedForm::kIntset ? Encoding::kIntset : Encoding::kHashtable;
    default:
      return Encoding::kListpack;
  }
}

std::size_t PackedCount(ValueType type, PackedForm form, std::string_view bytes) {
  if (form == PackedForm::kIntset) return IntsetView(bytes).size();
  const std::size_t items = PackedView(bytes).size();
  const bool pairs = type == ValueType::kHash || type == ValueType::kZset;
  return pairs ? items / 2 : items;
}

Encoding PackedCollection::encoding() const { return PackedEncoding(type(), form_); }

std::size_t PackedCollection::size() const { return PackedCount(type(), form_, bytes()); }

std::unique_ptr<Collection> PackedCollection::Clone() const {
  return std::make_unique<PackedCollection>(type(), form_, bytes());
}

void PackedCollection::CheckInvariants() const {
  AERIS_CHECK(form_ == PackedForm::kIntset ? IntsetView::Valid(bytes())
                                           : PackedView::Valid(bytes()));
}

}  // namespace aeris::storage
