// The sparse encoding of a HyperLogLog: opcodes for runs of registers in their order, which cover
// all 16384 of them.
//
//   ZERO    00nnnnnn             n + 1 registers are 0
//   XZERO   01nnnnnn nnnnnnnn    the same for longer runs, the high bits first
//   VAL     1rrrrrnn             n + 1 registers have rank r + 1, so at most 4, and ranks to 32
//
// Which of the possible opcodes a value has depends on the order of its changes, and on when equal
// neighbours are joined; both are Redis's here, so that the bytes are as well.
//
// Cost: finding a register is O(bytes), which are at most `hll-sparse-max-bytes`.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/hyperloglog.h"

namespace aeris::storage::hyperloglog {

// A run of equal registers, and the opcode it comes from.
struct SparseRun {
  std::uint32_t registers;
  std::uint8_t rank;   // 0: none has seen anything
  std::uint8_t bytes;  // of the opcode
};

// The opcode at the start of `opcodes`, which is not empty; nullopt when its second byte is
// missing.
inline std::optional<SparseRun> ReadSparseRun(std::string_view opcodes) {
  const auto first = static_cast<std::uint8_t>(opcodes[0]);
  if ((first & 0x80U) != 0) {
    const auto rank = static_cast<std::uint8_t>(((first >> 2) & 0x1FU) + 1);
    return SparseRun{(first & 0x3U) + 1U, rank, 1};
  }
  if ((first & 0x40U) == 0) return SparseRun{(first & 0x3FU) + 1U, 0, 1};
  if (opcodes.size() < 2) return std::nullopt;
  const auto second = static_cast<std::uint8_t>(opcodes[1]);
  return SparseRun{((first & 0x3FU) << 8 | second) + 1U, 0, 2};
}

// Calls `visit(first register, run)` for each run of a sparse value. False when the runs do not
// cover all registers exactly; what is visited lies within them anyway.
template <typename Visit>
[[nodiscard]] bool ForEachSparseRun(std::string_view value, Visit&& visit) {
  std::uint32_t first = 0;
  for (std::string_view opcodes = value.substr(kHeaderBytes); !opcodes.empty();) {
    const std::optional<SparseRun> run = ReadSparseRun(opcodes);
    if (!run || run->registers > kRegisters - first) return false;
    visit(first, *run);
    first += run->registers;
    opcodes.remove_prefix(run->bytes);
  }
  return first == kRegisters;
}

// The opcodes as text, as PFDEBUG DECODE shows them: "z:3 v:1,2 Z:16379". They need not fit the
// registers; a second byte that is missing at the end is shown as if it were 0, as Redis does.
std::string DescribeSparse(std::string_view value);

enum class RaiseResult : std::uint8_t { kUnchanged, kRaised, kCorrupted };

// Raises registers of one value, which is sparse in the beginning and dense from the moment on when
// a rank or the number of bytes becomes too high for the sparse encoding. Only what stands before
// the register and around it is checked: the rest may be corrupted and stays so.
class SparseEditor {
 public:
  // `value` outlives the editor. It becomes dense rather than grow beyond `bytes_max`, header
  // included.
  SparseEditor(std::string& value, std::uint64_t bytes_max);

  // Marks the count out of date when it raises a register of a value that is still sparse; else the
  // caller does.
  RaiseResult Raise(Observation observation);

  // The same for all registers in their order. O(bytes) in all beside moving what lies behind the
  // changes. False when the value is corrupted, and some may have been raised.
  [[nodiscard]] bool RaiseAll(const Registers& registers);

 private:
  // Places of opcodes in the value.
  struct Cursor {
    std::size_t at = kHeaderBytes;
    std::uint32_t first = 0;  // register of the opcode at `at`
  };

  RaiseResult RaiseFrom(Cursor from, Observation observation);
  RaiseResult RaiseAsDense(Observation observation);
  void JoinEqualRuns(std::size_t at);

  std::string& value_;
  std::uint64_t bytes_max_;
  bool dense_ = false;
  // An opcode before the one that the next register in order belongs to; see RaiseFrom().
  Cursor resume_;
};

}  // namespace aeris::storage::hyperloglog
