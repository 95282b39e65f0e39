#include "storage/blob.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>

namespace aeris::storage {
namespace {

TEST(BlobStore, CreatesTextFollowedByZeros) {
  BlobStore blobs;
  const Blob* const blob = blobs.Create("abc", 5000);
  EXPECT_EQ(blob->text(), "abc" + std::string(4997, '\0'));
  EXPECT_EQ(blobs.count(), 1u);
  EXPECT_GE(blobs.bytes(), 5000u);
  blobs.CheckInvariants();
}

TEST(BlobStore, AssignsInPlaceOnlyWhatSuits) {
  BlobStore blobs;
  Blob* const blob = blobs.Create(std::string(4000, 'a'), 4000);
  EXPECT_TRUE(blobs.Assign(blob, std::string(3900, 'b')));
  EXPECT_EQ(blob->text(), std::string(3900, 'b'));
  EXPECT_TRUE(blobs.Assign(blob, blob->text().substr(100)));  // from inside itself
  EXPECT_EQ(blob->text(), std::string(3800, 'b'));
  EXPECT_FALSE(blobs.Assign(blob, std::string(4001, 'c')));
  EXPECT_FALSE(blobs.Assign(blob, std::string(2000, 'c')));  // would waste half
  EXPECT_EQ(blob->text(), std::string(3800, 'b'));
}

TEST(BlobStore, NeverChangesWhatAReplyHolds) {
  BlobStore blobs;
  Blob* blob = blobs.Create(std::string(4000, 'a'), 4000);
  const BlobRef reply(blob);
  EXPECT_FALSE(blobs.Assign(blob, std::string(4000, 'b')));
  blob = blobs.Resize(blob, 4001);
  BlobStore::Bytes(blob)[0] = 'z';
  EXPECT_EQ(reply.text(), std::string(4000, 'a'));
  EXPECT_EQ(blob->text(), "z" + std::string(3999, 'a') + '\0');
  EXPECT_EQ(blobs.count(), 1u);
  blobs.Free(blob);
  EXPECT_EQ(blobs.bytes(), 0u);
  EXPECT_EQ(reply.text(), std::string(4000, 'a'));
}

TEST(LooseBlob, StaysWhereTheStoreMayTakeNoMore) {
  BlobStore store(10'000);
  LooseBlob loose;
  ASSERT_NE(loose.Grow(20'000), nullptr);
  EXPECT_EQ(store.Adopt(loose, 20'000), nullptr);
  EXPECT_EQ(store.count(), 0U);
}

TEST(LooseBlob, BecomesABlobWhereItStands) {
  BlobStore store;
  LooseBlob loose;
  char* bytes = loose.Grow(4);
  ASSERT_NE(bytes, nullptr);
  std::memcpy(bytes, "abcd", 4);
  bytes = loose.Grow(100'000);
  EXPECT_EQ(std::string_view(bytes, 4), "abcd");
  std::memcpy(bytes + 4, "ef", 2);
  Blob* const blob = store.Adopt(loose, 6);
  EXPECT_EQ(blob->text(), "abcdef");
  EXPECT_EQ(blob->text().data(), bytes);
  EXPECT_EQ(blob->capacity(), 100'000U);
  store.CheckInvariants();
  store.Loosen(blob, loose);
  EXPECT_EQ(store.bytes(), 0U);
  ASSERT_EQ(store.Adopt(loose, 6), blob);
  EXPECT_NE(loose.Grow(10), nullptr);  // empty again; freed without ever belonging to a store
}

TEST(BlobStore, GrowsWithSlackSoThatAppendIsAmortised) {
  BlobStore blobs;
  Blob* blob = blobs.Create("", 2000);
  std::size_t moves = 0;
  for (std::size_t size = 2001; size < 300'000; size += 100) {
    const std::size_t capacity = blob->capacity();
    blob = blobs.Resize(blob, size);
    moves += blob->capacity() != capacity;
    ASSERT_EQ(blob->size(), size);
  }
  EXPECT_LE(moves, 8u);  // log2(300,000 / 2,000) and one
  blob = blobs.Resize(blob, 3 << 20);
  EXPECT_EQ(blob->capacity(), std::size_t{4} << 20);
  blobs.CheckInvariants();
}

TEST(BlobStore, GivesMemoryBackAfterDeepCut) {
  BlobStore blobs;
  Blob* blob = blobs.Create(std::string(1 << 20, 'x'), 1 << 20);
  blob = blobs.Resize(blob, 3000);
  EXPECT_EQ(blob->text(), std::string(3000, 'x'));
  EXPECT_LT(blobs.bytes(), 10'000u);
  blob = blobs.Resize(blob, 4000);
  EXPECT_EQ(blob->text(), std::string(3000, 'x') + std::string(1000, '\0'));
}

TEST(BlobStore, ResizesLikeStringUnderRandomUse) {
  constexpr std::uint64_t kSeed = 11;
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  std::mt19937_64 engine(kSeed);
  BlobStore blobs;
  Blob* blob = blobs.Create("", 100);
  std::string model(100, '\0');
  for (int step = 0; step < 2000; ++step) {
    const std::size_t size = engine() % (engine() % 8 == 0 ? 200'000 : 5'000);
    blob = blobs.Resize(blob, size);
    model.resize(size);
    if (size > 0) {
      const std::size_t at = engine() % size;
      BlobStore::Bytes(blob)[at] = model[at] = static_cast<char>(engine() & 0xff);
    }
    ASSERT_EQ(blob->text(), model);
    blobs.CheckInvariants();
  }
}

}  // namespace
}  // namespace aeris::storage
