#include "storage/hyperloglog_sparse.h"

#include <algorithm>

#include "src/base/number_text.h"

namespace aeris::storage::hyperloglog {
namespace {

constexpr std::uint8_t kSparseRankMax = 32;
constexpr std::uint32_t kValRegistersMax = 4;
constexpr std::uint32_t kZeroRegistersMax = 64;
// Opcodes looked at when equal runs are joined, Redis's number.
constexpr int kOpcodesJoined = 5;

// The opcodes that take the place of one: before, at and behind the register that is raised.
class Replacement {
 public:
  void Zeros(std::uint32_t registers) {
    if (registers == 0) return;
    const std::uint32_t n = registers - 1;
    if (registers > kZeroRegistersMax) Put(0x40U | n >> 8);
    Put(n & 0xFFU);
  }
  void Val(std::uint32_t rank, std::uint32_t registers) {
    if (registers > 0) Put(0x80U | (rank - 1) << 2 | (registers - 1));
  }
  void Run(std::uint32_t rank, std::uint32_t registers) {
    if (rank == 0) return Zeros(registers);
    Val(rank, registers);
  }
  std::string_view bytes() const { return {bytes_.data(), size_}; }

 private:
  void Put(std::uint32_t byte) { bytes_[size_++] = static_cast<char>(byte); }

  std::array<char, 5> bytes_{};
  std::size_t size_ = 0;
};

bool IsVal(char opcode) { return (static_cast<std::uint8_t>(opcode) & 0x80U) != 0; }

void AppendNumber(std::string& text, std::uint32_t number) {
  std::array<char, kInt64TextMax> digits;
  text.append(digits.data(), FormatUint64(digits.data(), number));
}

// An XZERO whose second byte is missing, read as 0.
SparseRun LastRunOf(char opcode) {
  const std::array<char, 2> bytes{opcode, '\0'};
  return *ReadSparseRun({bytes.data(), bytes.size()});
}

}  // namespace

std::string DescribeSparse(std::string_view value) {
  std::string text;
  for (std::string_view opcodes = value.substr(kHeaderBytes); !opcodes.empty();) {
    const SparseRun run = ReadSparseRun(opcodes).value_or(LastRunOf(opcodes[0]));
    if (!text.empty()) text += ' ';
    text += run.rank != 0 ? "v:" : run.bytes == 2 ? "Z:" : "z:";
    if (run.rank != 0) {
      AppendNumber(text, run.rank);
      text += ',';
    }
    AppendNumber(text, run.registers);
    opcodes.remove_prefix(std::min<std::size_t>(run.bytes, opcodes.size()));
  }
  return text;
}

SparseEditor::SparseEditor(std::string& value, std::uint64_t bytes_max)
    : value_(value), bytes_max_(bytes_max) {}

RaiseResult SparseEditor::Raise(Observation observation) {
  if (dense_) return RaiseAsDense(observation);
  return RaiseFrom({}, observation);
}

bool SparseEditor::RaiseAll(const Registers& registers) {
  resume_ = {};
  for (std::uint32_t index = 0; index < kRegisters; ++index) {
    const Observation observation{index, registers.ranks[index]};
    if (observation.rank == 0) continue;
    const RaiseResult result = dense_ ? RaiseAsDense(observation) : RaiseFrom(resume_, observation);
    if (result == RaiseResult::kCorrupted) return false;
  }
  return true;
}

RaiseResult SparseEditor::RaiseFrom(Cursor from, Observation observation) {
  if (observation.rank > kSparseRankMax) return RaiseAsDense(observation);
  Cursor previous = from;
  Cursor here = from;
  std::optional<SparseRun> run;
  for (;;) {
    if (here.at >= value_.size()) return RaiseResult::kCorrupted;
    run = ReadSparseRun(std::string_view(value_).substr(here.at));
    if (!run) return RaiseResult::kCorrupted;
    if (observation.index - here.first < run->registers) break;
    // Joining runs may pull the next register into an opcode that starts before this one, but not
    // into one that starts that far before it, since joined runs are short.
    if (here.first + kValRegistersMax <= observation.index + 1) resume_ = here;
    previous = here;
    here = {here.at + run->bytes, here.first + run->registers};
  }
  if (run->rank >= observation.rank) return RaiseResult::kUnchanged;

  const std::uint32_t left = observation.index - here.first;
  Replacement replacement;
  replacement.Run(run->rank, left);
  replacement.Val(observation.rank, 1);
  replacement.Run(run->rank, run->registers - left - 1);
  const std::string_view bytes = replacement.bytes();
  if (bytes.size() > run->bytes && value_.size() + bytes.size() - run->bytes > bytes_max_) {
    return RaiseAsDense(observation);
  }
  value_.replace(here.at, run->bytes, bytes);
  JoinEqualRuns(previous.at);
  Invalidate(value_);
  return RaiseResult::kRaised;
}

RaiseResult SparseEditor::RaiseAsDense(Observation observation) {
  if (!dense_ && !MakeDense(value_)) return RaiseResult::kCorrupted;
  dense_ = true;
  return RaiseDense(value_, observation) ? RaiseResult::kRaised : RaiseResult::kUnchanged;
}

// Joins neighbours of one rank that fit one opcode, among the first few from `at` on.
void SparseEditor::JoinEqualRuns(std::size_t at) {
  for (int looked_at = 0; looked_at < kOpcodesJoined && at < value_.size(); ++looked_at) {
    const std::optional<SparseRun> run = ReadSparseRun(std::string_view(value_).substr(at));
    if (!run) return;
    const bool pair = run->rank != 0 && at + 1 < value_.size() && IsVal(value_[at + 1]);
    if (pair) {
      const SparseRun next = *ReadSparseRun(std::string_view(value_).substr(at + 1));
      const std::uint32_t registers = run->registers + next.registers;
      if (next.rank == run->rank && registers <= kValRegistersMax) {
        Replacement joined;
        joined.Val(run->rank, registers);
        value_.replace(at, 2, joined.bytes());
        continue;  // the joined run may take in the next one too
      }
    }
    at += run->bytes;
  }
}

}  // namespace aeris::storage::hyperloglog
