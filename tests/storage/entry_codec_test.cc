#include "storage/entry_codec.h"

#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace aeris::storage {
namespace {

using entry_layout::Kind;

constexpr UnixMs kInside = 1'700'000'000'123;
constexpr UnixMs kBase = kInside - 1'000'000'123;  // of deadlines in 4 bytes
constexpr UnixMs kDeadlines[] = {kNoDeadline,
                                 kInside,
                                 kBase,
                                 kBase - 1,
                                 kBase + entry_layout::kNearDeadlineSpan - 1,
                                 kBase + entry_layout::kNearDeadlineSpan,
                                 entry_layout::kFarDeadlineEpoch,
                                 entry_layout::kFarDeadlineEpoch - 1,
                                 entry_layout::kFarDeadlineEnd - 1,
                                 entry_layout::kFarDeadlineEnd,
                                 0,
                                 -2,
                                 std::numeric_limits<UnixMs>::max(),
                                 std::numeric_limits<UnixMs>::min()};

// The entry in a heap block of exactly its size, so that AddressSanitizer sees a write or a read
// outside.
class Stored {
 public:
  explicit Stored(const EntrySpec& spec) {
    const EntryForm form(spec, kBase);
    size_ = form.size();
    bytes_ = std::make_unique<std::byte[]>(size_);
    form.Write(spec, bytes_.get());
  }
  EntryView view(UnixMs base = kBase) const { return EntryView(bytes_.get(), base); }
  std::byte* bytes() const { return bytes_.get(); }
  std::size_t size() const { return size_; }

 private:
  std::size_t size_ = 0;
  std::unique_ptr<std::byte[]> bytes_;
};

std::string Pattern(std::size_t size, char seed) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i)
    text[i] = static_cast<char>(seed + static_cast<char>(i % 61));
  return text;
}

TEST(EntryCodec, GivesBackTextOfEveryFormWithEveryDeadline) {
  for (const std::size_t key_size : {0u, 1u, 16u, 64u, 65u, 255u, 256u, 2048u}) {
    for (const std::size_t size : {0u, 1u, 44u, 45u, 128u, 129u, 255u, 256u, 2048u, 4096u}) {
      for (const UnixMs deadline : kDeadlines) {
        const std::string key = Pattern(key_size, 'k');
        const std::string text = Pattern(size, 'v');
        const Stored entry(
            {.key = key, .deadline = deadline, .access_clock = 0xbeef, .text = text});
        SCOPED_TRACE(testing::Message() << key_size << " " << size << " " << deadline);
        ASSERT_EQ(entry.view().key(), key);
        ASSERT_EQ(entry.view().text(), text);
        ASSERT_EQ(entry.view().text_size(), size);
        ASSERT_EQ(entry.view().deadline(), deadline);
        ASSERT_EQ(entry.view().access_clock(), 0xbeef);
        ASSERT_FALSE(entry.view().is_integer());
        ASSERT_EQ(entry.view().encoding(), size <= 44 ? Encoding::kEmbstr : Encoding::kRaw);
        ASSERT_LE(entry.size(), key_size + size + kEntryHeadMax);
      }
    }
  }
}

TEST(EntryCodec, TakesFourBytesBesideSmallKeyAndValue) {
  const std::string key(16, 'k'), value(32, 'v');
  EXPECT_EQ(Stored({.key = key, .text = value}).size(), 4u + 48u);
  EXPECT_EQ(Stored({.key = key, .deadline = kInside, .text = value}).size(), 8u + 48u);
  EXPECT_EQ(Stored({.key = key, .kind = Kind::kInteger, .integer = 100}).size(), 4u + 16u + 1u);
}

TEST(EntryCodec, TakesFourBytesBesideTheLargestShortKeyAndValue) {
  const std::string key(64, 'k'), value(128, 'v');
  EXPECT_EQ(Stored({.key = key, .text = value}).size(), 4u + 192u);
  EXPECT_EQ(Stored({.key = key, .deadline = kInside, .text = value}).size(), 8u + 192u);
  EXPECT_EQ(Stored({.key = key + 'k', .text = value}).size(), 6u + 193u);
  EXPECT_EQ(Stored({.key = key, .text = value + 'v'}).size(), 6u + 193u);
  EXPECT_EQ(Stored({.key = "", .text = "v"}).size(), 6u + 1u);
  EXPECT_EQ(Stored({.key = "k", .text = ""}).size(), 6u + 1u);
}

TEST(EntryCodec, TakesFewestBytesForDeadlines) {
  constexpr UnixMs kSpan = entry_layout::kNearDeadlineSpan;
  EXPECT_EQ(DeadlineBytes(kNoDeadline, kBase), 0u);
  EXPECT_EQ(DeadlineBytes(kBase, kBase), 4u);
  EXPECT_EQ(DeadlineBytes(kBase + kSpan - 1, kBase), 4u);
  EXPECT_EQ(DeadlineBytes(kBase - 1, kBase), 5u);
  EXPECT_EQ(DeadlineBytes(kBase + kSpan, kBase), 5u);
  EXPECT_EQ(DeadlineBytes(entry_layout::kFarDeadlineEpoch, kBase), 5u);
  EXPECT_EQ(DeadlineBytes(entry_layout::kFarDeadlineEpoch - 1, kBase), 8u);
  EXPECT_EQ(DeadlineBytes(entry_layout::kFarDeadlineEnd - 1, kBase), 5u);
  EXPECT_EQ(DeadlineBytes(entry_layout::kFarDeadlineEnd, kBase), 8u);
  EXPECT_EQ(DeadlineBytes(std::numeric_limits<UnixMs>::min(), kBase), 8u);
  EXPECT_EQ(DeadlineBytes(std::numeric_limits<UnixMs>::max(), kBase), 8u);
  EXPECT_EQ(DeadlineBytes(kSpan - 1, 0), 4u);
}

// The base may go up to the deadline itself, whatever its low 32 bits are.
TEST(EntryCodec, NearDeadlinesMeanTheSameUnderEveryBaseBeforeThem) {
  constexpr UnixMs kSpan = entry_layout::kNearDeadlineSpan;
  for (const UnixMs offset : {UnixMs{0}, UnixMs{1}, kSpan / 2, kSpan - 2, kSpan - 1}) {
    for (const UnixMs deadline : {kBase + offset, (kBase + offset) / kSpan * kSpan + kSpan}) {
      if (DeadlineBytes(deadline, kBase) != 4) continue;
      const Stored entry({.key = "key", .deadline = deadline, .text = "v"});
      for (const UnixMs base : {kBase, kBase + 1, kBase + kSpan / 2, deadline - 1, deadline}) {
        if (base > deadline) continue;
        ASSERT_EQ(entry.view(base).deadline(), deadline) << offset << " " << base;
      }
      // Beyond it is another time: that is what the floor of the sweeps is for.
      ASSERT_EQ(entry.view(deadline + 1).deadline(), deadline + kSpan);
    }
  }
}

TEST(EntryCodec, GivesBackIntegersInFewestBytes) {
  using Limits = std::numeric_limits<std::int64_t>;
  const std::pair<std::int64_t, std::uint32_t> cases[] = {
      {0, 1},           {127, 1},           {-128, 1},         {128, 2},        {-129, 2},
      {32767, 2},       {32768, 4},         {-32769, 4},       {2147483647, 4}, {2147483648, 8},
      {-2147483648, 4}, {Limits::max(), 8}, {Limits::min(), 8}};
  for (const auto& [integer, bytes] : cases) {
    for (const std::size_t key_size : {3u, 70u}) {
      const std::string key = Pattern(key_size, 'k');
      const Stored entry(
          {.key = key, .deadline = kInside, .kind = Kind::kInteger, .integer = integer});
      EXPECT_EQ(IntegerBytes(integer), bytes);
      EXPECT_TRUE(entry.view().is_integer());
      EXPECT_EQ(entry.view().integer(), integer);
      EXPECT_EQ(entry.view().encoding(), Encoding::kInt);
      IntegerText scratch;
      EXPECT_EQ(entry.view().Text(scratch), std::to_string(integer));
      EXPECT_EQ(entry.view().text_size(), std::to_string(integer).size());
      EXPECT_EQ(entry.view().key(), key);
      EXPECT_EQ(entry.view().deadline(), kInside);
    }
  }
}

TEST(EntryCodec, GrownTextIsRawAtAnySizeAndEndsInZeros) {
  for (const std::size_t zeros : {0u, 1u, 44u, 100u, 2000u}) {
    const Stored entry({.key = "key", .grown = true, .text = "abc", .zero_bytes = zeros});
    EXPECT_EQ(entry.view().encoding(), Encoding::kRaw);
    EXPECT_EQ(entry.view().text(), "abc" + std::string(zeros, '\0'));
  }
}

TEST(EntryCodec, PointsAtBlobsOfKeyAndValue) {
  BlobStore blobs;
  const std::string key = Pattern(5000, 'k'), value = Pattern(3000, 'v');
  Blob* const key_blob = blobs.Create(key, key.size());
  Blob* const value_blob = blobs.Create(value, value.size());
  const Stored both({.key = key, .key_blob = key_blob, .kind = Kind::kBlob, .blob = value_blob});
  EXPECT_EQ(both.view().key(), key);
  EXPECT_EQ(both.view().text(), value);
  EXPECT_EQ(both.view().encoding(), Encoding::kRaw);
  EXPECT_EQ(KeyBlob(both.bytes()), key_blob);
  EXPECT_EQ(ValueBlob(both.bytes()), value_blob);
  const Stored inline_value({.key = key, .key_blob = key_blob, .deadline = -2, .text = "v"});
  EXPECT_EQ(inline_value.view().key(), key);
  EXPECT_EQ(inline_value.view().text(), "v");
  EXPECT_EQ(inline_value.view().deadline(), -2);
}

TEST(EntryCodec, SpecOfEntryStoresSameBytesAgain) {
  BlobStore blobs;
  Blob* const blob = blobs.Create("x", 5000);
  const std::string key = Pattern(300, 'k');
  const EntrySpec specs[] = {
      {.key = "a", .deadline = kInside, .access_clock = 7, .text = "value"},
      {.key = "a", .grown = true, .text = "value"},
      {.key = key, .deadline = -2, .kind = Kind::kInteger, .integer = -5},
      {.key = key, .access_clock = 9, .kind = Kind::kBlob, .blob = blob},
  };
  for (const EntrySpec& spec : specs) {
    const Stored entry(spec);
    const Stored again(SpecOf(entry.view()));
    ASSERT_EQ(std::vector(entry.bytes(), entry.bytes() + entry.size()),
              std::vector(again.bytes(), again.bytes() + again.size()));
  }
}

TEST(EntryCodec, ChangesInPlaceWhatKeepsItsSize) {
  const Stored entry({.key = "counter", .deadline = kInside, .kind = Kind::kInteger, .integer = 1});
  StoreInteger(entry.bytes(), -100);
  StoreDeadline(entry.bytes(), kInside + 1);
  StoreAccessClock(entry.bytes(), 0x1234);
  EXPECT_EQ(entry.view().key(), "counter");
  EXPECT_EQ(entry.view().integer(), -100);
  EXPECT_EQ(entry.view().deadline(), kInside + 1);
  EXPECT_EQ(entry.view().access_clock(), 0x1234);
}

TEST(EntryView, ExpiresAfterItsDeadlineNotAtIt) {
  const Stored entry({.key = "key", .deadline = kInside, .text = "v"});
  EXPECT_FALSE(entry.view().expired(kInside));
  EXPECT_TRUE(entry.view().expired(kInside + 1));
  EXPECT_FALSE(Stored({.key = "key", .text = "v"}).view().expired(kInside));
}

TEST(PinnedText, IsThereForBlobsOnlyAndOutlivesTheStore) {
  BlobRef pinned;
  EXPECT_FALSE(PinnedText(Stored({.key = "key", .text = "v"}).view()));
  {
    BlobStore blobs;
    Blob* const blob = blobs.Create(std::string(5000, 'x'), 5000);
    pinned = PinnedText(Stored({.key = "key", .kind = Kind::kBlob, .blob = blob}).view());
    EXPECT_TRUE(blob->shared());
  }
  EXPECT_EQ(pinned.text(), std::string(5000, 'x'));
}

}  // namespace
}  // namespace aeris::storage
