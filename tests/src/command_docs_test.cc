#include "src/command_docs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/reply_text.h"

namespace aeris {
namespace {

std::string Arguments(std::string_view text, int resp) {
  return test::ReplyText(resp,
                         [text](protocol::ReplyWriter& reply) { ReplyArguments(text, reply); });
}

TEST(CommandDocs, WritesNameTypeAndKeySpec) {
  EXPECT_EQ(Arguments("key:key#0 value:string", 2),
            "*2 *6 $4 name $3 key $4 type $3 key $14 key_spec_index :0 "
            "*4 $4 name $5 value $4 type $6 string");
}

TEST(CommandDocs, WritesMapsAndSetsInResp3) {
  EXPECT_EQ(Arguments("key:key?*#1", 3),
            "*1 %4 $4 name $3 key $4 type $3 key $14 key_spec_index :1 "
            "$5 flags ~2 +optional +multiple");
}

// The fields come in the order in which Redis writes them, whatever their order in the notation.
TEST(CommandDocs, WritesEveryField) {
  EXPECT_EQ(Arguments("'A B' x:oneof('' a:pure-token|b:unix-time)?+#12@6.2.0!7.0.0", 3),
            "*1 %8 $4 name $1 x $4 type $5 oneof $14 key_spec_index :12 $5 token $3 A B "
            "$5 since $5 6.2.0 $16 deprecated_since $5 7.0.0 "
            "$5 flags ~3 +optional +multiple +multiple_token $9 arguments *2 "
            "%3 $4 name $1 a $4 type $10 pure-token $5 token $0  "
            "%2 $4 name $1 b $4 type $9 unix-time");
}

TEST(CommandDocs, NestsBlocksInChoices) {
  EXPECT_EQ(Arguments("op:oneof('GET' g:block(e:string o:integer)|w:block('SET' v:integer))*", 3),
            "*1 %4 $4 name $2 op $4 type $5 oneof $5 flags ~1 +multiple $9 arguments *2 "
            "%4 $4 name $1 g $4 type $5 block $5 token $3 GET $9 arguments *2 "
            "%2 $4 name $1 e $4 type $6 string %2 $4 name $1 o $4 type $7 integer "
            "%3 $4 name $1 w $4 type $5 block $9 arguments *1 "
            "%3 $4 name $1 v $4 type $7 integer $5 token $3 SET");
}

TEST(CommandDocs, KeepsColonsAndSlashesInNames) {
  EXPECT_EQ(Arguments("ip:port:string!2.8.12 yes/no:string", 3),
            "*2 %3 $4 name $7 ip:port $4 type $6 string $16 deprecated_since $6 2.8.12 "
            "%2 $4 name $6 yes/no $4 type $6 string");
}

TEST(CommandDocs, WritesNothingForNoArguments) { EXPECT_EQ(Arguments("", 3), "*0"); }

TEST(CommandDocs, AcceptsEveryType) {
  EXPECT_TRUE(ArgumentsAreWellFormed(
      "a:key b:string c:integer d:double e:pattern f:unix-time 'G' g:pure-token h:oneof(i:key|j:"
      "key) k:block(l:key m:key)"));
}

TEST(CommandDocs, RefusesWhatDepartsFromTheNotation) {
  for (const std::string_view text : {"key",
                                      "key:",
                                      ":key",
                                      "key:text",
                                      "key:key ",
                                      " key:key",
                                      "key:key  b:key",
                                      "'EX a:key",
                                      "'EX'a:key",
                                      "a:oneof",
                                      "a:oneof(",
                                      "a:oneof()",
                                      "a:oneof(b:key",
                                      "a:oneof(b:key)x",
                                      "a:oneof(b:key c:key)",
                                      "a:block(b:key|c:key)",
                                      "a:key(b:key)",
                                      "a:key)",
                                      "a:key#",
                                      "a:key#x",
                                      "a:key#-1",
                                      "a:key#99999999999",
                                      "a:key@",
                                      "a:key@x",
                                      "a:key!",
                                      "a:key?@1.0.0?",
                                      "a:key*+",
                                      "a:key#0?",
                                      "a:key@1.0 2:x",
                                      "|a:key"}) {
    EXPECT_FALSE(ArgumentsAreWellFormed(text)) << text;
  }
}

TEST(CommandDocs, BoundsNesting) {
  std::string text = "a:key";
  for (int depth = 0; depth < 7; ++depth) text = "a:block(" + text + ")";
  EXPECT_TRUE(ArgumentsAreWellFormed(text));
  EXPECT_FALSE(ArgumentsAreWellFormed("a:block(" + text + ")"));
}

// No prefix of a well-formed text is read past its end.
TEST(CommandDocs, StopsAtTheEndOfEveryPrefix) {
  const std::string text = "'T' a:oneof('B' b:key#10@1.2.3|c:block(d:string e:double)?+!1.0)";
  ASSERT_TRUE(ArgumentsAreWellFormed(text));
  for (std::size_t size = 1; size < text.size(); ++size) {
    const std::string prefix(text, 0, size);
    EXPECT_FALSE(ArgumentsAreWellFormed(std::string_view(prefix))) << prefix;
  }
}

}  // namespace
}  // namespace aeris
