// Integers of 1 to 64 bits inside a string, as BITFIELD reads and changes them. Unsigned ones have
// at most 63 bits, so each value fits an int64.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace aeris::storage {

struct BitFieldType {
  bool is_signed = true;
  int bits = 64;
};

// What becomes of a value that does not fit.
enum class BitFieldOverflow : std::uint8_t {
  kWrap,      // its lowest bits stay
  kSaturate,  // the nearest value that fits
  kFail,      // the field stays as it is
};

struct BitFieldValue {
  std::int64_t value;
  bool overflowed;  // with kFail `value` says nothing then
};

std::int64_t ReadField(std::string_view text, std::uint64_t offset, BitFieldType type);
// `value` fits the type, the field lies in the text.
void WriteField(std::span<char> text, std::uint64_t offset, BitFieldType type, std::int64_t value);

// What SET and INCRBY store. `old` fits the type.
BitFieldValue FitField(std::int64_t value, BitFieldType type, BitFieldOverflow overflow);
BitFieldValue AddToField(std::int64_t old, std::int64_t by, BitFieldType type,
                         BitFieldOverflow overflow);

}  // namespace aeris::storage
