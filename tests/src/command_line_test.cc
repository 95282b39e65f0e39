#include "src/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace aeris {
namespace {

using Arguments = std::vector<std::string_view>;

CommandLine Parse(const Arguments& arguments) {
  auto line = ParseCommandLine(arguments);
  EXPECT_TRUE(line) << line.error().message;
  return line ? *line : CommandLine{};
}

std::string Overrides(const Arguments& arguments) { return Parse(arguments).source.overrides; }

// What a server started like this would run with.
Config Started(const Arguments& arguments) {
  Config config;
  ConfigTable table(config);
  const auto loaded = LoadConfig(table, Parse(arguments).source, "1");
  EXPECT_TRUE(loaded) << loaded.error().message;
  return config;
}

TEST(CommandLine, RunsWithDefaultsWithoutArguments) {
  const CommandLine line = Parse({});
  EXPECT_EQ(line.action, CommandLine::Action::kRun);
  EXPECT_EQ(line.source.file, "");
  EXPECT_FALSE(line.source.standard_input);
  EXPECT_EQ(line.source.overrides, "");
}

TEST(CommandLine, KnowsTheWordsThatEndTheProcessInFirstPlaceOnly) {
  using Action = CommandLine::Action;
  EXPECT_EQ(Parse({"-v"}).action, Action::kVersion);
  EXPECT_EQ(Parse({"--version", "x"}).action, Action::kVersion);
  EXPECT_EQ(Parse({"-h"}).action, Action::kHelp);
  EXPECT_EQ(Parse({"--help"}).action, Action::kHelp);
  EXPECT_EQ(Parse({"--check-system"}).action, Action::kCheckSystem);
  EXPECT_EQ(Overrides({"--port", "1", "--help"}), "port \"1\" \nhelp ");
}

TEST(CommandLine, RefusesWhatAerisIsNot) {
  EXPECT_FALSE(ParseCommandLine(Arguments{"--test-memory", "1"}));
  EXPECT_FALSE(ParseCommandLine(Arguments{"--sentinel"}));
  EXPECT_FALSE(ParseCommandLine(Arguments{"x.conf", "--sentinel"}));
}

TEST(CommandLine, TakesTheFileAsFirstWordAndMakesItAbsolute) {
  EXPECT_EQ(Parse({"x.conf"}).source.file, (std::filesystem::current_path() / "x.conf").string());
  EXPECT_EQ(Parse({"/x.conf", "--hz", "5"}).source.file, "/x.conf");
}

TEST(CommandLine, TakesADashAsFirstOrLastWord) {
  EXPECT_TRUE(Parse({"-"}).source.standard_input);
  EXPECT_TRUE(Parse({"-", "--hz", "5"}).source.standard_input);
  EXPECT_TRUE(Parse({"/x.conf", "--hz", "5", "-"}).source.standard_input);
  const CommandLine middle = Parse({"--hz", "5", "-", "--port", "7"});
  EXPECT_FALSE(middle.source.standard_input);
  EXPECT_EQ(middle.source.overrides, "hz \"5\" \"-\" \nport \"7\" ");
}

TEST(CommandLine, TurnsOptionsIntoLines) {
  EXPECT_EQ(Overrides({"--port", "7000", "--HZ", "5"}), "port \"7000\" \nHZ \"5\" ");
  EXPECT_EQ(Overrides({"--port 7000", "--hz", "5"}), "port 7000 \nhz \"5\" ");
  EXPECT_EQ(Overrides({"-p", "1"}), "\"-p\" \"1\" ");
  EXPECT_EQ(Overrides({"--hz", "--save"}), "hz \"--save\" ") << "a value may look like an option";
}

TEST(CommandLine, TakesSeveralValues) {
  EXPECT_THAT(Started({"--bind", "127.0.0.1", "::1"}).bind,
              testing::ElementsAre("127.0.0.1", "::1"));
  EXPECT_THAT(Started({"--bind", "127.0.0.1 ::1"}).bind, testing::ElementsAre("127.0.0.1", "::1"));
  EXPECT_EQ(Started({"--client-output-buffer-limit", "normal 1 2 3"})
                .output_limit(OutputLimitClass::kNormal),
            (OutputLimit{1, 2, 3}));
  EXPECT_EQ(Started({"--rename-command", "get", ""}).renamed_commands.size(), 1U);
}

TEST(CommandLine, UnderstandsSaveInEveryForm) {
  using testing::ElementsAre;
  using testing::IsEmpty;
  EXPECT_THAT(Started({"--save", ""}).save, IsEmpty());
  EXPECT_THAT(Started({"--save"}).save, IsEmpty());
  EXPECT_THAT(Started({"--save", "--port", "1"}).save, IsEmpty());
  EXPECT_EQ(Started({"--save", "--port", "1"}).port, 1);
  EXPECT_THAT(Started({"--save", "900", "1", "300", "10"}).save,
              ElementsAre(SavePoint{900, 1}, SavePoint{300, 10}));
  EXPECT_THAT(Started({"--save", "900 1"}).save, ElementsAre(SavePoint{900, 1}));
  EXPECT_THAT(Started({"--save 900 1", "--save 5 5"}).save,
              ElementsAre(SavePoint{900, 1}, SavePoint{5, 5}));
}

TEST(CommandLine, QuotesValuesSoThatTheyStayOneWord) {
  EXPECT_EQ(Started({"--requirepass", "a \"b' # \\"}).requirepass, "a \"b' # \\");
}

TEST(CommandLine, ReportsFaultsWithTheLineNumbersOfRedis) {
  Config config;
  ConfigTable table(config);
  const auto loaded = LoadConfig(table, Parse({"--port", "1", "--foo", "bar"}).source, "1.2.3");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(
      loaded.error().message,
      FatalConfigText(3, "foo \"bar\"", "Bad directive or wrong number of arguments", "1.2.3"));
}

TEST(CommandLine, ChecksTheSystem) {
  const SystemReport report = CheckSystem();
  EXPECT_THAT(report.text, testing::HasSubstr("[overcommit]..."));
  EXPECT_EQ(report.good, report.text.find("WARNING") == std::string::npos);
}

}  // namespace
}  // namespace aeris
