#include "storage/hyperloglog_self_test.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

#include "storage/hyperloglog.h"
#include "storage/hyperloglog_sparse.h"

namespace aeris::storage::hyperloglog {
namespace {

constexpr std::uint32_t kElements = 100000;
constexpr std::uint32_t kElementsSparse = 500;
// Five times the standard error.
constexpr double kErrorMax = 5 * 1.04 / 128;

std::string EmptyDense() {
  std::string value(kDenseBytes, '\0');
  WriteEmptyDense(value);
  return value;
}

// Every register takes each value of six bits, and the neighbours keep theirs.
bool RegistersHoldTheirRanks() {
  std::string value = EmptyDense();
  Registers expected;
  for (std::uint32_t rank = 1; rank < 1U << kRegisterBits; ++rank) {
    const std::uint32_t step = rank % 5 + 1;
    for (std::uint32_t index = rank % 7; index < kRegisters; index += step) {
      expected.ranks[index] = static_cast<std::uint8_t>(rank);
      RaiseDense(value, {index, static_cast<std::uint8_t>(rank)});
    }
  }
  for (std::uint32_t index = 0; index < kRegisters; ++index) {
    if (DenseRank(value, index) != expected.ranks[index]) return false;
  }
  Registers unpacked;
  std::string packed = EmptyDense();
  if (!MergeInto(unpacked, value) || unpacked.ranks != expected.ranks) return false;
  StoreDense(packed, expected);
  return packed == value;
}

// Both encodings of the same elements have the same registers, and count them within the error.
std::optional<std::string> EncodingsCount() {
  std::string dense = EmptyDense();
  std::string sparse = Empty();
  SparseEditor editor(sparse, std::numeric_limits<std::uint64_t>::max());
  for (std::uint32_t i = 1; i <= kElements; ++i) {
    std::array<char, sizeof i> bytes;
    for (std::size_t byte = 0; byte < bytes.size(); ++byte) {
      bytes[byte] = static_cast<char>(i >> (8 * byte));
    }
    const Observation observation = Observe({bytes.data(), bytes.size()});
    RaiseDense(dense, observation);
    if (i <= kElementsSparse) editor.Raise(observation);
    if (i == kElementsSparse && Count(sparse) != Count(dense)) return "encodings disagree";
    if (!std::has_single_bit(i) && i != kElements) continue;
    const auto count = Count(dense);
    if (!count || std::abs(static_cast<double>(*count) - i) > std::ceil(i * kErrorMax)) {
      return "too big an error with " + std::to_string(i) + " elements";
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> SelfTest() {
  if (!RegistersHoldTheirRanks()) return "registers do not hold what was set";
  return EncodingsCount();
}

}  // namespace aeris::storage::hyperloglog
