// What every command row must hold, whoever wrote it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "src/command.h"
#include "src/command_docs.h"
#include "src/command_keys.h"
#include "src/commands/families.h"

namespace aeris {
namespace {

// Calls `check(row, full_name)` for each command and each subcommand.
template <typename Check>
void ForEachRow(Check check) {
  for (const std::span<const CommandSpec> family : AllFamilies()) {
    for (const CommandSpec& command : family) {
      const std::string name(command.name);
      SCOPED_TRACE(name);
      check(command, name);
      for (const CommandSpec& subcommand : command.subcommands) {
        const std::string full_name = name + "|" + std::string(subcommand.name);
        SCOPED_TRACE(full_name);
        check(subcommand, full_name);
      }
    }
  }
}

// Shard channels stand where keys do, and need not be there (SUNSUBSCRIBE).
bool IsChannel(const KeySpec& key) { return key.flags.has(KeyFlag::kNotKey); }

// Redis's key specs of PFMERGE say that there are source keys, its arity that there need not be:
// the keys of a request without any are not found, in Redis neither.
bool MayLackKeysOfItsSpecs(const CommandSpec& row) { return row.name == "pfmerge"; }

// PFCOUNT keeps the count that it has made in the value, and is said to be read-only all the same.
bool IsReadOnlyAndChangesItsKeys(const CommandSpec& row) { return row.name == "pfcount"; }

bool IsVersion(std::string_view text) {
  return std::ranges::count(text, '.') == 2 &&
         text.find_first_not_of("0123456789.") == std::string_view::npos;
}

// The fewest arguments, the command's name counted.
int ArgumentsMin(const CommandSpec& row) { return std::abs(row.arity); }

// Key spec indexes that the arguments refer to.
std::set<std::size_t> KeySpecsNamed(std::string_view arguments) {
  std::set<std::size_t> indexes;
  for (std::size_t at = 0; (at = arguments.find('#', at)) != std::string_view::npos; ++at) {
    indexes.insert(std::strtoul(arguments.data() + at + 1, nullptr, 10));
  }
  return indexes;
}

TEST(CommandRows, HaveLowerCaseUniqueNames) {
  std::set<std::string> seen;
  ForEachRow([&](const CommandSpec& row, const std::string& full_name) {
    EXPECT_TRUE(seen.insert(full_name).second);
    EXPECT_FALSE(row.name.empty());
    EXPECT_EQ(row.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_"),
              std::string_view::npos);
  });
  EXPECT_FALSE(seen.empty());
}

TEST(CommandRows, HaveAHandlerOrSubcommands) {
  ForEachRow([](const CommandSpec& row, const std::string& full_name) {
    EXPECT_TRUE(row.handler != nullptr || !row.subcommands.empty());
    if (full_name.contains('|')) {
      EXPECT_TRUE(row.subcommands.empty());
    }
    if (!row.subcommands.empty()) {
      EXPECT_TRUE(row.keys.empty());
    }
  });
}

TEST(CommandRows, HaveAnArityThatCountsTheirNames) {
  ForEachRow([](const CommandSpec& row, const std::string& full_name) {
    EXPECT_GE(ArgumentsMin(row), full_name.contains('|') ? 2 : 1);
    // Without a handler a container cannot run alone.
    if (row.handler == nullptr) {
      EXPECT_EQ(row.arity, -2);
    }
  });
}

TEST(CommandRows, HaveAHelpInEveryContainer) {
  ForEachRow([](const CommandSpec& row, const std::string&) {
    if (row.subcommands.empty()) return;
    EXPECT_TRUE(std::ranges::any_of(row.subcommands,
                                    [](const CommandSpec& sub) { return sub.name == "help"; }));
  });
}

TEST(CommandRows, SayWhatTheyAreForAndSinceWhen) {
  ForEachRow([](const CommandSpec& row, const std::string&) {
    EXPECT_FALSE(row.summary.empty());
    EXPECT_TRUE(IsVersion(row.since));
    for (const Change& change : row.history) {
      EXPECT_TRUE(IsVersion(change.since)) << change.since;
      EXPECT_FALSE(change.what.empty());
    }
    EXPECT_TRUE(row.deprecated_since.empty() || IsVersion(row.deprecated_since));
    EXPECT_EQ(row.deprecated_since.empty(), row.replaced_by.empty());
  });
}

TEST(CommandRows, HaveWellFormedArguments) {
  ForEachRow([](const CommandSpec& row, const std::string&) {
    EXPECT_TRUE(ArgumentsAreWellFormed(row.arguments)) << row.arguments;
  });
}

TEST(CommandRows, NameEveryKeySpecInTheirArguments) {
  ForEachRow([](const CommandSpec& row, const std::string&) {
    std::set<std::size_t> expected;
    for (std::size_t i = 0; i < row.keys.size(); ++i) {
      if (!IsChannel(row.keys[i])) expected.insert(i);
    }
    EXPECT_EQ(KeySpecsNamed(row.arguments), expected);
  });
}

TEST(CommandRows, HaveKeysWithinTheirArity) {
  ForEachRow([](const CommandSpec& row, const std::string&) {
    for (const KeySpec& key : row.keys) {
      EXPECT_GE(key.step, 1);
      EXPECT_GE(key.limit, 0);
      EXPECT_EQ(key.begin == KeySpec::Begin::kKeyword, !key.keyword.empty());
      if (key.begin != KeySpec::Begin::kIndex || IsChannel(key)) continue;
      EXPECT_GE(key.index, 1);
      EXPECT_LT(key.index, ArgumentsMin(row) + (MayLackKeysOfItsSpecs(row) ? 1 : 0));
      if (key.find == KeySpec::Find::kRange && key.last > 0) {
        EXPECT_LT(key.index + key.last, ArgumentsMin(row));
      }
      if (key.find == KeySpec::Find::kKeynum) {
        EXPECT_LT(key.index + key.keynum_index, ArgumentsMin(row));
        EXPECT_GE(key.first_key, 0);
      }
    }
  });
}

// The fewest arguments that the arity takes already have keys where specs say so.
TEST(CommandRows, FindKeysInTheShortestRequest) {
  ForEachRow([](const CommandSpec& row, const std::string&) {
    if (!HasKeys(row) || KeysMove(row.keys)) return;
    const std::vector<std::string_view> request(static_cast<std::size_t>(ArgumentsMin(row)), "1");
    KeyPositions positions;
    EXPECT_EQ(FindKeys(row, request, positions), !MayLackKeysOfItsSpecs(row));
    EXPECT_EQ(positions.empty(), MayLackKeysOfItsSpecs(row));
  });
}

TEST(CommandRows, TellWhenKeysMoveOrTheirFlagsVary) {
  ForEachRow([](const CommandSpec& row, const std::string&) {
    const bool varies = std::ranges::any_of(
        row.keys, [](const KeySpec& key) { return key.flags.has(KeyFlag::kVariableFlags); });
    const bool moves = KeysMove(row.keys) || (row.find_keys != nullptr && !varies);
    EXPECT_EQ(row.flags.has(Flag::kMovableKeys), moves);
    if (varies) {
      EXPECT_NE(row.find_keys, nullptr);
    }
  });
}

TEST(CommandRows, HaveFlagsThatAgreeWithTheirKeys) {
  ForEachRow([](const CommandSpec& row, const std::string&) {
    EXPECT_FALSE(row.flags.has(Flag::kWrite) && row.flags.has(Flag::kReadonly));
    if (row.flags.has(Flag::kDenyOom)) {
      EXPECT_TRUE(row.flags.has(Flag::kWrite));
    }
    for (const KeySpec& key : row.keys) {
      const int kinds = int{key.flags.has(KeyFlag::kReadOnly)} +
                        int{key.flags.has(KeyFlag::kReadWrite)} +
                        int{key.flags.has(KeyFlag::kOverwrite)} +
                        int{key.flags.has(KeyFlag::kRemove)} + int{key.flags.has(KeyFlag::kNotKey)};
      EXPECT_EQ(kinds, 1) << "RO, RW, OW, RM or not_key";
      const bool writes = !key.flags.has(KeyFlag::kReadOnly) && !key.flags.has(KeyFlag::kNotKey);
      if (writes) {
        EXPECT_EQ(row.flags.has(Flag::kWrite), !IsReadOnlyAndChangesItsKeys(row));
      }
    }
  });
}

}  // namespace
}  // namespace aeris
