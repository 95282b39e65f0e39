// redis.conf at the top level is documentation: here it is held against the table.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "src/config_file.h"
#include "src/config_table.h"

namespace aeris {
namespace {

constexpr std::string_view kNeedlessSection = "# ---- Needless";
constexpr std::string_view kLastSection = "# ---- Accepted without effect yet";

std::string FileText() {
  std::stringstream text;
  text << std::ifstream(AERIS_REDIS_CONF).rdbuf();
  return text.str();
}

// Names of the directives that have a line before the last section, also as "#name ...".
std::set<std::string> ExplainedNames() {
  std::istringstream text(FileText());
  std::set<std::string> names;
  for (std::string line; std::getline(text, line) && !line.starts_with(kLastSection);) {
    const bool commented = line.size() > 1 && line[0] == '#' && line[1] >= 'a' && line[1] <= 'z';
    if (line.empty() || (line[0] == '#' && !commented)) continue;
    const auto words = SplitConfigLine(commented ? line.substr(1) : line);
    if (words && !words->empty()) names.insert(words->front());
  }
  return names;
}

// Words from the head of a section to that of the next, or to the end.
std::set<std::string> WordsOf(std::string_view section) {
  const std::string text = FileText();
  const std::size_t begin = text.find(section);
  std::istringstream words(text.substr(begin, text.find("\n# ----", begin) - begin));
  std::set<std::string> names;
  for (std::string word; words >> word;) names.insert(word);
  return names;
}

TEST(RedisConf, StatesTheDefaults) {
  const std::string text = FileText();
  ASSERT_FALSE(text.empty());
  Config read;
  ConfigTable table(read);
  const auto loaded = LoadConfigText(table, text, "1");
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(read, Config{});
  EXPECT_TRUE(table.TakeWarnings().empty()) << "a line has no effect yet";
}

TEST(RedisConf, ExplainsEachOptionThatWorksAndNoOther) {
  Config config;
  const ConfigTable table(config);
  std::set<std::string> explained = ExplainedNames();
  for (const std::string_view name : {"include", "rename-command", "user"}) {
    EXPECT_EQ(explained.erase(std::string(name)), 1U) << name;
  }
  for (const ConfigRow* row : table.rows()) {
    const bool works = row->effect == ConfigEffect::kWorks;
    EXPECT_EQ(explained.erase(std::string(row->name)), works ? 1U : 0U) << row->name;
  }
  EXPECT_TRUE(explained.empty()) << *explained.begin();
}

TEST(RedisConf, NamesEachDirectiveWithoutEffectInItsLastSections) {
  Config config;
  const ConfigTable table(config);
  const std::set<std::string> later = WordsOf(kLastSection);
  const std::set<std::string> needless = WordsOf(kNeedlessSection);
  for (const ConfigRow* row : table.rows()) {
    const std::string name(row->name);
    const bool listed = row->effect == ConfigEffect::kNoEffectYet && !row->has(kConfigHidden);
    EXPECT_EQ(later.contains(name), listed) << name;
    EXPECT_EQ(needless.contains(name), row->effect == ConfigEffect::kNeedless) << name;
    EXPECT_EQ(row->why_needless.empty(), row->effect != ConfigEffect::kNeedless) << name;
  }
}

}  // namespace
}  // namespace aeris
