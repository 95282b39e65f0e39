// Lists: both ends, indexes, ranges, searches. What blocks is in list_blocking_commands.cc.
#include "src/commands/list_commands.h"

#include <algorithm>
#include <limits>
#include <string>

#include "src/commands/families.h"
#include "src/commands/index_range.h"
#include "src/commands/key_specs.h"
#include "src/error_replies.h"
#include "src/list_reply.h"
#include "src/packed_reply.h"
#include "src/server.h"

namespace aeris {

using storage::BlockList;
using storage::EntryView;
using storage::ListEditor;
using storage::ListEnd;
using storage::ListView;
using storage::ValueType;

namespace {

constexpr auto kLongLimits = std::numeric_limits<std::int64_t>();

constexpr std::string_view PushEvent(ListEnd end) {
  return end == ListEnd::kHead ? "lpush" : "rpush";
}
constexpr std::string_view PopEvent(ListEnd end) { return end == ListEnd::kHead ? "lpop" : "rpop"; }

ListEditor EditorFor(const CommandContext& context, std::size_t index, EntryView entry) {
  return {context.keyspace(), context.Key(index), entry, ListLimitsOf(context), context.now()};
}

// Whether the arguments from `index` on may be items; replies when not.
bool ItemsFit(const CommandContext& context, std::size_t index) {
  constexpr std::size_t kItemBytesMax = storage::PackedBlock::kBytesMax - 64;
  for (std::size_t i = index; i < context.argc(); ++i) {
    if (context.arg(i).size() > kItemBytesMax) {
      context.ReplyOutOfMemory();
      return false;
    }
  }
  return true;
}

void Push(CommandContext& context, ListEnd end, bool only_existing) {
  EntryView entry;
  if (!context.FindForWrite(1, ValueType::kList, entry)) return;
  if (only_existing && !entry) return context.reply().Integer(0);
  if (!ItemsFit(context, 2)) return;
  ListEditor editor = EditorFor(context, 1, entry);
  for (std::size_t i = 2; i < context.argc(); ++i) editor.Push(end, context.arg(i));
  const std::size_t size = editor.size();
  if (!context.Stored(editor.Commit())) return;
  if (!entry) context.SignalReady(1);
  context.Changed(context.argc() - 2);
  context.Notify(KeyEvent::kList, PushEvent(end), 1);
  context.reply().Integer(static_cast<std::int64_t>(size));
}

// LPUSH, RPUSH, LPUSHX, RPUSHX key item ... Reply the new length, 0 when the last two did nothing.
void LPush(CommandContext& context) { Push(context, ListEnd::kHead, false); }
void RPush(CommandContext& context) { Push(context, ListEnd::kTail, false); }
void LPushX(CommandContext& context) { Push(context, ListEnd::kHead, true); }
void RPushX(CommandContext& context) { Push(context, ListEnd::kTail, true); }

void Pop(CommandContext& context, ListEnd end) {
  if (context.argc() > 3) return context.ReplyWrongArity();
  const bool counted = context.argc() == 3;
  std::int64_t count = 1;
  if (counted) {
    const auto given = context.IntegerArg(2, 0, kLongLimits.max(), err::kMustBePositive);
    if (!given) return;
    count = *given;
  }
  EntryView entry;
  if (!context.FindForWrite(1, ValueType::kList, entry)) return;
  if (!entry) return counted ? context.reply().NullArray() : context.reply().Null();
  if (!counted) {
    PopOne(context, 1, entry, end, false);
  } else if (count == 0) {
    context.reply().EmptyArray();
  } else {
    PopMany(context, 1, entry, end, static_cast<std::size_t>(count), false);
  }
}

// LPOP and RPOP key [count]. Reply an item as bulk string | null; with a count an array | null
// array.
void LPop(CommandContext& context) { Pop(context, ListEnd::kHead); }
void RPop(CommandContext& context) { Pop(context, ListEnd::kTail); }

// LLEN key. Replies the length, 0 when absent.
void LLen(CommandContext& context) {
  EntryView entry;
  if (!context.FindForRead(1, ValueType::kList, entry)) return;
  context.reply().Integer(entry ? static_cast<std::int64_t>(entry.element_count()) : 0);
}

// An index from the end when negative; nullopt outside of `size` items.
std::optional<std::size_t> IndexIn(std::int64_t index, std::size_t size) {
  const auto items = static_cast<std::int64_t>(size);
  if (index < 0) index += items;
  if (index < 0 || index >= items) return std::nullopt;
  return static_cast<std::size_t>(index);
}

// LINDEX key index. Replies a bulk string | null.
void LIndex(CommandContext& context) {
  EntryView entry;
  if (!context.FindForRead(1, ValueType::kList, entry)) return;
  if (!entry) return context.reply().Null();
  const auto index = context.IntegerArg(2);
  if (!index) return;
  const ListView list(entry);
  const auto at = IndexIn(*index, list.size());
  if (!at) return context.reply().Null();
  ReplyItem(context.reply(), list.At(*at).item());
}

// LSET key index item. Replies OK | an error when the key or the index is not there.
void LSet(CommandContext& context) {
  EntryView entry;
  if (!context.FindForWrite(1, ValueType::kList, entry)) return;
  if (!entry) return context.reply().Error(err::kNoSuchKey);
  const auto index = context.IntegerArg(2);
  if (!index || !ItemsFit(context, 3)) return;
  const auto at = IndexIn(*index, ListView(entry).size());
  if (!at) return context.reply().Error(err::kIndexOutOfRange);
  ListEditor editor = EditorFor(context, 1, entry);
  editor.Replace(*at, context.arg(3));
  if (!context.Stored(editor.Commit())) return;
  context.Changed();
  context.Notify(KeyEvent::kList, "lset", 1);
  context.reply().Ok();
}

// LINSERT key BEFORE | AFTER pivot item. Replies the new length | 0 without the key | -1 without
// the pivot. O(n).
void LInsert(CommandContext& context) {
  const bool after = context.ArgIs(2, "after");
  if (!after && !context.ArgIs(2, "before")) return context.reply().Error(err::kSyntax);
  EntryView entry;
  if (!context.FindForWrite(1, ValueType::kList, entry)) return;
  if (!entry) return context.reply().Integer(0);
  if (!ItemsFit(context, 4)) return;
  ListEditor editor = EditorFor(context, 1, entry);
  if (!editor.InsertBeside(context.arg(3), after, context.arg(4))) {
    return context.reply().Integer(-1);
  }
  const std::size_t size = editor.size();
  if (!context.Stored(editor.Commit())) return;
  context.Changed();
  context.Notify(KeyEvent::kList, "linsert", 1);
  context.reply().Integer(static_cast<std::int64_t>(size));
}

// LRANGE key start stop. Replies an array, empty when absent. O(log n) and the items.
void LRange(CommandContext& context) {
  const auto ends = IndexEndsArgs(context, 2, 3);
  if (!ends) return;
  EntryView entry;
  if (!context.FindForRead(1, ValueType::kList, entry)) return;
  if (!entry) return context.reply().EmptyArray();
  const ListView list(entry);
  const IndexRange range = ends->OfItems(list.size());
  if (range.size() == 0) return context.reply().EmptyArray();
  context.reply().Array(range.size());
  ReplyItems(context.reply(), list.At(range.first), range.size());
}

// LTRIM key start stop. Replies OK. O(items removed).
void LTrim(CommandContext& context) {
  const auto ends = IndexEndsArgs(context, 2, 3);
  if (!ends) return;
  EntryView entry;
  if (!context.FindForWrite(1, ValueType::kList, entry)) return;
  if (!entry) return context.reply().Ok();
  const std::size_t size = ListView(entry).size();
  const IndexRange kept = ends->OfItems(size);
  if (kept.size() == size) {
    context.Notify(KeyEvent::kList, "ltrim", 1);
    return context.reply().Ok();
  }
  if (kept.size() == 0) {
    context.keyspace().Delete(context.Key(1), context.now());
  } else {
    ListEditor editor = EditorFor(context, 1, entry);
    editor.Remove(ListEnd::kTail, size - kept.end);
    editor.Remove(ListEnd::kHead, kept.first);
    if (!context.Stored(editor.Commit())) return;
  }
  context.Changed(size - kept.size());
  context.NotifyTaken(KeyEvent::kList, "ltrim", 1);
  context.reply().Ok();
}

// LREM key count item: the first ones, the last ones when negative, all for 0. Replies how many
// were removed. O(n).
void LRem(CommandContext& context) {
  const auto count = context.IntegerArg(2);
  if (!count) return;
  EntryView entry;
  if (!context.FindForWrite(1, ValueType::kList, entry)) return;
  if (!entry) return context.reply().Integer(0);
  const ListEnd from = *count < 0 ? ListEnd::kTail : ListEnd::kHead;
  const std::uint64_t wanted =
      *count < 0 ? 0 - static_cast<std::uint64_t>(*count) : static_cast<std::uint64_t>(*count);
  ListEditor editor = EditorFor(context, 1, entry);
  const std::size_t removed =
      editor.RemoveMatching(context.arg(3), from, wanted == 0 ? SIZE_MAX : wanted);
  if (removed > 0) {
    if (!context.Stored(editor.Commit())) return;
    context.Changed(removed);
    context.NotifyTaken(KeyEvent::kList, "lrem", 1);
  }
  context.reply().Integer(static_cast<std::int64_t>(removed));
}

struct PositionOptions {
  bool from_tail = false;
  std::uint64_t rank = 1;
  std::optional<std::uint64_t> count;  // 0: all
  std::uint64_t items_max = 0;         // 0: all
};

// False after an error reply.
bool ParsePositionOptions(const CommandContext& context, PositionOptions& options) {
  for (std::size_t i = 3; i < context.argc(); i += 2) {
    const bool has_value = i + 1 < context.argc();
    if (has_value && context.ArgIs(i, "rank")) {
      const auto rank = context.IntegerArg(i + 1);
      if (!rank) return false;
      if (*rank == 0) {
        context.reply().Error(
            "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... "
            "or use negative to start from the end of the list");
        return false;
      }
      options.from_tail = *rank < 0;
      options.rank = static_cast<std::uint64_t>(*rank);
      if (*rank < 0) options.rank = 0 - options.rank;
      // Redis takes this one, whose negation does not exist, for the first match.
      if (*rank == kLongLimits.min()) options.rank = 1;
    } else if (has_value && context.ArgIs(i, "count")) {
      const auto count =
          context.IntegerArg(i + 1, 0, kLongLimits.max(), "ERR COUNT can't be negative");
      if (!count) return false;
      options.count = static_cast<std::uint64_t>(*count);
    } else if (has_value && context.ArgIs(i, "maxlen")) {
      const auto items =
          context.IntegerArg(i + 1, 0, kLongLimits.max(), "ERR MAXLEN can't be negative");
      if (!items) return false;
      options.items_max = static_cast<std::uint64_t>(*items);
    } else {
      context.reply().Error(err::kSyntax);
      return false;
    }
  }
  return true;
}

// Calls `found(index)` for each match that the options want, until it returns false.
template <typename Found>
void FindPositions(const ListView& list, std::string_view text, const PositionOptions& options,
                   Found&& found) {
  const std::size_t size = list.size();
  const std::uint64_t items =
      options.items_max == 0 ? size : std::min<std::uint64_t>(options.items_max, size);
  ListView::Cursor cursor = list.At(options.from_tail ? size - 1 : 0);
  std::uint64_t matches = 0;
  for (std::uint64_t i = 0; i < items; ++i) {
    if (cursor.Is(text) && ++matches >= options.rank) {
      if (!found(options.from_tail ? size - 1 - i : i)) return;
    }
    if (!(options.from_tail ? cursor.Previous() : cursor.Next())) return;
  }
}

// LPOS key item [RANK rank] [COUNT count] [MAXLEN items]. Replies an index | null; with COUNT an
// array of them. O(n).
void LPos(CommandContext& context) {
  PositionOptions options;
  if (!ParsePositionOptions(context, options)) return;
  EntryView entry;
  if (!context.FindForRead(1, ValueType::kList, entry)) return;
  if (!entry) return options.count ? context.reply().EmptyArray() : context.reply().Null();
  const ListView list(entry);
  if (!options.count) {
    std::optional<std::uint64_t> position;
    FindPositions(list, context.arg(2), options, [&](std::uint64_t index) {
      position = index;
      return false;
    });
    if (!position) return context.reply().Null();
    return context.reply().Integer(static_cast<std::int64_t>(*position));
  }
  auto positions = context.reply().BeginArray();
  std::uint64_t count = 0;
  FindPositions(list, context.arg(2), options, [&](std::uint64_t index) {
    context.reply().Integer(static_cast<std::int64_t>(index));
    return ++count != *options.count;
  });
  context.reply().EndArray(positions, count);
}

void Move(CommandContext& context, ListEnd from_end, ListEnd to_end) {
  EntryView entry;
  if (!context.FindForWrite(1, ValueType::kList, entry)) return;
  if (!entry) return context.reply().Null();
  MoveItem(context, 1, 2, entry, from_end, to_end);
}

// RPOPLPUSH source destination. Replies the item as bulk string | null when there is none.
void RPopLPush(CommandContext& context) { Move(context, ListEnd::kTail, ListEnd::kHead); }

// LMOVE source destination LEFT | RIGHT LEFT | RIGHT. As RPOPLPUSH.
void LMove(CommandContext& context) {
  const auto from = ListEndArg(context, 3);
  if (!from) return;
  const auto to = ListEndArg(context, 4);
  if (!to) return;
  Move(context, *from, *to);
}

// LMPOP numkeys key ... LEFT | RIGHT [COUNT count]. Replies an array of the first key that has
// items and an array of them | null array.
void LMPop(CommandContext& context) {
  const auto pop = MultiPopArgs(context, 1, kListEnds);
  if (pop && !PopMany(context, *pop)) context.reply().NullArray();
}

constexpr Change kPopHistory[] = {{"6.2.0", "Added the `count` argument."}};

constexpr Change kPushHistory[] = {{"2.4.0", "Accepts multiple `element` arguments."}};

constexpr Change kPushXHistory[] = {{"4.0.0", "Accepts multiple `element` arguments."}};

constexpr CommandSpec kListCommands[] = {
    {.name = "lindex",
     .handler = LIndex,
     .arity = 3,
     .flags = Flag::kReadonly,
     .acl = Acl::kList,
     .keys = kReadKey,
     .group = Group::kList,
     .since = "1.0.0",
     .complexity = "O(N) where N is the number of elements to traverse to get to the element at "
                   "index. This makes asking for the first or the last element of the list O(1).",
     .summary = "Get an element from a list by its index",
     .arguments = "key:key#0 index:integer"},
    {.name = "linsert",
     .handler = LInsert,
     .arity = 5,
     .flags = Flag::kWrite | Flag::kDenyOom,
     .acl = Acl::kList,
     .keys = kInsertKey,
     .group = Group::kList,
     .since = "2.2.0",
     .complexity =
         "O(N) where N is the number of elements to traverse before seeing the value pivot. This "
         "means that inserting somewhere on the left end on the list (head) can be considered O(1) "
         "and inserting somewhere on the right end (tail) is O(N).",
     .summary = "Insert an element before or after another element in a list",
     .arguments = "key:key#0 where:oneof('BEFORE' before:pure-token|'AFTER' after:pure-token) "
                  "pivot:string element:string"},
    {.name = "llen",
     .handler = LLen,
     .arity = 2,
     .flags = Flag::kReadonly | Flag::kFast,
     .acl = Acl::kList,
     .keys = kInspectKey,
     .group = Group::kList,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Get the length of a list",
     .arguments = "key:key#0",
     .brief_args_max = 2},
    {.name = "lmove",
     .handler = LMove,
     .arity = 5,
     .flags = Flag::kWrite | Flag::kDenyOom,
     .acl = Acl::kList,
     .keys = kMoveKeys,
     .group = Group::kList,
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Pop an element from a list, push it to another list and return it",
     .arguments =
         "source:key#0 destination:key#1 wherefrom:oneof('LEFT' left:pure-token|'RIGHT' "
         "right:pure-token) whereto:oneof('LEFT' left:pure-token|'RIGHT' right:pure-token)"},
    {.name = "lmpop",
     .handler = LMPop,
     .arity = -4,
     .flags = Flag::kWrite | Flag::kMovableKeys,
     .acl = Acl::kList,
     .keys = kMultiPopKeys,
     .group = Group::kList,
     .since = "7.0.0",
     .complexity =
         "O(N+M) where N is the number of provided keys and M is the number of elements returned.",
     .summary = "Pop elements from a list",
     .arguments = "numkeys:integer key:key*#0 where:oneof('LEFT' left:pure-token|'RIGHT' "
                  "right:pure-token) 'COUNT' count:integer?"},
    {.name = "lpop",
     .handler = LPop,
     .arity = -2,
     .flags = Flag::kWrite | Flag::kFast,
     .acl = Acl::kList,
     .keys = kTakeKey,
     .group = Group::kList,
     .since = "1.0.0",
     .complexity = "O(N) where N is the number of elements returned",
     .summary = "Remove and get the first elements in a list",
     .arguments = "key:key#0 count:integer?@6.2.0",
     .history = kPopHistory,
     .brief_args_max = 2},
    {.name = "lpos",
     .handler = LPos,
     .arity = -3,
     .flags = Flag::kReadonly,
     .acl = Acl::kList,
     .keys = kReadKey,
     .group = Group::kList,
     .since = "6.0.6",
     .complexity = "O(N) where N is the number of elements in the list, for the average case. When "
                   "searching for elements near the head or the tail of the list, or when the "
                   "MAXLEN option is provided, the command may run in constant time.",
     .summary = "Return the index of matching elements on a list",
     .arguments = "key:key#0 element:string 'RANK' rank:integer? 'COUNT' num-matches:integer? "
                  "'MAXLEN' len:integer?"},
    {.name = "lpush",
     .handler = LPush,
     .arity = -3,
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .acl = Acl::kList,
     .keys = kInsertKey,
     .group = Group::kList,
     .since = "1.0.0",
     .complexity = "O(1) for each element added, so O(N) to add N elements when the command is "
                   "called with multiple arguments.",
     .summary = "Prepend one or multiple elements to a list",
     .arguments = "key:key#0 element:string*",
     .history = kPushHistory,
     .brief_args_max = 3},
    {.name = "lpushx",
     .handler = LPushX,
     .arity = -3,
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .acl = Acl::kList,
     .keys = kInsertKey,
     .group = Group::kList,
     .since = "2.2.0",
     .complexity = "O(1) for each element added, so O(N) to add N elements when the command is "
                   "called with multiple arguments.",
     .summary = "Prepend an element to a list, only if the list exists",
     .arguments = "key:key#0 element:string*",
     .history = kPushXHistory},
    {.name = "lrange",
     .handler = LRange,
     .arity = 4,
     .flags = Flag::kReadonly,
     .acl = Acl::kList,
     .keys = kReadKey,
     .group = Group::kList,
     .since = "1.0.0",
     .complexity = "O(S+N) where S is the distance of start offset from HEAD for small lists, from "
                   "nearest end (HEAD or TAIL) for large lists; and N is the number of elements in "
                   "the specified range.",
     .summary = "Get a range of elements from a list",
     .arguments = "key:key#0 start:integer stop:integer"},
    {.name = "lrem",
     .handler = LRem,
     .arity = 4,
     .flags = Flag::kWrite,
     .acl = Acl::kList,
     .keys = kDeleteKey,
     .group = Group::kList,
     .since = "1.0.0",
     .complexity =
         "O(N+M) where N is the length of the list and M is the number of elements removed.",
     .summary = "Remove elements from a list",
     .arguments = "key:key#0 count:integer element:string"},
    {.name = "lset",
     .handler = LSet,
     .arity = 4,
     .flags = Flag::kWrite | Flag::kDenyOom,
     .acl = Acl::kList,
     .keys = kUpdateKey,
     .group = Group::kList,
     .since = "1.0.0",
     .complexity = "O(N) where N is the length of the list. Setting either the first or the last "
                   "element of the list is O(1).",
     .summary = "Set the value of an element in a list by its index",
     .arguments = "key:key#0 index:integer element:string"},
    {.name = "ltrim",
     .handler = LTrim,
     .arity = 4,
     .flags = Flag::kWrite,
     .acl = Acl::kList,
     .keys = kDeleteKey,
     .group = Group::kList,
     .since = "1.0.0",
     .complexity = "O(N) where N is the number of elements to be removed by the operation.",
     .summary = "Trim a list to the specified range",
     .arguments = "key:key#0 start:integer stop:integer"},
    {.name = "rpop",
     .handler = RPop,
     .arity = -2,
     .flags = Flag::kWrite | Flag::kFast,
     .acl = Acl::kList,
     .keys = kTakeKey,
     .group = Group::kList,
     .since = "1.0.0",
     .complexity = "O(N) where N is the number of elements returned",
     .summary = "Remove and get the last elements in a list",
     .arguments = "key:key#0 count:integer?@6.2.0",
     .history = kPopHistory,
     .brief_args_max = 2},
    {.name = "rpoplpush",
     .handler = RPopLPush,
     .arity = 3,
     .flags = Flag::kWrite | Flag::kDenyOom,
     .acl = Acl::kList,
     .keys = kMoveKeys,
     .group = Group::kList,
     .since = "1.2.0",
     .complexity = "O(1)",
     .summary = "Remove the last element in a list, prepend it to another list and return it",
     .arguments = "source:key#0 destination:key#1",
     .deprecated_since = "6.2.0",
     .replaced_by = "`LMOVE` with the `RIGHT` and `LEFT` arguments"},
    {.name = "rpush",
     .handler = RPush,
     .arity = -3,
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .acl = Acl::kList,
     .keys = kInsertKey,
     .group = Group::kList,
     .since = "1.0.0",
     .complexity = "O(1) for each element added, so O(N) to add N elements when the command is "
                   "called with multiple arguments.",
     .summary = "Append one or multiple elements to a list",
     .arguments = "key:key#0 element:string*",
     .history = kPushHistory,
     .brief_args_max = 3},
    {.name = "rpushx",
     .handler = RPushX,
     .arity = -3,
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .acl = Acl::kList,
     .keys = kInsertKey,
     .group = Group::kList,
     .since = "2.2.0",
     .complexity = "O(1) for each element added, so O(N) to add N elements when the command is "
                   "called with multiple arguments.",
     .summary = "Append an element to a list, only if the list exists",
     .arguments = "key:key#0 element:string*",
     .history = kPushXHistory},
};

}  // namespace

storage::ListLimits ListLimitsOf(const CommandContext& context) {
  return storage::ListLimits::Of(context.server().config().list_max_listpack_size);
}

std::optional<ListEnd> ListEndArg(const CommandContext& context, std::size_t index) {
  if (context.ArgIs(index, "left")) return ListEnd::kHead;
  if (context.ArgIs(index, "right")) return ListEnd::kTail;
  context.reply().Error(err::kSyntax);
  return std::nullopt;
}

bool PopOne(CommandContext& context, std::size_t index, EntryView entry, ListEnd end,
            bool with_key) {
  const auto head = [&] {
    if (!with_key) return;
    context.reply().Array(2);
    context.reply().Bulk(context.arg(index));
  };
  auto* const blocks = static_cast<BlockList*>(entry.structure());
  if (blocks != nullptr) {
    // Nothing can fail from here on.
    head();
    ReplyItem(context.reply(), blocks->Peek(end));
  }
  ListEditor editor = EditorFor(context, index, entry);
  const std::string text = blocks == nullptr ? editor.Peek(end) : std::string();
  editor.Remove(end, 1);
  if (!context.Stored(editor.Commit())) return false;
  if (blocks == nullptr) {
    head();
    context.reply().Bulk(text);
  }
  context.Changed();
  context.NotifyTaken(KeyEvent::kList, PopEvent(end), index);
  return true;
}

void PopMany(CommandContext& context, std::size_t index, EntryView entry, ListEnd end,
             std::size_t count, bool with_key) {
  const std::size_t size = ListView(entry).size();
  count = std::min(count, size);
  const auto reply = [&](const ListView& list) {
    if (with_key) {
      context.reply().Array(2);
      context.reply().Bulk(context.arg(index));
    }
    context.reply().Array(count);
    end == ListEnd::kHead ? ReplyItems(context.reply(), list.At(0), count)
                          : ReplyItemsBackwards(context.reply(), list.At(size - 1), count);
  };
  // A packed block is stored anew, which may lack memory: the reply comes after that.
  const bool packed = entry.packed();
  const std::string held(packed ? entry.block() : std::string_view());
  if (!packed) reply(ListView(entry));
  ListEditor editor = EditorFor(context, index, entry);
  editor.Remove(end, count);
  if (!context.Stored(editor.Commit())) return;
  if (packed) reply(ListView(held));
  context.Changed(count);
  context.NotifyTaken(KeyEvent::kList, PopEvent(end), index);
}

void MoveItem(CommandContext& context, std::size_t from, std::size_t to, EntryView entry,
              ListEnd from_end, ListEnd to_end) {
  std::string text;
  if (context.arg(from) == context.arg(to)) {
    ListEditor editor = EditorFor(context, from, entry);
    text = editor.Peek(from_end);
    if (editor.size() > 1 && from_end != to_end) {
      editor.Remove(from_end, 1);
      editor.Push(to_end, text);
    }
    if (!context.Stored(editor.Commit())) return;
  } else {
    {
      const ListView list(entry);
      text = list.At(from_end == ListEnd::kHead ? 0 : list.size() - 1).item().String();
    }
    EntryView target;
    if (!context.FindForWrite(to, ValueType::kList, target)) return;
    ListEditor destination = EditorFor(context, to, target);
    destination.Push(to_end, text);
    if (!context.Stored(destination.Commit())) return;
    ListEditor source = EditorFor(context, from, context.FindForWrite(from));
    source.Remove(from_end, 1);
    if (!context.Stored(source.Commit())) {
      // It stays where it was.
      ListEditor back = EditorFor(context, to, context.FindForWrite(to));
      back.Remove(to_end, 1);
      (void)back.Commit();
      return;
    }
    if (!target) context.SignalReady(to);
  }
  context.Changed();
  context.Notify(KeyEvent::kList, PushEvent(to_end), to);
  context.NotifyTaken(KeyEvent::kList, PopEvent(from_end), from);
  context.reply().Bulk(text);
}

bool PopMany(CommandContext& context, const MultiPop& form) {
  const ListEnd end = form.from_back ? ListEnd::kTail : ListEnd::kHead;
  return PopFirst(context, ValueType::kList, form.first_key, form.keys,
                  [&](std::size_t key, EntryView entry) {
                    PopMany(context, key, entry, end, form.count, true);
                  });
}

std::span<const CommandSpec> ListCommands() { return kListCommands; }

}  // namespace aeris
