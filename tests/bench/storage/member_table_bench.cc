// The members of a large collection beside std::unordered_map: lookups one by one and in batches
// with prefetching, insertion with all growth, deletion with all shrinking and renewal, the end of
// a table, and bytes per member. Members are of 16 bytes.
//
//   build/bench/storage-bench --benchmark_filter=Member
#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "src/base/random.h"
#include "storage/member_table.h"
#include "tests/bench/storage/heap_bytes.h"

namespace aeris::storage {
namespace {

constexpr std::size_t kMemberSize = 16;
constexpr std::size_t kBatch = 32;

KeyHasher MakeHasher() {
  KeyHasher::Secret secret;
  Random random(1);
  for (std::byte& byte : secret) byte = static_cast<std::byte>(random.Next() & 0xFF);
  return KeyHasher(secret);
}

std::string Member(std::size_t number) {
  const std::string digits = std::to_string(number);
  return std::string(kMemberSize - digits.size(), '0') + digits;
}

// Numbers 0 to count - 1, shuffled.
std::vector<std::string> Members(std::size_t count) {
  std::vector<std::string> members(count);
  for (std::size_t i = 0; i < count; ++i) members[i] = Member(i);
  Random random(2);
  for (std::size_t i = count - 1; i > 0; --i) std::swap(members[i], members[random.Below(i + 1)]);
  return members;
}

std::vector<std::string> RandomMembers(std::size_t below, std::size_t offset) {
  Random random(3);
  std::vector<std::string> members(std::size_t{1} << 16);
  for (std::string& member : members) member = Member(offset + random.Below(below));
  return members;
}

struct Filled {
  explicit Filled(const std::vector<std::string>& members)
      : hasher(MakeHasher()), table(std::make_unique<MemberTable>(hasher)) {
    for (const std::string& member : members) {
      benchmark::DoNotOptimize(table->Insert(table->Hashed(member)));
    }
  }
  KeyHasher hasher;
  std::unique_ptr<MemberTable> table;
};

struct Hash {
  KeyHasher hasher = MakeHasher();
  std::size_t operator()(const std::string& text) const { return hasher(text); }
};
using Map = std::unordered_map<std::string, char, Hash>;

void Sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->Arg(10'000)->Arg(100'000)->Arg(1'000'000);
}

std::size_t CountOf(const benchmark::State& state) {
  return static_cast<std::size_t>(state.range(0));
}

void BM_MemberFind(benchmark::State& state, bool hit) {
  const std::size_t count = CountOf(state);
  const std::size_t before = HeapBytes();
  const Filled filled(Members(count));
  const std::size_t heap_bytes = HeapBytes() - before;
  const std::vector<std::string> wanted = RandomMembers(count, hit ? 0 : count);
  std::size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(filled.table->Find(wanted[i++ % wanted.size()]));
  }
  const auto per_member = [count](std::size_t bytes) {
    return static_cast<double>(bytes) / static_cast<double>(count);
  };
  state.counters["bytes_per_member"] = per_member(filled.table->memory_bytes());
  state.counters["malloc_bytes_per_member"] = per_member(heap_bytes);  // without mapped arrays
}
BENCHMARK_CAPTURE(BM_MemberFind, hit, true)->Apply(Sizes);
BENCHMARK_CAPTURE(BM_MemberFind, miss, false)->Apply(Sizes);

void BM_MemberFindInBatchesOf32(benchmark::State& state) {
  const std::size_t count = CountOf(state);
  const Filled filled(Members(count));
  const std::vector<std::string> wanted = RandomMembers(count, 0);
  std::array<HashedKey, kBatch> batch;
  std::size_t first = 0;
  for (auto _ : state) {
    for (std::size_t i = 0; i < kBatch; ++i) {
      batch[i] = filled.table->Hashed(wanted[first + i]);
      filled.table->PrefetchBucket(batch[i].hash);
    }
    for (const HashedKey& member : batch) filled.table->PrefetchEntry(member.hash);
    for (const HashedKey& member : batch) benchmark::DoNotOptimize(filled.table->Find(member));
    first = (first + kBatch) % wanted.size();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBatch));
}
BENCHMARK(BM_MemberFindInBatchesOf32)->Apply(Sizes);

void BM_MemberFindUnorderedMap(benchmark::State& state) {
  const std::size_t count = CountOf(state);
  const std::vector<std::string> members = Members(count);
  const std::vector<std::string> wanted = RandomMembers(count, 0);
  const std::size_t before = HeapBytes();
  Map map;
  for (const std::string& member : members) map.emplace(member, 0);
  state.counters["bytes_per_member"] =
      static_cast<double>(HeapBytes() - before) / static_cast<double>(count);
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(map.find(wanted[i++ % wanted.size()]));
}
BENCHMARK(BM_MemberFindUnorderedMap)->Apply(Sizes);

void BM_MemberInsert(benchmark::State& state) {
  const std::vector<std::string> members = Members(CountOf(state));
  for (auto _ : state) {
    const Filled filled(members);
    benchmark::DoNotOptimize(filled.table->size());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_MemberInsert)->Apply(Sizes)->Unit(benchmark::kMillisecond);

void BM_MemberInsertUnorderedMap(benchmark::State& state) {
  const std::vector<std::string> members = Members(CountOf(state));
  for (auto _ : state) {
    Map map;
    for (const std::string& member : members) map.emplace(member, 0);
    benchmark::DoNotOptimize(map.size());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_MemberInsertUnorderedMap)->Apply(Sizes)->Unit(benchmark::kMillisecond);

// CPU time, so that a busy machine does not count as a pause.
double ThreadMicros() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

// All members one by one, renewals and shrinking included; the longest call and the 99.99th
// percentile beside the mean.
void BM_MemberEraseAll(benchmark::State& state) {
  const std::vector<std::string> members = Members(CountOf(state));
  std::vector<double> calls;
  calls.reserve(members.size());
  for (auto _ : state) {
    state.PauseTiming();
    auto filled = std::make_unique<Filled>(members);
    state.ResumeTiming();
    for (const std::string& member : members) filled->table->Erase(member);
    state.PauseTiming();
    filled.reset();
    state.ResumeTiming();
  }
  Filled timed(members);
  for (const std::string& member : members) {
    const double start = ThreadMicros();
    timed.table->Erase(member);
    calls.push_back(ThreadMicros() - start);
  }
  std::sort(calls.begin(), calls.end());
  state.counters["p99.99_us"] = calls[calls.size() - 1 - calls.size() / 10'000];
  state.counters["longest_us"] = calls.back();
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_MemberEraseAll)->Apply(Sizes)->Unit(benchmark::kMillisecond);

void BM_MemberEraseAllUnorderedMap(benchmark::State& state) {
  const std::vector<std::string> members = Members(CountOf(state));
  for (auto _ : state) {
    state.PauseTiming();
    auto map = std::make_unique<Map>();
    for (const std::string& member : members) map->emplace(member, 0);
    state.ResumeTiming();
    for (const std::string& member : members) map->erase(member);
    state.PauseTiming();
    map.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_MemberEraseAllUnorderedMap)->Apply(Sizes)->Unit(benchmark::kMillisecond);

void BM_MemberDestroy(benchmark::State& state) {
  const std::vector<std::string> members = Members(CountOf(state));
  for (auto _ : state) {
    state.PauseTiming();
    auto filled = std::make_unique<Filled>(members);
    state.ResumeTiming();
    filled->table.reset();
    state.PauseTiming();
    filled.reset();
    state.ResumeTiming();
  }
}
BENCHMARK(BM_MemberDestroy)->Apply(Sizes)->Unit(benchmark::kMicrosecond)->Iterations(5);

void BM_MemberClone(benchmark::State& state) {
  const Filled filled(Members(CountOf(state)));
  for (auto _ : state) benchmark::DoNotOptimize(filled.table->Clone());
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_MemberClone)->Apply(Sizes)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace aeris::storage
