#include "src/acl/acl_log.h"

#include <gtest/gtest.h>

#include "src/acl/acl_limits.h"

namespace aeris {
namespace {

using std::chrono::seconds;

AclLog::Event Event(std::string_view object, MonotonicTime now = {}) {
  return {.reason = AclReason::kKey,
          .context = AclLog::Context::kTopLevel,
          .object = object,
          .user = "bob",
          .client_info = "id=1",
          .now = now};
}

TEST(AclLog, KeepsTheNewestFirst) {
  AclLog log;
  for (const std::string_view object : {"a", "b", "c", "d"}) log.Add(Event(object), 3);
  ASSERT_EQ(log.records().size(), 3U);
  EXPECT_EQ(log.records().front().object, "d");
  EXPECT_EQ(log.records().back().object, "b");
  log.Trim(1);
  EXPECT_EQ(log.records().size(), 1U);
  log.Add(Event("e"), 0);
  EXPECT_TRUE(log.records().empty());
}

TEST(AclLog, CountsTheSameEventWithinAMinute) {
  AclLog log;
  log.Add(Event("a"), 10);
  log.Add(Event("b"), 10);
  AclLog::Event again = Event("a", MonotonicTime(seconds(60)));
  again.client_info = "id=2";
  log.Add(again, 10);
  ASSERT_EQ(log.records().size(), 2U);
  EXPECT_EQ(log.records().front().object, "a");
  EXPECT_EQ(log.records().front().count, 2U);
  EXPECT_EQ(log.records().front().client_info, "id=2");
  EXPECT_EQ(log.records().front().time, MonotonicTime(seconds(60)));
  log.Add(Event("a", MonotonicTime(std::chrono::milliseconds(120001))), 10);
  EXPECT_EQ(log.records().size(), 3U);
}

TEST(AclLog, TellsEventsApartByAllThatIsShown) {
  AclLog log;
  log.Add(Event("a"), 10);
  AclLog::Event event = Event("a");
  event.reason = AclReason::kChannel;
  log.Add(event, 10);
  event = Event("a");
  event.context = AclLog::Context::kMulti;
  log.Add(event, 10);
  event = Event("a");
  event.user = "alice";
  log.Add(event, 10);
  EXPECT_EQ(log.records().size(), 4U);
}

TEST(AclLog, LooksBackTenRecords) {
  AclLog log;
  for (char c = 'a'; c <= 'k'; ++c) log.Add(Event(std::string(1, c)), 100);
  log.Add(Event("b"), 100);
  EXPECT_EQ(log.records().size(), 11U);
  log.Add(Event("a"), 100);
  EXPECT_EQ(log.records().size(), 12U);
}

TEST(AclLog, KeepsTheBeginningOfLongNames) {
  AclLog log;
  const std::string key(kAclNameBytesMax + 1, 'k');
  AclLog::Event event = Event(key);
  event.client_info = key;
  for (int times = 0; times < 2; ++times) {
    log.Add(event, 10);
    EXPECT_EQ(log.records().front().client_info.size(), kAclNameBytesMax);
  }
  ASSERT_EQ(log.records().size(), 1U);
  EXPECT_EQ(log.records().front().count, 2U);
  EXPECT_EQ(log.records().front().object.size(), kAclNameBytesMax);
}

}  // namespace
}  // namespace aeris
