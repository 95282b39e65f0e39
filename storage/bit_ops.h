// Strings as arrays of bits: reading, setting, counting, searching and combining. Bit 0 is the
// highest bit of the first byte, as SETBIT and its family number them.
//
// Cost:     single bits and fields O(1); the others O(bytes), with 8 to 128 bytes per step.
//           CountBits adds carry-save: 8 vectors of 16 bytes become one population count.
// Rejected: popcnt by -march or by a choice at run time, since the carry-save form counts faster
//           than memory delivers and needs neither; a table of bytes (a quarter of the speed).
// Measured: tests/bench/storage/bit_ops_bench.cc
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace aeris::storage {

// --- Single bits. Beyond the end of the text all bits are 0.
bool GetBit(std::string_view text, std::uint64_t offset);
// Returns the old bit. `offset` lies in the text.
bool SetBit(std::span<char> text, std::uint64_t offset, bool bit);

// --- Fields of `bits` bits (1 to 64), the highest first.
// Beyond the end of the text all bits are 0.
std::uint64_t ReadBits(std::string_view text, std::uint64_t offset, int bits);
// Writes the lowest `bits` bits of `value`. The field lies in the text.
void WriteBits(std::span<char> text, std::uint64_t offset, int bits, std::uint64_t value);

// --- Ranges. `first` and `last` lie in the text and are both part of the range.
std::uint64_t CountBits(std::string_view text);
std::uint64_t CountBits(std::string_view text, std::uint64_t first, std::uint64_t last);
// The first bit of the range that is `bit`.
std::optional<std::uint64_t> FindBit(std::string_view text, bool bit, std::uint64_t first,
                                     std::uint64_t last);

// --- Whole strings.
enum class BitOperation : std::uint8_t { kAnd, kOr, kXor, kNot };
// Combines `sources`, as if zero bytes followed each, into `out`. At least one source; with kNot
// only the first counts. A source may be `out` itself, but not overlap it otherwise.
void CombineBits(BitOperation operation, std::span<const std::string_view> sources,
                 std::span<char> out);

}  // namespace aeris::storage
