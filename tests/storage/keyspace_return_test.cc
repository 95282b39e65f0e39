// Memory returns: after any change of what is stored, the keyspace holds little more than one that
// was filled with the same content afresh.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <random>
#include <string>
#include <utility>

#include "storage/keyspace.h"
#include "tests/storage/keyspace_fixture.h"

namespace aeris::storage {
namespace {

using testing::kNow;
using testing::Pattern;
using testing::Set;
using testing::Shared;
using testing::TextAt;

constexpr UnixMs kLater = kNow + 1'000'000'000;

std::size_t BytesOf(const Keyspace& keyspace) {
  const Keyspace::Memory memory = keyspace.memory();
  return memory.table + memory.arena + memory.blobs;
}

// Keys 0, 1, ... some without a value, every fourth with a deadline, now and then a large value.
class MemoryReturns : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kKeys = 60'000;
  // Pages that stay resident however small the keyspace is: 16 empty ones, and the last one of each
  // size class in use, 8 here.
  static constexpr std::size_t kReserve = std::size_t{24} << 16;

  static std::string KeyOf(std::uint64_t number) {
    return std::to_string(1'000'000'000'000'000 + number);
  }
  void Fill(std::uint64_t number, std::size_t size) {
    sizes_[number] = number % 1'000 == 7 ? 5'000 + size : size;
    Put(keyspace_, number);
  }
  void Put(Keyspace& keyspace, std::uint64_t number) {
    Set(keyspace, KeyOf(number), Pattern(sizes_[number], number),
        number % 4 == 0 ? kLater : kNoDeadline);
  }
  void Remove(std::uint64_t number) {
    ASSERT_EQ(keyspace_.Delete(keyspace_.Hash(KeyOf(number)), kNow), sizes_.erase(number) != 0);
  }

  // What the server's time event does, with an eye on every step.
  void Maintain() {
    std::size_t steps = 0;
    while (keyspace_.Maintain(1'000)) {
      if (++steps % 32 == 0) keyspace_.CheckInvariants();
      ASSERT_LT(steps, 10'000u) << "the sweep finds no end";
    }
    keyspace_.CheckInvariants();
    EXPECT_FALSE(keyspace_.Maintain(1'000));
  }

  void ExpectAsTightAsFresh(const char* what) {
    Maintain();
    Keyspace fresh(shared_.context);
    for (const auto& [number, size] : sizes_) Put(fresh, number);
    while (fresh.Maintain(1'000)) {
    }
    ASSERT_EQ(keyspace_.size(), sizes_.size());
    const auto held =
        static_cast<double>(BytesOf(keyspace_) - std::min(BytesOf(keyspace_), kReserve));
    const auto least = static_cast<double>(BytesOf(fresh));
    const Keyspace::Memory now = keyspace_.memory(), then = fresh.memory();
    std::printf(
        "%s: %.3f of a fresh fill beyond %zu KiB; KiB table %zu, arena %zu, blobs %zu; fresh "
        "%zu, %zu, %zu\n",
        what, held / least, kReserve / 1024, now.table / 1024, now.arena / 1024, now.blobs / 1024,
        then.table / 1024, then.arena / 1024, then.blobs / 1024);
    EXPECT_LE(held, 1.15 * least) << what;
    for (const auto& [number, size] : sizes_) {
      if (number % 16 == 0) {
        ASSERT_EQ(TextAt(keyspace_, KeyOf(number), kNow), Pattern(size, number));
      }
    }
  }

  std::mt19937_64 engine_{1};
  Shared shared_;
  Keyspace keyspace_{shared_.context};
  std::map<std::uint64_t, std::size_t> sizes_;
};

TEST_F(MemoryReturns, AfterHalfIsDeletedAndTheRestReplaced) {
  for (std::uint64_t i = 0; i < kKeys; ++i) Fill(i, 32);
  for (std::uint64_t i = 0; i < kKeys; ++i) {
    if (engine_() % 2 == 0) Remove(i);
  }
  ExpectAsTightAsFresh("half deleted");
  for (const std::size_t size : {std::size_t{100}, std::size_t{20}}) {
    for (std::uint64_t i = 0; i < kKeys; ++i) {
      if (sizes_.contains(i)) Fill(i, size);
      if (i % 500 == 0) keyspace_.Maintain(1'000);
    }
    ExpectAsTightAsFresh("rest replaced");
  }
}

TEST_F(MemoryReturns, AfterNineTenthsAreDeleted) {
  for (std::uint64_t i = 0; i < kKeys; ++i) Fill(i, 20 + engine_() % 3 * 60);
  for (std::uint64_t i = 0; i < kKeys; ++i) {
    if (engine_() % 10 != 0) Remove(i);
  }
  ExpectAsTightAsFresh("nine tenths deleted");
}

TEST_F(MemoryReturns, UnderChurn) {
  for (std::uint64_t i = 0; i < kKeys; ++i) Fill(i, 100 + engine_() % 3 * 60);
  for (int round = 0; round < 3; ++round) {
    for (std::uint64_t i = 0; i < kKeys; ++i) {
      const std::uint64_t number = engine_() % kKeys;
      if (engine_() % 3 != 0) {
        Fill(number, 20 + engine_() % 3 * 20);
      } else if (sizes_.contains(number)) {
        Remove(number);
      }
      if (i % 1'000 == 0) keyspace_.Maintain(1'000);
    }
    ExpectAsTightAsFresh("churn");
  }
}

// Changes between the steps of one page's emptying, of its own entries too.
TEST_F(MemoryReturns, WhileThePageThatIsEmptiedChanges) {
  constexpr std::uint64_t kSome = 20'000;
  for (std::uint64_t i = 0; i < kSome; ++i) Fill(i, 10 + i % 3);
  for (std::uint64_t i = 0; i < kSome; ++i) {
    if (engine_() % 3 != 0) Remove(i);
  }
  for (int step = 0; step < 3'000; ++step) {
    keyspace_.Maintain(1 + engine_() % 9);
    const std::uint64_t number = engine_() % kSome;
    if (engine_() % 2 == 0) {
      Fill(number, 10 + engine_() % 3);
    } else if (sizes_.contains(number)) {
      Remove(number);
    }
    if (step % 50 == 0) keyspace_.CheckInvariants();
  }
  ExpectAsTightAsFresh("changed in between");
}

// A page that comes and goes at the edge of a class does not set off the sweep each time.
TEST_F(MemoryReturns, WithoutThrashingAtTheEdgeOfAPage) {
  constexpr std::uint64_t kSome = 4'000;
  for (std::uint64_t i = 0; i < kSome; ++i) Fill(i, 32);
  Maintain();
  std::size_t steps_with_work = 0;
  for (std::uint64_t round = 0; round < 200; ++round) {
    for (std::uint64_t i = 0; i < 40; ++i) Fill(kSome + i, 32);
    for (std::uint64_t i = 0; i < 40; ++i) Remove(kSome + i);
    steps_with_work += keyspace_.Maintain(1'000);
  }
  EXPECT_LE(steps_with_work, 2u);
}

// Values that grow through every size class and come back.
TEST_F(MemoryReturns, AfterValuesGrewThroughEveryClassAndBack) {
  constexpr std::uint64_t kSome = 300;
  for (int round = 0; round < 2; ++round) {
    for (std::size_t size = 1; size < 6'000; size += 1 + size / 40) {
      for (std::uint64_t i = 0; i < kSome; ++i) {
        const std::string key = "grows:" + std::to_string(i);
        const auto text = keyspace_.ResizeString(keyspace_.Hash(key), size + i % 7, kNow);
        ASSERT_TRUE(text);
        (*text)[size - 1] = 'x';
      }
      keyspace_.Maintain(1'000);
      if (size % 8 == 0) keyspace_.CheckInvariants();
    }
    for (std::uint64_t i = 0; i < kSome; ++i) Set(keyspace_, "grows:" + std::to_string(i), "short");
    Maintain();
    EXPECT_LE(BytesOf(keyspace_), kReserve);
    EXPECT_EQ(keyspace_.memory().blobs, 0u);
  }
}

TEST_F(MemoryReturns, AfterATableIsEmptiedAndRefilledAThousandTimes) {
  std::size_t most = 0;
  for (int round = 0; round < 1'000; ++round) {
    const std::uint64_t count = 50 + engine_() % 100;
    const std::size_t size = engine_() % 300;
    for (std::uint64_t i = 0; i < count; ++i) Fill(i, size);
    for (std::uint64_t i = 0; i < count; ++i) Remove(i);
    if (round % 10 == 0) Maintain();
    if (round % 100 == 0) keyspace_.CheckInvariants();
    ASSERT_EQ(keyspace_.size(), 0u);
    ASSERT_EQ(keyspace_.memory().entries, 0u);
    ASSERT_EQ(keyspace_.memory().blobs, 0u);
    if (round == 100) most = BytesOf(keyspace_);
  }
  Maintain();
  EXPECT_LE(BytesOf(keyspace_), most + (std::size_t{64} << 10));
}

// Ten seconds in which nothing is asked of it.
void ComeToRest(Keyspace& keyspace, UnixMs* now) {
  for (int step = 0; step < 100; ++step) {
    while (keyspace.Maintain(1'000)) {
    }
    keyspace.ExpireDue(*now += 100, 1'000);
  }
}

// Huge pages for all that wants them, and how many there were.
std::size_t TakeHugePages(Keyspace& keyspace, bool* none_made) {
  std::size_t taken = 0;
  while (keyspace.WantsHugePage()) {
    HugePage page = HugePage::Make();
    if (!page) {
      *none_made = true;
      break;
    }
    if (!keyspace.TakeHugePage(std::move(page))) ADD_FAILURE();
    ++taken;
  }
  return taken;
}

TEST(KeyspaceHugePages, HoldWhatSmallOnesHeld) {
  Shared shared;
  Keyspace keyspace(shared.context);
  constexpr std::size_t kKeys = 300'000;
  const auto value_of = [](std::size_t i) { return Pattern(20 + i % 40, i); };
  UnixMs now = kNow;
  bool none_made = false;
  EXPECT_FALSE(keyspace.WantsHugePage());
  for (std::size_t i = 0; i < kKeys; ++i) {
    Set(keyspace, std::to_string(i), value_of(i), i % 3 == 0 ? kNow + 86'400'000 : kNoDeadline);
  }
  EXPECT_FALSE(keyspace.WantsHugePage()) << "not while it has just changed";
  ComeToRest(keyspace, &now);
  const Keyspace::Memory before = keyspace.memory();
  const std::size_t taken = TakeHugePages(keyspace, &none_made);
  if (none_made) GTEST_SKIP() << "this kernel gives no huge page";
  const std::size_t blocks = (before.table + before.arena) / HugePage::kBytes;
  EXPECT_GE(taken, blocks - 4);
  EXPECT_LE(taken, blocks);
  keyspace.CheckInvariants();
  for (std::size_t i = 0; i < kKeys; ++i) {
    ASSERT_EQ(TextAt(keyspace, std::to_string(i), now), value_of(i));
  }
  // Once is enough, and what is there can be changed, deleted and given back as before.
  ComeToRest(keyspace, &now);
  EXPECT_FALSE(keyspace.WantsHugePage());
  for (std::size_t i = 0; i < kKeys; i += 2) {
    ASSERT_TRUE(keyspace.Delete(keyspace.Hash(std::to_string(i)), now));
  }
  ComeToRest(keyspace, &now);
  EXPECT_LT(keyspace.memory().arena, before.arena * 13 / 20);
  for (std::size_t i = kKeys; i < 2 * kKeys; ++i) Set(keyspace, std::to_string(i), value_of(i));
  ComeToRest(keyspace, &now);
  TakeHugePages(keyspace, &none_made);
  keyspace.CheckInvariants();
  for (std::size_t i = 1; i < 2 * kKeys; i += i < kKeys ? 2 : 1) {
    ASSERT_EQ(TextAt(keyspace, std::to_string(i), now), value_of(i)) << i;
  }
}

}  // namespace
}  // namespace aeris::storage
