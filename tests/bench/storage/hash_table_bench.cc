// The table beside std::unordered_map: lookups, insertion with all its growth, deletion with all
// its shrinking, batches with prefetching, SCAN, and bytes per entry. Entries are 32 bytes,
// keys 16.
#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "src/base/random.h"
#include "storage/hash_table.h"
#include "storage/prefetch.h"

namespace aeris::storage {
namespace {

using KeyBytes = std::array<char, 16>;

struct Entry {
  KeyBytes key;
  std::array<char, 16> value;
};

// A keyed multiply-and-fold, to leave the cost of a real hash out of the figures.
std::uint64_t HashKey(std::string_view key) {
  __extension__ using Wide = unsigned __int128;
  std::uint64_t words[2];
  std::memcpy(words, key.data(), sizeof(words));
  const Wide product =
      static_cast<Wide>(words[0] ^ 0x9E3779B97F4A7C15) * (words[1] ^ 0xD6E8FEB86659FD93);
  const std::uint64_t folded =
      static_cast<std::uint64_t>(product >> 64) ^ static_cast<std::uint64_t>(product);
  const Wide again = static_cast<Wide>(folded) * 0xA0761D6478BD642F;
  return static_cast<std::uint64_t>(again >> 64) ^ static_cast<std::uint64_t>(again);
}

struct BenchPolicy {
  const Entry* entries;

  std::string_view Key(Ref ref) const { return {entries[ref - 1].key.data(), sizeof(KeyBytes)}; }
  std::uint64_t HashOf(Ref ref) const { return HashKey(Key(ref)); }
  bool Matches(Ref ref, std::string_view key) const {
    return std::memcmp(entries[ref - 1].key.data(), key.data(), sizeof(KeyBytes)) == 0;
  }
  void Prefetch(Ref ref) const { storage::Prefetch(&entries[ref - 1]); }
};
using Table = HashTable<BenchPolicy>;

KeyBytes MakeKey(std::uint64_t number) {
  KeyBytes key;
  const std::string digits = std::to_string(number);
  key.fill('0');
  std::memcpy(key.data() + key.size() - digits.size(), digits.data(), digits.size());
  return key;
}
std::string_view View(const KeyBytes& key) { return {key.data(), key.size()}; }

// Entries in the order of a shuffled insertion, so that neighbours in the table are apart in
// memory.
std::unique_ptr<Entry[]> MakeEntries(std::size_t count) {
  auto entries = std::make_unique<Entry[]>(count);
  for (std::size_t i = 0; i < count; ++i) entries[i].key = MakeKey(i);
  Random random(1);
  for (std::size_t i = count - 1; i > 0; --i)
    std::swap(entries[i].key, entries[random.Below(i + 1)].key);
  return entries;
}

struct Filled {
  explicit Filled(std::size_t count) : entries(MakeEntries(count)), table({entries.get()}) {
    for (std::size_t i = 0; i < count; ++i) {
      table.Insert(HashKey(View(entries[i].key)), i + 1);
    }
  }
  std::unique_ptr<Entry[]> entries;
  Table table;
};

std::vector<KeyBytes> RandomKeys(std::size_t below, std::size_t offset) {
  Random random(2);
  std::vector<KeyBytes> keys(std::size_t{1} << 16);
  for (KeyBytes& key : keys) key = MakeKey(offset + random.Below(below));
  return keys;
}

void Sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->Arg(1000)->Arg(10'000)->Arg(100'000)->Arg(1'000'000)->Arg(4'000'000);
}

void BM_Find(benchmark::State& state, bool hit) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const Filled filled(count);
  const std::vector<KeyBytes> keys = RandomKeys(count, hit ? 0 : count);
  std::size_t i = 0;
  for (auto _ : state) {
    const std::string_view key = View(keys[i++ % keys.size()]);
    benchmark::DoNotOptimize(filled.table.Find(HashKey(key), key));
  }
  state.counters["bytes_per_key"] =
      static_cast<double>(filled.table.memory_bytes()) / static_cast<double>(count);
  state.counters["load"] =
      static_cast<double>(count) / static_cast<double>(filled.table.homes() * Bucket::kSlots);
}
BENCHMARK_CAPTURE(BM_Find, hit, true)->Apply(Sizes);
BENCHMARK_CAPTURE(BM_Find, miss, false)->Apply(Sizes);

// As the server does it: all buckets of a batch, then all entries, then the lookups.
void BM_FindInBatchesOf32(benchmark::State& state) {
  constexpr std::size_t kBatch = 32;
  const auto count = static_cast<std::size_t>(state.range(0));
  const Filled filled(count);
  const std::vector<KeyBytes> keys = RandomKeys(count, 0);
  std::size_t first = 0;
  std::array<std::uint64_t, kBatch> hashes;
  for (auto _ : state) {
    for (std::size_t i = 0; i < kBatch; ++i) {
      hashes[i] = HashKey(View(keys[first + i]));
      filled.table.PrefetchBucket(hashes[i]);
    }
    for (const std::uint64_t hash : hashes) filled.table.PrefetchEntry(hash);
    for (std::size_t i = 0; i < kBatch; ++i) {
      benchmark::DoNotOptimize(filled.table.Find(hashes[i], View(keys[first + i])));
    }
    first = (first + kBatch) % keys.size();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBatch));
}
BENCHMARK(BM_FindInBatchesOf32)->Apply(Sizes);

void BM_FindUnorderedMap(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const auto entries = MakeEntries(count);
  const auto hash = [](std::string_view key) { return HashKey(key); };
  std::unordered_map<std::string_view, const Entry*, decltype(hash)> map(0, hash);
  for (std::size_t i = 0; i < count; ++i) map.emplace(View(entries[i].key), &entries[i]);
  const std::vector<KeyBytes> keys = RandomKeys(count, 0);
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(map.find(View(keys[i++ % keys.size()])));
  // A node: next, hash, key view, pointer, and the allocator's header; and the array of buckets.
  state.counters["bytes_per_key"] =
      48 + 8 * static_cast<double>(map.bucket_count()) / static_cast<double>(count);
}
BENCHMARK(BM_FindUnorderedMap)->Apply(Sizes);

// CPU time, so that a busy machine does not count as a pause.
double ThreadMicros() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

// Insertion from empty, all moves included; the longest single call beside the mean.
void BM_Insert(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const auto entries = MakeEntries(count);
  for (auto _ : state) {
    Table table({entries.get()});
    for (std::size_t i = 0; i < count; ++i) {
      table.Insert(HashKey(View(entries[i].key)), i + 1);
    }
    benchmark::DoNotOptimize(table.size());
  }
  Table timed({entries.get()});
  std::vector<double> calls(count);
  for (std::size_t i = 0; i < count; ++i) {
    const double start = ThreadMicros();
    timed.Insert(HashKey(View(entries[i].key)), i + 1);
    calls[i] = ThreadMicros() - start;
  }
  std::sort(calls.begin(), calls.end());
  state.counters["p99.99_us"] = calls[count - 1 - count / 10'000];
  state.counters["longest_us"] = calls[count - 1];
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Insert)->Apply(Sizes)->Unit(benchmark::kMillisecond);

void BM_InsertUnorderedMap(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const auto entries = MakeEntries(count);
  const auto hash = [](std::string_view key) { return HashKey(key); };
  for (auto _ : state) {
    std::unordered_map<std::string_view, const Entry*, decltype(hash)> map(0, hash);
    for (std::size_t i = 0; i < count; ++i) map.emplace(View(entries[i].key), &entries[i]);
    benchmark::DoNotOptimize(map.size());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_InsertUnorderedMap)->Apply(Sizes)->Unit(benchmark::kMillisecond);

void BM_EraseAll(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    state.PauseTiming();
    auto filled = std::make_unique<Filled>(count);
    state.ResumeTiming();
    for (std::size_t i = 0; i < count; ++i) {
      const std::string_view key = View(filled->entries[i].key);
      const std::uint64_t hash = HashKey(key);
      filled->table.Erase(filled->table.Find(hash, key), hash);
    }
    state.PauseTiming();
    filled.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_EraseAll)->Arg(10'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

// Replacing a random key by a new one, for ten times the size of the table, and what that did to
// lookups: nothing, or the table would decay at its memory limit.
void BM_FindAfterChurn(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  Filled filled(count);
  Random random(3);
  std::uint64_t next = count;
  for (std::size_t i = 0; i < count * 10; ++i) {
    Entry& entry = filled.entries[random.Below(count)];
    const Ref ref = static_cast<Ref>(&entry - filled.entries.get()) + 1;
    const std::uint64_t hash = HashKey(View(entry.key));
    filled.table.Erase(filled.table.Find(hash, View(entry.key)), hash);
    entry.key = MakeKey(next++);
    filled.table.Insert(HashKey(View(entry.key)), ref);
  }
  std::vector<KeyBytes> keys(std::size_t{1} << 16);
  for (KeyBytes& key : keys) key = filled.entries[random.Below(count)].key;
  std::size_t i = 0;
  for (auto _ : state) {
    const std::string_view key = View(keys[i++ % keys.size()]);
    benchmark::DoNotOptimize(filled.table.Find(HashKey(key), key));
  }
}
BENCHMARK(BM_FindAfterChurn)->Arg(10'000)->Arg(1'000'000);

void BM_ScanCount10(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const Filled filled(count);
  std::uint64_t cursor = 0;
  std::int64_t visited = 0;
  for (auto _ : state) {
    cursor = filled.table.Scan(cursor, 10, [&](Ref ref) {
      benchmark::DoNotOptimize(ref);
      ++visited;
    });
  }
  state.SetItemsProcessed(visited);
}
BENCHMARK(BM_ScanCount10)->Arg(10'000)->Arg(1'000'000);

}  // namespace
}  // namespace aeris::storage
