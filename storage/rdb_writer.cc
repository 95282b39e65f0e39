#include "storage/rdb_writer.h"

#include <liblzf/lzf.h>

#include <bit>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>

#include "src/base/number_text.h"
#include "storage/rdb_format.h"

namespace aeris::storage {

using rdb::StringForm;

namespace {

constexpr std::size_t kCompressAbove = 20;   // shorter text is not worth the attempt
constexpr std::size_t kIntegerTextMax = 11;  // "-2147483648"

template <typename T>
void AppendLittle(std::string& out, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

void AppendForm(std::string& out, StringForm form) {
  out.push_back(
      static_cast<char>(static_cast<int>(rdb::LengthForm::kEncoded) << 6 | static_cast<int>(form)));
}

}  // namespace

void RdbWriter::Length(std::uint64_t length) {
  if (length < 1u << 6) {
    out_.push_back(static_cast<char>(length));
  } else if (length < 1u << 14) {
    out_.push_back(static_cast<char>(0x40 | length >> 8));
    out_.push_back(static_cast<char>(length & 0xff));
  } else if (length <= std::numeric_limits<std::uint32_t>::max()) {
    out_.push_back(static_cast<char>(rdb::kLength32));
    AppendLittle(out_, std::byteswap(static_cast<std::uint32_t>(length)));
  } else {
    out_.push_back(static_cast<char>(rdb::kLength64));
    AppendLittle(out_, std::byteswap(length));
  }
}

// False when the number needs more than 32 bits: it is stored as text then.
bool RdbWriter::CompactInteger(std::int64_t integer) {
  if (integer == static_cast<std::int8_t>(integer)) {
    AppendForm(out_, StringForm::kInt8);
    AppendLittle(out_, static_cast<std::int8_t>(integer));
  } else if (integer == static_cast<std::int16_t>(integer)) {
    AppendForm(out_, StringForm::kInt16);
    AppendLittle(out_, static_cast<std::int16_t>(integer));
  } else if (integer == static_cast<std::int32_t>(integer)) {
    AppendForm(out_, StringForm::kInt32);
    AppendLittle(out_, static_cast<std::int32_t>(integer));
  } else {
    return false;
  }
  return true;
}

// False when compression does not save at least four bytes.
bool RdbWriter::Compressed(std::string_view text) {
  // LZF counts in 32 bits; larger text stays as it is.
  if (text.size() > std::numeric_limits<std::uint32_t>::max()) return false;
  const std::size_t size_max = text.size() - 4;
  const auto compressed = std::make_unique_for_overwrite<char[]>(size_max);
  const unsigned size = lzf_compress(text.data(), static_cast<unsigned>(text.size()),
                                     compressed.get(), static_cast<unsigned>(size_max));
  if (size == 0) return false;
  AppendForm(out_, StringForm::kLzf);
  Length(size);
  Length(text.size());
  out_.append(compressed.get(), size);
  return true;
}

void RdbWriter::Text(std::string_view text) {
  if (text.size() <= kIntegerTextMax) {
    const std::optional<std::int64_t> integer = ParseInt64(text);
    if (integer && CompactInteger(*integer)) return;
  }
  if (text.size() > kCompressAbove && Compressed(text)) return;
  Length(text.size());
  out_.append(text);
}

void RdbWriter::Integer(std::int64_t integer) {
  if (CompactInteger(integer)) return;
  char text[kInt64TextMax];
  Text({text, FormatInt64(text, integer)});
}

void RdbWriter::Double(double value) { AppendLittle(out_, value); }

void RdbWriter::Milliseconds(std::int64_t value) { AppendLittle(out_, value); }

}  // namespace aeris::storage
