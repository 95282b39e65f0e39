#include "src/text.h"

#include <gtest/gtest.h>

namespace aeris {
namespace {

TEST(EqualsIgnoringCase, TakesLettersOnly) {
  EXPECT_TRUE(EqualsIgnoringCase("", ""));
  EXPECT_TRUE(EqualsIgnoringCase("GeT", "gEt"));
  EXPECT_FALSE(EqualsIgnoringCase("get", "gets"));
  EXPECT_FALSE(EqualsIgnoringCase("get", "set"));
  // Neighbours of the letters differ by the same bit.
  EXPECT_FALSE(EqualsIgnoringCase("[", "{"));
  EXPECT_FALSE(EqualsIgnoringCase("@", "`"));
  EXPECT_FALSE(EqualsIgnoringCase("\xC3\xA9", "\xC3\x89"));
}

TEST(CaseOfText, ChangesLettersOnly) {
  EXPECT_EQ(ToLower("AZ az @[`{ \xC9"), "az az @[`{ \xC9");
  EXPECT_EQ(ToUpper("AZ az @[`{ \xE9"), "AZ AZ @[`{ \xE9");
}

}  // namespace
}  // namespace aeris
