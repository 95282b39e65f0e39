// What holds for any bytes that a client may have written: the unit test asks it of damaged values,
// the fuzz target of everything.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "src/base/check.h"
#include "storage/hyperloglog.h"
#include "storage/hyperloglog_sparse.h"

namespace aeris::storage::hyperloglog {

// Readers agree on whether the value is corrupted, and on its registers. `value` is read from a
// block of exactly its size, so that AddressSanitizer sees a read past its end.
inline void CheckReaders(std::string_view given) {
  const auto block = std::make_unique<char[]>(given.size());
  given.copy(block.get(), given.size());
  const std::string_view value{block.get(), given.size()};
  if (!IsHyperLogLog(value)) return;
  Registers registers;
  const bool whole = MergeInto(registers, value);
  const auto count = Count(value);
  AERIS_CHECK(count.has_value() == whole);
  std::string dense(value);
  if (!IsDense(value)) {
    static_cast<void>(DescribeSparse(value));
    AERIS_CHECK(MakeDense(dense) == whole);
    if (!whole) AERIS_CHECK(dense == value);
  }
  if (!whole) return;
  AERIS_CHECK(IsHyperLogLog(dense) && IsDense(dense));
  AERIS_CHECK(*count == Count(registers));
  for (std::uint32_t i = 0; i < kRegisters; i += 97) {
    AERIS_CHECK(DenseRank(dense, i) == registers.ranks[i]);
  }
}

// Raising a register of any value raises that one and no other, or finds the value corrupted. What
// was whole stays whole, within `bytes_max` unless it was larger or is dense.
inline void CheckRaise(std::string& value, Observation observation, std::uint64_t bytes_max) {
  if (!IsHyperLogLog(value) || IsDense(value)) return;
  Registers before;
  const bool whole = MergeInto(before, value);
  const std::size_t size = value.size();
  SparseEditor editor(value, bytes_max);
  const RaiseResult result = editor.Raise(observation);
  AERIS_CHECK(IsHyperLogLog(value));
  AERIS_CHECK(IsDense(value) || value.size() <= size || value.size() <= bytes_max);
  AERIS_CHECK(result != RaiseResult::kCorrupted || (!whole && value.size() == size));
  if (!whole) return;
  Registers after;
  AERIS_CHECK(MergeInto(after, value));
  std::uint8_t& rank = before.ranks[observation.index];
  AERIS_CHECK((rank < observation.rank) == (result == RaiseResult::kRaised));
  if (rank < observation.rank) rank = observation.rank;
  AERIS_CHECK(after.ranks == before.ranks);
}

}  // namespace aeris::storage::hyperloglog
