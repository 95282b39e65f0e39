#include "storage/member_heap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <vector>

#include "src/base/random.h"

namespace aeris::storage {
namespace {

struct Slot {
  std::size_t bytes;
  std::uint8_t fill;
};

// A heap beside what it should hold: every byte of every slot.
class HeapModel {
 public:
  explicit HeapModel(std::uint64_t seed) : random_(seed) {}

  void Add(std::size_t bytes) {
    const Ref ref = heap.Allocate(bytes);
    ASSERT_NE(ref, 0u);
    ASSERT_NE(static_cast<std::uint32_t>(ref), 0u);
    const auto fill = static_cast<std::uint8_t>(random_.Next());
    ASSERT_TRUE(slots.emplace(ref, Slot{bytes, fill}).second);
    std::memset(heap.At(ref), fill, bytes);
  }
  void Remove(std::map<Ref, Slot>::iterator slot) {
    Check(slot->first, slot->second);
    heap.Free(slot->first, slot->second.bytes);
    slots.erase(slot);
  }
  std::map<Ref, Slot>::iterator Any() {
    const auto at = slots.lower_bound(random_.Below(slots.rbegin()->first + 1));
    return at == slots.end() ? slots.begin() : at;
  }
  void Check(Ref ref, Slot slot) const {
    for (std::size_t i = 0; i < slot.bytes; ++i) {
      ASSERT_EQ(static_cast<std::uint8_t>(heap.At(ref)[i]), slot.fill) << ref << " byte " << i;
    }
  }
  void CheckAll() const {
    std::size_t used = 0;
    for (const auto& [ref, slot] : slots) {
      Check(ref, slot);
      used += MemberHeap::SlotBytes(slot.bytes);
    }
    ASSERT_EQ(heap.bytes_used(), used);
    heap.CheckInvariants();
  }
  // Moves every old slot, as an owner does.
  void MoveAll() {
    std::vector<std::pair<Ref, Slot>> old;
    for (const auto& [ref, slot] : slots) {
      if (heap.IsOld(ref)) old.emplace_back(ref, slot);
    }
    for (const auto& [ref, slot] : old) {
      const Ref to = heap.Allocate(slot.bytes);
      ASSERT_NE(to, 0u);
      ASSERT_FALSE(heap.IsOld(to));
      std::memcpy(heap.At(to), heap.At(ref), slot.bytes);
      slots.erase(ref);
      heap.Free(ref, slot.bytes);
      slots.emplace(to, slot);
    }
  }
  std::uint64_t Below(std::uint64_t bound) { return random_.Below(bound); }

  MemberHeap heap;
  std::map<Ref, Slot> slots;

 private:
  Random random_;
};

TEST(MemberHeap, RoundsSlotsBy4To256AndBy32To1024) {
  EXPECT_EQ(MemberHeap::SlotBytes(1), 8u);
  EXPECT_EQ(MemberHeap::SlotBytes(9), 12u);
  EXPECT_EQ(MemberHeap::SlotBytes(256), 256u);
  EXPECT_EQ(MemberHeap::SlotBytes(257), 288u);
  EXPECT_EQ(MemberHeap::SlotBytes(1024), 1024u);
}

TEST(MemberHeap, KeepsEveryByteUnderRandomUseAndRenewal) {
  constexpr std::uint64_t kSeed = 20260103;
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  HeapModel model(kSeed);
  for (int round = 0; round < 40; ++round) {
    const bool growing = round % 4 < 2;
    const std::size_t bytes_max = round % 3 == 0 ? 1024 : 60;
    for (int i = 0; i < 1500; ++i) {
      if (model.slots.empty() || model.Below(10) < (growing ? 7u : 3u)) {
        model.Add(1 + model.Below(bytes_max));
      } else {
        model.Remove(model.Any());
      }
    }
    model.CheckAll();
    if (testing::Test::HasFatalFailure()) return;
    if (round % 5 != 4) continue;
    model.heap.StartRenewal();
    for (int i = 0; i < 100; ++i) model.Add(1 + model.Below(bytes_max));
    for (int i = 0; i < 200 && !model.slots.empty(); ++i) model.Remove(model.Any());
    model.CheckAll();
    model.MoveAll();
    model.heap.FinishRenewal();
    model.CheckAll();
    for (int i = 0; i < 20; ++i) model.Add(1 + model.Below(bytes_max));
    while (model.heap.ReleaseOld(3)) model.CheckAll();
    model.CheckAll();
    // All but what came and went while both generations were there.
    EXPECT_LE(model.heap.bytes_held(), model.heap.bytes_used() * 5 / 4 + 200 * bytes_max);
  }
}

TEST(MemberHeap, TakesSmallStepsForAFewSlots) {
  MemberHeap heap;
  EXPECT_EQ(heap.memory_bytes(), 0u);
  ASSERT_NE(heap.Allocate(12), 0u);
  EXPECT_LE(heap.memory_bytes(), MemberHeap::kCurrentBytesMin + 64);
  for (int i = 1; i < 150; ++i) ASSERT_NE(heap.Allocate(12), 0u);
  EXPECT_LE(heap.memory_bytes(), 150u * 12 * 5 / 4 + 64);
  heap.CheckInvariants();
}

TEST(MemberHeap, ReusesFreedSlotsOfTheSameClass) {
  MemberHeap heap;
  std::vector<Ref> refs;
  for (int i = 0; i < 1000; ++i) refs.push_back(heap.Allocate(40));
  const std::size_t held = heap.bytes_held();
  for (const Ref ref : refs) heap.Free(ref, 38);
  for (int i = 0; i < 1000; ++i) ASSERT_NE(heap.Allocate(37), 0u);
  EXPECT_EQ(heap.bytes_held(), held);
  heap.CheckInvariants();
}

TEST(MemberHeap, GivesTheEndOfAPageToSmallerSlots) {
  MemberHeap heap;
  for (int i = 0; i < 80; ++i) ASSERT_NE(heap.Allocate(900), 0u);  // 928 each, 8 per page
  const std::size_t held = heap.bytes_held();
  for (int i = 0; i < 9; ++i) ASSERT_NE(heap.Allocate(768), 0u);
  EXPECT_EQ(heap.bytes_held(), held);
  heap.CheckInvariants();
}

TEST(MemberHeap, SaysWhenMemoryEndsAndGoesOnAfterwards) {
  MemberHeap heap(3);
  std::vector<Ref> refs;
  for (;;) {
    const Ref ref = heap.Allocate(100);
    if (ref == 0) break;
    refs.push_back(ref);
  }
  EXPECT_EQ(refs.size(), 81u + 81u + 81u);
  EXPECT_EQ(heap.bytes_held(), 3 * MemberHeap::kPageBytes);
  EXPECT_EQ(heap.Allocate(200), 0u);
  heap.CheckInvariants();
  heap.Free(refs.back(), 100);
  EXPECT_EQ(heap.Allocate(98), refs.back());
}

// Numbers of pages are taken from the lowest vacant one on, or the directory would grow with every
// renewal.
TEST(MemberHeap, KeepsItsDirectorySmallOverManyRenewals) {
  HeapModel model(7);
  for (int i = 0; i < 20'000; ++i) model.Add(60);
  for (int renewal = 0; renewal < 12; ++renewal) {
    for (int i = 0; i < 2000 && model.slots.size() > 500; ++i) model.Remove(model.Any());
    model.heap.StartRenewal();
    model.MoveAll();
    model.heap.FinishRenewal();
    while (model.heap.ReleaseOld(8)) {
    }
    model.CheckAll();
  }
  EXPECT_LE(model.slots.size(), 500u);
  EXPECT_LE(model.heap.memory_bytes(), 500u * 60 * 5 / 4);
}

}  // namespace
}  // namespace aeris::storage
