// Sorted sets: adding, removing, scores and ranks. Ranges, pops and set operations have files of
// their own.
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "src/base/number_text.h"
#include "src/command_context.h"
#include "src/commands/families.h"
#include "src/commands/gathered_memory.h"
#include "src/commands/key_specs.h"
#include "src/commands/random_draws.h"
#include "src/commands/zset_add.h"
#include "src/commands/zset_arguments.h"
#include "src/error_replies.h"
#include "src/scan_arguments.h"
#include "src/server.h"

namespace aeris {
namespace {

using storage::EntryView;
using storage::ValueType;
using storage::ZsetView;

// Options of ZADD from argument 2 on. Returns where the scores begin.
std::size_t ParseAddOptions(const CommandContext& context, AddOptions& options) {
  std::size_t i = 2;
  for (; i < context.argc(); ++i) {
    if (context.ArgIs(i, "nx")) {
      options.only_if_absent = true;
    } else if (context.ArgIs(i, "xx")) {
      options.only_if_present = true;
    } else if (context.ArgIs(i, "ch")) {
      options.count_changed = true;
    } else if (context.ArgIs(i, "incr")) {
      options.increment = true;
    } else if (context.ArgIs(i, "gt")) {
      options.only_if_greater = true;
    } else if (context.ArgIs(i, "lt")) {
      options.only_if_less = true;
    } else {
      break;
    }
  }
  return i;
}

// The error of options and pairs that make no sense together; empty when they do.
std::string_view ContradictionIn(const AddOptions& options, std::size_t pair_arguments) {
  if (pair_arguments % 2 != 0 || pair_arguments == 0) return err::kSyntax;
  if (options.only_if_absent && options.only_if_present) {
    return "ERR XX and NX options at the same time are not compatible";
  }
  const int comparisons =
      int{options.only_if_absent} + int{options.only_if_greater} + int{options.only_if_less};
  if (comparisons > 1) {
    return "ERR GT, LT, and/or NX options at the same time are not compatible";
  }
  if (options.increment && pair_arguments > 2) {
    return "ERR INCR option supports a single increment-element pair";
  }
  return {};
}

// ZADD, and ZINCRBY, which takes its increment for an option where it has the name of one.
void Add(CommandContext& context, AddOptions options) {
  const std::size_t first = ParseAddOptions(context, options);
  const std::size_t pair_arguments = context.argc() - first;
  const std::string_view contradiction = ContradictionIn(options, pair_arguments);
  if (!contradiction.empty()) return context.reply().Error(contradiction);
  if (pair_arguments == 2) {
    const auto score = FloatArg(context, first, err::kNotFloat);
    if (score) AddMembers(context, options, {.first = first + 1}, {&*score, 1});
    return;
  }
  std::vector<double> scores;
  scores.reserve(pair_arguments / 2);
  for (std::size_t i = first; i < context.argc(); i += 2) {
    const auto score = FloatArg(context, i, err::kNotFloat);
    if (!score) return;
    scores.push_back(*score);
  }
  AddMembers(context, options, {.first = first + 1}, scores);
}

// ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member ... Replies how many were added, with CH
// also those with another score; with INCR the new score as double | null.
void ZAdd(CommandContext& context) { Add(context, {}); }

// ZINCRBY key increment member. Replies the new score as double.
void ZIncrBy(CommandContext& context) { Add(context, {.increment = true}); }

// ZCARD key. Replies the number of elements.
void ZCard(CommandContext& context) {
  EntryView entry;
  if (!context.FindForRead(1, ValueType::kZset, entry)) return;
  context.reply().Integer(static_cast<std::int64_t>(ZsetView(entry).size()));
}

void ReplyScore(const CommandContext& context, std::optional<double> score) {
  if (!score) return context.reply().Null();
  context.reply().Double(*score);
}

// ZSCORE key member. Replies double | null.
void ZScore(CommandContext& context) {
  EntryView entry;
  if (!context.FindForRead(1, ValueType::kZset, entry)) return;
  ReplyScore(context, ZsetView(entry).Score(context.arg(2)));
}

// ZMSCORE key member ... Replies an array of double | null.
void ZMScore(CommandContext& context) {
  EntryView entry;
  if (!context.FindForRead(1, ValueType::kZset, entry)) return;
  const ZsetView elements(entry);
  context.reply().Array(context.argc() - 2);
  for (std::size_t i = 2; i < context.argc(); ++i) {
    ReplyScore(context, elements.Score(context.arg(i)));
  }
}

// ZRANK key member and ZREVRANK. Reply integer | null.
void ReplyRank(CommandContext& context, bool reverse) {
  EntryView entry;
  if (!context.FindForRead(1, ValueType::kZset, entry)) return;
  const ZsetView elements(entry);
  const auto rank = elements.Rank(context.arg(2));
  if (!rank) return context.reply().Null();
  const std::uint64_t answer = reverse ? elements.size() - 1 - *rank : *rank;
  context.reply().Integer(static_cast<std::int64_t>(answer));
}

void ZRank(CommandContext& context) { ReplyRank(context, false); }
void ZRevRank(CommandContext& context) { ReplyRank(context, true); }

// ZREM key member ... Replies how many were removed.
void ZRem(CommandContext& context) {
  EntryView entry;
  if (!context.FindForWrite(1, ValueType::kZset, entry)) return;
  std::uint64_t removed = 0;
  if (entry) {
    storage::ZsetEditor editor = EditZset(context, 1, entry);
    for (std::size_t i = 2; i < context.argc(); ++i) {
      if (editor.Remove(context.arg(i))) ++removed;
    }
    if (removed != 0) {
      if (!context.Stored(editor.Commit())) return;
      context.Changed(removed);
      context.NotifyTaken(KeyEvent::kZset, "zrem", 1);
    }
  }
  context.reply().Integer(static_cast<std::int64_t>(removed));
}

// `count` elements, each as often as chance has it.
void ReplyRepeatedly(const CommandContext& context, const ZsetView& elements, std::uint64_t count,
                     bool with_scores) {
  const ElementsReply reply(context, with_scores);
  reply.Begin(count);
  Random& random = context.server().random();
  DrawRepeatedly(context, count, [&] {
    elements.Walk(random.Below(elements.size()), 1, false,
                  [&](std::string_view member, double score) { reply.Element(member, score); });
  });
}

// `count` different elements, fewer than there are.
void ReplySample(const CommandContext& context, const ZsetView& elements, std::uint64_t count,
                 bool with_scores) {
  constexpr std::size_t kRankBytes = 6 * sizeof(std::uint64_t);  // in a table: node and buckets
  const std::uint64_t size = elements.size();
  const bool drawn = count <= size / 4;
  if (drawn && !context.MemoryFor(kRankBytes * static_cast<std::size_t>(count))) return;
  const ElementsReply reply(context, with_scores);
  reply.Begin(count);
  Random& random = context.server().random();
  if (!drawn) {
    // One walk: each element is taken with the chance that fills the sample.
    std::uint64_t left = size, wanted = count;
    return elements.ForEach([&](std::string_view member, double score) {
      if (random.Below(left--) >= wanted) return;
      --wanted;
      reply.Element(member, score);
    });
  }
  std::unordered_set<std::uint64_t> ranks;
  while (ranks.size() < count) {
    const std::uint64_t rank = random.Below(size);
    if (!ranks.insert(rank).second) continue;
    elements.Walk(rank, 1, false,
                  [&](std::string_view member, double score) { reply.Element(member, score); });
  }
}

// ZRANDMEMBER key [count [WITHSCORES]]. Replies a bulk string | null, with a count an array:
// different elements, or with a negative one any.
void ZRandMember(CommandContext& context) {
  std::optional<DrawForm> form;
  if (context.argc() > 2) {
    form = DrawFormArgs(context, "withscores");
    if (!form) return;
  }
  EntryView entry;
  if (!context.FindForRead(1, ValueType::kZset, entry)) return;
  if (!entry) return form ? context.reply().EmptyArray() : context.reply().Null();
  const ZsetView elements(entry);
  if (!form) {
    return elements.Walk(context.server().random().Below(elements.size()), 1, false,
                         [&](std::string_view member, double) { context.reply().Bulk(member); });
  }
  if (form->repeated) return ReplyRepeatedly(context, elements, form->count, form->whole);
  if (form->count < elements.size()) {
    return ReplySample(context, elements, form->count, form->whole);
  }
  const ElementsReply reply(context, form->whole);
  reply.Begin(elements.size());
  // From the highest on, as Redis.
  elements.Walk(elements.size() - 1, elements.size(), true,
                [&](std::string_view member, double score) { reply.Element(member, score); });
}

// The score as ZSCAN spells it: a packed integer as such, all others as ZSCORE does.
std::size_t FormatScanned(char* out, double score, bool packed) {
  const auto integer = packed ? storage::PackedInteger(score) : std::nullopt;
  return integer ? FormatInt64(out, *integer) : FormatDouble(out, score);
}

// ZSCAN key cursor [MATCH pattern] [COUNT n]. Replies the next cursor, and a flat array of members
// and scores, which are bulk strings in RESP3 as well.
void ZScan(CommandContext& context) {
  const auto cursor = CursorArg(context, 2);
  if (!cursor) return;
  EntryView entry;
  if (!context.FindForRead(1, ValueType::kZset, entry)) return;
  ScanOptions options;
  if (entry && !ParseScanOptions(context, {}, options)) return;
  const ZsetView elements(entry);
  // The cursor comes first in the reply, so the elements are gathered.
  std::vector<storage::ScoredMember> found;
  GatheredMemory memory(context);
  const std::uint64_t next =
      elements.Scan(*cursor, options.count, [&](std::string_view member, double score) {
        if (!options.Matches(member)) return;
        if (!memory.Take(sizeof(found[0]) + GatheredMemory::TextBytes(member.size()))) return;
        found.push_back({std::string(member), score});
      });
  if (memory.refused()) return;
  ReplyScanHead(context, next, 2 * found.size());
  char text[kDoubleTextMax];
  for (const storage::ScoredMember& each : found) {
    context.reply().Bulk(each.member);
    context.reply().Bulk({text, FormatScanned(text, each.score, elements.packed())});
  }
}

constexpr Change kZAddHistory[] = {{"2.4.0", "Accepts multiple elements."},
                                   {"3.0.2", "Added the `XX`, `NX`, `CH` and `INCR` options."},
                                   {"6.2.0", "Added the `GT` and `LT` options."}};

constexpr std::string_view kNondeterministicOutputTips[] = {"nondeterministic_output"};

constexpr Change kZRemHistory[] = {{"2.4.0", "Accepts multiple elements."}};

constexpr CommandSpec kZsetCommands[] = {
    {.name = "zadd",
     .handler = ZAdd,
     .arity = -4,
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .acl = Acl::kSortedSet,
     .keys = kUpdateKey,
     .group = Group::kSortedSet,
     .since = "1.2.0",
     .complexity =
         "O(log(N)) for each item added, where N is the number of elements in the sorted set.",
     .summary = "Add one or more members to a sorted set, or update its score if it already exists",
     .arguments = "key:key#0 condition:oneof('NX' nx:pure-token|'XX' xx:pure-token)?@3.0.2 "
                  "comparison:oneof('GT' gt:pure-token|'LT' lt:pure-token)?@6.2.0 'CH' "
                  "change:pure-token?@3.0.2 'INCR' increment:pure-token?@3.0.2 "
                  "score_member:block(score:double member:string)*",
     .history = kZAddHistory,
     .member = 3,
     .brief_args_max = 4},
    {.name = "zcard",
     .handler = ZCard,
     .arity = 2,
     .flags = Flag::kReadonly | Flag::kFast,
     .acl = Acl::kSortedSet,
     .keys = kInspectKey,
     .group = Group::kSortedSet,
     .since = "1.2.0",
     .complexity = "O(1)",
     .summary = "Get the number of members in a sorted set",
     .arguments = "key:key#0",
     .brief_args_max = 2},
    {.name = "zincrby",
     .handler = ZIncrBy,
     .arity = 4,
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .acl = Acl::kSortedSet,
     .keys = kReadUpdateKey,
     .group = Group::kSortedSet,
     .since = "1.2.0",
     .complexity = "O(log(N)) where N is the number of elements in the sorted set.",
     .summary = "Increment the score of a member in a sorted set",
     .arguments = "key:key#0 increment:integer member:string",
     .member = 3,
     .brief_args_max = 4},
    {.name = "zmscore",
     .handler = ZMScore,
     .arity = -3,
     .flags = Flag::kReadonly | Flag::kFast,
     .acl = Acl::kSortedSet,
     .keys = kReadKey,
     .group = Group::kSortedSet,
     .since = "6.2.0",
     .complexity = "O(N) where N is the number of members being requested.",
     .summary = "Get the score associated with the given members in a sorted set",
     .arguments = "key:key#0 member:string*"},
    {.name = "zrandmember",
     .handler = ZRandMember,
     .arity = -2,
     .flags = Flag::kReadonly,
     .acl = Acl::kSortedSet,
     .keys = kReadKey,
     .group = Group::kSortedSet,
     .since = "6.2.0",
     .complexity = "O(N) where N is the number of elements returned",
     .summary = "Get one or multiple random elements from a sorted set",
     .arguments = "key:key#0 options:block(count:integer 'WITHSCORES' withscores:pure-token?)?",
     .tips = kNondeterministicOutputTips},
    {.name = "zrank",
     .handler = ZRank,
     .arity = 3,
     .flags = Flag::kReadonly | Flag::kFast,
     .acl = Acl::kSortedSet,
     .keys = kReadKey,
     .group = Group::kSortedSet,
     .since = "2.0.0",
     .complexity = "O(log(N))",
     .summary = "Determine the index of a member in a sorted set",
     .arguments = "key:key#0 member:string",
     .member = 2,
     .brief_args_max = 3},
    {.name = "zrem",
     .handler = ZRem,
     .arity = -3,
     .flags = Flag::kWrite | Flag::kFast,
     .acl = Acl::kSortedSet,
     .keys = kDeleteKey,
     .group = Group::kSortedSet,
     .since = "1.2.0",
     .complexity = "O(M*log(N)) with N being the number of elements in the sorted set and M the "
                   "number of elements to be removed.",
     .summary = "Remove one or more members from a sorted set",
     .arguments = "key:key#0 member:string*",
     .history = kZRemHistory,
     .member = 2,
     .brief_args_max = 3},
    {.name = "zrevrank",
     .handler = ZRevRank,
     .arity = 3,
     .flags = Flag::kReadonly | Flag::kFast,
     .acl = Acl::kSortedSet,
     .keys = kReadKey,
     .group = Group::kSortedSet,
     .since = "2.0.0",
     .complexity = "O(log(N))",
     .summary =
         "Determine the index of a member in a sorted set, with scores ordered from high to low",
     .arguments = "key:key#0 member:string",
     .member = 2},
    {.name = "zscan",
     .handler = ZScan,
     .arity = -3,
     .flags = Flag::kReadonly,
     .acl = Acl::kSortedSet,
     .keys = kReadKey,
     .group = Group::kSortedSet,
     .since = "2.8.0",
     .complexity =
         "O(1) for every call. O(N) for a complete iteration, including enough command calls for "
         "the cursor to return back to 0. N is the number of elements inside the collection..",
     .summary = "Incrementally iterate sorted sets elements and associated scores",
     .arguments = "key:key#0 cursor:integer 'MATCH' pattern:pattern? 'COUNT' count:integer?",
     .tips = kNondeterministicOutputTips},
    {.name = "zscore",
     .handler = ZScore,
     .arity = 3,
     .flags = Flag::kReadonly | Flag::kFast,
     .acl = Acl::kSortedSet,
     .keys = kReadKey,
     .group = Group::kSortedSet,
     .since = "1.2.0",
     .complexity = "O(1)",
     .summary = "Get the score associated with the given member in a sorted set",
     .arguments = "key:key#0 member:string",
     .member = 2,
     .brief_args_max = 3},
};

}  // namespace

std::span<const CommandSpec> ZsetCommands() { return kZsetCommands; }

}  // namespace aeris
