#include "src/base/glob.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "src/base/random.h"

namespace aeris {
namespace {

struct Case {
  std::string_view pattern;
  std::string_view text;
  bool matches;
};

void ExpectAll(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    EXPECT_EQ(GlobMatch(c.pattern, c.text), c.matches)
        << "'" << c.pattern << "' '" << c.text << "'";
  }
}

// The definition, written as recursion without care for time: what `*` may stand for, tried in
// order. An empty text is the special case of glob.h.
bool Oracle(std::string_view pattern, std::string_view text) {
  if (text.empty()) return pattern.find_first_not_of('*') == pattern.npos;
  if (pattern.empty()) return false;
  if (pattern[0] == '*') {
    for (std::size_t skip = 0; skip <= text.size(); ++skip) {
      if (Oracle(pattern.substr(1), text.substr(skip))) return true;
    }
    return false;
  }
  if (pattern[0] == '?') return Oracle(pattern.substr(1), text.substr(1));
  if (pattern[0] == '\\' && pattern.size() > 1) pattern.remove_prefix(1);
  return pattern[0] == text[0] && Oracle(pattern.substr(1), text.substr(1));
}

TEST(GlobMatch, MatchesTheWholeText) {
  ExpectAll({{"abc", "abc", true},
             {"abc", "abcd", false},
             {"abc", "ab", false},
             {"a?c", "abc", true},
             {"a?c", "ac", false},
             {"*", "anything", true},
             {"a*", "a", true},
             {"*a", "a", true},
             {"a**", "a", true},
             {"**a**b**", "xaxxbx", true},
             {"*ab*cd", "ab_ab_cdcd", true},
             {"*ab*cd", "ab_ab_cdc", false},
             {"a*?", "a", false},
             {"a*?", "ab", true}});
}

TEST(GlobMatch, ReadsClasses) {
  ExpectAll({{"[abc]", "b", true},
             {"[abc]", "d", false},
             {"[a-c]x", "bx", true},
             {"[c-a]", "b", true},
             {"[^a]", "b", true},
             {"[^a]", "a", false},
             {"[^a-c]", "b", false},
             {"[a\\]]", "]", true},
             {"[\\^a]", "^", true},
             {"h[ae]llo*", "hallo!", true}});
}

// Each was asked of redis-server 7.0.15 through KEYS.
TEST(GlobMatch, AnswersOddPatternsLikeRedis) {
  ExpectAll({{"*", "", false},     {"**", "", false},    {"", "", true},      {"", "a", false},
             {"[", "a", false},    {"[^", "a", true},    {"[a", "a", true},   {"[ab", "b", true},
             {"[ab", "bx", false}, {"[]", "a", false},   {"[^]", "a", true},  {"[]a]", "a", false},
             {"[a-", "-", true},   {"[a-", "b", false},  {"[a-]", "]", true}, {"[a-]", "_", true},
             {"[a-]", "-", false}, {"a\\", "a\\", true}, {"[\\", "\\", true}, {"\\*", "*", true},
             {"\\*", "a", false},  {"\\a", "a", true}});
}

TEST(GlobMatch, ComparesEndsOfARangeAsSignedBytes) {
  EXPECT_TRUE(GlobMatch("[\x80-\x90]", "\x85"));
  EXPECT_FALSE(GlobMatch("[a-\xff]", "z"));
  EXPECT_TRUE(GlobMatch("[a-\xff]", "Z"));
}

TEST(GlobMatch, IgnoresCaseWhenAskedExceptForEscapesInClasses) {
  EXPECT_TRUE(GlobMatch("MAX*", "maxmemory", GlobCase::kIgnore));
  EXPECT_TRUE(GlobMatch("[A-C]", "b", GlobCase::kIgnore));
  EXPECT_TRUE(GlobMatch("\\A", "a", GlobCase::kIgnore));
  EXPECT_FALSE(GlobMatch("[\\A]", "a", GlobCase::kIgnore));
  EXPECT_FALSE(GlobMatch("MAX*", "maxmemory"));
}

TEST(GlobMatch, TakesNulAsAnyOtherByte) {
  using namespace std::string_view_literals;
  EXPECT_TRUE(GlobMatch("a?b"sv, "a\0b"sv));
  EXPECT_FALSE(GlobMatch("a\0c"sv, "a\0b"sv));
}

TEST(GlobMatch, EqualsTheDefinitionOnRandomPatterns) {
  constexpr std::uint64_t kSeed = 20261120;
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  Random random(kSeed);
  const auto draw = [&](std::string_view letters, std::size_t size_max) {
    std::string text(random.Below(size_max + 1), ' ');
    for (char& byte : text) byte = letters[random.Below(letters.size())];
    return text;
  };
  for (int i = 0; i < 200000; ++i) {
    const std::string pattern = draw("ab*?\\", 8);
    const std::string text = draw("ab\\", 8);
    if (text.empty()) continue;
    ASSERT_EQ(GlobMatch(pattern, text), Oracle(pattern, text)) << pattern << " " << text;
  }
}

// CVE-2022-36021: a star that failed is not tried again. With the plain recursion this runs for
// longer than the universe; the test's time limit is the assertion.
TEST(GlobMatch, TakesManyStarsWithoutTryingEachAgain) {
  std::string pattern;
  for (int i = 0; i < 2000; ++i) pattern += "a*";
  pattern += "b";
  EXPECT_FALSE(GlobMatch(pattern, std::string(5000, 'a')));
}

// CVE-2024-31228: depth of the stack does not follow the pattern.
TEST(GlobMatch, FollowsAtMostAThousandStarsAsRedisDoes) {
  const auto stars = [](std::size_t count) {
    std::string pattern;
    for (std::size_t i = 0; i < count; ++i) pattern += "*?";
    return pattern;
  };
  const std::string text(5'000, 'a');
  EXPECT_TRUE(GlobMatch(stars(1'000), text));
  EXPECT_TRUE(GlobMatch(stars(1'000) + "*", text));
  EXPECT_FALSE(GlobMatch(stars(1'001), text));
}

TEST(GlobMatch, TakesAPatternOfAMillionStars) {
  std::string pattern(1000000, '*');
  pattern += 'b';
  EXPECT_FALSE(GlobMatch(pattern, std::string(1000, 'a')));
}

}  // namespace
}  // namespace aeris
