#include "storage/dump_payload.h"

#include <liblzf/lzf.h>

#include <bit>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>

#include "src/base/number_text.h"

namespace aeris::storage {
namespace {

static_assert(std::endian::native == std::endian::little, "integers are written as they lie");

constexpr char kTypeString = 0;
constexpr std::size_t kFooterBytes = 2 + 8;
constexpr std::size_t kCompressAbove = 20;   // shorter text is not worth the attempt
constexpr std::size_t kIntegerTextMax = 11;  // "-2147483648"
// LZF: 3 bytes repeat at most 264.
constexpr std::size_t kLzfExpansionMax = 264;

enum class LengthForm : std::uint8_t { k6Bit, k14Bit, kWide, kEncoded };
constexpr std::uint8_t kLength32 = 0x80;
constexpr std::uint8_t kLength64 = 0x81;

enum class StringForm : std::uint8_t { kInt8, kInt16, kInt32, kLzf };

template <typename T>
void AppendLittle(std::string& out, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

template <typename T>
T FromBigEndian(const char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return std::byteswap(value);
}

void AppendForm(std::string& out, StringForm form) {
  out.push_back(
      static_cast<char>(static_cast<int>(LengthForm::kEncoded) << 6 | static_cast<int>(form)));
}

void AppendLength(std::string& out, std::size_t length) {
  if (length < 1u << 6) {
    out.push_back(static_cast<char>(length));
  } else if (length < 1u << 14) {
    out.push_back(static_cast<char>(0x40 | length >> 8));
    out.push_back(static_cast<char>(length & 0xff));
  } else if (length <= std::numeric_limits<std::uint32_t>::max()) {
    out.push_back(static_cast<char>(kLength32));
    AppendLittle(out, std::byteswap(static_cast<std::uint32_t>(length)));
  } else {
    out.push_back(static_cast<char>(kLength64));
    AppendLittle(out, std::byteswap(static_cast<std::uint64_t>(length)));
  }
}

// False when the number needs more than 32 bits: it is stored as text then.
bool AppendInteger(std::string& out, std::int64_t integer) {
  if (integer == static_cast<std::int8_t>(integer)) {
    AppendForm(out, StringForm::kInt8);
    AppendLittle(out, static_cast<std::int8_t>(integer));
  } else if (integer == static_cast<std::int16_t>(integer)) {
    AppendForm(out, StringForm::kInt16);
    AppendLittle(out, static_cast<std::int16_t>(integer));
  } else if (integer == static_cast<std::int32_t>(integer)) {
    AppendForm(out, StringForm::kInt32);
    AppendLittle(out, static_cast<std::int32_t>(integer));
  } else {
    return false;
  }
  return true;
}

// False when compression does not save at least four bytes.
bool AppendCompressed(std::string& out, std::string_view text) {
  // LZF counts in 32 bits; larger text stays as it is.
  if (text.size() > std::numeric_limits<std::uint32_t>::max()) return false;
  const std::size_t size_max = text.size() - 4;
  const auto compressed = std::make_unique_for_overwrite<char[]>(size_max);
  const unsigned size = lzf_compress(text.data(), static_cast<unsigned>(text.size()),
                                     compressed.get(), static_cast<unsigned>(size_max));
  if (size == 0) return false;
  AppendForm(out, StringForm::kLzf);
  AppendLength(out, size);
  AppendLength(out, text.size());
  out.append(compressed.get(), size);
  return true;
}

void AppendText(std::string& out, std::string_view text) {
  if (text.size() <= kIntegerTextMax) {
    const std::optional<std::int64_t> integer = ParseInt64(text);
    if (integer && AppendInteger(out, *integer)) return;
  }
  if (text.size() > kCompressAbove && AppendCompressed(out, text)) return;
  AppendLength(out, text.size());
  out.append(text);
}

// Takes bytes from the front of what a stranger sent; every step says whether they were there.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  std::optional<std::string_view> Take(std::uint64_t size) {
    if (size > bytes_.size()) return std::nullopt;
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }

  // A length, or the form of an encoded string.
  struct Length {
    bool encoded = false;
    std::uint64_t value = 0;
  };
  std::optional<Length> TakeLength() {
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

 private:
  std::optional<Length> TakeWideLength(std::uint8_t first) {
    if (first == kLength32) {
      const auto bytes = Take(4);
      if (!bytes) return std::nullopt;
      return Length{false, FromBigEndian<std::uint32_t>(bytes->data())};
    }
    if (first == kLength64) {
      const auto bytes = Take(8);
      if (!bytes) return std::nullopt;
      return Length{false, FromBigEndian<std::uint64_t>(bytes->data())};
    }
    return std::nullopt;
  }

  std::string_view bytes_;
};

template <typename T>
std::optional<std::string> TakeInteger(Reader& reader) {
  const auto bytes = reader.Take(sizeof(T));
  if (!bytes) return std::nullopt;
  T value;
  std::memcpy(&value, bytes->data(), sizeof value);
  char text[kInt64TextMax];
  return std::string(text, FormatInt64(text, value));
}

std::optional<std::string> TakeCompressed(Reader& reader) {
  const auto compressed_size = reader.TakeLength();
  const auto size = compressed_size ? reader.TakeLength() : std::nullopt;
  if (!size || compressed_size->encoded || size->encoded) return std::nullopt;
  const auto compressed = reader.Take(compressed_size->value);
  if (!compressed || compressed->empty() || size->value == 0) return std::nullopt;
  if (size->value > kPayloadTextMax || size->value / kLzfExpansionMax > compressed->size()) {
    return std::nullopt;
  }
  std::string text;
  bool whole = false;
  const auto text_size = static_cast<std::size_t>(size->value);
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

std::optional<std::string> TakeString(Reader& reader) {
  const auto length = reader.TakeLength();
  if (!length) return std::nullopt;
  if (!length->encoded) {
    const auto text = reader.Take(length->value);
    if (!text) return std::nullopt;
    return std::string(*text);
  }
  switch (static_cast<StringForm>(length->value)) {
    case StringForm::kInt8:
      return TakeInteger<std::int8_t>(reader);
    case StringForm::kInt16:
      return TakeInteger<std::int16_t>(reader);
    case StringForm::kInt32:
      return TakeInteger<std::int32_t>(reader);
    case StringForm::kLzf:
      return TakeCompressed(reader);
  }
  return std::nullopt;
}

}  // namespace

std::string DumpPayload(EntryView entry) {
  std::string out(1, kTypeString);
  if (!entry.is_integer() || !AppendInteger(out, entry.integer())) {
    IntegerText scratch;
    const std::string_view text = entry.Text(scratch);
    out.reserve(1 + 9 + text.size() + kFooterBytes);
    AppendText(out, text);
  }
  AppendLittle(out, kRdbVersion);
  AppendLittle(out, Crc64(0, out));
  return out;
}

std::expected<std::string, PayloadFault> ParseDumpPayload(std::string_view payload) {
  if (payload.size() < kFooterBytes) return std::unexpected(PayloadFault::kChecksum);
  const std::string_view signed_bytes = payload.substr(0, payload.size() - sizeof(std::uint64_t));
  const std::string_view body = payload.substr(0, payload.size() - kFooterBytes);
  std::uint16_t version;
  std::uint64_t crc;
  std::memcpy(&version, payload.data() + body.size(), sizeof version);
  std::memcpy(&crc, payload.data() + signed_bytes.size(), sizeof crc);
  if (version > kRdbVersion || crc != Crc64(0, signed_bytes)) {
    return std::unexpected(PayloadFault::kChecksum);
  }
  Reader reader(body);
  const auto type = reader.Take(1);
  if (!type || type->front() != kTypeString) return std::unexpected(PayloadFault::kFormat);
  std::optional<std::string> text = TakeString(reader);
  if (!text) return std::unexpected(PayloadFault::kFormat);
  return *std::move(text);
}

}  // namespace aeris::storage
