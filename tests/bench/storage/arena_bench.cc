// Allocation and release of entry-sized slots against malloc, with bytes held per slot.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "storage/arena.h"
#include "tests/bench/storage/heap_bytes.h"

namespace aeris::storage {
namespace {

constexpr std::size_t kSlots = 200'000;

// What the two have in common: replace a slot chosen at random by one of another size.
template <typename Take, typename Give>
void Churn(benchmark::State& state, Take take, Give give) {
  using Handle = decltype(take(std::size_t{1}));
  std::mt19937_64 engine(1);
  std::vector<Handle> live(kSlots);
  for (Handle& handle : live) handle = take(40 + engine() % 100);
  for (auto _ : state) {
    Handle& handle = live[engine() % kSlots];
    give(handle);
    handle = take(40 + engine() % 100);
  }
  for (const Handle handle : live) give(handle);
}

void ArenaChurn(benchmark::State& state) {
  Arena arena;
  Churn(
      state,
      [&](std::size_t bytes) {
        const Ref ref = arena.Allocate(bytes);
        *arena.At(ref) = std::byte{1};
        return ref;
      },
      [&](Ref ref) { arena.Free(ref); });
}
BENCHMARK(ArenaChurn);

void MallocChurn(benchmark::State& state) {
  Churn(
      state,
      [](std::size_t bytes) {
        void* const memory = std::malloc(bytes);
        *static_cast<char*>(memory) = 1;
        return memory;
      },
      [](void* memory) { std::free(memory); });
}
BENCHMARK(MallocChurn);

// A fill of one size: bytes held per slot beyond the bytes asked for.
void ArenaFill(benchmark::State& state) {
  const auto bytes = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    Arena arena;
    for (std::size_t i = 0; i < kSlots; ++i) *arena.At(arena.Allocate(bytes)) = std::byte{1};
    state.counters["overhead"] =
        static_cast<double>(arena.bytes_held()) / kSlots - static_cast<double>(bytes);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kSlots));
}
BENCHMARK(ArenaFill)->Arg(52)->Arg(57)->Arg(300)->Unit(benchmark::kMillisecond);

void MallocFill(benchmark::State& state) {
  const auto bytes = static_cast<std::size_t>(state.range(0));
  std::vector<void*> slots(kSlots);
  for (auto _ : state) {
    const std::size_t before = HeapBytes();
    for (void*& slot : slots) {
      slot = std::malloc(bytes);
      *static_cast<char*>(slot) = 1;
    }
    state.counters["overhead"] =
        static_cast<double>(HeapBytes() - before) / kSlots - static_cast<double>(bytes);
    for (void* const slot : slots) std::free(slot);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kSlots));
}
BENCHMARK(MallocFill)->Arg(52)->Arg(57)->Arg(300)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace aeris::storage
