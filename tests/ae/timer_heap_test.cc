#include "ae/timer_heap.h"

#include <gtest/gtest.h>

#include <map>
#include <utility>
#include <vector>

#include "src/base/random.h"

namespace aeris::ae {
namespace {

MonotonicTime At(std::uint64_t ms) { return MonotonicTime(std::chrono::milliseconds(ms)); }

TEST(TimerHeap, GivesTheEarliestFirst) {
  TimerHeap heap;
  const TimerHeap::Id late = heap.Add(At(30));
  const TimerHeap::Id early = heap.Add(At(10));
  const TimerHeap::Id middle = heap.Add(At(20));
  std::vector<TimerHeap::Id> order;
  while (!heap.empty()) {
    order.push_back(heap.top().id);
    heap.Remove(heap.top().id);
  }
  EXPECT_EQ(order, (std::vector<TimerHeap::Id>{early, middle, late}));
}

TEST(TimerHeap, GivesEqualDeadlinesInTheOrderOfTheirAdding) {
  TimerHeap heap;
  std::vector<TimerHeap::Id> added;
  for (int i = 0; i < 100; ++i) added.push_back(heap.Add(At(5)));
  for (const TimerHeap::Id id : added) {
    ASSERT_EQ(heap.top().id, id);
    heap.Remove(id);
  }
}

TEST(TimerHeap, PutsAMovedTimerBehindItsEquals) {
  TimerHeap heap;
  const TimerHeap::Id first = heap.Add(At(5));
  const TimerHeap::Id second = heap.Add(At(5));
  const std::uint64_t boundary = heap.next_sequence();
  heap.Move(first, At(5));
  EXPECT_EQ(heap.top().id, second);
  heap.Remove(second);
  EXPECT_EQ(heap.top().id, first);
  EXPECT_GE(heap.top().sequence, boundary);
}

TEST(TimerHeap, GivesAFreedIdAgain) {
  TimerHeap heap;
  const TimerHeap::Id id = heap.Add(At(1));
  heap.Remove(id);
  EXPECT_EQ(heap.Add(At(2)), id);
}

TEST(TimerHeap, AgreesWithAModelOverRandomOperations) {
  constexpr std::uint64_t kSeed = 7;
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  Random random(kSeed);
  TimerHeap heap;
  using Key = std::pair<MonotonicTime, std::uint64_t>;  // deadline, order of the operation
  std::map<Key, TimerHeap::Id> by_key;
  std::map<TimerHeap::Id, Key> by_id;
  std::uint64_t order = 0;
  const auto any_id = [&] {
    auto it = by_id.begin();
    std::advance(it, static_cast<std::ptrdiff_t>(random.Below(by_id.size())));
    return it->first;
  };
  for (int step = 0; step < 20000; ++step) {
    // Grows for 5000 steps, then shrinks, and again.
    const bool grow = step / 5000 % 2 == 0;
    const std::uint64_t choice = random.Below(10);
    const MonotonicTime deadline = At(random.Below(200));  // many equals
    if (choice < (grow ? 5U : 2U) || by_id.empty()) {
      const TimerHeap::Id id = heap.Add(deadline);
      ASSERT_FALSE(by_id.contains(id));
      by_id[id] = {deadline, order};
      by_key[{deadline, order++}] = id;
    } else if (choice < 7) {
      const TimerHeap::Id id = any_id();
      heap.Move(id, deadline);
      by_key.erase(by_id[id]);
      by_id[id] = {deadline, order};
      by_key[{deadline, order++}] = id;
    } else {
      const TimerHeap::Id id = random.Below(2) == 0 ? heap.top().id : any_id();
      heap.Remove(id);
      by_key.erase(by_id[id]);
      by_id.erase(id);
    }
    ASSERT_EQ(heap.size(), by_id.size());
    if (!heap.empty()) {
      ASSERT_EQ(heap.top().id, by_key.begin()->second) << "step " << step;
      ASSERT_EQ(heap.top().deadline, by_key.begin()->first.first);
    }
    if (step % 50 == 0) heap.CheckInvariants();
  }
}

}  // namespace
}  // namespace aeris::ae
