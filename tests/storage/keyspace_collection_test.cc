// What a keyspace does with values that are not strings, whatever their type.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/collection_editor.h"
#include "storage/entry_codec.h"
#include "storage/keyspace.h"
#include "tests/storage/keyspace_fixture.h"

namespace aeris::storage {
namespace {

using testing::kNow;
using testing::Shared;

// A structure of parts with deadlines.
class Parts final : public Collection {
 public:
  Parts(std::vector<UnixMs> deadlines, int* destroyed)
      : Collection(ValueType::kHash), deadlines_(std::move(deadlines)), destroyed_(destroyed) {}
  ~Parts() override { ++*destroyed_; }

  Encoding encoding() const override { return Encoding::kHashtable; }
  std::size_t size() const override { return deadlines_.size(); }
  std::size_t memory_bytes() const override { return 100 * deadlines_.size(); }
  std::size_t FreeEffort() const override { return deadlines_.size(); }
  std::unique_ptr<Collection> Clone() const override {
    return std::make_unique<Parts>(deadlines_, destroyed_);
  }
  UnixMs NextDeadline() const override {
    UnixMs next = kNoDeadline;
    for (const UnixMs each : deadlines_) {
      if (each != kNoDeadline && (next == kNoDeadline || each < next)) next = each;
    }
    return next;
  }
  bool ExpireDue(UnixMs now, std::size_t) override {
    std::erase_if(deadlines_, [&](UnixMs each) { return each != kNoDeadline && each < now; });
    return false;
  }
  void CheckInvariants() const override {}

  std::vector<UnixMs>& deadlines() { return deadlines_; }

 private:
  std::vector<UnixMs> deadlines_;
  int* destroyed_;
};

class KeyspaceCollection : public ::testing::Test {
 protected:
  ~KeyspaceCollection() override {
    keyspace_.CheckInvariants();
    other_.CheckInvariants();
  }

  EntryView Find(Keyspace& keyspace, std::string_view key, UnixMs now = kNow) {
    return keyspace.Find(keyspace.Hash(key), now, kPeek);
  }
  EntryView Find(std::string_view key, UnixMs now = kNow) { return Find(keyspace_, key, now); }
  StoreResult Push(std::string_view key, std::string_view text) {
    const HashedKey hashed = keyspace_.Hash(key);
    CollectionEditor editor(keyspace_, hashed, Find(key), ValueType::kList, kNow);
    editor.block()->Append(text);
    return editor.Commit(false);
  }
  void PutParts(std::string_view key, std::vector<UnixMs> deadlines) {
    std::unique_ptr<Collection> parts = std::make_unique<Parts>(std::move(deadlines), &destroyed_);
    ASSERT_EQ(keyspace_.SetObject(keyspace_.Hash(key), parts, kNoDeadline, kNow),
              StoreResult::kStored);
  }
  void Expire(UnixMs until) {
    for (UnixMs now = kNow; now <= until; now += 50) keyspace_.ExpireDue(now, 1000);
  }

  Shared shared_;
  KeyspaceContext& context_ = shared_.context;
  int destroyed_ = 0;
  Keyspace keyspace_{context_}, other_{context_};
};

TEST_F(KeyspaceCollection, PackedBlockLivesInItsEntryAndApart) {
  for (int i = 0; i < 300; ++i) {
    ASSERT_EQ(Push("list", "item number " + std::to_string(i)), StoreResult::kStored);
    const EntryView entry = Find("list");
    ASSERT_EQ(entry.type(), ValueType::kList);
    ASSERT_EQ(entry.encoding(), Encoding::kQuicklist);
    ASSERT_TRUE(entry.packed());
    ASSERT_EQ(entry.structure(), nullptr);
    ASSERT_EQ(entry.element_count(), static_cast<std::size_t>(i) + 1);
    ASSERT_TRUE(PackedView::Valid(entry.block()));
    const PackedView view(entry.block());
    ASSERT_EQ(view.Get(view.Last()).text, "item number " + std::to_string(i));
    keyspace_.CheckInvariants();
  }
  EXPECT_GT(keyspace_.memory().collections, 2048U);
  // And back.
  while (Find("list").element_count() > 10) {
    CollectionEditor editor(keyspace_, keyspace_.Hash("list"), Find("list"), ValueType::kList,
                            kNow);
    editor.block()->Erase(editor.block()->view().First(), 10);
    ASSERT_EQ(editor.Commit(false), StoreResult::kStored);
    keyspace_.CheckInvariants();
  }
  EXPECT_EQ(keyspace_.memory().collections, 0U);
  EXPECT_EQ(Find("list").element_count(), 10U);
}

TEST_F(KeyspaceCollection, EmptyOneIsRemovedAndNoneIsMade) {
  ASSERT_EQ(Push("list", "a"), StoreResult::kStored);
  CollectionEditor editor(keyspace_, keyspace_.Hash("list"), Find("list"), ValueType::kList, kNow);
  editor.block()->Clear();
  EXPECT_EQ(editor.Commit(true), StoreResult::kStored);
  EXPECT_FALSE(Find("list"));
  CollectionEditor none(keyspace_, keyspace_.Hash("none"), Find("none"), ValueType::kList, kNow);
  EXPECT_FALSE(none.existed());
  EXPECT_EQ(none.Commit(true), StoreResult::kStored);
  EXPECT_EQ(keyspace_.size(), 0U);
}

TEST_F(KeyspaceCollection, NewOneReplacesWhatIsThereAndItsDeadline) {
  ASSERT_EQ(Push("list", "old"), StoreResult::kStored);
  ASSERT_EQ(keyspace_.SetDeadline(keyspace_.Hash("list"), kNow + 5000, kNow), StoreResult::kStored);
  {
    CollectionEditor dropped =
        CollectionEditor::New(keyspace_, keyspace_.Hash("list"), ValueType::kSet, kNow);
    dropped.block()->Append("never stored");
  }
  EXPECT_EQ(PackedView(Find("list").block()).Get(PackedView::kHeadBytes).text, "old");
  CollectionEditor editor =
      CollectionEditor::New(keyspace_, keyspace_.Hash("list"), ValueType::kSet, kNow);
  editor.block()->Append("new");
  EXPECT_EQ(editor.Commit(false), StoreResult::kStored);
  EXPECT_EQ(Find("list").type(), ValueType::kSet);
  EXPECT_EQ(Find("list").deadline(), kNoDeadline);
  CollectionEditor none =
      CollectionEditor::New(keyspace_, keyspace_.Hash("list"), ValueType::kSet, kNow);
  EXPECT_EQ(none.Commit(true), StoreResult::kStored);
  EXPECT_FALSE(Find("list"));
}

TEST_F(KeyspaceCollection, ReplacesAndIsReplacedByStrings) {
  PutParts("key", {kNow + 1000});
  ASSERT_EQ(keyspace_.SetString(keyspace_.Hash("key"), "text", kNow, {}), StoreResult::kStored);
  EXPECT_EQ(destroyed_, 1);
  EXPECT_EQ(Find("key").type(), ValueType::kString);
  keyspace_.CheckInvariants();
  PutParts("key", {kNow + 1000, kNoDeadline});
  EXPECT_EQ(Find("key").type(), ValueType::kHash);
  keyspace_.CheckInvariants();
  EXPECT_TRUE(keyspace_.Delete(keyspace_.Hash("key"), kNow));
  EXPECT_EQ(destroyed_, 2);
}

TEST_F(KeyspaceCollection, KeepsTheKeysDeadline) {
  ASSERT_EQ(Push("list", "a"), StoreResult::kStored);
  ASSERT_EQ(keyspace_.SetDeadline(keyspace_.Hash("list"), kNow + 5000, kNow), StoreResult::kStored);
  for (int i = 0; i < 300; ++i) ASSERT_EQ(Push("list", "more text"), StoreResult::kStored);
  EXPECT_EQ(Find("list").deadline(), kNow + 5000);
  EXPECT_EQ(keyspace_.deadlines(), 1U);
  EXPECT_FALSE(Find("list", kNow + 5001));
  EXPECT_EQ(keyspace_.memory().collections, 0U);
}

TEST_F(KeyspaceCollection, PartsExpireAndTheLastOneTakesTheKeyAlong) {
  PutParts("key", {kNow + 1000, kNow + 3000, kNow + 2000});
  PutParts("lasting", {kNow + 1000, kNoDeadline});
  EXPECT_EQ(keyspace_.deadlines(), 0U);
  Expire(kNow + 1500);
  EXPECT_EQ(Find("key").element_count(), 2U);
  EXPECT_EQ(Find("lasting").element_count(), 1U);
  keyspace_.CheckInvariants();
  Expire(kNow + 2500);
  EXPECT_EQ(Find("key").element_count(), 1U);
  Expire(kNow + 3500);
  EXPECT_FALSE(Find("key"));
  EXPECT_EQ(destroyed_, 1);
}

TEST_F(KeyspaceCollection, OnlyPackedBytesOfTheSameSizeAreOverwritten) {
  ASSERT_EQ(Push("list", "first"), StoreResult::kStored);
  ASSERT_EQ(keyspace_.SetDeadline(keyspace_.Hash("list"), kNow + 5000, kNow), StoreResult::kStored);
  PackedBlock same, longer;
  same.Append("other");
  longer.Append("longer");
  EXPECT_FALSE(keyspace_.OverwritePacked(Find("list"), PackedForm::kListpack, longer.bytes()));
  EXPECT_FALSE(keyspace_.OverwritePacked(Find("list"), PackedForm::kIntset, same.bytes()));
  EXPECT_NE(Find("list").block(), same.bytes());
  EXPECT_TRUE(keyspace_.OverwritePacked(Find("list"), PackedForm::kListpack, same.bytes()));
  EXPECT_EQ(Find("list").block(), same.bytes());
  EXPECT_EQ(Find("list").deadline(), kNow + 5000);
  PutParts("parts", {kNoDeadline});
  EXPECT_FALSE(keyspace_.OverwritePacked(Find("parts"), PackedForm::kListpack, "12345678"));
  EXPECT_EQ(Find("parts").element_count(), 1U);
  keyspace_.CheckInvariants();
}

TEST_F(KeyspaceCollection, EarlierPartsAreFiledWhenItChanges) {
  PutParts("key", {kNoDeadline, kNoDeadline});
  auto* const parts = static_cast<Parts*>(Find("key").structure());
  parts->deadlines()[0] = kNow + 500;
  keyspace_.ObjectChanged(keyspace_.Hash("key"), *parts, kNow);
  keyspace_.CheckInvariants();
  Expire(kNow + 1000);
  EXPECT_EQ(Find("key").element_count(), 1U);
  // A deadline of the key itself, before and after.
  parts->deadlines()[0] = kNow + 4000;
  keyspace_.ObjectChanged(keyspace_.Hash("key"), *parts, kNow);
  ASSERT_EQ(keyspace_.SetDeadline(keyspace_.Hash("key"), kNow + 3000, kNow), StoreResult::kStored);
  EXPECT_EQ(keyspace_.deadlines(), 1U);
  keyspace_.CheckInvariants();
  ASSERT_EQ(keyspace_.SetDeadline(keyspace_.Hash("key"), kNoDeadline, kNow), StoreResult::kStored);
  keyspace_.CheckInvariants();
  Expire(kNow + 4500);
  EXPECT_FALSE(Find("key"));
}

TEST_F(KeyspaceCollection, IsCopiedAndMoved) {
  PutParts("key", {kNow + 1000, kNoDeadline});
  ASSERT_EQ(Push("list", "a"), StoreResult::kStored);
  const HashedKey key = keyspace_.Hash("key"), list = keyspace_.Hash("list");
  ASSERT_EQ(keyspace_.Copy(key, other_, key, kNow), StoreResult::kStored);
  ASSERT_EQ(keyspace_.Copy(list, keyspace_, key, kNow), StoreResult::kStored);
  EXPECT_EQ(destroyed_, 1);
  EXPECT_EQ(Find(other_, "key").element_count(), 2U);
  EXPECT_EQ(Find("key").type(), ValueType::kList);
  ASSERT_EQ(other_.Move(key, keyspace_, list, kNow), StoreResult::kStored);
  EXPECT_EQ(destroyed_, 1);
  EXPECT_EQ(other_.size(), 0U);
  EXPECT_EQ(other_.memory().collections, 0U);
  EXPECT_EQ(Find("list").type(), ValueType::kHash);
  keyspace_.CheckInvariants();
  Expire(kNow + 1500);
  EXPECT_EQ(Find("list").element_count(), 1U);
}

TEST_F(KeyspaceCollection, LargeOnesAreGivenAway) {
  struct Kept final : Disposal {
    void Dispose(std::unique_ptr<Collection> dead) override { given.push_back(std::move(dead)); }
    void Dispose(BlobRef dead) override { blobs.push_back(std::move(dead)); }
    std::vector<std::unique_ptr<Collection>> given;
    std::vector<BlobRef> blobs;
  } kept;
  context_.disposal = &kept;
  PutParts("small", std::vector<UnixMs>(64, kNoDeadline));
  PutParts("large", std::vector<UnixMs>(65, kNoDeadline));
  keyspace_.Delete(keyspace_.Hash("small"), kNow);
  EXPECT_EQ(destroyed_, 1);
  keyspace_.Delete(keyspace_.Hash("large"), kNow);
  EXPECT_EQ(destroyed_, 1);
  EXPECT_EQ(kept.given.size(), 1U);
  EXPECT_EQ(keyspace_.memory().collections, 0U);

  // Strings of a MiB, deleted, replaced, with a long key, or expired.
  const std::string text(1 << 20, 'x');
  const std::string long_key(1 << 20, 'k');
  testing::Set(keyspace_, "text", text.substr(1));
  keyspace_.Delete(keyspace_.Hash("text"), kNow);
  EXPECT_EQ(kept.blobs.size(), 0U);
  testing::Set(keyspace_, "text", text);
  keyspace_.Delete(keyspace_.Hash("text"), kNow);
  EXPECT_EQ(kept.blobs.size(), 1U);
  testing::Set(keyspace_, "text", text);
  testing::Set(keyspace_, "text", "short");
  EXPECT_EQ(kept.blobs.size(), 2U);
  testing::Set(keyspace_, long_key, text, kNow + 10);
  EXPECT_FALSE(Find(long_key, kNow + 20));
  EXPECT_EQ(kept.blobs.size(), 4U);
  EXPECT_EQ(keyspace_.memory().blobs, 0U);
  EXPECT_EQ(kept.blobs.front().text(), text);
  keyspace_.CheckInvariants();
  context_.disposal = nullptr;
}

TEST_F(KeyspaceCollection, WithoutMemoryWhatWasThereStays) {
  context_.limits.arena_bytes = std::size_t{2} << 20;
  Keyspace small(context_);
  int stored = 0;
  const std::string block = [] {
    PackedBlock made;
    made.Append(std::string(1500, 'x'));
    return std::string(made.bytes());
  }();
  while (small.SetPacked(small.Hash("key" + std::to_string(stored)), ValueType::kList,
                         PackedForm::kListpack, block, kNoDeadline, kNow) == StoreResult::kStored) {
    ++stored;
  }
  EXPECT_EQ(small.size(), static_cast<std::size_t>(stored));
  small.CheckInvariants();
  // Those that are there can still be replaced in their place.
  EXPECT_EQ(small.SetPacked(small.Hash("key0"), ValueType::kList, PackedForm::kListpack, block,
                            kNoDeadline, kNow),
            StoreResult::kStored);
}

}  // namespace
}  // namespace aeris::storage
