#include "storage/member_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "src/base/random.h"
#include "tests/storage/keyspace_fixture.h"

namespace aeris::storage {
namespace {

using testing::kNow;
using testing::Pattern;
using testing::SecretOf;

std::string Digits(std::size_t number, std::size_t size) {
  const std::string digits = std::to_string(number);
  return std::string(size - std::min(size, digits.size()), '0') + digits;
}

Ref Insert(MemberTable& table, const std::string& member) {
  return table.Insert(table.Hashed(member));
}
Ref Insert(MemberTable& table, const std::string& member, const std::string& value) {
  return table.Insert(table.Hashed(member), value);
}
Ref Insert(MemberTable& table, const std::string& member, double score) {
  return table.Insert(table.Hashed(member), score);
}

// --- Entries

TEST(MemberEntry, TakesAByteForASetsMemberAndThreeForAField) {
  EXPECT_EQ((MemberParts{.member = "1234567"}).EntryBytes(), 8u);
  EXPECT_EQ((MemberParts{.member = "field", .has_value = true, .value = "text"}).EntryBytes(), 12u);
  EXPECT_EQ((MemberParts{.member = "member", .has_score = true, .score = 1}).EntryBytes(), 16u);
}

TEST(MemberEntry, ReadsBackEveryCombinationOfParts) {
  std::byte bytes[member_layout::kEntryBytesMax];
  for (const std::size_t member_size : {0u, 1u, 127u, 128u, 255u, 256u, 512u}) {
    for (const std::size_t value_size : {0u, 1u, 255u, 256u, 480u}) {
      for (unsigned form = 0; form < 8; ++form) {
        const std::string member = Pattern(member_size, 1);
        const std::string value = Pattern(value_size, 2);
        MemberParts parts{.member = member};
        if ((form & 1) != 0) parts.has_value = true, parts.value = value;
        if ((form & 2) != 0) parts.has_score = true, parts.score = -1.5;
        if ((form & 4) != 0) parts.deadline = kNow;
        ASSERT_LE(parts.EntryBytes(), sizeof bytes);
        parts.Write(bytes);
        const MemberView view(1, bytes);
        ASSERT_EQ(view.entry_bytes(), parts.EntryBytes());
        ASSERT_EQ(view.member(), member);
        ASSERT_EQ(view.has_value(), parts.has_value);
        ASSERT_EQ(view.value(), parts.value);
        ASSERT_EQ(view.score(), parts.score);
        ASSERT_EQ(view.deadline(), parts.deadline);
        ASSERT_FALSE(view.member_blob());
        ASSERT_FALSE(view.value_blob());
      }
    }
  }
}

// --- Hashes: against a map

struct Field {
  std::string value;
  UnixMs deadline = kNoDeadline;
};

class HashModel {
 public:
  explicit HashModel(std::uint64_t seed) : random_(seed), hasher_(SecretOf(seed)), table(hasher_) {}

  void Step(bool growing) {
    now += static_cast<UnixMs>(Below(30));
    if (Below(2000) == 0) now += static_cast<UnixMs>(Below(100'000'000));
    const std::string member = Member();
    const auto it = fields.find(member);
    const Ref ref = table.Find(member);
    ASSERT_EQ(ref != 0, it != fields.end());
    if (it == fields.end()) {
      if (growing || Below(3) == 0) Add(member);
    } else if (Below(10) < (growing ? 2u : 7u)) {
      ASSERT_TRUE(table.Erase(member));
      fields.erase(it);
    } else if (Below(4) == 0) {
      ChangeDeadline(ref, it->second);
    } else {
      it->second.value = Value();
      CheckField(table.SetValue(ref, it->second.value), member);
    }
    if (table.NextDeadline() != kNoDeadline && table.NextDeadline() < now) Expire();
  }

  void CheckAll() {
    ASSERT_EQ(table.size(), fields.size());
    for (const auto& [member, field] : fields) CheckField(table.Find(member), member);
    table.CheckInvariants();
  }
  std::uint64_t Below(std::uint64_t bound) { return random_.Below(bound); }
  bool renewed() const { return renewed_; }

 private:
  std::string Member() {
    const std::uint64_t number = Below(3000);
    if (number == 0) return "";
    const std::size_t size = number % 97 == 0 ? number : number % 60;
    return std::to_string(number) + Pattern(size, number);
  }
  std::string Value() {
    const std::uint64_t kind = Below(20);
    const std::uint64_t size_max = kind < 14 ? 80 : kind < 18 ? 1200 : 5001;
    return Pattern(Below(size_max), Below(1000));
  }
  void Add(const std::string& member) {
    Field field{.value = Value()};
    CheckedRef(Insert(table, member, field.value));
    fields[member] = field;
    CheckField(table.Find(member), member);
  }
  void CheckedRef(Ref ref) {
    ASSERT_NE(ref, 0u);
    renewed_ = renewed_ || table.renewing();
  }
  void ChangeDeadline(Ref ref, Field& field) {
    const std::string member(table.At(ref).member());
    field.deadline = kNoDeadline;
    if (Below(3) != 0)
      field.deadline = now + static_cast<UnixMs>(Below(Below(5) == 0 ? 50'000'000 : 9000));
    CheckField(table.SetDeadline(ref, field.deadline, now), member);
  }
  void CheckField(Ref ref, const std::string& member) {
    ASSERT_NE(ref, 0u);
    const MemberView view = table.At(ref);
    ASSERT_EQ(view.member(), member);
    ASSERT_EQ(view.value(), fields[member].value);
    ASSERT_EQ(view.deadline(), fields[member].deadline);
    const BlobRef blob = view.value_blob();
    ASSERT_EQ(static_cast<bool>(blob), ValueIsBlob(member.size(), view.value().size()));
    if (!blob) return;
    ASSERT_EQ(blob.text(), view.value());
  }
  void Expire() {
    if (!in_pass_ && now / ExpireWheel::kTickMs > pass_ / ExpireWheel::kTickMs) {
      pass_before_ = pass_;
      pass_ = now;
    }
    const std::size_t members_max = 1 + Below(40);
    const bool more = table.ExpireDue(now, members_max, [&](MemberView view) {
      const auto it = fields.find(std::string(view.member()));
      ASSERT_NE(it, fields.end());
      ASSERT_EQ(it->second.deadline, view.deadline());
      ASSERT_LT(view.deadline(), now);
      fields.erase(it);
    });
    in_pass_ = more;
    if (more) return;
    for (const auto& [member, field] : fields) {
      if (field.deadline == kNoDeadline) continue;
      // What has moved within the pass waits for the next one.
      ASSERT_GE(field.deadline, pass_before_ - ExpireWheel::kTickMs) << member;
      ASSERT_LE(table.NextDeadline(), field.deadline);
    }
  }

  Random random_;
  KeyHasher hasher_;
  bool renewed_ = false;
  bool in_pass_ = false;
  UnixMs pass_ = kNow;  // when the last one began
  UnixMs pass_before_ = kNow;

 public:
  MemberTable table;
  std::unordered_map<std::string, Field> fields;
  UnixMs now = kNow;
};

TEST(MemberTable, AgreesWithAMapOfFieldsAndDeadlines) {
  for (const std::uint64_t seed : {11u, 12u, 13u}) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    HashModel model(seed);
    for (int round = 0; round < 24; ++round) {
      for (int i = 0; i < 1500; ++i) {
        model.Step(round % 6 < 3);
        if (::testing::Test::HasFatalFailure()) return;
      }
      model.CheckAll();
      if (::testing::Test::HasFatalFailure()) return;
      const std::unique_ptr<MemberTable> copy = model.table.Clone();
      ASSERT_NE(copy, nullptr);
      copy->CheckInvariants();
      ASSERT_EQ(copy->size(), model.fields.size());
      ASSERT_EQ(copy->deadlines(), model.table.deadlines());
      copy->ForEach([&](MemberView view) {
        const Field& field = model.fields.at(std::string(view.member()));
        EXPECT_EQ(view.value(), field.value);
        EXPECT_EQ(view.deadline(), field.deadline);
      });
    }
    EXPECT_TRUE(model.renewed());
    std::size_t visited = 0;
    while (model.table.ExpireDue(model.now + 100'000'000, 100, [&](MemberView) { ++visited; })) {
    }
    const auto with_deadline = std::count_if(model.fields.begin(), model.fields.end(), [](auto& f) {
      return f.second.deadline != kNoDeadline;
    });
    EXPECT_EQ(visited, static_cast<std::size_t>(with_deadline));
    EXPECT_EQ(model.table.deadlines(), 0u);
    EXPECT_EQ(model.table.NextDeadline(), kNoDeadline);
  }
}

TEST(MemberTable, KeepsALongValueForTheReplyThatHoldsIt) {
  const KeyHasher hasher(SecretOf(1));
  MemberTable table(hasher);
  Ref ref = Insert(table, "field", Pattern(5000, 1));
  const BlobRef reply = table.At(ref).value_blob();
  ref = table.SetValue(ref, Pattern(5000, 2));
  EXPECT_EQ(table.At(ref).value(), Pattern(5000, 2));
  table.Erase(ref);
  EXPECT_EQ(reply.text(), Pattern(5000, 1));
  EXPECT_EQ(table.size(), 0u);
}

// --- Sorted sets: who keeps references is told of every move

class RefKeeper final : public MemberMoveListener {
 public:
  explicit RefKeeper(MemberTable& table) : table_(table) { table.SetListener(this); }
  ~RefKeeper() { table_.SetListener(nullptr); }

  void MemberMoved(Ref from, MemberView member) override {
    const auto it = refs.find(std::string(member.member()));
    ASSERT_NE(it, refs.end());
    ASSERT_EQ(it->second, from);
    ASSERT_EQ(table_.At(from).member(), member.member());
    ASSERT_EQ(table_.At(from).score(), member.score());
    it->second = member.ref();
    ++moves;
  }

  std::unordered_map<std::string, Ref> refs;
  std::size_t moves = 0;

 private:
  MemberTable& table_;
};

TEST(MemberTable, TellsItsListenerOfEveryMove) {
  constexpr std::uint64_t kSeed = 21;
  SCOPED_TRACE(::testing::Message() << "seed " << kSeed);
  const KeyHasher hasher(SecretOf(kSeed));
  MemberTable table(hasher);
  RefKeeper keeper(table);
  std::unordered_map<std::string, double> scores;
  Random random(kSeed);
  for (int round = 0; round < 12; ++round) {
    for (int i = 0; i < 3000; ++i) {
      const std::size_t number = random.Below(4000);
      const std::string member = Digits(number, number % 101 == 0 ? 600 : 5 + number % 40);
      const auto it = keeper.refs.find(member);
      const auto score = static_cast<double>(random.Below(1000));
      if (it == keeper.refs.end()) {
        if (round % 4 >= 2) continue;
        const Ref ref = Insert(table, member, score);
        ASSERT_NE(ref, 0u);
        keeper.refs[member] = ref;
        scores[member] = score;
      } else if (random.Below(3) == 0) {
        const Ref ref = it->second;
        keeper.refs.erase(it);
        scores.erase(member);
        table.Erase(ref);
      } else {
        table.SetScore(it->second, score);
        scores[member] = score;
      }
    }
    ASSERT_EQ(table.size(), scores.size());
    for (const auto& [member, ref] : keeper.refs) {
      ASSERT_EQ(table.Find(member), ref);
      ASSERT_EQ(table.At(ref).score(), scores[member]);
    }
    table.CheckInvariants();
  }
  EXPECT_GT(keeper.moves, 500u);
}

// --- Sets

// Growing, shrinking and a renewal pass under the cursor.
TEST(MemberTable, ScansWhatStaysExactlyOnce) {
  constexpr std::uint64_t kSeed = 31;
  SCOPED_TRACE(::testing::Message() << "seed " << kSeed);
  const KeyHasher hasher(SecretOf(kSeed));
  MemberTable table(hasher);
  Random random(kSeed);
  for (std::size_t i = 0; i < 3000; ++i) ASSERT_NE(Insert(table, "stays" + Digits(i, 20)), 0u);
  std::vector<std::string> others;
  bool renewed = false;
  for (int pass = 0; pass < 6; ++pass) {
    std::unordered_map<std::string, int> seen;
    std::uint64_t cursor = 0;
    do {
      cursor = table.Scan(cursor, 10, [&](MemberView view) {
        if (view.member().starts_with("stays")) ++seen[std::string(view.member())];
      });
      for (int i = 0; i < 30; ++i) {
        if (pass % 2 == 0) {
          others.push_back("other" + Digits(random.Next(), 30));
          ASSERT_NE(Insert(table, others.back()), 0u);
        } else if (!others.empty()) {
          std::swap(others[random.Below(others.size())], others.back());
          ASSERT_TRUE(table.Erase(others.back()));
          others.pop_back();
        }
        renewed = renewed || table.renewing();
      }
    } while (cursor != 0);
    table.CheckInvariants();
    ASSERT_EQ(seen.size(), 3000u);
    for (const auto& [member, times] : seen) ASSERT_EQ(times, 1) << member;
  }
  EXPECT_TRUE(renewed);
}

TEST(MemberTable, GivesEveryMemberTheSameChance) {
  const KeyHasher hasher(SecretOf(1));
  MemberTable table(hasher);
  Random random(5);
  EXPECT_EQ(table.RandomMember(random), 0u);
  for (std::size_t i = 0; i < 100; ++i) ASSERT_NE(Insert(table, Digits(i, 3)), 0u);
  std::unordered_map<Ref, int> drawn;
  for (int i = 0; i < 100'000; ++i) ++drawn[table.RandomMember(random)];
  EXPECT_EQ(drawn.size(), 100u);
  for (const auto& [ref, times] : drawn) EXPECT_NEAR(times, 1000, 200) << table.At(ref).member();
}

TEST(MemberTable, FindsABatchAfterPrefetching) {
  const KeyHasher hasher(SecretOf(1));
  MemberTable table(hasher);
  for (std::size_t i = 0; i < 1000; i += 2) ASSERT_NE(Insert(table, Digits(i, 9)), 0u);
  for (std::size_t i = 0; i < 1000; ++i) {
    const std::string member = Digits(i, 9);
    const HashedKey key = table.Hashed(member);
    table.PrefetchBucket(key.hash);
    table.PrefetchEntry(key.hash);
    EXPECT_EQ(table.Find(key) != 0, i % 2 == 0);
  }
}

// --- Deadlines

// The wheel looks at a far deadline a few times on its way; nobody polls.
TEST(MemberTable, NeedsFewCallsForAFarDeadline) {
  const KeyHasher hasher(SecretOf(1));
  for (const UnixMs distance : {1, 64, 5'000, 400'000, 30'000'000, 900'000'000}) {
    MemberTable table(hasher);
    const UnixMs deadline = kNow + distance;
    ASSERT_NE(table.SetDeadline(Insert(table, "field", "value"), deadline, kNow), 0u);
    int calls = 0;
    UnixMs now = kNow;
    while (table.size() != 0) {
      ASSERT_LE(table.NextDeadline(), deadline);
      now = std::max(now, table.NextDeadline()) + ExpireWheel::kTickMs;
      ASSERT_FALSE(
          table.ExpireDue(now, 100, [&](MemberView view) { EXPECT_EQ(view.member(), "field"); }));
      ASSERT_LE(++calls, 5) << distance;
    }
    EXPECT_LE(now, deadline + 2 * ExpireWheel::kTickMs);
    EXPECT_GT(now, deadline);
  }
}

TEST(MemberTable, FindsTheEarliestOfManyDeadlinesAgain) {
  const KeyHasher hasher(SecretOf(1));
  MemberTable table(hasher);  // large enough for the codes' bitmap
  Random random(3);
  std::vector<UnixMs> deadlines;
  for (std::size_t i = 0; i < 60'000; ++i) {
    deadlines.push_back(kNow + 1 + static_cast<UnixMs>(random.Below(3'600'000)));
    const Ref ref = Insert(table, Digits(i, 8), "v");
    ASSERT_NE(table.SetDeadline(ref, deadlines.back(), kNow), 0u);
  }
  std::sort(deadlines.begin(), deadlines.end());
  std::size_t gone = 0;
  UnixMs now = kNow;
  for (int i = 0; i < 400; ++i) {
    ASSERT_LE(table.NextDeadline(), deadlines[gone]);
    now = std::max(now + 2000, table.NextDeadline() + ExpireWheel::kTickMs);
    while (table.ExpireDue(now, 500, [&](MemberView) { ++gone; })) {
    }
    ASSERT_GE(deadlines[gone], now - ExpireWheel::kTickMs);
  }
  EXPECT_GT(gone, 10'000u);
  table.CheckInvariants();
}

// --- The end of memory

TEST(MemberTable, ChangesNothingWithoutMemory) {
  const KeyHasher hasher(SecretOf(1));
  MemberTable table(hasher, {.pages_max = 2, .blob_bytes_max = 8000});
  std::unordered_map<std::string, std::string> fields;
  // The last ones take what is left at the ends of pages.
  for (const std::size_t value_size : {80u, 60u, 40u, 20u, 5u, 0u}) {
    for (;;) {
      const std::string member = Digits(fields.size(), value_size < 20 ? 4 : 10);
      const std::string value = Pattern(value_size, 1);
      if (Insert(table, member, value) == 0) break;
      fields[member] = value;
    }
  }
  EXPECT_GT(fields.size(), 150u);
  const auto check = [&] {
    ASSERT_EQ(table.size(), fields.size());
    for (const auto& [member, value] : fields) {
      const Ref ref = table.Find(member);
      ASSERT_NE(ref, 0u);
      ASSERT_EQ(table.At(ref).value(), value);
      ASSERT_EQ(table.At(ref).deadline(), kNoDeadline);
    }
    table.CheckInvariants();
  };
  check();
  const std::string member = Digits(7, 10);
  const Ref ref = table.Find(member);
  EXPECT_EQ(table.SetValue(ref, Pattern(900, 2)), 0u);
  EXPECT_EQ(table.SetDeadline(ref, kNow, kNow), 0u);
  EXPECT_EQ(table.SetValue(ref, Pattern(9000, 2)), 0u);  // no blob of that size
  EXPECT_EQ(table.SetValue(ref, Pattern(5000, 2)), 0u);  // no slot for the pointer
  EXPECT_EQ(Insert(table, Pattern(600, 1), "short"), 0u);
  check();
  EXPECT_EQ(table.SetValue(ref, Pattern(80, 2)), ref);
  fields[member] = Pattern(80, 2);
  table.Erase(table.Find(Digits(8, 10)));
  fields.erase(Digits(8, 10));
  EXPECT_NE(Insert(table, Digits(999, 10), Pattern(80, 3)), 0u);
  fields[Digits(999, 10)] = Pattern(80, 3);
  check();
}

TEST(MemberTable, StopsWhereTheTableCannotGrow) {
  const KeyHasher hasher(SecretOf(1));
  MemberTable table(hasher, {.homes_max = 10});
  std::size_t count = 0;
  while (Insert(table, Digits(count, 10)) != 0) ++count;
  EXPECT_EQ(table.size(), count);
  EXPECT_GE(count, 85u);
  EXPECT_LE(count, 100u);
  table.CheckInvariants();
}

// --- Bytes per member, by the table's account

enum class Kind { kSet, kHash, kSortedSet };

void Add(MemberTable& table, Kind kind, std::size_t number, std::size_t member_size) {
  const std::string value(32, 'x');
  const std::string member = Digits(number, member_size);
  Ref ref = 0;
  if (kind == Kind::kSet) ref = Insert(table, member);
  if (kind == Kind::kHash) ref = Insert(table, member, value);
  if (kind == Kind::kSortedSet) ref = Insert(table, member, static_cast<double>(number));
  ASSERT_NE(ref, 0u);
}

double BytesPerMember(Kind kind, std::size_t members, std::size_t member_size) {
  const KeyHasher hasher(SecretOf(1));
  MemberTable table(hasher);
  for (std::size_t i = 0; i < members; ++i) Add(table, kind, i, member_size);
  const double bytes =
      static_cast<double>(table.memory_bytes()) / static_cast<double>(table.size());
  std::printf("%zu members of %zu bytes, kind %d: %.2f bytes each\n", members, member_size,
              static_cast<int>(kind), bytes);
  return bytes;
}

TEST(MemberTableMemory, StaysBelowItsPromisePerField) {
  EXPECT_LE(BytesPerMember(Kind::kHash, 1'000'000, 16), 62);
}

TEST(MemberTableMemory, StaysBelowItsPromisePerMember) {
  EXPECT_LE(BytesPerMember(Kind::kSet, 200'000, 16), 31);
  EXPECT_LE(BytesPerMember(Kind::kSet, 200'000, 7), 19);
  EXPECT_LE(BytesPerMember(Kind::kSortedSet, 200'000, 16), 39);
}

TEST(MemberTableMemory, IsSmallForAFewMembers) {
  const KeyHasher hasher(SecretOf(1));
  MemberTable table(hasher);
  EXPECT_LE(sizeof table + table.memory_bytes(), 1200u);
  for (std::size_t i = 0; i < 150; ++i) Add(table, Kind::kSet, i, 10);
  EXPECT_LE(sizeof table + table.memory_bytes(), 150u * 10 * 8 / 5 + 2080);
}

// Half of the members go; then as many come as go.
TEST(MemberTableMemory, ComesBackAfterHalfWasErased) {
  const KeyHasher hasher(SecretOf(1));
  MemberTable table(hasher);
  constexpr std::size_t kMembers = 200'000;
  for (std::size_t i = 0; i < kMembers; ++i) Add(table, Kind::kSet, i, 16);
  const double fresh = BytesPerMember(Kind::kSet, kMembers / 2, 16);
  for (std::size_t i = 0; i < kMembers; i += 2) ASSERT_TRUE(table.Erase(Digits(i, 16)));
  const auto per_member = [&] {
    return static_cast<double>(table.memory_bytes()) / static_cast<double>(table.size());
  };
  double worst = 0;
  for (std::size_t i = 1; i < kMembers / 2; i += 2) {
    ASSERT_TRUE(table.Erase(Digits(i, 16)));
    Add(table, Kind::kSet, kMembers + i, 16);
    if (!table.renewing()) worst = std::max(worst, per_member());
  }
  std::printf("fresh %.2f, worst %.2f, in the end %.2f\n", fresh, worst, per_member());
  EXPECT_LE(per_member(), 1.35 * fresh);
  table.CheckInvariants();
}

TEST(MemberTableMemory, OfACopyIsThatOfAWellFilledTable) {
  const KeyHasher hasher(SecretOf(1));
  MemberTable table(hasher);
  for (std::size_t i = 0; i < 60'000; ++i) Add(table, Kind::kHash, i, 16);
  for (std::size_t i = 0; i < 60'000; i += 3) ASSERT_TRUE(table.Erase(Digits(i, 16)));
  const std::unique_ptr<MemberTable> copy = table.Clone();
  ASSERT_NE(copy, nullptr);
  EXPECT_EQ(copy->size(), 40'000u);
  EXPECT_LE(copy->memory_bytes(), 40'000u * 61);
  copy->CheckInvariants();
  for (std::size_t i = 1; i < 60'000; i += 3) ASSERT_NE(copy->Find(Digits(i, 16)), 0u);
}

}  // namespace
}  // namespace aeris::storage
