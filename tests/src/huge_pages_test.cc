#include "src/huge_pages.h"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <string>
#include <thread>

#include "storage/huge_page.h"
#include "tests/support/test_server.h"

namespace aeris {
namespace {

using std::chrono::milliseconds;

// Of the process.
std::size_t HugeKiB() {
  std::ifstream sums("/proc/self/smaps_rollup");
  for (std::string line; std::getline(sums, line);) {
    if (line.starts_with("AnonHugePages:")) return std::stoul(line.substr(14));
  }
  return 0;
}

TEST(HugePages, OnOneCoreTheLoopHasToLeaveHalfOfTheTime) {
  EXPECT_TRUE(HugePages::MayTakeTime(milliseconds(25), milliseconds(50), 1));
  EXPECT_FALSE(HugePages::MayTakeTime(milliseconds(26), milliseconds(50), 1));
  EXPECT_TRUE(HugePages::MayTakeTime(milliseconds(50), milliseconds(50), 2));
}

TEST(HugePages, TakeThePlaceOfWhatIsAtRest) {
  if (!storage::HugePage::Make()) GTEST_SKIP() << "the kernel has none";
  constexpr int kKeys = 300'000;
  testing::TestServer server;
  storage::Keyspace& keyspace = server->databases()[0];
  const auto key = [](int i) { return "key:" + std::to_string(i); };
  for (int i = 0; i < kKeys; ++i) {
    const std::string name = key(i);
    ASSERT_EQ(keyspace.SetString(keyspace.Hash(name), name, server->unix_ms(), {}),
              storage::StoreResult::kStored);
  }
  const std::size_t before = HugeKiB();
  // The thread has no time while others want the core: on a busy machine that may take long.
  for (int step = 0; step < 4000 && HugeKiB() <= before; ++step) {
    for (int turn = 0; turn < 5; ++turn) {
      server.clock().Advance(milliseconds(20));
      server.Turn();
    }
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_GT(HugeKiB(), before);
  for (int i = 0; i < kKeys; ++i) {
    const std::string name = key(i);
    const auto entry = keyspace.Find(keyspace.Hash(name), server->unix_ms(), storage::kPeek);
    ASSERT_TRUE(entry);
    ASSERT_EQ(entry.text(), name);
  }
}

}  // namespace
}  // namespace aeris
