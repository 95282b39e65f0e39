// EntryView: read access to one stored key. What a key's bytes look like is entry_codec.h's matter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "src/base/clock.h"

namespace aeris::storage {

enum class ValueType : std::uint8_t { kString, kList, kSet, kZset, kHash, kStream };
// TYPE's answer: "string", "list", ...
std::string_view TypeName(ValueType type);

enum class Encoding : std::uint8_t { kInt, kEmbstr, kRaw };
// OBJECT ENCODING's answer: "int", "embstr", "raw".
std::string_view EncodingName(Encoding encoding);

// Room for the decimal text of any integer value.
struct IntegerText {
  char bytes[24];
};

// A view of a live entry, or of none. Valid until the next call that may change its keyspace
// (including a lookup, which may expire keys).
class EntryView {
 public:
  EntryView() = default;
  explicit EntryView(const std::byte* bytes) : bytes_(bytes) {}
  explicit operator bool() const { return bytes_ != nullptr; }

  std::string_view key() const;
  ValueType type() const;
  Encoding encoding() const;
  UnixMs deadline() const;  // kNoDeadline when the key has none
  // Expired means that the deadline lies before `now`; at the deadline itself the key still lives.
  bool expired(UnixMs now) const {
    const UnixMs at = deadline();
    return at != kNoDeadline && now > at;
  }

  // Strings. An integer value has no stored text.
  bool is_integer() const;
  std::int64_t integer() const;                       // requires is_integer()
  std::string_view text() const;                      // requires a string that is not an integer
  std::string_view Text(IntegerText& scratch) const;  // any string; integers are written to scratch
  std::size_t text_size() const;                      // STRLEN of any string

  // The 16-bit access clock: seconds for LRU, or minutes and a logarithmic counter for LFU.
  std::uint16_t access_clock() const;

  const std::byte* bytes() const { return bytes_; }

 private:
  const std::byte* bytes_ = nullptr;
};

}  // namespace aeris::storage
