// Intersection, union and difference of sets.
#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "src/command_context.h"
#include "src/command_keys.h"
#include "src/commands/families.h"
#include "src/commands/key_specs.h"
#include "src/commands/set_limits.h"
#include "src/error_replies.h"

namespace aeris {
namespace {

using storage::EntryView;
using storage::IntegerText;
using storage::SetEditor;
using storage::SetView;
using storage::StoreResult;
using storage::ValueType;

// Members on their way from one set to a look into others.
class Batch {
 public:
  bool full() const { return size_ == SetView::kBatch; }
  std::span<const std::string_view> members() const { return std::span(members_).first(size_); }
  void Clear() { size_ = 0; }
  // The view is good for the call alone when it is an integer's text; longer text stays where it
  // is.
  void Add(std::string_view member) {
    if (member.size() <= sizeof(IntegerText)) {
      char* const copy = texts_[size_].bytes;
      if (!member.empty()) std::memcpy(copy, member.data(), member.size());
      member = {copy, member.size()};
    }
    members_[size_++] = member;
  }

 private:
  std::size_t size_ = 0;
  std::array<std::string_view, SetView::kBatch> members_;
  std::array<IntegerText, SetView::kBatch> texts_;
};

// The sets at the arguments from `first` on, `count` of them. None after a WRONGTYPE reply.
std::optional<std::vector<SetView>> FindSets(const CommandContext& context, std::size_t first,
                                             std::size_t count) {
  for (std::size_t i = first; i < first + count; ++i) {
    EntryView entry;
    if (!context.FindForRead(i, ValueType::kSet, entry)) return std::nullopt;
  }
  // Again, since a lookup may end the views before it. Nothing expires any more.
  std::vector<SetView> sets;
  sets.reserve(count);
  for (std::size_t i = first; i < first + count; ++i) {
    sets.emplace_back(context.keyspace().Find(context.Key(i), context.now(), storage::kPeek));
  }
  return sets;
}

// Calls `visit(member)` for those members of `from` that are in all of `others`, or in none, until
// it returns false. Waits for memory once per batch and set.
template <typename Visit>
void Select(const SetView& from, std::span<const SetView> others, bool in_all, Visit&& visit) {
  Batch batch;
  bool go_on = true;
  const auto run = [&] {
    std::array<bool, SetView::kBatch> kept;
    kept.fill(true);
    for (const SetView& other : others) {
      std::array<bool, SetView::kBatch> found{};
      other.Contains(batch.members(), std::span(found).first(batch.members().size()));
      for (std::size_t i = 0; i < kept.size(); ++i) kept[i] &= found[i] == in_all;
    }
    for (std::size_t i = 0; go_on && i < batch.members().size(); ++i) {
      if (kept[i]) go_on = visit(batch.members()[i]);
    }
    batch.Clear();
    return go_on;
  };
  from.ForEach([&](std::string_view member) {
    batch.Add(member);
    return !batch.full() || run();
  });
  if (go_on) run();
}

// What the three operations walk over: `visit(member)` returns false to end it.
struct Intersection {
  template <typename Visit>
  static void Walk(std::vector<SetView> sets, Visit&& visit) {
    // The smallest leads.
    std::ranges::sort(sets, {}, &SetView::size);
    Select(sets[0], std::span(sets).subspan(1), true, visit);
  }
};

struct Difference {
  template <typename Visit>
  static void Walk(std::vector<SetView> sets, Visit&& visit) {
    // A large set is the likeliest to settle it.
    std::ranges::sort(sets.begin() + 1, sets.end(), std::ranges::greater(), &SetView::size);
    Select(sets[0], std::span(sets).subspan(1), false, visit);
  }
};

// A member that several sets have is visited for each of them.
struct Union {
  template <typename Visit>
  static void Walk(std::span<const SetView> sets, Visit&& visit) {
    bool go_on = true;
    for (const SetView& set : sets) {
      set.ForEach([&](std::string_view member) { return go_on = visit(member); });
      if (!go_on) return;
    }
  }
};

// False after the OOM reply.
template <typename Operation>
bool Fill(const CommandContext& context, const std::vector<SetView>& sets, SetEditor& result) {
  bool stored = true;
  Operation::Walk(
      sets, [&](std::string_view member) { return stored = context.Stored(result.Add(member)); });
  return stored;
}

// SINTERSTORE, SUNIONSTORE, SDIFFSTORE destination key ... Reply the number of members stored; the
// destination goes when there are none. `event` tells of what is stored.
template <typename Operation>
void Store(CommandContext& context, std::string_view event) {
  const auto sets = FindSets(context, 2, context.argc() - 2);
  if (!sets) return;
  SetEditor result =
      SetEditor::New(context.keyspace(), context.Key(1), LimitsOfSets(context), context.now());
  if (!Fill<Operation>(context, *sets, result)) return;
  const std::size_t size = result.size();
  const bool existed =
      static_cast<bool>(context.keyspace().Find(context.Key(1), context.now(), storage::kPeek));
  if (!context.Stored(result.Commit())) return;
  if (size != 0 || existed) context.Changed();
  if (size != 0) {
    context.Notify(KeyEvent::kSet, event, 1);
  } else if (existed) {
    context.Notify(KeyEvent::kGeneric, "del", 1);
  }
  context.reply().Integer(static_cast<std::int64_t>(size));
}

void SInterStore(CommandContext& context) { Store<Intersection>(context, "sinterstore"); }
void SDiffStore(CommandContext& context) { Store<Difference>(context, "sdiffstore"); }
void SUnionStore(CommandContext& context) { Store<Union>(context, "sunionstore"); }

// SINTER, SDIFF key ... Reply a set.
template <typename Operation>
void Reply(CommandContext& context) {
  auto sets = FindSets(context, 1, context.argc() - 1);
  if (!sets) return;
  auto reply = context.reply().BeginSet();
  std::size_t count = 0;
  Operation::Walk(*std::move(sets), [&](std::string_view member) {
    context.reply().Bulk(member);
    ++count;
    return true;
  });
  context.reply().EndSet(reply, count);
}

void SInter(CommandContext& context) { Reply<Intersection>(context); }
void SDiff(CommandContext& context) { Reply<Difference>(context); }

// SUNION key ... Replies a set. O(n) memory for the members that were seen, unless of one key.
void SUnion(CommandContext& context) {
  const auto sets = FindSets(context, 1, context.argc() - 1);
  if (!sets) return;
  SetEditor seen =
      SetEditor::New(context.keyspace(), context.Key(1), LimitsOfSets(context), context.now());
  if (sets->size() > 1 && !Fill<Union>(context, *sets, seen)) return;
  const SetView all = sets->size() > 1 ? seen.view() : sets->front();
  context.reply().Set(all.size());
  all.ForEach([&](std::string_view member) { context.reply().Bulk(member); });
}

// SINTERCARD numkeys key ... [LIMIT n]. Replies the size of the intersection, at most n unless 0.
void SInterCard(CommandContext& context) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  const auto count = context.IntegerArg(1, 1, kMax, "ERR numkeys should be greater than 0");
  if (!count) return;
  if (static_cast<std::uint64_t>(*count) > context.argc() - 2) {
    return context.reply().Error("ERR Number of keys can't be greater than number of args");
  }
  const auto keys = static_cast<std::size_t>(*count);
  std::uint64_t limit = 0;
  for (std::size_t i = 2 + keys; i < context.argc(); i += 2) {
    if (!context.ArgIs(i, "limit") || i + 1 >= context.argc()) {
      return context.reply().Error(err::kSyntax);
    }
    const auto given = context.IntegerArg(i + 1, 0, kMax, "ERR LIMIT can't be negative");
    if (!given) return;
    limit = static_cast<std::uint64_t>(*given);
  }
  auto sets = FindSets(context, 2, keys);
  if (!sets) return;
  std::uint64_t found = 0;
  Intersection::Walk(*std::move(sets), [&](std::string_view) { return ++found != limit; });
  context.reply().Integer(static_cast<std::int64_t>(found));
}

constexpr std::string_view kSDiffTips[] = {"nondeterministic_output_order"};
constexpr KeySpec kSDiffStoreKeys[] = {
    {.flags = KeyFlag::kOverwrite | KeyFlag::kUpdate},
    {.flags = KeyFlag::kReadOnly | KeyFlag::kAccess, .index = 2, .last = -1}};
constexpr KeySpec kSInterStoreKeys[] = {
    {.flags = KeyFlag::kReadWrite | KeyFlag::kUpdate},
    {.flags = KeyFlag::kReadOnly | KeyFlag::kAccess, .index = 2, .last = -1}};

constexpr CommandSpec kSetOperationCommands[] = {
    {.name = "sdiff",
     .handler = SDiff,
     .arity = -2,
     .flags = Flag::kReadonly,
     .acl = Acl::kSet,
     .keys = kReadKeys,
     .group = Group::kSet,
     .since = "1.0.0",
     .complexity = "O(N) where N is the total number of elements in all given sets.",
     .summary = "Subtract multiple sets",
     .arguments = "key:key*#0",
     .tips = kSDiffTips},
    {.name = "sdiffstore",
     .handler = SDiffStore,
     .arity = -3,
     .flags = Flag::kWrite | Flag::kDenyOom,
     .acl = Acl::kSet,
     .keys = kSDiffStoreKeys,
     .group = Group::kSet,
     .since = "1.0.0",
     .complexity = "O(N) where N is the total number of elements in all given sets.",
     .summary = "Subtract multiple sets and store the resulting set in a key",
     .arguments = "destination:key#0 key:key*#1"},
    {.name = "sinter",
     .handler = SInter,
     .arity = -2,
     .flags = Flag::kReadonly,
     .acl = Acl::kSet,
     .keys = kReadKeys,
     .group = Group::kSet,
     .since = "1.0.0",
     .complexity = "O(N*M) worst case where N is the cardinality of the smallest set and M is the "
                   "number of sets.",
     .summary = "Intersect multiple sets",
     .arguments = "key:key*#0",
     .tips = kSDiffTips},
    {.name = "sintercard",
     .handler = SInterCard,
     .arity = -3,
     .flags = Flag::kReadonly | Flag::kMovableKeys,
     .acl = Acl::kSet,
     .keys = kReadCountedKeys,
     .group = Group::kSet,
     .since = "7.0.0",
     .complexity = "O(N*M) worst case where N is the cardinality of the smallest set and M is the "
                   "number of sets.",
     .summary = "Intersect multiple sets and return the cardinality of the result",
     .arguments = "numkeys:integer key:key*#0 'LIMIT' limit:integer?"},
    {.name = "sinterstore",
     .handler = SInterStore,
     .arity = -3,
     .flags = Flag::kWrite | Flag::kDenyOom,
     .acl = Acl::kSet,
     .keys = kSInterStoreKeys,
     .group = Group::kSet,
     .since = "1.0.0",
     .complexity = "O(N*M) worst case where N is the cardinality of the smallest set and M is the "
                   "number of sets.",
     .summary = "Intersect multiple sets and store the resulting set in a key",
     .arguments = "destination:key#0 key:key*#1"},
    {.name = "sunion",
     .handler = SUnion,
     .arity = -2,
     .flags = Flag::kReadonly,
     .acl = Acl::kSet,
     .keys = kReadKeys,
     .group = Group::kSet,
     .since = "1.0.0",
     .complexity = "O(N) where N is the total number of elements in all given sets.",
     .summary = "Add multiple sets",
     .arguments = "key:key*#0",
     .tips = kSDiffTips},
    {.name = "sunionstore",
     .handler = SUnionStore,
     .arity = -3,
     .flags = Flag::kWrite | Flag::kDenyOom,
     .acl = Acl::kSet,
     .keys = kSDiffStoreKeys,
     .group = Group::kSet,
     .since = "1.0.0",
     .complexity = "O(N) where N is the total number of elements in all given sets.",
     .summary = "Add multiple sets and store the resulting set in a key",
     .arguments = "destination:key#0 key:key*#1"},
};

}  // namespace

std::span<const CommandSpec> SetOperationCommands() { return kSetOperationCommands; }

}  // namespace aeris
