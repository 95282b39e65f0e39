// What it costs to give memory back: entries moved out of sparse pages, and pages returned.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <string>
#include <vector>

#include "src/base/check.h"
#include "storage/keyspace.h"

namespace aeris::storage {
namespace {

constexpr UnixMs kNow = 1'700'000'000'000;

std::string KeyOf(std::uint64_t number) { return std::to_string(1'000'000'000'000'000 + number); }

// Keys of 16 bytes with values of 32, a random half of which is deleted; the table's own shrinking
// is over before the sweep is timed. An iteration is the server's step of 1,000 moves.
void EmptySparsePages(benchmark::State& state) {
  const auto keys = static_cast<std::uint64_t>(state.range(0));
  const KeyHasher hasher{KeyHasher::Secret{}};
  Random random{1};
  KeyspaceContext context{.hasher = hasher, .random = random};
  Keyspace keyspace(context);
  const std::string value(32, 'v');
  for (std::uint64_t i = 0; i < keys; ++i) {
    AERIS_CHECK(keyspace.SetString(keyspace.Hash(KeyOf(i)), value, kNow, {}) ==
                StoreResult::kStored);
  }
  std::mt19937_64 engine(1);
  for (std::uint64_t i = 0; i < keys; ++i) {
    if (engine() % 2 == 0) keyspace.Delete(keyspace.Hash(KeyOf(i)), kNow);
  }
  const Keyspace::Memory before = keyspace.memory();
  std::vector<double> steps;
  while (keyspace.memory().arena == before.arena && keyspace.Maintain(1'000)) {
  }
  for (auto _ : state) {
    const auto begin = std::chrono::steady_clock::now();
    const bool more = keyspace.Maintain(1'000);
    steps.push_back(
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin)
            .count());
    if (!more) {
      state.SkipWithError("nothing left to move: take more keys or fewer iterations");
      break;
    }
  }
  std::sort(steps.begin(), steps.end());
  state.counters["step_p50_us"] = steps[steps.size() / 2];
  state.counters["step_max_us"] = steps.back();
  state.counters["returned_MiB"] =
      static_cast<double>(before.arena - keyspace.memory().arena) / (1 << 20);
  state.SetItemsProcessed(state.iterations() * 1'000);
}
BENCHMARK(EmptySparsePages)->Arg(1'000'000)->Iterations(150);
BENCHMARK(EmptySparsePages)->Arg(4'000'000)->Iterations(600);

// The step when there is nothing to gain, as an idle server takes it.
void NothingToGain(benchmark::State& state) {
  const KeyHasher hasher{KeyHasher::Secret{}};
  Random random{1};
  KeyspaceContext context{.hasher = hasher, .random = random};
  Keyspace keyspace(context);
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    AERIS_CHECK(keyspace.SetString(keyspace.Hash(KeyOf(i)), std::string(i % 500, 'v'), kNow, {}) ==
                StoreResult::kStored);
  }
  while (keyspace.Maintain(1'000)) {
  }
  for (auto _ : state) benchmark::DoNotOptimize(keyspace.Maintain(1'000));
}
BENCHMARK(NothingToGain);

}  // namespace
}  // namespace aeris::storage
