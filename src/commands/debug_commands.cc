// DEBUG: what tests and debugging need, behind enable-debug-command. Of Redis's subcommands those
// that make sense for strings and keys.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <string>

#include "src/base/check.h"
#include "src/command_context.h"
#include "src/commands/families.h"
#include "src/commands/help.h"
#include "src/commands/key_specs.h"
#include "src/dataset_digest.h"
#include "src/error_replies.h"
#include "src/server.h"
#include "storage/dump_payload.h"

namespace aeris {
namespace {

constexpr std::string_view kNoPersistence =
    "ERR DEBUG RELOAD and LOADAOF need persistence, which this version does not have";

void DebugAssert(CommandContext& context) { AERIS_CHECK(context.argc() == 0); }

void DebugPanic(CommandContext& context) {
  context.server().log().Warning("DEBUG {} was called", context.arg(1));
  std::abort();
}

// A fault of the kernel's kind, with its report, and not one that the compiler may reason about.
void DebugSegfault(CommandContext&) { (void)std::raise(SIGSEGV); }

// DEBUG SLEEP seconds. Replies OK after that time, in which nobody is served. What is no number
// counts as 0.
void DebugSleep(CommandContext& context) {
  constexpr double kSecondsMax = 1e9;
  const std::string text(context.arg(2));
  const double seconds = std::strtod(text.c_str(), nullptr);
  if (seconds > 0) {
    const double bounded = std::min(seconds, kSecondsMax);
    const auto whole = static_cast<time_t>(bounded);
    timespec left{.tv_sec = whole,
                  .tv_nsec = static_cast<long>((bounded - static_cast<double>(whole)) * 1e9)};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
  }
  context.reply().Ok();
}

// DEBUG ERROR text. Replies the text as an error.
void DebugError(CommandContext& context) { context.reply().Error(context.arg(2)); }

void DebugLog(CommandContext& context) {
  context.server().log().Warning("DEBUG LOG: {}", context.arg(2));
  context.reply().Ok();
}

void DebugSetActiveExpire(CommandContext& context) {
  const std::string text(context.arg(2));
  context.server().set_active_expire(std::strtol(text.c_str(), nullptr, 10) != 0);
  context.reply().Ok();
}

// DEBUG SET-SKIP-CHECKSUM-VALIDATION 0|1. Replies OK; with 1 RESTORE takes any checksum.
void DebugSetSkipChecksumValidation(CommandContext& context) {
  const std::string text(context.arg(2));
  context.server().set_skip_checksum_validation(std::strtol(text.c_str(), nullptr, 10) != 0);
  context.reply().Ok();
}

// DEBUG OBJECT key. Replies one line about the stored value as simple string.
void DebugObject(CommandContext& context) {
  constexpr std::size_t kTypeAndFooterBytes = 11;
  const storage::EntryView entry =
      context.keyspace().Find(context.Key(2), context.now(), storage::kPeek);
  if (!entry) return context.reply().Error(err::kNoSuchKey);
  // As for DUMP.
  if (!context.MemoryFor(3 * context.keyspace().MemoryUsage(entry))) return;
  context.reply().SimpleString(fmt::format(
      "Value at:{} refcount:1 encoding:{} serializedlength:{} lru:{} lru_seconds_idle:{}",
      fmt::ptr(entry.bytes()), storage::EncodingName(entry.encoding()),
      storage::DumpPayload(entry, context.now()).size() - kTypeAndFooterBytes, entry.access_clock(),
      storage::IdleSeconds(entry.access_clock(),
                           context.server().databases().context().AgeTime(context.now()))));
}

// DEBUG DIGEST. Replies 40 hex digits as simple string.
void DebugDigest(CommandContext& context) {
  context.reply().SimpleString(
      HexText(DigestOfDataset(context.server().databases(), context.now())));
}

// DEBUG DIGEST-VALUE key ... Replies an array of 40 hex digits each, zeros for absent keys.
void DebugDigestValue(CommandContext& context) {
  context.reply().Array(context.argc() - 2);
  for (std::size_t i = 2; i < context.argc(); ++i) {
    const storage::EntryView entry =
        context.keyspace().Find(context.Key(i), context.now(), storage::kPeek);
    context.reply().SimpleString(HexText(entry ? DigestOfValue(entry, context.now()) : Digest{}));
  }
}

// DEBUG POPULATE count [prefix [size]]. Creates the keys prefix:0 and so on with the values value:0
// and so on, cut or filled with zero bytes to `size` unless that is 0. Keys that exist stay.
void DebugPopulate(CommandContext& context) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  const auto count = context.IntegerArg(2, 0, kMax, err::kMustBePositive);
  if (!count) return;
  const std::string_view prefix = context.argc() > 3 ? context.arg(3) : "key";
  std::int64_t size = 0;
  if (context.argc() > 4) {
    const auto given = context.IntegerArg(4, 0, kMax, err::kMustBePositive);
    if (!given) return;
    if (static_cast<std::uint64_t>(*given) > context.server().config().proto_max_bulk_len) {
      return context.reply().Error(err::kStringTooLong);
    }
    size = *given;
  }
  storage::Keyspace& keyspace = context.keyspace();
  for (std::int64_t i = 0; i < *count; ++i) {
    const std::string name = fmt::format("{}:{}", prefix, i);
    const storage::HashedKey key = keyspace.Hash(name);
    if (keyspace.Find(key, context.now(), storage::kPeek)) continue;
    std::string value = fmt::format("value:{}", i);
    if (size != 0) value.resize(static_cast<std::size_t>(size));
    if (!context.Stored(keyspace.SetString(key, value, context.now(), {}))) return;
  }
  context.reply().Ok();
}

void ReplyAggregate(protocol::ReplyWriter& reply) {
  for (int i = 0; i < 3; ++i) reply.Integer(i);
}

void ReplyArray(protocol::ReplyWriter& reply) {
  reply.Array(3);
  ReplyAggregate(reply);
}

void ReplySet(protocol::ReplyWriter& reply) {
  reply.Set(3);
  ReplyAggregate(reply);
}

void ReplyMap(protocol::ReplyWriter& reply) {
  reply.Map(3);
  for (int i = 0; i < 3; ++i) {
    reply.Integer(i);
    reply.Boolean(i == 1);
  }
}

void ReplyAttribute(protocol::ReplyWriter& reply) {
  if (reply.resp() >= 3) {
    reply.Attribute(1);
    reply.Bulk("key-popularity");
    reply.Array(2);
    reply.Bulk("key:123");
    reply.Integer(90);
  }
  reply.Bulk("Some real reply following the attribute");
}

void ReplyPush(protocol::ReplyWriter& reply) {
  if (reply.resp() < 3) return reply.Error("ERR RESP2 is not supported by this command");
  reply.Push(2);
  reply.Bulk("server-cpu-usage");
  reply.Integer(42);
  reply.Bulk("Some real reply following the push reply");
}

struct ProtocolExample {
  std::string_view type;
  void (*reply)(protocol::ReplyWriter&);
};
using Writer = protocol::ReplyWriter;
constexpr ProtocolExample kProtocolExamples[] = {
    {"string", [](Writer& reply) { reply.Bulk("Hello World"); }},
    {"integer", [](Writer& reply) { reply.Integer(12345); }},
    {"double", [](Writer& reply) { reply.Double(3.141); }},
    {"null", [](Writer& reply) { reply.Null(); }},
    {"array", ReplyArray},
    {"set", ReplySet},
    {"map", ReplyMap},
    {"attrib", ReplyAttribute},
    {"push", ReplyPush},
    {"true", [](Writer& reply) { reply.Boolean(true); }},
    {"false", [](Writer& reply) { reply.Boolean(false); }},
    {"verbatim", [](Writer& reply) { reply.Verbatim("This is a verbatim\nstring", "txt"); }},
    {"bignum", [](Writer& reply) { reply.BigNumber("1234567999999999999999999999999999999"); }},
};

// DEBUG PROTOCOL type. Replies an example of it.
void DebugProtocol(CommandContext& context) {
  for (const ProtocolExample& example : kProtocolExamples) {
    if (context.ArgIs(2, example.type)) return example.reply(context.reply());
  }
  context.reply().Error(
      "ERR Wrong protocol type name. Please use one of the following: "
      "string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false");
}

// DEBUG REPLYBUFFER PEAK-RESET-TIME NEVER|RESET|milliseconds, or RESIZING 0|1. Replies OK, and has
// nothing to set: a client holds a reply buffer, of a pool, only while replies are under way, so
// none has a size that would follow what its client needs.
void DebugReplyBuffer(CommandContext& context) {
  if (context.ArgIs(2, "peak-reset-time")) {
    const bool word = context.ArgIs(3, "never") || context.ArgIs(3, "reset");
    if (!word && !context.IntegerArg(3)) return;
  } else if (!context.ArgIs(2, "resizing")) {
    return ReplySubcommandSyntax(context);
  }
  context.reply().Ok();
}

void DebugNeedsPersistence(CommandContext& context) { context.reply().Error(kNoPersistence); }

void DebugHelp(CommandContext& context) {
  static constexpr std::string_view kLines[] = {
      "ASSERT",
      "    Crash by assertion failed.",
      "DIGEST",
      "    Output a hex signature representing the current DB content.",
      "DIGEST-VALUE <key> [<key> ...]",
      "    Output a hex signature of the values of all the specified keys.",
      "ERROR <string>",
      "    Return a protocol error with <string> as message, for tests of clients.",
      "LOG <message>",
      "    Write <message> to the server log.",
      "OBJECT <key>",
      "    Show low level info about `key` and associated value.",
      "PANIC",
      "    Crash the server simulating a panic.",
      "POPULATE <count> [<prefix>] [<size>]",
      "    Create <count> string keys named key:<num>. If <prefix> is specified then",
      "    it is used instead of the 'key' prefix.",
      "PROTOCOL <type>",
      "    Reply with a test value of the specified type. <type> can be: string,",
      "    integer, double, bignum, null, array, set, map, attrib, push, verbatim,",
      "    true, false.",
      "REPLYBUFFER PEAK-RESET-TIME <NEVER|RESET|time>",
      "REPLYBUFFER RESIZING <0|1>",
      "    Accepted: reply buffers come from a pool, and none has a size to follow its",
      "    client's needs.",
      "SEGFAULT",
      "    Crash the server with sigsegv.",
      "SET-ACTIVE-EXPIRE <0|1>",
      "    0: keys expire only when a command meets them. 1: in background, too.",
      "SET-SKIP-CHECKSUM-VALIDATION <0|1>",
      "    1: RESTORE does not look at the checksum of a payload.",
      "SLEEP <seconds>",
      "    Stop the server for <seconds>. Decimals allowed.",
  };
  ReplyHelp(context, kLines);
}

struct Subcommand {
  std::string_view name;
  std::size_t argc_min;
  std::size_t argc_max;
  CommandHandler handler;
};
constexpr std::size_t kAnyCount = std::numeric_limits<std::size_t>::max();
constexpr Subcommand kSubcommands[] = {
    {"assert", 2, 2, DebugAssert},
    {"digest", 2, 2, DebugDigest},
    {"digest-value", 2, kAnyCount, DebugDigestValue},
    {"error", 3, 3, DebugError},
    {"help", 2, 2, DebugHelp},
    {"loadaof", 2, 2, DebugNeedsPersistence},
    {"log", 3, 3, DebugLog},
    {"object", 3, 3, DebugObject},
    {"panic", 2, 2, DebugPanic},
    {"populate", 3, 5, DebugPopulate},
    {"protocol", 3, 3, DebugProtocol},
    {"reload", 2, kAnyCount, DebugNeedsPersistence},
    {"replybuffer", 4, 4, DebugReplyBuffer},
    {"segfault", 2, 2, DebugSegfault},
    {"set-active-expire", 3, 3, DebugSetActiveExpire},
    {"set-skip-checksum-validation", 3, 3, DebugSetSkipChecksumValidation},
    {"sleep", 3, 3, DebugSleep},
};

// DEBUG subcommand [argument ...]. One row in COMMAND, as in Redis, so it finds its subcommands
// itself.
void Debug(CommandContext& context) {
  for (const Subcommand& subcommand : kSubcommands) {
    if (!context.ArgIs(1, subcommand.name)) continue;
    if (context.argc() < subcommand.argc_min || context.argc() > subcommand.argc_max) break;
    return subcommand.handler(context);
  }
  ReplySubcommandSyntax(context);
}

constexpr CommandSpec kDebugCommands[] = {
    {.name = "debug",
     .handler = Debug,
     .arity = -2,
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale | Flag::kProtected,
     .group = Group::kServer,
     .since = "1.0.0",
     .complexity = "Depends on subcommand.",
     .summary = "A container for debugging commands",
     .syscmd = true},
};

}  // namespace

std::span<const CommandSpec> DebugCommands() { return kDebugCommands; }

}  // namespace aeris
