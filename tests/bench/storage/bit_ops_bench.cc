// Bytes per second of counting, searching and combining, beside one byte at a time.
#include <benchmark/benchmark.h>

#include <bit>
#include <string>
#include <string_view>

#include "storage/bit_ops.h"

namespace aeris::storage {
namespace {

void SetBytes(benchmark::State& state) {
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

std::string Text(const benchmark::State& state, char byte) {
  return std::string(static_cast<std::size_t>(state.range(0)), byte);
}

void Count(benchmark::State& state) {
  const std::string text = Text(state, '\x5A');
  for (auto _ : state) benchmark::DoNotOptimize(CountBits(text));
  SetBytes(state);
}

void CountBytewise(benchmark::State& state) {
  const std::string text = Text(state, '\x5A');
  for (auto _ : state) {
    int count = 0;
    for (const char byte : text) count += std::popcount(static_cast<unsigned char>(byte));
    benchmark::DoNotOptimize(count);
  }
  SetBytes(state);
}

void Find(benchmark::State& state) {
  const std::string text = Text(state, '\0');
  for (auto _ : state) benchmark::DoNotOptimize(FindBit(text, true, 0, text.size() * 8 - 1));
  SetBytes(state);
}

void CombineTwo(benchmark::State& state) {
  const std::string a = Text(state, '\x5A');
  const std::string b = Text(state, '\x33');
  const std::string_view sources[] = {a, b};
  std::string out = Text(state, '\0');
  for (auto _ : state) {
    CombineBits(BitOperation::kAnd, sources, out);
    benchmark::DoNotOptimize(out.data());
  }
  SetBytes(state);
}

BENCHMARK(Count)->Arg(16)->Arg(1 << 10)->Arg(1 << 17)->Arg(1 << 25);
BENCHMARK(CountBytewise)->Arg(16)->Arg(1 << 10)->Arg(1 << 17);
BENCHMARK(Find)->Arg(16)->Arg(1 << 10)->Arg(1 << 17)->Arg(1 << 25);
BENCHMARK(CombineTwo)->Arg(16)->Arg(1 << 10)->Arg(1 << 17)->Arg(1 << 25);

}  // namespace
}  // namespace aeris::storage
