// Expiry: what filing a deadline costs, what an expired key costs, and what a sweep costs when
// nothing is due. Baselines: a std::multimap by deadline, and a std::priority_queue, which is
// smaller but cannot take a deadline back.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <functional>
#include <map>
#include <queue>
#include <utility>
#include <vector>

#include "src/base/random.h"
#include "storage/expire_wheel.h"
#include "storage/hash_table.h"
#include "storage/prefetch.h"
#include "tests/bench/storage/heap_bytes.h"

namespace aeris::storage {
namespace {

constexpr UnixMs kStart = 1'700'000'000'000;
constexpr std::int64_t kSpanMs = 600'000;

struct Item {
  std::uint64_t hash = 0;
  UnixMs deadline = kNoDeadline;
};

struct BenchPolicy {
  const std::vector<Item>* items;

  std::uint64_t HashOf(Ref ref) const { return (*items)[ref - 1].hash; }
  bool Matches(Ref, std::string_view) const { return true; }
  void Prefetch(Ref ref) const { storage::Prefetch(&(*items)[ref - 1]); }
};
using Table = HashTable<BenchPolicy>;

std::vector<Item> MakeItems(std::size_t count) {
  Random random(1);
  std::vector<Item> items(count);
  for (Item& item : items) {
    item.hash = random.Next();
    item.deadline = kStart + static_cast<std::int64_t>(random.Below(kSpanMs));
  }
  return items;
}

void Fill(Table& table, const std::vector<Item>& items) {
  table.ExpireSweep(kStart, 1, [](Table::Slot) { return ExpireVerdict::Erase(); });
  for (std::size_t i = 0; i < items.size(); ++i) {
    table.SetDeadline(table.Insert(items[i].hash, i + 1), items[i].deadline);
  }
}

void BM_FileCode(benchmark::State& state) {
  ExpireWheel wheel;
  wheel.Reset(kStart);
  Random random(2);
  std::vector<UnixMs> deadlines(4096);
  for (UnixMs& deadline : deadlines) {
    deadline =
        kStart + static_cast<std::int64_t>(random.Below(std::uint64_t{1} << random.Below(32)));
  }
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(wheel.FileCode(deadlines[i++ % deadlines.size()]));
}
BENCHMARK(BM_FileCode);

// Another deadline for random keys of a filled table; finding the key is part of the figure.
void BM_SetDeadline(benchmark::State& state) {
  const auto items = MakeItems(static_cast<std::size_t>(state.range(0)));
  Table table(BenchPolicy{&items});
  Fill(table, items);
  Random random(3);
  for (auto _ : state) {
    const Item& item = items[random.Below(items.size())];
    table.SetDeadline(table.Find(item.hash, {}),
                      kStart + static_cast<std::int64_t>(random.Below(kSpanMs)));
  }
}
BENCHMARK(BM_SetDeadline)->Arg(10'000)->Arg(1'000'000);

// All keys, with deadlines over ten minutes, swept every 100 ms until none is left.
void BM_ExpireAll(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const auto items = MakeItems(count);
  std::size_t looked_at = 0;
  for (auto _ : state) {
    state.PauseTiming();
    Table table(BenchPolicy{&items});
    Fill(table, items);
    state.ResumeTiming();
    for (UnixMs now = kStart; table.size() != 0; now += 100) {
      looked_at += table
                       .ExpireSweep(now, count,
                                    [&](Table::Slot slot) {
                                      const UnixMs deadline = items[table.ref(slot) - 1].deadline;
                                      return now > deadline ? ExpireVerdict::Erase()
                                                            : ExpireVerdict::KeepUntil(deadline);
                                    })
                       .looked_at;
    }
  }
  state.counters["looks_per_key"] = static_cast<double>(looked_at) / static_cast<double>(count) /
                                    static_cast<double>(state.iterations());
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_ExpireAll)->Arg(10'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

void BM_ExpireAllMultimap(benchmark::State& state) {
  const auto items = MakeItems(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    state.PauseTiming();
    const std::size_t before = HeapBytes();
    std::multimap<UnixMs, std::size_t> by_deadline;
    for (std::size_t i = 0; i < items.size(); ++i) by_deadline.emplace(items[i].deadline, i);
    state.counters["bytes_per_deadline"] =
        static_cast<double>(HeapBytes() - before) / static_cast<double>(items.size());
    state.ResumeTiming();
    for (UnixMs now = kStart; !by_deadline.empty(); now += 100) {
      while (!by_deadline.empty() && by_deadline.begin()->first < now) {
        by_deadline.erase(by_deadline.begin());
      }
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_ExpireAllMultimap)->Arg(10'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

void BM_ExpireAllPriorityQueue(benchmark::State& state) {
  using Due = std::pair<UnixMs, std::size_t>;
  const auto items = MakeItems(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    state.PauseTiming();
    const std::size_t before = HeapBytes();
    std::priority_queue<Due, std::vector<Due>, std::greater<>> queue;
    for (std::size_t i = 0; i < items.size(); ++i) queue.emplace(items[i].deadline, i);
    state.counters["bytes_per_deadline"] =
        static_cast<double>(HeapBytes() - before) / static_cast<double>(items.size());
    state.ResumeTiming();
    for (UnixMs now = kStart; !queue.empty(); now += 100) {
      while (!queue.empty() && queue.top().first < now) queue.pop();
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_ExpireAllPriorityQueue)->Arg(10'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

// One tick with deadlines everywhere and none due.
void BM_SweepNothingDue(benchmark::State& state) {
  auto items = MakeItems(static_cast<std::size_t>(state.range(0)));
  for (Item& item : items) item.deadline += 100LL * 24 * 3600 * 1000;
  Table table(BenchPolicy{&items});
  Fill(table, items);
  UnixMs now = kStart;
  for (auto _ : state) {
    now += ExpireWheel::kTickMs;
    table.ExpireSweep(now, items.size(), [&](Table::Slot slot) {
      return ExpireVerdict::KeepUntil(items[table.ref(slot) - 1].deadline);
    });
  }
  state.counters["bytes_per_key"] =
      static_cast<double>(table.memory_bytes()) / static_cast<double>(items.size());
  Table plain(BenchPolicy{&items});
  for (std::size_t i = 0; i < items.size(); ++i) plain.Insert(items[i].hash, i + 1);
  state.counters["bytes_per_deadline"] =
      static_cast<double>(table.memory_bytes() - plain.memory_bytes()) /
      static_cast<double>(items.size());
}
BENCHMARK(BM_SweepNothingDue)->Arg(10'000)->Arg(1'000'000);

}  // namespace
}  // namespace aeris::storage
