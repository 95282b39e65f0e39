// The parser, and the pass over usual requests that comes before it, on a pipeline of 64 requests,
// as one read brings it, against the plain way: find each CR with memchr, convert with strtoll,
// begin anew when a request is not whole.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/request_parser.h"
#include "protocol/usual_request.h"

namespace aeris::protocol {
namespace {

constexpr int kDepth = 64;

std::string Command(const std::vector<std::string>& arguments) {
  std::string bytes = "*";
  bytes += std::to_string(arguments.size());
  bytes += "\r\n";
  for (const std::string& argument : arguments) {
    bytes += "$";
    bytes += std::to_string(argument.size());
    bytes += "\r\n";
    bytes += argument;
    bytes += "\r\n";
  }
  return bytes;
}

std::string Pipeline(const std::vector<std::string>& arguments) {
  std::string bytes;
  for (int i = 0; i < kDepth; ++i) bytes += Command(arguments);
  return bytes;
}

std::string GetPipeline() { return Pipeline({"GET", "key:000000123456"}); }
std::string SetPipeline() { return Pipeline({"SET", "key:000000123456", std::string(32, 'v')}); }

std::string MgetPipeline() {
  std::vector<std::string> arguments(11, "key:000000123456");
  arguments[0] = "MGET";
  return Pipeline(arguments);
}

// Bytes consumed, 0 when the request is not whole.
std::size_t PlainParse(std::string_view bytes, std::vector<std::string_view>& arguments) {
  const char* p = bytes.data();
  const char* const end = p + bytes.size();
  const auto line = [&p, end](long long& number) {
    const void* cr = std::memchr(p, '\r', static_cast<std::size_t>(end - p));
    if (cr == nullptr || end - static_cast<const char*>(cr) < 2) return false;
    number = std::strtoll(p + 1, nullptr, 10);
    p = static_cast<const char*>(cr) + 2;
    return true;
  };
  long long count = 0;
  if (!line(count)) return 0;
  for (; count > 0; --count) {
    long long size = 0;
    if (!line(size) || end - p < size + 2) return 0;
    arguments.emplace_back(p, static_cast<std::size_t>(size));
    p += size + 2;
  }
  return static_cast<std::size_t>(p - bytes.data());
}

void RunPlain(benchmark::State& state, const std::string& pipeline) {
  std::vector<std::string_view> arguments;
  for (auto _ : state) {
    std::string_view rest = pipeline;
    while (!rest.empty()) {
      arguments.clear();
      rest.remove_prefix(PlainParse(rest, arguments));
      benchmark::DoNotOptimize(arguments.data());
    }
  }
  state.SetItemsProcessed(state.iterations() * kDepth);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(pipeline.size()));
}

void RunUsual(benchmark::State& state, const std::string& pipeline) {
  const Limits limits;
  std::vector<std::string_view> arguments;
  for (auto _ : state) {
    std::string_view rest = pipeline;
    while (!rest.empty()) {
      arguments.clear();
      rest.remove_prefix(TakeUsualRequest(rest, limits, arguments));
      benchmark::DoNotOptimize(arguments.data());
    }
  }
  state.SetItemsProcessed(state.iterations() * kDepth);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(pipeline.size()));
}

void RunParser(benchmark::State& state, const std::string& pipeline) {
  RequestParser parser;
  const Limits limits;
  std::vector<std::string_view> arguments;
  for (auto _ : state) {
    std::string_view rest = pipeline;
    while (parser.Parse(rest, limits) == ParseStatus::kRequest) {
      arguments.clear();
      parser.AppendArguments(rest, arguments);
      benchmark::DoNotOptimize(arguments.data());
      rest.remove_prefix(parser.size());
      parser.Reset();
    }
  }
  state.SetItemsProcessed(state.iterations() * kDepth);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(pipeline.size()));
}

void BM_PlainGet(benchmark::State& state) { RunPlain(state, GetPipeline()); }
void BM_PlainSet(benchmark::State& state) { RunPlain(state, SetPipeline()); }
void BM_ParserGet(benchmark::State& state) { RunParser(state, GetPipeline()); }
void BM_UsualGet(benchmark::State& state) { RunUsual(state, GetPipeline()); }
void BM_ParserSet(benchmark::State& state) { RunParser(state, SetPipeline()); }
void BM_UsualSet(benchmark::State& state) { RunUsual(state, SetPipeline()); }
void BM_PlainMgetOf10(benchmark::State& state) { RunPlain(state, MgetPipeline()); }
void BM_ParserMgetOf10(benchmark::State& state) { RunParser(state, MgetPipeline()); }
void BM_UsualMgetOf10(benchmark::State& state) { RunUsual(state, MgetPipeline()); }
BENCHMARK(BM_PlainGet);
BENCHMARK(BM_ParserGet);
BENCHMARK(BM_UsualGet);
BENCHMARK(BM_PlainSet);
BENCHMARK(BM_ParserSet);
BENCHMARK(BM_UsualSet);
BENCHMARK(BM_PlainMgetOf10);
BENCHMARK(BM_ParserMgetOf10);
BENCHMARK(BM_UsualMgetOf10);

}  // namespace
}  // namespace aeris::protocol
