#include "storage/bit_field.h"

#include <limits>

#include "storage/bit_ops.h"

namespace aeris::storage {
namespace {

constexpr std::int64_t kInt64Max = std::numeric_limits<std::int64_t>::max();

std::int64_t Max(BitFieldType type) {
  return kInt64Max >> (type.is_signed ? 64 - type.bits : 63 - type.bits);
}

std::int64_t Min(BitFieldType type) { return type.is_signed ? -Max(type) - 1 : 0; }

// The lowest bits of `value`, read as the type does.
std::int64_t Truncate(std::uint64_t value, BitFieldType type) {
  const int unused = 64 - type.bits;
  const std::uint64_t high = value << unused;
  // Shifting a signed value to the right repeats its sign.
  return type.is_signed ? static_cast<std::int64_t>(high) >> unused
                        : static_cast<std::int64_t>(high >> unused);
}

BitFieldValue Overflowed(std::int64_t value, std::int64_t limit, BitFieldType type,
                         BitFieldOverflow overflow) {
  const bool wrap = overflow == BitFieldOverflow::kWrap;
  return {wrap ? Truncate(static_cast<std::uint64_t>(value), type) : limit, true};
}

}  // namespace

std::int64_t ReadField(std::string_view text, std::uint64_t offset, BitFieldType type) {
  return Truncate(ReadBits(text, offset, type.bits), type);
}

void WriteField(std::span<char> text, std::uint64_t offset, BitFieldType type, std::int64_t value) {
  WriteBits(text, offset, type.bits, static_cast<std::uint64_t>(value));
}

BitFieldValue FitField(std::int64_t value, BitFieldType type, BitFieldOverflow overflow) {
  const std::int64_t max = Max(type);
  // Redis takes a value for an unsigned field as unsigned, and one for a signed field that is more
  // than 2^63 - 1 below the maximum as above it: both saturate upwards.
  std::int64_t distance = 0;
  const bool far_below = __builtin_sub_overflow(max, value, &distance) && value < 0;
  const bool above =
      type.is_signed ? value > max || (type.bits < 64 && far_below) : value < 0 || value > max;
  if (above) return Overflowed(value, max, type, overflow);
  if (value < Min(type)) return Overflowed(value, Min(type), type, overflow);
  return {value, false};
}

BitFieldValue AddToField(std::int64_t old, std::int64_t by, BitFieldType type,
                         BitFieldOverflow overflow) {
  std::int64_t sum = 0;
  const bool beyond_int64 = __builtin_add_overflow(old, by, &sum);
  const bool above = beyond_int64 ? by > 0 : sum > Max(type);
  const bool below = beyond_int64 ? by < 0 : sum < Min(type);
  if (above) return Overflowed(sum, Max(type), type, overflow);
  if (below) return Overflowed(sum, Min(type), type, overflow);
  return {sum, false};
}

}  // namespace aeris::storage
