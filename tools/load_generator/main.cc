// load-generator: puts load on a server of this machine and prints what it saw as one line of JSON.
// --help says how; tools/bench compares servers with it.
#include <fmt/format.h>

#include <cstdio>
#include <span>
#include <string>

#include "tools/load_generator/fan_out.h"
#include "tools/load_generator/growth_probe.h"
#include "tools/load_generator/load_run.h"
#include "tools/load_generator/look_aside.h"
#include "tools/load_generator/options.h"
#include "tools/load_generator/pause_watch.h"

namespace aeris::load {
namespace {

std::string LatencyJson(const Latencies& latencies) {
  const auto ms = [&](double percentile) {
    return static_cast<double>(latencies.histogram.ValueAt(percentile)) / 1e6;
  };
  return fmt::format(R"({{"p50_ms":{:.4f},"p99_ms":{:.4f},"p999_ms":{:.4f},"max_ms":{:.4f}}})",
                     ms(50), ms(99), ms(99.9), static_cast<double>(latencies.longest_ns) / 1e6);
}

std::string LoadJson(const Options& options, const LoadResult& result) {
  const auto requests = static_cast<double>(result.asked.requests);
  // memcached says nothing of what is missing.
  const std::uint64_t misses = options.protocol == Protocol::kMemcached
                                   ? result.asked.values - result.replies.values
                                   : result.replies.nulls;
  return fmt::format(
      R"({{"workload":"{}","requests":{},"seconds":{:.6f},"rate":{:.1f},"hits":{},"misses":{},)"
      R"("value_bytes":{},"latency":{},"own_cpu_us":{:.4f},"server_cpu_us":{:.4f}}})",
      NameOf(options.workload), result.asked.requests, result.seconds, requests / result.seconds,
      result.replies.values, misses, result.replies.value_bytes, LatencyJson(result.latencies),
      result.own_cpu_seconds / requests * 1e6, result.server_cpu_seconds / requests * 1e6);
}

std::string GrowthJson(const Options& options, const GrowthResult& result) {
  std::string longest;
  for (const LongInsert& insert : result.longest) {
    longest += fmt::format(R"({}{{"ms":{:.4f},"keys":{}}})", longest.empty() ? "" : ",",
                           static_cast<double>(insert.nanoseconds) / 1e6, insert.keys);
  }
  return fmt::format(
      R"({{"workload":"grow","keys":{},"probes":{},"seconds":{:.6f},"idle":{},"growing":{},)"
      R"("longest":[{}]}})",
      options.keys, options.probes, result.seconds, LatencyJson(result.idle),
      LatencyJson(result.growing), longest);
}

std::string CountsJson(const CacheCounts& counts) {
  return fmt::format(R"({{"requests":{},"misses":{},"one_time_requests":{},"one_time_misses":{}}})",
                     counts.requests, counts.misses, counts.one_time_requests,
                     counts.one_time_misses);
}

std::string LookAsideJson(const Options& options, const LookAsideResult& result) {
  CacheCounts all;
  std::string parts;
  for (const CacheCounts& part : result.parts) {
    all.requests += part.requests;
    all.misses += part.misses;
    parts += (parts.empty() ? "" : ",") + CountsJson(part);
  }
  const auto asked = static_cast<double>(options.requests);
  return fmt::format(
      R"({{"workload":"look-aside","requests":{},"misses":{},"parts":[{}],"warm_up":{},)"
      R"("fill_seconds":{:.6f},"seconds":{:.6f},"rate":{:.1f},"own_cpu_us":{:.4f},)"
      R"("server_cpu_us":{:.4f}}})",
      all.requests, all.misses, parts, CountsJson(result.warm_up), result.fill_seconds,
      result.seconds, asked / result.seconds, result.own_cpu_seconds / asked * 1e6,
      result.server_cpu_seconds / asked * 1e6);
}

std::string WatchJson(const WatchResult& result) {
  std::string longest;
  for (const LongPing& ping : result.longest) {
    longest += fmt::format(R"({}{{"ms":{:.4f},"at_seconds":{:.3f}}})", longest.empty() ? "" : ",",
                           static_cast<double>(ping.nanoseconds) / 1e6, ping.at_seconds);
  }
  return fmt::format(
      R"({{"workload":"watch","pings":{},"seconds":{:.6f},"idle":{},"watched":{},"longest":[{}]}})",
      result.watched.histogram.count(), result.watched_seconds, LatencyJson(result.idle),
      LatencyJson(result.watched), longest);
}

std::string FanOutJson(const Options& options, const FanOutResult& result) {
  const auto delivered = static_cast<double>(result.delivered);
  return fmt::format(
      R"({{"workload":"fan-out","messages":{},"subscribers":{},"seconds":{:.6f},"rate":{:.1f},)"
      R"("own_cpu_us":{:.4f},"server_cpu_us":{:.4f}}})",
      result.messages, options.connections, result.seconds, delivered / result.seconds,
      result.own_cpu_seconds / delivered * 1e6, result.server_cpu_seconds / delivered * 1e6);
}

std::string RunToJson(const Options& options) {
  switch (options.workload) {
    case Workload::kFanOut:
      return FanOutJson(options, RunFanOut(options));
    case Workload::kGrow:
      return GrowthJson(options, RunGrowth(options));
    case Workload::kLookAside:
      return LookAsideJson(options, RunLookAside(options));
    case Workload::kWatch:
      return WatchJson(RunWatch(options));
    default:
      return LoadJson(options, RunLoad(options));
  }
}

}  // namespace
}  // namespace aeris::load

int main(int argc, char** argv) {
  using namespace aeris::load;
  const auto options = ParseOptions(std::span(argv + 1, static_cast<std::size_t>(argc - 1)));
  if (!options) {
    const bool help = options.error().code == aeris::ErrorCode::kNotFound;
    if (help) {
      fmt::print("{}", kUsage);
    } else {
      fmt::print(stderr, "load-generator: {}; --help tells\n", options.error().message);
    }
    return help ? 0 : 2;
  }
  fmt::print("{}\n", RunToJson(*options));
  return 0;
}
