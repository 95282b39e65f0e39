#include "tools/cache_simulator/policy.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "src/base/number_text.h"
#include "tools/cache_simulator/exact_lru.h"
#include "tools/cache_simulator/redis_policy.h"
#include "tools/cache_simulator/s3fifo_policy.h"

namespace aeris::cachesim {

const std::string_view kPolicies = R"(  lru              exact, at the footprint of Redis
  redis-lru        sampled; clock=SECONDS is the resolution of its clock, 1
  redis-lfu        sampled, decays by the minute
  s3fifo           at the footprint of aeris:
    small=PERCENT    the small queue's share of the memory, 10
    promote=HITS     that a key needs in the small queue to stay, 1
    max=COUNT        of a key's uses, 3
    start=COUNT      of a key that leaves the small queue for the main part, 0; or `keep`: its hits
    back=COUNT       of a key that was among the ghosts, 0
    ghosts=PERCENT   of the number of keys, 100
    bits=BITS        of a ghost's fingerprint, 16
    ghost=all        what the hand evicts is remembered as well
    order=fifo       the main part is a queue instead of a clock in hash order
    decay=half       the hand halves counts instead of taking one
    size=RULE        none; main: the hand takes counts in proportion to the size; small: likewise the
                     hits that a key needs in the small queue; both; large: the hand takes two from
                     what is larger than the mean
    unit=PERCENT     of the mean size: the size that costs one count, 100
    weigh=bytes      the mean over bytes instead of entries, but `unit` at most
)";

namespace {

bool ReadCount(std::string_view text, unsigned max, unsigned& out) {
  const std::optional<std::uint64_t> value = ParseUint64(text);
  if (!value || *value > max) return false;
  out = static_cast<unsigned>(*value);
  return true;
}

bool ReadShare(std::string_view text, double& out) {
  const std::optional<double> percent = ParseDouble(text);
  if (!percent || !(*percent >= 0) || *percent > 1000) return false;
  out = *percent / 100;
  return true;
}

bool ReadRule(std::string_view text, S3fifoPolicy::SizeRule& out) {
  using Rule = S3fifoPolicy::SizeRule;
  static constexpr std::array<std::pair<std::string_view, Rule>, 5> kRules = {{
      {"none", Rule::kNone},
      {"main", Rule::kMain},
      {"small", Rule::kSmall},
      {"both", Rule::kBoth},
      {"large", Rule::kLarge},
  }};
  for (const auto& [name, rule] : kRules) {
    if (name == text) {
      out = rule;
      return true;
    }
  }
  return false;
}

bool ReadWord(std::string_view text, std::string_view word, bool& out) {
  out = text == word;
  return out;
}

bool Apply(S3fifoPolicy::Options& options, std::string_view name, std::string_view text) {
  if (name == "small") return ReadShare(text, options.small_share);
  if (name == "promote") return ReadCount(text, 63, options.promote_hits);
  if (name == "max") return ReadCount(text, 63, options.count_max);
  if (name == "start" && text == "keep") return options.keep_count = true;
  if (name == "start") return ReadCount(text, 63, options.start_count);
  if (name == "back") return ReadCount(text, 63, options.ghost_count);
  if (name == "ghosts") return ReadShare(text, options.ghost_share);
  if (name == "bits") return ReadCount(text, 16, options.ghost_bits) && options.ghost_bits > 0;
  if (name == "ghost") return ReadWord(text, "all", options.ghost_main);
  if (name == "order") return ReadWord(text, "fifo", options.main_fifo);
  if (name == "decay") return ReadWord(text, "half", options.halve);
  if (name == "weigh") return ReadWord(text, "bytes", options.size_weighted);
  if (name == "unit") return ReadShare(text, options.size_unit) && options.size_unit > 0;
  if (name == "size") return ReadRule(text, options.size_rule);
  return false;
}

bool Apply(RedisPolicy::Options& options, std::string_view name, std::string_view text) {
  const std::optional<double> value = ParseDouble(text);
  if (name != "clock" || !value || !(*value >= 0) || *value > 3600) return false;
  options.clock_seconds = *value;
  return true;
}

// The first parameter that is none; empty when all were applied.
template <typename Options>
std::string_view ApplyAll(Options& options, std::string_view parameters) {
  while (!parameters.empty()) {
    const std::string_view one = parameters.substr(0, parameters.find(','));
    parameters.remove_prefix(std::min(one.size() + 1, parameters.size()));
    const std::size_t equals = std::min(one.find('='), one.size());
    if (!Apply(options, one.substr(0, equals), one.substr(std::min(equals + 1, one.size())))) {
      return one.empty() ? "," : one;
    }
  }
  return {};
}

template <typename Kind>
std::expected<std::unique_ptr<Policy>, std::string> Make(typename Kind::Options options,
                                                         std::string_view parameters,
                                                         const CacheShape& shape) {
  if (const std::string_view wrong = ApplyAll(options, parameters); !wrong.empty()) {
    return std::unexpected("unknown or wrong: " + std::string(wrong));
  }
  return std::make_unique<Kind>(options, shape);
}

}  // namespace

std::expected<std::unique_ptr<Policy>, std::string> MakePolicy(std::string_view text,
                                                               const CacheShape& shape) {
  const std::string_view name = text.substr(0, text.find(','));
  const std::string_view parameters = text.substr(std::min(name.size() + 1, text.size()));
  using Redis = RedisPolicy;
  if (name == "lru" && parameters.empty()) return std::make_unique<ExactLru>(shape);
  if (name == "redis-lru") return Make<Redis>({.kind = Redis::Kind::kLru}, parameters, shape);
  if (name == "redis-lfu") return Make<Redis>({.kind = Redis::Kind::kLfu}, parameters, shape);
  if (name == "s3fifo") return Make<S3fifoPolicy>({}, parameters, shape);
  return std::unexpected("no policy has that name: " + std::string(text));
}

}  // namespace aeris::cachesim
