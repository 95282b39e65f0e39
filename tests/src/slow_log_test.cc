#include "src/slow_log.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace aeris {
namespace {

void Add(SlowLog& log, std::vector<std::string_view> arguments, std::size_t records_max = 100) {
  log.Add({.arguments = arguments,
           .unix_seconds = 5,
           .microseconds = 7,
           .peer = "127.0.0.1:1",
           .client_name = "name"},
          records_max);
}

TEST(SlowLog, GivesTheNewestFirstAndCountsOn) {
  SlowLog log;
  for (const std::string_view name : {"a", "b", "c"}) Add(log, {name}, 2);
  ASSERT_EQ(log.records().size(), 2U);
  EXPECT_EQ(log.records()[0].arguments[0], "c");
  EXPECT_EQ(log.records()[0].id, 2U);
  EXPECT_EQ(log.records()[1].id, 1U);
  EXPECT_EQ(log.records()[0].peer, "127.0.0.1:1");
  EXPECT_EQ(log.records()[0].client_name, "name");
  log.Clear();
  Add(log, {"d"});
  EXPECT_EQ(log.records()[0].id, 3U);
  Add(log, {"e"}, 0);
  EXPECT_TRUE(log.records().empty());
}

TEST(SlowLog, TrimsToAShorterLength) {
  SlowLog log;
  for (int i = 0; i < 10; ++i) Add(log, {"x"});
  log.Trim(3);
  ASSERT_EQ(log.records().size(), 3U);
  EXPECT_EQ(log.records()[2].id, 7U);
}

TEST(SlowLog, CutsLongArguments) {
  SlowLog log;
  const std::string fits(128, 'A');
  const std::string longer(129, 'A');
  Add(log, {fits, longer});
  EXPECT_EQ(log.records()[0].arguments[0], fits);
  EXPECT_EQ(log.records()[0].arguments[1], fits + "... (1 more bytes)");
}

TEST(SlowLog, CutsManyArguments) {
  SlowLog log;
  Add(log, std::vector<std::string_view>(32, "x"));
  EXPECT_EQ(log.records()[0].arguments.size(), 32U);
  EXPECT_EQ(log.records()[0].arguments[31], "x");
  Add(log, std::vector<std::string_view>(33, "x"));
  EXPECT_EQ(log.records()[0].arguments.size(), 32U);
  EXPECT_EQ(log.records()[0].arguments[31], "... (2 more arguments)");
}

}  // namespace
}  // namespace aeris
