#include "storage/hash_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "src/base/random.h"
#include "tests/storage/hash_table_model.h"

namespace aeris::storage {
namespace {

constexpr UnixMs kStart = 1'700'000'000'000;

// The table beside a std::unordered_map that does the same.
class Model {
 public:
  struct Expected {
    Ref ref = 0;
    unsigned bits = 0;
    UnixMs deadline = kNoDeadline;
  };
  using HashFunction = std::function<std::uint64_t(std::uint64_t)>;

  explicit Model(HashFunction hash) : hash_(std::move(hash)), table_(TestPolicy{&arena_}) {}

  TestTable& table() { return table_; }
  const TestTable& table() const { return table_; }
  TestArena& arena() { return arena_; }
  const std::unordered_map<std::uint64_t, Expected>& expected() const { return expected_; }
  std::uint64_t Hash(std::uint64_t key) const { return hash_(key); }

  TestTable::Slot Find(std::uint64_t key) const { return table_.Find(hash_(key), KeyText(key)); }

  void Insert(std::uint64_t key) {
    if (expected_.contains(key)) return;
    const std::uint64_t hash = hash_(key);
    const Ref ref = arena_.Add(key, hash);
    const TestTable::Slot slot = table_.Insert(hash, ref);
    ASSERT_EQ(table_.ref(slot), ref);
    ASSERT_EQ(table_.policy_bits(slot), 0U);
    ASSERT_FALSE(table_.has_deadline(slot));
    expected_[key] = {.ref = ref};
  }
  void Erase(std::uint64_t key) {
    const auto found = expected_.find(key);
    if (found == expected_.end()) return;
    const TestTable::Slot slot = Find(key);
    ASSERT_TRUE(slot);
    table_.Erase(slot, hash_(key));
    arena_.Remove(found->second.ref);
    expected_.erase(found);
  }
  void Replace(std::uint64_t key) {
    const auto found = expected_.find(key);
    if (found == expected_.end()) return;
    const Ref ref = arena_.Add(key, hash_(key));
    arena_.at(ref).deadline = found->second.deadline;
    table_.Replace(Find(key), ref);
    arena_.Remove(found->second.ref);
    found->second.ref = ref;
  }
  void SetBits(std::uint64_t key, unsigned bits) {
    const auto found = expected_.find(key);
    if (found == expected_.end()) return;
    table_.SetPolicyBits(Find(key), bits);
    found->second.bits = bits;
  }
  void SetDeadline(std::uint64_t key, UnixMs deadline) {
    const auto found = expected_.find(key);
    if (found == expected_.end()) return;
    arena_.at(found->second.ref).deadline = deadline;
    found->second.deadline = deadline;
    table_.SetDeadline(Find(key), deadline);
  }
  TestTable::SweepResult Sweep(UnixMs now, std::size_t keys_max) {
    return table_.ExpireSweep(now, keys_max, [&](TestTable::Slot slot) {
      const Ref ref = table_.ref(slot);
      const TestEntry entry = arena_.at(ref);
      EXPECT_NE(entry.deadline, kNoDeadline);
      if (now <= entry.deadline) return ExpireVerdict::KeepUntil(entry.deadline);
      EXPECT_EQ(expected_.erase(entry.key), 1U);
      arena_.Remove(ref);
      return ExpireVerdict::Erase();
    });
  }

  void ExpectKey(std::uint64_t key) const {
    const TestTable::Slot slot = Find(key);
    const auto found = expected_.find(key);
    ASSERT_EQ(static_cast<bool>(slot), found != expected_.end());
    if (!slot) return;
    ASSERT_EQ(table_.ref(slot), found->second.ref);
    ASSERT_EQ(table_.policy_bits(slot), found->second.bits);
    ASSERT_EQ(table_.has_deadline(slot), found->second.deadline != kNoDeadline);
    ASSERT_EQ(table_.deadline_code(slot) != 0, found->second.deadline != kNoDeadline);
  }
  void ExpectAll() const {
    table_.CheckInvariants();
    ASSERT_EQ(table_.size(), expected_.size());
    std::size_t deadlines = 0;
    for (const auto& [key, value] : expected_) {
      ASSERT_NO_FATAL_FAILURE(ExpectKey(key));
      if (value.deadline != kNoDeadline) ++deadlines;
    }
    ASSERT_EQ(table_.deadlines(), deadlines);
  }

 private:
  HashFunction hash_;
  TestArena arena_;
  TestTable table_;
  std::unordered_map<std::uint64_t, Expected> expected_;
};

void RandomChange(Model& model, Random& random, std::uint64_t keys, unsigned insert_percent,
                  UnixMs now) {
  const std::uint64_t key = random.Below(keys);
  const std::uint64_t choice = random.Below(150);
  if (choice < insert_percent) {
    model.Insert(key);
  } else if (choice < 100) {
    model.Erase(key);
  } else if (choice < 115) {
    model.Replace(key);
  } else if (choice < 130) {
    model.SetBits(key, static_cast<unsigned>(random.Below(16)));
  } else if (choice < 145) {
    model.SetDeadline(key, now + static_cast<std::int64_t>(random.Below(100'000)));
  } else if (choice < 148) {
    model.SetDeadline(key, kNoDeadline);
  } else {
    static_cast<void>(model.table().Step(random.Below(8)));
  }
  ASSERT_NO_FATAL_FAILURE(model.ExpectKey(key));
}

TEST(HashTable, FollowsModelStepByStep) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    Model model(Spread);
    const std::uint64_t keys = 1 + random.Below(700);
    for (int step = 0; step < 3000; ++step) {
      const unsigned insert_percent = step / 1000 % 2 == 0 ? 70 : 30;
      ASSERT_NO_FATAL_FAILURE(RandomChange(model, random, keys, insert_percent, kStart));
      model.table().CheckInvariants();
    }
    ASSERT_NO_FATAL_FAILURE(model.ExpectAll());
  }
}

TEST(HashTable, FollowsModelThroughGrowthAndShrinking) {
  Random random(99);
  Model model(Spread);
  UnixMs now = kStart;
  for (const unsigned insert_percent : {95U, 10U, 60U, 5U}) {
    for (int step = 0; step < 100'000; ++step) {
      ASSERT_NO_FATAL_FAILURE(RandomChange(model, random, 60'000, insert_percent, now));
      if (step % 100 == 0) {
        now += 10;
        model.Sweep(now, random.Below(50));
      }
      if (step % 10'000 == 0) model.table().CheckInvariants();
    }
    ASSERT_NO_FATAL_FAILURE(model.ExpectAll());
  }
}

// Hash functions that nobody would use, and that an attacker without the secret cannot cause.
TEST(HashTable, StaysCorrectUnderSkewedHashes) {
  const Model::HashFunction kSkewed[] = {
      [](std::uint64_t) { return std::uint64_t{0}; },
      [](std::uint64_t) { return ~std::uint64_t{0}; },
      [](std::uint64_t key) { return ~std::uint64_t{0} - key % 3 * (std::uint64_t{1} << 60); },
      [](std::uint64_t key) { return Spread(key) >> 8; },
      [](std::uint64_t key) { return Spread(key) | std::uint64_t{0xFFF} << 52; },
      [](std::uint64_t key) { return Spread(key) & 0xFFFF; },
      [](std::uint64_t key) { return key; },
  };
  for (const Model::HashFunction& hash : kSkewed) {
    SCOPED_TRACE(testing::Message() << "function " << &hash - kSkewed);
    Random random(5);
    Model model(hash);
    for (int step = 0; step < 6000; ++step) {
      const unsigned insert_percent = step < 3000 ? 80 : 20;
      ASSERT_NO_FATAL_FAILURE(RandomChange(model, random, 1500, insert_percent, kStart));
      if (step % 16 == 0) model.table().CheckInvariants();
    }
    ASSERT_NO_FATAL_FAILURE(model.ExpectAll());
    std::size_t scanned = 0;
    std::uint64_t cursor = 0;
    do {
      cursor = model.table().Scan(cursor, 10, [&](Ref) { ++scanned; });
    } while (cursor != 0);
    EXPECT_EQ(scanned, model.expected().size());
  }
}

TEST(HashTable, StaysCorrectWhenSpillCountsSaturate) {
  constexpr std::uint64_t kKeys = 6'000;
  Model model([](std::uint64_t) { return std::uint64_t{1} << 63; });
  for (std::uint64_t key = 0; key < kKeys; ++key) ASSERT_NO_FATAL_FAILURE(model.Insert(key));
  model.table().CheckInvariants();
  for (std::uint64_t key = 0; key < kKeys; key += 4) {
    ASSERT_NO_FATAL_FAILURE(model.ExpectKey(key));
    ASSERT_NO_FATAL_FAILURE(model.Erase(key));
    ASSERT_FALSE(model.Find(key));
  }
  while (model.table().Step(1000)) {
  }
  model.table().CheckInvariants();
}

// --- SCAN

// Keys below kStable stay; the others come and go between calls.
class ScanTest : public testing::Test {
 protected:
  static constexpr std::uint64_t kStable = 200'000;

  void Insert(std::uint64_t key) {
    static_cast<void>(table_.Insert(Spread(key), arena_.Add(key, Spread(key))));
  }
  void FillStable() {
    for (std::uint64_t key = 0; key < kStable; ++key) Insert(key);
  }
  void InsertVolatile(std::uint64_t count) {
    for (; count > 0; --count) Insert(kStable + next_++);
  }
  void EraseVolatile(std::uint64_t count) {
    for (; count > 0 && first_ < next_; --count) {
      const std::uint64_t key = kStable + first_++;
      const TestTable::Slot slot = table_.Find(Spread(key), KeyText(key));
      ASSERT_TRUE(slot);
      arena_.Remove(table_.ref(slot));
      table_.Erase(slot, Spread(key));
    }
  }
  // One call of SCAN; counts how often each stable key came.
  void ScanOnce(std::size_t count) {
    cursor_ = table_.Scan(cursor_, count, [&](Ref ref) {
      const std::uint64_t key = arena_.at(ref).key;
      if (key < kStable) ++seen_[key];
    });
    ASSERT_LT(cursor_, std::uint64_t{1} << 53);
  }
  void ExpectEachStableKeyOnce() const {
    EXPECT_TRUE(std::all_of(seen_.begin(), seen_.end(), [](int times) { return times == 1; }));
  }

  TestArena arena_;
  TestTable table_{TestPolicy{&arena_}};
  std::vector<int> seen_ = std::vector<int>(kStable);
  std::uint64_t cursor_ = 0;
  std::uint64_t first_ = 0;
  std::uint64_t next_ = 0;
};

TEST_F(ScanTest, GivesEachStableKeyOnceWhileTheTableGrows) {
  FillStable();
  Random random(11);
  do {
    ASSERT_NO_FATAL_FAILURE(ScanOnce(10));
    InsertVolatile(random.Below(60));
    ASSERT_NO_FATAL_FAILURE(EraseVolatile(random.Below(20)));
  } while (cursor_ != 0);
  ExpectEachStableKeyOnce();
  EXPECT_GT(table_.size(), 2 * kStable);
}

TEST_F(ScanTest, GivesEachStableKeyOnceWhileTheTableShrinks) {
  InsertVolatile(1'000'000);
  FillStable();
  const std::uint64_t homes = table_.homes();
  Random random(12);
  do {
    ASSERT_NO_FATAL_FAILURE(ScanOnce(40));
    ASSERT_NO_FATAL_FAILURE(EraseVolatile(random.Below(120)));
  } while (cursor_ != 0);
  ExpectEachStableKeyOnce();
  EXPECT_LT(table_.homes(), homes);
}

TEST_F(ScanTest, GivesEachStableKeyOnceWhileTheTableSwings) {
  FillStable();
  Random random(13);
  std::uint64_t calls = 0;
  do {
    ASSERT_NO_FATAL_FAILURE(ScanOnce(10));
    const bool growing = calls++ / 1000 % 2 == 0;
    InsertVolatile(random.Below(growing ? 300 : 20));
    ASSERT_NO_FATAL_FAILURE(EraseVolatile(random.Below(growing ? 20 : 300)));
  } while (cursor_ != 0);
  ExpectEachStableKeyOnce();
}

TEST(HashTable, ScanGivesEachKeyOnceAtEveryPlaceOfTheHand) {
  Model model(Spread);
  std::uint64_t keys = 0;
  while (keys < 1000 || !model.table().moving()) ASSERT_NO_FATAL_FAILURE(model.Insert(keys++));
  do {
    for (const std::size_t count : {1U, 30U, 5000U}) {
      std::vector<int> seen(keys);
      std::uint64_t cursor = 0;
      do {
        cursor =
            model.table().Scan(cursor, count, [&](Ref ref) { ++seen[model.arena().at(ref).key]; });
      } while (cursor != 0);
      ASSERT_TRUE(std::all_of(seen.begin(), seen.end(), [](int times) { return times == 1; }));
    }
  } while (model.table().Step(1));
}

TEST(HashTable, ScanAcceptsEveryCursorAndCount) {
  Random random(3);
  Model model(Spread);
  for (std::uint64_t key = 0; key < 5000; ++key) ASSERT_NO_FATAL_FAILURE(model.Insert(key));
  const auto scan = [&](std::uint64_t cursor, std::size_t count) {
    return model.table().Scan(cursor, count, [](Ref) {});
  };
  for (int i = 0; i < 1000; ++i) {
    EXPECT_LT(scan(random.Next() >> random.Below(64), 3), TestTable::kCursorEnd);
  }
  EXPECT_EQ(scan(TestTable::kCursorEnd, 10), 0U);
  EXPECT_EQ(scan(std::numeric_limits<std::uint64_t>::max(), 10), 0U);
  EXPECT_EQ(scan(0, std::numeric_limits<std::size_t>::max()), 0U);
  EXPECT_NE(scan(0, 0), 0U);
}

TEST(HashTable, ScanVisitsWhatWasAskedForAndABucketMore) {
  Model model(Spread);
  for (std::uint64_t key = 0; key < 100'000; ++key) ASSERT_NO_FATAL_FAILURE(model.Insert(key));
  for (const std::size_t count : {1U, 10U, 100U, 1000U}) {
    std::size_t visited = 0;
    EXPECT_NE(model.table().Scan(0, count, [&](Ref) { ++visited; }), 0U);
    EXPECT_GE(visited, count);
    EXPECT_LT(visited, count + 40);
  }
}

// --- Random keys

TEST(HashTable, ChoosesEveryEntryWithTheSameChance) {
  for (const std::uint64_t keys : {1U, 2U, 9U, 100U, 1000U, 1111U}) {
    SCOPED_TRACE(testing::Message() << keys << " keys");
    Random random(21);
    Model model(Spread);
    for (std::uint64_t key = 0; key < keys; ++key) ASSERT_NO_FATAL_FAILURE(model.Insert(key));
    std::vector<int> drawn(keys);
    for (std::uint64_t i = 0; i < keys * 200; ++i) {
      const TestTable::Slot slot = model.table().RandomSlot(random);
      ASSERT_TRUE(slot);
      ++drawn[model.arena().at(model.table().ref(slot)).key];
    }
    // 200 expected, standard deviation 14.
    EXPECT_GT(*std::min_element(drawn.begin(), drawn.end()), 120);
    EXPECT_LT(*std::max_element(drawn.begin(), drawn.end()), 290);
  }
}

TEST(HashTable, DrawsWhileAMoveIsUnderWay) {
  Random random(22);
  Model model(Spread);
  std::uint64_t key = 0;
  while (key < 2000 || !model.table().moving()) ASSERT_NO_FATAL_FAILURE(model.Insert(key++));
  static_cast<void>(model.table().Step(60));
  ASSERT_TRUE(model.table().moving());
  std::unordered_set<Ref> drawn;
  for (std::uint64_t i = 0; i < key * 20; ++i) {
    drawn.insert(model.table().ref(model.table().RandomSlot(random)));
  }
  EXPECT_EQ(drawn.size(), key);
}

TEST(HashTable, DrawsNothingFromAnEmptyTableAndTheLastKeyFromALargeOne) {
  Random random(23);
  Model model(Spread);
  EXPECT_FALSE(model.table().RandomSlot(random));
  for (std::uint64_t key = 0; key < 50'000; ++key) ASSERT_NO_FATAL_FAILURE(model.Insert(key));
  for (std::uint64_t key = 1; key < 50'000; ++key) ASSERT_NO_FATAL_FAILURE(model.Erase(key));
  EXPECT_TRUE(model.table().RandomSlot(random));
}

// --- Bounds

TEST(HashTable, NoChangeReadsMoreThanAFewBucketsOfKeys) {
  Model model(Spread);
  std::uint64_t reads_max = 0;
  const auto note = [&](std::uint64_t before) {
    reads_max = std::max(reads_max, model.arena().reads - before);
  };
  constexpr std::uint64_t kKeys = 150'000;
  for (std::uint64_t key = 0; key < kKeys; ++key) {
    const std::uint64_t before = model.arena().reads;
    ASSERT_NO_FATAL_FAILURE(model.Insert(key));
    note(before);
  }
  // Tiny tables move at once: 63 buckets of 8.5 keys, and a few that had spilt.
  EXPECT_LT(reads_max, 650U);
  for (std::uint64_t key = 0; key < kKeys; ++key) {
    const std::uint64_t before = model.arena().reads;
    ASSERT_NO_FATAL_FAILURE(model.Erase(key));
    note(before);
  }
  EXPECT_LT(reads_max, 650U);
}

TEST(HashTable, TakesAtMostTenAndAThirdBytesPerKeyAtEverySize) {
  Model model(Spread);
  std::size_t worst_at = 0;
  double worst = 0;
  double sum = 0;
  constexpr std::uint64_t kFirst = 100'000;
  constexpr std::uint64_t kKeys = 400'000;
  for (std::uint64_t key = 0; key < kKeys; ++key) {
    ASSERT_NO_FATAL_FAILURE(model.Insert(key));
    if (key < kFirst) continue;
    const double per_key = static_cast<double>(model.table().memory_bytes()) /
                           static_cast<double>(model.table().size());
    sum += per_key;
    if (per_key > worst) {
      worst = per_key;
      worst_at = key;
    }
  }
  EXPECT_LT(worst, 10.3) << "at " << worst_at << " keys";
  EXPECT_LT(sum / (kKeys - kFirst), 9.0);
}

// One that says whether memory may be taken.
struct BoundPolicy : TestPolicy {
  const bool* at_limit;

  bool MayTake(std::size_t bytes) const {
    EXPECT_GT(bytes, 0U);
    return !*at_limit;
  }
};

TEST(HashTable, PutsGrowingOffWhileMemoryIsAtItsLimitButNotForEver) {
  constexpr std::size_t kSlots = Bucket::kSlots;
  using Table = HashTable<BoundPolicy>;
  TestArena arena;
  bool at_limit = true;
  Table table(BoundPolicy{{&arena}, &at_limit});
  std::uint64_t key = 0;
  // The load at which the next move begins.
  const auto load_at_next_move = [&] {
    while (table.moving()) static_cast<void>(table.Step(1000));
    const std::uint64_t homes = table.homes();
    while (table.homes() == homes) {
      const std::uint64_t hash = Spread(key);
      EXPECT_TRUE(table.Insert(hash, arena.Add(key, hash)));
      ++key;
    }
    return static_cast<double>(table.size() - 1) / static_cast<double>(homes * kSlots);
  };
  while (table.size() < 100'000) {
    const double load = load_at_next_move();
    if (table.size() < 500) continue;  // whose limits are rounded
    EXPECT_GE(load, Table::kPutOffLoad - 0.001) << table.size();
    EXPECT_LE(load, Table::kPutOffLoad + 0.001) << table.size();
  }
  table.CheckInvariants();
  at_limit = false;
  EXPECT_LE(load_at_next_move(), Table::kGrowLoad + 0.001);
  for (std::uint64_t i = 0; i < key; ++i) ASSERT_TRUE(table.Find(Spread(i), KeyText(i))) << i;
}

// Once there is room for it, a table that has put growing off grows soon.
TEST(HashTable, GrowsWhenThereIsRoomAgain) {
  TestArena arena;
  bool at_limit = false;
  HashTable<BoundPolicy> table(BoundPolicy{{&arena}, &at_limit});
  const auto insert = [&] {
    const std::uint64_t key = table.size();
    EXPECT_TRUE(table.Insert(Spread(key), arena.Add(key, Spread(key))));
  };
  while (table.size() < 10'000 || table.moving()) insert();
  const std::uint64_t homes = table.homes();
  at_limit = true;
  while (table.size() < homes * Bucket::kSlots * 86 / 100) insert();
  EXPECT_EQ(table.homes(), homes);
  at_limit = false;
  for (std::uint64_t i = 0; i <= homes / 8; ++i) insert();
  EXPECT_GT(table.homes(), homes);
}

// A miss compares one key in 256 of those that it passes, so false comparisons count the buckets.
TEST(HashTable, MissesCostNoMoreAfterChurn) {
  constexpr std::uint64_t kKeys = 60'000;
  TestArena arena;
  TestTable table(TestPolicy{&arena});
  std::uint64_t first = 0;
  std::uint64_t next = 0;
  const auto insert = [&] {
    static_cast<void>(table.Insert(Spread(next), arena.Add(next, Spread(next))));
    ++next;
  };
  const auto compared_by_misses = [&] {
    const std::uint64_t before = arena.compared;
    for (std::uint64_t key = 0; key < 200'000; ++key) {
      const std::uint64_t absent = ~key;
      EXPECT_FALSE(table.Find(Spread(absent), KeyText(absent)));
    }
    return arena.compared - before;
  };
  while (next < kKeys) insert();
  while (table.Step(1000)) {
  }
  const std::uint64_t fresh = compared_by_misses();
  for (std::uint64_t i = 0; i < 5 * kKeys; ++i, ++first) {
    const TestTable::Slot slot = table.Find(Spread(first), KeyText(first));
    ASSERT_TRUE(slot);
    arena.Remove(table.ref(slot));
    table.Erase(slot, Spread(first));
    insert();
  }
  EXPECT_LT(compared_by_misses(), fresh + fresh / 10);
}

TEST(HashTable, GivesMemoryBackEachTimeItIsEmptied) {
  Random random(31);
  Model model(Spread);
  for (int round = 0; round < 6; ++round) {
    for (std::uint64_t key = 0; key < 30'000; ++key) {
      ASSERT_NO_FATAL_FAILURE(model.Insert(key));
      if (key % 3 == 0) model.SetDeadline(key, kStart + static_cast<std::int64_t>(key));
    }
    if (round % 2 == 0) {
      for (std::uint64_t key = 0; key < 30'000; ++key) ASSERT_NO_FATAL_FAILURE(model.Erase(key));
    } else {
      for (std::uint64_t key = 1; key < 30'000; ++key) {
        ASSERT_NO_FATAL_FAILURE(model.SetDeadline(key, kStart + 5));
      }
      UnixMs now = kStart + 100'000 * (round + 1);
      while (!model.expected().empty() && model.table().deadlines() != 0) {
        model.Sweep(now += ExpireWheel::kTickMs, 1000);
      }
      ASSERT_NO_FATAL_FAILURE(model.Erase(0));
    }
    while (model.table().Step(64)) {
    }
    ASSERT_EQ(model.table().size(), 0U);
    model.table().CheckInvariants();
    EXPECT_LT(model.table().memory_bytes(), 1024U);
  }
}

TEST(HashTable, SettlesOnceItsSizeHasStayedForThreeSeconds) {
  Model model(Spread);
  std::uint64_t keys = 0;
  const auto grow_by = [&](std::uint64_t count) {
    for (const std::uint64_t end = keys + count; keys < end; ++keys) {
      ASSERT_NO_FATAL_FAILURE(model.Insert(keys));
    }
  };
  ASSERT_NO_FATAL_FAILURE(grow_by(7'000));
  while (model.table().Step(100)) {
  }
  UnixMs now = kStart;
  const auto wait = [&](UnixMs span) {
    for (const UnixMs end = now + span; now < end; now += 100) model.Sweep(now, 10);
    model.Sweep(now, 10);
  };
  wait(2'900);
  EXPECT_FALSE(model.table().settled());
  wait(100);
  EXPECT_TRUE(model.table().settled());
  // A move ends the rest, and one that grows on finds none.
  while (!model.table().moving()) ASSERT_NO_FATAL_FAILURE(grow_by(1));
  EXPECT_FALSE(model.table().settled());
  while (model.table().Step(100)) {
  }
  for (int second = 0; second < 7; ++second) {
    wait(1'000);
    ASSERT_NO_FATAL_FAILURE(grow_by(90));
    ASSERT_FALSE(model.table().settled());
  }
  ASSERT_FALSE(model.table().moving());
  // Neither does a clock that is set back count as time.
  now -= 3'600'000;
  wait(2'900);
  EXPECT_FALSE(model.table().settled());
  wait(200);
  EXPECT_TRUE(model.table().settled());
  model.table().CheckInvariants();
}

TEST(HashTable, ClearForgetsEverything) {
  Model model(Spread);
  for (std::uint64_t key = 0; key < 1000; ++key) {
    ASSERT_NO_FATAL_FAILURE(model.Insert(key));
    model.SetDeadline(key, kStart);
  }
  std::size_t visited = 0;
  model.table().ForEach([&](Ref) { ++visited; });
  EXPECT_EQ(visited, 1000U);
  model.table().Clear();
  model.table().CheckInvariants();
  EXPECT_EQ(model.table().size(), 0U);
  EXPECT_EQ(model.table().deadlines(), 0U);
  EXPECT_FALSE(model.Find(1));
}

// --- Expiry

// Keys that are left although the tick after their deadline had come `ticks` before.
std::size_t CountLate(const Model& model, UnixMs now, std::int64_t ticks) {
  return static_cast<std::size_t>(
      std::count_if(model.expected().begin(), model.expected().end(), [&](const auto& it) {
        const UnixMs deadline = it.second.deadline;
        return deadline != kNoDeadline &&
               deadline / ExpireWheel::kTickMs + 1 + ticks <= now / ExpireWheel::kTickMs;
      }));
}

void ExpectDeadlinesFromFloorOn(const Model& model) {
  const UnixMs floor = model.table().deadline_floor();
  for (const auto& [key, value] : model.expected()) {
    if (value.deadline != kNoDeadline) {
      ASSERT_GE(value.deadline, floor);
    }
  }
}

void RunExpiryModel(std::uint64_t seed, std::uint64_t keys, int steps, int check_every) {
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  Random random(seed);
  Model model(Spread);
  UnixMs now = kStart;
  for (int step = 0; step < steps; ++step) {
    const unsigned insert_percent = step / (steps / 3) % 2 == 0 ? 85 : 25;
    for (int i = 0; i < 20; ++i) {
      ASSERT_NO_FATAL_FAILURE(RandomChange(model, random, keys, insert_percent, now));
    }
    now += random.Below(100) == 0 ? static_cast<std::int64_t>(random.Below(20'000))
                                  : static_cast<std::int64_t>(random.Below(100));
    if (random.Below(500) == 0) now -= static_cast<std::int64_t>(random.Below(10'000));
    const std::size_t keys_max = random.Below(4) == 0 ? random.Below(30) : keys * 8;
    const TestTable::SweepResult result = model.Sweep(now, keys_max);
    ASSERT_LE(result.looked_at, keys_max);
    if (step % check_every != 0) continue;
    model.table().CheckInvariants();
    ASSERT_NO_FATAL_FAILURE(ExpectDeadlinesFromFloorOn(model));
    // Keys that a move carried out of a sweep that was cut short come one tick later.
    if (!result.more) {
      ASSERT_EQ(CountLate(model, now, 1), 0U);
    }
  }
  ASSERT_NO_FATAL_FAILURE(model.ExpectAll());
}

TEST(HashTable, ExpiresEachKeyWhenDueInSmallTables) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    ASSERT_NO_FATAL_FAILURE(RunExpiryModel(seed, 1500, 600, 1));
  }
}

TEST(HashTable, ExpiresEachKeyWhenDueWhileALargeTableIsResized) {
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    ASSERT_NO_FATAL_FAILURE(RunExpiryModel(seed, 100'000, 9'000, 500));
  }
}

TEST(HashTable, ExpiresExactlyAtTheTickWithoutInterruptions) {
  Random random(41);
  Model model(Spread);
  UnixMs now = kStart;
  for (std::uint64_t key = 0; key < 60'000; ++key) {
    ASSERT_NO_FATAL_FAILURE(model.Insert(key));
    ASSERT_NO_FATAL_FAILURE(
        model.SetDeadline(key, now + static_cast<std::int64_t>(random.Below(60'000))));
  }
  while (!model.expected().empty()) {
    now += static_cast<std::int64_t>(random.Below(100));
    ASSERT_FALSE(model.Sweep(now, 200'000).more);
    if (random.Below(10) == 0) {
      ASSERT_EQ(CountLate(model, now, 0), 0U);
    }
  }
  model.table().CheckInvariants();
}

TEST(HashTable, SweepsManyKeysDueAtOnceInBoundedSteps) {
  constexpr std::uint64_t kKeys = 100'000;
  Model model(Spread);
  model.Sweep(kStart, 1);
  for (std::uint64_t key = 0; key < kKeys; ++key) {
    ASSERT_NO_FATAL_FAILURE(model.Insert(key));
    ASSERT_NO_FATAL_FAILURE(model.SetDeadline(key, kStart + 5000));
  }
  EXPECT_EQ(model.Sweep(kStart + 900, kKeys).looked_at, 0U);
  std::size_t calls = 0;
  for (bool more = true; more; ++calls) {
    const TestTable::SweepResult result = model.Sweep(kStart + 5100, 1000);
    ASSERT_LE(result.looked_at, 1000U);
    more = result.more;
  }
  // Those that the shrinking table carried out of the sweep come with the next tick.
  while (model.Sweep(kStart + 5200, 1000).more) ++calls;
  EXPECT_TRUE(model.expected().empty());
  EXPECT_LT(calls, 3 * kKeys / 1000);
}

TEST(HashTable, GivesKeysThatMoveOutOfASweepAtTheNextTick) {
  Model model(Spread);
  model.Sweep(kStart, 1);
  std::uint64_t keys = 0;
  while (keys < 1000 || !model.table().moving()) {
    ASSERT_NO_FATAL_FAILURE(model.Insert(keys));
    ASSERT_NO_FATAL_FAILURE(model.SetDeadline(keys++, kStart + 20'000));
  }
  EXPECT_FALSE(model.Sweep(kStart + 19'900, 4 * keys).more);
  EXPECT_EQ(model.expected().size(), keys);
  ASSERT_TRUE(model.Sweep(kStart + 20'100, 10).more);
  EXPECT_FALSE(model.table().Step(1000));
  model.table().CheckInvariants();
  // The rest of the pass meets none of them, and must not claim that they are gone.
  EXPECT_FALSE(model.Sweep(kStart + 20'100, 4 * keys).more);
  EXPECT_FALSE(model.expected().empty());
  EXPECT_LE(model.table().deadline_floor(), kStart + 20'000);
  model.Sweep(kStart + 20'100 + ExpireWheel::kTickMs, keys);
  model.Sweep(kStart + 20'100 + 2 * ExpireWheel::kTickMs, keys);
  EXPECT_TRUE(model.expected().empty());
  EXPECT_GT(model.table().deadline_floor(), kStart + 20'100);
}

// After a jump over a level all its codes are due, those of keys filed during the sweep as well.
TEST(HashTable, KeepsItsBitmapWhenASweepStopsAndGoesOnInTheMiddleOfAChunk) {
  Random random(61);
  TestArena arena;
  TestTable table(TestPolicy{&arena});
  constexpr std::uint64_t kKeys = 45'000;
  static_assert(kKeys > DeadlineCodes::kBitmapSlotsMin);
  UnixMs now = kStart;
  const auto keep = [&](TestTable::Slot) {
    return ExpireVerdict::KeepUntil(now + static_cast<std::int64_t>(random.Below(3000)));
  };
  table.ExpireSweep(now, 1, keep);
  for (std::uint64_t key = 0; key < kKeys; ++key) {
    table.SetDeadline(table.Insert(Spread(key), arena.Add(key, Spread(key))), now + 2000);
  }
  now += 10'000;
  for (int call = 0; call < 60; ++call) {
    static_cast<void>(table.ExpireSweep(now, 1 + random.Below(1500), keep));
    table.CheckInvariants();
  }
}

TEST(HashTable, RefreshingADeadlineLooksAtTheKeyOnlyWhenTheOldOneComes) {
  Model model(Spread);
  model.Sweep(kStart, 1);
  ASSERT_NO_FATAL_FAILURE(model.Insert(1));
  std::size_t looks = 0;
  for (UnixMs now = kStart; now < kStart + 600'000; now += 50) {
    model.SetDeadline(1, now + 30'000);
    looks += model.Sweep(now, 10).looked_at;
  }
  EXPECT_LT(looks, 50U);
  EXPECT_EQ(model.expected().size(), 1U);
  model.Sweep(kStart + 700'000, 10);
  EXPECT_TRUE(model.expected().empty());
}

}  // namespace
}  // namespace aeris::storage
