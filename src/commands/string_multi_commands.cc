// Commands on several strings at once.
#include <limits>
#include <optional>

#include "src/command_context.h"
#include "src/commands/families.h"
#include "src/commands/key_specs.h"
#include "src/commands/string_options.h"
#include "src/error_replies.h"

namespace aeris {
namespace {

using storage::EntryView;
using SetOptions = storage::Keyspace::SetOptions;

// MGET key ...: an array of bulk strings | null; null as well for keys that hold no string.
void MGet(CommandContext& context) {
  context.reply().Array(context.argc() - 1);
  for (std::size_t i = 1; i < context.argc(); ++i) {
    context.PrefetchAhead(i);
    const EntryView entry = context.FindForRead(i);
    if (!entry || entry.type() != storage::ValueType::kString) {
      context.reply().Null();
    } else {
      context.ReplyString(entry);
    }
  }
}

// The arguments from `first` up to `end`: keys, each with its value behind it.
struct Pairs {
  std::size_t first;
  std::size_t end;
};

// Whether all of the keys exist, or none of them.
bool AllExist(CommandContext& context, Pairs pairs, bool exist) {
  for (std::size_t i = pairs.first; i < pairs.end; i += 2) {
    context.PrefetchAhead(i);
    const bool exists{context.FindForWrite(i)};
    if (exists != exist) return false;
  }
  return true;
}

// Sets the pairs in their order. False after the OOM reply: then keys that are known to be
// `new_keys` are deleted again, and of others the pairs before that stay set, since their old
// values are gone.
bool SetPairs(CommandContext& context, Pairs pairs, bool new_keys, const SetOptions& how) {
  std::size_t i = pairs.first;
  for (; i < pairs.end; i += 2) {
    context.PrefetchAhead(i);
    if (context.keyspace().SetString(context.Key(i), context.arg(i + 1), context.now(), how) ==
        storage::StoreResult::kNoMemory) {
      break;
    }
  }
  if (i < pairs.end && new_keys) {
    for (; i > pairs.first; i -= 2) {
      context.keyspace().Delete(context.Key(i - 2), context.now());
    }
    context.ReplyOutOfMemory();
    return false;
  }
  context.Changed((i - pairs.first) / 2);
  for (std::size_t key = pairs.first; key < i; key += 2) {
    context.Notify(KeyEvent::kString, "set", key);
    if (how.deadline != kNoDeadline) context.Notify(KeyEvent::kGeneric, "expire", key);
  }
  if (i < pairs.end) context.ReplyOutOfMemory();
  return i == pairs.end;
}

// MSET key value ... Replies OK. When memory ends in the middle the reply is the OOM error, and the
// pairs before that stay set.
void MSet(CommandContext& context) {
  if (context.argc() % 2 == 0) return context.ReplyWrongArity();
  if (SetPairs(context, {1, context.argc()}, /*new_keys=*/false, {})) context.reply().Ok();
}

// MSETNX key value ... Replies 1 when all were set, 0 when one existed and nothing was set. When
// memory ends in the middle nothing was set either.
void MSetNx(CommandContext& context) {
  if (context.argc() % 2 == 0) return context.ReplyWrongArity();
  const Pairs pairs{1, context.argc()};
  if (!AllExist(context, pairs, false)) return context.reply().Integer(0);
  if (SetPairs(context, pairs, /*new_keys=*/true, {})) context.reply().Integer(1);
}

// MSETEX n key value ... [NX | XX] [EX | PX | EXAT | PXAT | KEEPTTL]. Replies 1 when all were set,
// 0 when the condition does not hold for all keys and nothing was set. Without memory as MSET and
// MSETNX.
void MSetEx(CommandContext& context) {
  const auto count = context.IntegerArg(1, 1, std::numeric_limits<std::int32_t>::max(),
                                        "ERR invalid numkeys value");
  if (!count) return;
  const Pairs pairs{2, 2 + 2 * static_cast<std::size_t>(*count)};
  if (pairs.end > context.argc()) {
    return context.reply().Error("ERR wrong number of key-value pairs");
  }
  StringOptions options;
  if (!options.Parse(context, pairs.end, StringOptionsOf::kMSetEx)) {
    return context.reply().Error(err::kSyntax);
  }
  UnixMs deadline;
  if (!options.Deadline(context, deadline)) return;
  if (options.has_existence() && !AllExist(context, pairs, options.only_if_present)) {
    return context.reply().Integer(0);
  }
  if (SetPairs(context, pairs, options.only_if_absent,
               {.deadline = deadline, .keep_deadline = options.keep_ttl})) {
    context.reply().Integer(1);
  }
}

constexpr KeySpec kMSetKeys[] = {
    {.flags = KeyFlag::kOverwrite | KeyFlag::kUpdate, .last = -1, .step = 2}};

constexpr KeySpec kMSetExKeys[] = {{.flags = KeyFlag::kOverwrite | KeyFlag::kUpdate,
                                    .find = KeySpec::Find::kKeynum,
                                    .step = 2,
                                    .first_key = 1}};

constexpr KeySpec kMSetNxKeys[] = {
    {.flags = KeyFlag::kOverwrite | KeyFlag::kInsert, .last = -1, .step = 2}};

constexpr std::string_view kMGetTips[] = {"request_policy:multi_shard"};

constexpr std::string_view kMSetTips[] = {"request_policy:multi_shard",
                                          "response_policy:all_succeeded"};

constexpr std::string_view kMSetNxTips[] = {"request_policy:multi_shard",
                                            "response_policy:agg_min"};

constexpr CommandSpec kStringMultiCommands[] = {
    {.name = "mget",
     .handler = MGet,
     .arity = -2,
     .flags = Flag::kReadonly | Flag::kFast,
     .acl = Acl::kString,
     .keys = kReadKeys,
     .group = Group::kString,
     .since = "1.0.0",
     .complexity = "O(N) where N is the number of keys to retrieve.",
     .summary = "Get the values of all the given keys",
     .arguments = "key:key*#0",
     .tips = kMGetTips},
    {.name = "mset",
     .handler = MSet,
     .arity = -3,
     .flags = Flag::kWrite | Flag::kDenyOom,
     .acl = Acl::kString,
     .keys = kMSetKeys,
     .group = Group::kString,
     .since = "1.0.1",
     .complexity = "O(N) where N is the number of keys to set.",
     .summary = "Set multiple keys to multiple values",
     .arguments = "key_value:block(key:key#0 value:string)*",
     .tips = kMSetTips},
    {.name = "msetex",
     .handler = MSetEx,
     .arity = -4,
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kMovableKeys,
     .acl = Acl::kString,
     .keys = kMSetExKeys,
     .group = Group::kString,
     .since = "8.4.0",
     .complexity = "O(N) where N is the number of keys to set.",
     .summary =
         "Set multiple keys to multiple values and give them one expiration, optionally only "
         "when all or none of the keys exist",
     .arguments = "numkeys:integer data:block(key:key#0 value:string)* condition:oneof('NX' "
                  "nx:pure-token|'XX' xx:pure-token)? expiration:oneof('EX' seconds:integer|'PX' "
                  "milliseconds:integer|'EXAT' unix-time-seconds:unix-time|'PXAT' "
                  "unix-time-milliseconds:unix-time|'KEEPTTL' keepttl:pure-token)?",
     .tips = kMSetTips},
    {.name = "msetnx",
     .handler = MSetNx,
     .arity = -3,
     .flags = Flag::kWrite | Flag::kDenyOom,
     .acl = Acl::kString,
     .keys = kMSetNxKeys,
     .group = Group::kString,
     .since = "1.0.1",
     .complexity = "O(N) where N is the number of keys to set.",
     .summary = "Set multiple keys to multiple values, only if none of the keys exist",
     .arguments = "key_value:block(key:key#0 value:string)*",
     .tips = kMSetNxTips},
};

}  // namespace

std::span<const CommandSpec> StringMultiCommands() { return kStringMultiCommands; }

}  // namespace aeris
