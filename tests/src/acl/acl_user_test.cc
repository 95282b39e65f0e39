// What users may do: a model that knows sets of names and patterns of one star, beside the real
// one.
#include "src/acl/acl_user.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "src/acl/acl_rules.h"
#include "src/base/random.h"

namespace aeris {
namespace {

class AclUserTest : public testing::Test {
 protected:
  AclUser Made(std::initializer_list<std::string_view> rules) const {
    AclUser user("x", false);
    for (const std::string_view rule : rules) Apply(user, rule);
    return user;
  }
  void Apply(AclUser& user, std::string_view rule) const {
    EXPECT_TRUE(ApplyAclRule(user.rights(), rule, {catalogue_, false})) << rule;
  }
  // "", or the reason and its argument.
  std::string Denial(const AclUser& user, std::vector<std::string_view> request) const {
    const Command* command = table_.Find(request[0]);
    if (!command->subcommands().empty()) command = command->FindSubcommand(request[1]);
    AclRequest asked(*command, request);
    const auto denial = user.Check(asked);
    if (!denial) return "";
    if (denial->reason == AclReason::kCommand) return "command";
    return (denial->reason == AclReason::kKey ? "key " : "channel ") +
           std::string(request[denial->argument]);
  }

  CommandTable table_;
  AclCatalogue catalogue_{table_};
};

TEST_F(AclUserTest, ANewUserMayOnlyLogIn) {
  const AclUser user = Made({});
  EXPECT_EQ(Denial(user, {"get", "k"}), "command");
  EXPECT_EQ(Denial(user, {"ping"}), "command");
  for (const std::string_view command : {"auth", "hello", "quit", "reset"}) {
    EXPECT_EQ(Denial(user, {command}), "") << command;
  }
}

TEST_F(AclUserTest, IsUnrestrictedOnlyWithEverything) {
  EXPECT_TRUE(Made({"+@all", "~*", "&*"}).unrestricted());
  EXPECT_TRUE(Made({"(+@all ~* &*)"}).unrestricted());
  EXPECT_FALSE(Made({"+@all", "~*"}).unrestricted());
  EXPECT_FALSE(Made({"+@all", "&*"}).unrestricted());
  EXPECT_FALSE(Made({"~*", "&*"}).unrestricted());
  EXPECT_FALSE(Made({"+@all", "-get", "~*", "&*"}).unrestricted());
  EXPECT_FALSE(Made({"+@all", "~*", "(&*)"}).unrestricted());
}

TEST_F(AclUserTest, SubcommandsAndFirstArgumentsAreAllowedAlone) {
  const AclUser user = Made({"+config|get", "+select|0"});
  EXPECT_EQ(Denial(user, {"config", "get", "x"}), "");
  EXPECT_EQ(Denial(user, {"config", "set", "x", "y"}), "command");
  EXPECT_EQ(Denial(user, {"select", "0"}), "");
  EXPECT_EQ(Denial(user, {"select", "1"}), "command");
  EXPECT_EQ(Denial(Made({"+@all", "-config|get"}), {"config", "get", "x"}), "command");
}

TEST_F(AclUserTest, KeysNeedTheRightThatTheCommandUses) {
  const AclUser user = Made({"+@all", "%R~r*", "%W~w*", "~b*"});
  EXPECT_EQ(Denial(user, {"get", "r"}), "");
  EXPECT_EQ(Denial(user, {"get", "w"}), "key w");
  EXPECT_EQ(Denial(user, {"set", "w", "v"}), "");
  EXPECT_EQ(Denial(user, {"set", "r", "v"}), "key r");
  EXPECT_EQ(Denial(user, {"set", "w", "v", "get"}), "key w") << "replies the old value";
  EXPECT_EQ(Denial(user, {"set", "b", "v", "get"}), "");
  EXPECT_EQ(Denial(user, {"exists", "r", "w", "b"}), "") << "either right will do";
  EXPECT_EQ(Denial(user, {"exists", "r", "x"}), "key x");
  EXPECT_EQ(Denial(user, {"copy", "r", "w"}), "");
  EXPECT_EQ(Denial(user, {"copy", "w", "r"}), "key w");
  EXPECT_EQ(Denial(user, {"rename", "r", "w"}), "key r");
  EXPECT_EQ(Denial(user, {"mget", "r", "b", "x", "y"}), "key x");
  EXPECT_EQ(Denial(user, {"bitfield", "r", "get", "u8", "0"}), "");
  EXPECT_EQ(Denial(user, {"bitfield", "r", "set", "u8", "0", "1"}), "key r");
  EXPECT_EQ(Denial(user, {"sort", "r", "store", "w"}), "");
  EXPECT_EQ(Denial(user, {"sort", "r", "store", "r"}), "key r");
  EXPECT_EQ(Denial(user, {"zunionstore", "w", "2", "r", "x"}), "key x");
  EXPECT_EQ(Denial(user, {"object", "freq", "x"}), "key x");
  EXPECT_EQ(Denial(user, {"ping"}), "");
}

TEST_F(AclUserTest, ChannelsArePatternsAndPatternsAreLiteral) {
  const AclUser user = Made({"+@all", "&news:*"});
  EXPECT_EQ(Denial(user, {"publish", "news:1", "m"}), "");
  EXPECT_EQ(Denial(user, {"publish", "other", "m"}), "channel other");
  EXPECT_EQ(Denial(user, {"spublish", "other", "m"}), "channel other");
  EXPECT_EQ(Denial(user, {"subscribe", "news:1", "other"}), "channel other");
  EXPECT_EQ(Denial(user, {"ssubscribe", "other"}), "channel other");
  EXPECT_EQ(Denial(user, {"psubscribe", "news:*"}), "");
  EXPECT_EQ(Denial(user, {"psubscribe", "news:1"}), "channel news:1");
  for (const std::string_view leave : {"unsubscribe", "punsubscribe", "sunsubscribe"}) {
    EXPECT_EQ(Denial(user, {leave, "other"}), "") << leave;
  }
}

TEST_F(AclUserTest, OneSelectorMustAllowAllOfARequest) {
  const AclUser user = Made({"(+@all %R~r*)", "(+@all %W~w*)"});
  EXPECT_EQ(Denial(user, {"get", "r"}), "");
  EXPECT_EQ(Denial(user, {"set", "w", "v"}), "");
  EXPECT_EQ(Denial(user, {"copy", "r", "w"}), "key w");
}

TEST_F(AclUserTest, TellsTheDenialThatCameFurthest) {
  const AclUser user = Made({"+mget", "~key", "(+mget ~key ~otherkey)"});
  EXPECT_EQ(Denial(user, {"get", "key"}), "command");
  EXPECT_EQ(Denial(user, {"mget", "otherkey", "someotherkey"}), "key someotherkey");
  EXPECT_EQ(Denial(user, {"mget", "key", "otherkey", "someotherkey"}), "key someotherkey");
}

TEST_F(AclUserTest, ReadsAllKeysOnlyWhereTheRequestIsAllowed) {
  const auto reads_all = [&](const AclUser& user) {
    const std::vector<std::string_view> request = {"sort", "list", "by", "v*"};
    AclRequest asked(*table_.Find("sort"), request);
    return user.ReadsAllKeys(asked);
  };
  EXPECT_FALSE(reads_all(Made({"+sort", "~list"})));
  EXPECT_FALSE(reads_all(Made({"+sort", "~list", "%W~*", "~v*"})));
  EXPECT_TRUE(reads_all(Made({"+sort", "%R~*"})));
  EXPECT_TRUE(reads_all(Made({"+sort", "~*"})));
  EXPECT_FALSE(reads_all(Made({"+sort", "~list", "(+get ~*)"})));
}

// ---- The model

// A pattern of letters and at most one star.
bool Matches(const std::string& pattern, const std::string& text) {
  const std::size_t star = pattern.find('*');
  if (star == std::string::npos) return pattern == text;
  const std::string head = pattern.substr(0, star);
  const std::string tail = pattern.substr(star + 1);
  return text.size() >= head.size() + tail.size() && text.starts_with(head) && text.ends_with(tail);
}

struct ModelSelector {
  std::set<std::string> commands;
  std::map<std::string, std::string> keys;  // to "r", "w", "rw"
  std::set<std::string> channels;
  bool all_keys = false;
};

struct ModelRequest {
  std::string command;
  std::vector<std::string> arguments;
  std::vector<std::string> needs{};  // of each argument: "r", "w", "rw", "c" channel, "p" pattern
};

bool KeyAllowed(const ModelSelector& selector, const std::string& key, const std::string& need) {
  if (selector.all_keys) return true;
  for (const auto& [pattern, rights] : selector.keys) {
    bool enough = true;
    for (const char right : need) enough &= rights.find(right) != std::string::npos;
    if (enough && Matches(pattern, key)) return true;
  }
  return false;
}

bool ModelAllows(const ModelSelector& selector, const ModelRequest& request) {
  if (!selector.commands.contains(request.command)) return false;
  for (std::size_t i = 0; i < request.arguments.size(); ++i) {
    const std::string& need = request.needs[i];
    const std::string& argument = request.arguments[i];
    if (need == "c") {
      bool found = false;
      for (const std::string& pattern : selector.channels) found |= Matches(pattern, argument);
      if (!found) return false;
    } else if (need == "p") {
      if (!selector.channels.contains(argument)) return false;
    } else if (need != "-" && !KeyAllowed(selector, argument, need)) {
      return false;
    }
  }
  return true;
}

TEST_F(AclUserTest, DecidesAsTheModelDoes) {
  const auto seed =
      static_cast<std::uint64_t>(testing::UnitTest::GetInstance()->random_seed()) + 11;
  SCOPED_TRACE(seed);
  Random random(seed);
  const auto pick = [&](const std::vector<std::string>& from) {
    return from[random.Below(from.size())];
  };
  const std::vector<std::string> patterns = {"a", "b", "a*", "*a", "a*b", "ab", "b*"};
  const std::vector<std::string> names = {"a", "b", "ab", "ba", "aab", "bb", ""};
  const std::vector<ModelRequest> requests = {
      {"get", {"?"}, {"r"}},
      {"set", {"?", "v"}, {"w", "-"}},
      {"getset", {"?", "v"}, {"rw", "-"}},
      {"mget", {"?", "?", "?"}, {"r", "r", "r"}},
      {"del", {"?", "?"}, {"w", "w"}},
      {"rename", {"?", "?"}, {"rw", "w"}},
      {"publish", {"?", "m"}, {"c", "-"}},
      {"subscribe", {"?", "?"}, {"c", "c"}},
      {"psubscribe", {"?"}, {"p"}},
      {"strlen", {"?"}, {""}},
  };
  std::size_t allowed = 0;
  for (int round = 0; round < 3000; ++round) {
    AclUser user("x", false);
    std::vector<ModelSelector> model(1 + random.Below(3));
    for (std::size_t s = 0; s < model.size(); ++s) {
      std::string rules;
      for (std::uint64_t i = random.Below(12); i > 0; --i) {
        const std::string& command = requests[random.Below(requests.size())].command;
        const bool adds = random.Below(4) != 0;
        rules += (adds ? "+" : "-") + command + " ";
        adds ? model[s].commands.insert(command).second : model[s].commands.erase(command) != 0;
      }
      for (std::uint64_t i = random.Below(4); i > 0; --i) {
        const std::string pattern = pick(patterns);
        const std::string right = pick({"r", "w", "rw"});
        rules += "%" + right + "~" + pattern + " ";
        std::string& rights = model[s].keys[pattern];
        for (const char each : right) {
          if (rights.find(each) == std::string::npos) rights += each;
        }
      }
      for (std::uint64_t i = random.Below(3); i > 0; --i) {
        const std::string pattern = pick(patterns);
        rules += "&" + pattern + " ";
        model[s].channels.insert(pattern);
      }
      if (random.Below(8) == 0) {
        rules += "allkeys ";
        model[s].all_keys = true;
      }
      if (s == 0) {
        std::string_view left = rules;
        for (std::size_t end; (end = left.find(' ')) != left.npos; left.remove_prefix(end + 1)) {
          Apply(user, left.substr(0, end));
        }
      } else {
        Apply(user, "(" + rules + ")");
      }
    }
    for (ModelRequest request : requests) {
      std::vector<std::string_view> words = {request.command};
      for (std::string& argument : request.arguments) {
        if (argument == "?") argument = pick(names);
        words.push_back(argument);
      }
      bool expected = false;
      for (const ModelSelector& selector : model) expected |= ModelAllows(selector, request);
      allowed += expected ? 1 : 0;
      ASSERT_EQ(Denial(user, words) == "", expected) << testing::PrintToString(words);
    }
  }
  EXPECT_GT(allowed, 2000U);
}

}  // namespace
}  // namespace aeris
