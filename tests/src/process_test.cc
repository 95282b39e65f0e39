// What the system sees of the process.
#include "src/process.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <string>

namespace aeris {
namespace {

// Of pages of files, in KiB, as proc(5) has it.
std::int64_t ResidentFileKib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (std::int64_t kib = 0; word == "RssFile:" && status >> kib) return kib;
  }
  return -1;
}

TEST(GiveBackStartUpPages, LeavesLessOfTheBinaryResident) {
  const std::int64_t before = ResidentFileKib();
  ASSERT_GT(before, 0);
  GiveBackStartUpPages();
  const std::int64_t after = ResidentFileKib();
  EXPECT_GT(after, 0);
  EXPECT_LT(after, before);
}

}  // namespace
}  // namespace aeris
