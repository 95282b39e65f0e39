// Sorted sets: taking the lowest or highest elements away.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "src/blocked_clients.h"
#include "src/command_context.h"
#include "src/commands/families.h"
#include "src/commands/key_specs.h"
#include "src/commands/pop_first.h"
#include "src/commands/zset_arguments.h"
#include "src/error_replies.h"

namespace aeris {
namespace {

using storage::EntryView;
using storage::ValueType;
using storage::ZsetView;

enum class PopEnd : std::uint8_t { kMin, kMax };

// Whether there is memory to tell of `count` elements of the usual size, before they go. False
// after the OOM reply.
bool MemoryToReply(const CommandContext& context, EntryView entry, std::uint64_t count) {
  constexpr std::size_t kScoreBytes = 64;  // with what frames both
  constexpr std::uint64_t kFew = 16;       // their reply may fail by itself (Pop)
  if (count <= kFew) [[likely]]
    return true;
  const std::size_t member_bytes =
      context.keyspace().MemoryUsage(entry) / std::max<std::size_t>(ZsetView(entry).size(), 1);
  return context.MemoryFor(static_cast<std::size_t>(count) * (member_bytes + kScoreBytes));
}

// Removes up to `count` elements of the key at argument `key`, which has some, and visits them from
// that end inwards.
template <typename Visit>
void Pop(const CommandContext& context, std::size_t key, EntryView entry, PopEnd end,
         std::uint64_t count, Visit&& visit) {
  const ZsetView elements(entry);
  const std::uint64_t size = elements.size();
  const bool highest = end == PopEnd::kMax;
  elements.Walk(highest ? size - 1 : 0, count, highest, visit);
  if (context.reply().buffer().out_of_memory()) return;  // what cannot be told of stays
  storage::ZsetEditor editor = EditZset(context, key, entry);
  editor.RemoveRanks(highest ? size - count : 0, count);
  // What shrinks is stored where it was.
  (void)editor.Commit();
  context.Changed(count);
  context.NotifyTaken(KeyEvent::kZset, highest ? "zpopmax" : "zpopmin", key);
}

// ZPOPMIN key [count] and ZPOPMAX. Reply a flat array of members and scores; in RESP3 a count makes
// it an array of pairs.
void PopOne(CommandContext& context, PopEnd end) {
  if (context.argc() > 3) return context.reply().Error(err::kSyntax);
  const bool counted = context.argc() == 3;
  std::uint64_t count = 1;
  if (counted) {
    const auto given =
        context.IntegerArg(2, 0, std::numeric_limits<std::int64_t>::max(), err::kMustBePositive);
    if (!given) return;
    count = static_cast<std::uint64_t>(*given);
  }
  EntryView entry;
  if (!context.FindForWrite(1, ValueType::kZset, entry)) return;
  count = std::min<std::uint64_t>(count, ZsetView(entry).size());
  if (count == 0) return context.reply().EmptyArray();
  if (!MemoryToReply(context, entry, count)) return;
  const bool pairs = counted && context.reply().resp() != 2;
  context.reply().Array(pairs ? count : 2 * count);
  Pop(context, 1, entry, end, count, [&](std::string_view member, double score) {
    if (pairs) context.reply().Array(2);
    context.reply().Bulk(member);
    context.reply().Double(score);
  });
}

void ZPopMin(CommandContext& context) { PopOne(context, PopEnd::kMin); }
void ZPopMax(CommandContext& context) { PopOne(context, PopEnd::kMax); }

PopEnd EndOf(const MultiPop& form) { return form.from_back ? PopEnd::kMax : PopEnd::kMin; }
constexpr EndWords kEnds{.front = "min", .back = "max"};

// Replies the key's name and an array of pairs of member and score.
bool PopMany(const CommandContext& context, const MultiPop& form) {
  const auto pop = [&](std::size_t key, EntryView entry) {
    const std::uint64_t count = std::min<std::uint64_t>(form.count, ZsetView(entry).size());
    if (!MemoryToReply(context, entry, count)) return;
    context.reply().Array(2);
    context.reply().Bulk(context.arg(key));
    context.reply().Array(count);
    Pop(context, key, entry, EndOf(form), count, [&](std::string_view member, double score) {
      context.reply().Array(2);
      context.reply().Bulk(member);
      context.reply().Double(score);
    });
  };
  return PopFirst(context, ValueType::kZset, form.first_key, form.keys, pop);
}

// ZMPOP numkeys key ... MIN | MAX [COUNT n]. Replies an array of the key and of pairs of member and
// score | null array.
void ZMPop(CommandContext& context) {
  const auto pop = MultiPopArgs(context, 1, kEnds);
  if (pop && !PopMany(context, *pop)) context.reply().NullArray();
}

// BZMPOP timeout numkeys key ... MIN | MAX [COUNT n]. Replies as ZMPOP, or waits.
void BZMPop(CommandContext& context) {
  const auto timeout = TimeoutSecondsArg(context, 1);
  if (!timeout) return;
  const auto pop = MultiPopArgs(context, 2, kEnds);
  if (pop && !PopMany(context, *pop)) {
    BlockOnKeys(context, ValueType::kZset, pop->first_key, pop->keys, *timeout);
  }
}

// BZPOPMIN key ... timeout and BZPOPMAX. Reply an array of key, member and score, or wait.
void PopOrBlock(CommandContext& context, PopEnd end) {
  const std::size_t keys = context.argc() - 2;
  const auto timeout = TimeoutSecondsArg(context, context.argc() - 1);
  if (!timeout) return;
  const auto pop = [&](std::size_t key, EntryView entry) {
    context.reply().Array(3);
    context.reply().Bulk(context.arg(key));
    Pop(context, key, entry, end, 1, [&](std::string_view member, double score) {
      context.reply().Bulk(member);
      context.reply().Double(score);
    });
  };
  if (!PopFirst(context, ValueType::kZset, 1, keys, pop)) {
    BlockOnKeys(context, ValueType::kZset, 1, keys, *timeout);
  }
}

void BZPopMin(CommandContext& context) { PopOrBlock(context, PopEnd::kMin); }
void BZPopMax(CommandContext& context) { PopOrBlock(context, PopEnd::kMax); }

constexpr CommandSpec kZsetPopCommands[] = {
    {.name = "bzmpop",
     .handler = BZMPop,
     .arity = -5,
     .flags = Flag::kWrite | Flag::kBlocking | Flag::kMovableKeys,
     .acl = Acl::kSortedSet,
     .keys = kBlockingMultiPopKeys,
     .group = Group::kSortedSet,
     .since = "7.0.0",
     .complexity = "O(K) + O(M*log(N)) where K is the number of provided keys, N being the number "
                   "of elements in the sorted set, and M being the number of elements popped.",
     .summary =
         "Remove and return members with scores in a sorted set or block until one is available",
     .arguments = "timeout:double numkeys:integer key:key*#0 where:oneof('MIN' "
                  "min:pure-token|'MAX' max:pure-token) 'COUNT' count:integer?"},
    {.name = "bzpopmax",
     .handler = BZPopMax,
     .arity = -3,
     .flags = Flag::kWrite | Flag::kNoScript | Flag::kBlocking | Flag::kFast,
     .acl = Acl::kSortedSet,
     .keys = kBlockingPopKeys,
     .group = Group::kSortedSet,
     .since = "5.0.0",
     .complexity = "O(log(N)) with N being the number of elements in the sorted set.",
     .summary = "Remove and return the member with the highest score from one or more sorted sets, "
                "or block until one is available",
     .arguments = "key:key*#0 timeout:double",
     .history = kTimeoutHistory},
    {.name = "bzpopmin",
     .handler = BZPopMin,
     .arity = -3,
     .flags = Flag::kWrite | Flag::kNoScript | Flag::kBlocking | Flag::kFast,
     .acl = Acl::kSortedSet,
     .keys = kBlockingPopKeys,
     .group = Group::kSortedSet,
     .since = "5.0.0",
     .complexity = "O(log(N)) with N being the number of elements in the sorted set.",
     .summary = "Remove and return the member with the lowest score from one or more sorted sets, "
                "or block until one is available",
     .arguments = "key:key*#0 timeout:double",
     .history = kTimeoutHistory},
    {.name = "zmpop",
     .handler = ZMPop,
     .arity = -4,
     .flags = Flag::kWrite | Flag::kMovableKeys,
     .acl = Acl::kSortedSet,
     .keys = kMultiPopKeys,
     .group = Group::kSortedSet,
     .since = "7.0.0",
     .complexity = "O(K) + O(M*log(N)) where K is the number of provided keys, N being the number "
                   "of elements in the sorted set, and M being the number of elements popped.",
     .summary = "Remove and return members with scores in a sorted set",
     .arguments = "numkeys:integer key:key*#0 where:oneof('MIN' min:pure-token|'MAX' "
                  "max:pure-token) 'COUNT' count:integer?"},
    {.name = "zpopmax",
     .handler = ZPopMax,
     .arity = -2,
     .flags = Flag::kWrite | Flag::kFast,
     .acl = Acl::kSortedSet,
     .keys = kTakeKey,
     .group = Group::kSortedSet,
     .since = "5.0.0",
     .complexity = "O(log(N)*M) with N being the number of elements in the sorted set, and M being "
                   "the number of elements popped.",
     .summary = "Remove and return members with the highest scores in a sorted set",
     .arguments = "key:key#0 count:integer?",
     .brief_args_max = 2},
    {.name = "zpopmin",
     .handler = ZPopMin,
     .arity = -2,
     .flags = Flag::kWrite | Flag::kFast,
     .acl = Acl::kSortedSet,
     .keys = kTakeKey,
     .group = Group::kSortedSet,
     .since = "5.0.0",
     .complexity = "O(log(N)*M) with N being the number of elements in the sorted set, and M being "
                   "the number of elements popped.",
     .summary = "Remove and return members with the lowest scores in a sorted set",
     .arguments = "key:key#0 count:integer?",
     .brief_args_max = 2},
};

}  // namespace

std::span<const CommandSpec> ZsetPopCommands() { return kZsetPopCommands; }

}  // namespace aeris
