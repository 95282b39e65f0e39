// The pauses of the table: CPU time of each single change while it grows from nothing and shrinks
// to nothing again, with and without deadlines.
//
//   build/bench/storage-bench --benchmark_filter=Pauses
//
// Every run makes the same changes, so a call's time is the least of several runs: that leaves out
// interrupts and other guests of the machine, and keeps what the table itself does. Counters, in
// microseconds:
//
//   longest, p99.99   over all calls; a call moves 4 home buckets while a move is under way
//   starts, ends      the longest of the calls that began a move, and of those that ended one
//   longest_raw       the longest of all calls in all runs, whatever interrupted it
#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "src/base/random.h"
#include "storage/hash_table.h"
#include "storage/prefetch.h"

namespace aeris::storage {
namespace {

constexpr UnixMs kStart = 1'700'000'000'000;
constexpr std::uint64_t kSpanMs = 10ULL * 24 * 3600 * 1000;
constexpr int kRuns = 3;

// What the table reads of an entry, in a line of its own as in the arena.
struct alignas(64) Item {
  std::uint64_t hash = 0;
  UnixMs deadline = kNoDeadline;
};

struct PausePolicy {
  const std::vector<Item>* items;

  std::uint64_t HashOf(Ref ref) const { return (*items)[ref - 1].hash; }
  bool Matches(Ref ref, std::string_view key) const {
    return &(*items)[ref - 1] == static_cast<const void*>(key.data());
  }
  void Prefetch(Ref ref) const { storage::Prefetch(&(*items)[ref - 1]); }
};
using Table = HashTable<PausePolicy>;

std::vector<Item> MakeItems(std::size_t count, bool deadlines) {
  Random random(1);
  std::vector<Item> items(count);
  for (Item& item : items) {
    item.hash = random.Next();
    if (deadlines) item.deadline = kStart + static_cast<UnixMs>(random.Below(kSpanMs));
  }
  return items;
}

double ThreadMicros() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

// The least time of each call over the runs, and what the call did to the table's moves.
class Calls {
 public:
  explicit Calls(std::size_t count) : micros_(count, 1e9F), kinds_(count) {}

  template <typename Change>
  void Time(std::size_t call, const Table& table, Change&& change) {
    const bool moving = table.moving();
    const std::uint64_t homes = table.homes();
    const double start = ThreadMicros();
    change();
    const auto micros = static_cast<float>(ThreadMicros() - start);
    micros_[call] = std::min(micros_[call], micros);
    longest_raw_ = std::max(longest_raw_, micros);
    if (table.homes() != homes) kinds_[call] = Kind::kStarts;
    if (moving && !table.moving()) kinds_[call] = Kind::kEnds;
  }

  void Report(benchmark::State& state) {
    state.counters["longest_raw"] = longest_raw_;
    state.counters["starts"] = Longest(Kind::kStarts);
    state.counters["ends"] = Longest(Kind::kEnds);
    std::sort(micros_.begin(), micros_.end());
    state.counters["longest"] = micros_.back();
    state.counters["p99.99"] = micros_[micros_.size() - 1 - micros_.size() / 10'000];
    state.SetItemsProcessed(static_cast<std::int64_t>(micros_.size()) * kRuns);
  }

 private:
  enum class Kind : std::uint8_t { kOther, kStarts, kEnds };

  float Longest(Kind kind) const {
    float longest = 0;
    for (std::size_t i = 0; i < micros_.size(); ++i) {
      if (kinds_[i] == kind) longest = std::max(longest, micros_[i]);
    }
    return longest;
  }

  std::vector<float> micros_;
  std::vector<Kind> kinds_;
  float longest_raw_ = 0;
};

void BM_Pauses(benchmark::State& state, bool deadlines, bool growing) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const std::vector<Item> items = MakeItems(count, deadlines);
  Calls calls(count);
  for (auto _ : state) {
    for (int run = 0; run < kRuns; ++run) {
      Table table(PausePolicy{&items});
      table.ExpireSweep(kStart, 0, [](Table::Slot) { return ExpireVerdict::Erase(); });
      const auto insert = [&](std::size_t i) {
        const Table::Slot slot = table.Insert(items[i].hash, i + 1);
        if (deadlines) table.SetDeadline(slot, items[i].deadline);
      };
      const auto erase = [&](std::size_t i) {
        const char* const key = reinterpret_cast<const char*>(&items[i]);
        table.Erase(table.Find(items[i].hash, {key, 1}), items[i].hash);
      };
      if (growing) {
        for (std::size_t i = 0; i < count; ++i) calls.Time(i, table, [&] { insert(i); });
      } else {
        for (std::size_t i = 0; i < count; ++i) insert(i);
        for (std::size_t i = 0; i < count; ++i) calls.Time(i, table, [&] { erase(i); });
      }
    }
  }
  calls.Report(state);
}

void Sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->Arg(1'000'000)->Arg(10'000'000)->Iterations(1)->Unit(benchmark::kSecond);
}
BENCHMARK_CAPTURE(BM_Pauses, growing, false, true)->Apply(Sizes);
BENCHMARK_CAPTURE(BM_Pauses, growing_with_deadlines, true, true)->Apply(Sizes);
BENCHMARK_CAPTURE(BM_Pauses, shrinking, false, false)->Apply(Sizes);
BENCHMARK_CAPTURE(BM_Pauses, shrinking_with_deadlines, true, false)->Apply(Sizes);

}  // namespace
}  // namespace aeris::storage
