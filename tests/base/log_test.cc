#include "src/base/log.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace aeris {
namespace {

class LogTest : public testing::Test {
 protected:
  LogTest()
      : file_(std::filesystem::temp_directory_path() / ("aeris-log-" + std::to_string(getpid()))) {}
  ~LogTest() override { std::filesystem::remove(file_); }

  std::string Text() const {
    std::ifstream stream(file_);
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  }

  std::filesystem::path file_;
  Log log_;
};

TEST_F(LogTest, WritesPidRoleTimeMarkAndMessage) {
  ASSERT_TRUE(log_.Open({.file = file_.string()}));
  log_.Notice("number {}", 7);
  EXPECT_TRUE(Text().starts_with(std::to_string(getpid()) + ":M ")) << Text();
  EXPECT_TRUE(Text().ends_with(" * number 7\n")) << Text();
}

TEST_F(LogTest, KeepsTextOfAClientOnOneLine) {
  ASSERT_TRUE(log_.Open({.file = file_.string()}));
  log_.Warning("{}", "a\r\n1:M forged\x1b[2J\x7f");
  EXPECT_TRUE(Text().ends_with(" # a  1:M forged [2J \n")) << Text();
}

TEST_F(LogTest, LeavesOutWhatIsBelowItsLevel) {
  ASSERT_TRUE(log_.Open({.level = LogLevel::kWarning, .file = file_.string()}));
  log_.Notice("quiet");
  EXPECT_EQ(Text(), "");
}

}  // namespace
}  // namespace aeris
