#include "storage/entry.h"

#include "src/base/number_text.h"

namespace aeris::storage {

using entry_layout::Fields;
using entry_layout::FieldsOf;
using entry_layout::Kind;
using entry_layout::LoadAs;

std::string_view TypeName(ValueType type) {
  switch (type) {
    case ValueType::kString:
      return "string";
    case ValueType::kList:
      return "list";
    case ValueType::kSet:
      return "set";
    case ValueType::kZset:
      return "zset";
    case ValueType::kHash:
      return "hash";
    case ValueType::kStream:
      return "stream";
  }
  return "none";
}

std::string_view EncodingName(Encoding encoding) {
  switch (encoding) {
    case Encoding::kInt:
      return "int";
    case Encoding::kEmbstr:
      return "embstr";
    case Encoding::kRaw:
      return "raw";
  }
  return "unknown";
}

Encoding EntryView::encoding() const {
  const Fields fields = FieldsOf(bytes_);
  if (fields.kind == Kind::kInteger) return Encoding::kInt;
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

BlobRef PinnedText(EntryView entry) {
  const Fields fields = FieldsOf(entry.bytes());
  if (fields.kind != Kind::kBlob) return BlobRef();
  return BlobRef(LoadAs<Blob*>(entry.bytes() + fields.value_offset));
}

}  // namespace aeris::storage
