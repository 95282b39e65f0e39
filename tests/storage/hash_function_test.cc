#include "storage/hash_function.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace aeris::storage {
namespace {

KeyHasher::Secret SecretOf(std::uint64_t seed) {
  std::mt19937_64 engine(seed);
  KeyHasher::Secret secret;
  for (std::byte& byte : secret) byte = static_cast<std::byte>(engine() & 0xff);
  return secret;
}

class KeyHasherTest : public testing::TestWithParam<KeyHasher::Kind> {
 protected:
  void SetUp() override {
    if (GetParam() == KeyHasher::Kind::kAes && !KeyHasher::CpuHasAes()) GTEST_SKIP();
  }
  KeyHasher MakeHasher(std::uint64_t seed = 1) const { return {SecretOf(seed), GetParam()}; }
};

INSTANTIATE_TEST_SUITE_P(Kinds, KeyHasherTest,
                         testing::Values(KeyHasher::Kind::kAes, KeyHasher::Kind::kSipHash),
                         [](const auto& kind) {
                           return kind.param == KeyHasher::Kind::kAes ? "Aes" : "SipHash";
                         });

TEST_P(KeyHasherTest, DependsOnEveryByteOfSecretThatItUses) {
  const std::string key = "a key of more than sixteen bytes";
  const std::uint64_t expected = MakeHasher()(key);
  const std::size_t used = GetParam() == KeyHasher::Kind::kAes ? 48 : 16;
  for (std::size_t i = 0; i < used; ++i) {
    KeyHasher::Secret secret = SecretOf(1);
    secret[i] ^= std::byte{1};
    EXPECT_NE(KeyHasher(secret, GetParam())(key), expected) << "byte " << i;
  }
}

// The key lies in a heap block of exactly its size, so that AddressSanitizer sees any read outside.
TEST_P(KeyHasherTest, ReadsOnlyTheKey) {
  const KeyHasher hasher = MakeHasher();
  for (std::size_t size = 0; size <= 300; ++size) {
    const auto block = std::make_unique<char[]>(size);
    std::memset(block.get(), 'x', size);
    EXPECT_EQ(hasher({block.get(), size}), hasher(std::string(size, 'x')));
  }
}

TEST_P(KeyHasherTest, EveryByteAndLengthCounts) {
  const KeyHasher hasher = MakeHasher();
  for (std::size_t size = 0; size <= 200; ++size) {
    std::vector<std::uint64_t> hashes{hasher(std::string(size, '\0'))};
    hashes.push_back(hasher(std::string(size + 1, '\0')));
    for (std::size_t i = 0; i < size; ++i) {
      std::string key(size, '\0');
      key[i] = 1;
      hashes.push_back(hasher(key));
    }
    std::sort(hashes.begin(), hashes.end());
    EXPECT_EQ(std::adjacent_find(hashes.begin(), hashes.end()), hashes.end()) << "size " << size;
  }
}

TEST_P(KeyHasherTest, LengthIsNotTakenForContent) {
  const KeyHasher hasher = MakeHasher();
  std::vector<std::uint64_t> hashes;
  for (std::size_t size = 1; size <= 140; ++size) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string key(size, '\0');
      key[0] = static_cast<char>(byte);
      hashes.push_back(hasher(key));
    }
  }
  std::sort(hashes.begin(), hashes.end());
  EXPECT_EQ(std::adjacent_find(hashes.begin(), hashes.end()), hashes.end());
}

TEST_P(KeyHasherTest, SwappedBlocksHashDifferently) {
  const KeyHasher hasher = MakeHasher();
  for (const std::size_t blocks : {2u, 3u, 4u, 5u, 8u, 12u}) {
    for (std::size_t i = 0; i < blocks; ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        std::string key(blocks * 16, 'a');
        key.replace(i * 16, 16, 16, 'b');
        std::string other(blocks * 16, 'a');
        other.replace(j * 16, 16, 16, 'b');
        EXPECT_NE(hasher(key), hasher(other)) << blocks << " blocks, " << i << " and " << j;
      }
    }
  }
}

// Each input bit flips each output bit with a chance of one half, the high ones as the low ones.
TEST_P(KeyHasherTest, FlipsEachOutputBitForHalfOfInputs) {
  constexpr int kSamples = 1000;
  constexpr std::uint64_t kSeed = 7;
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  std::mt19937_64 engine(kSeed);
  const KeyHasher hasher = MakeHasher(kSeed);
  for (const std::size_t size : {1u, 3u, 4u, 7u, 8u, 16u, 17u, 32u, 33u, 64u, 65u, 130u}) {
    for (int trial = 0; trial < 2; ++trial) {
      const std::size_t bit = engine() % (size * 8);
      int flips[64] = {};
      for (int sample = 0; sample < kSamples; ++sample) {
        std::string key(size, '\0');
        for (char& c : key) c = static_cast<char>(engine() & 0xff);
        std::string other = key;
        other[bit / 8] = static_cast<char>(other[bit / 8] ^ 1 << bit % 8);
        const std::uint64_t difference = hasher(key) ^ hasher(other);
        for (int i = 0; i < 64; ++i) flips[i] += static_cast<int>(difference >> i & 1);
      }
      // One byte has only 256 inputs, so its samples repeat.
      const double deviations = size == 1 ? 24 : 6;
      const double slack = deviations * std::sqrt(kSamples) / 2;
      for (int i = 0; i < 64; ++i) {
        EXPECT_NEAR(flips[i], kSamples / 2, slack)
            << "size " << size << " in " << bit << " out " << i;
      }
    }
  }
}

TEST_P(KeyHasherTest, SequentialKeysFillBucketsEvenlyByHighAndByLowBits) {
  constexpr std::size_t kKeys = 50'000;
  constexpr std::size_t kBuckets = 1024;
  const KeyHasher hasher = MakeHasher(3);
  for (const char* prefix : {"", "key:", "user:session:0000000000000000000000:"}) {
    std::vector<std::uint64_t> hashes;
    std::vector<double> high(kBuckets), low(kBuckets);
    for (std::size_t i = 0; i < kKeys; ++i) {
      hashes.push_back(hasher(prefix + std::to_string(i)));
      high[hashes.back() >> 54] += 1;
      low[hashes.back() % kBuckets] += 1;
    }
    std::sort(hashes.begin(), hashes.end());
    EXPECT_EQ(std::adjacent_find(hashes.begin(), hashes.end()), hashes.end()) << prefix;
    constexpr double kExpected = static_cast<double>(kKeys) / kBuckets;
    for (const auto& counts : {high, low}) {
      double chi_square = 0;
      for (const double count : counts) {
        chi_square += (count - kExpected) * (count - kExpected) / kExpected;
      }
      // 1023 degrees of freedom: mean 1023, deviation 45.
      EXPECT_NEAR(chi_square, 1023, 6 * 45) << prefix;
    }
  }
}

// Who has a secret of his own can choose keys for one bucket of his table; ours has them anywhere.
TEST_P(KeyHasherTest, KeysChosenUnderAnotherSecretFillBucketsEvenly) {
  const KeyHasher theirs = MakeHasher(1), ours = MakeHasher(2);
  constexpr std::size_t kBuckets = 256;
  std::vector<double> counts(kBuckets);
  double chosen = 0;
  for (std::uint64_t i = 0; i < 2'000'000; ++i) {
    const std::string key = "user:" + std::to_string(i);
    if (theirs(key) >> 56 != 0) continue;
    ++counts[ours(key) >> 56];
    ++chosen;
  }
  const double expected = chosen / kBuckets;
  ASSERT_GT(expected, 25);
  double chi_square = 0;
  for (const double count : counts)
    chi_square += (count - expected) * (count - expected) / expected;
  // 255 degrees of freedom: mean 255, standard deviation 22.6.
  EXPECT_LT(chi_square, 255 + 6 * 22.6);
}

TEST(KeyHasher, TakesTheBestKind) {
  const KeyHasher hasher(SecretOf(1));
  EXPECT_EQ(hasher.kind() == KeyHasher::Kind::kAes, KeyHasher::CpuHasAes());
}

// hash(bytes) of CPython 3.11, whose algorithm this is, with PYTHONHASHSEED=0: a key of zeros.
TEST(SipHash13, GivesKnownVectors) {
  const std::byte key[16] = {};
  EXPECT_EQ(SipHash13(key, "a"), 0x407448d2b89b1813u);
  EXPECT_EQ(SipHash13(key, "12345678"), 0x3489982430560a87u);
  EXPECT_EQ(SipHash13(key, "0123456789abcdef"), 0x1d42b30f7e060c24u);
  EXPECT_EQ(SipHash13(key, "The quick brown fox jumps over the lazy dog"), 0x8df676d3d00c451eu);
}

}  // namespace
}  // namespace aeris::storage
