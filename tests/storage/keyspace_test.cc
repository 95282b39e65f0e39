#include "storage/keyspace.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/storage/keyspace_fixture.h"

namespace aeris::storage {
namespace {

using testing::kNow;
using testing::Pattern;
using testing::Set;
using testing::Shared;
using testing::TextAt;

class KeyspaceTest : public ::testing::Test {
 protected:
  EntryView Peek(std::string_view key, UnixMs now = kNow) {
    return keyspace.Find(keyspace.Hash(key), now, kPeek);
  }

  Shared shared;
  KeyspaceStats& stats = shared.context.stats;
  Keyspace keyspace{shared.context};
};

TEST_F(KeyspaceTest, CostsNothingWhileEmpty) {
  EXPECT_LE(sizeof(Keyspace), 64u);
  const Keyspace::Memory memory = keyspace.memory();
  EXPECT_EQ(memory.table + memory.entries + memory.arena + memory.blobs, 0u);
  EXPECT_FALSE(Peek("key"));
  EXPECT_FALSE(keyspace.RandomEntry(kNow));
  EXPECT_FALSE(keyspace.Delete(keyspace.Hash("key"), kNow));
  EXPECT_EQ(keyspace.SetDeadline(keyspace.Hash("key"), kNow, kNow), StoreResult::kNoKey);
  EXPECT_EQ(keyspace.Copy(keyspace.Hash("key"), keyspace, keyspace.Hash("to"), kNow),
            StoreResult::kNoKey);
  EXPECT_EQ(keyspace.Scan(0, 10, kNow, [](EntryView) { FAIL(); }), 0u);
  EXPECT_EQ(keyspace.ExpireDue(kNow, 100).expired, 0u);
  EXPECT_FALSE(keyspace.Maintain(100));
  EXPECT_EQ(keyspace.size(), 0u);
  EXPECT_EQ(keyspace.AverageTtlMs(kNow), 0);
  EXPECT_FALSE(keyspace.large());
  keyspace.PrefetchBucket(1);
  keyspace.PrefetchEntry(1);
  keyspace.PrefetchDeadline(1);
  keyspace.CheckInvariants();
  EXPECT_EQ(keyspace.memory().table, 0u);
}

TEST_F(KeyspaceTest, HoldsKeysAndValuesOfEverySize) {
  const std::size_t sizes[] = {0, 1, 255, 256, 4096, 4097, 65'535, 65'536, 1 << 20};
  for (const std::size_t key_size : sizes) {
    for (const std::size_t value_size : sizes) {
      const std::string key = Pattern(key_size, 1), value = Pattern(value_size, 2);
      Set(keyspace, key, value, kNow + 1000);
      ASSERT_EQ(TextAt(keyspace, key, kNow), value) << key_size << " " << value_size;
      ASSERT_EQ(Peek(key).key(), key);
    }
  }
  EXPECT_EQ(keyspace.size(), std::size(sizes));
  keyspace.CheckInvariants();
  for (const std::size_t key_size : sizes) {
    EXPECT_TRUE(keyspace.Delete(keyspace.Hash(Pattern(key_size, 1)), kNow));
  }
  keyspace.CheckInvariants();
  EXPECT_EQ(keyspace.memory().entries + keyspace.memory().blobs, 0u);
}

TEST_F(KeyspaceTest, NamesEncodingsAsRedisDoes) {
  const auto encoding = [&](std::string_view value, bool find_integer = true) {
    EXPECT_EQ(keyspace.SetString(keyspace.Hash("key"), value, kNow, {.find_integer = find_integer}),
              StoreResult::kStored);
    return EncodingName(Peek("key").encoding());
  };
  EXPECT_EQ(encoding("12345"), "int");
  EXPECT_EQ(encoding("-9223372036854775808"), "int");
  EXPECT_EQ(encoding("9223372036854775808"), "embstr");
  EXPECT_EQ(encoding("00"), "embstr");
  EXPECT_EQ(encoding("-0"), "embstr");
  EXPECT_EQ(encoding("+1"), "embstr");
  EXPECT_EQ(encoding(" 1"), "embstr");
  EXPECT_EQ(encoding("10", false), "embstr");
  EXPECT_EQ(encoding(""), "embstr");
  EXPECT_EQ(encoding(std::string(44, '1')), "embstr");
  EXPECT_EQ(encoding(std::string(45, '1')), "raw");
  EXPECT_EQ(encoding(std::string(5000, 'x')), "raw");
}

TEST_F(KeyspaceTest, ResizedStringsAreRawUntilSetAgain) {
  const HashedKey key = keyspace.Hash("key");
  for (const char* value : {"12", "abc"}) {
    Set(keyspace, "key", value);
    keyspace.ResizeString(key, 4, kNow).value()[3] = '!';
    EXPECT_EQ(Peek("key").encoding(), Encoding::kRaw);
    EXPECT_EQ(Peek("key").text().substr(0, 2), std::string_view(value).substr(0, 2));
    EXPECT_EQ(Peek("key").text().back(), '!');
  }
  static_cast<void>(keyspace.ResizeString(keyspace.Hash("new"), 0, kNow));
  EXPECT_EQ(Peek("new").encoding(), Encoding::kRaw);
  EXPECT_EQ(Peek("new").text(), "");
  Set(keyspace, "key", "abcd");
  EXPECT_EQ(Peek("key").encoding(), Encoding::kEmbstr);
}

// Up through every size class into a blob, by steps of every length, and down again.
TEST_F(KeyspaceTest, ResizesAcrossEverySizeClassBothWays) {
  const HashedKey key = keyspace.Hash("key");
  for (const std::size_t step : {1u, 3u, 64u, 1000u}) {
    Set(keyspace, "key", "");
    std::string model;
    const auto resize = [&](std::size_t size) {
      const std::span<char> text = keyspace.ResizeString(key, size, kNow).value();
      for (std::size_t i = model.size(); i < size; ++i) {
        ASSERT_EQ(text[i], '\0');
        text[i] = static_cast<char>('a' + i % 26);
      }
      const std::size_t before = model.size();
      model.resize(size);
      for (std::size_t i = before; i < size; ++i) model[i] = static_cast<char>('a' + i % 26);
      ASSERT_EQ(std::string_view(text.data(), text.size()), model);
      ASSERT_EQ(Peek("key").text(), model);
    };
    while (model.size() < 9'000) resize(model.size() + step);
    keyspace.CheckInvariants();
    while (model.size() >= step) resize(model.size() - step);
    keyspace.CheckInvariants();
  }
}

TEST_F(KeyspaceTest, AppendingMovesAStringOnlyAFewTimes) {
  const HashedKey key = keyspace.Hash("key");
  Set(keyspace, "key", "");
  std::set<const std::byte*> places;
  for (std::size_t size = 1; size <= 2'000; ++size) {
    static_cast<void>(keyspace.ResizeString(key, size, kNow));
    places.insert(Peek("key").bytes());
  }
  EXPECT_LE(places.size(), 13u);
}

TEST_F(KeyspaceTest, CountingMovesAnEntryOnlyWhenTheNumberNeedsMoreBytes) {
  const HashedKey key = keyspace.Hash("counter");
  std::set<const std::byte*> places;
  for (std::int64_t value = 0; value < 70'000; ++value) {
    ASSERT_EQ(keyspace.SetInteger(key, value, kNow), StoreResult::kStored);
    places.insert(Peek("counter").bytes());
  }
  EXPECT_LE(places.size(), 3u);
  EXPECT_EQ(Peek("counter").integer(), 69'999);
}

TEST_F(KeyspaceTest, OverwritesInPlaceWithinASizeClass) {
  Set(keyspace, "a key of 16 byte", std::string(32, 'a'));
  const std::byte* const place = Peek("a key of 16 byte").bytes();
  Set(keyspace, "a key of 16 byte", std::string(32, 'b'));
  EXPECT_EQ(Peek("a key of 16 byte").bytes(), place);
  Set(keyspace, "a key of 16 byte", std::string(29, 'c'));
  EXPECT_EQ(Peek("a key of 16 byte").bytes(), place);
  EXPECT_EQ(Peek("a key of 16 byte").text(), std::string(29, 'c'));
  Set(keyspace, "a key of 16 byte", std::string(28, 'd'));
  EXPECT_NE(Peek("a key of 16 byte").bytes(), place);
  keyspace.CheckInvariants();
}

TEST_F(KeyspaceTest, NeverShowsExpiredKeys) {
  Set(keyspace, "key", "value", kNow + 10);
  EXPECT_TRUE(Peek("key", kNow + 10));  // at its deadline it still lives
  EXPECT_EQ(keyspace.Scan(0, 10, kNow + 11, [](EntryView) { FAIL(); }), 0u);
  EXPECT_EQ(keyspace.size(), 1u);
  EXPECT_FALSE(Peek("key", kNow + 11));
  EXPECT_EQ(keyspace.size(), 0u);
  EXPECT_EQ(stats.expired, 1u);

  Set(keyspace, "key", "value", kNow - 1);
  EXPECT_FALSE(keyspace.RandomEntry(kNow));
  Set(keyspace, "key", "value", kNow - 1);
  EXPECT_FALSE(keyspace.Delete(keyspace.Hash("key"), kNow));
  Set(keyspace, "key", "value", kNow - 1);
  EXPECT_EQ(keyspace.SetDeadline(keyspace.Hash("key"), kNow + 5, kNow), StoreResult::kNoKey);
  Set(keyspace, "key", "value", kNow - 1);
  EXPECT_EQ(keyspace.Copy(keyspace.Hash("key"), keyspace, keyspace.Hash("to"), kNow),
            StoreResult::kNoKey);
  Set(keyspace, "key", "value", kNow - 1);
  EXPECT_EQ(keyspace.ResizeString(keyspace.Hash("key"), 1, kNow).value()[0], '\0');
  EXPECT_EQ(Peek("key").deadline(), kNoDeadline);
  Set(keyspace, "key", "value", kNow - 1);
  ASSERT_EQ(keyspace.SetString(keyspace.Hash("key"), "new", kNow, {.keep_deadline = true}),
            StoreResult::kStored);
  EXPECT_EQ(Peek("key").deadline(), kNoDeadline);
  EXPECT_EQ(stats.expired, 7u);
  keyspace.CheckInvariants();
}

struct Expired final : ExpiryListener {
  void KeyExpired(const Keyspace& keyspace, std::string_view key) override {
    keyspaces.insert(&keyspace);
    keys.emplace_back(key);
  }
  void FieldsExpired(const Keyspace& keyspace, std::string_view key, bool all) override {
    keyspaces.insert(&keyspace);
    fields_of.emplace_back(std::string(key) + (all ? " all" : ""));
  }
  std::set<const Keyspace*> keyspaces;
  std::vector<std::string> keys;
  std::vector<std::string> fields_of;
};

TEST_F(KeyspaceTest, TellsOfEachKeyThatExpires) {
  Expired expired;
  shared.context.expiry_listener = &expired;
  const std::string long_key = Pattern(5'000, 1);
  Set(keyspace, "found", "value", kNow + 1);
  EXPECT_FALSE(Peek("found", kNow + 2));
  Set(keyspace, "drawn", "value", kNow + 1);
  EXPECT_FALSE(keyspace.RandomEntry(kNow + 2));
  Set(keyspace, long_key, "value", kNow + 1);
  EXPECT_EQ(keyspace.ExpireDue(kNow + 1'000, 100).expired, 1u);
  Set(keyspace, "deleted", "value");
  EXPECT_TRUE(keyspace.Delete(keyspace.Hash("deleted"), kNow));
  EXPECT_EQ(expired.keys, (std::vector<std::string>{"found", "drawn", long_key}));
  EXPECT_EQ(expired.keyspaces, std::set<const Keyspace*>{&keyspace});
  EXPECT_EQ(stats.expired, 3u);
}

TEST_F(KeyspaceTest, RemovesDueKeysInBoundedSteps) {
  constexpr std::size_t kKeys = 5'000;
  for (std::size_t i = 0; i < kKeys; ++i) {
    Set(keyspace, "key:" + std::to_string(i), "value", kNow + 1'000 + static_cast<UnixMs>(i % 10));
  }
  Set(keyspace, "stays", "value");
  Set(keyspace, "later", std::string(5'000, 'x'), kNow + 50'000);
  EXPECT_EQ(keyspace.deadlines(), kKeys + 1);
  EXPECT_EQ(keyspace.ExpireDue(kNow + 900, 100).expired, 0u);
  // A table that shrinks meanwhile hands some keys to the next tick of the wheel.
  std::size_t steps = 0;
  std::size_t expired = 0;
  for (UnixMs now = kNow + 1'200; now < kNow + 3'000; now += 100) {
    for (bool more = true; more; ++steps) {
      const Keyspace::ExpireResult result = keyspace.ExpireDue(now, 100);
      ASSERT_LE(result.expired, 100u);
      expired += result.expired;
      more = result.more;
    }
  }
  EXPECT_EQ(expired, kKeys);
  EXPECT_GE(steps, kKeys / 100);
  EXPECT_EQ(stats.expired, kKeys);
  EXPECT_EQ(keyspace.size(), 2u);
  keyspace.CheckInvariants();
  EXPECT_EQ(keyspace.ExpireDue(kNow + 50'300, 100).expired, 1u);
  EXPECT_EQ(keyspace.memory().blobs, 0u);
}

TEST_F(KeyspaceTest, TellsHowLateKeysWereRemovedAndHowManyAreLeft) {
  constexpr std::size_t kKeys = 3'000;
  for (std::size_t i = 0; i < kKeys; ++i) {
    Set(keyspace, "key:" + std::to_string(i), "value", kNow + 1'000);
    Set(keyspace, "far:" + std::to_string(i), "value", kNow + 100'000'000);
  }
  EXPECT_EQ(keyspace.ExpireBacklog(kNow), 0u);
  EXPECT_EQ(keyspace.ExpireBacklog(kNow + 1'200), kKeys);
  EXPECT_TRUE(stats.expire_lag.empty());
  static_cast<void>(keyspace.ExpireDue(kNow + 1'100, 1'000));
  EXPECT_EQ(keyspace.ExpireBacklog(kNow + 1'100), kKeys - stats.expired);
  EXPECT_EQ(stats.expire_lag.count(), stats.expired);
  EXPECT_EQ(stats.expire_lag.ValueAt(100), 100);
  // A key that is met by a command leaves without the sweep.
  EXPECT_FALSE(Peek("key:" + std::to_string(kKeys - 1), kNow + 1'100));
  while (keyspace.ExpireDue(kNow + 1'200, 1'000).more) {
  }
  EXPECT_EQ(keyspace.ExpireBacklog(kNow + 1'200), 0u);
  EXPECT_EQ(keyspace.size(), kKeys);
  EXPECT_GE(stats.expire_lag.count(), kKeys - 1);
  EXPECT_EQ(stats.expire_lag.ValueAt(1), 100);
  EXPECT_NEAR(static_cast<double>(stats.expire_lag.ValueAt(99)), 200.0, 1.0);
}

// In a table of which the count is an estimate.
TEST_F(KeyspaceTest, EstimatesTheBacklogOfALargeTable) {
  constexpr std::size_t kKeys = 1'200'000;
  for (std::size_t i = 0; i < kKeys; ++i) {
    Set(keyspace, std::to_string(i), "v", kNow + (i % 4 == 0 ? 1'000 : 100'000'000));
  }
  const auto backlog = static_cast<double>(keyspace.ExpireBacklog(kNow + 1'200));
  EXPECT_NEAR(backlog, kKeys / 4, kKeys / 80);
  static_cast<void>(keyspace.ExpireDue(kNow + 1'200, kKeys / 8));
  EXPECT_NEAR(static_cast<double>(keyspace.ExpireBacklog(kNow + 1'200)), kKeys / 8, kKeys / 80);
}

TEST_F(KeyspaceTest, KeepsDeadlinesOutsideTheCompactRange) {
  for (const UnixMs deadline : {UnixMs{1} << 60, kNow + 5, UnixMs{1} << 42, kNow + 6}) {
    Set(keyspace, "key", "value", deadline);
    EXPECT_EQ(Peek("key").deadline(), deadline);
    EXPECT_EQ(keyspace.SetDeadline(keyspace.Hash("key"), deadline + 1, kNow), StoreResult::kStored);
    EXPECT_EQ(Peek("key").deadline(), deadline + 1);
    EXPECT_EQ(Peek("key").text(), "value");
    keyspace.CheckInvariants();
  }
  EXPECT_EQ(keyspace.SetDeadline(keyspace.Hash("key"), kNoDeadline, kNow), StoreResult::kStored);
  EXPECT_EQ(keyspace.deadlines(), 0u);
  EXPECT_EQ(Peek("key").text(), "value");
}

// Deadlines in 4 bytes are exact and mean the same while the clock runs on for years.
TEST_F(KeyspaceTest, KeepsDeadlinesExactForYears) {
  constexpr UnixMs kDay = 24 * 3600 * 1000;
  std::map<std::string, UnixMs> expected;
  UnixMs now = kNow;
  int next = 0;
  for (; now < kNow + 400 * kDay; now += 7 * kDay / 2 + 12'345) {
    for (const UnixMs left : {kDay, 30 * kDay, 48 * kDay, 49 * kDay, 50 * kDay, 90 * kDay}) {
      const std::string key = "key:" + std::to_string(next++);
      Set(keyspace, key, "value", now + left, now);
      expected[key] = now + left;
    }
    static_cast<void>(keyspace.ExpireDue(now, 1'000));
    keyspace.CheckInvariants();
    std::erase_if(expected, [&](const auto& it) { return now > it.second; });
    for (const auto& [key, deadline] : expected) ASSERT_EQ(Peek(key, now).deadline(), deadline);
    ASSERT_EQ(keyspace.size(), expected.size());
  }
}

// As when the machine has slept: nothing was swept meanwhile, and nothing comes back to life.
TEST_F(KeyspaceTest, ExpiresKeysAfterAClockThatJumpedByMonths) {
  constexpr UnixMs kDay = 24 * 3600 * 1000;
  for (const UnixMs jump : {12 * kDay, 49 * kDay, 50 * kDay, 60 * kDay, 400 * kDay}) {
    Set(keyspace, "soon", "value", kNow + kDay);
    Set(keyspace, "late", "value", kNow + 40 * kDay);
    EXPECT_EQ(Peek("late", kNow + 40 * kDay).deadline(), kNow + 40 * kDay);
    EXPECT_FALSE(Peek("soon", kNow + jump));
    EXPECT_EQ(static_cast<bool>(Peek("late", kNow + jump)), jump < 40 * kDay);
    // Seen or swept is the same.
    Set(keyspace, "soon", "value", kNow + kDay);
    static_cast<void>(keyspace.ExpireDue(kNow + jump, 1'000));
    EXPECT_EQ(keyspace.size(), jump < 40 * kDay ? 1u : 0u);
    Set(keyspace, "late", "value");
    EXPECT_TRUE(keyspace.Delete(keyspace.Hash("late"), kNow + jump));
    keyspace.CheckInvariants();
  }
}

TEST_F(KeyspaceTest, KeepsDeadlinesExactWhenTheClockIsSetBack) {
  constexpr UnixMs kDay = 24 * 3600 * 1000;
  Set(keyspace, "a", "value", kNow + 30 * kDay);
  static_cast<void>(keyspace.ExpireDue(kNow + 20 * kDay, 1'000));
  for (const UnixMs back : {kDay / 2, 2 * kDay, 300 * kDay}) {
    const UnixMs now = kNow - back;
    static_cast<void>(keyspace.ExpireDue(now, 1'000));
    Set(keyspace, "b", "value", now + 5, now);
    Set(keyspace, "c", "value", now + 40 * kDay, now);
    static_cast<void>(keyspace.ExpireDue(now, 1'000));
    EXPECT_EQ(Peek("a", now).deadline(), kNow + 30 * kDay);
    EXPECT_EQ(Peek("b", now).deadline(), now + 5);
    EXPECT_EQ(Peek("c", now).deadline(), now + 40 * kDay);
    EXPECT_FALSE(Peek("b", now + 6));
    keyspace.CheckInvariants();
  }
}

// Four bytes for a deadline: 8 beside key and value, so a class of 4 bytes fits them exactly.
TEST_F(KeyspaceTest, PaysFourBytesForADeadlineOfThirtyDaysHoweverLongItHasRun) {
  constexpr UnixMs kDay = 24 * 3600 * 1000;
  for (UnixMs now = kNow; now < kNow + 200 * kDay; now += 10 * kDay) {
    const std::size_t before = keyspace.memory().entries;
    Set(keyspace, "key of 16 bytes!", std::string(32, 'v'), now + 30 * kDay, now);
    EXPECT_EQ(keyspace.memory().entries - before, 16u + 32u + 8u);
    EXPECT_TRUE(keyspace.Delete(keyspace.Hash("key of 16 bytes!"), now));
    Set(keyspace, "stays", "value", now + 11 * kDay, now);
    static_cast<void>(keyspace.ExpireDue(now, 1'000));
  }
}

TEST_F(KeyspaceTest, AveragesWhatIsLeftOfDeadlines) {
  Set(keyspace, "a", "1", kNow + 1'000);
  Set(keyspace, "b", "1", kNow + 3'000);
  Set(keyspace, "c", "1");
  EXPECT_EQ(keyspace.AverageTtlMs(kNow), 2'000);
  EXPECT_EQ(keyspace.AverageTtlMs(kNow + 500), 1'500);
  EXPECT_EQ(keyspace.AverageTtlMs(kNow + 5'000), 0);
  ASSERT_EQ(keyspace.SetDeadline(keyspace.Hash("b"), kNow + 5'000, kNow), StoreResult::kStored);
  EXPECT_EQ(keyspace.AverageTtlMs(kNow), 3'000);
  keyspace.Delete(keyspace.Hash("a"), kNow);
  EXPECT_EQ(keyspace.AverageTtlMs(kNow), 5'000);
  ASSERT_EQ(keyspace.SetDeadline(keyspace.Hash("b"), std::numeric_limits<UnixMs>::max(), kNow),
            StoreResult::kStored);
  Set(keyspace, "a", "1", std::numeric_limits<UnixMs>::max());
  EXPECT_EQ(keyspace.AverageTtlMs(0), std::numeric_limits<UnixMs>::max());
}

TEST_F(KeyspaceTest, CountsHitsAndMissesAndTouchesAsAsked) {
  Set(keyspace, "key", "value");
  const HashedKey key = keyspace.Hash("key"), absent = keyspace.Hash("absent");
  const UnixMs later = kNow + 100'000;
  const auto idle = [&] { return IdleSeconds(Peek("key").access_clock(), later); };
  EXPECT_TRUE(keyspace.Find(key, later, kNoTouch));
  EXPECT_FALSE(keyspace.Find(absent, later, kNoTouch));
  EXPECT_EQ(idle(), 100u);
  EXPECT_EQ(keyspace.lookup_stats().hits, 1u);
  EXPECT_EQ(keyspace.lookup_stats().misses, 1u);
  EXPECT_TRUE(keyspace.Find(key, later, kForWrite));
  EXPECT_FALSE(keyspace.Find(absent, later, kForWrite));
  EXPECT_EQ(idle(), 0u);
  EXPECT_EQ(keyspace.lookup_stats().hits, 1u);
  EXPECT_EQ(keyspace.lookup_stats().misses, 1u);
  keyspace.SetAccessClock(key, ClockFromIdleSeconds(50, later), later);
  EXPECT_EQ(idle(), 50u);
  EXPECT_TRUE(keyspace.Find(key, later, kForRead));
  EXPECT_EQ(idle(), 0u);
}

TEST_F(KeyspaceTest, LfuCounterSurvivesOverwrite) {
  keyspace.SetEvictionPolicy({EvictionOrder::kLeastFrequent, false}, false);
  shared.context.lfu_log_factor = 1'000'000;
  Set(keyspace, "key", "value");
  EXPECT_EQ(LfuFrequency(Peek("key").access_clock(), kNow, 1), 5);
  keyspace.SetAccessClock(keyspace.Hash("key"), ClockFromFrequency(77, kNow), kNow);
  Set(keyspace, "key", "other");
  Set(keyspace, "key", std::string(100, 'x'));
  EXPECT_EQ(LfuFrequency(Peek("key").access_clock(), kNow, 1), 77);
}

TEST_F(KeyspaceTest, CopiesKeepEncodingAndDeadline) {
  Keyspace other(shared.context);
  Set(keyspace, "int", "5", kNow + 10);
  Set(keyspace, "blob", std::string(10'000, 'x'));
  static_cast<void>(keyspace.ResizeString(keyspace.Hash("grown"), 3, kNow));
  const std::string huge_key = Pattern(5'000, 1);
  for (const char* name : {"int", "blob", "grown"}) {
    for (Keyspace* to : {&keyspace, &other}) {
      for (const std::string& to_key : {std::string("copy"), huge_key, std::string(name)}) {
        ASSERT_EQ(keyspace.Copy(keyspace.Hash(name), *to, to->Hash(to_key), kNow),
                  StoreResult::kStored);
        const EntryView copy = to->Find(to->Hash(to_key), kNow, kPeek);
        ASSERT_EQ(copy.encoding(), Peek(name).encoding());
        ASSERT_EQ(copy.deadline(), Peek(name).deadline());
        ASSERT_EQ(TextAt(*to, to_key, kNow), TextAt(keyspace, name, kNow));
        keyspace.CheckInvariants();
        other.CheckInvariants();
      }
    }
  }
}

TEST_F(KeyspaceTest, MovesKeysWithinAndAcrossKeyspacesWithoutCopyingLargeValues) {
  Keyspace other(shared.context);
  for (const std::size_t size : {0u, 3u, 300u, 3'000u, 300'000u}) {
    for (Keyspace* to : {&keyspace, &other}) {
      SCOPED_TRACE(::testing::Message() << size << " bytes");
      Set(keyspace, "from", Pattern(size, 3), kNow + 50);
      Set(*to, "to", Pattern(size / 2, 4));
      const char* const before = size > 4096 ? Peek("from").text().data() : nullptr;
      ASSERT_EQ(keyspace.Move(keyspace.Hash("from"), *to, to->Hash("to"), kNow),
                StoreResult::kStored);
      EXPECT_EQ(TextAt(*to, "to", kNow), Pattern(size, 3));
      const EntryView moved = to->Find(to->Hash("to"), kNow, kPeek);
      EXPECT_EQ(moved.deadline(), kNow + 50);
      if (before != nullptr) {
        EXPECT_EQ(moved.text().data(), before);
      }
      EXPECT_FALSE(Peek("from"));
      keyspace.CheckInvariants();
      other.CheckInvariants();
    }
  }
  EXPECT_EQ(keyspace.Move(keyspace.Hash("absent"), other, other.Hash("to"), kNow),
            StoreResult::kNoKey);
}

TEST_F(KeyspaceTest, PinnedTextStaysWhateverHappensToItsKey) {
  const std::string large(50'000, 'x');
  Keyspace doomed(shared.context);
  std::vector<BlobRef> pins;
  const auto pin = [&](Keyspace& from, std::string_view key) {
    Set(from, key, large);
    pins.push_back(PinnedText(from.Find(from.Hash(key), kNow, kPeek)));
    ASSERT_TRUE(pins.back());
  };
  pin(keyspace, "overwritten");
  Set(keyspace, "overwritten", std::string(50'000, 'y'));
  pin(keyspace, "appended");
  keyspace.ResizeString(keyspace.Hash("appended"), 50'001, kNow).value()[0] = 'z';
  pin(keyspace, "changed");
  keyspace.ResizeString(keyspace.Hash("changed"), 50'000, kNow).value()[0] = 'z';
  pin(keyspace, "deleted");
  keyspace.Delete(keyspace.Hash("deleted"), kNow);
  {
    Keyspace gone(shared.context);
    pin(gone, "gone");
  }
  for (const BlobRef& pinned : pins) EXPECT_EQ(pinned.text(), large);
  EXPECT_FALSE(PinnedText(EntryView(Peek("changed"))).text().empty());
  Set(keyspace, "small", "value");
  EXPECT_FALSE(PinnedText(Peek("small")));
  keyspace.CheckInvariants();
}

TEST_F(KeyspaceTest, MayBeDestroyedOnAnotherThread) {
  auto given = std::make_unique<Keyspace>(shared.context);
  for (int i = 0; i < 1'000; ++i) {
    Set(*given, std::to_string(i), i % 10 == 0 ? std::string(5'000, 'x') : "value");
  }
  EXPECT_TRUE(given->large());
  const BlobRef pinned = PinnedText(given->Find(given->Hash("10"), kNow, kPeek));
  std::thread([gone = std::move(given)]() mutable { gone.reset(); }).join();
  EXPECT_EQ(pinned.text(), std::string(5'000, 'x'));
}

TEST_F(KeyspaceTest, TakesNoMoreMemoryAfterBeingEmptiedAThousandTimes) {
  std::size_t first = 0;
  for (int round = 0; round < 1'000; ++round) {
    const UnixMs now = kNow + round * 1'000;
    for (int i = 0; i < 300; ++i) {
      const std::string key = "key:" + std::to_string(i);
      const auto size = static_cast<std::size_t>(i * 7 + round % 3);
      Set(keyspace, key, std::string(size, 'x'), i % 2 == 0 ? now + 100 : kNoDeadline, now);
    }
    for (int i = 1; i < 300; i += 2) {
      ASSERT_TRUE(keyspace.Delete(keyspace.Hash("key:" + std::to_string(i)), now));
    }
    for (UnixMs at = now + 200; keyspace.size() != 0; at += 64) {
      static_cast<void>(keyspace.ExpireDue(at, 1'000));
    }
    while (keyspace.Maintain(64)) {
    }
    keyspace.CheckInvariants();
    const Keyspace::Memory memory = keyspace.memory();
    ASSERT_EQ(memory.entries + memory.blobs, 0u);
    if (round == 0) first = memory.table + memory.arena;
    ASSERT_LE(memory.table + memory.arena, first + first / 4) << round;
  }
}

TEST_F(KeyspaceTest, RandomEntryGivesEveryKey) {
  for (int i = 0; i < 20; ++i) Set(keyspace, std::to_string(i), "value");
  std::set<std::string> seen;
  for (int i = 0; i < 2'000; ++i) seen.emplace(keyspace.RandomEntry(kNow).key());
  EXPECT_EQ(seen.size(), 20u);
}

TEST_F(KeyspaceTest, RandomEntryRemovesFewExpiredKeysAtOnce) {
  for (int i = 0; i < 1'000; ++i) Set(keyspace, std::to_string(i), "value", kNow + 1);
  EXPECT_TRUE(keyspace.RandomEntry(kNow + 2).expired(kNow + 2));
  EXPECT_EQ(keyspace.size(), 1'000u - Keyspace::kDrawsMax);
  for (int i = 0; i < 9; ++i) (void)keyspace.RandomEntry(kNow + 2);
  EXPECT_FALSE(keyspace.RandomEntry(kNow + 2));
  EXPECT_EQ(keyspace.size(), 0u);
}

TEST_F(KeyspaceTest, AccountsForWhatItFrees) {
  for (int i = 0; i < 20'000; ++i) {
    Set(keyspace, "key:" + std::to_string(i), Pattern(static_cast<std::size_t>(i % 300), 1));
  }
  const Keyspace::Memory full = keyspace.memory();
  EXPECT_GE(full.arena, full.entries);
  EXPECT_LE(full.arena, full.entries + full.entries / 3);
  for (int i = 0; i < 20'000; ++i) {
    keyspace.Delete(keyspace.Hash("key:" + std::to_string(i)), kNow);
  }
  while (keyspace.Maintain(1'000)) {
  }
  const Keyspace::Memory empty = keyspace.memory();
  EXPECT_EQ(empty.entries, 0u);
  EXPECT_LE(empty.arena, std::size_t{20} << 16);
  EXPECT_LT(empty.table, full.table / 4);
}

TEST_F(KeyspaceTest, MemoryUsageCoversEntryBlobAndShareOfTable) {
  Set(keyspace, "small", "value");
  Set(keyspace, "large", std::string(100'000, 'x'));
  EXPECT_GT(keyspace.MemoryUsage(Peek("small")), 14u);
  EXPECT_LT(keyspace.MemoryUsage(Peek("small")), 100u);
  EXPECT_GT(keyspace.MemoryUsage(Peek("large")), 100'000u);
}

}  // namespace
}  // namespace aeris::storage
