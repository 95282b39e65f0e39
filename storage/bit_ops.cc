#include "storage/bit_ops.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "src/base/check.h"

namespace aeris::storage {
namespace {

constexpr std::size_t kWordBytes = sizeof(std::uint64_t);

// Two words that the compiler keeps in one vector register where there are any.
using Vector [[gnu::vector_size(16)]] = std::uint64_t;
constexpr std::size_t kVectorsPerStep = 8;
constexpr std::size_t kBytesPerStep = kVectorsPerStep * sizeof(Vector);

// Words combined before they are written back: the block stays in the first cache.
constexpr std::size_t kBlockWords = 256;
using Block = std::array<std::uint64_t, kBlockWords>;

std::uint64_t LoadWord(const char* bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

Vector LoadVector(const char* bytes) {
  Vector vector;
  std::memcpy(&vector, bytes, sizeof vector);
  return vector;
}

// The word at `byte` with the first bit of the text highest; zero bytes beyond the end.
std::uint64_t LoadBits(std::string_view text, std::size_t byte) {
  std::uint64_t word = 0;
  if (byte < text.size()) {
    std::memcpy(&word, text.data() + byte, std::min(kWordBytes, text.size() - byte));
  }
  return std::endian::native == std::endian::little ? std::byteswap(word) : word;
}

// std::popcount is a call into a table without -mpopcnt.
std::uint64_t CountWord(std::uint64_t word) {
  word -= (word >> 1) & 0x5555555555555555U;
  word = (word & 0x3333333333333333U) + ((word >> 2) & 0x3333333333333333U);
  word = (word + (word >> 4)) & 0x0F0F0F0F0F0F0F0FU;
  return (word * 0x0101010101010101U) >> 56;
}

std::uint64_t CountVector(Vector vector) { return CountWord(vector[0]) + CountWord(vector[1]); }

// Adds three vectors bit by bit: the sum stays in `sum`, the carries are returned.
Vector AddBits(Vector& sum, Vector a, Vector b) {
  const Vector half = sum ^ a;
  const Vector carry = (sum & a) | (half & b);
  sum = half ^ b;
  return carry;
}

// Counts whole steps; the rest is the caller's.
std::uint64_t CountSteps(const char* bytes, std::size_t steps) {
  std::uint64_t eights_seen = 0;
  Vector ones{};
  Vector twos{};
  Vector fours{};
  for (; steps > 0; --steps, bytes += kBytesPerStep) {
    const auto load = [bytes](std::size_t i) { return LoadVector(bytes + i * sizeof(Vector)); };
    const Vector twos_a = AddBits(ones, load(0), load(1));
    const Vector twos_b = AddBits(ones, load(2), load(3));
    const Vector fours_a = AddBits(twos, twos_a, twos_b);
    const Vector twos_c = AddBits(ones, load(4), load(5));
    const Vector twos_d = AddBits(ones, load(6), load(7));
    const Vector fours_b = AddBits(twos, twos_c, twos_d);
    eights_seen += CountVector(AddBits(fours, fours_a, fours_b));
  }
  return 8 * eights_seen + 4 * CountVector(fours) + 2 * CountVector(twos) + CountVector(ones);
}

// The first byte, from `byte` on in steps of four words, of a step that is not all `uniform`.
std::size_t SkipUniform(std::string_view text, std::size_t byte, std::uint64_t uniform) {
  for (; text.size() - byte >= 4 * kWordBytes; byte += 4 * kWordBytes) {
    const char* bytes = text.data() + byte;
    const std::uint64_t differing =
        (LoadWord(bytes) ^ uniform) | (LoadWord(bytes + kWordBytes) ^ uniform) |
        (LoadWord(bytes + 2 * kWordBytes) ^ uniform) | (LoadWord(bytes + 3 * kWordBytes) ^ uniform);
    if (differing != 0) break;
  }
  return byte;
}

// `size` bytes of `text` from `begin` on, zeros beyond its end.
void LoadBlock(Block& block, std::string_view text, std::size_t begin, std::size_t size) {
  const std::size_t there = begin < text.size() ? std::min(size, text.size() - begin) : 0;
  if (there < sizeof block) block.fill(0);
  if (there > 0) std::memcpy(block.data(), text.data() + begin, there);
}

void CombineBlock(BitOperation operation, Block& block, const Block& other) {
  switch (operation) {
    case BitOperation::kAnd:
      for (std::size_t i = 0; i < kBlockWords; ++i) block[i] &= other[i];
      break;
    case BitOperation::kOr:
      for (std::size_t i = 0; i < kBlockWords; ++i) block[i] |= other[i];
      break;
    case BitOperation::kXor:
      for (std::size_t i = 0; i < kBlockWords; ++i) block[i] ^= other[i];
      break;
    case BitOperation::kNot:
      for (std::size_t i = 0; i < kBlockWords; ++i) block[i] = ~block[i];
      break;
  }
}

}  // namespace

bool GetBit(std::string_view text, std::uint64_t offset) {
  const std::uint64_t byte = offset / 8;
  if (byte >= text.size()) return false;
  return ((static_cast<unsigned char>(text[byte]) >> (7 - offset % 8)) & 1) != 0;
}

bool SetBit(std::span<char> text, std::uint64_t offset, bool bit) {
  AERIS_DCHECK(offset / 8 < text.size());
  char& byte = text[offset / 8];
  const auto mask = static_cast<unsigned char>(0x80U >> (offset % 8));
  const auto old = static_cast<unsigned char>(byte);
  byte = static_cast<char>(bit ? old | mask : old & ~mask);
  return (old & mask) != 0;
}

std::uint64_t ReadBits(std::string_view text, std::uint64_t offset, int bits) {
  AERIS_DCHECK(bits >= 1 && bits <= 64);
  const std::uint64_t byte = offset / 8;
  const auto skipped = static_cast<int>(offset % 8);
  std::uint64_t word = LoadBits(text, byte) << skipped;
  // A field of more than 56 bits may reach into a ninth byte.
  if (skipped + bits > 64) word |= (LoadBits(text, byte + kWordBytes) >> (64 - skipped));
  return word >> (64 - bits);
}

void WriteBits(std::span<char> text, std::uint64_t offset, int bits, std::uint64_t value) {
  AERIS_DCHECK(bits >= 1 && bits <= 64);
  AERIS_DCHECK((offset + static_cast<std::uint64_t>(bits) - 1) / 8 < text.size());
  while (bits > 0) {
    const auto skipped = static_cast<int>(offset % 8);
    const int taken = std::min(8 - skipped, bits);
    const int below = 8 - skipped - taken;
    const unsigned mask = ((1U << taken) - 1) << below;
    const auto piece = static_cast<unsigned>(value >> (bits - taken)) << below;
    char& byte = text[offset / 8];
    byte = static_cast<char>((static_cast<unsigned char>(byte) & ~mask) | (piece & mask));
    offset += static_cast<std::uint64_t>(taken);
    bits -= taken;
  }
}

std::uint64_t CountBits(std::string_view text) {
  const std::size_t steps = text.size() / kBytesPerStep;
  std::uint64_t count = CountSteps(text.data(), steps);
  for (std::size_t byte = steps * kBytesPerStep; byte < text.size(); byte += kWordBytes) {
    count += CountWord(LoadBits(text, byte));
  }
  return count;
}

std::uint64_t CountBits(std::string_view text, std::uint64_t first, std::uint64_t last) {
  AERIS_DCHECK(first <= last && last / 8 < text.size());
  std::uint64_t count = CountBits(text.substr(first / 8, last / 8 - first / 8 + 1));
  if (first % 8 != 0)
    count -= CountWord(ReadBits(text, first - first % 8, static_cast<int>(first % 8)));
  const int behind = 7 - static_cast<int>(last % 8);
  if (behind != 0) count -= CountWord(ReadBits(text, last + 1, behind));
  return count;
}

std::optional<std::uint64_t> FindBit(std::string_view text, bool bit, std::uint64_t first,
                                     std::uint64_t last) {
  AERIS_DCHECK(last / 8 < text.size());
  const std::uint64_t uniform = bit ? 0 : ~std::uint64_t{0};
  std::uint64_t offset = first;
  while (offset <= last) {
    const auto skipped = static_cast<int>(offset % 8);
    const std::uint64_t word = (LoadBits(text, offset / 8) ^ uniform) << skipped;
    if (word != 0) {
      offset += static_cast<std::uint64_t>(std::countl_zero(word));
      return offset <= last ? std::optional(offset) : std::nullopt;
    }
    const std::size_t next = (offset - static_cast<std::uint64_t>(skipped)) / 8 + kWordBytes;
    if (next >= text.size()) break;
    offset = std::uint64_t{8} * SkipUniform(text, next, uniform);
  }
  return std::nullopt;
}

void CombineBits(BitOperation operation, std::span<const std::string_view> sources,
                 std::span<char> out) {
  AERIS_DCHECK(!sources.empty());
  Block block;
  Block other;
  for (std::size_t begin = 0; begin < out.size(); begin += sizeof block) {
    const std::size_t size = std::min(sizeof block, out.size() - begin);
    LoadBlock(block, sources[0], begin, size);
    if (operation == BitOperation::kNot) {
      CombineBlock(operation, block, block);
    } else {
      for (const std::string_view source : sources.subspan(1)) {
        LoadBlock(other, source, begin, size);
        CombineBlock(operation, block, other);
      }
    }
    // Only now: `out` may be one of the sources.
    std::memcpy(out.data() + begin, block.data(), size);
  }
}

}  // namespace aeris::storage
