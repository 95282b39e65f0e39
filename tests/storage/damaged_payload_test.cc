// Payloads of every type and encoding with single bits flipped: refused, or a value like any other.
// And whole ones, for which there is no memory.
#include <gtest/gtest.h>

#include <functional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "storage/hash_value.h"
#include "storage/list_value.h"
#include "storage/set_value.h"
#include "storage/stream_value.h"
#include "storage/zset_value.h"
#include "tests/storage/keyspace_fixture.h"
#include "tests/storage/payload_properties.h"

namespace aeris::storage {
namespace {

using payload::CheckPayload;
using payload::Signed;
using rdb::Type;
using testing::FillArena;
using testing::kNow;
using testing::Pattern;
using testing::Set;
using testing::Shared;
using testing::TextAt;

constexpr std::size_t kFooterBytes = 10;

// Under which the smallest collections are structures, of several blocks where they have some.
constexpr ValueLimits kSmall{.list = {.bytes = 40, .items = 2},
                             .set = {.intset_entries = 1},
                             .hash = {.packed_fields_max = 1, .packed_bytes_max = 8},
                             .zset = {.packed_elements_max = 1, .packed_member_bytes_max = 8}};

// The body of a payload, and how it is called.
struct Sample {
  std::string name;
  std::string body;
};
std::ostream& operator<<(std::ostream& out, const Sample& sample) { return out << sample.name; }

// --- What DUMP writes

std::string Dumped(const std::function<void(Keyspace&, const HashedKey&)>& make) {
  Shared shared;
  Keyspace keyspace(shared.context);
  const HashedKey key = keyspace.Hash("key");
  make(keyspace, key);
  std::string payload = DumpPayload(keyspace.Find(key, kNow, kPeek), kNow);
  payload.resize(payload.size() - kFooterBytes);
  return payload;
}

std::string DumpedString(std::string_view text) {
  return Dumped([&](Keyspace& keyspace, const HashedKey& key) {
    ASSERT_EQ(keyspace.SetString(key, text, kNow, {}), StoreResult::kStored);
  });
}

using Texts = std::vector<std::string>;

std::string DumpedList(const Texts& items, const ListLimits& limits) {
  return Dumped([&](Keyspace& keyspace, const HashedKey& key) {
    ListEditor list = ListEditor::New(keyspace, key, limits, kNow);
    for (const std::string& item : items) list.Push(ListEnd::kTail, item);
    ASSERT_EQ(list.Commit(), StoreResult::kStored);
  });
}

std::string DumpedSet(const Texts& members, SetLimits limits = {}) {
  return Dumped([&](Keyspace& keyspace, const HashedKey& key) {
    SetEditor set = SetEditor::New(keyspace, key, limits, kNow);
    for (const std::string& member : members) ASSERT_EQ(set.Add(member), StoreResult::kStored);
    ASSERT_EQ(set.Commit(), StoreResult::kStored);
  });
}

std::string DumpedHash(const HashLimits& limits, bool dated) {
  return Dumped([&](Keyspace& keyspace, const HashedKey& key) {
    HashEditor hash = HashEditor::New(keyspace, key, limits, kNow);
    for (const char* const field : {"a", "17", "field"}) {
      ASSERT_EQ(hash.Set(field, "-70000", false), HashEditor::Put::kCreated);
    }
    if (dated) {
      ASSERT_EQ(hash.SetDeadline("17", kNow + 500, DeadlineCondition::kAlways),
                HashEditor::Dated::kDone);
      ASSERT_EQ(hash.SetDeadline("a", kNow + 90'000, DeadlineCondition::kAlways),
                HashEditor::Dated::kDone);
    }
    ASSERT_EQ(hash.Commit(), StoreResult::kStored);
  });
}

std::string DumpedZset(const ZsetLimits& limits) {
  return Dumped([&](Keyspace& keyspace, const HashedKey& key) {
    std::vector<ScoredMember> elements = {{"a", 1}, {"b", -0.5}, {"17", 1e300}, {"", 1}};
    ASSERT_EQ(StoreZset(keyspace, key, elements, limits, kNow), StoreResult::kStored);
  });
}

// Three blocks, fields of the master entry's and own ones, deleted entries, groups of which one has
// pending entries with two consumers.
std::unique_ptr<Collection> MadeStream() {
  auto made = std::make_unique<Stream>();
  const std::vector<std::string_view> pair = {"f", "v"}, other = {"f", "v", "g", "1000"};
  for (std::uint64_t ms = 1; ms <= 7; ++ms) {
    EXPECT_EQ(made->Append({ms, ms % 2}, ms == 2 ? other : pair, {.entries_max = 3}),
              Stream::AppendResult::kAdded);
  }
  EXPECT_TRUE(made->Delete({3, 1}));
  EXPECT_TRUE(made->Delete({5, 1}));
  EXPECT_NE(made->CreateGroup("idle", {}, kEntriesUnknown), nullptr);
  StreamGroup& group = *made->CreateGroup("g", {4, 0}, 4);
  for (const std::uint64_t ms : {1u, 2u, 4u}) {
    StreamConsumer& consumer = group.GetConsumer(ms == 2 ? "bob" : "alice", kNow);
    StreamPending& pending = group.Assign({ms, ms % 2}, consumer);
    pending.delivered_at = kNow;
    pending.deliveries = ms;
  }
  return made;
}

std::string DumpedStream() {
  return Dumped([](Keyspace& keyspace, const HashedKey& key) {
    std::unique_ptr<Collection> made = MadeStream();
    ASSERT_EQ(keyspace.SetObject(key, made, kNoDeadline, kNow), StoreResult::kStored);
  });
}

// --- What older and newer servers write

std::string Body(Type type, const std::function<void(RdbWriter&)>& write) {
  RdbWriter out;
  out.Byte(static_cast<std::uint8_t>(type));
  write(out);
  return std::move(out).Take();
}

std::string ForeignList() {
  return Body(Type::kList, [](RdbWriter& out) {
    out.Length(3);
    for (const char* const item : {"a", "17", "a"}) out.Text(item);
  });
}

// A node of its own for an item, an empty block, and one with items.
std::string ForeignListOfNodes() {
  return Body(Type::kListListpacks, [](RdbWriter& out) {
    out.Length(3);
    out.Length(static_cast<std::uint64_t>(rdb::NodeForm::kPlain));
    out.Text("a large item");
    PackedBlock block;
    for (const bool filled : {false, true}) {
      if (filled) block.Append("item");
      out.Length(static_cast<std::uint64_t>(rdb::NodeForm::kPacked));
      out.Text(block.bytes());
    }
  });
}

std::string ForeignZset() {
  return Body(Type::kZsetText, [](RdbWriter& out) {
    out.Length(4);
    for (const char* const score : {"1.5", "-3", "1e3"}) {
      out.Text(score);
      out.Byte(static_cast<std::uint8_t>(std::string_view(score).size()));
      out.Raw(score);
    }
    out.Text("infinite");
    out.Byte(254);
  });
}

std::string ForeignSet() {
  return Body(Type::kSetListpack, [](RdbWriter& out) {
    PackedBlock block;
    for (const char* const member : {"a", "17", "member"}) block.Append(member);
    out.Text(block.bytes());
  });
}

// The first version lacks what was counted behind the last id, the third has one time more for each
// consumer. One block, one entry, one group.
std::string ForeignStream(Type type) {
  return Body(type, [&](RdbWriter& out) {
    Stream stream;
    const std::vector<std::string_view> pair = {"f", "v"};
    ASSERT_EQ(stream.Append({1, 0}, pair, {}), Stream::AppendResult::kAdded);
    const std::string id("\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0", 16);
    out.Length(1);
    out.Text(id);
    out.Text(stream.blocks().begin()->second.bytes());
    for (const std::uint64_t number : {1u, 1u, 0u}) out.Length(number);  // entries, last id
    if (type == Type::kStream3) {
      for (const std::uint64_t number : {1u, 0u, 0u, 0u, 1u}) out.Length(number);
    }
    out.Length(1);
    out.Text("group");
    for (const std::uint64_t number : {1u, 0u}) out.Length(number);
    if (type == Type::kStream3) out.Length(1);
    out.Length(1);
    out.Raw(id);
    out.Milliseconds(kNow);
    out.Length(1);
    out.Length(1);
    out.Text("consumer");
    out.Milliseconds(kNow);
    if (type == Type::kStream3) out.Milliseconds(kNow);
    out.Length(1);
    out.Raw(id);
  });
}

std::vector<Sample> Samples() {
  const Texts numbers = {"1", "-2", "300"};
  const Texts texts = {"a", "17", "-70000", "some text", Pattern(70, 1)};
  return {
      {"Int8", DumpedString("-5")},
      {"Int16", DumpedString("1000")},
      {"Int32", DumpedString("-70000")},
      {"Int64", DumpedString("9223372036854775807")},
      {"String", DumpedString("some text")},
      {"CompressedString", DumpedString(std::string(300, 'x') + Pattern(30, 1))},
      {"PackedList", DumpedList(texts, {})},
      {"BlockList", DumpedList(texts, kSmall.list)},
      {"Intset16", DumpedSet(numbers)},
      {"Intset32", DumpedSet({"1", "-2", "70000"})},
      {"Intset64", DumpedSet({"1", "-2", "9223372036854775807"})},
      {"PackedSet", DumpedSet({"a", "17", "member"})},
      {"SetTable", DumpedSet(texts)},
      {"PackedHash", DumpedHash({}, false)},
      {"HashTable", DumpedHash(kSmall.hash, false)},
      {"HashWithDeadlines", DumpedHash({}, true)},
      {"PackedZset", DumpedZset({})},
      {"ZsetTree", DumpedZset(kSmall.zset)},
      {"Stream", DumpedStream()},
      {"ForeignList", ForeignList()},
      {"ForeignListOfNodes", ForeignListOfNodes()},
      {"ForeignSet", ForeignSet()},
      {"ForeignZset", ForeignZset()},
      {"ForeignStream1", ForeignStream(Type::kStream)},
      {"ForeignStream3", ForeignStream(Type::kStream3)},
  };
}

std::string Flipped(std::string bytes, std::size_t bit) {
  bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ 1 << bit % 8);
  return bytes;
}

class DamagedPayload : public ::testing::TestWithParam<Sample> {
 protected:
  bool Check(std::string_view payload, const ValueLimits& limits) {
    return CheckPayload(payload, keyspace_, limits, kNow);
  }
  // The version that the type needs is the sample's writer's business.
  std::string Whole(std::string_view body) { return Signed(body, rdb::kVersionRead); }

 private:
  Shared shared_;
  Keyspace keyspace_{shared_.context};
};

TEST_P(DamagedPayload, IsTakenWhileWhole) {
  EXPECT_TRUE(Check(Whole(GetParam().body), {}));
  EXPECT_TRUE(Check(Whole(GetParam().body), kSmall));
}

TEST_P(DamagedPayload, IsRefusedByItsChecksum) {
  const std::string whole = Whole(GetParam().body);
  for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    const auto parsed = payload::Parse(Flipped(whole, bit));
    ASSERT_FALSE(parsed.has_value()) << "bit " << bit;
    ASSERT_EQ(parsed.error(), PayloadFault::kChecksum) << "bit " << bit;
  }
}

TEST_P(DamagedPayload, IsRefusedOrAValueUnderItsOwnChecksum) {
  const std::string& body = GetParam().body;
  std::size_t taken = 0, refused = 0;
  for (std::size_t bit = 0; bit < 8 * body.size(); ++bit) {
    const std::string damaged = Whole(Flipped(body, bit));
    const bool good = Check(damaged, {});
    ASSERT_EQ(Check(damaged, kSmall), good) << "bit " << bit;
    ++(good ? taken : refused);
  }
  // Both kinds of damage are met: to the text of a value, and to what holds it together.
  EXPECT_GT(taken, 0u);
  EXPECT_GT(refused, 0u);
}

TEST_P(DamagedPayload, IsRefusedWhenCut) {
  const std::string& body = GetParam().body;
  for (std::size_t size = 0; size < body.size(); ++size) {
    EXPECT_FALSE(Check(Whole(body.substr(0, size)), kSmall)) << size;
  }
}

TEST_P(DamagedPayload, LeavesTheKeyAsItIsWithoutMemory) {
  Shared shared;
  shared.context.limits.arena_bytes = std::size_t{1} << 20;
  Keyspace keyspace(shared.context);
  Set(keyspace, "key", "7");
  FillArena(keyspace);
  const HashedKey key = keyspace.Hash("key");
  for (const ValueLimits& limits : {ValueLimits{}, kSmall}) {
    auto value = payload::Parse(Whole(GetParam().body));
    ASSERT_TRUE(value.has_value());
    // With a deadline that takes room of its own, whatever the value takes.
    EXPECT_EQ(StoreValue(keyspace, key, *std::move(value), kNow << 20, limits, kNow),
              StoreResult::kNoMemory);
    EXPECT_EQ(TextAt(keyspace, "key", kNow), "7");
    EXPECT_EQ(keyspace.Find(key, kNow, kPeek).deadline(), kNoDeadline);
    keyspace.CheckInvariants();
  }
}

INSTANTIATE_TEST_SUITE_P(Samples, DamagedPayload, ::testing::ValuesIn(Samples()),
                         [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace aeris::storage
