// What holds of a hash in every encoding, and across the conversions: against a map as the model.
#include "storage/hash_value.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/storage/keyspace_fixture.h"

namespace aeris::storage {
namespace {

using testing::kNow;
using testing::Pattern;
using testing::Shared;

struct Value {
  std::string text;
  UnixMs deadline = kNoDeadline;
};
using Model = std::map<std::string, Value>;

// One hash at one key, beside its model.
class HashUnderTest {
 public:
  HashUnderTest(std::uint64_t seed, const HashLimits& limits)
      : limits_(limits), random_(seed), shared_(seed) {}

  UnixMs now = kNow;
  Keyspace& keyspace() { return keyspace_; }
  Model& model() { return model_; }
  std::uint64_t Below(std::uint64_t bound) { return random_.Below(bound); }

  EntryView Entry() { return keyspace_.Find(key_, now, kPeek); }
  HashEditor Edit() { return HashEditor(keyspace_, key_, Entry(), limits_, now); }
  Encoding encoding() { return Entry().encoding(); }

  void Set(const std::string& field, const std::string& text, bool keep = false) {
    const bool existed = Live(field) != nullptr;
    const UnixMs deadline = existed && keep ? model_[field].deadline : kNoDeadline;
    HashEditor hash = Edit();
    ASSERT_EQ(hash.Set(field, text, keep),
              existed ? HashEditor::Put::kReplaced : HashEditor::Put::kCreated);
    ASSERT_EQ(hash.Commit(), StoreResult::kStored);
    model_[field] = {text, deadline};
  }
  void Erase(const std::string& field) {
    const bool existed = Live(field) != nullptr;
    HashEditor hash = Edit();
    ASSERT_EQ(hash.Erase(field), existed);
    ASSERT_EQ(hash.Commit(), StoreResult::kStored);
    model_.erase(field);
  }
  void SetDeadline(const std::string& field, UnixMs deadline) {
    const bool existed = Live(field) != nullptr;
    HashEditor hash = Edit();
    const auto result = hash.SetDeadline(field, deadline, DeadlineCondition::kAlways);
    ASSERT_EQ(hash.Commit(), StoreResult::kStored);
    if (!existed) {
      ASSERT_EQ(result, HashEditor::Dated::kNoField);
    } else if (deadline <= now) {
      ASSERT_EQ(result, HashEditor::Dated::kErased);
      model_.erase(field);
    } else {
      ASSERT_EQ(result, HashEditor::Dated::kDone);
      model_[field].deadline = deadline;
    }
  }
  void ClearDeadline(const std::string& field) {
    Value* const value = Live(field);
    HashEditor hash = Edit();
    ASSERT_EQ(hash.ClearDeadline(field), value != nullptr && value->deadline != kNoDeadline);
    ASSERT_EQ(hash.Commit(), StoreResult::kStored);
    if (value != nullptr) value->deadline = kNoDeadline;
  }
  // The model's value, unless it has expired.
  Value* Live(const std::string& field) {
    const auto at = model_.find(field);
    if (at == model_.end()) return nullptr;
    if (at->second.deadline == kNoDeadline || now <= at->second.deadline) return &at->second;
    model_.erase(at);
    return nullptr;
  }
  void Advance(UnixMs by) {
    now += by;
    std::erase_if(model_, [&](const auto& each) {
      return each.second.deadline != kNoDeadline && now > each.second.deadline;
    });
  }
  void Sweep() {
    while (keyspace_.ExpireDue(now, 1000).more) {
    }
  }

  // Everything that can be read.
  void Compare() {
    const EntryView entry = Entry();
    if (model_.empty()) {
      if (entry) {
        ASSERT_TRUE(HashView(entry, now).Handles().empty());
      }
      return;
    }
    ASSERT_TRUE(entry);
    const HashView hash(entry, now);
    ASSERT_GE(hash.size(), model_.size());
    if (hash.exact()) {
      ASSERT_EQ(hash.size(), model_.size());
    }
    Model seen;
    hash.ForEach([&](const HashField& field) {
      ASSERT_TRUE(
          seen.insert({field.name.String(), {field.value.String(), field.deadline()}}).second);
    });
    CompareTo(seen);
    seen.clear();
    for (const HashView::Handle handle : hash.Handles()) {
      const HashField field = hash.At(handle);
      seen[field.name.String()] = {field.value.String(), field.deadline()};
    }
    CompareTo(seen);
    seen.clear();
    std::uint64_t cursor = 0;
    do {
      cursor = hash.Scan(cursor, 10, [&](const HashField& field) {
        ASSERT_TRUE(
            seen.insert({field.name.String(), {field.value.String(), field.deadline()}}).second);
      });
    } while (cursor != 0);
    CompareTo(seen);
    std::vector<std::string_view> names = {"no such field"};
    for (const auto& each : model_) names.push_back(each.first);
    std::size_t position = 0;
    hash.FindEach(names, [&](const std::optional<HashField>& field) {
      const std::string name(names[position++]);
      ASSERT_EQ(field.has_value(), model_.contains(name));
      if (field) {
        ASSERT_EQ(field->value.String(), model_[name].text);
      }
      const auto alone = hash.Find(name);
      ASSERT_EQ(alone.has_value(), field.has_value());
      if (alone) {
        ASSERT_EQ(alone->value.String(), field->value.String());
      }
    });
    ASSERT_EQ(position, names.size());
    if (const auto handle = hash.RandomHandle(random_)) {
      ASSERT_TRUE(model_.contains(hash.At(*handle).name.String()));
    }
  }

 private:
  void CompareTo(const Model& seen) const {
    ASSERT_EQ(seen.size(), model_.size());
    for (const auto& [name, value] : model_) {
      const auto at = seen.find(name);
      ASSERT_NE(at, seen.end()) << name;
      ASSERT_EQ(at->second.text, value.text);
      ASSERT_EQ(at->second.deadline, value.deadline);
    }
  }

  HashLimits limits_;
  Random random_;
  Shared shared_;
  Keyspace keyspace_{shared_.context};
  HashedKey key_ = keyspace_.Hash("hash");
  Model model_;
};

struct Form {
  const char* name;
  HashLimits limits;
  bool deadlines;
};

class HashValue : public ::testing::TestWithParam<Form> {
 protected:
  static constexpr std::uint64_t kSeed = 20260101;
  HashValue() { SCOPED_TRACE(kSeed); }
  HashUnderTest hash_{kSeed, GetParam().limits};

  std::string Field() { return "field " + std::to_string(hash_.Below(150)); }
  std::string Text() {
    switch (hash_.Below(6)) {
      case 0:
        return std::to_string(static_cast<std::int64_t>(hash_.Below(~0ULL)));
      case 1:
        return std::to_string(hash_.Below(200));
      case 2:
        return "";
      default:
        return Pattern(hash_.Below(hash_.Below(20) == 0 ? 5000 : 40), hash_.Below(100));
    }
  }
  void ChangeDeadlines() {
    if (!GetParam().deadlines) return;
    switch (hash_.Below(4)) {
      case 0:
        return hash_.SetDeadline(Field(), hash_.now + 1 + static_cast<UnixMs>(hash_.Below(3000)));
      case 1:
        return hash_.SetDeadline(Field(), hash_.now - static_cast<UnixMs>(hash_.Below(10)));
      case 2:
        return hash_.ClearDeadline(Field());
      default:
        hash_.Advance(static_cast<UnixMs>(hash_.Below(300)));
        if (hash_.Below(2) == 0) hash_.Sweep();
    }
  }
};

TEST_P(HashValue, IsWhatItsModelIs) {
  for (int step = 0; step < 4000; ++step) {
    // It grows, shrinks to nothing, and grows again.
    const bool growing = step / 500 % 2 == 0;
    const std::uint64_t kind = hash_.Below(10);
    if (kind < (growing ? 6U : 2U)) {
      hash_.Set(Field(), Text(), hash_.Below(3) == 0);
    } else if (kind < 8) {
      hash_.Erase(Field());
    } else {
      ChangeDeadlines();
    }
    if (HasFatalFailure()) return;
    if (step % 20 == 0) {
      hash_.Compare();
      hash_.keyspace().CheckInvariants();
      ASSERT_FALSE(HasFatalFailure()) << "seed " << kSeed << ", step " << step;
    }
  }
}

TEST_P(HashValue, GoesWithItsLastField) {
  hash_.Set("a", "1");
  hash_.Set("b", "2");
  hash_.Erase("a");
  EXPECT_TRUE(hash_.Entry());
  hash_.Erase("b");
  EXPECT_FALSE(hash_.Entry());
  hash_.Erase("b");
  EXPECT_EQ(hash_.keyspace().size(), 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Encodings, HashValue,
    ::testing::Values(Form{"Packed", {.packed_fields_max = 1000, .packed_bytes_max = 10000}, false},
                      Form{"Converted", {.packed_fields_max = 60, .packed_bytes_max = 64}, false},
                      Form{"Table", {.packed_fields_max = 0, .packed_bytes_max = 64}, false},
                      Form{"Dated", {.packed_fields_max = 60, .packed_bytes_max = 64}, true}),
    [](const auto& named) { return std::string(named.param.name); });

TEST(HashValueConversion, HappensBeyondEitherLimitAndNeverBack) {
  HashUnderTest hash(1, {.packed_fields_max = 3, .packed_bytes_max = 8});
  for (const char* const field : {"a", "b", "c"}) hash.Set(field, "12345678");
  EXPECT_EQ(hash.encoding(), Encoding::kListpack);
  hash.Set("b", "again");
  EXPECT_EQ(hash.encoding(), Encoding::kListpack);
  hash.Set("d", "1");
  EXPECT_EQ(hash.encoding(), Encoding::kHashtable);
  for (const char* const field : {"a", "b", "c"}) hash.Erase(field);
  EXPECT_EQ(hash.encoding(), Encoding::kHashtable);
  hash.Compare();
  hash.Erase("d");
  hash.Set("a", "1");
  EXPECT_EQ(hash.encoding(), Encoding::kListpack);
  hash.Set("a", "123456789");
  EXPECT_EQ(hash.encoding(), Encoding::kHashtable);
  hash.Erase("a");
  hash.Set("123456789", "1");
  EXPECT_EQ(hash.encoding(), Encoding::kHashtable);
}

TEST(HashValueDeadlines, OnlyAFieldThatIsToHaveOneConverts) {
  HashUnderTest hash(1, {});
  hash.Set("a", "1");
  hash.SetDeadline("nosuch", kNow + 1000);
  hash.ClearDeadline("a");
  EXPECT_EQ(hash.encoding(), Encoding::kListpack);
  hash.SetDeadline("a", kNow + 1000);
  EXPECT_EQ(hash.encoding(), Encoding::kHashtable);
}

TEST(HashValueDeadlines, ConditionsCountNoneAsNeverDue) {
  using Dated = HashEditor::Dated;
  using Condition = DeadlineCondition;
  HashUnderTest hash(1, {});
  hash.Set("dated", "1");
  hash.Set("free", "1");
  hash.SetDeadline("dated", kNow + 1000);
  HashEditor editor = hash.Edit();
  EXPECT_EQ(editor.SetDeadline("free", kNow + 1, Condition::kAny), Dated::kConditionNotMet);
  EXPECT_EQ(editor.SetDeadline("free", kNow + 1, Condition::kLater), Dated::kConditionNotMet);
  EXPECT_EQ(editor.SetDeadline("free", kNow - 1, Condition::kLater), Dated::kConditionNotMet);
  EXPECT_EQ(editor.SetDeadline("free", kNow + 9, Condition::kEarlier), Dated::kDone);
  EXPECT_EQ(editor.SetDeadline("dated", kNow + 1, Condition::kNone), Dated::kConditionNotMet);
  EXPECT_EQ(editor.SetDeadline("dated", kNow + 1000, Condition::kLater), Dated::kConditionNotMet);
  EXPECT_EQ(editor.SetDeadline("dated", kNow + 1000, Condition::kEarlier), Dated::kConditionNotMet);
  EXPECT_EQ(editor.SetDeadline("dated", kNow + 1001, Condition::kLater), Dated::kDone);
  EXPECT_EQ(editor.SetDeadline("dated", kNow + 900, Condition::kEarlier), Dated::kDone);
  EXPECT_EQ(editor.SetDeadline("dated", kNow + 800, Condition::kAny), Dated::kDone);
  EXPECT_EQ(editor.SetDeadline("dated", kNow, Condition::kAlways), Dated::kErased);
  EXPECT_EQ(editor.SetDeadline("dated", kNow + 1, Condition::kAlways), Dated::kNoField);
  EXPECT_EQ(editor.Commit(), StoreResult::kStored);
}

TEST(HashValueDeadlines, AreCopiedAndMovedAlong) {
  HashUnderTest hash(1, {});
  hash.Set("a", "1");
  hash.Set("b", "2");
  hash.SetDeadline("a", kNow + 1000);
  Keyspace& keyspace = hash.keyspace();
  const HashedKey from = keyspace.Hash("hash"), copy = keyspace.Hash("copy");
  ASSERT_EQ(keyspace.Copy(from, keyspace, copy, kNow), StoreResult::kStored);
  ASSERT_EQ(keyspace.Move(from, keyspace, keyspace.Hash("moved"), kNow), StoreResult::kStored);
  for (const char* const key : {"copy", "moved"}) {
    const HashView view(keyspace.Find(keyspace.Hash(key), kNow, kPeek), kNow);
    EXPECT_EQ(view.Find("a")->deadline(), kNow + 1000);
    EXPECT_EQ(view.Find("b")->deadline(), kNoDeadline);
  }
  for (UnixMs now = kNow; now < kNow + 1200; now += 20) keyspace.ExpireDue(now, 1000);
  for (const char* const key : {"copy", "moved"}) {
    EXPECT_EQ(keyspace.Find(keyspace.Hash(key), kNow + 1200, kPeek).element_count(), 1U);
  }
  keyspace.CheckInvariants();
}

TEST(HashValueDeadlines, TheKeyGoesWithItsLastField) {
  HashUnderTest hash(1, {});
  for (int i = 0; i < 2000; ++i) {
    hash.Set("f" + std::to_string(i), "v");
    hash.SetDeadline("f" + std::to_string(i), kNow + 500);
  }
  for (int step = 0; step < 35; ++step) {
    hash.Advance(20);
    hash.Sweep();
  }
  EXPECT_FALSE(hash.Entry());
  hash.keyspace().CheckInvariants();
}

TEST(HashValueRandom, GivesEveryFieldTheSameChance) {
  for (const std::uint64_t packed_max : {0U, 512U}) {
    HashUnderTest hash(7, {.packed_fields_max = packed_max, .packed_bytes_max = 64});
    constexpr std::size_t kFields = 50, kDraws = 50'000;
    for (std::size_t i = 0; i < kFields; ++i) hash.Set("f" + std::to_string(i), "v");
    const HashView view(hash.Entry(), kNow);
    Random random(11);
    std::map<std::string, double> seen;
    for (std::size_t i = 0; i < kDraws; ++i)
      ++seen[view.At(*view.RandomHandle(random)).name.String()];
    ASSERT_EQ(seen.size(), kFields);
    constexpr double kExpected = static_cast<double>(kDraws) / kFields;
    double chi_square = 0;
    for (const auto& each : seen) {
      chi_square += (each.second - kExpected) * (each.second - kExpected) / kExpected;
    }
    // 49 degrees of freedom: above 100 once in 40,000 seeds.
    EXPECT_LT(chi_square, 100) << packed_max;
  }
}

}  // namespace
}  // namespace aeris::storage
