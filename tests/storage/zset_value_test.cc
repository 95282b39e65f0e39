// Sorted sets in each encoding and across the conversion, against a std::map.
#include "storage/zset_value.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/member_source.h"
#include "tests/storage/keyspace_fixture.h"

namespace aeris::storage {
namespace {

using testing::kNow;
using testing::Shared;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

using Elements = std::vector<std::pair<double, std::string>>;  // in the order of a sorted set

Elements Sorted(const std::map<std::string, double>& model) {
  Elements elements;
  for (const auto& [member, score] : model) elements.emplace_back(score, member);
  std::ranges::sort(elements);
  return elements;
}

// Thresholds under which a sorted set of a few hundred elements stays in one encoding, or not.
struct Form {
  const char* name;
  ZsetLimits limits;
};
void PrintTo(const Form& form, std::ostream* out) { *out << form.name; }

class ZsetValue : public ::testing::TestWithParam<Form> {
 protected:
  ~ZsetValue() override { keyspace_.CheckInvariants(); }

  HashedKey key() const { return keyspace_.Hash("zset"); }
  EntryView Find() { return keyspace_.Find(key(), kNow, kPeek); }
  ZsetView View() { return ZsetView(Find()); }
  ZsetEditor Edit() { return {keyspace_, key(), Find(), GetParam().limits, kNow}; }
  ZsetChange Set(const std::string& member, double score) {
    ZsetEditor editor = Edit();
    const ZsetChange change =
        editor.Update(member, [&](std::optional<double>) { return std::optional(score); });
    EXPECT_EQ(editor.Commit(), StoreResult::kStored);
    return change;
  }
  Elements All(bool reverse = false) {
    Elements found;
    const ZsetView view = View();
    view.Walk(reverse ? view.size() - 1 : 0, view.size(), reverse,
              [&](std::string_view member, double score) { found.emplace_back(score, member); });
    return found;
  }
  void Check(const std::map<std::string, double>& model) {
    const Elements expected = Sorted(model);
    ASSERT_EQ(View().size(), expected.size());
    ASSERT_EQ(All(), expected);
    ASSERT_EQ(All(true), Elements(expected.rbegin(), expected.rend()));
    for (std::size_t rank = 0; rank < expected.size(); rank += 1 + expected.size() / 16) {
      ASSERT_EQ(View().Rank(expected[rank].second), rank);
      ASSERT_EQ(View().Score(expected[rank].second), expected[rank].first);
    }
    if (const EntryView entry = Find()) {
      if (entry.structure() != nullptr) entry.structure()->CheckInvariants();
      ASSERT_EQ(entry.element_count(), expected.size());
    }
  }

  Shared shared_;
  Keyspace keyspace_{shared_.context};
};

INSTANTIATE_TEST_SUITE_P(
    Encodings, ZsetValue,
    ::testing::Values(Form{"packed",
                           {.packed_elements_max = 10000, .packed_member_bytes_max = 999}},
                      Form{"structure", {.packed_elements_max = 0}},
                      Form{"byCount", {.packed_elements_max = 40}},
                      Form{"byLength", {.packed_elements_max = 999, .packed_member_bytes_max = 4}}),
    [](const auto& form) { return form.param.name; });

std::string MemberOf(std::uint64_t number) {
  if (number % 3 == 0) return std::to_string(number);  // integers are packed as such
  return "member" + std::string(number % 11, 'x') + std::to_string(number);
}

double ScoreOf(Random& random) {
  switch (random.Below(6)) {
    case 0:
      return static_cast<double>(random.Below(10));
    case 1:
      return random.Below(2) == 0 ? kInfinity : -kInfinity;
    case 2:
      return static_cast<double>(random.Below(1u << 30)) * 1e300;
    case 3:
      return -static_cast<double>(random.Below(1000)) / 8;
    default:
      return static_cast<double>(random.Next()) / 3;
  }
}

TEST_P(ZsetValue, RandomChangesMatchAMap) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  Random random(seed);
  std::map<std::string, double> model;
  for (int i = 0; i < 6000; ++i) {
    const std::string member = MemberOf(random.Below(400));
    const std::uint64_t what = random.Below(100);
    if (what < 60) {
      const double score = ScoreOf(random);
      const auto old = model.find(member);
      const ZsetChange expected = old == model.end()     ? ZsetChange::kAdded
                                  : old->second == score ? ZsetChange::kNone
                                                         : ZsetChange::kUpdated;
      ASSERT_EQ(Set(member, score), expected);
      model[member] = score;
    } else if (what < 97) {
      ZsetEditor editor = Edit();
      ASSERT_EQ(editor.Remove(member), model.erase(member) == 1);
      ASSERT_EQ(editor.Commit(), StoreResult::kStored);
    } else if (!model.empty()) {
      const Elements before = Sorted(model);
      const std::uint64_t first = random.Below(before.size());
      const std::uint64_t count =
          1 + random.Below(std::min<std::uint64_t>(90, before.size() - first));
      ZsetEditor editor = Edit();
      editor.RemoveRanks(first, count);
      ASSERT_EQ(editor.Commit(), StoreResult::kStored);
      for (std::uint64_t rank = first; rank < first + count; ++rank) {
        model.erase(before[rank].second);
      }
    }
    if (i % 100 == 0) {
      ASSERT_NO_FATAL_FAILURE(Check(model));
    }
  }
  ASSERT_NO_FATAL_FAILURE(Check(model));
}

TEST_P(ZsetValue, RangesOfScoresMatchAScan) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  Random random(seed);
  for (int i = 0; i < 300; ++i) {
    Set(MemberOf(random.Below(1000)), static_cast<double>(random.Below(50)) - 25);
  }
  const Elements all = All();
  for (int i = 0; i < 2000; ++i) {
    const auto end = [&] {
      return random.Below(10) == 0 ? (random.Below(2) == 0 ? kInfinity : -kInfinity)
                                   : static_cast<double>(random.Below(60)) - 30;
    };
    const ScoreRange range{.min = end(),
                           .max = end(),
                           .min_exclusive = random.Below(2) == 0,
                           .max_exclusive = random.Below(2) == 0};
    const auto inside = [&](const auto& each) {
      return range.AboveMin(each.first) && range.BelowMax(each.first);
    };
    const auto expected = static_cast<std::uint64_t>(std::ranges::count_if(all, inside));
    const RankRange ranks = View().RanksOf(range);
    ASSERT_EQ(ranks.size(), expected);
    if (expected != 0) {
      ASSERT_EQ(ranks.first,
                static_cast<std::uint64_t>(std::ranges::find_if(all, inside) - all.begin()));
    }
  }
}

TEST_P(ZsetValue, RangesOfMembersMatchAScan) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  Random random(seed);
  for (int i = 0; i < 300; ++i) Set(MemberOf(random.Below(1000)), 7);
  const Elements all = All();
  for (int i = 0; i < 2000; ++i) {
    const std::string low = MemberOf(random.Below(1000)), high = MemberOf(random.Below(1000));
    const auto kind = [&] { return static_cast<LexBound::Kind>(random.Below(4)); };
    const LexRange range{.min = {kind(), low}, .max = {kind(), high}};
    const auto inside = [&](const auto& each) {
      return range.AboveMin(each.second) && range.BelowMax(each.second);
    };
    const auto expected = static_cast<std::uint64_t>(std::ranges::count_if(all, inside));
    for (const bool from_end : {false, true}) {
      const RankRange ranks = View().RanksOf(range, from_end);
      ASSERT_EQ(ranks.size(), expected);
      if (expected != 0) {
        ASSERT_EQ(ranks.first,
                  static_cast<std::uint64_t>(std::ranges::find_if(all, inside) - all.begin()));
      }
    }
  }
}

TEST_P(ZsetValue, ScanGivesEachMemberOnce) {
  std::map<std::string, double> model;
  for (std::uint64_t i = 0; i < 300; ++i) {
    model[MemberOf(i)] = static_cast<double>(i);
    Set(MemberOf(i), static_cast<double>(i));
  }
  std::map<std::string, double> seen;
  std::uint64_t cursor = 0;
  do {
    cursor = View().Scan(cursor, 10, [&](std::string_view member, double score) {
      EXPECT_TRUE(seen.emplace(member, score).second) << member;
    });
  } while (cursor != 0);
  EXPECT_EQ(seen, model);
}

TEST_P(ZsetValue, VisitsEndWhenTheVisitSaysSo) {
  for (std::uint64_t i = 0; i < 50; ++i) Set(MemberOf(i), static_cast<double>(i));
  int visited = 0;
  View().ForEach([&](std::string_view, double) { return ++visited < 7; });
  EXPECT_EQ(visited, 7);
}

TEST_P(ZsetValue, IsStoredWholeAndCopied) {
  std::vector<ScoredMember> elements;
  std::map<std::string, double> model;
  for (std::uint64_t i = 0; i < 200; ++i) {
    elements.push_back({MemberOf(i), static_cast<double>(i * 7919 % 100)});
    model[elements.back().member] = elements.back().score;
  }
  ASSERT_EQ(StoreZset(keyspace_, key(), elements, GetParam().limits, kNow), StoreResult::kStored);
  ASSERT_NO_FATAL_FAILURE(Check(model));
  Keyspace other(shared_.context);
  ASSERT_EQ(keyspace_.Copy(key(), other, key(), kNow), StoreResult::kStored);
  elements.clear();
  ASSERT_EQ(StoreZset(keyspace_, key(), elements, GetParam().limits, kNow), StoreResult::kStored);
  EXPECT_FALSE(Find());
  ASSERT_EQ(other.Move(key(), keyspace_, key(), kNow), StoreResult::kStored);
  ASSERT_NO_FATAL_FAILURE(Check(model));
}

TEST_P(ZsetValue, RemovingTheLastElementRemovesTheKey) {
  Set("only", 1);
  ZsetEditor editor = Edit();
  EXPECT_TRUE(editor.Remove("only"));
  EXPECT_EQ(editor.Commit(), StoreResult::kStored);
  EXPECT_FALSE(Find());
}

TEST_P(ZsetValue, LongMembersAreKept) {
  std::map<std::string, double> model;
  for (std::size_t size = 0; size < 5000; size = size * 2 + 1) {
    const std::string member(size, 'm');
    model[member] = static_cast<double>(size % 7);
    Set(member, model[member]);
  }
  ASSERT_NO_FATAL_FAILURE(Check(model));
}

class ZsetThresholds : public ::testing::Test {
 protected:
  Encoding With(const ZsetLimits& limits, const std::vector<std::string>& members) {
    const HashedKey key = keyspace_.Hash("zset");
    keyspace_.Delete(key, kNow);
    for (const std::string& member : members) {
      ZsetEditor editor(keyspace_, key, keyspace_.Find(key, kNow, kPeek), limits, kNow);
      editor.Update(member, [](std::optional<double>) { return std::optional(1.0); });
      EXPECT_EQ(editor.Commit(), StoreResult::kStored);
    }
    return keyspace_.Find(key, kNow, kPeek).encoding();
  }

  Shared shared_;
  Keyspace keyspace_{shared_.context};
};

TEST_F(ZsetThresholds, AreThoseOfRedis) {
  const ZsetLimits limits{.packed_elements_max = 3, .packed_member_bytes_max = 4};
  EXPECT_EQ(With(limits, {"a", "b", "cccc"}), Encoding::kListpack);
  EXPECT_EQ(With(limits, {"a", "b", "c", "d"}), Encoding::kSkiplist);
  EXPECT_EQ(With(limits, {"ccccc"}), Encoding::kSkiplist);
  EXPECT_EQ(With({.packed_elements_max = 0}, {"a"}), Encoding::kSkiplist);
}

// The bytes are Redis's, as its DUMP shows them.
TEST(PackedZset, BytesAreThoseOfRedis) {
  PackedBlock block;
  packed_zset::Insert(block, "b", 1.5);
  packed_zset::Insert(block, "a", -0.0);
  packed_zset::Insert(block, "12", 5e18);
  packed_zset::Insert(block, "c", 3);
  const PackedView view = block.view();
  std::vector<std::string> items;
  std::vector<bool> integers;
  for (auto at = view.First(); at != PackedView::kEnd; at = view.Next(at)) {
    items.push_back(view.Get(at).String());
    integers.push_back(view.Get(at).is_integer);
  }
  EXPECT_EQ(items, (std::vector<std::string>{"a", "0", "b", "1.5", "c", "3", "12", "5e+18"}));
  EXPECT_EQ(integers, (std::vector<bool>{false, true, false, false, false, true, true, false}));
  EXPECT_TRUE(PackedView::Valid(block.bytes()));
}

TEST(PackedZset, KeepsIntegersWithinTwoToThe62) {
  EXPECT_EQ(PackedInteger(4611686018427387904.0), std::int64_t{1} << 62);
  EXPECT_EQ(PackedInteger(-4611686018427387904.0), -(std::int64_t{1} << 62));
  EXPECT_EQ(PackedInteger(4611686018427388928.0), std::nullopt);
  EXPECT_EQ(PackedInteger(0.5), std::nullopt);
  EXPECT_EQ(PackedInteger(kInfinity), std::nullopt);
  EXPECT_EQ(PackedInteger(std::nan("")), std::nullopt);
}

// What the head of zset_structure.h says. Redis 7.0 takes 133 bytes of resident memory for each.
TEST(ZsetStructure, TakesLessThan56BytesForMembersOf16) {
  const Shared shared;
  ZsetStructure elements(shared.context.hasher);
  Random random(1);
  constexpr std::size_t kCount = 1'000'000;
  for (std::size_t i = 0; i < kCount; ++i) {
    char member[17];
    std::snprintf(member, sizeof member, "member:%09zu", i);
    ASSERT_TRUE(elements.Insert(member, static_cast<double>(random.Below(kCount))));
  }
  EXPECT_LT(elements.memory_bytes(), kCount * 56);
  EXPECT_LT(elements.FreeEffort(), kCount / 20);
}

// A renewal of the heap moves members while some of them are not in the tree.
TEST(ZsetStructure, StaysWholeWhileMembersMove) {
  const Shared shared;
  ZsetStructure elements(shared.context.hasher);
  Random random(2);
  std::map<std::string, double> model;
  for (int round = 0; round < 6; ++round) {
    for (int i = 0; i < 20000; ++i) {
      const std::string member = "m" + std::string(random.Below(60), 'y') + std::to_string(i);
      const auto score = static_cast<double>(random.Below(1000));
      elements.Update(member, [&](std::optional<double>) { return std::optional(score); });
      model[member] = score;
    }
    elements.CheckInvariants();
    ASSERT_EQ(elements.size(), model.size());
    const Elements before = Sorted(model);
    const std::uint64_t count = before.size() * 3 / 4;
    elements.RemoveRanks(before.size() / 8, count);
    for (std::uint64_t i = 0; i < count; ++i) model.erase(before[before.size() / 8 + i].second);
    elements.CheckInvariants();
    ASSERT_EQ(elements.size(), model.size());
  }
}

// Members come back, go and move while what was cut out has not left the table yet.
TEST(ZsetStructure, IsAMapWhileRangesThatWereCutOutLeaveIt) {
  for (const std::uint64_t scores : {1U, 50U, 100'000U}) {
    SCOPED_TRACE(::testing::Message() << scores << " scores");
    const Shared shared;
    ZsetStructure elements(shared.context.hasher);
    Random random(scores);
    std::map<std::string, double> model;
    const auto member = [&] {
      const std::uint64_t number = random.Below(12'000);
      return "m" + std::string(number % 50, 'y') + std::to_string(number);
    };
    const auto add = [&] {
      const std::string text = member();
      const auto score = static_cast<double>(random.Below(scores));
      const bool there = model.contains(text);
      elements.Update(text, [&](std::optional<double> old) {
        EXPECT_EQ(old.has_value(), there);
        EXPECT_TRUE(!old || *old == model[text]);
        return std::optional(score);
      });
      model[text] = score;
    };
    bool was_cut = false;
    for (int round = 0; round < 30; ++round) {
      while (model.size() < 5000) add();
      const Elements before = Sorted(model);
      const std::size_t first = random.Below(before.size() - ZsetStructure::kRemovedInPlaceMax);
      const std::size_t count = random.Below(before.size() - first) + 1;
      elements.RemoveRanks(first, count);
      for (std::size_t i = first; i < first + count; ++i) model.erase(before[i].second);
      was_cut |= elements.NextDeadline() != kNoDeadline;
      for (std::uint64_t changes = random.Below(300); changes > 0; --changes) {
        const std::string text = member();
        const auto it = model.find(text);
        ASSERT_EQ(elements.Score(text).has_value(), it != model.end());
        if (random.Below(3) == 0) {
          ASSERT_EQ(elements.Remove(text), model.erase(text) == 1);
        } else {
          add();
        }
      }
      elements.CheckInvariants();
      ASSERT_EQ(elements.size(), model.size());
      Elements scanned;
      ASSERT_EQ(elements.Scan(0, SIZE_MAX,
                              [&](std::string_view text, double score) {
                                scanned.emplace_back(score, text);
                              }),
                0U);
      std::ranges::sort(scanned);
      ASSERT_EQ(scanned, Sorted(model));
      if (round % 5 == 0) {
        const auto copy = elements.Clone();
        copy->CheckInvariants();
        ASSERT_EQ(copy->size(), model.size());
        ASSERT_EQ(copy->NextDeadline(), kNoDeadline);
      }
    }
    EXPECT_TRUE(was_cut);
    while (elements.ExpireDue(kNow, 500)) elements.CheckInvariants();
    EXPECT_EQ(elements.NextDeadline(), kNoDeadline);
    elements.CheckInvariants();
  }
}

TEST(ZsetStructure, GivesMemoryBackOfWhatWasCutOutWhenTheKeyspaceIsSwept) {
  Shared shared;
  Keyspace keyspace(shared.context);
  const HashedKey key = keyspace.Hash("zset");
  std::vector<ScoredMember> elements;
  for (int i = 0; i < 100'000; ++i) elements.push_back({"member:" + std::to_string(i), i * 1.0});
  ASSERT_EQ(StoreZset(keyspace, key, elements, {}, kNow), StoreResult::kStored);
  const std::size_t full = keyspace.Find(key, kNow, kPeek).structure()->memory_bytes();
  ZsetEditor editor(keyspace, key, keyspace.Find(key, kNow, kPeek), {}, kNow);
  editor.RemoveRanks(10, 90'000);
  ASSERT_EQ(editor.Commit(), StoreResult::kStored);
  const EntryView entry = keyspace.Find(key, kNow, kPeek);
  ASSERT_EQ(entry.element_count(), 10'000U);
  EXPECT_GT(entry.structure()->memory_bytes(), full * 9 / 10);
  UnixMs now = kNow;
  for (int sweeps = 0; sweeps < 1000 && entry.structure()->NextDeadline() != kNoDeadline;
       ++sweeps) {
    now += 20;
    keyspace.ExpireDue(now, 1000);
  }
  EXPECT_EQ(entry.structure()->NextDeadline(), kNoDeadline);
  EXPECT_LT(entry.structure()->memory_bytes(), full / 3);
  EXPECT_EQ(keyspace.Find(key, now, kPeek).element_count(), 10'000U);
  keyspace.CheckInvariants();
}

TEST(MemberSource, GivesMembersAndScores) {
  Shared shared;
  Keyspace keyspace(shared.context);
  const HashedKey key = keyspace.Hash("zset");
  std::vector<ScoredMember> elements = {{"a", 2}, {"b", 1}};
  ASSERT_EQ(StoreZset(keyspace, key, elements, {}, kNow), StoreResult::kStored);
  const MemberSource source(keyspace.Find(key, kNow, kPeek));
  EXPECT_EQ(source.size(), 2U);
  EXPECT_EQ(source.Score("a"), 2.0);
  EXPECT_EQ(source.Score("c"), std::nullopt);
  const MemberSource none{EntryView()};
  EXPECT_EQ(none.size(), 0U);
  EXPECT_EQ(none.Score("a"), std::nullopt);
}

}  // namespace
}  // namespace aeris::storage
