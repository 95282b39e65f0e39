// Nanoseconds per key, back to back and where each hash waits for the one before.
#include <benchmark/benchmark.h>

#include <string>

#include "storage/hash_function.h"

namespace aeris::storage {
namespace {

// Zero, but only once `value` is known.
std::size_t ZeroAfter(std::uint64_t value) {
  std::size_t mask = 0;
  benchmark::DoNotOptimize(mask);
  return value & mask;
}

void Hash(benchmark::State& state, KeyHasher::Kind kind, bool dependent) {
  if (kind == KeyHasher::Kind::kAes && !KeyHasher::CpuHasAes()) {
    state.SkipWithError("no AES on this CPU");
    return;
  }
  const KeyHasher hasher(KeyHasher::Secret{}, kind);
  std::string key(static_cast<std::size_t>(state.range(0)), 'k');
  std::uint64_t previous = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(key.data());
    std::string_view view = key;
    if (dependent) view.remove_prefix(ZeroAfter(previous));
    previous = hasher(view);
    benchmark::DoNotOptimize(previous);
  }
}

void AesHash(benchmark::State& state) { Hash(state, KeyHasher::Kind::kAes, false); }
void AesHashDependent(benchmark::State& state) { Hash(state, KeyHasher::Kind::kAes, true); }
void SipHash(benchmark::State& state) { Hash(state, KeyHasher::Kind::kSipHash, false); }
void SipHashDependent(benchmark::State& state) { Hash(state, KeyHasher::Kind::kSipHash, true); }

BENCHMARK(AesHash)->Arg(8)->Arg(16)->Arg(32)->Arg(64)->Arg(128)->Arg(1024);
BENCHMARK(AesHashDependent)->Arg(8)->Arg(16)->Arg(32)->Arg(64);
BENCHMARK(SipHash)->Arg(8)->Arg(16)->Arg(32)->Arg(64)->Arg(128)->Arg(1024);
BENCHMARK(SipHashDependent)->Arg(8)->Arg(16)->Arg(32)->Arg(64);

}  // namespace
}  // namespace aeris::storage
