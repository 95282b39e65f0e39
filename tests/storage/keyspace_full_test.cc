// A keyspace at the end of its memory: what does not fit is refused and changes nothing, and room
// that is made can be used again.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

#include "storage/keyspace.h"
#include "tests/storage/keyspace_fixture.h"

namespace aeris::storage {
namespace {

using testing::FillArena;
using testing::kNow;
using testing::Pattern;
using testing::Shared;
using testing::TextAt;

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr UnixMs kLater = kNow + 1'000'000;

struct Limited {
  explicit Limited(const KeyspaceLimits& limits) { shared.context.limits = limits; }
  Shared shared;
  Keyspace keyspace{shared.context};

  HashedKey Hash(std::string_view key) const { return keyspace.Hash(key); }
  StoreResult Set(std::string_view key, std::string_view value, UnixMs deadline = kNoDeadline) {
    return keyspace.SetString(Hash(key), value, kNow, {.deadline = deadline});
  }
};

// All that a client can see.
using Content = std::map<std::string, std::pair<std::string, UnixMs>>;
Content ContentOf(Keyspace& keyspace) {
  Content content;
  std::uint64_t cursor = 0;
  do {
    cursor = keyspace.Scan(cursor, 100, kNow, [&](EntryView entry) {
      IntegerText scratch;
      content[std::string(entry.key())] = {std::string(entry.Text(scratch)), entry.deadline()};
    });
  } while (cursor != 0);
  return content;
}

class FullArena : public ::testing::Test {
 protected:
  FullArena() {
    EXPECT_EQ(limited_.Set("text", Pattern(40, 1)), StoreResult::kStored);
    EXPECT_EQ(limited_.Set("integer", "1"), StoreResult::kStored);
    EXPECT_EQ(limited_.Set("due", Pattern(40, 2), kLater), StoreResult::kStored);
    EXPECT_EQ(limited_.Set("large", Pattern(5'000, 3)), StoreResult::kStored);
    FillArena(limited_.keyspace);
    keyspace().CheckInvariants();
    before_ = ContentOf(keyspace());
  }
  ~FullArena() override {
    keyspace().CheckInvariants();
    EXPECT_TRUE(ContentOf(keyspace()) == before_);
  }
  Keyspace& keyspace() { return limited_.keyspace; }

  Limited limited_{{.arena_bytes = kMiB}};
  Content before_;
};

TEST_F(FullArena, RefusesNewKeys) {
  EXPECT_EQ(limited_.Set("new", Pattern(40, 1)), StoreResult::kNoMemory);
  EXPECT_EQ(limited_.Set("new", Pattern(40, 1), kLater), StoreResult::kNoMemory);
  EXPECT_EQ(limited_.Set("new", Pattern(100'000, 1)), StoreResult::kNoMemory);
  EXPECT_EQ(limited_.Set(Pattern(5'000, 1), "x"), StoreResult::kNoMemory);
  EXPECT_EQ(keyspace().SetInteger(limited_.Hash("new"), 7, kNow), StoreResult::kNoMemory);
  EXPECT_FALSE(keyspace().ResizeString(limited_.Hash("new"), 40, kNow));
  EXPECT_FALSE(keyspace().ResizeString(limited_.Hash("new"), 4'000, kNow));
  EXPECT_FALSE(keyspace().SetZeros(limited_.Hash("new"), 4'000, kNow));
}

TEST_F(FullArena, RefusesLargerValues) {
  EXPECT_EQ(limited_.Set("text", Pattern(400, 1)), StoreResult::kNoMemory);
  EXPECT_EQ(limited_.Set("integer", Pattern(400, 1)), StoreResult::kNoMemory);
  EXPECT_EQ(limited_.Set("large", Pattern(1'000, 1)), StoreResult::kNoMemory);
  EXPECT_FALSE(keyspace().ResizeString(limited_.Hash("text"), 400, kNow));
  EXPECT_FALSE(keyspace().SetZeros(limited_.Hash("large"), 2'000, kNow));
}

TEST_F(FullArena, RefusesLongerDeadlinesAndCopies) {
  EXPECT_EQ(keyspace().SetDeadline(limited_.Hash("large"), kLater, kNow), StoreResult::kNoMemory);
  EXPECT_EQ(keyspace().SetDeadline(limited_.Hash("due"), kLater << 20, kNow),
            StoreResult::kNoMemory);
  for (const char* const from : {"text", "due", "large"}) {
    EXPECT_EQ(keyspace().Copy(limited_.Hash(from), keyspace(), limited_.Hash("copy"), kNow),
              StoreResult::kNoMemory);
    EXPECT_EQ(keyspace().Move(limited_.Hash(from), keyspace(), limited_.Hash("moved to"), kNow),
              StoreResult::kNoMemory);
  }
}

TEST(KeyspaceWithoutMemory, ChangesInPlaceWhatFits) {
  Limited limited({.arena_bytes = kMiB});
  Keyspace& keyspace = limited.keyspace;
  ASSERT_EQ(limited.Set("text", Pattern(40, 1)), StoreResult::kStored);
  ASSERT_EQ(limited.Set("due", Pattern(40, 2), kLater), StoreResult::kStored);
  ASSERT_EQ(limited.Set("large", Pattern(5'000, 3)), StoreResult::kStored);
  FillArena(limited.keyspace);
  EXPECT_EQ(limited.Set("text", Pattern(40, 4)), StoreResult::kStored);
  EXPECT_EQ(limited.Set("text", "short"), StoreResult::kStored);
  EXPECT_EQ(limited.Set("text", "17"), StoreResult::kStored);
  EXPECT_EQ(TextAt(keyspace, "text", kNow), "17");
  EXPECT_EQ(keyspace.SetDeadline(keyspace.Hash("due"), kLater + 5, kNow), StoreResult::kStored);
  EXPECT_EQ(keyspace.SetDeadline(keyspace.Hash("due"), kNoDeadline, kNow), StoreResult::kStored);
  EXPECT_EQ(limited.Set("large", Pattern(4'900, 5)), StoreResult::kStored);
  EXPECT_EQ(limited.Set("large", Pattern(9'000, 6)), StoreResult::kStored);
  EXPECT_EQ(TextAt(keyspace, "large", kNow), Pattern(9'000, 6));
  ASSERT_TRUE(keyspace.ResizeString(keyspace.Hash("large"), 20'000, kNow));
  keyspace.CheckInvariants();
  // What is freed serves again: the slot of "due" has room for a deadline that is gone.
  ASSERT_TRUE(keyspace.Delete(keyspace.Hash("due"), kNow));
  EXPECT_EQ(limited.Set("new", Pattern(45, 9)), StoreResult::kStored);
  keyspace.CheckInvariants();
}

TEST(KeyspaceWithoutMemory, RefusesBlobsAndKeepsWhatThereWas) {
  Limited limited({.blob_bytes = 100'000});
  Keyspace& keyspace = limited.keyspace;
  ASSERT_EQ(limited.Set("large", Pattern(60'000, 1)), StoreResult::kStored);
  ASSERT_EQ(limited.Set("text", "text"), StoreResult::kStored);
  const Content before = ContentOf(keyspace);
  const std::size_t bytes = keyspace.memory().blobs;
  EXPECT_EQ(limited.Set("new", Pattern(60'000, 1)), StoreResult::kNoMemory);
  EXPECT_EQ(limited.Set("text", Pattern(60'000, 1), kLater), StoreResult::kNoMemory);
  EXPECT_EQ(limited.Set("large", Pattern(90'000, 1)), StoreResult::kNoMemory);
  EXPECT_EQ(limited.Set(Pattern(60'000, 1), "huge key"), StoreResult::kNoMemory);
  EXPECT_FALSE(keyspace.ResizeString(keyspace.Hash("large"), 200'000, kNow));
  EXPECT_FALSE(keyspace.ResizeString(keyspace.Hash("text"), 50'000, kNow));
  EXPECT_FALSE(keyspace.SetZeros(keyspace.Hash("text"), 50'000, kNow));
  EXPECT_EQ(keyspace.Copy(keyspace.Hash("large"), keyspace, keyspace.Hash("copy"), kNow),
            StoreResult::kNoMemory);
  keyspace.CheckInvariants();
  EXPECT_TRUE(ContentOf(keyspace) == before);
  EXPECT_EQ(keyspace.memory().blobs, bytes);
  // Without slack it fits; a move takes nothing.
  ASSERT_TRUE(keyspace.ResizeString(keyspace.Hash("large"), 90'000, kNow));
  EXPECT_EQ(keyspace.Move(keyspace.Hash("large"), keyspace, keyspace.Hash("text"), kNow),
            StoreResult::kStored);
  keyspace.CheckInvariants();
}

// While a reply holds the value, changing it takes a copy.
TEST(KeyspaceWithoutMemory, RefusesCopyOfPinnedBlob) {
  Limited limited({.blob_bytes = 100'000});
  Keyspace& keyspace = limited.keyspace;
  ASSERT_EQ(limited.Set("large", Pattern(60'000, 1)), StoreResult::kStored);
  {
    const BlobRef reply = PinnedText(keyspace.Find(keyspace.Hash("large"), kNow, kPeek));
    EXPECT_EQ(limited.Set("large", Pattern(60'000, 2)), StoreResult::kNoMemory);
    EXPECT_FALSE(keyspace.ResizeString(keyspace.Hash("large"), 60'000, kNow));
    keyspace.CheckInvariants();
    EXPECT_EQ(TextAt(keyspace, "large", kNow), Pattern(60'000, 1));
  }
  EXPECT_EQ(limited.Set("large", Pattern(60'000, 2)), StoreResult::kStored);
  keyspace.CheckInvariants();
}

TEST(KeyspaceWithoutMemory, FillsTheTableThatCannotGrow) {
  constexpr std::uint64_t kHomes = 100;
  Limited limited({.table_homes = kHomes});
  Keyspace& keyspace = limited.keyspace;
  std::size_t stored = 0;
  while (limited.Set("key:" + std::to_string(stored), "v", kLater) == StoreResult::kStored) {
    ++stored;
    if (stored % 50 == 0) keyspace.CheckInvariants();
    ASSERT_LE(stored, kHomes * 10);
  }
  EXPECT_GE(stored, kHomes * 10 * 6 / 10);
  keyspace.CheckInvariants();
  const Content before = ContentOf(keyspace);
  EXPECT_EQ(before.size(), stored);
  const std::size_t entries = keyspace.memory().entries;
  EXPECT_EQ(limited.Set(Pattern(5'000, 1), Pattern(5'000, 2)), StoreResult::kNoMemory);
  EXPECT_EQ(keyspace.Copy(keyspace.Hash("key:1"), keyspace, keyspace.Hash("copy"), kNow),
            StoreResult::kNoMemory);
  EXPECT_EQ(keyspace.Move(keyspace.Hash("key:1"), keyspace, keyspace.Hash("moved"), kNow),
            StoreResult::kNoMemory);
  EXPECT_EQ(keyspace.memory().entries, entries);
  EXPECT_EQ(keyspace.memory().blobs, 0u);
  EXPECT_TRUE(ContentOf(keyspace) == before);
  EXPECT_EQ(limited.Set("key:1", Pattern(500, 1)), StoreResult::kStored);  // no new key
  ASSERT_TRUE(keyspace.Delete(keyspace.Hash("key:1"), kNow));
  EXPECT_EQ(limited.Set("new", "v"), StoreResult::kStored);
  keyspace.CheckInvariants();
}

// Random changes at the end of memory of every kind, beside a map of what should be there.
TEST(KeyspaceWithoutMemory, StaysTrueUnderRandomUse) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    std::mt19937_64 engine(seed);
    Limited limited({.arena_bytes = kMiB, .blob_bytes = 200'000, .table_homes = 300});
    Keyspace& keyspace = limited.keyspace;
    std::map<std::string, std::string> model;
    std::size_t refused = 0;
    for (int step = 0; step < 20'000; ++step) {
      const std::string key = "key:" + std::to_string(engine() % 4'000);
      const std::size_t size = engine() % (engine() % 20 == 0 ? 20'000 : 400);
      switch (engine() % 8) {
        case 0: {
          const auto text = keyspace.ResizeString(keyspace.Hash(key), size, kNow);
          refused += !text;
          if (text) model[key].resize(size);
          break;
        }
        case 1:
          ASSERT_EQ(keyspace.Delete(keyspace.Hash(key), kNow), model.erase(key) != 0);
          break;
        case 2: {
          const std::string to = "key:" + std::to_string(engine() % 4'000);
          if (to == key) break;
          const StoreResult result =
              keyspace.Move(keyspace.Hash(key), keyspace, keyspace.Hash(to), kNow);
          ASSERT_EQ(result == StoreResult::kNoKey, !model.contains(key));
          refused += result == StoreResult::kNoMemory;
          if (result == StoreResult::kStored) {
            model[to] = model[key];
            model.erase(key);
          }
          break;
        }
        default: {
          const StoreResult result = limited.Set(key, Pattern(size, engine() % 100),
                                                 engine() % 2 == 0 ? kLater : kNoDeadline);
          refused += result == StoreResult::kNoMemory;
          if (result == StoreResult::kStored) model[key] = *TextAt(keyspace, key, kNow);
        }
      }
      if (step % 1'000 == 0) keyspace.CheckInvariants();
    }
    EXPECT_GT(refused, 100u);
    ASSERT_EQ(keyspace.size(), model.size());
    for (const auto& [key, text] : model) ASSERT_EQ(TextAt(keyspace, key, kNow), text);
    for (const auto& [key, text] : model) ASSERT_TRUE(keyspace.Delete(keyspace.Hash(key), kNow));
    keyspace.CheckInvariants();
    EXPECT_EQ(keyspace.memory().entries, 0u);
    EXPECT_EQ(keyspace.memory().blobs, 0u);
  }
}

}  // namespace
}  // namespace aeris::storage
