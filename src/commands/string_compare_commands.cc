// Strings that are deleted only while they have a value: DELEX of Redis 8.4, DELIFEQ of Valkey 9.0,
// and DIGEST, by which large values are compared. SET has the same conditions.
#include "src/command_context.h"
#include "src/command_keys.h"
#include "src/commands/families.h"
#include "src/commands/key_specs.h"
#include "src/commands/value_condition.h"

namespace aeris {
namespace {

using storage::EntryView;
using Test = ValueCondition::Test;

void DeleteAndReply(CommandContext& context) {
  context.keyspace().Delete(context.Key(1), context.now());
  context.SignalReady(1);
  context.Changed();
  context.Notify(KeyEvent::kGeneric, "del", 1);
  context.reply().Integer(1);
}

// DELEX key [IFEQ | IFNE value | IFDEQ | IFDNE digest]. Replies 1 | 0 when the key is absent,
// whatever the condition, or when the condition does not hold. Without one it deletes any type.
void DelEx(CommandContext& context) {
  if (context.argc() != 2 && context.argc() != 4) return context.ReplyWrongArity();
  const EntryView entry = context.FindForWrite(1);
  if (!entry) return context.reply().Integer(0);
  if (context.argc() == 4) {
    if (entry.type() != storage::ValueType::kString) {
      return context.reply().Error("ERR Key should be of string type if conditions are specified");
    }
    const ValueCondition condition{ValueTestArg(context, 2), context.arg(3)};
    if (!condition.is_set()) {
      return context.reply().Error("ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE");
    }
    const std::optional<bool> holds = condition.Holds(context, entry);
    if (!holds) return;
    if (!*holds) return context.reply().Integer(0);
  }
  DeleteAndReply(context);
}

// DELIFEQ key value. Replies 1 | 0 when the key is absent or has another value.
void DelIfEq(CommandContext& context) {
  EntryView entry;
  if (!context.FindStringForWrite(1, entry)) return;
  const ValueCondition condition{Test::kEqual, context.arg(2)};
  if (!entry || !condition.Holds(context, entry).value_or(false)) {
    return context.reply().Integer(0);
  }
  DeleteAndReply(context);
}

// DIGEST key. Replies the digest as bulk string | null.
void Digest(CommandContext& context) {
  EntryView entry;
  if (!context.FindStringForRead(1, entry)) return;
  if (!entry) return context.reply().Null();
  const DigestText digest = DigestOf(entry);
  context.reply().Bulk({digest.data(), digest.size()});
}

constexpr KeySpec kDelExKeys[] = {
    {.flags = KeyFlag::kReadWrite | KeyFlag::kDelete | KeyFlag::kVariableFlags}};

constexpr KeySpec kDelIfEqKeys[] = {
    {.flags = KeyFlag::kRemove | KeyFlag::kAccess | KeyFlag::kDelete}};

constexpr CommandSpec kStringCompareCommands[] = {
    {.name = "delex",
     .handler = DelEx,
     .arity = -2,
     .flags = Flag::kWrite | Flag::kFast,
     .acl = Acl::kString,
     .keys = kDelExKeys,
     .group = Group::kString,
     .since = "8.4.0",
     .complexity = "O(1) for IFEQ and IFNE, O(N) for IFDEQ and IFDNE where N is the length of the "
                   "value",
     .summary = "Delete a key, optionally only when its value or digest compares as wanted",
     .arguments = "key:key#0 condition:oneof('IFEQ' ifeq-value:string|'IFNE' "
                  "ifne-value:string|'IFDEQ' ifdeq-digest:string|'IFDNE' ifdne-digest:string)?",
     .find_keys = FindDelExKeys},
    {.name = "delifeq",
     .handler = DelIfEq,
     .arity = 3,
     .flags = Flag::kWrite,
     .acl = Acl::kString,
     .keys = kDelIfEqKeys,
     .group = Group::kString,
     .since = "9.0.0",
     .complexity = "O(1)",
     .summary = "Delete a key when it has the given value",
     .arguments = "key:key#0 value:string"},
    {.name = "digest",
     .handler = Digest,
     .arity = 2,
     .flags = Flag::kReadonly | Flag::kFast,
     .acl = Acl::kString,
     .keys = kReadKey,
     .group = Group::kString,
     .since = "8.4.0",
     .complexity = "O(N) where N is the length of the value",
     .summary = "Get the XXH3 hash of a string as hexadecimal digits",
     .arguments = "key:key#0"},
};

}  // namespace

std::span<const CommandSpec> StringCompareCommands() { return kStringCompareCommands; }

}  // namespace aeris
