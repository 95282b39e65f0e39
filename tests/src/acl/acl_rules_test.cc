#include "src/acl/acl_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "src/acl/acl_description.h"
#include "src/acl/acl_limits.h"
#include "src/base/random.h"
#include "src/command_names.h"

namespace aeris {
namespace {

using testing::ElementsAre;

class AclRulesTest : public testing::Test {
 protected:
  std::expected<void, AclFault> Apply(AclUser::Rights& rights, std::string_view rule) const {
    return ApplyAclRule(rights, rule, {catalogue_, all_channels_});
  }
  AclUser::Rights New() const { return AclUser("x", all_channels_).rights(); }
  // Of a new user, after these rules.
  AclUser::Rights Made(std::initializer_list<std::string_view> rules) const {
    AclUser::Rights rights = New();
    for (const std::string_view rule : rules) EXPECT_TRUE(Apply(rights, rule)) << rule;
    return rights;
  }
  std::string Describe(const AclUser::Rights& rights) const {
    return DescribeRights(rights, catalogue_);
  }
  std::string Described(std::initializer_list<std::string_view> rules) const {
    return Describe(Made(rules));
  }
  // A fault leaves everything as it was.
  void ExpectFault(std::initializer_list<std::string_view> before, std::string_view rule,
                   AclFault fault) const {
    AclUser::Rights rights = Made(before);
    const std::string description = Describe(rights);
    const auto done = Apply(rights, rule);
    ASSERT_FALSE(done) << rule;
    EXPECT_EQ(done.error(), fault) << rule << ": " << AclFaultText(done.error());
    EXPECT_EQ(Describe(rights), description) << rule;
  }
  // As a file of users is read.
  AclUser::Rights Read(std::string_view description) const {
    std::vector<std::string_view> words;
    while (!description.empty()) {
      const std::size_t end = std::min(description.find(' '), description.size());
      words.push_back(description.substr(0, end));
      description.remove_prefix(std::min(end + 1, description.size()));
    }
    AclUser::Rights rights = New();
    const auto rules = JoinSelectors(words);
    EXPECT_TRUE(rules);
    for (const std::string& rule : *rules) EXPECT_TRUE(Apply(rights, rule)) << rule;
    return rights;
  }

  CommandTable table_;
  AclCatalogue catalogue_{table_};
  bool all_channels_ = false;
};

TEST_F(AclRulesTest, NewUsersMayDoNothing) {
  EXPECT_EQ(Described({}), "off resetchannels -@all");
  all_channels_ = true;
  EXPECT_EQ(Described({}), "off &* -@all");
}

TEST_F(AclRulesTest, DescribesFlagsAndPasswordsInOrder) {
  EXPECT_EQ(Described({"on", "nopass"}), "on nopass resetchannels -@all");
  EXPECT_EQ(Described({"ON", "skip-sanitize-payload"}),
            "on skip-sanitize-payload resetchannels -@all");
  EXPECT_EQ(Described({"nopass", "sanitize-payload"}),
            "off nopass sanitize-payload resetchannels -@all");
  EXPECT_EQ(Described({"nopass", ">a", ">b", ">a", "<b"}),
            "off #ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb resetchannels "
            "-@all");
  EXPECT_EQ(Described({">a", "nopass"}), "off nopass resetchannels -@all");
  EXPECT_EQ(Described({">a", "resetpass"}), "off resetchannels -@all");
}

TEST_F(AclRulesTest, DescribesKeysAndChannels) {
  EXPECT_EQ(Described({"~a*", "%R~b", "%w~c", "%Wr~d", "&x", "&y*"}),
            "off ~a* %R~b %W~c ~d resetchannels &x &y* -@all");
  EXPECT_EQ(Described({"%R~a", "%W~a"}), "off ~a resetchannels -@all");
  EXPECT_EQ(Described({"~a", "allkeys", "&x", "allchannels"}), "off ~* &* -@all");
  EXPECT_EQ(Described({"~*", "resetkeys", "&*", "resetchannels", "~b"}),
            "off ~b resetchannels -@all");
  EXPECT_EQ(Described({"%RW~*", "~b"}), "off %RW~* ~b resetchannels -@all");
  // As in Redis the pattern may be missing, and then matches the empty key alone.
  EXPECT_EQ(Described({"%RW"}), "off ~ resetchannels -@all");
}

TEST_F(AclRulesTest, DescribesCommandsByCategoriesThenOneByOne) {
  EXPECT_EQ(Described({"+@all"}), "off resetchannels +@all");
  EXPECT_EQ(Described({"+@all", "-get"}), "off resetchannels +@all -get");
  EXPECT_EQ(Described({"+@read", "-get"}), "off resetchannels -@all +@read -get");
  EXPECT_EQ(Described({"+@all", "-@dangerous"}), "off resetchannels +@all -@dangerous");
  // What fits without a difference comes first, however little it explains.
  EXPECT_TRUE(Described({"+@all", "-@dangerous", "+info"})
                  .starts_with("off resetchannels +@all -@admin -"));
  EXPECT_EQ(Described({"+config|get"}), "off resetchannels -@all +config|get");
  EXPECT_EQ(Described({"+config", "-CONFIG|SET"}), "off resetchannels -@all +config -config|set");
  EXPECT_EQ(Described({"+select|0", "+select|1", "+SELECT|0"}),
            "off resetchannels -@all +select|0 +select|1");
  EXPECT_EQ(Described({"+select|0", "+select"}), "off resetchannels -@all +select");
  EXPECT_EQ(Described({"+@all", "+get"}), "off resetchannels +@all");
  EXPECT_EQ(Described({"+@all", "nocommands"}), "off resetchannels -@all");
}

TEST_F(AclRulesTest, EachCategoryAloneIsDescribedAsItself) {
  for (const std::string_view name : kAclCategoryNames) {
    const std::string category = "@" + std::string(name);
    EXPECT_EQ(Described({"+" + category}), "off resetchannels -@all +" + category);
    EXPECT_EQ(Described({"+@all", "-" + category}), "off resetchannels +@all -" + category);
  }
}

TEST_F(AclRulesTest, KnowsCommandsOfRedisThatTheServerDoesNotHave) {
  EXPECT_EQ(Described({"+eval", "+function|load", "+migrate"}),
            "off resetchannels -@all +function|load +eval +migrate");
  ExpectFault({}, "+eval|x y", AclFault::kSyntax);
  ExpectFault({}, "+function|nothing", AclFault::kUnknownCommand);
}

TEST_F(AclRulesTest, SelectorsHaveRightsOfTheirOwn) {
  const AclUser::Rights rights = Made({"~a", "(+get ~b)", "( %R~c &d )", "()"});
  EXPECT_EQ(Describe(rights),
            "off ~a resetchannels -@all (~b resetchannels -@all +get) (%R~c resetchannels &d "
            "-@all) (resetchannels -@all)");
  EXPECT_EQ(Described({"(+get)", "clearselectors"}), "off resetchannels -@all");
  EXPECT_EQ(Described({"on", ">a", "~a", "+@all", "(+get)", "reset"}),
            "off sanitize-payload resetchannels -@all");
  all_channels_ = true;
  EXPECT_EQ(Described({"(+get)", "resetchannels"}), "off resetchannels -@all (&* -@all +get)");
}

TEST_F(AclRulesTest, FaultsAreNamedAndChangeNothing) {
  ExpectFault({"+get"}, "+nothing", AclFault::kUnknownCommand);
  ExpectFault({"+get"}, "-nothing", AclFault::kUnknownCommand);
  ExpectFault({"+get"}, "+@nothing", AclFault::kUnknownCommand);
  ExpectFault({"+get"}, "+@", AclFault::kUnknownCommand);
  ExpectFault({"+get"}, "+", AclFault::kUnknownCommand);
  ExpectFault({"+get"}, "+get|a|b", AclFault::kUnknownCommand);
  ExpectFault({"+get"}, "-get|a", AclFault::kUnknownCommand);
  ExpectFault({"+get"}, "+config|nothing", AclFault::kUnknownCommand);
  ExpectFault({"+get"}, "+config|get|a", AclFault::kFirstArgumentOfSubcommand);
  ExpectFault({"+get"}, "+select|", AclFault::kSyntax);
  ExpectFault({"+get"}, "+select|0\nuser b on nopass +@all", AclFault::kSyntax);
  ExpectFault({"~*"}, "~a", AclFault::kKeysAfterAll);
  ExpectFault({"~*"}, "%R~a", AclFault::kKeysAfterAll);
  ExpectFault({"&*"}, "&a", AclFault::kChannelsAfterAll);
  ExpectFault({}, "~a b", AclFault::kSyntax);
  ExpectFault({}, std::string_view("~a\0b", 4), AclFault::kSyntax);
  ExpectFault({}, "&a\tb", AclFault::kSyntax);
  for (const std::string_view rule : {"%", "%~", "%~x", "%X~a", "%RR~a", "%RWR~a", "%R a"}) {
    ExpectFault({}, rule, AclFault::kSyntax);
  }
  for (const std::string_view rule : {"nothing", " ", "onn", ")", "(", "(+get) ", "@read", "get"}) {
    ExpectFault({}, rule, AclFault::kSyntax);
  }
  ExpectFault({">a"}, "<b", AclFault::kNoSuchPassword);
  ExpectFault({">a"}, "#1234", AclFault::kBadDigest);
  ExpectFault({">a"}, "!zz", AclFault::kBadDigest);
}

TEST_F(AclRulesTest, FaultsInsideSelectorsAreTheSelectors) {
  ExpectFault({"(+get)"}, "(+nothing)", AclFault::kUnknownCommand);
  ExpectFault({}, "(+get ~a (+set))", AclFault::kSyntax);
  ExpectFault({}, "(on)", AclFault::kSyntax);
  ExpectFault({}, "(>password)", AclFault::kSyntax);
  ExpectFault({}, "(\"+get)", AclFault::kSyntax);
  ExpectFault({}, "(&* &a)", AclFault::kChannelsAfterAll);
}

TEST_F(AclRulesTest, WordsBetweenParenthesesAreOneRule) {
  const auto join = [](std::vector<std::string_view> words) { return JoinSelectors(words); };
  EXPECT_THAT(*join({"on", "(a", "b", "c)", "(d)", "e"}), ElementsAre("on", "(a b c)", "(d)", "e"));
  EXPECT_THAT(*join({"(a", "(b", ")"}), ElementsAre("(a (b )"));
  EXPECT_THAT(*join({""}), ElementsAre(""));
  EXPECT_EQ(join({"on", "(a", "b"}).error(), 1U);
  EXPECT_EQ(join({"("}).error(), 0U);
}

TEST_F(AclRulesTest, WhatOneUserIsMadeOfIsBounded) {
  AclUser::Rights rights = New();
  for (std::size_t i = 0; i < kAclItemsMax; ++i) {
    ASSERT_TRUE(Apply(rights, "+select|" + std::to_string(i)));
  }
  EXPECT_EQ(Apply(rights, "+select|x").error(), AclFault::kTooMany);
  EXPECT_TRUE(Apply(rights, "+select|7")) << "is there already";
  for (std::size_t i = 0; i < kAclItemsMax; ++i) ASSERT_TRUE(Apply(rights, "()"));
  EXPECT_EQ(Apply(rights, "()").error(), AclFault::kTooMany);
}

// ---- Random rules

class AclRandomRules {
 public:
  AclRandomRules(Random& random, const AclCatalogue& catalogue)
      : random_(random), catalogue_(catalogue) {}

  std::string OfUser() {
    switch (random_.Below(12)) {
      case 0:
        return Pick({"on", "off", "nopass", "resetpass", "clearselectors", "reset",
                     "sanitize-payload", "skip-sanitize-payload"});
      case 1:
        return ">" + Word();
      case 2: {
        std::string rule = "(";
        for (std::uint64_t i = random_.Below(6); i > 0; --i) rule += OfSelector() + " ";
        return rule + ")";
      }
      default:
        return OfSelector();
    }
  }

  std::string OfSelector() {
    switch (random_.Below(10)) {
      case 0:
        return Pick({"resetkeys", "resetchannels", "+@all", "-@all", "~*", "&*"});
      case 1:
        return Pick({"~", "%R~", "%W~", "%RW~"}) + Word();
      case 2:
        return "&" + Word();
      case 3:
      case 4:
        return Pick({"+@", "-@"}) + std::string(kAclCategoryNames[random_.Below(21)]);
      case 5:
        return "+" + Pick({"get|", "select|", "ping|"}) + Pick({"0", "a\"b", "c)", "d'"});
      default:
        return Pick({"+", "-"}) + catalogue_[random_.Below(catalogue_.size())].name;
    }
  }

 private:
  std::string Pick(std::vector<std::string> from) { return from[random_.Below(from.size())]; }
  // No white space, but whatever else is awkward to read back.
  std::string Word() {
    static constexpr std::string_view kLetters = "ab*?[]()\"'\\#\x01\xff";
    std::string word;
    for (std::uint64_t i = random_.Below(5); i > 0; --i) {
      word += kLetters[random_.Below(kLetters.size())];
    }
    return word;
  }

  Random& random_;
  const AclCatalogue& catalogue_;
};

TEST_F(AclRulesTest, DescriptionsMakeTheSameUserAgain) {
  const auto seed = static_cast<std::uint64_t>(testing::UnitTest::GetInstance()->random_seed()) + 7;
  SCOPED_TRACE(seed);
  Random random(seed);
  AclRandomRules rules(random, catalogue_);
  std::size_t applied = 0;
  for (int round = 0; round < 100; ++round) {
    AclUser::Rights rights = New();
    for (std::uint64_t i = random.Below(30); i > 0; --i) {
      const std::string rule = rules.OfUser();
      const std::string before = Describe(rights);
      if (Apply(rights, rule)) {
        ++applied;
      } else {
        EXPECT_EQ(Describe(rights), before) << rule;
      }
    }
    const std::string description = Describe(rights);
    const AclUser::Rights again = Read(description);
    ASSERT_EQ(Describe(again), description);
    ASSERT_EQ(again.selectors.size(), rights.selectors.size());
    ASSERT_EQ(again.passwords, rights.passwords);
    for (std::size_t s = 0; s < rights.selectors.size(); ++s) {
      for (std::size_t id = 0; id < catalogue_.size(); ++id) {
        ASSERT_EQ(again.selectors[s].commands().has(id), rights.selectors[s].commands().has(id))
            << catalogue_[id].name << " in " << description;
      }
    }
  }
  EXPECT_GT(applied, 500U);
}

TEST_F(AclRulesTest, DamagedRulesAreFaultsOrRules) {
  const auto seed = static_cast<std::uint64_t>(testing::UnitTest::GetInstance()->random_seed()) + 9;
  SCOPED_TRACE(seed);
  Random random(seed);
  AclRandomRules rules(random, catalogue_);
  AclUser::Rights rights = New();
  for (int round = 0; round < 20000; ++round) {
    std::string rule = rules.OfUser();
    for (std::uint64_t i = random.Below(3); i > 0 && !rule.empty(); --i) {
      rule[random.Below(rule.size())] = static_cast<char>(random.Below(256));
    }
    if (random.Below(4) == 0) rule.resize(random.Below(rule.size() + 1));
    if (!Apply(rights, rule)) continue;
    if (rights.selectors.size() > 5) rights = New();
  }
  EXPECT_EQ(Describe(Read(Describe(rights))), Describe(rights));
}

}  // namespace
}  // namespace aeris
