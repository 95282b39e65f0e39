// Replies of one pipeline of 64, written and drained, against a std::string and snprintf.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdio>
#include <string>

#include "protocol/reply_writer.h"
#include "src/base/number_text.h"

namespace aeris::protocol {
namespace {

constexpr int kDepth = 64;

template <typename Write>
void RunWriter(benchmark::State& state, Write write) {
  BufferPool pool;
  ReplyBuffer buffer(pool);
  ReplyWriter writer(buffer);
  std::array<iovec, 16> entries;
  for (auto _ : state) {
    for (int i = 0; i < kDepth; ++i) write(writer);
    benchmark::DoNotOptimize(buffer.FillIovec(entries));
    buffer.Consume(buffer.size());
  }
  state.SetItemsProcessed(state.iterations() * kDepth);
}

template <typename Write>
void RunString(benchmark::State& state, Write write) {
  std::string out;
  for (auto _ : state) {
    for (int i = 0; i < kDepth; ++i) write(out);
    benchmark::DoNotOptimize(out.data());
    out.clear();
  }
  state.SetItemsProcessed(state.iterations() * kDepth);
}

void BM_StringBulk32(benchmark::State& state) {
  const std::string value(32, 'v');
  RunString(state, [&value](std::string& out) {
    std::array<char, 32> head;
    const int n = std::snprintf(head.data(), head.size(), "$%zu\r\n", value.size());
    out.append(head.data(), static_cast<std::size_t>(n)).append(value).append("\r\n");
  });
}

void BM_WriterBulk32(benchmark::State& state) {
  const std::string value(32, 'v');
  RunWriter(state, [&value](ReplyWriter& writer) { writer.Bulk(value); });
}

void BM_StringInteger(benchmark::State& state) {
  long long value = 1234567;
  RunString(state, [&value](std::string& out) {
    std::array<char, 32> line;
    const int n = std::snprintf(line.data(), line.size(), ":%lld\r\n", ++value);
    out.append(line.data(), static_cast<std::size_t>(n));
  });
}

void BM_WriterInteger(benchmark::State& state) {
  std::int64_t value = 1234567;
  RunWriter(state, [&value](ReplyWriter& writer) { writer.Integer(++value); });
}

void BM_StringOk(benchmark::State& state) {
  RunString(state, [](std::string& out) { out.append("+OK\r\n"); });
}

void BM_WriterOk(benchmark::State& state) {
  RunWriter(state, [](ReplyWriter& writer) { writer.Ok(); });
}

void BM_StringArrayOf10(benchmark::State& state) {
  RunString(state, [](std::string& out) {
    out.append("*10\r\n");
    for (int i = 0; i < 10; ++i) out.append(":").append(std::to_string(i)).append("\r\n");
  });
}

void BM_WriterArrayOf10(benchmark::State& state) {
  RunWriter(state, [](ReplyWriter& writer) {
    writer.Array(10);
    for (int i = 0; i < 10; ++i) writer.Integer(i);
  });
}

void BM_WriterDeferredArrayOf10(benchmark::State& state) {
  RunWriter(state, [](ReplyWriter& writer) {
    const ReplyWriter::Deferred array = writer.BeginArray();
    for (int i = 0; i < 10; ++i) writer.Integer(i);
    writer.EndArray(array, 10);
  });
}

void BM_StringDouble(benchmark::State& state) {
  RunString(state, [](std::string& out) {
    std::array<char, 64> number;
    std::array<char, 80> line;
    const int digits = std::snprintf(number.data(), number.size(), "%.17g", 3.14159);
    const int n = std::snprintf(line.data(), line.size(), "$%d\r\n%s\r\n", digits, number.data());
    out.append(line.data(), static_cast<std::size_t>(n));
  });
}

void BM_WriterDouble(benchmark::State& state) {
  RunWriter(state, [](ReplyWriter& writer) { writer.Double(3.14159); });
}

BENCHMARK(BM_StringBulk32);
BENCHMARK(BM_WriterBulk32);
BENCHMARK(BM_StringInteger);
BENCHMARK(BM_WriterInteger);
BENCHMARK(BM_StringOk);
BENCHMARK(BM_WriterOk);
BENCHMARK(BM_StringArrayOf10);
BENCHMARK(BM_WriterArrayOf10);
BENCHMARK(BM_WriterDeferredArrayOf10);
BENCHMARK(BM_StringDouble);
BENCHMARK(BM_WriterDouble);

}  // namespace
}  // namespace aeris::protocol
