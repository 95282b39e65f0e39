#include "storage/stream_value.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace aeris::storage {
namespace {

using Fields = std::vector<std::string>;
using Model = std::map<StreamId, Fields>;
using Result = Stream::AppendResult;

constexpr StreamBlockLimits kUsual{};

Result Add(Stream& stream, StreamId id, const Fields& fields,
           const StreamBlockLimits& limits = kUsual) {
  const std::vector<std::string_view> views(fields.begin(), fields.end());
  return stream.Append(id, views, limits);
}

void AddMany(Stream& stream, std::uint64_t count) {
  for (std::uint64_t i = 1; i <= count; ++i) {
    ASSERT_EQ(Add(stream, {i, 0}, {"field", std::to_string(i)}), Result::kAdded);
  }
}

Fields FieldsOf(const StreamReader& reader) {
  Fields fields;
  reader.ForEachField([&](const PackedItem& name, const PackedItem& value) {
    fields.push_back(name.String());
    fields.push_back(value.String());
  });
  return fields;
}

std::vector<std::pair<StreamId, Fields>> Read(const Stream& stream, StreamReader::Range range) {
  std::vector<std::pair<StreamId, Fields>> entries;
  StreamReader reader(stream, range);
  while (reader.Next()) entries.emplace_back(reader.id(), FieldsOf(reader));
  return entries;
}

TEST(Stream, KeepsWhatWasAppendedInOrder) {
  Stream stream;
  EXPECT_EQ(Add(stream, {5, 1}, {"a", "1", "b", "text"}), Result::kAdded);
  EXPECT_EQ(Add(stream, {5, 1}, {"a", "1"}), Result::kNotGreater);
  EXPECT_EQ(Add(stream, {5, 0}, {"a", "1"}), Result::kNotGreater);
  EXPECT_EQ(Add(stream, {6, 0}, {"other", "", "", "-7"}), Result::kAdded);
  const auto entries = Read(stream, {.start = kStreamIdMin});
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0], std::pair(StreamId(5, 1), Fields({"a", "1", "b", "text"})));
  EXPECT_EQ(entries[1], std::pair(StreamId(6, 0), Fields({"other", "", "", "-7"})));
  EXPECT_EQ(stream.first_id(), (StreamId{5, 1}));
  EXPECT_EQ(stream.last_id(), (StreamId{6, 0}));
  EXPECT_EQ(stream.entries_added(), 2U);
  stream.CheckInvariants();
}

TEST(Stream, BlocksEndAtTheirLimits) {
  Stream by_entries;
  for (std::uint64_t i = 1; i <= 10; ++i) {
    ASSERT_EQ(Add(by_entries, {i, 0}, {"f", "v"}, {.bytes_max = 0, .entries_max = 3}),
              Result::kAdded);
  }
  EXPECT_EQ(by_entries.blocks().size(), 4U);
  Stream by_bytes;
  for (std::uint64_t i = 1; i <= 100; ++i) {
    ASSERT_EQ(
        Add(by_bytes, {i, 0}, {"f", std::string(50, 'v')}, {.bytes_max = 200, .entries_max = 0}),
        Result::kAdded);
  }
  for (const auto& [id, block] : by_bytes.blocks()) EXPECT_LT(block.bytes().size(), 260U);
  by_bytes.CheckInvariants();
  // More items than a block can say.
  Stream unlimited;
  for (std::uint64_t i = 1; i <= 14000; ++i) {
    ASSERT_EQ(Add(unlimited, {i, 0}, {"f", "v"}, {.bytes_max = 0, .entries_max = 0}),
              Result::kAdded);
  }
  EXPECT_EQ(unlimited.blocks().size(), 1U);
  EXPECT_EQ(unlimited.Trim({.by = StreamTrim::By::kLength, .length_max = 5}), 13995U);
  EXPECT_EQ(Read(unlimited, {.start = kStreamIdMin}).size(), 5U);
  unlimited.CheckInvariants();
}

TEST(Stream, LastIdLoweredDropsDeletedEntriesAboveIt) {
  Stream stream;
  AddMany(stream, 5);
  EXPECT_TRUE(stream.Delete({5, 0}));
  EXPECT_TRUE(stream.Delete({4, 0}));
  stream.SetLastId({3, 0});
  stream.CheckInvariants();
  EXPECT_EQ(Add(stream, {4, 5}, {"f", "v"}), Result::kAdded);
  EXPECT_EQ(Add(stream, {5, 0}, {"f", "v"}), Result::kAdded);
  stream.CheckInvariants();
  EXPECT_TRUE(stream.Contains({5, 0}));
  EXPECT_EQ(Read(stream, {.start = kStreamIdMin}).size(), 5U);
}

// As redis-server 7.0.15 shows it in XINFO STREAM's radix-tree-keys.
TEST(Stream, BlockWithoutLiveEntriesStaysUntilAllOfItIsTrimmed) {
  Stream stream;
  AddMany(stream, 2);
  EXPECT_TRUE(stream.Delete({2, 0}));
  EXPECT_EQ(stream.Trim({.by = StreamTrim::By::kMinId, .id_min = {2, 0}}), 1U);
  EXPECT_EQ(stream.size(), 0U);
  EXPECT_EQ(stream.first_id(), kStreamIdMin);
  EXPECT_EQ(stream.blocks().size(), 1U);
  stream.CheckInvariants();
  Stream copy;
  EXPECT_TRUE(copy.AddBlock(stream.blocks().begin()->second.bytes(), {1, 0}));
  EXPECT_EQ(copy.blocks().size(), 1U);
  copy.SetLastId({1, 5});
  EXPECT_EQ(copy.blocks().size(), 0U);
  copy.CheckInvariants();

  EXPECT_EQ(stream.Trim({.by = StreamTrim::By::kLength, .length_max = 0}), 0U);
  EXPECT_EQ(stream.blocks().size(), 1U);
  EXPECT_EQ(Add(stream, {3, 0}, {"f", "v"}), Result::kAdded);
  EXPECT_EQ(stream.blocks().size(), 1U);
  EXPECT_EQ(Read(stream, {.start = kStreamIdMin}).size(), 1U);
  EXPECT_EQ(Read(stream, {.start = kStreamIdMin, .backward = true}).size(), 1U);
  EXPECT_TRUE(stream.Delete({3, 0}));
  EXPECT_EQ(stream.blocks().size(), 0U);
  stream.CheckInvariants();
}

TEST(Stream, MarkFindsWhatCameAfterIt) {
  Stream stream;
  AddMany(stream, 250);
  StreamMark mark;
  StreamId last;
  std::size_t found = 0;
  for (std::uint64_t added = 250; added < 600; ++added) {
    // A deletion moves what the mark points at.
    if (added % 50 == 0) {
      EXPECT_TRUE(stream.Delete({added - 3, 0}));
    }
    StreamReader reader(stream, {.start = *Next(last)}, mark);
    ASSERT_TRUE(reader.Next());
    ASSERT_EQ(reader.id(), Read(stream, {.start = *Next(last)})[0].first);
    last = reader.id();
    mark = reader.Mark();
    ++found;
    ASSERT_EQ(Add(stream, {added + 1, 0}, {"field", "x"}), Result::kAdded);
  }
  EXPECT_EQ(found, 350U);
}

// What the commands do, against maps.
class StreamModel {
 public:
  explicit StreamModel(std::uint64_t seed) : random_(seed) {}

  void Step() {
    switch (random_() % 16) {
      case 0:
      case 1:
        return DeleteSome();
      case 2:
        return Trim();
      case 3:
      case 4:
        return Deliver();
      case 5:
        return Acknowledge();
      case 6:
        return random_() % 8 == 0 ? DeleteConsumer() : Reassign();
      default:
        return Append();
    }
  }

  void Compare() {
    stream_->CheckInvariants();
    ASSERT_EQ(stream_->size(), entries_.size());
    ASSERT_EQ(stream_->first_id(), entries_.empty() ? StreamId{} : entries_.begin()->first);
    ASSERT_EQ(stream_->LastLiveId(), entries_.empty() ? StreamId{} : entries_.rbegin()->first);
    StreamId start = AnyId(), end = AnyId();
    if (end < start) std::swap(start, end);
    std::vector<std::pair<StreamId, Fields>> expected(entries_.lower_bound(start),
                                                      entries_.upper_bound(end));
    ASSERT_EQ(Read(*stream_, {.start = start, .end = end}), expected);
    std::ranges::reverse(expected);
    ASSERT_EQ(Read(*stream_, {.start = start, .end = end, .backward = true}), expected);
    std::map<StreamId, std::string> pending;
    group().pending().VisitFrom(kStreamIdMin, [&](const StreamGroup::Pending::Item& item) {
      pending.emplace(item.id, item.value.consumer->name);
      return true;
    });
    ASSERT_EQ(pending, pending_);
  }

  // The stream is now a copy of itself.
  void Copy() {
    std::unique_ptr<Collection> copy = stream_->Clone();
    ASSERT_EQ(copy->size(), stream_->size());
    stream_.reset(static_cast<Stream*>(copy.release()));
  }

 private:
  StreamGroup& group() { return *stream_->FindGroup("group"); }
  StreamId AnyId() { return {random_() % (last_.ms + 3), random_() % 3}; }
  std::string AnyConsumer() { return "consumer" + std::to_string(random_() % 4); }

  void Append() {
    last_ = random_() % 3 == 0 ? StreamId{last_.ms, last_.seq + 1}
                               : StreamId{last_.ms + 1 + random_() % 3, random_() % 3};
    Fields fields;
    const bool usual = random_() % 3 != 0;
    const std::size_t count = usual ? 2 : 1 + random_() % 4;
    for (std::size_t i = 0; i < count; ++i) {
      fields.push_back(usual ? "field" + std::to_string(i) : std::to_string(random_() % 100));
      fields.push_back(random_() % 2 == 0 ? std::to_string(random_() % 1000000)
                                          : std::string(random_() % 90, 'v'));
    }
    ASSERT_EQ(Add(*stream_, last_, fields, limits_), Result::kAdded);
    entries_.emplace(last_, fields);
    if (random_() % 200 == 0) {
      limits_ = {.bytes_max = random_() % 2 == 0 ? 0U : 300U, .entries_max = 1 << random_() % 9};
    }
  }
  void DeleteSome() {
    const auto near = entries_.lower_bound(AnyId());
    const StreamId id = near != entries_.end() && random_() % 4 != 0 ? near->first : AnyId();
    ASSERT_EQ(stream_->Contains(id), entries_.contains(id));
    ASSERT_EQ(stream_->Delete(id), entries_.erase(id) == 1);
  }
  void Trim() {
    if (random_() % 4 != 0) return;
    StreamTrim trim{.whole_blocks = random_() % 2 == 0};
    std::size_t removable = 0;
    if (random_() % 2 == 0) {
      trim.by = StreamTrim::By::kLength;
      trim.length_max = entries_.size() - random_() % (entries_.size() / 4 + 1);
      removable = entries_.size() - trim.length_max;
    } else {
      trim.by = StreamTrim::By::kMinId;
      trim.id_min = entries_.empty() ? AnyId() : entries_.begin()->first;
      trim.id_min.ms += random_() % 20;
      removable = static_cast<std::size_t>(
          std::distance(entries_.begin(), entries_.lower_bound(trim.id_min)));
    }
    const std::size_t removed = stream_->Trim(trim);
    if (trim.whole_blocks) {
      ASSERT_LE(removed, removable);
    } else {
      ASSERT_EQ(removed, removable);
    }
    entries_.erase(entries_.begin(), std::next(entries_.begin(), static_cast<long>(removed)));
  }
  void Deliver() {
    const std::string name = AnyConsumer();
    StreamConsumer& consumer = group().GetConsumer(name, 1);
    const auto start = Next(group().last_id);
    StreamReader reader(*stream_, {.start = *start}, group().mark);
    auto expected = entries_.lower_bound(*start);
    for (std::size_t count = 1 + random_() % 5; count > 0; --count, ++expected) {
      const bool found = reader.Next();
      ASSERT_EQ(found, expected != entries_.end());
      if (!found) return;
      ASSERT_EQ(reader.id(), expected->first);
      ASSERT_EQ(FieldsOf(reader), expected->second);
      stream_->Advance(group(), reader.id());
      group().Assign(reader.id(), consumer);
      pending_[reader.id()] = name;
      group().mark = reader.Mark();
    }
  }
  void Acknowledge() {
    const auto near = pending_.lower_bound(AnyId());
    const StreamId id = near != pending_.end() ? near->first : AnyId();
    ASSERT_EQ(group().Acknowledge(id), pending_.erase(id) == 1);
  }
  void Reassign() {
    const auto near = pending_.lower_bound(AnyId());
    if (near == pending_.end()) return;
    near->second = AnyConsumer();
    group().Assign(near->first, group().GetConsumer(near->second, 2));
  }
  void DeleteConsumer() {
    const std::string name = AnyConsumer();
    ASSERT_EQ(stream_->DeleteConsumer(group(), name),
              std::erase_if(pending_, [&](const auto& each) { return each.second == name; }));
  }

  std::unique_ptr<Stream> stream_ = [] {
    auto stream = std::make_unique<Stream>();
    stream->CreateGroup("group", {}, 0);
    return stream;
  }();
  std::mt19937_64 random_;
  StreamBlockLimits limits_;
  StreamId last_;
  Model entries_;
  std::map<StreamId, std::string> pending_;
};

// Groups of blocks leave whole, from the front; blocks anywhere.
TEST(Stream, ThousandsOfBlocksAreTrimmedAsASetOfIdsIs) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  Stream stream;
  std::set<std::uint64_t> model;
  std::uint64_t last = 0;
  const std::vector<std::string_view> pairs = {"f", "v"};
  bool was_cut = false;
  for (int round = 0; round < 40; ++round) {
    while (model.size() < 12'000) {
      last += 1 + random() % 3;
      ASSERT_EQ(stream.Append({last, 0}, pairs, {.bytes_max = 4096, .entries_max = 8}),
                Stream::AppendResult::kAdded);
      model.insert(last);
    }
    // Whole blocks of the middle go as well.
    std::uint64_t id = *model.begin() + random() % (last - *model.begin());
    for (int i = 0; i < 200; ++i) {
      ++id;
      ASSERT_EQ(stream.Delete({id, 0}), model.erase(id) == 1);
    }
    StreamTrim trim{.by = StreamTrim::By::kLength, .length_max = random() % 13'000};
    if (random() % 2 == 0) {
      trim = {.by = StreamTrim::By::kMinId, .id_min = {*model.begin() + random() % 20'000, 0}};
    }
    trim.whole_blocks = random() % 3 == 0;
    trim.limit = random() % 3 == 0 ? 1 + random() % 3000 : 0;
    const std::size_t before = model.size();
    const std::size_t removed = stream.Trim(trim);
    const auto part = stream.TakeCutOff();
    was_cut |= part != nullptr;
    for (std::size_t i = 0; i < removed; ++i) model.erase(model.begin());
    if (trim.limit != 0) {
      ASSERT_LE(removed, std::max<std::size_t>(trim.limit, 8));
    }
    if (!trim.whole_blocks && trim.limit == 0) {
      if (trim.by == StreamTrim::By::kLength) {
        ASSERT_EQ(model.size(), std::min<std::size_t>(before, trim.length_max));
      } else {
        ASSERT_TRUE(model.empty() || *model.begin() >= trim.id_min.ms);
      }
    }
    stream.CheckInvariants();
    ASSERT_EQ(stream.size(), model.size());
    StreamReader reader(stream, {.start = kStreamIdMin});
    for (const std::uint64_t ms : model) {
      ASSERT_TRUE(reader.Next());
      ASSERT_EQ(reader.id().ms, ms);
    }
    ASSERT_FALSE(reader.Next());
    StreamReader back(stream, {.start = kStreamIdMin, .backward = true});
    for (auto it = model.rbegin(); it != model.rend(); ++it) {
      ASSERT_TRUE(back.Next());
      ASSERT_EQ(back.id().ms, *it);
    }
    ASSERT_FALSE(back.Next());
  }
  EXPECT_TRUE(was_cut);
}

TEST(Stream, ATrimToALengthStopsBeforeABlockOfGaps) {
  Stream stream;
  const std::size_t live = StreamBlocks::kGroupMax - 1;
  const auto add_block = [&](std::uint64_t ms, bool gaps) {
    Stream one;
    ASSERT_EQ(Add(one, {ms, 0}, {"f", "v"}), Result::kAdded);
    ASSERT_EQ(Add(one, {ms, 1}, {"f", "v"}), Result::kAdded);
    ASSERT_TRUE(one.Delete({ms, 1}));
    if (gaps) {
      ASSERT_EQ(one.Trim({.by = StreamTrim::By::kMinId, .id_min = {ms, 1}}), 1U);
    }
    ASSERT_TRUE(stream.AddBlock(one.blocks().begin()->second.bytes(), {ms, 0}));
  };
  for (std::uint64_t ms = 1; ms <= live + 11; ++ms) add_block(ms, ms == live + 1);
  stream.SetLastId({live + 11, 1});
  stream.CheckInvariants();
  EXPECT_EQ(stream.Trim({.by = StreamTrim::By::kLength, .length_max = 10}), live);
  EXPECT_EQ(stream.blocks().size(), 11U);
  EXPECT_EQ(stream.Trim({.by = StreamTrim::By::kLength, .length_max = 9}), 1U);
  EXPECT_EQ(stream.blocks().size(), 9U);
  stream.CheckInvariants();
}

TEST(Stream, PendingEntriesLeaveWithTheirConsumerAndTheirGroup) {
  Stream stream;
  const std::size_t empty = stream.memory_bytes();
  std::mt19937_64 random(1);
  StreamGroup& group = *stream.CreateGroup("group", {}, 0);
  std::map<StreamId, std::string> pending;
  for (std::uint64_t i = 1; i <= 20'000; ++i) {
    // Runs of entries as readers take them, and single ones.
    const std::string name =
        i < 10'000 ? "c" + std::to_string(i / 100 % 7) : "c" + std::to_string(random() % 7);
    group.Assign({i, 0}, group.GetConsumer(name, 1));
    pending[{i, 0}] = name;
  }
  for (int consumer = 0; consumer < 7; ++consumer) {
    const std::string name = "c" + std::to_string(consumer);
    const std::size_t count =
        std::erase_if(pending, [&](const auto& each) { return each.second == name; });
    ASSERT_EQ(stream.DeleteConsumer(group, name), count);
    ASSERT_NE(stream.TakeCutOff(), nullptr);
    ASSERT_EQ(group.FindConsumer(name), nullptr);
    stream.CheckInvariants();
    ASSERT_EQ(group.pending().size(), pending.size());
    for (const auto& [id, owner] : pending) {
      const StreamPending* const record = group.FindPending(id);
      ASSERT_NE(record, nullptr);
      ASSERT_EQ(record->consumer->name, owner);
    }
  }
  StreamGroup& other = *stream.CreateGroup("other", {}, 0);
  for (std::uint64_t i = 1; i <= 1000; ++i) other.Assign({i, 0}, other.GetConsumer("c", 1));
  ASSERT_TRUE(stream.DestroyGroup("other"));
  EXPECT_GT(stream.TakeCutOff()->FreeEffort(), 64U);
  ASSERT_TRUE(stream.DestroyGroup("group"));
  EXPECT_EQ(stream.memory_bytes(), empty);
  stream.CheckInvariants();
}

TEST(Stream, DoesWhatMapsDo) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  StreamModel model(seed);
  for (int step = 0; step < 40000; ++step) {
    model.Step();
    if (step % 100 == 0) model.Compare();
    if (step % 5000 == 4999) model.Copy();
    if (::testing::Test::HasFatalFailure()) return;
  }
  model.Compare();
}

TEST(Stream, AccountIsZeroBesidesItselfWhenNothingIsLeft) {
  Stream stream;
  const std::size_t bytes = stream.memory_bytes();
  AddMany(stream, 1000);
  StreamGroup* const group = stream.CreateGroup(std::string(100, 'g'), {}, 0);
  StreamConsumer& consumer = group->GetConsumer(std::string(100, 'c'), 1);
  for (std::uint64_t i = 1; i <= 1000; ++i) group->Assign({i, 0}, consumer);
  EXPECT_GT(stream.memory_bytes(), bytes + 1000 * 56);
  EXPECT_EQ(stream.CreateGroup(std::string(100, 'g'), {}, 0), nullptr);
  EXPECT_TRUE(stream.DestroyGroup(std::string(100, 'g')));
  EXPECT_EQ(stream.Trim({.by = StreamTrim::By::kLength}), 1000U);
  EXPECT_EQ(stream.memory_bytes(), bytes);
}

TEST(Stream, EntryOfThreeShortFieldsTakesFortyThreeBytes) {
  Stream stream;
  for (std::uint64_t i = 0; i < 100000; ++i) {
    ASSERT_EQ(Add(stream, {1700000000000 + i / 50, i % 50 + 1},
                  {"field0", "abcdefgh", "field1", "ijklmnop", "field2", "qrstuvwx"}),
              Result::kAdded);
  }
  EXPECT_LT(static_cast<double>(stream.memory_bytes()) / 100000, 43.0);
}

TEST(Stream, TakesBlocksOfAnother) {
  Stream from;
  AddMany(from, 350);
  EXPECT_TRUE(from.Delete({7, 0}));
  Stream to;
  for (const auto& [id, block] : from.blocks()) EXPECT_TRUE(to.AddBlock(block.bytes(), id));
  EXPECT_FALSE(to.AddBlock(from.blocks().begin()->second.bytes(), from.blocks().begin()->first));
  to.SetLastId(from.last_id());
  to.CheckInvariants();
  EXPECT_EQ(Read(to, {.start = kStreamIdMin}), Read(from, {.start = kStreamIdMin}));
}

TEST(Stream, DamagedBlocksAreRefusedOrWhole) {
  Stream stream;
  for (std::uint64_t i = 1; i <= 6; ++i) {
    const bool usual = i % 3 != 0;
    ASSERT_EQ(Add(stream, {1000 + i * 100, i % 2 * 300},
                  usual ? Fields{"f", "value", "g", std::to_string(i * 1000)}
                        : Fields{"other", std::string(70, 'x')}),
              Result::kAdded);
  }
  ASSERT_TRUE(stream.Delete({1200, 0}));
  ASSERT_EQ(stream.blocks().size(), 1U);
  const auto& [id, block] = *stream.blocks().begin();
  ASSERT_TRUE(Stream::ValidBlock(block.bytes(), id));
  std::size_t refused = 0;
  for (std::size_t bit = 0; bit < block.bytes().size() * 8; ++bit) {
    std::string damaged(block.bytes());
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
    // Of exactly its size, so that a sanitizer sees what is read beyond it.
    const std::unique_ptr<char[]> exact(new char[damaged.size()]);
    damaged.copy(exact.get(), damaged.size());
    const std::string_view bytes(exact.get(), damaged.size());
    Stream restored;
    if (!Stream::ValidBlock(bytes, id)) {
      ++refused;
      EXPECT_FALSE(restored.AddBlock(bytes, id));
      continue;
    }
    ASSERT_TRUE(restored.AddBlock(bytes, id));
    restored.SetLastId(kStreamIdMax);
    restored.CheckInvariants();
    const std::size_t size = restored.size();
    ASSERT_EQ(Read(restored, {.start = kStreamIdMin}).size(), size);
    for (const auto& [each, fields] : Read(restored, {.start = kStreamIdMin, .backward = true})) {
      ASSERT_TRUE(restored.Delete(each));
      restored.CheckInvariants();
    }
    ASSERT_EQ(restored.size(), 0U);
  }
  EXPECT_GT(refused, block.bytes().size());
  for (std::size_t size = 0; size < block.bytes().size(); ++size) {
    EXPECT_FALSE(Stream::ValidBlock(block.bytes().substr(0, size), id));
  }
}

}  // namespace
}  // namespace aeris::storage
