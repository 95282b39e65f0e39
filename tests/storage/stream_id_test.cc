#include "storage/stream_id.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <random>
#include <string>

#include "storage/stream_id_map.h"

namespace aeris::storage {
namespace {

constexpr std::uint64_t kMax = ~std::uint64_t{0};

std::string Parsed(std::string_view text, StreamIdSyntax syntax = {}) {
  const auto id = ParseStreamId(text, syntax);
  if (!id) return "none";
  return ToString(id->id) + (id->any_seq ? " any" : "");
}

TEST(StreamId, NextAndPreviousCarry) {
  EXPECT_EQ(Next({5, 7}), (StreamId{5, 8}));
  EXPECT_EQ(Next({5, kMax}), (StreamId{6, 0}));
  EXPECT_EQ(Next(kStreamIdMax), std::nullopt);
  EXPECT_EQ(Previous({5, 7}), (StreamId{5, 6}));
  EXPECT_EQ(Previous({5, 0}), (StreamId{4, kMax}));
  EXPECT_EQ(Previous(kStreamIdMin), std::nullopt);
}

TEST(StreamId, ParsesWhatRedisParses) {
  EXPECT_EQ(Parsed("5-7"), "5-7");
  EXPECT_EQ(Parsed("5"), "5-0");
  EXPECT_EQ(Parsed("5", {.missing_seq = kMax}), "5-18446744073709551615");
  EXPECT_EQ(Parsed("18446744073709551615-18446744073709551615"),
            "18446744073709551615-18446744073709551615");
  EXPECT_EQ(Parsed("01-02"), "1-2");
  EXPECT_EQ(Parsed("+5- +3"), "5-3");
  EXPECT_EQ(Parsed("5- -3"), "5-18446744073709551613");
  EXPECT_EQ(Parsed(std::string_view("7-1\0junk", 8)), "7-1");
  EXPECT_EQ(Parsed("-", {.edges = true}), "0-0");
  EXPECT_EQ(Parsed("+", {.edges = true}), "18446744073709551615-18446744073709551615");
  EXPECT_EQ(Parsed("5-*", {.any_seq = true}), "5-0 any");
}

TEST(StreamId, RefusesWhatIsNone) {
  for (const std::string_view text :
       {"", "-", "+", "*", "5-*", "x", "5-", "-5", "5--3", "1-2-3", "18446744073709551616",
        "1-18446744073709551616", "1.5", "1 -1", "0x10", "- 1"}) {
    EXPECT_EQ(Parsed(text), "none") << text;
  }
  EXPECT_EQ(Parsed(std::string(128, '0')), "none");
}

TEST(StreamIdMap, DoesWhatAMapDoes) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  StreamIdMap<int> map;
  std::map<StreamId, int> model;
  for (int step = 0; step < 60000; ++step) {
    // Mostly at the end, as entries are delivered.
    const bool at_end = random() % 3 != 0;
    const StreamId id = at_end ? StreamId{1000 + static_cast<std::uint64_t>(step), 0}
                               : StreamId{random() % 2000 + static_cast<std::uint64_t>(step), 1};
    const bool grows = step / 5000 % 2 == 0;
    if (random() % 10 < (grows ? 7 : 3)) {
      if (model.emplace(id, step).second) {
        EXPECT_EQ(map.Insert(id, step), step);
      }
    } else if (!model.empty()) {
      auto victim = random() % 2 == 0 ? model.begin() : model.lower_bound(id);
      if (victim == model.end()) victim = std::prev(model.end());
      EXPECT_TRUE(map.Erase(victim->first));
      model.erase(victim);
      EXPECT_EQ(map.Erase(id), model.erase(id) == 1);
    }
    ASSERT_EQ(map.size(), model.size());
    const auto expected = model.lower_bound(id);
    const auto* const found = map.AtLeast(id);
    ASSERT_EQ(found == nullptr, expected == model.end());
    if (found != nullptr) {
      ASSERT_EQ(found->id, expected->first);
      ASSERT_EQ(found->value, expected->second);
    }
    ASSERT_EQ(map.Contains(id), model.contains(id));
    if (step % 500 == 0) {
      map.CheckInvariants();
      auto at = model.lower_bound(id);
      map.VisitFrom(id, [&](const StreamIdMap<int>::Item& item) {
        EXPECT_NE(at, model.end());
        EXPECT_EQ(item.id, at->first);
        ++at;
        return true;
      });
      EXPECT_EQ(at, model.end());
      if (!model.empty()) {
        EXPECT_EQ(map.first().id, model.begin()->first);
        EXPECT_EQ(map.last().id, model.rbegin()->first);
      }
    }
  }
}

TEST(StreamIdMap, TakesLittleMoreThanItsItems) {
  StreamIdMap<std::uint64_t> map;
  for (std::uint64_t i = 0; i < 100000; ++i) map.Insert({i, 0}, i);
  EXPECT_LT(map.memory_bytes(), 100000 * 28U);
  for (std::uint64_t i = 0; i < 100000; ++i) EXPECT_TRUE(map.Erase({i, 0}));
  EXPECT_EQ(map.memory_bytes(), 0U);
}

}  // namespace
}  // namespace aeris::storage
