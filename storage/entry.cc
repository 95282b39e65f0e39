#include "storage/entry.h"

#include "src/base/number_text.h"
#include "storage/entry_codec.h"

namespace aeris::storage {

using entry_layout::Fields;
using entry_layout::FieldsOf;
using entry_layout::Kind;
using entry_layout::LoadAs;

Encoding EntryView::encoding() const {
  const Fields fields = FieldsOf(bytes_);
  if (fields.kind == Kind::kInteger) return Encoding::kInt;
  if (fields.kind == Kind::kCollection) {
    const Collection* const object = structure();
    return object != nullptr ? object->encoding() : PackedEncoding(type(), form());
  }
  const bool small = fields.kind == Kind::kText && fields.value_size <= kEmbstrBytesMax;
  return small && !fields.grown ? Encoding::kEmbstr : Encoding::kRaw;
}

std::int64_t EntryView::integer() const {
  const Fields fields = FieldsOf(bytes_);
  AERIS_DCHECK(fields.kind == Kind::kInteger);
  const std::byte* const value = bytes_ + fields.value_offset;
  switch (fields.value_size) {
    case 1:
      return LoadAs<std::int8_t>(value);
    case 2:
      return LoadAs<std::int16_t>(value);
    case 4:
      return LoadAs<std::int32_t>(value);
    default:
      return LoadAs<std::int64_t>(value);
  }
}

std::string_view EntryView::Text(IntegerText& scratch) const {
  if (!is_integer()) return text();
  return {scratch.bytes, FormatInt64(scratch.bytes, integer())};
}

std::size_t EntryView::text_size() const {
  IntegerText scratch;
  return Text(scratch).size();
}

bool EntryView::packed() const {
  if (FieldsOf(bytes_).kind != Kind::kCollection) return false;
  Collection* const object = ValueObject(bytes_);
  return object == nullptr || object->block() != nullptr;
}

PackedForm EntryView::form() const { return tag().form(); }

std::string_view EntryView::block() const {
  if (Collection* const object = ValueObject(bytes_); object != nullptr) {
    return object->block()->bytes();
  }
  const Fields fields = FieldsOf(bytes_);
  AERIS_DCHECK(fields.kind == Kind::kCollection);
  return {reinterpret_cast<const char*>(bytes_ + fields.value_offset + 1), fields.value_size - 1};
}

std::size_t EntryView::element_count() const {
  if (const Collection* const object = structure()) return object->size();
  return PackedCount(type(), form(), block());
}

BlobRef PinnedText(EntryView entry) {
  const Fields fields = FieldsOf(entry.bytes());
  if (fields.kind != Kind::kBlob) return BlobRef();
  return BlobRef(LoadAs<Blob*>(entry.bytes() + fields.value_offset));
}

}  // namespace aeris::storage
