#include "storage/hyperloglog.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "src/base/check.h"
#include "storage/hyperloglog_sparse.h"

namespace aeris::storage::hyperloglog {
namespace {

static_assert(std::endian::native == std::endian::little, "registers are read as words");

constexpr std::string_view kMagic = "HYLL";
constexpr std::size_t kEncodingAt = 4;
constexpr std::size_t kCountAt = 8;
constexpr std::size_t kStaleAt = 15;
constexpr unsigned kStale = 0x80;
constexpr char kDense = 0;
constexpr char kSparse = 1;
constexpr std::string_view kAllZero = "\x7F\xFF";  // XZERO of 16384 registers

constexpr std::uint64_t kHashSeed = 0xadc83b19;
constexpr std::uint64_t kHashFactor = 0xc6a4a7935bd1e995;
constexpr int kHashShift = 47;

// Eight registers are six bytes.
constexpr std::size_t kGroup = 8;
constexpr std::size_t kGroupBytes = kGroup * kRegisterBits / 8;
constexpr std::size_t kGroups = kRegisters / kGroup;

// How many registers have each rank; nobody counts up to those above kRankMax, clients write them.
using Histogram = std::array<std::uint32_t, std::size_t{1} << kRegisterBits>;

std::uint64_t MixWord(std::uint64_t word) {
  word *= kHashFactor;
  word ^= word >> kHashShift;
  return word * kHashFactor;
}

// MurmurHash64A.
std::uint64_t Hash(std::string_view bytes) {
  std::uint64_t hash = kHashSeed ^ (bytes.size() * kHashFactor);
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), 8);
    hash = (hash ^ MixWord(word)) * kHashFactor;
  }
  if (!bytes.empty()) {
    std::uint64_t rest = 0;
    std::memcpy(&rest, bytes.data(), bytes.size());
    hash = (hash ^ rest) * kHashFactor;
  }
  hash ^= hash >> kHashShift;
  hash *= kHashFactor;
  return hash ^ (hash >> kHashShift);
}

// Eight registers of six bits become eight bytes, by halves.
std::uint64_t Spread(std::uint64_t packed) {
  packed = (packed & 0xFFFFFF) | (packed & 0xFFFFFF000000) << 8;
  packed = (packed & 0x00000FFF00000FFF) | (packed & 0x00FFF00000FFF000) << 4;
  return (packed & 0x003F003F003F003F) | (packed & 0x0FC00FC00FC00FC0) << 2;
}

// The other way.
std::uint64_t Gather(std::uint64_t spread) {
  spread = (spread & 0x003F003F003F003F) | (spread & 0x3F003F003F003F00) >> 2;
  spread = (spread & 0x00000FFF00000FFF) | (spread & 0x0FFF00000FFF0000) >> 4;
  return (spread & 0xFFFFFF) | (spread & 0x00FFFFFF00000000) >> 8;
}

// In two loads: six bytes copied to a word in memory would be waited for there.
std::uint64_t LoadGroup(const char* registers) {
  std::uint32_t low = 0;
  std::uint16_t high = 0;
  static_assert(sizeof low + sizeof high == kGroupBytes);
  std::memcpy(&low, registers, sizeof low);
  std::memcpy(&high, registers + sizeof low, sizeof high);
  return low | std::uint64_t{high} << 32;
}

// The registers of a dense value, a byte each.
void Unpack(std::string_view value, std::uint8_t* ranks) {
  const char* registers = value.data() + kHeaderBytes;
  for (std::size_t i = 0; i < kGroups; ++i, registers += kGroupBytes, ranks += kGroup) {
    const std::uint64_t spread = Spread(LoadGroup(registers));
    std::memcpy(ranks, &spread, kGroup);
  }
}

// Four histograms side by side: runs of equal ranks do not wait for each other.
Histogram HistogramOf(const Registers& registers) {
  std::array<Histogram, 4> parts{};
  for (std::size_t i = 0; i < kRegisters; i += kGroup) {
    std::uint64_t group = 0;
    std::memcpy(&group, registers.ranks.data() + i, kGroup);
    for (std::size_t byte = 0; byte < kGroup; ++byte, group >>= 8) ++parts[byte % 4][group & 0x3F];
  }
  Histogram sum{};
  for (std::size_t rank = 0; rank < sum.size(); ++rank) {
    sum[rank] = parts[0][rank] + parts[1][rank] + parts[2][rank] + parts[3][rank];
  }
  return sum;
}

std::optional<Histogram> HistogramOfSparse(std::string_view value) {
  Histogram histogram{};
  const bool whole = ForEachSparseRun(
      value, [&](std::uint32_t, const SparseRun& run) { histogram[run.rank] += run.registers; });
  if (!whole) return std::nullopt;
  return histogram;
}

// Ertl's sigma: the sum over k from 1 of x^(2^k) * 2^(k-1), plus x. Ends when a double cannot show
// the next term any more.
double Sigma(double x) {
  if (x == 1.0) return std::numeric_limits<double>::infinity();
  double sum = x;
  double before = 0;
  double factor = 1.0;
  do {
    x *= x;
    before = sum;
    sum += x * factor;
    factor += factor;
  } while (sum != before);
  return sum;
}

// Ertl's tau: a third of 1 - x minus the sum over k from 1 of (1 - x^(2^-k))^2 * 2^-k.
double Tau(double x) {
  if (x == 0.0 || x == 1.0) return 0.0;
  double sum = 1.0 - x;
  double before = 0;
  double factor = 1.0;
  do {
    x = std::sqrt(x);
    before = sum;
    factor *= 0.5;
    sum -= (1.0 - x) * (1.0 - x) * factor;
  } while (sum != before);
  return sum / 3.0;
}

// Ertl's improved raw estimator. Operations and their order are Redis's: so are the results.
std::int64_t Estimate(const Histogram& histogram) {
  constexpr double kAlphaInfinity = 0.721347520444481703680;  // 1 / (2 ln 2)
  constexpr double kCount = kRegisters;
  double z = kCount * Tau((kCount - histogram[kRankMax]) / kCount);
  for (std::size_t rank = kRankMax - 1; rank >= 1; --rank) {
    z += histogram[rank];
    z *= 0.5;
  }
  z += kCount * Sigma(histogram[0] / kCount);
  const double estimate = kAlphaInfinity * kCount * kCount / z;
  // No register holds a possible rank, or nearly all hold the highest. std::llround() would give
  // any number; this is what Redis replies on x86.
  if (!(estimate < 0x1p63)) return std::numeric_limits<std::int64_t>::min();
  return std::llround(estimate);
}

}  // namespace

Observation Observe(std::string_view element) {
  const std::uint64_t hash = Hash(element);
  // A bit behind the last one ends the run of zeros.
  const std::uint64_t rest = hash >> kIndexBits | std::uint64_t{1} << (kRankMax - 1);
  return {static_cast<std::uint32_t>(hash & (kRegisters - 1)),
          static_cast<std::uint8_t>(std::countr_zero(rest) + 1)};
}

bool IsHyperLogLog(std::string_view value) {
  if (value.size() < kHeaderBytes || !value.starts_with(kMagic)) return false;
  if (value[kEncodingAt] == kDense) return value.size() == kDenseBytes;
  return value[kEncodingAt] == kSparse;
}

bool IsDense(std::string_view value) { return value[kEncodingAt] == kDense; }

std::string Empty() {
  std::string value(kHeaderBytes, '\0');
  value.replace(0, kMagic.size(), kMagic);
  value[kEncodingAt] = kSparse;
  return value.append(kAllZero);
}

void WriteEmptyDense(std::span<char> value) {
  AERIS_DCHECK(value.size() == kDenseBytes);
  std::ranges::fill(value, '\0');
  std::ranges::copy(kMagic, value.begin());
}

std::optional<std::uint64_t> CachedCount(std::string_view value) {
  if ((static_cast<unsigned char>(value[kStaleAt]) & kStale) != 0) return std::nullopt;
  std::uint64_t count = 0;
  std::memcpy(&count, value.data() + kCountAt, sizeof count);
  return count;
}

void StoreCount(std::span<char> value, std::uint64_t count) {
  std::memcpy(value.data() + kCountAt, &count, sizeof count);
}

void Invalidate(std::span<char> value) {
  value[kStaleAt] = static_cast<char>(static_cast<unsigned char>(value[kStaleAt]) | kStale);
}

std::uint8_t DenseRank(std::string_view value, std::uint32_t index) {
  const char* const group = value.data() + kHeaderBytes + index / kGroup * kGroupBytes;
  return static_cast<std::uint8_t>(LoadGroup(group) >> (index % kGroup * kRegisterBits) & 0x3F);
}

bool RaiseDense(std::span<char> value, Observation observation) {
  char* const group = value.data() + kHeaderBytes + observation.index / kGroup * kGroupBytes;
  const auto shift = static_cast<int>(observation.index % kGroup * kRegisterBits);
  std::uint64_t packed = LoadGroup(group);
  if ((packed >> shift & 0x3F) >= observation.rank) return false;
  packed = (packed & ~(std::uint64_t{0x3F} << shift)) | std::uint64_t{observation.rank} << shift;
  std::memcpy(group, &packed, kGroupBytes);
  return true;
}

bool MergeInto(Registers& registers, std::string_view value) {
  std::uint8_t* const ranks = registers.ranks.data();
  if (IsDense(value)) {
    Registers other;
    Unpack(value, other.ranks.data());
    for (std::size_t i = 0; i < kRegisters; ++i) ranks[i] = std::max(ranks[i], other.ranks[i]);
    return true;
  }
  return ForEachSparseRun(value, [&](std::uint32_t first, const SparseRun& run) {
    if (run.rank == 0) return;
    for (std::uint32_t i = first; i < first + run.registers; ++i) {
      ranks[i] = std::max(ranks[i], run.rank);
    }
  });
}

void StoreDense(std::span<char> value, const Registers& registers) {
  AERIS_DCHECK(value.size() == kDenseBytes);
  value[kEncodingAt] = kDense;
  char* packed = value.data() + kHeaderBytes;
  for (std::size_t i = 0; i < kRegisters; i += kGroup, packed += kGroupBytes) {
    std::uint64_t spread = 0;
    std::memcpy(&spread, registers.ranks.data() + i, kGroup);
    const std::uint64_t group = Gather(spread);
    std::memcpy(packed, &group, kGroupBytes);
  }
}

bool MakeDense(std::string& value) {
  Registers registers;
  if (!MergeInto(registers, value)) return false;
  value.resize(kDenseBytes);
  StoreDense(value, registers);
  return true;
}

std::optional<std::int64_t> Count(std::string_view value) {
  if (!IsDense(value)) {
    const std::optional<Histogram> histogram = HistogramOfSparse(value);
    if (!histogram) return std::nullopt;
    return Estimate(*histogram);
  }
  Registers registers;
  Unpack(value, registers.ranks.data());
  return Count(registers);
}

std::int64_t Count(const Registers& registers) { return Estimate(HistogramOf(registers)); }

}  // namespace aeris::storage::hyperloglog
