#include "storage/rdb_reader.h"

#include <liblzf/lzf.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "src/base/number_text.h"
#include "storage/rdb_format.h"

namespace aeris::storage {

using rdb::LengthForm;
using rdb::StringForm;

namespace {

// LZF: 3 bytes repeat at most 264.
constexpr std::size_t kLzfExpansionMax = 264;

template <typename T>
T FromBigEndian(const char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return std::byteswap(value);
}

}  // namespace

std::optional<std::string_view> RdbReader::Take(std::uint64_t size) {
  if (size > bytes_.size()) return std::nullopt;
  const std::string_view taken = bytes_.substr(0, size);
  bytes_.remove_prefix(size);
  return taken;
}

std::optional<std::uint8_t> RdbReader::TakeByte() { return TakeAs<std::uint8_t>(); }

template <typename T>
std::optional<T> RdbReader::TakeAs() {
  const auto bytes = Take(sizeof(T));
  if (!bytes) return std::nullopt;
  T value;
  std::memcpy(&value, bytes->data(), sizeof value);
  return value;
}

auto RdbReader::TakeAnyLength() -> std::optional<Length> {
  const auto first = Take(1);
  if (!first) return std::nullopt;
  const auto byte = static_cast<std::uint8_t>(first->front());
  const auto low = static_cast<std::uint64_t>(byte & 0x3f);
  switch (static_cast<LengthForm>(byte >> 6)) {
    case LengthForm::k6Bit:
      return Length{false, low};
    case LengthForm::kEncoded:
      return Length{true, low};
    case LengthForm::k14Bit: {
      const auto next = Take(1);
      if (!next) return std::nullopt;
      return Length{false, low << 8 | static_cast<std::uint8_t>(next->front())};
    }
    case LengthForm::kWide:
      return TakeWideLength(byte);
  }
  return std::nullopt;
}

auto RdbReader::TakeWideLength(std::uint8_t first) -> std::optional<Length> {
  if (first == rdb::kLength32) {
    const auto bytes = Take(4);
    if (!bytes) return std::nullopt;
    return Length{false, FromBigEndian<std::uint32_t>(bytes->data())};
  }
  if (first == rdb::kLength64) {
    const auto bytes = Take(8);
    if (!bytes) return std::nullopt;
    return Length{false, FromBigEndian<std::uint64_t>(bytes->data())};
  }
  return std::nullopt;
}

std::optional<std::uint64_t> RdbReader::TakeLength() {
  const auto length = TakeAnyLength();
  if (!length || length->encoded) return std::nullopt;
  return length->value;
}

std::optional<std::uint64_t> RdbReader::TakeCount() {
  const auto count = TakeLength();
  if (!count || *count > bytes_.size()) return std::nullopt;
  return count;
}

template <typename T>
std::optional<std::string> RdbReader::TakeInteger() {
  const auto value = TakeAs<T>();
  if (!value) return std::nullopt;
  char text[kInt64TextMax];
  return std::string(text, FormatInt64(text, *value));
}

std::optional<std::string> RdbReader::TakeCompressed() {
  const auto compressed_size = TakeLength();
  const auto size = compressed_size ? TakeLength() : std::nullopt;
  if (!size) return std::nullopt;
  const auto compressed = Take(*compressed_size);
  if (!compressed || compressed->empty() || *size == 0) return std::nullopt;
  if (*size > kTextMax || *size / kLzfExpansionMax > compressed->size()) return std::nullopt;
  std::string text;
  bool whole = false;
  const auto text_size = static_cast<std::size_t>(*size);
  // The callback's second argument may be the larger capacity (libstdc++ 12).
  text.resize_and_overwrite(text_size, [&](char* out, std::size_t) {
    const unsigned written =
        lzf_decompress(compressed->data(), static_cast<unsigned>(compressed->size()), out,
                       static_cast<unsigned>(text_size));
    whole = written == text_size;
    return std::size_t{written};
  });
  if (!whole) return std::nullopt;
  return text;
}

std::optional<std::string> RdbReader::TakeText() {
  const auto length = TakeAnyLength();
  if (!length) return std::nullopt;
  if (!length->encoded) {
    const auto text = Take(length->value);
    if (!text) return std::nullopt;
    return std::string(*text);
  }
  switch (static_cast<StringForm>(length->value)) {
    case StringForm::kInt8:
      return TakeInteger<std::int8_t>();
    case StringForm::kInt16:
      return TakeInteger<std::int16_t>();
    case StringForm::kInt32:
      return TakeInteger<std::int32_t>();
    case StringForm::kLzf:
      return TakeCompressed();
  }
  return std::nullopt;
}

std::optional<double> RdbReader::TakeDouble() { return TakeAs<double>(); }

std::optional<double> RdbReader::TakeDoubleText() {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const auto size = TakeByte();
  if (!size) return std::nullopt;
  switch (*size) {
    case 255:
      return -kInfinity;
    case 254:
      return kInfinity;
    case 253:
      return std::numeric_limits<double>::quiet_NaN();
    default:
      break;
  }
  const auto text = Take(*size);
  return text ? ParseDouble(*text) : std::nullopt;
}

std::optional<std::int64_t> RdbReader::TakeMilliseconds() { return TakeAs<std::int64_t>(); }

}  // namespace aeris::storage
