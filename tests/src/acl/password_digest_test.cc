#include "src/acl/password_digest.h"

#include <gtest/gtest.h>

#include <vector>

namespace aeris {
namespace {

constexpr std::string_view kDigestOfNothing =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

TEST(PasswordDigest, IsSha256) {
  EXPECT_EQ(DigestText(DigestOf("")), kDigestOfNothing);
  EXPECT_EQ(DigestText(DigestOf("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(DigestText(DigestOf(std::string(1000000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  EXPECT_NE(DigestOf(std::string("a\0b", 3)), DigestOf("a"));
}

TEST(PasswordDigest, IsReadBackFromItsText) {
  const PasswordDigest digest = DigestOf("secret");
  EXPECT_EQ(ParseDigest(DigestText(digest)), digest);
}

TEST(PasswordDigest, RefusesOtherTexts) {
  const std::string good(kDigestOfNothing);
  EXPECT_TRUE(ParseDigest(good));
  EXPECT_FALSE(ParseDigest(""));
  EXPECT_FALSE(ParseDigest(good.substr(1)));
  EXPECT_FALSE(ParseDigest(good + "0"));
  for (const char bad : {'A', 'F', 'g', '/', ':', '`', ' ', '\0'}) {
    for (const std::size_t at : {0UL, 31UL, 63UL}) {
      std::string text = good;
      text[at] = bad;
      EXPECT_FALSE(ParseDigest(text)) << at << " " << int{bad};
    }
  }
}

TEST(PasswordDigest, IsComparedInEveryBit) {
  const PasswordDigest digest = DigestOf("secret");
  const std::vector<PasswordDigest> known = {DigestOf("a"), digest, DigestOf("b")};
  EXPECT_TRUE(AnyEqual(known, digest));
  EXPECT_FALSE(AnyEqual({}, digest));
  for (std::size_t byte = 0; byte < digest.size(); ++byte) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      PasswordDigest other = digest;
      other[byte] = static_cast<std::uint8_t>(other[byte] ^ (1U << bit));
      EXPECT_FALSE(AnyEqual(known, other));
    }
  }
}

}  // namespace
}  // namespace aeris
