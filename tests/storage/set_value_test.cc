// One contract for sets, over each of their forms and from one to the next.
#include "storage/set_value.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/storage/keyspace_fixture.h"

namespace aeris::storage {
namespace {

using testing::kNow;
using testing::Shared;

class SetValue : public ::testing::Test {
 protected:
  ~SetValue() override { keyspace_.CheckInvariants(); }

  EntryView Find(std::string_view key = "set") {
    return keyspace_.Find(keyspace_.Hash(key), kNow, kPeek);
  }
  SetEditor Edit(std::string_view key = "set") {
    return {keyspace_, keyspace_.Hash(key), Find(key), limits_, kNow};
  }
  bool Add(std::string_view member) {
    SetEditor set = Edit();
    const StoreResult result = set.Add(member);
    EXPECT_NE(result, StoreResult::kNoMemory);
    EXPECT_EQ(set.Commit(), StoreResult::kStored);
    return result == StoreResult::kStored;
  }
  bool Remove(std::string_view member) {
    SetEditor set = Edit();
    const bool removed = set.Remove(member);
    EXPECT_EQ(set.Commit(), StoreResult::kStored);
    return removed;
  }
  std::multiset<std::string> Members() {
    std::multiset<std::string> members;
    SetView(Find()).ForEach([&](std::string_view member) { members.emplace(member); });
    return members;
  }
  std::string Form() {
    const EntryView entry = Find();
    if (!entry) return "none";
    if (entry.structure() != nullptr) return "table";
    return entry.form() == PackedForm::kIntset ? "intset" : "packed";
  }

  Shared shared_;
  Keyspace keyspace_{shared_.context};
  SetLimits limits_;
};

TEST_F(SetValue, TakesTheFormThatItsMembersNeed) {
  EXPECT_EQ(SetView(Find()).size(), 0U);
  Add("1");
  EXPECT_EQ(Form(), "intset");
  EXPECT_EQ(Find().encoding(), Encoding::kIntset);
  Add("a");
  EXPECT_EQ(Form(), "packed");
  EXPECT_EQ(Find().encoding(), Encoding::kHashtable);
  Remove("a");
  EXPECT_EQ(Form(), "packed");
  Add(std::string(SetEditor::kPackedMemberMax + 1, 'x'));
  EXPECT_EQ(Form(), "table");
  EXPECT_EQ(Find().encoding(), Encoding::kHashtable);
  for (const std::string& member : Members()) Remove(member);
  EXPECT_EQ(Form(), "none");
  // An intset of more members than the packed form takes.
  for (int i = 0; i < 300; ++i) Add(std::to_string(i));
  EXPECT_EQ(Form(), "intset");
  Add("a");
  EXPECT_EQ(Form(), "table");
  EXPECT_EQ(Members().size(), 301U);
}

TEST_F(SetValue, AsManyIntegersAsConfigured) {
  limits_.intset_entries = 4;
  for (int i = 0; i < 4; ++i) Add(std::to_string(i));
  EXPECT_EQ(Form(), "intset");
  Add("4");
  EXPECT_EQ(Form(), "packed");
  limits_.intset_entries = 0;
  SetEditor other = Edit("other");
  EXPECT_EQ(other.Add("7"), StoreResult::kStored);
  EXPECT_EQ(other.Commit(), StoreResult::kStored);
  EXPECT_EQ(Find("other").encoding(), Encoding::kHashtable);
}

TEST_F(SetValue, OnlyATableHasMembersToPeekAt) {
  const auto peek = [&] { return keyspace_.PeekMembers(keyspace_.Hash("set")); };
  EXPECT_EQ(peek(), nullptr);
  Add("7");
  EXPECT_EQ(peek(), nullptr);
  Add("seven");
  EXPECT_EQ(Form(), "packed");
  EXPECT_EQ(peek(), nullptr);
  Add(std::string(SetEditor::kPackedMemberMax + 1, 'x'));
  EXPECT_EQ(Form(), "table");
  const MemberTable* const members = peek();
  ASSERT_NE(members, nullptr);
  EXPECT_NE(members->Find("seven"), 0U);
}

// Random changes against std::set, with what keeps the set in one form, and with what drives it
// from one to the next.
class SetValueModel : public SetValue, public ::testing::WithParamInterface<const char*> {
 protected:
  std::string Member(std::mt19937_64& random) const {
    const std::string form = GetParam();
    if (form == "intset") return std::to_string(static_cast<int>(random() % 600) - 300);
    if (form == "packed") return "m" + std::to_string(random() % 100);
    if (form == "table" || random() % 50 == 0) {
      return std::string(random() % 3 == 0 ? random() % 3000 : random() % 20, 'a') +
             std::to_string(random() % 400);
    }
    return std::to_string(static_cast<std::int64_t>(random()) >> random() % 64);
  }
};

TEST_P(SetValueModel, AgreesWithASet) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  Random draws(seed);
  std::set<std::string, std::less<>> model;
  for (int step = 0; step < 6000; ++step) {
    if (step % 2000 == 1999) {  // emptied, so that it starts anew
      for (const std::string& member : model) ASSERT_TRUE(Remove(member));
      model.clear();
      ASSERT_EQ(Form(), "none");
    }
    const std::string member = Member(random);
    if (random() % 3 != 0) {
      ASSERT_EQ(Add(member), model.insert(member).second);
    } else {
      ASSERT_EQ(Remove(member), model.erase(member) == 1);
    }
    const SetView set(Find());
    ASSERT_EQ(set.size(), model.size());
    const std::string other = Member(random);
    ASSERT_EQ(set.Contains(other), model.contains(other));
    IntegerText scratch;
    if (!model.empty()) {
      ASSERT_TRUE(model.contains(set.RandomMember(draws, scratch)));
    }
    if (step % 200 != 0) continue;
    ASSERT_EQ(Members(), (std::multiset<std::string>(model.begin(), model.end())));
    keyspace_.CheckInvariants();
    std::vector<std::string> asked;
    for (std::size_t i = 0; i < SetView::kBatch; ++i) asked.push_back(Member(random));
    const std::vector<std::string_view> views(asked.begin(), asked.end());
    std::array<bool, SetView::kBatch> found{};
    set.Contains(views, found);
    for (std::size_t i = 0; i < asked.size(); ++i) ASSERT_EQ(found[i], model.contains(asked[i]));
  }
}

INSTANTIATE_TEST_SUITE_P(Forms, SetValueModel,
                         ::testing::Values("intset", "packed", "table", "all"));

TEST_F(SetValue, ScanMeetsEveryMemberThatStays) {
  for (int i = 0; i < 2000; ++i) Add("member:" + std::to_string(i));
  std::map<std::string, int> met;
  std::uint64_t cursor = 0;
  int more = 0;
  do {
    cursor = SetView(Find()).Scan(cursor, 10,
                                  [&](std::string_view member) { ++met[std::string(member)]; });
    for (int i = 0; i < 20; ++i) Add("more:" + std::to_string(more++));
  } while (cursor != 0);
  for (int i = 0; i < 2000; ++i) ASSERT_EQ(met["member:" + std::to_string(i)], 1);
}

TEST_F(SetValue, DrawsEachMemberAboutAsOften) {
  for (const char* prefix : {"", "m", "longer than the packed form takes "}) {
    for (const std::string& member : Members()) Remove(member);
    const int members = *prefix == 'l' ? 200 : 20;
    for (int i = 0; i < members; ++i) Add(prefix + std::to_string(i));
    std::map<std::string, int> drawn;
    Random random(7);
    IntegerText scratch;
    for (int i = 0; i < 1000 * members; ++i) {
      ++drawn[std::string(SetView(Find()).RandomMember(random, scratch))];
    }
    ASSERT_EQ(drawn.size(), static_cast<std::size_t>(members));
    for (const auto& [member, times] : drawn) {
      // Six standard deviations and more.
      ASSERT_NEAR(times, 1000, 250) << member;
    }
  }
}

TEST_F(SetValue, NewOneIsMadeWhileTheOldOneIsRead) {
  for (int i = 0; i < 500; ++i) Add("old" + std::to_string(i));
  SetEditor made = SetEditor::New(keyspace_, keyspace_.Hash("set"), limits_, kNow);
  SetView(Find()).ForEach([&](std::string_view member) {
    if (!member.ends_with("7")) return;
    EXPECT_EQ(made.Add(member), StoreResult::kStored);
  });
  EXPECT_EQ(made.size(), 50U);
  EXPECT_EQ(Members().size(), 500U);
  EXPECT_EQ(made.Commit(), StoreResult::kStored);
  EXPECT_EQ(Members().size(), 50U);
}

}  // namespace
}  // namespace aeris::storage
