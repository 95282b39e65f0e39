// Time of an element, of a count and of a merge in both encodings, beside a register at a time.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "storage/hyperloglog.h"
#include "storage/hyperloglog_sparse.h"

namespace aeris::storage::hyperloglog {
namespace {

constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

std::string Sparse(std::int64_t elements) {
  std::string value = Empty();
  SparseEditor editor(value, kNoLimit);
  for (std::int64_t i = 0; i < elements; ++i) editor.Raise(Observe(std::to_string(i)));
  return value;
}

std::string Dense(std::int64_t elements) {
  std::string value(kDenseBytes, '\0');
  WriteEmptyDense(value);
  for (std::int64_t i = 0; i < elements; ++i) RaiseDense(value, Observe(std::to_string(i)));
  return value;
}

void AddDense(benchmark::State& state) {
  std::string value = Dense(state.range(0));
  std::uint64_t next = 1;
  for (auto _ : state) {
    next *= 0x9E3779B97F4A7C15;
    const std::string_view element(reinterpret_cast<const char*>(&next), sizeof next);
    benchmark::DoNotOptimize(RaiseDense(value, Observe(element)));
  }
}

// Registers that are high enough already: the walk alone.
void AddSparse(benchmark::State& state) {
  std::string value = Sparse(state.range(0));
  SparseEditor editor(value, kNoLimit);
  std::int64_t next = 0;
  for (auto _ : state) {
    next = (next + 7) % state.range(0);
    benchmark::DoNotOptimize(editor.Raise(Observe(std::to_string(next))));
  }
  state.counters["bytes"] = static_cast<double>(value.size());
}

void CountDense(benchmark::State& state) {
  const std::string value = Dense(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(Count(value));
}

void CountSparse(benchmark::State& state) {
  const std::string value = Sparse(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(Count(value));
}

void MergeDense(benchmark::State& state) {
  const std::string value = Dense(state.range(0));
  Registers registers;
  for (auto _ : state) {
    benchmark::DoNotOptimize(MergeInto(registers, value));
    benchmark::ClobberMemory();
  }
}

void MergeDenseOneByOne(benchmark::State& state) {
  const std::string value = Dense(state.range(0));
  Registers registers;
  for (auto _ : state) {
    for (std::uint32_t i = 0; i < kRegisters; ++i) {
      registers.ranks[i] = std::max(registers.ranks[i], DenseRank(value, i));
    }
    benchmark::ClobberMemory();
  }
}

void StoreMerged(benchmark::State& state) {
  std::string value = Dense(state.range(0));
  Registers registers;
  if (!MergeInto(registers, value)) state.SkipWithError("corrupted");
  for (auto _ : state) {
    StoreDense(value, registers);
    benchmark::ClobberMemory();
  }
}

// What PFMERGE does between sparse values, the second half of the elements into the first.
void RaiseAllSparse(benchmark::State& state) {
  const std::string first = Sparse(state.range(0));
  Registers registers;
  if (!MergeInto(registers, Sparse(2 * state.range(0)))) state.SkipWithError("corrupted");
  for (auto _ : state) {
    std::string value = first;
    benchmark::DoNotOptimize(SparseEditor(value, kNoLimit).RaiseAll(registers));
  }
}

BENCHMARK(AddDense)->Arg(100000);
BENCHMARK(AddSparse)->Arg(100)->Arg(1000);
BENCHMARK(CountDense)->Arg(100000);
BENCHMARK(CountSparse)->Arg(100)->Arg(1000);
BENCHMARK(MergeDense)->Arg(100000);
BENCHMARK(MergeDenseOneByOne)->Arg(100000);
BENCHMARK(StoreMerged)->Arg(100000);
BENCHMARK(RaiseAllSparse)->Arg(500)->Arg(10000);

}  // namespace
}  // namespace aeris::storage::hyperloglog
