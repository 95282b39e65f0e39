// cache-simulator: the misses of eviction policies on the traffic of the load generator's
// look-aside clients, without a server. --help says how; `tools/cachebench --simulate` runs it on
// all its cells.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <expected>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/number_text.h"
#include "tools/cache_simulator/policy.h"
#include "tools/load_generator/cache_traffic.h"
#include "tools/load_generator/look_aside.h"
#include "tools/load_generator/options.h"

namespace aeris::cachesim {
namespace {

constexpr std::string_view kUsage = R"(usage: cache-simulator --limit MIB [option ...] POLICY ...

Prints one line of JSON for each policy. Options are the traffic of `load-generator --workload
look-aside`: --keys, --zipf, --value-size, --value-size-max, --drift, --scan-period, --scan-keys,
--warm-up, --requests, --seed; and --rate, the requests per second that clocks see (500000).
A policy is a name, and parameters behind commas: s3fifo,small=5,promote=2
)";

constexpr std::size_t kValueBytesMax = 32 * 1024;  // with what is beside it, less than 2^16

struct Arguments {
  load::Options traffic;
  std::size_t limit_bytes = 0;
  std::vector<std::string_view> policies;
};

// Requests as positions in the order of hashes. Numbered from 0 to the number of all keys.
struct Trace {
  struct Request {
    Position key : 31;
    Position one_time : 1;
  };
  std::vector<Position> fill;
  std::vector<Request> requests;
  std::vector<std::uint16_t> value_bytes;
};

std::expected<Arguments, std::string> Read(std::span<char*> words) {
  Arguments arguments;
  std::vector<char*> others;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (!word.starts_with("--")) {
      arguments.policies.push_back(word);
    } else if (i + 1 == words.size()) {
      return std::unexpected(std::string(word) + " wants a value");
    } else if (word == "--limit") {
      const std::optional<std::uint64_t> mib = ParseUint64(words[++i]);
      if (!mib || *mib == 0 || *mib > 1 << 20) return std::unexpected("--limit is none");
      arguments.limit_bytes = *mib << 20U;
    } else {
      others.insert(others.end(), {words[i], words[i + 1]});
      ++i;
    }
  }
  std::array<std::string, 2> look_aside = {"--workload", "look-aside"};
  for (std::string& word : look_aside) others.push_back(word.data());
  const auto traffic = load::ParseOptions(others);
  if (!traffic) return std::unexpected(traffic.error().message);
  arguments.traffic = *traffic;
  if (std::max(traffic->value_bytes, traffic->value_bytes_max) > kValueBytesMax) {
    return std::unexpected("values are too large");
  }
  if (arguments.limit_bytes == 0) return std::unexpected("there is no --limit");
  if (arguments.policies.empty()) return std::unexpected("there is no policy");
  return arguments;
}

Trace MakeTrace(const load::Options& options) {
  load::CacheTraffic traffic(options);
  std::vector<load::CacheRequest> requests(options.warm_up + options.requests);
  std::uint64_t keys = options.keys;
  for (load::CacheRequest& request : requests) {
    request = traffic.Next();
    keys = std::max(keys, request.key + 1);
  }
  // A random permutation stands for the order of hashes.
  std::vector<Position> position(keys);
  std::iota(position.begin(), position.end(), Position{0});
  load::Xoshiro random(3);
  for (std::size_t i = keys; i > 1; --i) std::swap(position[i - 1], position[random.Below(i)]);

  Trace trace;
  trace.value_bytes.resize(keys);
  for (std::uint64_t key = 0; key < keys; ++key) {
    trace.value_bytes[position[key]] = static_cast<std::uint16_t>(traffic.ValueBytes(key));
  }
  for (const std::uint32_t key : traffic.FillOrder()) trace.fill.push_back(position[key]);
  trace.requests.reserve(requests.size());
  for (const load::CacheRequest& request : requests) {
    trace.requests.push_back({position[request.key] & 0x7fffffffU, request.one_time ? 1U : 0U});
  }
  return trace;
}

load::CacheCounts Ask(Policy& policy, std::span<const Trace::Request> requests) {
  load::CacheCounts counts;
  for (const Trace::Request request : requests) {
    const bool hit = policy.Get(request.key);
    ++(request.one_time != 0 ? counts.one_time_requests : counts.requests);
    if (hit) continue;
    ++(request.one_time != 0 ? counts.one_time_misses : counts.misses);
    policy.Insert(request.key);
  }
  return counts;
}

std::string Simulate(std::string_view name, Policy& policy, const Trace& trace,
                     std::size_t warm_up) {
  for (const Position key : trace.fill) policy.Insert(key);
  std::span<const Trace::Request> left = trace.requests;
  Ask(policy, left.first(warm_up));
  left = left.subspan(warm_up);
  load::CacheCounts all;
  std::string parts;
  for (std::size_t i = load::LookAsideResult::kParts; i > 0; --i) {
    const load::CacheCounts part = Ask(policy, left.first(left.size() / i));
    left = left.subspan(left.size() / i);
    all.requests += part.requests;
    all.misses += part.misses;
    parts += fmt::format(R"({}{{"requests":{},"misses":{}}})", parts.empty() ? "" : ",",
                         part.requests, part.misses);
  }
  return fmt::format(R"({{"policy":"{}","requests":{},"misses":{},"parts":[{}],"keys":{}}})", name,
                     all.requests, all.misses, parts, policy.keys());
}

int Main(std::span<char*> words) {
  if (words.size() == 1 && std::string_view(words[0]) == "--help") {
    fmt::print("{}{}", kUsage, kPolicies);
    return 0;
  }
  const auto arguments = Read(words);
  if (!arguments) {
    fmt::print(stderr, "cache-simulator: {}; --help tells\n", arguments.error());
    return 2;
  }
  const Trace trace = MakeTrace(arguments->traffic);
  CacheShape shape{.value_bytes = trace.value_bytes,
                   .key_bytes = arguments->traffic.key_bytes,
                   .limit_bytes = arguments->limit_bytes};
  if (arguments->traffic.rate > 0) shape.requests_per_second = arguments->traffic.rate;
  for (const std::string_view name : arguments->policies) {
    auto policy = MakePolicy(name, shape);
    if (!policy) {
      fmt::print(stderr, "cache-simulator: {}; --help tells\n", policy.error());
      return 2;
    }
    fmt::print("{}\n", Simulate(name, **policy, trace, arguments->traffic.warm_up));
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace aeris::cachesim

int main(int argc, char** argv) {
  return aeris::cachesim::Main(std::span(argv + 1, static_cast<std::size_t>(argc - 1)));
}
