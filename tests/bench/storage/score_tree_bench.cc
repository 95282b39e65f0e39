// The tree beside std::set of the same order: insertion, erasure, ranks, changed scores, walks, and
// bytes per element. Members are 16 bytes, in entries that are in no order in memory.
#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/random.h"
#include "storage/prefetch.h"
#include "storage/score_tree.h"
#include "tests/bench/storage/heap_bytes.h"

namespace aeris::storage {
namespace {

struct Entry {
  double score;
  std::array<char, 16> member;
  std::string_view text() const { return {member.data(), member.size()}; }
};

class Entries final : public MemberTexts {
 public:
  // Scores of which about `ties` are equal, in a random order.
  Entries(std::size_t count, std::uint64_t ties) : entries_(count) {
    Random random(1);
    for (Entry& entry : entries_) {
      const std::uint64_t number = random.Next();
      const std::string digits = std::to_string(1'000'000'000'000'000'000 + (number >> 8));
      std::memcpy(entry.member.data(), digits.data() + 3, entry.member.size());
      entry.score = static_cast<double>(random.Below(std::max<std::uint64_t>(count / ties, 1)));
      if (ties == 1) entry.score = static_cast<double>(random.Next() >> 11);
    }
  }
  std::string_view Text(Ref ref) const override { return entries_[ref - 1].text(); }
  const Entry& operator[](std::size_t index) const { return entries_[index]; }
  const Entry& at(Ref ref) const { return entries_[ref - 1]; }
  std::size_t size() const { return entries_.size(); }

 private:
  std::vector<Entry> entries_;
};

void Fill(ScoreTree& tree, const Entries& entries) {
  for (std::size_t i = 0; i < entries.size(); ++i) {
    tree.Insert(entries[i].score, entries[i].text(), i + 1);
  }
}

struct Filled {
  Filled(std::size_t count, std::uint64_t ties) : entries(count, ties), tree(entries) {
    Fill(tree, entries);
  }
  Entries entries;
  ScoreTree tree;
};

struct Less {
  bool operator()(const Entry* a, const Entry* b) const {
    return a->score != b->score ? a->score < b->score : a->text() < b->text();
  }
};
using Set = std::set<const Entry*, Less>;

Set MakeSet(const Entries& entries) {
  Set set;
  for (std::size_t i = 0; i < entries.size(); ++i) set.insert(&entries[i]);
  return set;
}

double PerElement(std::size_t bytes, benchmark::State& state) {
  return static_cast<double>(bytes) / static_cast<double>(state.range(0));
}

// Elements, and how many have the same score.
void Sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"elements", "ties"});
  for (const std::int64_t count : {1000, 100'000, 1'000'000}) {
    benchmark->Args({count, 1})->Args({count, 100})->Args({count, count});
  }
}
// CPU time, so that a busy machine does not count as a pause.
double ThreadMicros() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

std::size_t Count(benchmark::State& state) { return static_cast<std::size_t>(state.range(0)); }
std::uint64_t Ties(benchmark::State& state) { return static_cast<std::uint64_t>(state.range(1)); }

// From empty, in random order; the longest single call beside the mean.
void BM_Insert(benchmark::State& state) {
  const Entries entries(Count(state), Ties(state));
  for (auto _ : state) {
    ScoreTree tree(entries);
    Fill(tree, entries);
    state.PauseTiming();
    state.counters["bytes"] = PerElement(tree.memory_bytes(), state);
    tree.Clear();
    state.ResumeTiming();
  }
  ScoreTree timed(entries);
  std::vector<double> calls(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const double start = ThreadMicros();
    timed.Insert(entries[i].score, entries[i].text(), i + 1);
    calls[i] = ThreadMicros() - start;
  }
  std::sort(calls.begin(), calls.end());
  state.counters["p99.99_us"] = calls[calls.size() - 1 - calls.size() / 10'000];
  state.counters["longest_us"] = calls.back();
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Insert)->Apply(Sizes)->Unit(benchmark::kMillisecond);

void BM_InsertSet(benchmark::State& state) {
  const Entries entries(Count(state), Ties(state));
  for (auto _ : state) {
    const std::size_t before = HeapBytes();
    const Set set = MakeSet(entries);
    state.PauseTiming();
    state.counters["bytes"] = PerElement(HeapBytes() - before, state);
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_InsertSet)->Apply(Sizes)->Unit(benchmark::kMillisecond);

void BM_InsertInOrder(benchmark::State& state, bool ascending) {
  const Entries entries(Count(state), 1);
  for (auto _ : state) {
    ScoreTree tree(entries);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const auto score = static_cast<double>(i);
      tree.Insert(ascending ? score : -score, entries[i].text(), i + 1);
    }
    state.counters["bytes"] = PerElement(tree.memory_bytes(), state);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK_CAPTURE(BM_InsertInOrder, ascending, true)->Arg(1'000'000)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_InsertInOrder, descending, false)
    ->Arg(1'000'000)
    ->Unit(benchmark::kMillisecond);

void BM_Build(benchmark::State& state) {
  const Entries entries(Count(state), 1);
  std::vector<ScoreTree::Element> sorted(entries.size());
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    sorted[i] = {.score = static_cast<double>(i), .ref = i + 1};
  }
  for (auto _ : state) {
    ScoreTree tree(entries);
    tree.Build(sorted);
    state.counters["bytes"] = PerElement(tree.memory_bytes(), state);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Build)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

template <typename Act>
void ForRandomEntries(benchmark::State& state, const Entries& entries, Act&& act) {
  Random random(2);
  std::vector<std::uint32_t> chosen(std::size_t{1} << 16);
  for (auto& index : chosen) index = static_cast<std::uint32_t>(random.Below(entries.size()));
  std::size_t i = 0;
  for (auto _ : state) act(chosen[i++ % chosen.size()]);
}

void BM_Rank(benchmark::State& state) {
  const Filled filled(Count(state), Ties(state));
  ForRandomEntries(state, filled.entries, [&](std::size_t i) {
    benchmark::DoNotOptimize(filled.tree.Rank(filled.entries[i].score, filled.entries[i].text()));
  });
}
BENCHMARK(BM_Rank)->Apply(Sizes);

// A set has no ranks: this finds the element, and is what a rank cannot be cheaper than there.
void BM_FindSet(benchmark::State& state) {
  const Entries entries(Count(state), Ties(state));
  const Set set = MakeSet(entries);
  ForRandomEntries(state, entries,
                   [&](std::size_t i) { benchmark::DoNotOptimize(set.find(&entries[i])); });
}
BENCHMARK(BM_FindSet)->Apply(Sizes);

void BM_At(benchmark::State& state) {
  const Filled filled(Count(state), Ties(state));
  ForRandomEntries(state, filled.entries,
                   [&](std::size_t i) { benchmark::DoNotOptimize(filled.tree.At(i).ref()); });
}
BENCHMARK(BM_At)->Args({1'000'000, 1});

void BM_CountScores(benchmark::State& state) {
  const Filled filled(Count(state), Ties(state));
  ForRandomEntries(state, filled.entries, [&](std::size_t i) {
    const double score = filled.entries[i].score;
    benchmark::DoNotOptimize(filled.tree.UpperBound(score * 1.01).rank() -
                             filled.tree.LowerBound(score).rank());
  });
}
BENCHMARK(BM_CountScores)->Args({1'000'000, 1})->Args({1'000'000, 100});

void BM_LowerBoundByMember(benchmark::State& state) {
  const Filled filled(Count(state), Ties(state));
  ForRandomEntries(state, filled.entries, [&](std::size_t i) {
    benchmark::DoNotOptimize(filled.tree.LowerBound(filled.entries[i].text()));
  });
}
BENCHMARK(BM_LowerBoundByMember)->Args({1'000'000, 1'000'000});

// A random element out and in again, as ZADD moves it.
void BM_EraseAndInsert(benchmark::State& state) {
  Filled filled(Count(state), Ties(state));
  ForRandomEntries(state, filled.entries, [&](std::size_t i) {
    const Entry& entry = filled.entries[i];
    filled.tree.Insert(entry.score, entry.text(), filled.tree.Erase(entry.score, entry.text()));
  });
  state.counters["bytes"] = PerElement(filled.tree.memory_bytes(), state);
}
BENCHMARK(BM_EraseAndInsert)->Apply(Sizes);

void BM_EraseAndInsertSet(benchmark::State& state) {
  const Entries entries(Count(state), Ties(state));
  Set set = MakeSet(entries);
  ForRandomEntries(state, entries, [&](std::size_t i) {
    set.erase(&entries[i]);
    set.insert(&entries[i]);
  });
}
BENCHMARK(BM_EraseAndInsertSet)->Apply(Sizes);

// An increment that leaves the order as it is, as most do.
void BM_SetScoreInPlace(benchmark::State& state) {
  Filled filled(Count(state), 1);
  ForRandomEntries(state, filled.entries, [&](std::size_t i) {
    const Entry& entry = filled.entries[i];
    benchmark::DoNotOptimize(filled.tree.SetScore(entry.score, entry.text(), entry.score));
  });
}
BENCHMARK(BM_SetScoreInPlace)->Args({1'000'000, 1});

// 100 elements from a random rank, their members read; with and without asking ahead for entries.
void BM_Walk100(benchmark::State& state, bool ahead) {
  const Filled filled(Count(state), 1);
  ForRandomEntries(state, filled.entries, [&](std::size_t i) {
    auto position = filled.tree.At(std::min(i, filled.entries.size() - 100));
    if (ahead) {
      for (std::ptrdiff_t next = 0; next < 8; ++next) {
        if (const Ref ref = position.Ahead(next); ref != 0) Prefetch(&filled.entries.at(ref));
      }
    }
    unsigned sum = 0;
    for (unsigned n = 0; n < 100; ++n, position.Next()) {
      if (ahead) {
        if (const Ref ref = position.Ahead(8); ref != 0) Prefetch(&filled.entries.at(ref));
      }
      sum += static_cast<unsigned char>(filled.entries.Text(position.ref())[5]);
    }
    benchmark::DoNotOptimize(sum);
  });
}
BENCHMARK_CAPTURE(BM_Walk100, plain, false)->Arg(1'000'000);
BENCHMARK_CAPTURE(BM_Walk100, ahead, true)->Arg(1'000'000);

void BM_Walk100Set(benchmark::State& state) {
  const Entries entries(Count(state), 1);
  const Set set = MakeSet(entries);
  ForRandomEntries(state, entries, [&](std::size_t i) {
    auto it = set.find(&entries[i]);
    unsigned sum = 0;
    for (unsigned n = 0; n < 100 && it != set.end(); ++n, ++it) {
      sum += static_cast<unsigned char>((*it)->text()[5]);
    }
    benchmark::DoNotOptimize(sum);
  });
}
BENCHMARK(BM_Walk100Set)->Arg(1'000'000);

void BM_EraseRange(benchmark::State& state) {
  for (auto _ : state) {
    state.PauseTiming();
    auto filled = std::make_unique<Filled>(Count(state), 1);
    state.ResumeTiming();
    const std::uint64_t half = filled->tree.size() / 2;
    filled->tree.EraseRange(half / 2, half, [](double, Ref ref) { benchmark::DoNotOptimize(ref); });
    state.PauseTiming();
    filled.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0) / 2);
}
BENCHMARK(BM_EraseRange)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace aeris::storage
