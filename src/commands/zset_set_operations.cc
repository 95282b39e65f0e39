// Sorted sets: union, intersection and difference, of sorted sets and sets.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/command_context.h"
#include "src/command_table.h"
#include "src/commands/families.h"
#include "src/commands/key_specs.h"
#include "src/commands/zset_arguments.h"
#include "src/error_replies.h"
#include "storage/member_source.h"

namespace aeris {
namespace {

using storage::EntryView;
using storage::MemberSource;
using storage::ScoredMember;

enum class Operation : std::uint8_t { kUnion, kIntersection, kDifference };
enum class Aggregate : std::uint8_t { kSum, kMin, kMax };

struct Source {
  MemberSource members;
  double weight = 1;

  // 0 times infinity is 0.
  double Weighted(double score) const {
    const double weighted = weight * score;
    return std::isnan(weighted) ? 0 : weighted;
  }
};

// A set operation as it was asked for.
struct SetRequest {
  Operation operation = Operation::kUnion;
  std::size_t numkeys = 1;  // the argument with the number of keys; the keys follow
  bool store = false;
  bool count_only = false;  // ZINTERCARD
  Aggregate aggregate = Aggregate::kSum;
  bool with_scores = false;
  std::uint64_t limit = 0;  // ZINTERCARD; 0: none
  std::vector<Source> sources{};
};

double Combined(Aggregate aggregate, double a, double b) {
  switch (aggregate) {
    case Aggregate::kMin:
      return std::min(a, b);
    case Aggregate::kMax:
      return std::max(a, b);
    case Aggregate::kSum:
      break;
  }
  const double sum = a + b;
  return std::isnan(sum) ? 0 : sum;  // infinities of both signs
}

// Looks the keys up and fills request.sources. False after an error reply.
bool FindSources(const CommandContext& context, SetRequest& request) {
  const auto count = context.IntegerArg(request.numkeys);
  if (!count) return false;
  if (*count < 1) {
    context.reply().Error("ERR at least 1 input key is needed for '" +
                          std::string(context.command().full_name()) + "' command");
    return false;
  }
  const std::size_t first = request.numkeys + 1;
  if (static_cast<std::uint64_t>(*count) > context.argc() - first) {
    context.reply().Error(err::kSyntax);
    return false;
  }
  const std::size_t end = first + static_cast<std::size_t>(*count);
  for (std::size_t i = first; i < end; ++i) {
    const EntryView entry = context.FindForRead(i);
    if (entry && !MemberSource::Accepts(entry.type())) {
      context.reply().Error(err::kWrongType);
      return false;
    }
  }
  // A lookup may remove what has expired, so views are taken when all of that is done.
  request.sources.reserve(end - first);
  for (std::size_t i = first; i < end; ++i) {
    request.sources.push_back(
        {MemberSource(context.keyspace().Find(context.Key(i), context.now(), storage::kPeek))});
  }
  if (request.count_only) return true;
  // The result is sorted apart, and doubles while it grows.
  std::size_t members = 0;
  for (const Source& source : request.sources) members += source.members.size();
  return context.MemoryFor(3 * members * sizeof(ScoredMember));
}

bool ParseAggregate(const CommandContext& context, std::size_t index, Aggregate& aggregate) {
  if (context.ArgIs(index, "sum")) {
    aggregate = Aggregate::kSum;
  } else if (context.ArgIs(index, "min")) {
    aggregate = Aggregate::kMin;
  } else if (context.ArgIs(index, "max")) {
    aggregate = Aggregate::kMax;
  } else {
    return false;
  }
  return true;
}

// The options behind the keys. False after an error reply.
bool ParseSetOptions(const CommandContext& context, SetRequest& request) {
  const bool weighs = request.operation != Operation::kDifference && !request.count_only;
  const std::size_t sources = request.sources.size();
  for (std::size_t i = request.numkeys + 1 + sources; i < context.argc(); ++i) {
    const std::size_t left = context.argc() - i - 1;
    if (weighs && left >= sources && context.ArgIs(i, "weights")) {
      for (Source& source : request.sources) {
        const auto weight = FloatArg(context, ++i, "ERR weight value is not a float");
        if (!weight) return false;
        source.weight = *weight;
      }
    } else if (weighs && left >= 1 && context.ArgIs(i, "aggregate")) {
      if (!ParseAggregate(context, ++i, request.aggregate)) {
        context.reply().Error(err::kSyntax);
        return false;
      }
    } else if (!request.store && !request.count_only && context.ArgIs(i, "withscores")) {
      request.with_scores = true;
    } else if (request.count_only && left >= 1 && context.ArgIs(i, "limit")) {
      const auto limit = context.IntegerArg(++i, 0, std::numeric_limits<std::int64_t>::max(),
                                            "ERR LIMIT can't be negative");
      if (!limit) return false;
      request.limit = static_cast<std::uint64_t>(*limit);
    } else {
      context.reply().Error(err::kSyntax);
      return false;
    }
  }
  return true;
}

// Redis goes over the smallest source first, and sums of floats depend on the order.
void SortBySize(SetRequest& request) {
  std::ranges::stable_sort(request.sources, std::less<>{},
                           [](const Source& source) { return source.members.size(); });
}

// Sorted by member instead of hashed: members are a client's, and a plain hash could be made to
// collide.
std::vector<ScoredMember> Union(SetRequest& request) {
  SortBySize(request);
  std::vector<ScoredMember> all;
  for (const Source& source : request.sources) {
    source.members.ForEach([&](std::string_view member, double score) {
      all.push_back({std::string(member), source.Weighted(score)});
    });
  }
  if (request.sources.size() == 1) return all;
  std::ranges::stable_sort(all, std::less<>{}, &ScoredMember::member);
  std::size_t kept = 0;
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (all[i].member == all[kept].member) {
      all[kept].score = Combined(request.aggregate, all[kept].score, all[i].score);
    } else if (++kept != i) {
      all[kept] = std::move(all[i]);
    }
  }
  if (!all.empty()) all.resize(kept + 1);
  return all;
}

// The members that are in all sources: visit(member, score) until it returns false.
template <typename Visit>
void VisitIntersection(SetRequest& request, Visit&& visit) {
  SortBySize(request);
  const Source& smallest = request.sources.front();
  smallest.members.ForEach([&](std::string_view member, double score) -> bool {
    double combined = smallest.Weighted(score);
    for (std::size_t i = 1; i < request.sources.size(); ++i) {
      const Source& other = request.sources[i];
      const auto found = other.members.Score(member);
      if (!found) return true;
      // As it comes: an aggregate of what is no number is the other score, or 0 for a sum.
      combined = Combined(request.aggregate, combined, other.weight * *found);
    }
    return visit(member, combined);
  });
}

std::vector<ScoredMember> Intersection(SetRequest& request) {
  std::vector<ScoredMember> common;
  VisitIntersection(request, [&](std::string_view member, double score) {
    common.push_back({std::string(member), score});
    return true;
  });
  return common;
}

// What is in the first source alone.
std::vector<ScoredMember> Difference(const SetRequest& request) {
  std::vector<ScoredMember> rest;
  const auto others = std::span(request.sources).subspan(1);
  request.sources.front().members.ForEach([&](std::string_view member, double score) {
    const bool elsewhere = std::ranges::any_of(
        others, [&](const Source& other) { return other.members.Score(member).has_value(); });
    if (!elsewhere) rest.push_back({std::string(member), score});
  });
  return rest;
}

std::vector<ScoredMember> Result(SetRequest& request) {
  switch (request.operation) {
    case Operation::kUnion:
      return Union(request);
    case Operation::kIntersection:
      return Intersection(request);
    case Operation::kDifference:
      return Difference(request);
  }
  return {};
}

std::string_view StoreEvent(Operation operation) {
  switch (operation) {
    case Operation::kUnion:
      return "zunionstore";
    case Operation::kIntersection:
      return "zinterstore";
    case Operation::kDifference:
      break;
  }
  return "zdiffstore";
}

void Run(CommandContext& context, SetRequest request) {
  if (!FindSources(context, request) || !ParseSetOptions(context, request)) return;
  std::vector<ScoredMember> result = Result(request);
  if (request.store) return StoreAndReply(context, 1, StoreEvent(request.operation), result);
  std::ranges::sort(result, std::less<>{});
  const ElementsReply reply(context, request.with_scores);
  reply.Begin(result.size());
  for (const ScoredMember& each : result) reply.Element(each.member, each.score);
}

// ZUNION numkeys key ... [WEIGHTS weight ...] [AGGREGATE SUM | MIN | MAX] [WITHSCORES], ZINTER
// likewise, ZDIFF without weights and aggregate. Reply an array of members, or of members and
// scores.
void ZUnion(CommandContext& context) { Run(context, {.operation = Operation::kUnion}); }
void ZInter(CommandContext& context) { Run(context, {.operation = Operation::kIntersection}); }
void ZDiff(CommandContext& context) { Run(context, {.operation = Operation::kDifference}); }

// ZUNIONSTORE destination numkeys key ... and the others. Reply how many are stored.
void ZUnionStore(CommandContext& context) {
  Run(context, {.operation = Operation::kUnion, .numkeys = 2, .store = true});
}
void ZInterStore(CommandContext& context) {
  Run(context, {.operation = Operation::kIntersection, .numkeys = 2, .store = true});
}
void ZDiffStore(CommandContext& context) {
  Run(context, {.operation = Operation::kDifference, .numkeys = 2, .store = true});
}

// ZINTERCARD numkeys key ... [LIMIT n]. Replies the number of common members, at most n.
void ZInterCard(CommandContext& context) {
  SetRequest request{.operation = Operation::kIntersection, .count_only = true};
  if (!FindSources(context, request) || !ParseSetOptions(context, request)) return;
  std::uint64_t count = 0;
  VisitIntersection(request, [&](std::string_view, double) { return ++count != request.limit; });
  context.reply().Integer(static_cast<std::int64_t>(count));
}

constexpr KeySpec kZDiffStoreKeys[] = {{.flags = KeyFlag::kOverwrite | KeyFlag::kUpdate},
                                       {.flags = KeyFlag::kReadOnly | KeyFlag::kAccess,
                                        .index = 2,
                                        .find = KeySpec::Find::kKeynum,
                                        .first_key = 1}};

constexpr CommandSpec kZsetSetOperationCommands[] = {
    {.name = "zdiff",
     .handler = ZDiff,
     .arity = -3,
     .flags = Flag::kReadonly | Flag::kMovableKeys,
     .acl = Acl::kSortedSet,
     .keys = kReadCountedKeys,
     .group = Group::kSortedSet,
     .since = "6.2.0",
     .complexity = "O(L + (N-K)log(N)) worst case where L is the total number of elements in all "
                   "the sets, N is the size of the first set, and K is the size of the result set.",
     .summary = "Subtract multiple sorted sets",
     .arguments = "numkeys:integer key:key*#0 'WITHSCORES' withscores:pure-token?"},
    {.name = "zdiffstore",
     .handler = ZDiffStore,
     .arity = -4,
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kMovableKeys,
     .acl = Acl::kSortedSet,
     .keys = kZDiffStoreKeys,
     .group = Group::kSortedSet,
     .since = "6.2.0",
     .complexity = "O(L + (N-K)log(N)) worst case where L is the total number of elements in all "
                   "the sets, N is the size of the first set, and K is the size of the result set.",
     .summary = "Subtract multiple sorted sets and store the resulting sorted set in a new key",
     .arguments = "destination:key#0 numkeys:integer key:key*#1"},
    {.name = "zinter",
     .handler = ZInter,
     .arity = -3,
     .flags = Flag::kReadonly | Flag::kMovableKeys,
     .acl = Acl::kSortedSet,
     .keys = kReadCountedKeys,
     .group = Group::kSortedSet,
     .since = "6.2.0",
     .complexity = "O(N*K)+O(M*log(M)) worst case with N being the smallest input sorted set, K "
                   "being the number of input sorted sets and M being the number of elements in "
                   "the resulting sorted set.",
     .summary = "Intersect multiple sorted sets",
     .arguments = "numkeys:integer key:key*#0 'WEIGHTS' weight:integer?* 'AGGREGATE' "
                  "aggregate:oneof('SUM' sum:pure-token|'MIN' min:pure-token|'MAX' "
                  "max:pure-token)? 'WITHSCORES' withscores:pure-token?"},
    {.name = "zintercard",
     .handler = ZInterCard,
     .arity = -3,
     .flags = Flag::kReadonly | Flag::kMovableKeys,
     .acl = Acl::kSortedSet,
     .keys = kReadCountedKeys,
     .group = Group::kSortedSet,
     .since = "7.0.0",
     .complexity = "O(N*K) worst case with N being the smallest input sorted set, K being the "
                   "number of input sorted sets.",
     .summary = "Intersect multiple sorted sets and return the cardinality of the result",
     .arguments = "numkeys:integer key:key*#0 'LIMIT' limit:integer?"},
    {.name = "zinterstore",
     .handler = ZInterStore,
     .arity = -4,
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kMovableKeys,
     .acl = Acl::kSortedSet,
     .keys = kZDiffStoreKeys,
     .group = Group::kSortedSet,
     .since = "2.0.0",
     .complexity = "O(N*K)+O(M*log(M)) worst case with N being the smallest input sorted set, K "
                   "being the number of input sorted sets and M being the number of elements in "
                   "the resulting sorted set.",
     .summary = "Intersect multiple sorted sets and store the resulting sorted set in a new key",
     .arguments =
         "destination:key#0 numkeys:integer key:key*#1 'WEIGHTS' weight:integer?* 'AGGREGATE' "
         "aggregate:oneof('SUM' sum:pure-token|'MIN' min:pure-token|'MAX' max:pure-token)?"},
    {.name = "zunion",
     .handler = ZUnion,
     .arity = -3,
     .flags = Flag::kReadonly | Flag::kMovableKeys,
     .acl = Acl::kSortedSet,
     .keys = kReadCountedKeys,
     .group = Group::kSortedSet,
     .since = "6.2.0",
     .complexity = "O(N)+O(M*log(M)) with N being the sum of the sizes of the input sorted sets, "
                   "and M being the number of elements in the resulting sorted set.",
     .summary = "Add multiple sorted sets",
     .arguments = "numkeys:integer key:key*#0 'WEIGHTS' weight:integer?* 'AGGREGATE' "
                  "aggregate:oneof('SUM' sum:pure-token|'MIN' min:pure-token|'MAX' "
                  "max:pure-token)? 'WITHSCORES' withscores:pure-token?"},
    {.name = "zunionstore",
     .handler = ZUnionStore,
     .arity = -4,
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kMovableKeys,
     .acl = Acl::kSortedSet,
     .keys = kZDiffStoreKeys,
     .group = Group::kSortedSet,
     .since = "2.0.0",
     .complexity = "O(N)+O(M log(M)) with N being the sum of the sizes of the input sorted sets, "
                   "and M being the number of elements in the resulting sorted set.",
     .summary = "Add multiple sorted sets and store the resulting sorted set in a new key",
     .arguments =
         "destination:key#0 numkeys:integer key:key*#1 'WEIGHTS' weight:integer?* 'AGGREGATE' "
         "aggregate:oneof('SUM' sum:pure-token|'MIN' min:pure-token|'MAX' max:pure-token)?"},
};

}  // namespace

std::span<const CommandSpec> ZsetSetOperationCommands() { return kZsetSetOperationCommands; }

}  // namespace aeris
