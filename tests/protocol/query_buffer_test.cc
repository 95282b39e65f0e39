#include "protocol/query_buffer.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "protocol/limits.h"
#include "src/base/random.h"

namespace aeris::protocol {
namespace {

constexpr std::size_t kBlock = BufferPool::kBlockBytes;

void Put(QueryBuffer& buffer, std::string_view bytes, std::uint64_t bytes_expected = 0) {
  while (!bytes.empty()) {
    const std::span<char> room = buffer.Reserve(1, bytes_expected);
    const std::size_t size = std::min(room.size(), bytes.size());
    std::memcpy(room.data(), bytes.data(), size);
    buffer.Commit(size);
    bytes.remove_prefix(size);
    bytes_expected -= std::min<std::uint64_t>(bytes_expected, size);
  }
}

TEST(QueryBuffer, HoldsNoBlockUntilBytesCome) {
  BufferPool pool;
  QueryBuffer buffer(pool);
  EXPECT_EQ(buffer.capacity(), 0U);
  EXPECT_TRUE(buffer.bytes().empty());
  EXPECT_EQ(buffer.Reserve(1).size(), kBlock);
  EXPECT_EQ(pool.blocks_used(), 1U);
}

TEST(QueryBuffer, GivesTheBlockBackWhenEmpty) {
  BufferPool pool;
  QueryBuffer buffer(pool);
  Put(buffer, "PING\r\n");
  buffer.Consume(3);
  buffer.ReleaseIfEmpty();
  EXPECT_EQ(buffer.bytes(), "G\r\n");
  buffer.Consume(3);
  buffer.ReleaseIfEmpty();
  EXPECT_EQ(buffer.capacity(), 0U);
  EXPECT_EQ(pool.blocks_used(), 0U);
}

// The arguments of a batch point into the buffer while later requests are consumed.
TEST(QueryBuffer, ConsumeMovesNothing) {
  BufferPool pool;
  QueryBuffer buffer(pool);
  Put(buffer, "first second");
  const std::string_view first = buffer.bytes().substr(0, 5);
  buffer.Consume(6);
  buffer.Consume(6);
  EXPECT_EQ(first, "first");
}

TEST(QueryBuffer, KeepsTheUnparsedTailWhenItMakesRoom) {
  BufferPool pool;
  QueryBuffer buffer(pool);
  Put(buffer, std::string(kBlock - 3, 'x') + "abc");
  buffer.Consume(kBlock - 3);
  EXPECT_EQ(buffer.Reserve(1).size(), kBlock - 3);
  EXPECT_EQ(buffer.bytes(), "abc");
  EXPECT_EQ(buffer.capacity(), kBlock);
}

TEST(QueryBuffer, GrowsToAtMostTwiceWhatHasArrived) {
  BufferPool pool;
  QueryBuffer buffer(pool);
  constexpr std::uint64_t kPromised = std::uint64_t{512} * 1024 * 1024;
  EXPECT_EQ(buffer.Reserve(kBlock, kPromised).size(), kBlock);
  std::size_t arrived = 0;
  for (int i = 0; i < 2000; ++i) {
    const std::span<char> room = buffer.Reserve(kBlock, kPromised - arrived);
    const std::size_t size = std::min<std::size_t>(room.size(), 1000);
    std::memset(room.data(), 'v', size);
    buffer.Commit(size);
    arrived += size;
    ASSERT_LE(buffer.capacity(), std::max(2 * arrived, arrived + kBlock));
  }
}

TEST(QueryBuffer, GrowsToTheEndOfABigArgumentAndNotBeyond) {
  BufferPool pool;
  QueryBuffer buffer(pool);
  const std::string argument(100000, 'v');
  Put(buffer, argument, argument.size());
  EXPECT_EQ(buffer.bytes(), argument);
  EXPECT_EQ(buffer.capacity(), argument.size());
  buffer.Consume(argument.size());
  buffer.ReleaseIfEmpty();
  EXPECT_EQ(buffer.capacity(), 0U);
}

TEST(QueryBuffer, ShrinksWhenItIsMuchBiggerThanItsBytes) {
  BufferPool pool;
  QueryBuffer buffer(pool);
  Put(buffer, std::string(200000, 'v') + "tail");
  buffer.Shrink();
  EXPECT_GT(buffer.capacity(), 200000U);
  buffer.Consume(200000);
  buffer.Shrink();
  EXPECT_EQ(buffer.capacity(), kBlock);
  EXPECT_EQ(buffer.bytes(), "tail");
}

TEST(QueryBuffer, AgreesWithAStringUnderRandomUse) {
  constexpr std::uint64_t kSeed = 4711;
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  Random random(kSeed);
  BufferPool pool(4);
  {
    QueryBuffer buffer(pool);
    std::string model;
    for (int i = 0; i < 20000; ++i) {
      switch (random.Below(8)) {
        case 0:
        case 1:
        case 2: {
          const std::size_t size = 1 + random.Below(random.Below(10) == 0 ? 60000 : 3000);
          const std::uint64_t expected = random.Below(3) == 0 ? random.Below(200000) : 0;
          const std::span<char> room = buffer.Reserve(size, expected);
          if (expected == 0) {
            ASSERT_GE(room.size(), size);
          }
          ASSERT_GE(room.size(), 1U);
          const std::size_t filled = 1 + random.Below(std::min(room.size(), size));
          for (std::size_t k = 0; k < filled; ++k) room[k] = static_cast<char>(random.Next());
          model.append(room.data(), filled);
          buffer.Commit(filled);
          break;
        }
        case 3:
        case 4:
        case 5: {
          const std::size_t size =
              random.Below(4) == 0 ? model.size() : random.Below(model.size() + 1);
          buffer.Consume(size);
          model.erase(0, size);
          break;
        }
        case 6:
          buffer.ReleaseIfEmpty();
          break;
        default:
          buffer.Shrink();
          break;
      }
      ASSERT_EQ(buffer.bytes(), model);
      ASSERT_LE(buffer.size() + buffer.bytes_free(), buffer.capacity());
    }
  }
  EXPECT_EQ(pool.blocks_used(), 0U);
}

TEST(BufferPool, KeepsNoMoreFreeBlocksThanItsBound) {
  BufferPool pool(2);
  char* blocks[] = {pool.Take(), pool.Take(), pool.Take()};
  EXPECT_EQ(pool.blocks_used(), 3U);
  EXPECT_EQ(pool.memory(), 3 * kBlock);
  for (char* block : blocks) {
    std::memset(block, 'x', kBlock);
    pool.Give(block);
  }
  EXPECT_EQ(pool.blocks_used(), 0U);
  EXPECT_EQ(pool.blocks_free(), 2U);
}

TEST(BufferPool, GivesBackWhatNobodyNeedsAnyMore) {
  BufferPool pool;
  std::vector<char*> burst;
  for (int i = 0; i < 10; ++i) burst.push_back(pool.Take());
  pool.Shrink();
  for (char* block : burst) pool.Give(block);
  pool.Shrink();  // all ten were in use at some time since the last one
  EXPECT_EQ(pool.blocks_free(), 10U);
  for (int period = 0; period < 8; ++period) {
    char* const first = pool.Take();
    char* const second = pool.Take();
    pool.Give(second);
    pool.Give(first);
    pool.Shrink();
  }
  EXPECT_EQ(pool.blocks_free(), 2U);
  for (int period = 0; period < 3; ++period) pool.Shrink();
  EXPECT_EQ(pool.memory(), 0U);
}

TEST(BufferPool, HandsOutWhatCameBackLast) {
  BufferPool pool;
  char* block = pool.Take();
  pool.Give(block);
  EXPECT_EQ(pool.Take(), block);
  pool.Give(block);
}

}  // namespace
}  // namespace aeris::protocol
