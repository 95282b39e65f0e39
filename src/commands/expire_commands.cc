// Deadlines of keys.
#include <fmt/format.h>

#include "src/command_context.h"
#include "src/commands/families.h"
#include "src/commands/key_specs.h"
#include "src/deadline_argument.h"
#include "src/error_replies.h"
#include "src/text.h"

namespace aeris {
namespace {

using storage::EntryView;

struct Conditions {
  bool only_without = false;  // NX
  bool only_with = false;     // XX
  bool only_later = false;    // GT
  bool only_earlier = false;  // LT

  // Whether a key with the deadline `current` may get `next`. No deadline is later than any.
  bool Allow(UnixMs current, UnixMs next) const {
    if (only_without && current != kNoDeadline) return false;
    if (only_with && current == kNoDeadline) return false;
    if (only_later && (current == kNoDeadline || next <= current)) return false;
    if (only_earlier && current != kNoDeadline && next >= current) return false;
    return true;
  }
};

// False after an error reply.
bool ParseConditions(const CommandContext& context, Conditions& conditions) {
  for (std::size_t i = 3; i < context.argc(); ++i) {
    if (context.ArgIs(i, "nx")) {
      conditions.only_without = true;
    } else if (context.ArgIs(i, "xx")) {
      conditions.only_with = true;
    } else if (context.ArgIs(i, "gt")) {
      conditions.only_later = true;
    } else if (context.ArgIs(i, "lt")) {
      conditions.only_earlier = true;
    } else {
      context.reply().Error(fmt::format("ERR Unsupported option {}", EchoedText(context.arg(i))));
      return false;
    }
  }
  if (conditions.only_without &&
      (conditions.only_with || conditions.only_later || conditions.only_earlier)) {
    context.reply().Error("ERR NX and XX, GT or LT options at the same time are not compatible");
    return false;
  }
  if (conditions.only_later && conditions.only_earlier) {
    context.reply().Error("ERR GT and LT options at the same time are not compatible");
    return false;
  }
  return true;
}

// EXPIRE, PEXPIRE, EXPIREAT, PEXPIREAT key time [NX | XX | GT | LT]. Reply 1 | 0 when the key does
// not exist or the condition does not hold. A deadline in the past removes the key.
void SetExpire(CommandContext& context, DeadlineUnit unit) {
  Conditions conditions;
  if (!ParseConditions(context, conditions)) return;
  const auto time = context.IntegerArg(2);
  if (!time) return;
  const auto deadline = DeadlineFrom(*time, unit, context.now());
  if (!deadline) return ReplyInvalidExpire(context);
  const EntryView entry = context.FindForWrite(1);
  if (!entry || !conditions.Allow(entry.deadline(), *deadline)) {
    return context.reply().Integer(0);
  }
  const bool dies = *deadline <= context.now();
  if (dies) {
    context.keyspace().Delete(context.Key(1), context.now());
  } else if (!context.Stored(
                 context.keyspace().SetDeadline(context.Key(1), *deadline, context.now()))) {
    return;
  }
  context.Changed();
  context.Notify(KeyEvent::kGeneric, dies ? "del" : "expire", 1);
  context.reply().Integer(1);
}

void Expire(CommandContext& context) { SetExpire(context, {.seconds = true}); }
void PExpire(CommandContext& context) { SetExpire(context, {.seconds = false}); }
void ExpireAt(CommandContext& context) { SetExpire(context, {.seconds = true, .absolute = true}); }
void PExpireAt(CommandContext& context) {
  SetExpire(context, {.seconds = false, .absolute = true});
}

// TTL, PTTL, EXPIRETIME, PEXPIRETIME key. Reply the time, seconds rounded to the nearest; -1
// without a deadline, -2 without the key.
void ReplyDeadline(CommandContext& context, DeadlineUnit unit) {
  const EntryView entry = context.keyspace().Find(context.Key(1), context.now(), storage::kNoTouch);
  if (!entry) {
    context.NotifyMissed(1);
    return context.reply().Integer(-2);
  }
  const UnixMs deadline = entry.deadline();
  if (deadline == kNoDeadline) return context.reply().Integer(-1);
  const std::int64_t ms = unit.absolute ? deadline : deadline - context.now();
  context.reply().Integer(unit.seconds ? ms / 1000 + (ms % 1000 >= 500 ? 1 : 0) : ms);
}

void Ttl(CommandContext& context) { ReplyDeadline(context, {.seconds = true}); }
void PTtl(CommandContext& context) { ReplyDeadline(context, {.seconds = false}); }
void ExpireTime(CommandContext& context) {
  ReplyDeadline(context, {.seconds = true, .absolute = true});
}
void PExpireTime(CommandContext& context) {
  ReplyDeadline(context, {.seconds = false, .absolute = true});
}

// PERSIST key. Replies 1 | 0 when there was no deadline to remove.
void Persist(CommandContext& context) {
  const EntryView entry = context.FindForWrite(1);
  if (!entry || entry.deadline() == kNoDeadline) return context.reply().Integer(0);
  if (!context.Stored(context.keyspace().SetDeadline(context.Key(1), kNoDeadline, context.now()))) {
    return;
  }
  context.Changed();
  context.Notify(KeyEvent::kGeneric, "persist", 1);
  context.reply().Integer(1);
}

constexpr Change kConditionsHistory[] = {{"7.0.0", "Added options: `NX`, `XX`, `GT` and `LT`."}};

constexpr Change kNoKeyHistory[] = {{"2.8.0", "Added the -2 reply."}};

constexpr std::string_view kPTtlTips[] = {"nondeterministic_output"};

constexpr CommandSpec kExpireCommands[] = {
    {.name = "expire",
     .handler = Expire,
     .arity = -3,
     .flags = Flag::kWrite | Flag::kFast,
     .acl = Acl::kKeyspace,
     .keys = kUpdateKey,
     .group = Group::kGeneric,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Set a key's time to live in seconds",
     .arguments = "key:key#0 seconds:integer condition:oneof('NX' nx:pure-token|'XX' "
                  "xx:pure-token|'GT' gt:pure-token|'LT' lt:pure-token)?@7.0.0",
     .history = kConditionsHistory,
     .brief_args_max = 4},
    {.name = "expireat",
     .handler = ExpireAt,
     .arity = -3,
     .flags = Flag::kWrite | Flag::kFast,
     .acl = Acl::kKeyspace,
     .keys = kUpdateKey,
     .group = Group::kGeneric,
     .since = "1.2.0",
     .complexity = "O(1)",
     .summary = "Set the expiration for a key as a UNIX timestamp",
     .arguments = "key:key#0 unix-time-seconds:unix-time condition:oneof('NX' nx:pure-token|'XX' "
                  "xx:pure-token|'GT' gt:pure-token|'LT' lt:pure-token)?@7.0.0",
     .history = kConditionsHistory,
     .brief_args_max = 4},
    {.name = "expiretime",
     .handler = ExpireTime,
     .arity = 2,
     .flags = Flag::kReadonly | Flag::kFast,
     .acl = Acl::kKeyspace,
     .keys = kReadKey,
     .group = Group::kGeneric,
     .since = "7.0.0",
     .complexity = "O(1)",
     .summary = "Get the expiration Unix timestamp for a key",
     .arguments = "key:key#0"},
    {.name = "persist",
     .handler = Persist,
     .arity = 2,
     .flags = Flag::kWrite | Flag::kFast,
     .acl = Acl::kKeyspace,
     .keys = kUpdateKey,
     .group = Group::kGeneric,
     .since = "2.2.0",
     .complexity = "O(1)",
     .summary = "Remove the expiration from a key",
     .arguments = "key:key#0",
     .brief_args_max = 2},
    {.name = "pexpire",
     .handler = PExpire,
     .arity = -3,
     .flags = Flag::kWrite | Flag::kFast,
     .acl = Acl::kKeyspace,
     .keys = kUpdateKey,
     .group = Group::kGeneric,
     .since = "2.6.0",
     .complexity = "O(1)",
     .summary = "Set a key's time to live in milliseconds",
     .arguments = "key:key#0 milliseconds:integer condition:oneof('NX' nx:pure-token|'XX' "
                  "xx:pure-token|'GT' gt:pure-token|'LT' lt:pure-token)?@7.0.0",
     .history = kConditionsHistory,
     .brief_args_max = 4},
    {.name = "pexpireat",
     .handler = PExpireAt,
     .arity = -3,
     .flags = Flag::kWrite | Flag::kFast,
     .acl = Acl::kKeyspace,
     .keys = kUpdateKey,
     .group = Group::kGeneric,
     .since = "2.6.0",
     .complexity = "O(1)",
     .summary = "Set the expiration for a key as a UNIX timestamp specified in milliseconds",
     .arguments = "key:key#0 unix-time-milliseconds:unix-time condition:oneof('NX' "
                  "nx:pure-token|'XX' xx:pure-token|'GT' gt:pure-token|'LT' lt:pure-token)?@7.0.0",
     .history = kConditionsHistory,
     .brief_args_max = 4},
    {.name = "pexpiretime",
     .handler = PExpireTime,
     .arity = 2,
     .flags = Flag::kReadonly | Flag::kFast,
     .acl = Acl::kKeyspace,
     .keys = kReadKey,
     .group = Group::kGeneric,
     .since = "7.0.0",
     .complexity = "O(1)",
     .summary = "Get the expiration Unix timestamp for a key in milliseconds",
     .arguments = "key:key#0"},
    {.name = "pttl",
     .handler = PTtl,
     .arity = 2,
     .flags = Flag::kReadonly | Flag::kFast,
     .acl = Acl::kKeyspace,
     .keys = kReadKey,
     .group = Group::kGeneric,
     .since = "2.6.0",
     .complexity = "O(1)",
     .summary = "Get the time to live for a key in milliseconds",
     .arguments = "key:key#0",
     .history = kNoKeyHistory,
     .tips = kPTtlTips,
     .brief_args_max = 2},
    {.name = "ttl",
     .handler = Ttl,
     .arity = 2,
     .flags = Flag::kReadonly | Flag::kFast,
     .acl = Acl::kKeyspace,
     .keys = kReadKey,
     .group = Group::kGeneric,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Get the time to live for a key in seconds",
     .arguments = "key:key#0",
     .history = kNoKeyHistory,
     .tips = kPTtlTips,
     .brief_args_max = 2},
};

}  // namespace

std::span<const CommandSpec> ExpireCommands() { return kExpireCommands; }

}  // namespace aeris
