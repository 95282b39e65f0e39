// The keyspace against std::unordered_map<string, string>: 16-byte keys, 32-byte values, hits in
// random order. `Batch` calls work on 32 keys with the prefetch calls first, as the server does.
#include <benchmark/benchmark.h>

#include <array>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "src/base/check.h"
#include "storage/keyspace.h"
#include "tests/bench/storage/heap_bytes.h"

namespace aeris::storage {
namespace {

constexpr UnixMs kNow = 1'700'000'000'000;
constexpr std::size_t kBatch = 32;
constexpr std::size_t kValueBytes = 32;

// Keys of 16 bytes, made without a lookup that would warm anything.
struct Key {
  std::array<char, 16> bytes;
  explicit Key(std::uint64_t number) {
    std::string_view("key:000000000000").copy(bytes.data(), bytes.size());
    for (std::size_t i = bytes.size(); number != 0; number /= 10) {
      bytes[--i] = static_cast<char>('0' + number % 10);
    }
  }
  std::string_view text() const { return {bytes.data(), bytes.size()}; }
};

class Filled {
 public:
  explicit Filled(std::size_t keys) : keys_(keys) {
    const std::string value(kValueBytes, 'v');
    for (std::size_t i = 0; i < keys; ++i) {
      const Key key(i);
      AERIS_CHECK(keyspace.SetString(keyspace.Hash(key.text()), value, kNow, {}) ==
                  StoreResult::kStored);
    }
    while (keyspace.Maintain(1'000)) {
    }
    constexpr std::size_t kSequence = 1 << 16;
    std::mt19937_64 engine(1);
    for (std::size_t i = 0; i < kSequence; ++i) sequence_.emplace_back(engine() % keys);
  }
  // From a sequence made beforehand, so that the benchmark's own work stays small.
  const Key& Any() { return sequence_[next_++ % sequence_.size()]; }
  double BytesPerKey() const {
    const Keyspace::Memory memory = keyspace.memory();
    return static_cast<double>(memory.table + memory.arena) / static_cast<double>(keys_);
  }

 private:
  std::size_t keys_;
  std::vector<Key> sequence_;
  std::size_t next_ = 0;
  KeyHasher hasher_{KeyHasher::Secret{}};
  Random random_{1};
  KeyspaceContext context_{.hasher = hasher_, .random = random_};

 public:
  Keyspace keyspace{context_};
};

void KeyspaceHit(benchmark::State& state) {
  Filled filled(static_cast<std::size_t>(state.range(0)));
  std::size_t bytes = 0;
  for (auto _ : state) {
    const Key& key = filled.Any();
    bytes += filled.keyspace.Find(filled.keyspace.Hash(key.text()), kNow, kForRead).text().size();
  }
  benchmark::DoNotOptimize(bytes);
  state.counters["bytes_per_key"] = filled.BytesPerKey();
}

void KeyspaceMiss(benchmark::State& state) {
  Filled filled(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    Key key = filled.Any();
    key.bytes[0] = 'K';
    benchmark::DoNotOptimize(
        filled.keyspace.Find(filled.keyspace.Hash(key.text()), kNow, kForRead));
  }
}

void KeyspaceOverwrite(benchmark::State& state) {
  Filled filled(static_cast<std::size_t>(state.range(0)));
  const std::string value(kValueBytes, 'w');
  for (auto _ : state) {
    const Key& key = filled.Any();
    benchmark::DoNotOptimize(
        filled.keyspace.SetString(filled.keyspace.Hash(key.text()), value, kNow, {}));
  }
}

// The three passes over a batch; `run` is called with each hashed key at the end.
template <typename Run>
void RunBatch(Filled& filled, Run run) {
  std::array<HashedKey, kBatch> hashed;
  for (HashedKey& key : hashed) {
    key = filled.keyspace.Hash(filled.Any().text());
    filled.keyspace.PrefetchBucket(key.hash);
  }
  for (const HashedKey& key : hashed) filled.keyspace.PrefetchEntry(key.hash);
  for (const HashedKey& key : hashed) run(key);
}

void KeyspaceBatchHit(benchmark::State& state) {
  Filled filled(static_cast<std::size_t>(state.range(0)));
  std::size_t bytes = 0;
  for (auto _ : state) {
    RunBatch(filled, [&](const HashedKey& key) {
      bytes += filled.keyspace.Find(key, kNow, kForRead).text().size();
    });
  }
  benchmark::DoNotOptimize(bytes);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBatch));
}

void KeyspaceBatchOverwrite(benchmark::State& state) {
  Filled filled(static_cast<std::size_t>(state.range(0)));
  const std::string value(kValueBytes, 'w');
  for (auto _ : state) {
    RunBatch(filled, [&](const HashedKey& key) {
      benchmark::DoNotOptimize(filled.keyspace.SetString(key, value, kNow, {}));
    });
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBatch));
}

void UnorderedMapHit(benchmark::State& state) {
  const auto keys = static_cast<std::size_t>(state.range(0));
  const std::size_t before = HeapBytes();
  std::unordered_map<std::string, std::string> map;
  for (std::size_t i = 0; i < keys; ++i) {
    map.emplace(Key(i).text(), std::string(kValueBytes, 'v'));
  }
  state.counters["bytes_per_key"] =
      static_cast<double>(HeapBytes() - before) / static_cast<double>(keys);
  std::mt19937_64 engine(1);
  std::size_t bytes = 0;
  for (auto _ : state) {
    bytes += map.find(std::string(Key(engine() % keys).text()))->second.size();
  }
  benchmark::DoNotOptimize(bytes);
}

void UnorderedMapInsert(benchmark::State& state) {
  const auto keys = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    std::unordered_map<std::string, std::string> map;
    for (std::size_t i = 0; i < keys; ++i) {
      map.emplace(Key(i).text(), std::string(kValueBytes, 'v'));
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void KeyspaceInsert(benchmark::State& state) {
  const auto keys = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) Filled filled(keys);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

BENCHMARK(KeyspaceHit)->Arg(1'000)->Arg(100'000)->Arg(1'000'000);
BENCHMARK(KeyspaceMiss)->Arg(1'000)->Arg(1'000'000);
BENCHMARK(KeyspaceOverwrite)->Arg(1'000)->Arg(1'000'000);
BENCHMARK(KeyspaceBatchHit)->Arg(1'000)->Arg(100'000)->Arg(1'000'000);
BENCHMARK(KeyspaceBatchOverwrite)->Arg(1'000)->Arg(1'000'000);
BENCHMARK(UnorderedMapHit)->Arg(1'000)->Arg(100'000)->Arg(1'000'000);
BENCHMARK(UnorderedMapInsert)->Arg(100'000)->Unit(benchmark::kMillisecond);
BENCHMARK(KeyspaceInsert)->Arg(100'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace aeris::storage
