#include "src/acl/acl_file.h"

#include <gtest/gtest.h>

#include "src/acl/acl_description.h"

namespace aeris {
namespace {

class AclFileTest : public testing::Test {
 protected:
  std::expected<AclUserMap, std::string> Parse(std::string_view text) const {
    return ParseAclFile("users.acl", text, {catalogue_, false});
  }
  void ExpectError(std::string_view text, std::string_view error) const {
    const auto users = Parse(text);
    ASSERT_FALSE(users) << text;
    EXPECT_EQ(users.error(), error);
  }

  CommandTable table_;
  AclCatalogue catalogue_{table_};
};

TEST_F(AclFileTest, ReadsAUserFromEachLine) {
  const auto users = Parse(
      "user bob on >secret ~* +@all\r\n\n  user  off \n"
      "user carol on nopass (+get ~a) ( +set  ~b )");
  ASSERT_TRUE(users) << users.error();
  EXPECT_EQ(AclFileText(*users, catalogue_),
            "user  off resetchannels -@all\n"
            "user bob on #2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b ~* "
            "resetchannels +@all\n"
            "user carol on nopass resetchannels -@all (~a resetchannels -@all +get) (~b "
            "resetchannels -@all +set)\n")
      << "two spaces give an empty name, as in Redis";
}

TEST_F(AclFileTest, AnEmptyFileHasNoUsers) {
  EXPECT_TRUE(Parse("")->empty());
  EXPECT_TRUE(Parse("\n \r\n\t\n")->empty());
}

TEST_F(AclFileTest, TextIsReadBack) {
  const auto users =
      Parse("user a on ~x\"y (~\"p\\\")\" +get)\nuser b +@all -@dangerous +select|1");
  ASSERT_TRUE(users) << users.error();
  const std::string text = AclFileText(*users, catalogue_);
  const auto again = Parse(text);
  ASSERT_TRUE(again) << again.error() << text;
  EXPECT_EQ(AclFileText(*again, catalogue_), text);
}

TEST_F(AclFileTest, TellsAllFaultsWithTheirLines) {
  ExpectError("user a\nadmin b\n\nuser\nuser a",
              "users.acl:2 should start with user keyword followed by the username. "
              "users.acl:4 should start with user keyword followed by the username. "
              "WARNING: Duplicate user 'a' found on line 5. ");
  ExpectError("# comment", "users.acl:1 should start with user keyword followed by the username. ");
  ExpectError("user a +nothing +@none on",
              "users.acl:1: Error in applying operation '+nothing': Unknown command or category "
              "name in ACL. users.acl:1: Error in applying operation '+@none': Unknown command or "
              "category name in ACL. ");
  ExpectError("user a (+get", "users.acl:1: Unmatched parenthesis in selector definition.");
  ExpectError("user a\tb on", "'users.acl:1: username 'a\tb' contains invalid characters. ");
}

TEST_F(AclFileTest, ShowsNoSecretsAndTheFirstOtherFaultOfALineOnly) {
  ExpectError("user a #secret secret +nothing",
              "users.acl:1: The password hash must be exactly 64 characters and contain only "
              "lowercase hexadecimal characters. users.acl:1: Error in applying operation "
              "'+nothing': Unknown command or category name in ACL. ");
}

TEST_F(AclFileTest, ErrorsAreBounded) {
  std::string text;
  for (int i = 0; i < 100000; ++i) text += "nonsense\n";
  const auto users = Parse(text);
  ASSERT_FALSE(users);
  EXPECT_LT(users.error().size(), std::size_t{32} << 10);
}

TEST_F(AclFileTest, ReadsLinesOfTheConfiguration) {
  const auto user = ParseConfigUser("\"bob\" on '~a\"b' (+get ~c)", {catalogue_, false});
  ASSERT_TRUE(user) << user.error();
  EXPECT_EQ(DescribeUser(**user, catalogue_),
            "user bob on ~a\"b resetchannels -@all (~c resetchannels -@all +get)");
  const auto error = [&](std::string_view line) {
    return ParseConfigUser(line, {catalogue_, false}).error();
  };
  EXPECT_EQ(error("bob on +nothing"),
            "Error in user declaration '+nothing': Unknown command or category name in ACL");
  EXPECT_EQ(error("bob on (+get ~a"),
            "Error in user declaration '(+get': Unmatched parenthesis in selector definition");
  EXPECT_EQ(error("'b ob' on"),
            "Error in user declaration 'b ob': Spaces not allowed in ACL usernames");
}

}  // namespace
}  // namespace aeris
