// Commands on keys of any type: removing, finding, renaming, copying.
#include <fmt/format.h>

#include <limits>
#include <string>

#include "src/base/glob.h"
#include "src/client.h"
#include "src/command_context.h"
#include "src/commands/families.h"
#include "src/commands/gathered_memory.h"
#include "src/commands/hash_arguments.h"
#include "src/commands/key_specs.h"
#include "src/database_argument.h"
#include "src/error_replies.h"
#include "src/scan_arguments.h"
#include "src/server.h"
#include "src/text.h"

namespace aeris {
namespace {

using storage::EntryView;
using storage::HashedKey;
using storage::Keyspace;

// DEL key ... and UNLINK key ... Reply the number of keys removed.
void Del(CommandContext& context) {
  std::int64_t removed = 0;
  for (std::size_t i = 1; i < context.argc(); ++i) {
    context.PrefetchAhead(i);
    if (!context.keyspace().Delete(context.Key(i), context.now())) continue;
    ++removed;
    context.SignalReady(i);
    context.Notify(KeyEvent::kGeneric, "del", i);
  }
  context.Changed(static_cast<std::uint64_t>(removed));
  context.reply().Integer(removed);
}

void Unlink(CommandContext& context) { Del(context); }

std::int64_t CountExisting(const CommandContext& context, storage::Lookup lookup) {
  std::int64_t existing = 0;
  for (std::size_t i = 1; i < context.argc(); ++i) {
    context.PrefetchAhead(i);
    if (context.keyspace().Find(context.Key(i), context.now(), lookup)) {
      ++existing;
    } else {
      context.NotifyMissed(i);
    }
  }
  return existing;
}

// EXISTS key ... Replies how many exist; a key given twice counts twice.
void Exists(CommandContext& context) {
  context.reply().Integer(CountExisting(context, storage::kNoTouch));
}

// TOUCH key ... As EXISTS, and the keys count as used.
void Touch(CommandContext& context) {
  context.reply().Integer(CountExisting(context, storage::kForRead));
}

// TYPE key. Replies the type's name as simple string, "none" when absent.
void Type(CommandContext& context) {
  const EntryView entry = context.keyspace().Find(context.Key(1), context.now(), storage::kNoTouch);
  if (!entry) context.NotifyMissed(1);
  context.reply().SimpleString(entry ? storage::TypeName(entry.type()) : "none");
}

// KEYS pattern. Replies an array of bulk strings. O(n) over the database.
void Keys(CommandContext& context) {
  const std::string_view pattern = context.arg(1);
  const bool all = pattern == "*";
  auto keys = context.reply().BeginArray();
  std::size_t count = 0;
  std::uint64_t cursor = 0;
  do {
    cursor = context.keyspace().Scan(cursor, 1000, context.now(), [&](EntryView entry) {
      if (!all && !GlobMatch(pattern, entry.key(), GlobCase::kSensitive)) return;
      context.reply().Bulk(entry.key());
      ++count;
    });
  } while (cursor != 0);
  context.reply().EndArray(keys, count);
}

// SCAN cursor [MATCH pattern] [COUNT n] [TYPE name]. Replies the next cursor, 0 at the end, and an
// array of keys.
void Scan(CommandContext& context) {
  const auto cursor = CursorArg(context, 1);
  if (!cursor) return;
  ScanOptions options;
  if (!ParseScanOptions(context, {.first = 2, .type = true}, options)) return;
  // Keys are named in the reply after the cursor that follows them, so they are gathered first.
  // A view is good until the keyspace changes, which nothing here does.
  std::vector<std::string_view> keys;
  GatheredMemory memory(context);
  const std::uint64_t next =
      context.keyspace().Scan(*cursor, options.count, context.now(), [&](EntryView entry) {
        if (!options.Matches(entry.key())) return;
        if (!options.type.empty() &&
            !EqualsIgnoringCase(options.type, storage::TypeName(entry.type()))) {
          return;
        }
        if (memory.Take(sizeof(std::string_view))) keys.push_back(entry.key());
      });
  if (memory.refused()) return;
  ReplyScanHead(context, next, keys.size());
  for (const std::string_view key : keys) context.reply().Bulk(key);
}

// RANDOMKEY. Replies a key as bulk string | null when the database is empty. Where hardly any key
// lives it may be one that has expired (Keyspace::RandomEntry).
void RandomKey(CommandContext& context) {
  const EntryView entry = context.keyspace().RandomEntry(context.now());
  if (!entry) return context.reply().Null();
  context.reply().Bulk(entry.key());
}

// RENAME key newkey replies OK; RENAMENX replies 1 | 0 when newkey existed.
void RenameTo(CommandContext& context, bool only_if_absent) {
  Keyspace& keyspace = context.keyspace();
  if (!context.FindForWrite(1)) return context.reply().Error(err::kNoSuchKey);
  const HashedKey from = context.Key(1);
  const HashedKey to = context.Key(2);
  const bool same = from.text == to.text;
  if (only_if_absent && (same || keyspace.Find(to, context.now(), storage::kForWrite))) {
    return context.reply().Integer(0);
  }
  if (!same) {
    if (!context.Stored(keyspace.Move(from, keyspace, to, context.now()))) return;
    context.SignalReady(1);
    context.SignalReady(2);
    context.Changed();
    context.Notify(KeyEvent::kNew, "new", 2);
    context.Notify(KeyEvent::kGeneric, "rename_from", 1);
    context.Notify(KeyEvent::kGeneric, "rename_to", 2);
  }
  if (only_if_absent) return context.reply().Integer(1);
  context.reply().Ok();
}

void Rename(CommandContext& context) { RenameTo(context, false); }
void RenameNx(CommandContext& context) { RenameTo(context, true); }

// COPY source destination [DB n] [REPLACE]. Replies 1 | 0.
void Copy(CommandContext& context) {
  auto database = static_cast<std::size_t>(context.client().database);
  bool replace = false;
  for (std::size_t i = 3; i < context.argc(); ++i) {
    if (context.ArgIs(i, "replace")) {
      replace = true;
    } else if (context.ArgIs(i, "db") && i + 1 < context.argc()) {
      const auto number = DatabaseArg(context, ++i);
      if (!number) return;
      database = *number;
    } else {
      return context.reply().Error(err::kSyntax);
    }
  }
  Keyspace& target = context.server().databases()[database];
  if (&target == &context.keyspace() && context.arg(1) == context.arg(2)) {
    return context.reply().Error(err::kSameObject);
  }
  const storage::EntryView from = context.FindForRead(1);
  if (!from || AllFieldsExpired(context, from)) return context.reply().Integer(0);
  const std::size_t bytes = context.keyspace().MemoryUsage(from);
  if (!context.MemoryFor(bytes)) return;
  const HashedKey to = context.Key(2);
  if (!replace && target.Find(to, context.now(), storage::kForWrite)) {
    return context.reply().Integer(0);
  }
  if (&target != &context.keyspace() && !context.RoomIn(database, bytes)) return;
  if (!context.Stored(context.keyspace().Copy(context.Key(1), target, to, context.now()))) return;
  context.SignalReady(database, context.arg(2));
  context.Changed();
  context.NotifyIn(database, KeyEvent::kNew, "new", context.arg(2));
  context.NotifyIn(database, KeyEvent::kGeneric, "copy_to", context.arg(2));
  context.reply().Integer(1);
}

// MOVE key db. Replies 1 | 0 when the key is absent here or present there.
void Move(CommandContext& context) {
  const auto database = DatabaseArg(context, 2);
  if (!database) return;
  Keyspace& target = context.server().databases()[*database];
  if (&target == &context.keyspace()) return context.reply().Error(err::kSameObject);
  const HashedKey key = context.Key(1);
  const storage::EntryView from = context.FindForWrite(1);
  if (!from || target.Find(key, context.now(), storage::kForWrite)) {
    return context.reply().Integer(0);
  }
  if (!context.RoomIn(*database, context.keyspace().MemoryUsage(from))) return;
  if (!context.Stored(context.keyspace().Move(key, target, key, context.now()))) return;
  context.SignalReady(1);
  context.SignalReady(*database, context.arg(1));
  context.Changed();
  context.NotifyIn(*database, KeyEvent::kNew, "new", context.arg(1));
  context.Notify(KeyEvent::kGeneric, "move_from", 1);
  context.NotifyIn(*database, KeyEvent::kGeneric, "move_to", context.arg(1));
  context.reply().Integer(1);
}

constexpr KeySpec kCopyKeys[] = {{.flags = KeyFlag::kReadOnly | KeyFlag::kAccess},
                                 {.flags = KeyFlag::kOverwrite | KeyFlag::kUpdate, .index = 2}};

constexpr KeySpec kDelKeys[] = {{.flags = KeyFlag::kRemove | KeyFlag::kDelete, .last = -1}};

constexpr KeySpec kRenameKeys[] = {
    {.flags = KeyFlag::kReadWrite | KeyFlag::kAccess | KeyFlag::kDelete},
    {.flags = KeyFlag::kOverwrite | KeyFlag::kUpdate, .index = 2}};

constexpr KeySpec kRenameNxKeys[] = {
    {.flags = KeyFlag::kReadWrite | KeyFlag::kAccess | KeyFlag::kDelete},
    {.flags = KeyFlag::kOverwrite | KeyFlag::kInsert, .index = 2}};

constexpr Change kExistsHistory[] = {{"3.0.3", "Accepts multiple `key` arguments."}};

constexpr Change kRenameNxHistory[] = {
    {"3.2.0",
     "The command no longer returns an error when source and destination names are the same."}};

constexpr Change kScanHistory[] = {{"6.0.0", "Added the `TYPE` subcommand."}};

constexpr std::string_view kDelTips[] = {"request_policy:multi_shard", "response_policy:agg_sum"};

constexpr std::string_view kKeysTips[] = {"request_policy:all_shards",
                                          "nondeterministic_output_order"};

constexpr std::string_view kRandomKeyTips[] = {"request_policy:all_shards",
                                               "nondeterministic_output"};

constexpr std::string_view kScanTips[] = {"nondeterministic_output", "request_policy:special"};

constexpr CommandSpec kGenericCommands[] = {
    {.name = "copy",
     .handler = Copy,
     .arity = -3,
     .flags = Flag::kWrite | Flag::kDenyOom,
     .acl = Acl::kKeyspace,
     .keys = kCopyKeys,
     .group = Group::kGeneric,
     .since = "6.2.0",
     .complexity = "O(N) worst case for collections, where N is the number of nested items. O(1) "
                   "for string values.",
     .summary = "Copy a key",
     .arguments = "source:key#0 destination:key#1 'DB' destination-db:integer? 'REPLACE' "
                  "replace:pure-token?"},
    {.name = "del",
     .handler = Del,
     .arity = -2,
     .flags = Flag::kWrite,
     .acl = Acl::kKeyspace,
     .keys = kDelKeys,
     .group = Group::kGeneric,
     .since = "1.0.0",
     .complexity = "O(N) where N is the number of keys that will be removed. When a key to remove "
                   "holds a value other than a string, the individual complexity for this key is "
                   "O(M) where M is the number of elements in the list, set, sorted set or hash. "
                   "Removing a single key that holds a string value is O(1).",
     .summary = "Delete a key",
     .arguments = "key:key*#0",
     .tips = kDelTips,
     .brief_args_max = 2},
    {.name = "exists",
     .handler = Exists,
     .arity = -2,
     .flags = Flag::kReadonly | Flag::kFast,
     .acl = Acl::kKeyspace,
     .keys = kInspectKeys,
     .group = Group::kGeneric,
     .since = "1.0.0",
     .complexity = "O(N) where N is the number of keys to check.",
     .summary = "Determine if a key exists",
     .arguments = "key:key*#0",
     .history = kExistsHistory,
     .tips = kDelTips,
     .brief_args_max = 2},
    {.name = "keys",
     .handler = Keys,
     .arity = 2,
     .flags = Flag::kReadonly,
     .acl = Acl::kKeyspace | Acl::kDangerous,
     .group = Group::kGeneric,
     .since = "1.0.0",
     .complexity = "O(N) with N being the number of keys in the database, under the assumption "
                   "that the key names in the database and the given pattern have limited length.",
     .summary = "Find all keys matching the given pattern",
     .arguments = "pattern:pattern",
     .tips = kKeysTips},
    {.name = "move",
     .handler = Move,
     .arity = 3,
     .flags = Flag::kWrite | Flag::kFast,
     .acl = Acl::kKeyspace,
     .keys = kReadUpdateKey,
     .group = Group::kGeneric,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Move a key to another database",
     .arguments = "key:key#0 db:integer"},
    {.name = "randomkey",
     .handler = RandomKey,
     .arity = 1,
     .flags = Flag::kReadonly,
     .acl = Acl::kKeyspace,
     .group = Group::kGeneric,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Return a random key from the keyspace",
     .tips = kRandomKeyTips},
    {.name = "rename",
     .handler = Rename,
     .arity = 3,
     .flags = Flag::kWrite,
     .acl = Acl::kKeyspace,
     .keys = kRenameKeys,
     .group = Group::kGeneric,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Rename a key",
     .arguments = "key:key#0 newkey:key#1"},
    {.name = "renamenx",
     .handler = RenameNx,
     .arity = 3,
     .flags = Flag::kWrite | Flag::kFast,
     .acl = Acl::kKeyspace,
     .keys = kRenameNxKeys,
     .group = Group::kGeneric,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Rename a key, only if the new key does not exist",
     .arguments = "key:key#0 newkey:key#1",
     .history = kRenameNxHistory},
    {.name = "scan",
     .handler = Scan,
     .arity = -2,
     .flags = Flag::kReadonly,
     .acl = Acl::kKeyspace,
     .group = Group::kGeneric,
     .since = "2.8.0",
     .complexity =
         "O(1) for every call. O(N) for a complete iteration, including enough command calls for "
         "the cursor to return back to 0. N is the number of elements inside the collection.",
     .summary = "Incrementally iterate the keys space",
     .arguments =
         "cursor:integer 'MATCH' pattern:pattern? 'COUNT' count:integer? 'TYPE' type:string?@6.0.0",
     .history = kScanHistory,
     .tips = kScanTips},
    {.name = "touch",
     .handler = Touch,
     .arity = -2,
     .flags = Flag::kReadonly | Flag::kFast,
     .acl = Acl::kKeyspace,
     .keys = kInspectKeys,
     .group = Group::kGeneric,
     .since = "3.2.1",
     .complexity = "O(N) where N is the number of keys that will be touched.",
     .summary =
         "Alters the last access time of a key(s). Returns the number of existing keys specified.",
     .arguments = "key:key*#0",
     .tips = kDelTips,
     .brief_args_max = 2},
    {.name = "type",
     .handler = Type,
     .arity = 2,
     .flags = Flag::kReadonly | Flag::kFast,
     .acl = Acl::kKeyspace,
     .keys = kInspectKey,
     .group = Group::kGeneric,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Determine the type stored at key",
     .arguments = "key:key#0",
     .brief_args_max = 2},
    {.name = "unlink",
     .handler = Unlink,
     .arity = -2,
     .flags = Flag::kWrite | Flag::kFast,
     .acl = Acl::kKeyspace,
     .keys = kDelKeys,
     .group = Group::kGeneric,
     .since = "4.0.0",
     .complexity = "O(1) for each key removed regardless of its size. Then the command does O(N) "
                   "work in a different thread in order to reclaim memory, where N is the number "
                   "of allocations the deleted objects where composed of.",
     .summary = "Delete a key asynchronously in another thread. Otherwise it is just as DEL, but "
                "non blocking.",
     .arguments = "key:key*#0",
     .tips = kDelTips,
     .brief_args_max = 2},
};

}  // namespace

std::span<const CommandSpec> GenericCommands() { return kGenericCommands; }

}  // namespace aeris
