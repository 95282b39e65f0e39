#include "src/command_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "src/command_keys.h"
#include "src/text.h"

namespace aeris {
namespace {

TEST(CommandTable, FindsEachCommandInAnyCase) {
  const CommandTable table;
  ASSERT_FALSE(table.commands().empty());
  for (const CommandTable::Named& named : table.commands()) {
    EXPECT_EQ(table.Find(named.name), named.command);
    EXPECT_EQ(table.Find(ToUpper(named.name)), named.command);
    std::string mixed = named.name;
    mixed[0] = UpperCase(mixed[0]);
    EXPECT_EQ(table.Find(mixed), named.command);
  }
}

TEST(CommandTable, KnowsNothingElse) {
  const CommandTable table;
  for (const std::string_view name : {"", "ge", "gets", "get ", " get", "client|list", "\xFF"}) {
    EXPECT_EQ(table.Find(name), nullptr) << name;
  }
  EXPECT_EQ(table.Find(std::string_view("get\0", 4)), nullptr);
  EXPECT_EQ(table.Find(std::string(31, 'x')), nullptr);
  EXPECT_EQ(table.Find(std::string(33, 'x')), nullptr);
  EXPECT_EQ(table.Find(std::string(1'000'000, 'x')), nullptr);
  // Every name with one letter changed.
  for (const CommandTable::Named& named : table.commands()) {
    std::string other = named.name;
    other.back() = '~';
    EXPECT_EQ(table.Find(other), nullptr);
  }
}

TEST(CommandTable, FindsSubcommandsByFullName) {
  const CommandTable table;
  const Command* const list = table.FindFullName("CLIENT|List");
  ASSERT_NE(list, nullptr);
  EXPECT_EQ(list->full_name(), "client|list");
  EXPECT_EQ(list->parent(), table.Find("client"));
  EXPECT_EQ(table.FindFullName("get"), table.Find("get"));
  for (const std::string_view name : {"client|", "|list", "client|nosuch", "get|list", "|"}) {
    EXPECT_EQ(table.FindFullName(name), nullptr) << name;
  }
}

// The positions that the batch works out by itself are those that COMMAND GETKEYS gives first.
TEST(CommandTable, KeyRangesAgreeWithTheKeySpecs) {
  const CommandTable table;
  std::size_t compared = 0;
  for (const CommandTable::Named& named : table.commands()) {
    const KeyRange& range = named.command->key_range();
    if (range.first == 0) continue;
    for (std::size_t count = 1; count < 12; ++count) {
      const std::vector<std::string_view> arguments(count, "3");
      KeyPositions positions;
      if (!named.command->ArityMatches(count)) continue;
      if (!FindKeys(named.command->spec(), arguments, positions)) continue;
      ASSERT_LE(range.Count(count), positions.keys().size()) << named.name << " " << count;
      if (named.command->spec().keys.size() == 1) {
        EXPECT_EQ(range.Count(count), positions.keys().size()) << named.name << " " << count;
      }
      for (std::size_t i = 0; i < range.Count(count); ++i) {
        EXPECT_EQ(positions.keys()[i].index, range.first + i * range.step)
            << named.name << " " << count;
        ++compared;
      }
    }
  }
  EXPECT_GT(compared, 300u);
}

TEST(CommandTable, KeyRangesEndWithTheArguments) {
  const CommandTable table;
  const KeyRange& mset = table.Find("mset")->key_range();
  EXPECT_EQ(mset.Count(1), 0u);
  EXPECT_EQ(mset.Count(2), 1u);
  EXPECT_EQ(mset.Count(3), 1u);
  EXPECT_EQ(mset.Count(4), 2u);
  EXPECT_EQ(mset.Count(5), 2u);
  EXPECT_EQ(table.Find("get")->key_range().Count(1), 0u);
  EXPECT_EQ(table.Find("ping")->key_range().Count(2), 0u);
}

TEST(CommandTable, RenamesAndRemoves) {
  CommandTable table;
  const Command* const get = table.Find("get");
  const std::size_t count = table.commands().size();
  ASSERT_TRUE(table.Rename("GET", "Fetch").has_value());
  EXPECT_EQ(table.Find("get"), nullptr);
  EXPECT_EQ(table.Find("fETCH"), get);
  EXPECT_EQ(get->full_name(), "get");
  ASSERT_TRUE(table.Rename("set", "get").has_value());
  EXPECT_EQ(table.Find("get")->full_name(), "set");
  ASSERT_TRUE(table.Rename("config", "").has_value());
  EXPECT_EQ(table.Find("config"), nullptr);
  EXPECT_EQ(table.commands().size(), count - 1);
  EXPECT_FALSE(table.Rename("config", "x").has_value());
  EXPECT_FALSE(table.Rename("nosuch", "x").has_value());
  EXPECT_FALSE(table.Rename("del", "unlink").has_value());
  EXPECT_NE(table.Find("del"), nullptr);
}

TEST(CommandTable, ResetsTheStatisticsOfSubcommandsToo) {
  CommandTable table;
  const Command* const list = table.FindFullName("client|list");
  ASSERT_NE(list, nullptr);
  list->stats().calls = 5;
  list->stats().latency.Record(1000);
  table.Find("get")->stats().failed = 3;
  table.ResetStats();
  EXPECT_EQ(list->stats().calls, 0U);
  EXPECT_TRUE(list->stats().latency.empty());
  EXPECT_EQ(table.Find("get")->stats().failed, 0U);
}

}  // namespace
}  // namespace aeris
