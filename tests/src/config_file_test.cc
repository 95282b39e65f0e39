#include "src/config_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "src/quoted_text.h"

namespace aeris {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ConfigFileTest : public testing::Test {
 protected:
  ConfigFileTest() {
    folder_ = std::filesystem::path(testing::TempDir()) /
              testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~ConfigFileTest() override {
    std::filesystem::current_path(start_);
    std::filesystem::remove_all(folder_);
  }

  std::string Write(const std::string& name, std::string_view text) {
    const std::filesystem::path path = folder_ / name;
    std::ofstream(path) << text;
    return path.string();
  }
  std::string Read(std::string_view text) {
    const auto read = LoadConfigText(table_, text, "1.2.3");
    return read ? "OK" : read.error().message;
  }
  static std::string Fatal(int line, std::string_view text, std::string_view reason) {
    return FatalConfigText(line, text, reason, "1.2.3");
  }

  const std::filesystem::path start_ = std::filesystem::current_path();
  std::filesystem::path folder_;
  Config config_;
  ConfigTable table_{config_};
};

TEST_F(ConfigFileTest, ReadsDirectivesCommentsAndBlankLines) {
  EXPECT_EQ(Read("# a comment\n   # another\n\n\t\nPORT 7000\n\ttimeout\t5\r\n  hz   30\n"
                 "maxmemory 10Mb\npidfile 'a b'\nlogfile \"\\x41\\n\""),
            Fatal(10, "logfile \"\\x41\\n\"", "argument must not contain CR, LF or NUL"));
  EXPECT_EQ(config_.port, 7000);
  EXPECT_EQ(config_.timeout, 5);
  EXPECT_EQ(config_.hz, 30);
  EXPECT_EQ(config_.maxmemory, 10U << 20);
  EXPECT_EQ(config_.pidfile, "a b");
  EXPECT_EQ(Read("requirepass \"\\x41 b\""), "OK");
  EXPECT_EQ(config_.requirepass, "A b");
}

TEST_F(ConfigFileTest, StopsWithTheLineAndTheReasonAsRedisDoes) {
  EXPECT_EQ(Read("port 1\n  prot 6379 \r\n"),
            "\n*** FATAL CONFIG FILE ERROR (aeris 1.2.3) ***\n"
            "Reading the configuration file, at line 2\n"
            ">>> 'prot 6379'\n"
            "Bad directive or wrong number of arguments");
  EXPECT_EQ(Read("hz"), Fatal(1, "hz", "wrong number of arguments"));
  EXPECT_EQ(Read("hz 1 2"), Fatal(1, "hz 1 2", "wrong number of arguments"));
  EXPECT_EQ(Read("hz 3 # x"), Fatal(1, "hz 3 # x", "wrong number of arguments"));
  EXPECT_EQ(Read("hz a"), Fatal(1, "hz a", "argument couldn't be parsed into an integer"));
  EXPECT_EQ(Read("hz \"30"), Fatal(1, "hz \"30", "Unbalanced quotes in configuration line"));
  EXPECT_EQ(Read("hz \"30\"x"), Fatal(1, "hz \"30\"x", "Unbalanced quotes in configuration line"));
  EXPECT_EQ(Read("databases 0"),
            Fatal(1, "databases 0", "argument must be between 1 and 2147483647 inclusive"));
  EXPECT_EQ(Read("sentinel monitor x"),
            Fatal(1, "sentinel monitor x", "sentinel directive while not in sentinel mode"));
  for (const std::string_view line : {"rename-command get", "user", "loadmodule", "include",
                                      "include a b", "foo.bar 1", "list-max-ziplist-value 5 6"}) {
    EXPECT_EQ(Read(line), Fatal(1, line, "Bad directive or wrong number of arguments"));
  }
}

TEST_F(ConfigFileTest, TakesSeveralWordsWithAndWithoutQuotes) {
  EXPECT_EQ(Read("bind 127.0.0.1 ::1\nclient-output-buffer-limit normal 1 1 1 pubsub 2 2 2\n"
                 "client-output-buffer-limit \"slave 3 3 3\"\nshutdown-on-sigint \"now force\""),
            "OK");
  EXPECT_THAT(config_.bind, ElementsAre("127.0.0.1", "::1"));
  EXPECT_EQ(config_.output_limit(OutputLimitClass::kPubsub).soft_seconds, 2);
  EXPECT_EQ(config_.output_limit(OutputLimitClass::kReplica).soft_seconds, 3);
  EXPECT_EQ(config_.shutdown_on_sigint, kShutdownNow | kShutdownForce);
  EXPECT_EQ(Read("bind"), "OK");
  EXPECT_THAT(config_.bind, IsEmpty());
}

TEST_F(ConfigFileTest, AddsUpSaveLines) {
  EXPECT_EQ(Read("save 900 1\nsave 60 2 30 3"), "OK");
  EXPECT_THAT(config_.save, ElementsAre(SavePoint{900, 1}, SavePoint{60, 2}, SavePoint{30, 3}));
  EXPECT_EQ(Read("save \"\""), "OK");
  EXPECT_THAT(config_.save, IsEmpty());
  EXPECT_EQ(Read("save 5 5"), "OK");
  EXPECT_THAT(config_.save, ElementsAre(SavePoint{5, 5}));
}

TEST_F(ConfigFileTest, AddsUpLinesOfMaxmemoryDb) {
  EXPECT_EQ(Read("maxmemory-db 3 1mb\nmaxmemory-db 0 0 allkeys-S3FIFO 1 5 noeviction"), "OK");
  EXPECT_THAT(config_.maxmemory_db,
              ElementsAre(DatabaseLimit{0, 0, MaxmemoryPolicy::kAllkeysS3Fifo},
                          DatabaseLimit{1, 5, MaxmemoryPolicy::kNoeviction},
                          DatabaseLimit{3, 1 << 20, std::nullopt}));
  EXPECT_EQ(ConfigTable::ValueText(*table_.Find("maxmemory-db"), config_),
            "0 0 allkeys-s3fifo 1 5 noeviction 3 1048576");
  // The last word about a database counts.
  EXPECT_EQ(Read("maxmemory-db 3 7 volatile-ttl 3 8"), "OK");
  EXPECT_THAT(config_.maxmemory_db, testing::Contains(DatabaseLimit{3, 8, std::nullopt}));
  EXPECT_EQ(Read("maxmemory-db \"\""), "OK");
  EXPECT_THAT(config_.maxmemory_db, IsEmpty());
}

TEST_F(ConfigFileTest, KeepsRenamedCommandsUsersAndModules) {
  EXPECT_EQ(Read("port 1\nrename-command GET \"\"\nrename-command set put\n"
                 "user bob on >secret ~*\nloadmodule /x.so a b\nlua-replicate-commands yes"),
            "OK");
  EXPECT_THAT(config_.renamed_commands,
              ElementsAre(RenamedCommand{"GET", "", 2, "rename-command GET \"\""},
                          RenamedCommand{"set", "put", 3, "rename-command set put"}));
  EXPECT_THAT(config_.users, ElementsAre("bob on >secret ~*"));
  EXPECT_THAT(config_.modules, ElementsAre("/x.so a b"));
  EXPECT_EQ(table_.TakeWarnings().size(), 2U);
}

TEST_F(ConfigFileTest, IncludesFilesByPathAndGlobRelativeToTheDirectory) {
  Write("a.conf", "port 1\nhz 11");
  Write("b.conf", "port 2\n");
  const std::string folder = folder_.string();
  EXPECT_EQ(Read("dir " + folder + "\ninclude a.conf\ntimeout 9"), "OK");
  EXPECT_EQ(config_.port, 1);
  EXPECT_EQ(config_.timeout, 9);
  EXPECT_EQ(Read("include " + folder + "/*.conf"), "OK");
  EXPECT_EQ(config_.port, 2) << "in order of their names";
  EXPECT_EQ(Read("include " + folder + "/none*.conf"), "OK");
  EXPECT_EQ(Read("include none.conf"),
            "Fatal error, can't open config file 'none.conf': No such file or directory");
}

TEST_F(ConfigFileTest, NamesTheLineOfTheIncludedFile) {
  const std::string path = Write("bad.conf", "\nfoo bar\n");
  EXPECT_EQ(Read("port 1\nport 2\nport 3\ninclude " + path),
            Fatal(2, "foo bar", "Bad directive or wrong number of arguments"));
}

TEST_F(ConfigFileTest, EndsIncludeLoopsWithAnError) {
  const std::string path = Write("loop.conf", "include " + (folder_ / "loop.conf").string());
  EXPECT_THAT(Read("include " + path), HasSubstr("Too many nested includes"));
}

TEST_F(ConfigFileTest, LetsTheCommandLineWin) {
  const std::string path = Write("redis.conf", "port 1\nhz 20");
  ASSERT_TRUE(LoadConfig(table_, {.file = path, .overrides = "port \"2\""}, "1"));
  EXPECT_EQ(config_.port, 2);
  EXPECT_EQ(config_.hz, 20);
  const auto bad = LoadConfig(table_, {.file = path, .overrides = "hz \"a\""}, "1.2.3");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message,
            Fatal(4, "hz \"a\"", "argument couldn't be parsed into an integer"));
}

TEST_F(ConfigFileTest, SaysWhichFileItCannotOpen) {
  const auto read = LoadConfig(table_, {.file = "/proc/nonexistent/x.conf"}, "1");
  ASSERT_FALSE(read);
  EXPECT_EQ(
      read.error().message,
      "Fatal error, can't open config file '/proc/nonexistent/x.conf': No such file or directory");
}

TEST_F(ConfigFileTest, ReadsTolerantlyWithoutATrace) {
  const Config read = ConfigAfterReading("hz 20\nfoo bar\nhz x\ndir /\nport 7\n");
  EXPECT_EQ(read.hz, 20);
  EXPECT_EQ(read.port, 7);
  EXPECT_EQ(std::filesystem::current_path(), start_);
}

TEST(SplitConfigLine, FollowsTheRulesOfQuotes) {
  const auto words = [](std::string_view line) {
    auto split = SplitConfigLine(line);
    return split ? *split : std::vector<std::string>{"<fault>"};
  };
  EXPECT_THAT(words("  a  b\tc "), ElementsAre("a", "b", "c"));
  EXPECT_THAT(words(R"("a\x20b\n\r\t\b\a\"\\\q" 'c\'\n')"),
              ElementsAre("a b\n\r\t\b\a\"\\q", "c'\\n"));
  EXPECT_THAT(words(R"(a"b c" '')"), ElementsAre("ab c", ""));
  EXPECT_THAT(words(R"("\xzz\x4")"), ElementsAre("xzzx4"));
  for (const std::string_view line : {"\"a", "'a", "\"a\"b", "'a'b", "\"a\\", "\"a\\\""}) {
    EXPECT_THAT(words(line), ElementsAre("<fault>")) << line;
  }
  EXPECT_THAT(words(""), IsEmpty());
}

TEST(QuotedText, IsUndoneBySplitting) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  for (const std::string& text : {all, std::string(), std::string("a 'b' \"c\"\\")}) {
    const auto words = SplitConfigLine(QuotedText(text));
    ASSERT_TRUE(words);
    EXPECT_THAT(*words, ElementsAre(text));
  }
}

}  // namespace
}  // namespace aeris
