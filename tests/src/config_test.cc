#include "src/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "src/config_table.h"
#include "tests/src/config_reference.h"

namespace aeris {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Names that Redis 7.0 does not have.
constexpr std::string_view kOurs[] = {"admin-bind",      "admin-port",
                                      "maxmemory-db",    "tcp-receive-buffer",
                                      "tcp-send-buffer", "tracking-client-max-keys"};

class ConfigTableTest : public testing::Test {
 protected:
  std::string Set(std::vector<ConfigPair> pairs, ConfigTable::SetOptions options = {}) {
    const auto set = table_.Set(pairs, options);
    return set ? "OK" : set.error();
  }
  std::string Set(std::string_view name, std::string_view value) { return Set({{name, value}}); }

  // The reason behind "... argument '<name>') - ".
  std::string Reason(std::string_view name, std::string_view value) {
    const std::string reply = Set(name, value);
    const std::string head =
        "ERR CONFIG SET failed (possibly related to argument '" + std::string(name) + "') - ";
    return reply.starts_with(head) ? reply.substr(head.size()) : reply;
  }
  std::string File(std::string_view name, std::vector<std::string_view> arguments) {
    const auto set = table_.SetFromFile(*table_.Find(name), arguments);
    return set ? "OK" : set.error();
  }
  std::string Get(std::string_view name) {
    const auto values = table_.Get({&name, 1});
    return values.size() == 1 ? values[0].value : "<" + std::to_string(values.size()) + " values>";
  }

  Config config_;
  ConfigTable table_{config_};
};

TEST_F(ConfigTableTest, KnowsEveryDirectiveOfRedisWithItsDefault) {
  for (const auto& [name, value] : kRedisDefaults) EXPECT_EQ(Get(name), value) << name;
}

TEST_F(ConfigTableTest, ShowsTheNamesOfRedisAndOursAndNoOthers) {
  std::map<std::string, int> names;
  const std::string_view all = "*";
  for (const ConfigValue& value : table_.Get({&all, 1})) ++names[value.name];
  for (const auto& [name, value] : kRedisDefaults) EXPECT_EQ(names.erase(std::string(name)), 1U);
  for (const std::string_view name : kOurs) EXPECT_EQ(names.erase(std::string(name)), 1U);
  EXPECT_EQ(names, (std::map<std::string, int>{{"dir", 1}, {"port", 1}}));
}

TEST_F(ConfigTableTest, KeepsEveryValueThatItShows) {
  for (const ConfigRow* row : table_.rows()) {
    const std::string text = ConfigTable::ValueText(*row, config_);
    if (row->name == "replicaof") continue;  // empty, which is written as "no one"
    const std::string_view argument = text;
    Config other;
    const auto set = ConfigTable::Assign(*row, other, {&argument, 1}, ConfigOrigin::kSet);
    EXPECT_TRUE(set) << row->name << ": " << set.error();
    EXPECT_EQ(ConfigTable::ValueText(*row, other), text) << row->name;
  }
}

TEST_F(ConfigTableTest, GetGivesEachNameOnceAndAliasesAsNamesOfTheirOwn) {
  const std::vector<std::string_view> patterns = {"*slave-prio*", "slave-prio*", "REPLICA-priority",
                                                  "replica-prior?ty"};
  const auto values = table_.Get(patterns);
  ASSERT_EQ(values.size(), 2U);
  EXPECT_EQ(values[0].name, "slave-priority");
  EXPECT_EQ(values[1].name, "REPLICA-priority");
}

TEST_F(ConfigTableTest, GetFindsHiddenDirectivesByTheirNameOnly) {
  EXPECT_EQ(Get("rdb-key-save-delay"), "0");
  EXPECT_EQ(Get("rdb-key-save-dela?"), "<0 values>");
  EXPECT_EQ(Get("nope"), "<0 values>");
  EXPECT_EQ(Get(""), "<0 values>");
}

// ---- One value of each type; texts asked of redis-server 7.0.15

TEST_F(ConfigTableTest, TakesYesAndNoInAnyCase) {
  EXPECT_EQ(Set("protected-mode", "NO"), "OK");
  EXPECT_FALSE(config_.protected_mode);
  EXPECT_EQ(Reason("protected-mode", "1"), "argument must be 'yes' or 'no'");
}

TEST_F(ConfigTableTest, TakesIntegersWithinTheirRange) {
  EXPECT_EQ(Set("maxclients", "4294967295"), "OK");
  EXPECT_EQ(config_.maxclients, 4294967295U);
  for (const std::string_view text : {"0", "4294967296", "-1"}) {
    EXPECT_EQ(Reason("maxclients", text), "argument must be between 1 and 4294967295 inclusive");
  }
  for (const std::string_view text :
       {"", "x", "10mb", "0x10", " 10", "+10", "010", "-0", "99999999999999999999999", "1\r\n"}) {
    EXPECT_EQ(Reason("maxclients", text), "argument couldn't be parsed into an integer") << text;
  }
  EXPECT_EQ(Get("maxclients"), "4294967295");
  EXPECT_EQ(Reason("list-max-listpack-size", "-2147483649"),
            "argument must be between -2147483648 and 2147483647 inclusive");
  EXPECT_EQ(Reason("slowlog-log-slower-than", "-2"),
            "argument must be between -1 and 9223372036854775807 inclusive");
}

TEST_F(ConfigTableTest, TakesMemorySizesWithUnits) {
  const std::pair<std::string_view, std::string_view> kGood[] = {
      {"100", "100"},
      {"1b", "1"},
      {"2k", "2000"},
      {"2kb", "2048"},
      {"3m", "3000000"},
      {"10MB", "10485760"},
      {"1g", "1000000000"},
      {"2Gb", "2147483648"},
      {"18446744073709551615", "18446744073709551615"},
      {"18446744073709551616", "18446744073709551615"},
      {"18446744073709551615k", "18446744073709551615"},
      {"", "0"},
      {"01", "1"}};
  for (const auto& [text, shown] : kGood) {
    EXPECT_EQ(Set("maxmemory", text), "OK") << text;
    EXPECT_EQ(Get("maxmemory"), shown);
  }
  for (const std::string_view text : {"1.5gb", "-1", "10x", " 1", "+1", "0x10", "10%", "1 gb"}) {
    EXPECT_EQ(Reason("maxmemory", text), "argument must be a memory value") << text;
  }
  EXPECT_EQ(Reason("proto-max-bulk-len", "1kb"),
            "argument must be between 1048576 and 9223372036854775807 inclusive");
  EXPECT_EQ(Reason("proto-max-bulk-len", "9223372036854775808"),
            "argument must be between 1048576 and 9223372036854775807 inclusive");
}

TEST_F(ConfigTableTest, TakesMemoryOrPercent) {
  EXPECT_EQ(Set("maxmemory-clients", "5%"), "OK");
  EXPECT_EQ(Get("maxmemory-clients"), "5%");
  EXPECT_EQ(config_.maxmemory_clients, -5);
  EXPECT_EQ(Set("maxmemory-clients", "10mb"), "OK");
  EXPECT_EQ(Get("maxmemory-clients"), "10485760");
  EXPECT_EQ(Reason("maxmemory-clients", "101%"),
            "percentage argument must be less or equal to 100");
  for (const std::string_view text : {"-5%", "%", "x%", "-7"}) {
    EXPECT_EQ(Reason("maxmemory-clients", text), "argument must be a memory or percent value");
  }
}

TEST_F(ConfigTableTest, TakesOctalModes) {
  EXPECT_EQ(File("unixsocketperm", {"0770"}), "OK");
  EXPECT_EQ(config_.unixsocketperm, 0770U);
  EXPECT_EQ(Get("unixsocketperm"), "770");
  EXPECT_EQ(File("unixsocketperm", {"888"}), "argument couldn't be parsed as an octal number");
  EXPECT_EQ(File("unixsocketperm", {"1777"}), "argument must be between 0 and 777 inclusive");
  EXPECT_EQ(File("unixsocketperm", {"-1"}), "argument must be between 0 and 777 inclusive");
}

TEST_F(ConfigTableTest, TakesNamesOfEnums) {
  EXPECT_EQ(Set("loglevel", "WARNING"), "OK");
  EXPECT_EQ(config_.loglevel, LogLevel::kWarning);
  for (const std::string_view text : {"", "foo", "notice warning"}) {
    EXPECT_EQ(Reason("loglevel", text),
              "argument(s) must be one of the following: debug, verbose, notice, warning");
  }
  EXPECT_EQ(Set("oom-score-adj", "relative"), "OK");
  EXPECT_EQ(Get("oom-score-adj"), "yes");
  EXPECT_EQ(File("event-poller", {"poll"}), "OK");
  EXPECT_EQ(config_.event_poller, EventPoller::kPoll);
  EXPECT_EQ(File("syslog-facility", {"LOCAL7"}), "OK");
  EXPECT_EQ(config_.syslog_facility, 23 << 3);
}

TEST_F(ConfigTableTest, JoinsShutdownOptions) {
  EXPECT_EQ(Set("shutdown-on-sigterm", "force now"), "OK");
  EXPECT_EQ(Get("shutdown-on-sigterm"), "now force");
  EXPECT_EQ(Set("shutdown-on-sigterm", "default now"), "OK");
  EXPECT_EQ(Get("shutdown-on-sigterm"), "now");
  EXPECT_EQ(Reason("shutdown-on-sigterm", "save nosave"),
            "shutdown options SAVE and NOSAVE can't be used simultaneously");
  EXPECT_EQ(Reason("shutdown-on-sigterm", "now  force"),
            "argument(s) must be one of the following: default, save, nosave, now, force");
}

TEST_F(ConfigTableTest, TakesSavePoints) {
  EXPECT_EQ(Set("save", "900 1 300 10"), "OK");
  EXPECT_THAT(config_.save, ElementsAre(SavePoint{900, 1}, SavePoint{300, 10}));
  for (const std::string_view text :
       {"900", "a b", "0 1", "1 -1", "900 1  300 10", " 900 1", "900 1 "}) {
    EXPECT_EQ(Reason("save", text), "Invalid save parameters") << text;
  }
  EXPECT_EQ(Set("save", ""), "OK");
  EXPECT_EQ(Get("save"), "");
}

TEST_F(ConfigTableTest, TakesOutputLimitsOfSomeClasses) {
  EXPECT_EQ(Set("client-output-buffer-limit", "replica 1mb 2mb 1 NORMAL 7 7 7"), "OK");
  EXPECT_EQ(Get("client-output-buffer-limit"),
            "normal 7 7 7 slave 1048576 2097152 1 pubsub 33554432 8388608 60");
  EXPECT_EQ(config_.output_limit(OutputLimitClass::kReplica).hard_bytes, 1048576U);
  EXPECT_EQ(Reason("client-output-buffer-limit", "normal 1 1"),
            "Wrong number of arguments in buffer limit configuration.");
  EXPECT_EQ(Reason("client-output-buffer-limit", "master 1 1 1"),
            "Invalid client class specified in buffer limit configuration.");
  for (const std::string_view text :
       {"normal 1zz 2 1", "normal 1 2 x", "normal 1 2 -1", "normal 1 1 999999999999"}) {
    EXPECT_EQ(Reason("client-output-buffer-limit", text),
              "Error in hard, soft or soft_seconds setting in buffer limit configuration.");
  }
  EXPECT_EQ(Reason("client-output-buffer-limit", "normal 9 9 9 foo 1 1 1"),
            "Invalid client class specified in buffer limit configuration.");
  EXPECT_EQ(config_.output_limit(OutputLimitClass::kNormal).hard_bytes, 7U) << "nothing changed";
}

TEST_F(ConfigTableTest, TakesPercentiles) {
  EXPECT_EQ(Set("latency-tracking-info-percentiles", "50.5 0.0000001 33.300 99.123456789"), "OK");
  EXPECT_EQ(Get("latency-tracking-info-percentiles"), "50.5 0 33.3 99.123457");
  EXPECT_EQ(Set("latency-tracking-info-percentiles", ""), "OK");
  EXPECT_EQ(Get("latency-tracking-info-percentiles"), "");
  for (const std::string_view text : {"a", "nan", "1  2"}) {
    EXPECT_EQ(Reason("latency-tracking-info-percentiles", text),
              "Invalid latency-tracking-info-percentiles parameters");
  }
  for (const std::string_view text : {"101", "-1", "inf"}) {
    EXPECT_EQ(Reason("latency-tracking-info-percentiles", text),
              "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]");
  }
}

TEST_F(ConfigTableTest, ShowsKeyspaceEventsInRedisOrder) {
  const std::pair<std::string_view, std::string_view> kCases[] = {
      {"KEA", "AKE"}, {"KEg$d", "g$dKE"}, {"g$lshzxetdnmK", "AKm"},
      {"n", "n"},     {"nA", "A"},        {"Kx", "xK"},
      {"", ""}};
  for (const auto& [text, shown] : kCases) {
    EXPECT_EQ(Set("notify-keyspace-events", text), "OK");
    EXPECT_EQ(Get("notify-keyspace-events"), shown);
  }
  EXPECT_EQ(Reason("notify-keyspace-events", "KQ"),
            "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
}

TEST_F(ConfigTableTest, TakesAddresses) {
  EXPECT_EQ(Set("bind", "127.0.0.1 -::1"), "OK");
  EXPECT_THAT(config_.bind, ElementsAre("127.0.0.1", "-::1"));
  EXPECT_EQ(Reason("bind", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17"),
            "Too many bind addresses specified.");
  EXPECT_EQ(Reason("bind", "127.0.0.1  ::1"), "Failed to bind to specified addresses.");
  EXPECT_EQ(Set("bind", ""), "OK");
  EXPECT_THAT(config_.bind, IsEmpty());
}

TEST_F(ConfigTableTest, ChecksTexts) {
  EXPECT_EQ(Set("proc-title-template", "{title}{port}{tls-port}{unixsocket}{config-file} {{"),
            "OK");
  for (const std::string_view text : {"{foo}", "", " ", "x{", "{title", "{TITLE}"}) {
    EXPECT_EQ(Reason("proc-title-template", text),
              "template format is invalid or contains unknown variables");
  }
  EXPECT_EQ(Reason("cluster-announce-hostname", "a b"),
            "Hostnames may only contain alphanumeric characters, hyphens or dots");
  EXPECT_EQ(Reason("cluster-announce-hostname", std::string(256, 'x')),
            "Hostnames must be less than 256 characters");
  EXPECT_EQ(File("dbfilename", {"a/b"}), "dbfilename can't be a path, just a filename");
  EXPECT_EQ(File("appendfilename", {""}), "appendfilename can't be empty");
  EXPECT_EQ(File("appenddirname", {"a/b"}), "appenddirname can't be a path, just a dirname");
  EXPECT_EQ(Reason("oom-score-adj-values", "1 2"), "wrong number of arguments");
  EXPECT_EQ(Reason("oom-score-adj-values", "1 2 2001"),
            "Invalid oom-score-adj-values, elements must be between -2000 and 2000.");
  EXPECT_EQ(File("replicaof", {"127.0.0.1", "99999"}), "Invalid master port");
}

TEST_F(ConfigTableTest, MovesHzAndBacklogIntoTheirRange) {
  EXPECT_EQ(Set("hz", "0"), "OK");
  EXPECT_EQ(Get("hz"), "1");
  EXPECT_EQ(Set("hz", "1000"), "OK");
  EXPECT_EQ(Get("hz"), "500");
  EXPECT_EQ(Reason("hz", "-5"), "argument must be between 0 and 2147483647 inclusive");
  EXPECT_EQ(Set("repl-backlog-size", "10"), "OK");
  EXPECT_EQ(Get("repl-backlog-size"), "16384");
}

// ---- What may be set

TEST_F(ConfigTableTest, RefusesUnknownFixedProtectedAndDoubleNames) {
  EXPECT_EQ(Set("foo", "bar"), "ERR Unknown option or number of arguments for CONFIG SET - 'foo'");
  EXPECT_EQ(Set({{"hz", "20"}, {"foo", "1"}}),
            "ERR Unknown option or number of arguments for CONFIG SET - 'foo'");
  EXPECT_EQ(Reason("DATABASES", "3"), "can't set immutable config");
  EXPECT_EQ(Reason("dbfilename", "x"), "can't set protected config");
  EXPECT_EQ(Set({{"hz", "1"}, {"HZ", "2"}}),
            "ERR CONFIG SET failed (possibly related to argument 'HZ') - duplicate parameter");
  EXPECT_EQ(Set({{"slave-priority", "10"}, {"replica-priority", "11"}}), "OK");
  EXPECT_EQ(Get("slave-priority"), "11");
  EXPECT_EQ(Set("MAXCLIENTS", "0"),
            "ERR CONFIG SET failed (possibly related to argument 'maxclients') - argument must be "
            "between 1 and 4294967295 inclusive");
  for (const std::string_view name : {"include", "user", "rename-command", "loadmodule"}) {
    EXPECT_EQ(Set(name, "x"), "ERR Unknown option or number of arguments for CONFIG SET - '" +
                                  std::string(name) + "'");
  }
}

TEST_F(ConfigTableTest, SetsProtectedDirectivesWhenAllowed) {
  EXPECT_EQ(Set({{"dbfilename", "x"}}, {.protected_allowed = true}), "OK");
  EXPECT_EQ(Get("dbfilename"), "x");
}

TEST_F(ConfigTableTest, RefusesLineBreaksButInPasswords) {
  using namespace std::string_view_literals;
  for (const std::string_view text : {"a\rb"sv, "a\nb"sv, "a\0b"sv}) {
    EXPECT_EQ(Reason("cluster-announce-ip", text), "argument must not contain CR, LF or NUL");
    EXPECT_EQ(Set("requirepass", text), "OK");
    EXPECT_EQ(Reason("bind", text), "argument must not contain CR, LF or NUL");
  }
}

TEST_F(ConfigTableTest, NeverEchoesLineBreaksOrHugeNames) {
  EXPECT_EQ(Set("f\r\noo", "1"),
            "ERR Unknown option or number of arguments for CONFIG SET - 'f  oo'");
  EXPECT_TRUE(Set(std::string(4000, 'x'), "1").ends_with(std::string(4000, 'x') + "'"));
  EXPECT_LT(Set(std::string(200'000, 'x'), "1").size(), 66'000U);
  EXPECT_TRUE(Set(std::string_view("a\0b", 3), "1").ends_with("'a'"));
}

TEST_F(ConfigTableTest, ChangesNothingWhenOneValueIsBad) {
  const Config before = config_;
  EXPECT_NE(Set({{"hz", "20"}, {"timeout", "5"}, {"maxclients", "0"}}), "OK");
  config_.dir = before.dir;  // known now, not changed
  EXPECT_EQ(config_, before);
}

TEST_F(ConfigTableTest, TakesDefragmentationThatItDoesNotNeed) {
  EXPECT_EQ(Set("activedefrag", "yes"), "OK");
  EXPECT_TRUE(config_.activedefrag);
}

// ---- Hooks

TEST_F(ConfigTableTest, RunsEachHookOnceWithTheNewValuesAndOnlyForChanges) {
  std::vector<int> samples;
  table_.OnChange(ConfigHook::kMemory, [&]() -> ConfigResult {
    samples.push_back(config_.maxmemory_samples);
    return {};
  });
  EXPECT_EQ(Set({{"lfu-decay-time", "7"}, {"maxmemory-samples", "9"}}), "OK");
  EXPECT_EQ(Set({{"maxmemory-samples", "9"}}), "OK");
  EXPECT_THAT(samples, ElementsAre(9));
}

TEST_F(ConfigTableTest, RollsBackEverythingWhenAHookFails) {
  std::vector<std::string> log;
  table_.OnChange(ConfigHook::kHz, [&]() -> ConfigResult {
    log.push_back("hz " + std::to_string(config_.hz));
    return {};
  });
  table_.OnChange(ConfigHook::kMaxClients, [&]() -> ConfigResult {
    log.push_back("maxclients " + std::to_string(config_.maxclients));
    if (config_.maxclients > 20000) return std::unexpected("try with 19968");
    return {};
  });
  EXPECT_EQ(Set({{"hz", "20"}, {"maxclients", "99999"}, {"timeout", "3"}}),
            "ERR CONFIG SET failed (possibly related to argument 'maxclients') - try with 19968");
  EXPECT_EQ(config_.hz, 10);
  EXPECT_EQ(config_.maxclients, 10000U);
  EXPECT_EQ(config_.timeout, 0);
  EXPECT_THAT(log, ElementsAre("hz 20", "maxclients 99999", "hz 10", "maxclients 10000"));
}

TEST_F(ConfigTableTest, MovesTheProcessWithDirAndBackOnFailure) {
  const std::string start = std::filesystem::current_path();
  const std::string there = std::filesystem::canonical(testing::TempDir());
  EXPECT_EQ(Get("dir"), start);
  EXPECT_EQ(Set({{"dir", there}}, {.protected_allowed = true}), "OK");
  EXPECT_EQ(std::filesystem::current_path(), there);
  table_.OnChange(ConfigHook::kHz, [] { return ConfigResult(std::unexpected("no")); });
  EXPECT_NE(Set({{"dir", "/"}, {"hz", "33"}}, {.protected_allowed = true}), "OK");
  EXPECT_EQ(std::filesystem::current_path(), there);
  EXPECT_EQ(Get("dir"), there);
  EXPECT_EQ(Set({{"dir", "/proc/nonexistent"}}, {.protected_allowed = true}),
            "ERR CONFIG SET failed (possibly related to argument 'dir') - No such file or "
            "directory");
  EXPECT_EQ(Get("dir"), there);
  std::filesystem::current_path(start);
}

TEST_F(ConfigTableTest, WarnsOncePerDirectiveWithoutEffect) {
  EXPECT_EQ(File("appendonly", {"no"}), "OK");
  EXPECT_EQ(File("port", {"7000"}), "OK");
  EXPECT_EQ(Set("appendonly", "yes"), "OK");
  EXPECT_EQ(Set("appendfsync", "always"), "OK");
  EXPECT_EQ(Set("lazyfree-lazy-expire", "yes"), "OK");
  EXPECT_THAT(table_.TakeWarnings(),
              ElementsAre("The directive 'appendonly' is accepted but has no effect yet",
                          "The directive 'appendfsync' is accepted but has no effect yet",
                          "The directive 'lazyfree-lazy-expire' has no effect: large values are "
                          "always freed by a thread, small ones at once"));
  EXPECT_THAT(table_.TakeWarnings(), IsEmpty());
}

TEST_F(ConfigTableTest, MarksPasswordsAsSensitive) {
  for (const std::string_view name :
       {"requirepass", "masterauth", "masteruser", "tls-key-file-pass"}) {
    EXPECT_TRUE(table_.Find(name)->has(kConfigSensitive)) << name;
  }
  EXPECT_FALSE(table_.Find("port")->has(kConfigSensitive));
}

}  // namespace
}  // namespace aeris
