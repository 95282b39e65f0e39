#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "tools/cache_simulator/footprint.h"
#include "tools/cache_simulator/ghost_list.h"
#include "tools/cache_simulator/policy.h"
#include "tools/load_generator/key_sequence.h"

namespace aeris::cachesim {
namespace {

constexpr std::size_t kKeys = 10'000;

CacheShape Shape(std::size_t limit_bytes, std::size_t value_bytes = 64) {
  return {.value_bytes = std::vector<std::uint16_t>(kKeys, static_cast<std::uint16_t>(value_bytes)),
          .limit_bytes = limit_bytes};
}

std::unique_ptr<Policy> Make(std::string_view text, const CacheShape& shape) {
  auto policy = MakePolicy(text, shape);
  EXPECT_TRUE(policy.has_value()) << text;
  return std::move(*policy);
}

TEST(Footprint, RoundsAsJemallocDoes) {
  for (const auto& [bytes, held] : std::vector<std::pair<std::size_t, std::size_t>>{{1, 8},
                                                                                    {8, 8},
                                                                                    {9, 16},
                                                                                    {17, 32},
                                                                                    {128, 128},
                                                                                    {129, 160},
                                                                                    {160, 160},
                                                                                    {256, 256},
                                                                                    {257, 320},
                                                                                    {1024, 1024},
                                                                                    {1025, 1280},
                                                                                    {4096, 4096},
                                                                                    {4097, 5120}}) {
    EXPECT_EQ(JemallocBytes(bytes), held) << bytes;
  }
}

TEST(Footprint, IsWhatServersWereMeasuredToTake) {
  EXPECT_NEAR(static_cast<double>(RedisBytes(16, 32)), 16 + 32 + 93, 8);
  EXPECT_NEAR(static_cast<double>(AerisBytes(16, 32)), 16 + 32 + 14, 2);
}

TEST(CachePolicy, RefusesWhatItDoesNotKnow) {
  const CacheShape shape = Shape(100'000);
  for (const char* text :
       {"", "arc", "lru,clock=1", "s3fifo,small", "s3fifo,small=x", "s3fifo,small=-1",
        "s3fifo,speed=1", "s3fifo,max=64", "s3fifo,bits=0", "s3fifo,bits=17", "s3fifo,size=huge",
        "s3fifo,order=lifo", "redis-lru,clock=-1", "s3fifo,small=5,,max=1"}) {
    EXPECT_FALSE(MakePolicy(text, shape).has_value()) << text;
  }
}

TEST(CachePolicy, HoldsWhatTheLimitAllows) {
  for (const char* text :
       {"lru", "redis-lru", "redis-lru,clock=0", "redis-lfu", "s3fifo", "s3fifo,order=fifo",
        "s3fifo,size=both,small=5,promote=2,start=keep", "s3fifo,ghosts=0",
        "s3fifo,size=main,unit=200,weigh=bytes", "s3fifo,decay=half,max=7,ghost=all,back=1"}) {
    SCOPED_TRACE(text);
    constexpr std::size_t kLimit = 100'000;
    const CacheShape shape = Shape(kLimit);
    const auto policy = Make(text, shape);
    const bool ours = std::string_view(text).starts_with("s3fifo");
    const std::size_t entry = ours ? AerisBytes(16, 64) : RedisBytes(16, 64);
    std::vector<Position> held;
    for (Position key = 0; key < kKeys; ++key) {
      EXPECT_FALSE(policy->Get(key));
      policy->Insert(key);
      EXPECT_LE(policy->keys() * entry, kLimit);
      policy->Get(key / 2);
      if (key / 2 * 2 == key && !policy->Get(key / 3)) policy->Insert(key / 3);
    }
    for (Position key = 0; key < kKeys; ++key) {
      if (policy->Get(key)) held.push_back(key);
    }
    EXPECT_EQ(held.size(), policy->keys());
    // Ghosts take their share of the memory.
    EXPECT_GE(static_cast<double>(policy->keys() * entry), 0.9 * kLimit);
  }
}

TEST(CachePolicy, LruForgetsWhatWasUsedLeastRecently) {
  const CacheShape shape = Shape(3 * RedisBytes(16, 64));
  const auto policy = Make("lru", shape);
  for (const Position key : {1U, 2U, 3U}) policy->Insert(key);
  EXPECT_TRUE(policy->Get(1));
  policy->Insert(4);
  EXPECT_FALSE(policy->Get(2));
  for (const Position key : {3U, 1U, 4U}) EXPECT_TRUE(policy->Get(key));
}

TEST(CachePolicy, S3fifoKeepsWhatIsUsedWhileAScanPasses) {
  for (const char* text : {"s3fifo,start=1", "s3fifo,order=fifo", "s3fifo,size=both,start=1"}) {
    const CacheShape shape = Shape(200 * AerisBytes(16, 64));
    const auto policy = Make(text, shape);
    for (Position key = 0; key < 100; ++key) {
      policy->Insert(key);
      policy->Get(key);
    }
    for (Position key = 200; key < kKeys; ++key) policy->Insert(key);
    std::size_t kept = 0;
    for (Position key = 0; key < 100; ++key) kept += policy->Get(key) ? 1U : 0U;
    EXPECT_EQ(kept, 100U) << text;
  }
}

TEST(CachePolicy, S3fifoTakesBackWhatLeftLately) {
  // With no hit in the small queue, only a ghost leads to the main part.
  for (const auto& [ghosts, kept_min, kept_max] :
       std::vector<std::tuple<std::string, std::size_t, std::size_t>>{{"100", 90, 100},
                                                                      {"0", 0, 0}}) {
    const CacheShape shape = Shape(1000 * AerisBytes(16, 64));
    const auto policy = Make("s3fifo,start=1,back=1,ghosts=" + ghosts, shape);
    for (Position key = 0; key < 1200; ++key) policy->Insert(key);
    for (Position key = 0; key < 100; ++key) {
      if (!policy->Get(key)) policy->Insert(key);
    }
    for (Position key = 2000; key < kKeys; ++key) policy->Insert(key);
    std::size_t kept = 0;
    for (Position key = 0; key < 100; ++key) kept += policy->Get(key) ? 1U : 0U;
    EXPECT_GE(kept, kept_min);
    EXPECT_LE(kept, kept_max);
  }
}

TEST(CachePolicy, SizeRulesKeepMoreSmallOnes) {
  CacheShape shape = Shape(1'000'000);
  for (std::size_t key = 0; key < kKeys; key += 2) shape.value_bytes[key] = 2000;
  std::size_t small_without_rule = 0;
  for (const char* text : {"s3fifo,start=1", "s3fifo,start=1,size=both"}) {
    const auto policy = Make(text, shape);
    load::Xoshiro random(1);
    for (int i = 0; i < 200'000; ++i) {
      const auto key = static_cast<Position>(random.Below(kKeys));
      if (!policy->Get(key)) policy->Insert(key);
    }
    std::size_t small = 0;
    for (Position key = 1; key < kKeys; key += 2) small += policy->Get(key) ? 1U : 0U;
    if (small_without_rule == 0) {
      small_without_rule = small;
    } else {
      EXPECT_GT(small, small_without_rule + small_without_rule / 4);
    }
  }
}

TEST(GhostList, KnowsEachOnceAndForgetsTheOldest) {
  GhostList ghosts;
  ghosts.Resize(GhostList::kWays, 16);
  for (std::uint64_t key = 1; key <= GhostList::kWays + 1; ++key) ghosts.Add(key);
  EXPECT_FALSE(ghosts.Take(1));
  for (std::uint64_t key = 2; key <= GhostList::kWays + 1; ++key) {
    EXPECT_TRUE(ghosts.Take(key)) << key;
    EXPECT_FALSE(ghosts.Take(key)) << key;
  }
  ghosts.Resize(0, 16);
  ghosts.Add(1);
  EXPECT_FALSE(ghosts.Take(1));
}

TEST(GhostList, MistakesFewKeysForThoseItHolds) {
  for (const auto& [bits, share_max] : {std::pair{16U, 0.001}, std::pair{8U, 0.05}}) {
    GhostList ghosts;
    ghosts.Resize(8000, bits);
    for (std::uint64_t key = 0; key < 8000; ++key) ghosts.Add(key);
    double mistaken = 0;
    for (std::uint64_t key = 100'000; key < 200'000; ++key) mistaken += ghosts.Take(key) ? 1 : 0;
    EXPECT_LT(mistaken / 100'000, share_max) << bits;
  }
}

}  // namespace
}  // namespace aeris::cachesim
