#include "src/authentication.h"

#include <gtest/gtest.h>

#include <string>

namespace aeris {
namespace {

TEST(SecretsEqual, ComparesAllBytes) {
  EXPECT_TRUE(SecretsEqual("", ""));
  EXPECT_TRUE(SecretsEqual("secret", "secret"));
  EXPECT_FALSE(SecretsEqual("secret", ""));
  EXPECT_FALSE(SecretsEqual("", "secret"));
  EXPECT_FALSE(SecretsEqual("secret", "secre"));
  EXPECT_FALSE(SecretsEqual("secre", "secret"));
  EXPECT_TRUE(SecretsEqual(std::string("a\0b", 3), std::string("a\0b", 3)));
  EXPECT_FALSE(SecretsEqual(std::string("a\0b", 3), std::string("a\0c", 3)));
  EXPECT_FALSE(SecretsEqual("a", std::string("a\0", 2)));
}

TEST(SecretsEqual, SeesADifferenceInEveryBitOfEveryByte) {
  const std::string secret = "correct horse";
  for (std::size_t at = 0; at < secret.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string other = secret;
      other[at] = static_cast<char>(other[at] ^ (1 << bit));
      EXPECT_FALSE(SecretsEqual(secret, other));
    }
  }
}

TEST(IsValidClientName, TakesPrintableBytesWithoutSpaces) {
  EXPECT_TRUE(IsValidClientName(""));
  EXPECT_TRUE(IsValidClientName("a-name_1!~"));
  for (const std::string_view name : {"a b", "a\n", "\t", "\x7F", "\xC3\xA9", " "}) {
    EXPECT_FALSE(IsValidClientName(name)) << name;
  }
  EXPECT_FALSE(IsValidClientName(std::string_view("a\0b", 3)));
}

}  // namespace
}  // namespace aeris
