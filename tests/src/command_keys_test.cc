#include "src/command_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "src/commands/key_specs.h"

namespace aeris {
namespace {

using testing::ElementsAre;
using Indexes = std::vector<std::uint32_t>;

std::vector<std::string> Words(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

std::optional<std::vector<KeyPosition>> Find(const CommandSpec& spec, const std::string& request) {
  const std::vector<std::string> words = Words(request);
  const std::vector<std::string_view> arguments(words.begin(), words.end());
  KeyPositions positions;
  if (!FindKeys(spec, arguments, positions)) {
    EXPECT_TRUE(positions.empty()) << request;
    return std::nullopt;
  }
  return std::vector<KeyPosition>(positions.keys().begin(), positions.keys().end());
}

// Positions found, {0} when the arguments make no sense.
Indexes Positions(std::span<const KeySpec> specs, const std::string& request) {
  const auto found = Find({.name = "x", .keys = specs}, request);
  if (!found) return {0};
  Indexes indexes;
  for (const KeyPosition& key : *found) indexes.push_back(key.index);
  return indexes;
}

KeyFlags FlagsOf(const CommandSpec& spec, const std::string& request) {
  const auto found = Find(spec, request);
  if (!found || found->size() != 1 || (*found)[0].index != 1) {
    ADD_FAILURE() << request;
    return {};
  }
  return (*found)[0].flags;
}

constexpr KeySpec kPairs[] = {{.flags = KeyFlag::kOverwrite, .last = -1, .step = 2}};
constexpr KeySpec kStreams[] = {{.flags = KeyFlag::kReadOnly,
                                 .begin = KeySpec::Begin::kKeyword,
                                 .index = 1,
                                 .keyword = "STREAMS",
                                 .last = -1,
                                 .limit = 2}};
constexpr KeySpec kTrailing[] = {{.flags = KeyFlag::kReadOnly,
                                  .begin = KeySpec::Begin::kKeyword,
                                  .index = -2,
                                  .keyword = "KEYS",
                                  .last = -1}};
constexpr KeySpec kCounted[] = {
    {.flags = KeyFlag::kOverwrite},
    {.flags = KeyFlag::kReadOnly, .index = 2, .find = KeySpec::Find::kKeynum, .first_key = 1}};
constexpr KeySpec kCountedByTwo[] = {
    {.flags = KeyFlag::kReadOnly, .find = KeySpec::Find::kKeynum, .step = 2, .first_key = 1}};
constexpr KeySpec kSourceAndTarget[] = {{.flags = KeyFlag::kReadOnly},
                                        {.flags = KeyFlag::kOverwrite, .index = 2}};
constexpr KeySpec kTargetAndSources[] = {{.flags = KeyFlag::kOverwrite, .index = 2},
                                         {.flags = KeyFlag::kReadOnly, .index = 3, .last = -1}};
constexpr KeySpec kUnknown[] = {{.flags = KeyFlag::kReadOnly},
                                {.flags = KeyFlag::kReadOnly,
                                 .begin = KeySpec::Begin::kUnknown,
                                 .find = KeySpec::Find::kUnknown}};
constexpr KeySpec kChannel[] = {{.flags = KeyFlag::kNotKey}};
constexpr KeySpec kPartial[] = {{.flags = KeyFlag::kReadOnly | KeyFlag::kIncomplete}};
constexpr KeySpec kVariable[] = {{.flags = KeyFlag::kReadWrite | KeyFlag::kVariableFlags}};

TEST(CommandKeys, FindsFixedPositions) {
  EXPECT_THAT(Positions(kReadKey, "get k"), ElementsAre(1));
  EXPECT_THAT(Positions(kInspectKeys, "exists a b c"), ElementsAre(1, 2, 3));
  EXPECT_THAT(Positions(kInspectSubcommandKey, "object encoding k"), ElementsAre(2));
  EXPECT_THAT(Positions(kPairs, "mset a 1 b 2"), ElementsAre(1, 3));
  EXPECT_THAT(Positions(kSourceAndTarget, "copy a b db 1"), ElementsAre(1, 2));
  EXPECT_THAT(Positions(kTargetAndSources, "bitop and d a b"), ElementsAre(2, 3, 4));
}

// MSET with an odd argument is refused by MSET; for COMMAND GETKEYS both are keys.
TEST(CommandKeys, StepsToTheEndOfAnUnevenRange) {
  EXPECT_THAT(Positions(kPairs, "mset a 1 b"), ElementsAre(1, 3));
}

TEST(CommandKeys, FindsKeysBehindKeyword) {
  EXPECT_THAT(Positions(kStreams, "xread streams a b 0 0"), ElementsAre(2, 3));
  EXPECT_THAT(Positions(kStreams, "xread count 5 STREAMS a 0"), ElementsAre(4));
  EXPECT_THAT(Positions(kStreams, "xread streams a b c"), ElementsAre(2));
  EXPECT_THAT(Positions(kStreams, "xread a b c"), ElementsAre());
  EXPECT_THAT(Positions(kStreams, "xread a streams"), ElementsAre());
  EXPECT_THAT(Positions(kStreams, "xread streams a"), ElementsAre(0));
}

TEST(CommandKeys, SearchesBackwardsFromNegativeStart) {
  EXPECT_THAT(Positions(kTrailing, "migrate h 1 x 0 10 keys a b"), ElementsAre(7, 8));
  EXPECT_THAT(Positions(kTrailing, "migrate h keys a b"), ElementsAre(3, 4));
  EXPECT_THAT(Positions(kTrailing, "keys"), ElementsAre());
}

TEST(CommandKeys, FindsCountedKeys) {
  EXPECT_THAT(Positions(kCounted, "zunionstore d 2 a b weights 1 2"), ElementsAre(1, 3, 4));
  EXPECT_THAT(Positions(kCountedByTwo, "x 2 a 1 b"), ElementsAre(2, 4));
  EXPECT_THAT(Positions(kCountedByTwo, "x 2 a 1 b 2"), ElementsAre(2, 4));
}

// CVE-2023-36824: a count is compared with the arguments that are there.
TEST(CommandKeys, RefusesCountsThatDoNotFit) {
  for (const char* const count :
       {"3", "0", "-1", "x", "2147483647", "2147483648", "4294967297", "9223372036854775807",
        "-9223372036854775808", "9223372036854775808", "18446744073709551615", "2x", "02"}) {
    EXPECT_THAT(Positions(kCounted, std::string("zunionstore d ") + count + " a b"), ElementsAre(0))
        << count;
  }
  EXPECT_THAT(Positions(kCounted, "zunionstore d 1"), ElementsAre(0));
  EXPECT_THAT(Positions(kCounted, "zunionstore d"), ElementsAre(0));
  EXPECT_THAT(Positions(kCountedByTwo, "x 3 a 1 b 2"), ElementsAre(0));
}

TEST(CommandKeys, NeedsTheRowWhereSpecsDoNotSuffice) {
  EXPECT_THAT(Positions(kUnknown, "sort a by b"), ElementsAre(0));
  EXPECT_THAT(Positions(kPartial, "migrate a"), ElementsAre(0));
  EXPECT_THAT(Positions(kVariable, "set a b"), ElementsAre(0));
  const auto by_row = [](std::span<const std::string_view>, KeyPositions& positions) {
    positions.Add(2, KeyFlag::kReadOnly);
    return true;
  };
  for (const std::span<const KeySpec> specs :
       {std::span<const KeySpec>(kUnknown), std::span<const KeySpec>(kPartial)}) {
    const auto found = Find({.name = "x", .keys = specs, .find_keys = by_row}, "x a b");
    ASSERT_TRUE(found && found->size() == 1);
    EXPECT_EQ((*found)[0].index, 2);
  }
}

TEST(CommandKeys, TakesNoChannelForKey) {
  EXPECT_FALSE(HasKeys({.name = "spublish", .keys = kChannel}));
  EXPECT_FALSE(HasKeys({.name = "ping"}));
  EXPECT_TRUE(HasKeys({.name = "get", .keys = kReadKey}));
  EXPECT_THAT(Positions(kChannel, "spublish a b"), ElementsAre());
}

TEST(CommandKeys, HoldsMoreKeysThanFitInline) {
  std::string request = "exists";
  Indexes expected;
  for (std::uint32_t i = 1; i <= 3 * KeyPositions::kInlineMax; ++i) {
    request += " k";
    expected.push_back(i);
    ASSERT_EQ(Positions(kInspectKeys, request), expected);
  }
}

TEST(CommandKeys, TellsWhatSetDoesWithItsKey) {
  constexpr CommandSpec kSet = {.name = "set", .keys = kVariable, .find_keys = FindSetKeys};
  const KeyFlags writes = KeyFlag::kOverwrite | KeyFlag::kUpdate;
  const KeyFlags reads_too = KeyFlag::kReadWrite | KeyFlag::kAccess | KeyFlag::kUpdate;
  EXPECT_EQ(FlagsOf(kSet, "set k v").bits(), writes.bits());
  EXPECT_EQ(FlagsOf(kSet, "set k get").bits(), writes.bits());
  EXPECT_EQ(FlagsOf(kSet, "set k v ex 10 nx").bits(), writes.bits());
  EXPECT_EQ(FlagsOf(kSet, "set k v gett").bits(), writes.bits());
  EXPECT_EQ(FlagsOf(kSet, "set k v GET").bits(), reads_too.bits());
  EXPECT_EQ(FlagsOf(kSet, "set k v px 10 get").bits(), reads_too.bits());
  for (const char* const condition : {"ifeq x", "IFNE x", "IfDeq x", "ifdne x"}) {
    EXPECT_EQ(FlagsOf(kSet, std::string("set k v ") + condition).bits(), reads_too.bits());
  }
  EXPECT_FALSE(Find(kSet, "set k"));
}

TEST(CommandKeys, TellsWhatDelExDoesWithItsKey) {
  constexpr CommandSpec kDelEx = {.name = "delex", .keys = kVariable, .find_keys = FindDelExKeys};
  EXPECT_EQ(FlagsOf(kDelEx, "delex k").bits(), (KeyFlag::kRemove | KeyFlag::kDelete).bits());
  EXPECT_EQ(FlagsOf(kDelEx, "delex k ifeq v").bits(),
            (KeyFlag::kReadWrite | KeyFlag::kAccess | KeyFlag::kDelete).bits());
  EXPECT_FALSE(Find(kDelEx, "delex"));
}

TEST(CommandKeys, TellsWhatBitFieldDoesWithItsKey) {
  constexpr CommandSpec kBitField = {
      .name = "bitfield", .keys = kVariable, .find_keys = FindBitFieldKeys};
  const KeyFlags reads = KeyFlag::kReadOnly | KeyFlag::kAccess;
  const KeyFlags writes = KeyFlag::kReadWrite | KeyFlag::kAccess | KeyFlag::kUpdate;
  for (const char* const request : {"bitfield k", "bitfield k get u8 0", "bitfield k overflow sat",
                                    "bitfield k overflow fail overflow wrap GET u8 0 get u8 1"}) {
    EXPECT_EQ(FlagsOf(kBitField, request).bits(), reads.bits()) << request;
  }
  for (const char* const request :
       {"bitfield k set u8 0 1", "bitfield k get u8 0 incrby u8 0 1", "bitfield k get u8",
        "bitfield k overflow", "bitfield k foo", "bitfield k get u8 get set u8 0 1"}) {
    EXPECT_EQ(FlagsOf(kBitField, request).bits(), writes.bits()) << request;
  }
}

TEST(CommandKeys, GivesLegacyRangeOfOneSpec) {
  EXPECT_EQ(LegacyRange({}), (LegacyKeyRange{}));
  EXPECT_EQ(LegacyRange(kReadKey), (LegacyKeyRange{1, 1, 1}));
  EXPECT_EQ(LegacyRange(kInspectKeys), (LegacyKeyRange{1, -1, 1}));
  EXPECT_EQ(LegacyRange(kInspectSubcommandKey), (LegacyKeyRange{2, 2, 1}));
  EXPECT_EQ(LegacyRange(kPairs), (LegacyKeyRange{1, -1, 2}));
}

TEST(CommandKeys, JoinsAdjoiningSpecsInLegacyRange) {
  EXPECT_EQ(LegacyRange(kSourceAndTarget), (LegacyKeyRange{1, 2, 1}));
  EXPECT_EQ(LegacyRange(kTargetAndSources), (LegacyKeyRange{2, -1, 1}));
}

TEST(CommandKeys, LeavesSearchesOutOfLegacyRange) {
  EXPECT_EQ(LegacyRange(kCounted), (LegacyKeyRange{1, 1, 1}));
  EXPECT_EQ(LegacyRange(kStreams), (LegacyKeyRange{}));
  EXPECT_EQ(LegacyRange(kUnknown), (LegacyKeyRange{1, 1, 1}));
}

TEST(CommandKeys, GivesNoLegacyRangeForSpecsApart) {
  constexpr KeySpec kApart[] = {{.flags = {}}, {.flags = {}, .index = 3}};
  EXPECT_EQ(LegacyRange(kApart), (LegacyKeyRange{}));
}

TEST(CommandKeys, KnowsWhichKeysMove) {
  EXPECT_FALSE(KeysMove({}));
  EXPECT_FALSE(KeysMove(kPairs));
  EXPECT_TRUE(KeysMove(kStreams));
  EXPECT_TRUE(KeysMove(kCounted));
  EXPECT_TRUE(KeysMove(kUnknown));
}

// Whatever the arguments say, every position lies among them and each is found once per spec.
TEST(CommandKeys, StaysInsideRandomRequests) {
  const std::uint32_t seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  constexpr const char* kWords[] = {"streams",    "keys",
                                    "0",          "1",
                                    "2",          "3",
                                    "-1",         "7",
                                    "get",        "u8",
                                    "a",          "99999999999999999999",
                                    "4294967296", "9223372036854775807"};
  for (int round = 0; round < 20'000; ++round) {
    const std::size_t size = 1 + random() % 24;
    std::vector<std::string_view> arguments;
    for (std::size_t i = 0; i < size; ++i)
      arguments.push_back(kWords[random() % std::size(kWords)]);
    for (const std::span<const KeySpec> specs :
         {std::span<const KeySpec>(kPairs), std::span<const KeySpec>(kStreams),
          std::span<const KeySpec>(kTrailing), std::span<const KeySpec>(kCounted),
          std::span<const KeySpec>(kCountedByTwo), std::span<const KeySpec>(kTargetAndSources)}) {
      KeyPositions positions;
      const bool found = FindKeys({.name = "x", .keys = specs}, arguments, positions);
      ASSERT_TRUE(found || positions.empty());
      ASSERT_LE(positions.keys().size(), size * specs.size());
      for (const KeyPosition& key : positions.keys()) {
        ASSERT_GE(key.index, 1);
        ASSERT_LT(key.index, size);
      }
    }
  }
}

}  // namespace
}  // namespace aeris
