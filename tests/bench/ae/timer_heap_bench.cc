// TimerHeap against std::multimap: arm, re-arm and cancel among a number of waiting timers.
#include <benchmark/benchmark.h>

#include <map>
#include <vector>

#include "ae/timer_heap.h"
#include "src/base/random.h"

namespace aeris::ae {
namespace {

constexpr std::uint64_t kSeed = 1;
constexpr std::uint64_t kSpread = 1'000'000'000;  // deadlines fall within a second

MonotonicTime Draw(Random& random) {
  return MonotonicTime(std::chrono::nanoseconds(random.Below(kSpread)));
}

class Multimap {
 public:
  using Id = std::multimap<MonotonicTime, int>::iterator;
  Id Add(MonotonicTime deadline) { return timers_.emplace(deadline, 0); }
  Id Move(Id id, MonotonicTime deadline) {
    timers_.erase(id);
    return timers_.emplace(deadline, 0);
  }
  void Remove(Id id) { timers_.erase(id); }
  void RemoveFirst() { timers_.erase(timers_.begin()); }

 private:
  std::multimap<MonotonicTime, int> timers_;
};

class Heap {
 public:
  using Id = TimerHeap::Id;
  Id Add(MonotonicTime deadline) { return heap_.Add(deadline); }
  Id Move(Id id, MonotonicTime deadline) {
    heap_.Move(id, deadline);
    return id;
  }
  void Remove(Id id) { heap_.Remove(id); }
  void RemoveFirst() { heap_.Remove(heap_.top().id); }

 private:
  TimerHeap heap_;
};

// A client's timeout that is set again with each of its commands.
template <typename Timers>
void MoveAnyTimer(benchmark::State& state) {
  Random random(kSeed);
  Timers timers;
  std::vector<typename Timers::Id> ids;
  for (std::int64_t i = 0; i < state.range(0); ++i) ids.push_back(timers.Add(Draw(random)));
  for (auto _ : state) {
    auto& id = ids[random.Below(ids.size())];
    id = timers.Move(id, Draw(random));
  }
}

// A blocking command that ends before its timeout.
template <typename Timers>
void AddThenRemove(benchmark::State& state) {
  Random random(kSeed);
  Timers timers;
  std::vector<typename Timers::Id> ids;
  for (std::int64_t i = 0; i < state.range(0); ++i) ids.push_back(timers.Add(Draw(random)));
  for (auto _ : state) {
    auto& id = ids[random.Below(ids.size())];
    timers.Remove(id);
    id = timers.Add(Draw(random));
  }
}

// Timers that come due: the earliest leaves, another comes.
template <typename Timers>
void TakeTheEarliest(benchmark::State& state) {
  Random random(kSeed);
  Timers timers;
  for (std::int64_t i = 0; i < state.range(0); ++i) timers.Add(Draw(random));
  std::int64_t turn = 0;
  for (auto _ : state) {
    timers.RemoveFirst();
    timers.Add(Draw(random) + std::chrono::nanoseconds(++turn));
  }
}

BENCHMARK(MoveAnyTimer<Heap>)->RangeMultiplier(32)->Range(32, 1 << 20);
BENCHMARK(MoveAnyTimer<Multimap>)->RangeMultiplier(32)->Range(32, 1 << 20);
BENCHMARK(AddThenRemove<Heap>)->RangeMultiplier(32)->Range(32, 1 << 20);
BENCHMARK(AddThenRemove<Multimap>)->RangeMultiplier(32)->Range(32, 1 << 20);
BENCHMARK(TakeTheEarliest<Heap>)->RangeMultiplier(32)->Range(32, 1 << 20);
BENCHMARK(TakeTheEarliest<Multimap>)->RangeMultiplier(32)->Range(32, 1 << 20);

}  // namespace
}  // namespace aeris::ae
