#include "storage/bit_ops.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace aeris::storage {
namespace {

// A text on a heap block of exactly its size, so that AddressSanitizer sees a read past its end.
class ExactText {
 public:
  explicit ExactText(std::string_view text)
      : size_(text.size()), bytes_(std::make_unique<char[]>(size_)) {
    text.copy(bytes_.get(), size_);
  }
  std::string_view view() const { return {bytes_.get(), size_}; }
  std::span<char> span() { return {bytes_.get(), size_}; }

 private:
  std::size_t size_;
  std::unique_ptr<char[]> bytes_;
};

bool PlainBit(std::string_view text, std::uint64_t offset) {
  return offset / 8 < text.size() &&
         ((static_cast<unsigned char>(text[offset / 8]) >> (7 - offset % 8)) & 1) != 0;
}

std::uint64_t PlainCount(std::string_view text, std::uint64_t first, std::uint64_t last) {
  std::uint64_t count = 0;
  for (std::uint64_t i = first; i <= last; ++i) count += PlainBit(text, i) ? 1U : 0U;
  return count;
}

std::optional<std::uint64_t> PlainFind(std::string_view text, bool bit, std::uint64_t first,
                                       std::uint64_t last) {
  for (std::uint64_t i = first; i <= last; ++i) {
    if (PlainBit(text, i) == bit) return i;
  }
  return std::nullopt;
}

std::string PlainCombine(BitOperation operation, const std::vector<std::string_view>& sources,
                         std::size_t size) {
  std::string result(size, '\0');
  for (std::size_t i = 0; i < size; ++i) {
    const auto byte = [&](std::size_t s) {
      return i < sources[s].size() ? static_cast<unsigned>(sources[s][i]) : 0U;
    };
    unsigned value = operation == BitOperation::kNot ? ~byte(0) : byte(0);
    for (std::size_t s = 1; s < sources.size(); ++s) {
      if (operation == BitOperation::kAnd) value &= byte(s);
      if (operation == BitOperation::kOr) value |= byte(s);
      if (operation == BitOperation::kXor) value ^= byte(s);
    }
    result[i] = static_cast<char>(value);
  }
  return result;
}

class BitOps : public ::testing::Test {
 protected:
  static constexpr unsigned kSeed = 20;
  std::uint64_t Below(std::uint64_t limit) { return random_() % limit; }
  // Mostly uniform, as bitmaps are, so that runs of equal words occur.
  std::string RandomText(std::size_t size) {
    std::string text(size, Below(2) == 0 ? '\0' : '\xFF');
    for (std::size_t i = Below(4) * size / 8; i > 0; --i) {
      text[Below(size)] = static_cast<char>(Below(256));
    }
    return text;
  }

 private:
  std::mt19937_64 random_{kSeed};
};

TEST_F(BitOps, NumberBitsFromTheHighestOfTheFirstByte) {
  ExactText text(std::string_view("\x80\x01", 2));
  EXPECT_TRUE(GetBit(text.view(), 0));
  EXPECT_FALSE(GetBit(text.view(), 1));
  EXPECT_TRUE(GetBit(text.view(), 15));
  EXPECT_FALSE(GetBit(text.view(), 16));
  EXPECT_FALSE(GetBit({}, 0));
  EXPECT_FALSE(GetBit(text.view(), ~std::uint64_t{0}));
}

TEST_F(BitOps, SetBitReturnsTheOldBitAndLeavesTheOthers) {
  ExactText text("\x55\x55");
  for (std::uint64_t i = 0; i < 16; ++i) {
    const bool old = i % 2 == 1;
    EXPECT_EQ(SetBit(text.span(), i, !old), old);
    EXPECT_EQ(SetBit(text.span(), i, !old), !old);
  }
  EXPECT_EQ(text.view(), "\xAA\xAA");
}

TEST_F(BitOps, CountEveryRangeOfAShortText) {
  const ExactText text("\x01\xFE\x80\x7F\x00\xFF\xA5\x5A\xC3");
  const std::uint64_t bits = text.view().size() * 8;
  for (std::uint64_t first = 0; first < bits; ++first) {
    for (std::uint64_t last = first; last < bits; ++last) {
      ASSERT_EQ(CountBits(text.view(), first, last), PlainCount(text.view(), first, last))
          << first << " to " << last;
    }
  }
}

TEST_F(BitOps, CountTextsOfEverySize) {
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  EXPECT_EQ(CountBits({}), 0U);
  for (std::size_t size = 1; size < 600; ++size) {
    const ExactText text(RandomText(size));
    ASSERT_EQ(CountBits(text.view()), PlainCount(text.view(), 0, size * 8 - 1)) << size;
  }
}

TEST_F(BitOps, CountFullBytesWithoutOverflow) {
  const std::string text(1 << 20, '\xFF');
  EXPECT_EQ(CountBits(text), std::uint64_t{8} << 20);
}

TEST_F(BitOps, FindTheFirstBitOfEveryRange) {
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  for (int round = 0; round < 4000; ++round) {
    const std::size_t size = 1 + Below(round % 4 == 0 ? 300 : 40);
    const ExactText text(RandomText(size));
    const std::uint64_t first = Below(size * 8);
    const std::uint64_t last = first + Below(size * 8 - first);
    for (const bool bit : {false, true}) {
      ASSERT_EQ(FindBit(text.view(), bit, first, last), PlainFind(text.view(), bit, first, last))
          << "size " << size << ", " << first << " to " << last << ", bit " << bit;
    }
  }
}

TEST_F(BitOps, FindNothingInUniformText) {
  const ExactText zeros(std::string(1000, '\0'));
  EXPECT_EQ(FindBit(zeros.view(), true, 0, 7999), std::nullopt);
  EXPECT_EQ(FindBit(zeros.view(), false, 7, 7999), 7U);
  const ExactText ones(std::string(1000, '\xFF'));
  EXPECT_EQ(FindBit(ones.view(), false, 3, 7999), std::nullopt);
  EXPECT_EQ(FindBit(ones.view(), true, 7999, 7999), 7999U);
}

TEST_F(BitOps, ReadAndWriteFieldsOfEveryWidthAnywhere) {
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  for (int bits = 1; bits <= 64; ++bits) {
    for (std::uint64_t offset = 0; offset + static_cast<std::uint64_t>(bits) <= 88; ++offset) {
      ExactText text(RandomText(11));
      const std::string before(text.view());
      const std::uint64_t value = Below(~std::uint64_t{0}) >> (64 - bits);
      WriteBits(text.span(), offset, bits, value);
      ASSERT_EQ(ReadBits(text.view(), offset, bits), value) << bits << " bits at " << offset;
      for (std::uint64_t i = 0; i < 88; ++i) {
        if (i >= offset && i < offset + static_cast<std::uint64_t>(bits)) continue;
        ASSERT_EQ(GetBit(text.view(), i), PlainBit(before, i)) << bits << " bits at " << offset;
      }
    }
  }
}

TEST_F(BitOps, ReadZerosBeyondTheEnd) {
  const ExactText text("\xFF");
  EXPECT_EQ(ReadBits(text.view(), 4, 8), 0xF0U);
  EXPECT_EQ(ReadBits(text.view(), 0, 64), 0xFF00000000000000U);
  EXPECT_EQ(ReadBits(text.view(), 8, 64), 0U);
  EXPECT_EQ(ReadBits(text.view(), std::uint64_t{1} << 62, 64), 0U);
}

TEST_F(BitOps, CombineTextsOfDifferentSizes) {
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  constexpr BitOperation kOperations[] = {BitOperation::kAnd, BitOperation::kOr, BitOperation::kXor,
                                          BitOperation::kNot};
  for (int round = 0; round < 400; ++round) {
    const BitOperation operation = kOperations[round % 4];
    const std::size_t count = operation == BitOperation::kNot ? 1 : 1 + Below(5);
    std::vector<ExactText> texts;
    for (std::size_t i = 0; i < count; ++i) {
      // Around the 2 KiB that one step takes.
      texts.emplace_back(RandomText(1 + Below(round % 3 == 0 ? 5000 : 20)));
    }
    std::vector<std::string_view> sources;
    std::size_t size = 0;
    for (const ExactText& text : texts) {
      sources.push_back(text.view());
      size = std::max(size, text.view().size());
    }
    ExactText out(std::string(size, 'x'));
    CombineBits(operation, sources, out.span());
    ASSERT_EQ(out.view(), PlainCombine(operation, sources, size)) << "round " << round;
  }
}

TEST_F(BitOps, CombineIntoOneOfTheSources) {
  ExactText out(RandomText(5000));
  const ExactText other(RandomText(4100));
  for (const BitOperation operation : {BitOperation::kAnd, BitOperation::kOr, BitOperation::kXor}) {
    const std::vector<std::string_view> sources = {other.view(), out.view(), out.view()};
    const std::string expected = PlainCombine(operation, sources, 5000);
    CombineBits(operation, sources, out.span());
    EXPECT_EQ(out.view(), expected);
  }
}

}  // namespace
}  // namespace aeris::storage
