// DUMP and RESTORE: values as Redis serialises them.
#include <limits>
#include <utility>

#include "src/command_context.h"
#include "src/commands/families.h"
#include "src/commands/hash_arguments.h"
#include "src/commands/key_specs.h"
#include "src/commands/list_commands.h"
#include "src/commands/set_limits.h"
#include "src/commands/zset_arguments.h"
#include "src/deadline_argument.h"
#include "src/error_replies.h"
#include "src/server.h"
#include "storage/dump_payload.h"

namespace aeris {
namespace {

// DUMP key. Replies the payload as bulk string | null.
void Dump(CommandContext& context) {
  const storage::EntryView entry = context.FindForRead(1);
  // A payload of no fields would be refused.
  if (!entry || AllFieldsExpired(context, entry)) return context.reply().Null();
  // The payload is at most as large as the value, and doubles while it grows.
  if (!context.MemoryFor(3 * context.keyspace().MemoryUsage(entry))) return;
  context.reply().Bulk(storage::DumpPayload(entry, context.now()));
}

storage::ValueLimits LimitsOfValues(const CommandContext& context) {
  return {.list = ListLimitsOf(context),
          .set = LimitsOfSets(context),
          .hash = HashLimitsOf(context),
          .zset = ZsetLimitsOf(context)};
}

struct RestoreOptions {
  bool replace = false;
  bool absolute_ttl = false;
  std::int64_t idle_seconds = -1;
  std::int64_t frequency = -1;
};

// False after an error reply.
bool ParseRestoreOptions(const CommandContext& context, RestoreOptions& options) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  for (std::size_t i = 4; i < context.argc(); ++i) {
    const bool has_value = i + 1 < context.argc();
    if (context.ArgIs(i, "replace")) {
      options.replace = true;
    } else if (context.ArgIs(i, "absttl")) {
      options.absolute_ttl = true;
    } else if (has_value && context.ArgIs(i, "idletime") && options.frequency == -1) {
      const auto idle = context.IntegerArg(++i);
      if (!idle) return false;
      if (*idle < 0) {
        context.reply().Error("ERR Invalid IDLETIME value, must be >= 0");
        return false;
      }
      options.idle_seconds = std::min(*idle, kMax / 1000);
    } else if (has_value && context.ArgIs(i, "freq") && options.idle_seconds == -1) {
      const auto frequency = context.IntegerArg(++i);
      if (!frequency) return false;
      if (*frequency < 0 || *frequency > 255) {
        context.reply().Error("ERR Invalid FREQ value, must be >= 0 and <= 255");
        return false;
      }
      options.frequency = *frequency;
    } else {
      context.reply().Error(err::kSyntax);
      return false;
    }
  }
  return true;
}

// The clock that the options name, or that of a new key: the one that was replaced left its own.
void SetClock(const CommandContext& context, const RestoreOptions& options) {
  const bool lfu =
      context.keyspace().eviction_policy().order == storage::EvictionOrder::kLeastFrequent;
  const UnixMs age_now = context.keyspace().context().AgeTime(context.now());
  std::uint16_t clock = storage::FirstAccessClock({.lfu = lfu}, age_now);
  if (lfu && options.frequency >= 0) {
    clock = storage::ClockFromFrequency(static_cast<std::uint8_t>(options.frequency), age_now);
  } else if (!lfu && options.idle_seconds >= 0) {
    clock =
        storage::ClockFromIdleSeconds(static_cast<std::uint64_t>(options.idle_seconds), age_now);
  }
  context.keyspace().SetAccessClock(context.Key(1), clock, context.now());
}

// What the texts and elements of a value take, without what a key has beside them.
std::uint64_t BytesOf(const storage::PayloadValue& value) {
  std::uint64_t bytes = value.text.size();
  for (const std::string& item : value.items) bytes += item.size();
  for (const storage::ScoredMember& each : value.elements) bytes += each.member.size();
  return value.stream == nullptr ? bytes : bytes + value.stream->memory_bytes();
}

// RESTORE key ttl payload [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]. Replies OK.
void Restore(CommandContext& context) {
  RestoreOptions options;
  if (!ParseRestoreOptions(context, options)) return;
  if (!options.replace && context.FindForWrite(1)) return context.reply().Error(err::kBusyKey);
  const auto ttl = context.IntegerArg(2);
  if (!ttl) return;
  if (*ttl < 0) return context.reply().Error("ERR Invalid TTL value, must be >= 0");
  auto value = storage::ParseDumpPayload(context.arg(3), context.server().skip_checksum_validation()
                                                             ? storage::Checksum::kIgnored
                                                             : storage::Checksum::kVerified);
  if (!value) {
    return context.reply().Error(value.error() == storage::PayloadFault::kChecksum
                                     ? "ERR DUMP payload version or checksum are wrong"
                                     : "ERR Bad data format");
  }
  UnixMs deadline = kNoDeadline;
  if (*ttl != 0) {
    // A time to live beyond 64 bits is for ever in all but name.
    deadline =
        DeadlineFrom(*ttl, {.seconds = false, .absolute = options.absolute_ttl}, context.now())
            .value_or(std::numeric_limits<std::int64_t>::max());
  }
  if (deadline != kNoDeadline && deadline <= context.now()) {
    if (context.keyspace().Delete(context.Key(1), context.now())) {
      context.Changed();
      context.Notify(KeyEvent::kGeneric, "del", 1);
    }
    return context.reply().Ok();
  }
  // What a small payload unpacks to would evict everything, and then be evicted itself.
  if (!context.CouldHold(BytesOf(*value))) return context.ReplyOutOfMemory();
  if (!context.Stored(storage::StoreValue(context.keyspace(), context.Key(1), *std::move(value),
                                          deadline, LimitsOfValues(context), context.now()))) {
    return;
  }
  context.Changed();
  context.SignalReady(1);
  context.Notify(KeyEvent::kNew, "new", 1);
  context.Notify(KeyEvent::kGeneric, "restore", 1);
  SetClock(context, options);
  context.reply().Ok();
}

constexpr Change kRestoreHistory[] = {{"3.0.0", "Added the `REPLACE` modifier."},
                                      {"5.0.0", "Added the `ABSTTL` modifier."},
                                      {"5.0.0", "Added the `IDLETIME` and `FREQ` options."}};

constexpr std::string_view kDumpTips[] = {"nondeterministic_output"};

constexpr CommandSpec kDumpCommands[] = {
    {.name = "dump",
     .handler = Dump,
     .arity = 2,
     .flags = Flag::kReadonly,
     .acl = Acl::kKeyspace,
     .keys = kReadKey,
     .group = Group::kGeneric,
     .since = "2.6.0",
     .complexity =
         "O(1) to access the key and additional O(N*M) to serialize it, where N is the number of "
         "Redis objects composing the value and M their average size. For small string values the "
         "time complexity is thus O(1)+O(1*M) where M is small, so simply O(1).",
     .summary = "Return a serialized version of the value stored at the specified key.",
     .arguments = "key:key#0",
     .tips = kDumpTips},
    {.name = "restore",
     .handler = Restore,
     .arity = -4,
     .flags = Flag::kWrite | Flag::kDenyOom,
     .acl = Acl::kKeyspace | Acl::kDangerous,
     .keys = kOverwriteKey,
     .group = Group::kGeneric,
     .since = "2.6.0",
     .complexity = "O(1) to create the new key and additional O(N*M) to reconstruct the serialized "
                   "value, where N is the number of Redis objects composing the value and M their "
                   "average size. For small string values the time complexity is thus O(1)+O(1*M) "
                   "where M is small, so simply O(1). However for sorted set values the complexity "
                   "is O(N*M*log(N)) because inserting values into sorted sets is O(log(N)).",
     .summary = "Create a key using the provided serialized value, previously obtained using DUMP.",
     .arguments = "key:key#0 ttl:integer serialized-value:string 'REPLACE' "
                  "replace:pure-token?@3.0.0 'ABSTTL' absttl:pure-token?@5.0.0 'IDLETIME' "
                  "seconds:integer?@5.0.0 'FREQ' frequency:integer?@5.0.0",
     .history = kRestoreHistory},
};

}  // namespace

std::span<const CommandSpec> DumpCommands() { return kDumpCommands; }

}  // namespace aeris
