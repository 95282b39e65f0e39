// Sorted sets: what is selected by rank, score or member, to be shown, counted, stored or removed.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/command_context.h"
#include "src/commands/families.h"
#include "src/commands/gathered_memory.h"
#include "src/commands/index_range.h"
#include "src/commands/key_specs.h"
#include "src/commands/zset_arguments.h"
#include "src/error_replies.h"

namespace aeris {
namespace {

using storage::EntryView;
using storage::RankRange;
using storage::ValueType;
using storage::ZsetView;

enum class RangeBy : std::uint8_t { kUnsaid, kRank, kScore, kLex };

// What ZRANGE and its older relatives are asked for.
struct RangeForm {
  std::size_t key = 1;  // the bounds and the options follow
  RangeBy by = RangeBy::kUnsaid;
  std::optional<bool> reverse{};
  bool store = false;
  bool with_scores = false;
  bool limited = false;
  std::int64_t offset = 0;
  std::int64_t limit = -1;
};

// A LIMIT at `index`, with its two numbers. False after an error reply.
bool ParseLimit(const CommandContext& context, std::size_t index, RangeForm& form) {
  const auto offset = context.IntegerArg(index + 1);
  const auto limit = offset ? context.IntegerArg(index + 2) : std::nullopt;
  if (!limit) return false;
  form.limited = true;
  form.offset = *offset;
  form.limit = *limit;
  return true;
}

// False after an error reply.
bool ParseRangeOptions(const CommandContext& context, RangeForm& form) {
  for (std::size_t i = form.key + 3; i < context.argc(); ++i) {
    if (!form.store && context.ArgIs(i, "withscores")) {
      form.with_scores = true;
    } else if (context.ArgIs(i, "limit") && i + 2 < context.argc()) {
      if (!ParseLimit(context, i, form)) return false;
      i += 2;
    } else if (!form.reverse && context.ArgIs(i, "rev")) {
      form.reverse = true;
    } else if (form.by == RangeBy::kUnsaid && context.ArgIs(i, "bylex")) {
      form.by = RangeBy::kLex;
    } else if (form.by == RangeBy::kUnsaid && context.ArgIs(i, "byscore")) {
      form.by = RangeBy::kScore;
    } else {
      context.reply().Error(err::kSyntax);
      return false;
    }
  }
  if (!form.reverse) form.reverse = false;
  if (form.by == RangeBy::kUnsaid) form.by = RangeBy::kRank;
  // A limit of -1 is none.
  if (form.limit != -1 && form.by == RangeBy::kRank) {
    context.reply().Error(
        "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX");
    return false;
  }
  if (form.with_scores && form.by == RangeBy::kLex) {
    context.reply().Error("ERR syntax error, WITHSCORES not supported in combination with BYLEX");
    return false;
  }
  return true;
}

// The bounds of a range; of the three the one that is asked for.
struct Bounds {
  RangeBy by = RangeBy::kRank;
  IndexEnds ranks{};
  storage::ScoreRange scores{};
  storage::LexRange members{};
};

// nullopt after an error reply.
std::optional<Bounds> BoundsArgs(const CommandContext& context, RangeBy by, std::size_t min,
                                 std::size_t max) {
  Bounds bounds{.by = by};
  if (by == RangeBy::kRank) {
    const auto ranks = IndexEndsArgs(context, min, max);
    if (!ranks) return std::nullopt;
    bounds.ranks = *ranks;
  } else if (by == RangeBy::kScore) {
    const auto scores = ScoreRangeArgs(context, min, max);
    if (!scores) return std::nullopt;
    bounds.scores = *scores;
  } else {
    const auto members = LexRangeArgs(context, min, max);
    if (!members) return std::nullopt;
    bounds.members = *members;
  }
  return bounds;
}

RankRange Select(const ZsetView& elements, const Bounds& bounds, bool reverse) {
  switch (bounds.by) {
    case RangeBy::kScore:
      return elements.RanksOf(bounds.scores);
    case RangeBy::kLex:
      return elements.RanksOf(bounds.members, reverse);
    default:
      break;
  }
  const std::size_t size = elements.size();
  const IndexRange ranks = bounds.ranks.OfItems(size);
  if (!reverse || ranks.size() == 0) return {ranks.first, ranks.end};
  return {size - ranks.end, size - ranks.first};
}

// What is left of a range after LIMIT, which counts from its end where the order is reversed. A
// negative offset leaves nothing, a negative limit everything.
RankRange Limited(RankRange ranks, const RangeForm& form) {
  if (!form.limited || form.by == RangeBy::kRank) return ranks;
  const std::uint64_t size = ranks.size();
  const auto offset = static_cast<std::uint64_t>(form.offset);
  if (form.offset < 0 || offset >= size) return {};
  std::uint64_t count = size - offset;
  if (form.limit >= 0) count = std::min(count, static_cast<std::uint64_t>(form.limit));
  if (*form.reverse) return {ranks.end - offset - count, ranks.end - offset};
  return {ranks.first + offset, ranks.first + offset + count};
}

template <typename Visit>
void WalkRange(const ZsetView& elements, RankRange ranks, bool reverse, Visit&& visit) {
  if (ranks.size() == 0) return;
  elements.Walk(reverse ? ranks.end - 1 : ranks.first, ranks.size(), reverse, visit);
}

void ReplyRange(const CommandContext& context, const ZsetView& elements, RankRange ranks,
                const RangeForm& form) {
  const ElementsReply reply(context, form.with_scores);
  reply.Begin(ranks.size());
  WalkRange(elements, ranks, *form.reverse,
            [&](std::string_view member, double score) { reply.Element(member, score); });
}

// All commands that show or store a range. `form` says what the name of the command says already.
void Range(CommandContext& context, RangeForm form) {
  if (!ParseRangeOptions(context, form)) return;
  const bool swapped = *form.reverse && form.by != RangeBy::kRank;
  const auto bounds =
      BoundsArgs(context, form.by, form.key + (swapped ? 2 : 1), form.key + (swapped ? 1 : 2));
  if (!bounds) return;
  EntryView entry;
  if (!context.FindForRead(form.key, ValueType::kZset, entry)) return;
  const ZsetView elements(entry);
  const RankRange ranks = Limited(Select(elements, *bounds, *form.reverse), form);
  if (!form.store) return ReplyRange(context, elements, ranks, form);
  std::vector<storage::ScoredMember> stored;
  if (!context.MemoryFor(ranks.size() * sizeof(storage::ScoredMember))) return;
  stored.reserve(ranks.size());
  GatheredMemory memory(context);
  // Redis adds one after the other, so that -0 is 0 for those that come while it is packed, which
  // it is not where their number, known beforehand for ranks alone, is too large.
  const storage::ZsetLimits limits = ZsetLimitsOf(context);
  bool packed = form.by != RangeBy::kRank || ranks.size() <= limits.packed_elements_max;
  WalkRange(elements, ranks, *form.reverse, [&](std::string_view member, double score) {
    if (!memory.Take(GatheredMemory::TextBytes(member.size()))) return;
    packed = packed && stored.size() < limits.packed_elements_max &&
             member.size() <= limits.packed_member_bytes_max;
    stored.push_back({std::string(member), packed && score == 0 ? 0 : score});
  });
  if (memory.refused()) return;
  StoreAndReply(context, 1, "zrangestore", stored);
}

// ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES], and the commands
// that were there before it. Reply an array of members, or of members and scores.
void ZRange(CommandContext& context) { Range(context, {}); }
void ZRevRange(CommandContext& context) { Range(context, {.by = RangeBy::kRank, .reverse = true}); }
void ZRangeByScore(CommandContext& context) {
  Range(context, {.by = RangeBy::kScore, .reverse = false});
}
void ZRevRangeByScore(CommandContext& context) {
  Range(context, {.by = RangeBy::kScore, .reverse = true});
}
void ZRangeByLex(CommandContext& context) {
  Range(context, {.by = RangeBy::kLex, .reverse = false});
}
void ZRevRangeByLex(CommandContext& context) {
  Range(context, {.by = RangeBy::kLex, .reverse = true});
}
// ZRANGESTORE destination source start stop ... Replies how many are stored.
void ZRangeStore(CommandContext& context) { Range(context, {.key = 2, .store = true}); }

// ZCOUNT key min max and ZLEXCOUNT. Reply an integer.
void CountRange(CommandContext& context, RangeBy by) {
  const auto bounds = BoundsArgs(context, by, 2, 3);
  if (!bounds) return;
  EntryView entry;
  if (!context.FindForRead(1, ValueType::kZset, entry)) return;
  const RankRange ranks = Select(ZsetView(entry), *bounds, false);
  context.reply().Integer(static_cast<std::int64_t>(ranks.size()));
}

void ZCount(CommandContext& context) { CountRange(context, RangeBy::kScore); }
void ZLexCount(CommandContext& context) { CountRange(context, RangeBy::kLex); }

// ZREMRANGEBYRANK key start stop, ZREMRANGEBYSCORE, ZREMRANGEBYLEX. Reply how many were removed.
void RemoveRange(CommandContext& context, RangeBy by, std::string_view event) {
  const auto bounds = BoundsArgs(context, by, 2, 3);
  if (!bounds) return;
  EntryView entry;
  if (!context.FindForWrite(1, ValueType::kZset, entry)) return;
  const RankRange ranks = Select(ZsetView(entry), *bounds, false);
  if (ranks.size() != 0) {
    storage::ZsetEditor editor = EditZset(context, 1, entry);
    editor.RemoveRanks(ranks.first, ranks.size());
    if (!context.Stored(editor.Commit())) return;
    context.Changed(ranks.size());
    context.NotifyTaken(KeyEvent::kZset, event, 1);
  }
  context.reply().Integer(static_cast<std::int64_t>(ranks.size()));
}

void ZRemRangeByRank(CommandContext& context) {
  RemoveRange(context, RangeBy::kRank, "zremrangebyrank");
}
void ZRemRangeByScore(CommandContext& context) {
  RemoveRange(context, RangeBy::kScore, "zremrangebyscore");
}
void ZRemRangeByLex(CommandContext& context) {
  RemoveRange(context, RangeBy::kLex, "zremrangebylex");
}

constexpr Change kZRangeHistory[] = {
    {"6.2.0", "Added the `REV`, `BYSCORE`, `BYLEX` and `LIMIT` options."}};

constexpr Change kZRangeByScoreHistory[] = {{"2.0.0", "Added the `WITHSCORES` modifier."}};

constexpr Change kZRevRangeByScoreHistory[] = {{"2.1.6", "`min` and `max` can be exclusive."}};

constexpr CommandSpec kZsetRangeCommands[] = {
    {.name = "zcount",
     .handler = ZCount,
     .arity = 4,
     .flags = Flag::kReadonly | Flag::kFast,
     .acl = Acl::kSortedSet,
     .keys = kReadKey,
     .group = Group::kSortedSet,
     .since = "2.0.0",
     .complexity = "O(log(N)) with N being the number of elements in the sorted set.",
     .summary = "Count the members in a sorted set with scores within the given values",
     .arguments = "key:key#0 min:double max:double"},
    {.name = "zlexcount",
     .handler = ZLexCount,
     .arity = 4,
     .flags = Flag::kReadonly | Flag::kFast,
     .acl = Acl::kSortedSet,
     .keys = kReadKey,
     .group = Group::kSortedSet,
     .since = "2.8.9",
     .complexity = "O(log(N)) with N being the number of elements in the sorted set.",
     .summary = "Count the number of members in a sorted set between a given lexicographical range",
     .arguments = "key:key#0 min:string max:string"},
    {.name = "zrange",
     .handler = ZRange,
     .arity = -4,
     .flags = Flag::kReadonly,
     .acl = Acl::kSortedSet,
     .keys = kReadKey,
     .group = Group::kSortedSet,
     .since = "1.2.0",
     .complexity = "O(log(N)+M) with N being the number of elements in the sorted set and M the "
                   "number of elements returned.",
     .summary = "Return a range of members in a sorted set",
     .arguments = "key:key#0 start:string stop:string sortby:oneof('BYSCORE' "
                  "byscore:pure-token|'BYLEX' bylex:pure-token)?@6.2.0 'REV' rev:pure-token?@6.2.0 "
                  "'LIMIT' offset_count:block(offset:integer count:integer)?@6.2.0 'WITHSCORES' "
                  "withscores:pure-token?",
     .history = kZRangeHistory},
    {.name = "zrangebylex",
     .handler = ZRangeByLex,
     .arity = -4,
     .flags = Flag::kReadonly,
     .acl = Acl::kSortedSet,
     .keys = kReadKey,
     .group = Group::kSortedSet,
     .since = "2.8.9",
     .complexity = "O(log(N)+M) with N being the number of elements in the sorted set and M the "
                   "number of elements being returned. If M is constant (e.g. always asking for "
                   "the first 10 elements with LIMIT), you can consider it O(log(N)).",
     .summary = "Return a range of members in a sorted set, by lexicographical range",
     .arguments = "key:key#0 min:string max:string 'LIMIT' offset_count:block(offset:integer "
                  "count:integer)?",
     .deprecated_since = "6.2.0",
     .replaced_by = "`ZRANGE` with the `BYLEX` argument"},
    {.name = "zrangebyscore",
     .handler = ZRangeByScore,
     .arity = -4,
     .flags = Flag::kReadonly,
     .acl = Acl::kSortedSet,
     .keys = kReadKey,
     .group = Group::kSortedSet,
     .since = "1.0.5",
     .complexity = "O(log(N)+M) with N being the number of elements in the sorted set and M the "
                   "number of elements being returned. If M is constant (e.g. always asking for "
                   "the first 10 elements with LIMIT), you can consider it O(log(N)).",
     .summary = "Return a range of members in a sorted set, by score",
     .arguments = "key:key#0 min:double max:double 'WITHSCORES' withscores:pure-token?@2.0.0 "
                  "'LIMIT' offset_count:block(offset:integer count:integer)?",
     .history = kZRangeByScoreHistory,
     .deprecated_since = "6.2.0",
     .replaced_by = "`ZRANGE` with the `BYSCORE` argument"},
    {.name = "zrangestore",
     .handler = ZRangeStore,
     .arity = -5,
     .flags = Flag::kWrite | Flag::kDenyOom,
     .acl = Acl::kSortedSet,
     .keys = kStoreFromKey,
     .group = Group::kSortedSet,
     .since = "6.2.0",
     .complexity = "O(log(N)+M) with N being the number of elements in the sorted set and M the "
                   "number of elements stored into the destination key.",
     .summary = "Store a range of members from sorted set into another key",
     .arguments = "dst:key#0 src:key#1 min:string max:string sortby:oneof('BYSCORE' "
                  "byscore:pure-token|'BYLEX' bylex:pure-token)? 'REV' rev:pure-token? 'LIMIT' "
                  "offset_count:block(offset:integer count:integer)?"},
    {.name = "zremrangebylex",
     .handler = ZRemRangeByLex,
     .arity = 4,
     .flags = Flag::kWrite,
     .acl = Acl::kSortedSet,
     .keys = kDeleteKey,
     .group = Group::kSortedSet,
     .since = "2.8.9",
     .complexity = "O(log(N)+M) with N being the number of elements in the sorted set and M the "
                   "number of elements removed by the operation.",
     .summary = "Remove all members in a sorted set between the given lexicographical range",
     .arguments = "key:key#0 min:string max:string"},
    {.name = "zremrangebyrank",
     .handler = ZRemRangeByRank,
     .arity = 4,
     .flags = Flag::kWrite,
     .acl = Acl::kSortedSet,
     .keys = kDeleteKey,
     .group = Group::kSortedSet,
     .since = "2.0.0",
     .complexity = "O(log(N)+M) with N being the number of elements in the sorted set and M the "
                   "number of elements removed by the operation.",
     .summary = "Remove all members in a sorted set within the given indexes",
     .arguments = "key:key#0 start:integer stop:integer"},
    {.name = "zremrangebyscore",
     .handler = ZRemRangeByScore,
     .arity = 4,
     .flags = Flag::kWrite,
     .acl = Acl::kSortedSet,
     .keys = kDeleteKey,
     .group = Group::kSortedSet,
     .since = "1.2.0",
     .complexity = "O(log(N)+M) with N being the number of elements in the sorted set and M the "
                   "number of elements removed by the operation.",
     .summary = "Remove all members in a sorted set within the given scores",
     .arguments = "key:key#0 min:double max:double"},
    {.name = "zrevrange",
     .handler = ZRevRange,
     .arity = -4,
     .flags = Flag::kReadonly,
     .acl = Acl::kSortedSet,
     .keys = kReadKey,
     .group = Group::kSortedSet,
     .since = "1.2.0",
     .complexity = "O(log(N)+M) with N being the number of elements in the sorted set and M the "
                   "number of elements returned.",
     .summary = "Return a range of members in a sorted set, by index, with scores ordered from "
                "high to low",
     .arguments = "key:key#0 start:integer stop:integer 'WITHSCORES' withscores:pure-token?",
     .deprecated_since = "6.2.0",
     .replaced_by = "`ZRANGE` with the `REV` argument"},
    {.name = "zrevrangebylex",
     .handler = ZRevRangeByLex,
     .arity = -4,
     .flags = Flag::kReadonly,
     .acl = Acl::kSortedSet,
     .keys = kReadKey,
     .group = Group::kSortedSet,
     .since = "2.8.9",
     .complexity = "O(log(N)+M) with N being the number of elements in the sorted set and M the "
                   "number of elements being returned. If M is constant (e.g. always asking for "
                   "the first 10 elements with LIMIT), you can consider it O(log(N)).",
     .summary = "Return a range of members in a sorted set, by lexicographical range, ordered from "
                "higher to lower strings.",
     .arguments = "key:key#0 max:string min:string 'LIMIT' offset_count:block(offset:integer "
                  "count:integer)?",
     .deprecated_since = "6.2.0",
     .replaced_by = "`ZRANGE` with the `REV` and `BYLEX` arguments"},
    {.name = "zrevrangebyscore",
     .handler = ZRevRangeByScore,
     .arity = -4,
     .flags = Flag::kReadonly,
     .acl = Acl::kSortedSet,
     .keys = kReadKey,
     .group = Group::kSortedSet,
     .since = "2.2.0",
     .complexity = "O(log(N)+M) with N being the number of elements in the sorted set and M the "
                   "number of elements being returned. If M is constant (e.g. always asking for "
                   "the first 10 elements with LIMIT), you can consider it O(log(N)).",
     .summary = "Return a range of members in a sorted set, by score, with scores ordered from "
                "high to low",
     .arguments = "key:key#0 max:double min:double 'WITHSCORES' withscores:pure-token? 'LIMIT' "
                  "offset_count:block(offset:integer count:integer)?",
     .history = kZRevRangeByScoreHistory,
     .deprecated_since = "6.2.0",
     .replaced_by = "`ZRANGE` with the `REV` and `BYSCORE` arguments"},
};

}  // namespace

std::span<const CommandSpec> ZsetRangeCommands() { return kZsetRangeCommands; }

}  // namespace aeris
