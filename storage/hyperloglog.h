// HyperLogLog: how many different elements a string has seen, within 0.81% as a rule. The bytes are
// those of Redis, so that values travel between the servers.
//
//   header, 16 bytes   "HYLL" | encoding | 3 unused | count of the last PFCOUNT, 8 bytes, lowest
//   first;
//                      its highest bit says that registers have changed since
//   dense, 12288       16384 registers of 6 bits, from the lowest bit of the first byte on
//   sparse             opcodes for runs of equal registers (hyperloglog_sparse.h)
//
// An element's hash chooses a register by its 14 lowest bits; the register keeps the highest rank
// it has seen, which is one more than the zero bits that follow those 14. Registers of several
// values merge by their maximum.
//
// Values come from clients, who may write any string. IsHyperLogLog() is what the other functions
// require; whatever stands behind the header is checked where it is read.
//
// Source:   O. Ertl, New cardinality estimation algorithms for HyperLogLog sketches, 2017,
// section 4. Measured: tests/bench/storage/hyperloglog_bench.cc
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace aeris::storage::hyperloglog {

inline constexpr int kIndexBits = 14;
inline constexpr std::size_t kRegisters = std::size_t{1} << kIndexBits;
inline constexpr int kRegisterBits = 6;
inline constexpr int kRankMax = 64 - kIndexBits + 1;
inline constexpr std::size_t kHeaderBytes = 16;
inline constexpr std::size_t kDenseBytes = kHeaderBytes + kRegisters * kRegisterBits / 8;
static_assert(kDenseBytes == 12304, "what Redis takes for a dense value");

// The highest rank seen by each register, a byte each: what values are merged in.
struct alignas(64) Registers {
  std::array<std::uint8_t, kRegisters> ranks{};
};

// What an element asks for: that the register is at least `rank`, which is 1 to kRankMax.
struct Observation {
  std::uint32_t index;
  std::uint8_t rank;
};

// O(size of the element).
Observation Observe(std::string_view element);

// --- The header.

// Whether `value` has the header of either encoding, and the right size when it is dense.
bool IsHyperLogLog(std::string_view value);
bool IsDense(std::string_view value);
// A value that has seen nothing: sparse, with a valid count of 0.
std::string Empty();
// The header of such a value but dense, followed by registers that are all 0.
void WriteEmptyDense(std::span<char> value);
// The count in the header; nullopt after a change.
std::optional<std::uint64_t> CachedCount(std::string_view value);
void StoreCount(std::span<char> value, std::uint64_t count);
// Marks the count as out of date.
void Invalidate(std::span<char> value);

// --- Dense values, O(1).
std::uint8_t DenseRank(std::string_view value, std::uint32_t index);
// True when the register was lower and has been raised.
bool RaiseDense(std::span<char> value, Observation observation);

// --- Either encoding.

// Raises `registers` to what `value` has seen. False when the value is corrupted; some registers
// may have been raised then.
[[nodiscard]] bool MergeInto(Registers& registers, std::string_view value);
// Writes all registers to a value of kDenseBytes, whose header becomes that of a dense one and else
// stays. Ranks have 6 bits.
void StoreDense(std::span<char> value, const Registers& registers);
// Makes a sparse value dense; its header stays but for the encoding. False when it is corrupted,
// and unchanged then.
[[nodiscard]] bool MakeDense(std::string& value);

// The estimated number of different elements, never negative but for what Redis gives for registers
// that nobody can have counted up to: the lowest integer. O(kRegisters). nullopt: corrupted.
std::optional<std::int64_t> Count(std::string_view value);
std::int64_t Count(const Registers& registers);

}  // namespace aeris::storage::hyperloglog
