#include "protocol/inline_parser.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aeris::protocol {
namespace {

using std::string_view_literals::operator""sv;
using Words = std::vector<std::string>;

TEST(SplitArguments, SplitsAtWhiteSpace) {
  EXPECT_EQ(SplitArguments(""), Words{});
  EXPECT_EQ(SplitArguments(" \t\r\n\v\f"), Words{});
  EXPECT_EQ(SplitArguments("a"), Words{"a"});
  EXPECT_EQ(SplitArguments("  set\tk \r v\n"), (Words{"set", "k", "v"}));
}

// As Redis does: these are skipped before a word and belong to it inside.
TEST(SplitArguments, VerticalTabAndFormFeedEndNoWord) {
  EXPECT_EQ(SplitArguments("\va\vb \fc\f"), (Words{"a\vb", "c\f"}));
}

TEST(SplitArguments, TakesBackslashAsItIsOutsideQuotes) {
  EXPECT_EQ(SplitArguments("a\\n \\x41"), (Words{"a\\n", "\\x41"}));
}

TEST(SplitArguments, DecodesDoubleQuotes) {
  EXPECT_EQ(SplitArguments(R"("a b" "\n\r\t\b\a" "\q\"\\" "\x41\xfF\x00")"),
            (Words{"a b", "\n\r\t\b\a", "q\"\\", std::string("A\xff\0", 3)}));
}

TEST(SplitArguments, TakesBadHexAsPlainBytes) {
  EXPECT_EQ(SplitArguments(R"("\x4" "\xzz" "\x" "\x4z")"), (Words{"x4", "xzz", "x", "x4z"}));
}

TEST(SplitArguments, DecodesSingleQuotes) {
  EXPECT_EQ(SplitArguments(R"('a b' '\n' '\'' 'a"b' 'a\b')"),
            (Words{"a b", "\\n", "'", "a\"b", "a\\b"}));
}

TEST(SplitArguments, OpensQuotesInsideAWord) {
  EXPECT_EQ(SplitArguments(R"(a"b c" d'e f')"), (Words{"ab c", "de f"}));
  EXPECT_EQ(SplitArguments(R"("" '' a)"), (Words{"", "", "a"}));
}

TEST(SplitArguments, RefusesUnbalancedQuotes) {
  for (const std::string_view line :
       {"\"", "'", "\"a", "'a", "a\"", "\"a\"b", "'a'b", "\"a\"\"b\"", "\"a\\", "\"a\\\"", "'a\\'",
        "'\\\\'", "\"\\x4", "ok \"a\"'b'"}) {
    EXPECT_EQ(SplitArguments(line), std::nullopt) << line;
  }
}

TEST(SplitArguments, AnyWhiteSpaceMayFollowAQuote) {
  EXPECT_EQ(SplitArguments("\"a\"\v\"b\"\fc"), (Words{"a", "b", "c"}));
}

TEST(SplitArguments, KeepsZeroBytes) {
  EXPECT_EQ(SplitArguments("a\0b c"sv), (Words{std::string("a\0b", 3), "c"}));
}

TEST(SplitWords, LeavesPlainWordsInPlace) {
  std::vector<ArgRange> words;
  std::string decoded = "untouched";
  ASSERT_EQ(SplitWords(" get  key ", words, decoded), SplitResult::kInPlace);
  ASSERT_EQ(words.size(), 2U);
  EXPECT_EQ(words[0].offset, 1U);
  EXPECT_EQ(words[1].offset, 6U);
  EXPECT_EQ(words[1].size, 3U);
  EXPECT_EQ(decoded, "untouched");
}

}  // namespace
}  // namespace aeris::protocol
