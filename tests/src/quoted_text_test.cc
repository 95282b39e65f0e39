#include "src/quoted_text.h"

#include <gtest/gtest.h>

namespace aeris {
namespace {

TEST(QuotedText, KeepsPrintableText) {
  EXPECT_EQ(QuotedText(""), "\"\"");
  EXPECT_EQ(QuotedText("a b'c~"), "\"a b'c~\"");
}

TEST(QuotedText, EscapesWhatEndsALineOrAQuote) {
  EXPECT_EQ(QuotedText("\n\r\t\a\b"), R"("\n\r\t\a\b")");
  EXPECT_EQ(QuotedText("\"\\"), R"("\"\\")");
}

TEST(QuotedText, ShowsEveryOtherByteInHex) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const std::string quoted = QuotedText({&c, 1});
    const bool plain = byte >= 0x20 && byte < 0x7F;
    for (const char out : quoted) EXPECT_TRUE(out >= ' ' && out <= '~') << byte;
    if (plain && c != '"' && c != '\\') {
      EXPECT_EQ(quoted, std::string("\"") + c + "\"");
    }
  }
  EXPECT_EQ(QuotedText(std::string_view("\0\x7F\xFF\x1B", 4)), R"("\x00\x7f\xff\x1b")");
}

}  // namespace
}  // namespace aeris
