// Lists in each of their encodings, and across the conversion, against a deque.
#include "storage/list_value.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <string>

#include "storage/entry_codec.h"
#include "storage/keyspace.h"
#include "tests/storage/keyspace_fixture.h"

namespace aeris::storage {
namespace {

using testing::kNow;
using testing::Shared;

// What keeps a list in one encoding, or takes it through all of them.
struct Shape {
  const char* name;
  ListLimits limits;
  std::size_t size_aimed_at;
  std::size_t long_item;  // bytes of the rare long item
};

class ListValue : public ::testing::TestWithParam<Shape> {
 protected:
  EntryView Find() { return keyspace_.Find(keyspace_.Hash("list"), kNow, kPeek); }
  ListEditor Editor() {
    return {keyspace_, keyspace_.Hash("list"), Find(), GetParam().limits, kNow};
  }
  std::size_t Below(std::size_t n) { return static_cast<std::size_t>(random_.Below(n)); }

  std::string Item() {
    switch (Below(12)) {
      case 0:
        return std::string(Below(GetParam().long_item) + 1, 'x');
      case 1:
        return std::to_string(random_.Next());
      case 2:
        return "";
      default:
        return std::to_string(Below(20));
    }
  }

  void Step() {
    const bool grow = model_.size() < GetParam().size_aimed_at;
    const std::string item = Item();
    const ListEnd end = Below(2) == 0 ? ListEnd::kHead : ListEnd::kTail;
    const std::size_t kind = Below(grow ? 10 : 16);
    ListEditor editor = Editor();
    ASSERT_EQ(editor.size(), model_.size());
    if (kind < 6 || model_.empty()) {
      editor.Push(end, item);
      end == ListEnd::kHead ? model_.push_front(item) : model_.push_back(item);
    } else if (kind < 7) {
      const std::size_t index = Below(model_.size());
      editor.Replace(index, item);
      model_[index] = item;
    } else if (kind < 9) {
      const std::string pivot = Item();
      const bool after = Below(2) == 0;
      const auto at = std::ranges::find(model_, pivot);
      ASSERT_EQ(editor.InsertBeside(pivot, after, item), at != model_.end());
      if (at != model_.end()) model_.insert(at + (after ? 1 : 0), item);
    } else if (kind < 10) {
      RemoveMatching(editor, item, end, Below(4) == 0 ? SIZE_MAX : 1 + Below(3));
    } else {
      const std::size_t count = Below(3) == 0 ? Below(GetParam().size_aimed_at / 2) : 1;
      const std::size_t removed = std::min(count, model_.size());
      ASSERT_EQ(editor.Peek(end), end == ListEnd::kHead ? model_.front() : model_.back());
      editor.Remove(end, count);
      const auto begin = end == ListEnd::kHead ? model_.begin() : model_.end() - Signed(removed);
      model_.erase(begin, begin + Signed(removed));
    }
    ASSERT_EQ(editor.Commit(), StoreResult::kStored);
  }

  static std::ptrdiff_t Signed(std::size_t n) { return static_cast<std::ptrdiff_t>(n); }

  void RemoveMatching(ListEditor& editor, const std::string& item, ListEnd end, std::size_t count) {
    std::size_t removed = 0;
    if (end == ListEnd::kTail) std::ranges::reverse(model_);
    std::erase_if(model_, [&](const std::string& each) {
      return each == item && removed < count && ++removed > 0;
    });
    if (end == ListEnd::kTail) std::ranges::reverse(model_);
    ASSERT_EQ(editor.RemoveMatching(item, end, count), removed);
  }

  void Compare() {
    const EntryView entry = Find();
    ASSERT_EQ(static_cast<bool>(entry), !model_.empty());
    if (!entry) return;
    ASSERT_EQ(entry.encoding(), Encoding::kQuicklist);
    const ListView list(entry);
    ASSERT_EQ(list.size(), model_.size());
    ListView::Cursor cursor = list.At(0);
    for (std::size_t i = 0; i < model_.size(); ++i) {
      ASSERT_EQ(cursor.item().String(), model_[i]) << i;
      ASSERT_TRUE(cursor.Is(model_[i]));
      ASSERT_EQ(cursor.Next(), i + 1 < model_.size());
    }
    cursor = list.At(model_.size() - 1);
    for (std::size_t i = model_.size(); i-- > 0;) {
      ASSERT_EQ(cursor.item().String(), model_[i]) << i;
      ASSERT_EQ(cursor.Previous(), i > 0);
    }
    for (int i = 0; i < 10; ++i) {
      const std::size_t index = Below(model_.size());
      ASSERT_EQ(list.At(index).item().String(), model_[index]);
    }
  }

  std::uint64_t seed_ = 7;
  Random random_{seed_};
  Shared shared_;
  Keyspace keyspace_{shared_.context};
  std::deque<std::string> model_;
};

TEST_P(ListValue, IsADeque) {
  SCOPED_TRACE(::testing::Message() << "seed " << seed_);
  bool was_packed = false;
  for (int step = 0; step < 4000; ++step) {
    ASSERT_NO_FATAL_FAILURE(Step()) << step;
    if (const EntryView entry = Find()) was_packed |= entry.packed();
    if (step % 40 != 0) continue;
    ASSERT_NO_FATAL_FAILURE(Compare()) << step;
    keyspace_.CheckInvariants();
  }
  EXPECT_TRUE(was_packed);
}

TEST_P(ListValue, IsCopiedWhole) {
  for (int step = 0; step < 500; ++step) ASSERT_NO_FATAL_FAILURE(Step());
  ListEditor editor = Editor();
  editor.Push(ListEnd::kTail, "last");
  model_.push_back("last");
  ASSERT_EQ(editor.Commit(), StoreResult::kStored);
  ASSERT_EQ(keyspace_.Copy(keyspace_.Hash("list"), keyspace_, keyspace_.Hash("copy"), kNow),
            StoreResult::kStored);
  keyspace_.Delete(keyspace_.Hash("list"), kNow);
  ASSERT_EQ(keyspace_.Move(keyspace_.Hash("copy"), keyspace_, keyspace_.Hash("list"), kNow),
            StoreResult::kStored);
  Compare();
  keyspace_.CheckInvariants();
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, ListValue,
    ::testing::Values(Shape{"Packed", {.bytes = 65536, .items = SIZE_MAX}, 30, 20},
                      Shape{"PackedApart", {.bytes = 65536, .items = SIZE_MAX}, 300, 100},
                      Shape{"Blocks", {.bytes = 256, .items = SIZE_MAX}, 1500, 60},
                      Shape{"BlocksAndLongItems", {.bytes = 256, .items = SIZE_MAX}, 600, 900},
                      Shape{"OneItemABlock", {.bytes = 8192, .items = 1}, 700, 40},
                      Shape{"FewItemsABlock", {.bytes = 8192, .items = 5}, 2000, 40}),
    [](const auto& shape) { return std::string(shape.param.name); });

TEST(ListLimits, AreThoseOfTheOption) {
  EXPECT_EQ(ListLimits::Of(-1).bytes, 4096U);
  EXPECT_EQ(ListLimits::Of(-2).bytes, 8192U);
  EXPECT_EQ(ListLimits::Of(-5).bytes, 65536U);
  EXPECT_EQ(ListLimits::Of(-6).bytes, 65536U);
  EXPECT_EQ(ListLimits::Of(INT32_MIN).bytes, 65536U);
  EXPECT_EQ(ListLimits::Of(0).items, 1U);
  EXPECT_EQ(ListLimits::Of(128).items, 128U);
  EXPECT_EQ(ListLimits::Of(128).bytes, 8192U);
  EXPECT_EQ(ListLimits::Of(INT32_MAX).items, 32767U);
}

TEST(BlockList, FullBlocksHaveNoRoom) {
  const ListLimits limits = ListLimits::Of(-2);
  BlockList list;
  constexpr std::size_t kItems = 100'000;
  const std::string item(32, 'x');
  for (std::size_t i = 0; i < kItems; ++i) {
    list.Push(i % 2 == 0 ? ListEnd::kHead : ListEnd::kTail, item, limits);
  }
  list.CheckInvariants();
  // 34 bytes an item, 7 and the rest of the last item per block.
  EXPECT_LT(list.memory_bytes(), kItems * 345 / 10);
}

TEST(BlockList, FindsEveryIndexOfManyGroups) {
  const ListLimits limits = ListLimits::Of(1);
  BlockList list;
  for (int i = 0; i < 3000; ++i) {
    list.Push(ListEnd::kTail, std::to_string(i), limits);
    list.Push(ListEnd::kHead, std::to_string(-1 - i), limits);
  }
  list.CheckInvariants();
  EXPECT_EQ(list.block_count(), 6000U);
  for (int i = -3000; i < 3000; ++i) {
    const BlockList::Place place = list.Find(static_cast<std::size_t>(i + 3000));
    ASSERT_EQ(list.view(place).Get(place.at).integer, i);
  }
}

TEST(BlockList, GroupsLeaveWholeFromBothEnds) {
  const ListLimits limits = ListLimits::Of(3);
  Random random(5);
  std::size_t cut = 0;
  for (int round = 0; round < 60; ++round) {
    BlockList list;
    std::deque<std::int64_t> model;
    const std::int64_t count = round % 4 == 0 ? 100 : 4000;
    for (std::int64_t i = 0; i < count; ++i) {
      const bool head = random.Below(2) == 0;
      list.Push(head ? ListEnd::kHead : ListEnd::kTail, std::to_string(i), limits);
      head ? model.push_front(i) : model.push_back(i);
    }
    while (!model.empty()) {
      const ListEnd end = random.Below(2) == 0 ? ListEnd::kHead : ListEnd::kTail;
      const std::size_t n = 1 + random.Below(model.size());
      list.Remove(end, n);
      const auto first =
          end == ListEnd::kHead ? model.begin() : model.end() - static_cast<std::ptrdiff_t>(n);
      model.erase(first, first + static_cast<std::ptrdiff_t>(n));
      if (const auto part = list.TakeCutOff()) {
        part->CheckInvariants();
        cut += part->size();
      }
      list.CheckInvariants();
      ASSERT_EQ(list.size(), model.size());
      for (std::size_t i = 0; i < model.size(); i += 7) {
        const BlockList::Place place = list.Find(i);
        ASSERT_EQ(list.view(place).Get(place.at).integer, model[i]);
      }
    }
    EXPECT_LT(list.memory_bytes(), BlockList().memory_bytes() + 1024);
  }
  EXPECT_GT(cut, 10'000U);
}

TEST(BlockList, SparseBlocksAreJoined) {
  const ListLimits limits = ListLimits::Of(-1);
  BlockList list;
  for (int i = 0; i < 20'000; ++i) {
    list.Push(ListEnd::kTail, i % 50 == 0 ? "rare item" : "usual item", limits);
  }
  const std::size_t before = list.memory_bytes();
  EXPECT_EQ(list.RemoveMatching("usual item", ListEnd::kHead, SIZE_MAX, limits), 19'600U);
  list.CheckInvariants();
  EXPECT_EQ(list.size(), 400U);
  EXPECT_LT(list.memory_bytes(), before / 10);
}

}  // namespace
}  // namespace aeris::storage
