// Sets: members one by one, moving and drawing them. What joins several sets is in
// set_operation_commands.cc.
#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "src/command_context.h"
#include "src/commands/families.h"
#include "src/commands/gathered_memory.h"
#include "src/commands/key_specs.h"
#include "src/commands/random_draws.h"
#include "src/commands/set_limits.h"
#include "src/error_replies.h"
#include "src/scan_arguments.h"
#include "src/server.h"
#include "storage/set_value.h"

namespace aeris {
namespace {

using storage::EntryView;
using storage::IntegerText;
using storage::SetEditor;
using storage::SetView;
using storage::StoreResult;
using storage::ValueType;

SetEditor Edit(const CommandContext& context, EntryView entry) {
  return {context.keyspace(), context.Key(1), entry, LimitsOfSets(context), context.now()};
}

// SADD key member ... Replies the number of members that were not there.
void SAdd(CommandContext& context) {
  EntryView entry;
  if (!context.FindForWrite(1, ValueType::kSet, entry)) return;
  SetEditor set = Edit(context, entry);
  std::int64_t added = 0;
  for (std::size_t i = 2; i < context.argc(); ++i) {
    const StoreResult result = set.Add(context.arg(i));
    if (!context.Stored(result)) return;
    added += result == StoreResult::kStored ? 1 : 0;
  }
  if (added != 0 && !context.Stored(set.Commit())) return;
  context.Changed(static_cast<std::uint64_t>(added));
  if (added != 0) context.Notify(KeyEvent::kSet, "sadd", 1);
  context.reply().Integer(added);
}

// SREM key member ... Replies the number of members removed.
void SRem(CommandContext& context) {
  EntryView entry;
  if (!context.FindForWrite(1, ValueType::kSet, entry)) return;
  if (!entry) return context.reply().Integer(0);
  SetEditor set = Edit(context, entry);
  std::int64_t removed = 0;
  for (std::size_t i = 2; i < context.argc(); ++i) removed += set.Remove(context.arg(i)) ? 1 : 0;
  if (removed != 0 && !context.Stored(set.Commit())) return;
  context.Changed(static_cast<std::uint64_t>(removed));
  if (removed != 0) context.NotifyTaken(KeyEvent::kSet, "srem", 1);
  context.reply().Integer(removed);
}

// SCARD key. Replies the number of members.
void SCard(CommandContext& context) {
  EntryView entry;
  if (!context.FindForRead(1, ValueType::kSet, entry)) return;
  context.reply().Integer(static_cast<std::int64_t>(SetView(entry).size()));
}

// SISMEMBER key member. Replies 1 | 0.
void SIsMember(CommandContext& context) {
  EntryView entry;
  if (!context.FindForRead(1, ValueType::kSet, entry)) return;
  context.reply().Integer(SetView(entry).Contains(context.arg(2)) ? 1 : 0);
}

// SMISMEMBER key member ... Replies an array of 1 | 0.
void SMIsMember(CommandContext& context) {
  EntryView entry;
  if (!context.FindForRead(1, ValueType::kSet, entry)) return;
  const SetView set(entry);
  const auto members = context.args().subspan(2);
  context.reply().Array(members.size());
  for (std::size_t i = 0; i < members.size(); i += SetView::kBatch) {
    const auto batch = members.subspan(i, std::min(SetView::kBatch, members.size() - i));
    std::array<bool, SetView::kBatch> found{};
    set.Contains(batch, std::span(found).first(batch.size()));
    for (std::size_t j = 0; j < batch.size(); ++j) context.reply().Integer(found[j] ? 1 : 0);
  }
}

// SMEMBERS key. Replies a set.
void SMembers(CommandContext& context) {
  EntryView entry;
  if (!context.FindForRead(1, ValueType::kSet, entry)) return;
  const SetView set(entry);
  context.reply().Set(set.size());
  set.ForEach([&](std::string_view member) { context.reply().Bulk(member); });
}

// Memory for a member in a vector of texts; if `node_bytes` are given, in a set of texts too, whose
// nodes take so many beside the text.
bool TakeMember(GatheredMemory& memory, std::string_view member, std::size_t node_bytes = 0) {
  const std::size_t text = sizeof(std::string) + GatheredMemory::TextBytes(member.size());
  return memory.Take(node_bytes == 0 ? text : 2 * text + node_bytes);
}

// SSCAN key cursor [MATCH pattern] [COUNT n]. Replies the next cursor and an array of members.
void SScan(CommandContext& context) {
  const auto cursor = CursorArg(context, 2);
  if (!cursor) return;
  EntryView entry;
  if (!context.FindForRead(1, ValueType::kSet, entry)) return;
  ScanOptions options;
  if (entry && !ParseScanOptions(context, {}, options)) return;
  // A member that is an integer has no text that stays.
  std::vector<std::string> members;
  GatheredMemory memory(context);
  const std::uint64_t next =
      SetView(entry).Scan(*cursor, options.count, [&](std::string_view member) {
        if (options.Matches(member) && TakeMember(memory, member)) members.emplace_back(member);
      });
  if (memory.refused()) return;
  ReplyScanHead(context, next, members.size());
  for (const std::string& member : members) context.reply().Bulk(member);
}

// SMOVE source destination member. Replies 1 | 0 when it was not in the source.
void SMove(CommandContext& context) {
  EntryView from;
  from = context.FindForWrite(1);
  if (!from) return context.reply().Integer(0);
  const auto is_set = [](EntryView entry) { return !entry || entry.type() == ValueType::kSet; };
  // The target is looked up first, since a lookup may end views.
  const bool target_fits = is_set(context.FindForWrite(2));
  from = context.FindForWrite(1);
  if (!is_set(from) || !target_fits) return context.reply().Error(err::kWrongType);
  const std::string_view member = context.arg(3);
  if (context.arg(1) == context.arg(2)) {
    return context.reply().Integer(SetView(from).Contains(member) ? 1 : 0);
  }
  if (!SetView(from).Contains(member)) return context.reply().Integer(0);
  // Added before it is removed, so that it is never lost without memory.
  SetEditor target(context.keyspace(), context.Key(2), context.FindForWrite(2),
                   LimitsOfSets(context), context.now());
  const StoreResult added = target.Add(member);
  if (!context.Stored(added)) return;
  if (added == StoreResult::kStored && !context.Stored(target.Commit())) return;
  SetEditor source = Edit(context, context.FindForWrite(1));
  source.Remove(member);
  if (!context.Stored(source.Commit())) return;
  context.Changed(added == StoreResult::kStored ? 2 : 1);
  context.NotifyTaken(KeyEvent::kSet, "srem", 1);
  if (added == StoreResult::kStored) context.Notify(KeyEvent::kSet, "sadd", 2);
  context.reply().Integer(1);
}

// --- Drawing

// `count` different members, all of the same chance, fewer than there are. Incomplete when `memory`
// was refused.
std::vector<std::string> DrawDifferent(const SetView& set, std::size_t count, Random& random,
                                       GatheredMemory& memory) {
  std::vector<std::string> drawn;
  IntegerText scratch;
  if (count > set.size() / 3) {
    // So many that drawing would meet the same ones again and again.
    set.ForEach([&](std::string_view member) {
      if (TakeMember(memory, member)) drawn.emplace_back(member);
    });
    if (memory.refused()) return drawn;
    for (std::size_t i = 0; i < count; ++i) {
      std::swap(drawn[i], drawn[i + random.Below(drawn.size() - i)]);
    }
    drawn.resize(count);
    return drawn;
  }
  constexpr std::size_t kSeenBytes = 4 * sizeof(void*);  // in the table, beside the text
  std::unordered_set<std::string> seen;
  while (drawn.size() < count) {
    const std::string_view member = set.RandomMember(random, scratch);
    if (!TakeMember(memory, member, kSeenBytes)) return drawn;
    if (seen.emplace(member).second) drawn.emplace_back(member);
  }
  return drawn;
}

// SPOP key. Replies a member as bulk string | null.
void PopOne(CommandContext& context, EntryView entry) {
  if (!entry) return context.reply().Null();
  SetEditor set = Edit(context, entry);
  IntegerText scratch;
  const std::string member(set.view().RandomMember(context.server().random(), scratch));
  set.Remove(member);
  if (!context.Stored(set.Commit())) return;
  context.Changed();
  context.NotifyTaken(KeyEvent::kSet, "spop", 1);
  context.reply().Bulk(member);
}

// SPOP key [count]. With a count replies a set of at most so many members.
void SPop(CommandContext& context) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  if (context.argc() > 3) return context.reply().Error(err::kSyntax);
  std::optional<std::int64_t> count;
  if (context.argc() == 3) {
    count = context.IntegerArg(2, 0, kMax, err::kMustBePositive);
    if (!count) return;
  }
  EntryView entry;
  if (!context.FindForWrite(1, ValueType::kSet, entry)) return;
  if (!count) return PopOne(context, entry);
  if (!entry || *count == 0) return context.reply().Set(0);
  const auto wanted = static_cast<std::uint64_t>(*count);
  const SetView all(entry);
  if (wanted >= all.size()) {
    context.reply().Set(all.size());
    all.ForEach([&](std::string_view member) { context.reply().Bulk(member); });
    if (context.reply().buffer().out_of_memory()) return;  // what cannot be told of stays
    context.Changed();
    context.keyspace().Delete(context.Key(1), context.now());
    context.NotifyTaken(KeyEvent::kSet, "spop", 1);
    return;
  }
  SetEditor set = Edit(context, entry);
  GatheredMemory memory(context);
  const std::vector<std::string> drawn = DrawDifferent(set.view(), static_cast<std::size_t>(wanted),
                                                       context.server().random(), memory);
  // The members are gone when the reply is written.
  if (memory.refused() || !context.MemoryFor(memory.taken())) return;
  for (const std::string& member : drawn) set.Remove(member);
  if (!context.Stored(set.Commit())) return;
  context.Changed(wanted);
  context.Notify(KeyEvent::kSet, "spop", 1);
  context.reply().Set(drawn.size());
  for (const std::string& member : drawn) context.reply().Bulk(member);
}

// SRANDMEMBER key. Replies a member as bulk string | null. With a count: an array, of different
// members, or of any -count members when it is negative.
void SRandMember(CommandContext& context) {
  if (context.argc() > 3) return context.reply().Error(err::kSyntax);
  std::optional<DrawForm> form;
  if (context.argc() == 3) {
    form = DrawFormArgs(context, "");
    if (!form) return;
  }
  EntryView entry;
  if (!context.FindForRead(1, ValueType::kSet, entry)) return;
  const SetView set(entry);
  Random& random = context.server().random();
  IntegerText scratch;
  if (!form) {
    if (!entry) return context.reply().Null();
    return context.reply().Bulk(set.RandomMember(random, scratch));
  }
  if (!entry || form->count == 0) return context.reply().EmptyArray();
  if (form->repeated) {
    context.reply().Array(form->count);
    return DrawRepeatedly(context, form->count,
                          [&] { context.reply().Bulk(set.RandomMember(random, scratch)); });
  }
  if (form->count >= set.size()) {
    context.reply().Array(set.size());
    return set.ForEach([&](std::string_view member) { context.reply().Bulk(member); });
  }
  GatheredMemory memory(context);
  const auto drawn = DrawDifferent(set, static_cast<std::size_t>(form->count), random, memory);
  if (memory.refused()) return;
  context.reply().Array(drawn.size());
  for (const std::string& member : drawn) context.reply().Bulk(member);
}

constexpr Change kMembersHistory[] = {{"2.4.0", "Accepts multiple `member` arguments."}};

constexpr std::string_view kSMembersTips[] = {"nondeterministic_output_order"};
constexpr Change kSPopHistory[] = {{"3.2.0", "Added the `count` argument."}};
constexpr std::string_view kSPopTips[] = {"nondeterministic_output"};
constexpr Change kSRandMemberHistory[] = {{"2.6.0", "Added the optional `count` argument."}};
constexpr CommandSpec kSetCommands[] = {
    {.name = "sadd",
     .handler = SAdd,
     .arity = -3,
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .acl = Acl::kSet,
     .keys = kInsertKey,
     .group = Group::kSet,
     .since = "1.0.0",
     .complexity = "O(1) for each element added, so O(N) to add N elements when the command is "
                   "called with multiple arguments.",
     .summary = "Add one or more members to a set",
     .arguments = "key:key#0 member:string*",
     .history = kMembersHistory,
     .member = 2,
     .brief_args_max = 3},
    {.name = "scard",
     .handler = SCard,
     .arity = 2,
     .flags = Flag::kReadonly | Flag::kFast,
     .acl = Acl::kSet,
     .keys = kInspectKey,
     .group = Group::kSet,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Get the number of members in a set",
     .arguments = "key:key#0",
     .brief_args_max = 2},
    {.name = "sismember",
     .handler = SIsMember,
     .arity = 3,
     .flags = Flag::kReadonly | Flag::kFast,
     .acl = Acl::kSet,
     .keys = kInspectKey,
     .group = Group::kSet,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Determine if a given value is a member of a set",
     .arguments = "key:key#0 member:string",
     .member = 2,
     .brief_args_max = 3},
    {.name = "smembers",
     .handler = SMembers,
     .arity = 2,
     .flags = Flag::kReadonly,
     .acl = Acl::kSet,
     .keys = kReadKey,
     .group = Group::kSet,
     .since = "1.0.0",
     .complexity = "O(N) where N is the set cardinality.",
     .summary = "Get all the members in a set",
     .arguments = "key:key#0",
     .tips = kSMembersTips},
    {.name = "smismember",
     .handler = SMIsMember,
     .arity = -3,
     .flags = Flag::kReadonly | Flag::kFast,
     .acl = Acl::kSet,
     .keys = kReadKey,
     .group = Group::kSet,
     .since = "6.2.0",
     .complexity = "O(N) where N is the number of elements being checked for membership",
     .summary = "Returns the membership associated with the given elements for a set",
     .arguments = "key:key#0 member:string*"},
    {.name = "smove",
     .handler = SMove,
     .arity = 4,
     .flags = Flag::kWrite | Flag::kFast,
     .acl = Acl::kSet,
     .keys = kMoveKeys,
     .group = Group::kSet,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Move a member from one set to another",
     .arguments = "source:key#0 destination:key#1 member:string"},
    {.name = "spop",
     .handler = SPop,
     .arity = -2,
     .flags = Flag::kWrite | Flag::kFast,
     .acl = Acl::kSet,
     .keys = kTakeKey,
     .group = Group::kSet,
     .since = "1.0.0",
     .complexity = "Without the count argument O(1), otherwise O(N) where N is the value of the "
                   "passed count.",
     .summary = "Remove and return one or multiple random members from a set",
     .arguments = "key:key#0 count:integer?@3.2.0",
     .history = kSPopHistory,
     .tips = kSPopTips,
     .brief_args_max = 2},
    {.name = "srandmember",
     .handler = SRandMember,
     .arity = -2,
     .flags = Flag::kReadonly,
     .acl = Acl::kSet,
     .keys = kReadKey,
     .group = Group::kSet,
     .since = "1.0.0",
     .complexity = "Without the count argument O(1), otherwise O(N) where N is the absolute value "
                   "of the passed count.",
     .summary = "Get one or multiple random members from a set",
     .arguments = "key:key#0 count:integer?@2.6.0",
     .history = kSRandMemberHistory,
     .tips = kSPopTips},
    {.name = "srem",
     .handler = SRem,
     .arity = -3,
     .flags = Flag::kWrite | Flag::kFast,
     .acl = Acl::kSet,
     .keys = kDeleteKey,
     .group = Group::kSet,
     .since = "1.0.0",
     .complexity = "O(N) where N is the number of members to be removed.",
     .summary = "Remove one or more members from a set",
     .arguments = "key:key#0 member:string*",
     .history = kMembersHistory,
     .member = 2,
     .brief_args_max = 3},
    {.name = "sscan",
     .handler = SScan,
     .arity = -3,
     .flags = Flag::kReadonly,
     .acl = Acl::kSet,
     .keys = kReadKey,
     .group = Group::kSet,
     .since = "2.8.0",
     .complexity =
         "O(1) for every call. O(N) for a complete iteration, including enough command calls for "
         "the cursor to return back to 0. N is the number of elements inside the collection..",
     .summary = "Incrementally iterate Set elements",
     .arguments = "key:key#0 cursor:integer 'MATCH' pattern:pattern? 'COUNT' count:integer?",
     .tips = kSPopTips},
};

}  // namespace

std::span<const CommandSpec> SetCommands() { return kSetCommands; }

}  // namespace aeris
