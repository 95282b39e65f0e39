#include "src/info.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "src/info_writer.h"

namespace aeris {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> Titles(std::vector<std::string_view> names) {
  std::vector<std::string> titles;
  for (const InfoSection* section : SelectInfoSections(names)) {
    titles.emplace_back(section->title);
  }
  return titles;
}

TEST(InfoSections, AreThoseOfRedisByDefault) {
  EXPECT_THAT(Titles({}),
              ElementsAre("Server", "Clients", "Memory", "Persistence", "Stats", "Replication",
                          "CPU", "Modules", "Errorstats", "Cluster", "Keyspace"));
  EXPECT_EQ(Titles({"default"}), Titles({}));
}

TEST(InfoSections, AllAndEverythingAddTheStatisticsOfCommandsAndOfTheCache) {
  EXPECT_THAT(Titles({"all"}),
              ElementsAre("Server", "Clients", "Memory", "Persistence", "Stats", "Replication",
                          "CPU", "Modules", "Commandstats", "Errorstats", "Latencystats", "Cluster",
                          "Keyspace", "Cache"));
  EXPECT_EQ(Titles({"everything"}), Titles({"all"}));
  EXPECT_EQ(Titles({"nosuch", "ALL", "cpu"}), Titles({"all"}));
}

TEST(InfoSections, AreFoundInAnyCaseAndShownOnceInTheirOwnOrder) {
  EXPECT_THAT(Titles({"CPU", "sErVer", "cpu"}), ElementsAre("Server", "CPU"));
  EXPECT_THAT(Titles({"module_list"}), ElementsAre("Modules"));
  EXPECT_THAT(Titles({"default", "commandstats"}), testing::SizeIs(12));
}

TEST(InfoSections, UnknownNamesSelectNothing) {
  EXPECT_THAT(Titles({"nosuch"}), IsEmpty());
  EXPECT_THAT(Titles({""}), IsEmpty());
  EXPECT_THAT(Titles({"cpux", "cp"}), IsEmpty());
}

TEST(InfoWriter, SeparatesSectionsByAnEmptyLine) {
  InfoWriter info(0);
  info.Section("One");
  info.Field("number", 7);
  info.Field("text", "a b");
  info.Section("Two");
  info.Line("ratio", "{:.2f}%", 12.345);
  EXPECT_EQ(info.text(), "# One\r\nnumber:7\r\ntext:a b\r\n\r\n# Two\r\nratio:12.35%\r\n");
}

TEST(InfoWriter, WritesBytesForProgramsAndForPeople) {
  InfoWriter info(0);
  info.Bytes("used", 1536);
  EXPECT_EQ(info.text(), "used:1536\r\nused_human:1.50K\r\n");
}

TEST(HumanBytes, ChangesTheUnitAtEachPowerOf1024) {
  EXPECT_EQ(HumanBytes(0), "0B");
  EXPECT_EQ(HumanBytes(1023), "1023B");
  EXPECT_EQ(HumanBytes(1024), "1.00K");
  EXPECT_EQ(HumanBytes(1024 * 1024), "1.00M");
  EXPECT_EQ(HumanBytes(25276518400), "23.54G");
  EXPECT_EQ(HumanBytes(1ULL << 40), "1.00T");
  EXPECT_EQ(HumanBytes(1ULL << 50), "1.00P");
  EXPECT_EQ(HumanBytes(~0ULL), "16.00E");
}

}  // namespace
}  // namespace aeris
