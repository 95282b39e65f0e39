// The server as a whole: INFO, emptying and swapping databases, time, role, shutdown; modules and
// replication, of which there are none.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <string>

#include "src/base/number_text.h"
#include "src/client.h"
#include "src/client_tracking.h"
#include "src/command_context.h"
#include "src/commands/families.h"
#include "src/commands/help.h"
#include "src/error_replies.h"
#include "src/info.h"
#include "src/server.h"
#include "src/version.h"
#include "src/watched_keys.h"

namespace aeris {
namespace {

// DBSIZE. Replies an integer.
void DbSize(CommandContext& context) {
  context.reply().Integer(static_cast<std::int64_t>(context.keyspace().size()));
}

// Whether the arguments of FLUSHDB or FLUSHALL are right; replies with the error otherwise. Both
// modes are one here: emptying takes constant time, and a large keyspace dies on another thread.
bool FlushModeIsValid(CommandContext& context) {
  if (context.argc() == 1) return true;
  if (context.argc() == 2 && (context.ArgIs(1, "sync") || context.ArgIs(1, "async"))) return true;
  context.reply().Error(err::kSyntax);
  return false;
}

// FLUSHDB [ASYNC | SYNC]. Replies OK.
void FlushDb(CommandContext& context) {
  if (!FlushModeIsValid(context)) return;
  const auto database = static_cast<std::size_t>(context.client().database);
  context.server().watched_keys().DatabaseEmptied(database);
  context.Changed(context.server().databases().Flush(database));
  context.SignalDatabase(database);
  context.server().tracking().Flushed();
  context.reply().Ok();
}

// FLUSHALL [ASYNC | SYNC]. Replies OK.
void FlushAll(CommandContext& context) {
  if (!FlushModeIsValid(context)) return;
  Databases& databases = context.server().databases();
  for (std::size_t i = 0; i < databases.count(); ++i) {
    context.server().watched_keys().DatabaseEmptied(i);
  }
  context.Changed(databases.FlushAll());
  for (std::size_t i = 0; i < databases.count(); ++i) context.SignalDatabase(i);
  context.server().tracking().Flushed();
  context.reply().Ok();
}

// SWAPDB index index. Replies OK. Clients stay at their numbers and see the other keys.
void SwapDb(CommandContext& context) {
  constexpr std::int64_t kIntMin = std::numeric_limits<int>::min();
  constexpr std::int64_t kIntMax = std::numeric_limits<int>::max();
  const auto first = context.IntegerArg(1, kIntMin, kIntMax, "ERR invalid first DB index");
  if (!first) return;
  const auto second = context.IntegerArg(2, kIntMin, kIntMax, "ERR invalid second DB index");
  if (!second) return;
  Databases& databases = context.server().databases();
  const auto count = static_cast<std::int64_t>(databases.count());
  if (*first < 0 || *first >= count || *second < 0 || *second >= count) {
    return context.reply().Error(err::kDbIndexOutOfRange);
  }
  const auto a = static_cast<std::size_t>(*first), b = static_cast<std::size_t>(*second);
  context.server().watched_keys().DatabasesSwapped(a, b);
  databases.Swap(a, b);
  context.SignalDatabase(a);
  context.SignalDatabase(b);
  context.Changed();
  context.reply().Ok();
}

// INFO [section ...]. Replies verbatim text, in RESP2 a bulk string.
void Info(CommandContext& context) {
  const auto database = static_cast<std::size_t>(context.client().database);
  context.reply().Verbatim(InfoText(context.server(), context.args().subspan(1), database), "txt");
}

// TIME. Replies seconds and microseconds as two bulk strings.
void Time(CommandContext& context) {
  constexpr std::int64_t kMicros = 1'000'000;
  const std::int64_t now = context.server().clock().UnixMicros();
  context.reply().Array(2);
  context.reply().BulkInteger(now / kMicros);
  context.reply().BulkInteger(now % kMicros);
}

// LASTSAVE. Replies seconds: the start, as in a Redis that has not saved yet.
void LastSave(CommandContext& context) {
  context.reply().Integer(context.server().started_unix_seconds());
}

// ROLE. Replies "master", the replication offset, the replicas.
void Role(CommandContext& context) {
  context.reply().Array(3);
  context.reply().Bulk("master");
  context.reply().Integer(0);
  context.reply().EmptyArray();
}

// WAIT replicas milliseconds. Replies how many replicas have what was written: none exist, and none
// can come while one waits, so it does not wait.
void Wait(CommandContext& context) {
  if (!context.IntegerArg(1)) return;
  const auto timeout = ParseInt64(context.arg(2));
  if (!timeout) return context.reply().Error("ERR timeout is not an integer or out of range");
  if (*timeout < 0) return context.reply().Error("ERR timeout is negative");
  context.reply().Integer(0);
}

struct ShutdownOptions {
  bool save = false;
  bool nosave = false;
  bool now = false;
  bool force = false;
  bool abort = false;

  bool Take(const CommandContext& context, std::size_t index) {
    if (context.ArgIs(index, "nosave")) return nosave = true;
    if (context.ArgIs(index, "save")) return save = true;
    if (context.ArgIs(index, "now")) return now = true;
    if (context.ArgIs(index, "force")) return force = true;
    if (context.ArgIs(index, "abort")) return abort = true;
    return false;
  }
  bool consistent() const {
    return !(save && nosave) && !(abort && (save || nosave || now || force));
  }
};

// SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] [ABORT]. Replies errors only: the connection ends with the
// process. NOW and FORCE change nothing, since there are no replicas to wait for.
void Shutdown(CommandContext& context) {
  ShutdownOptions options;
  for (std::size_t i = 1; i < context.argc(); ++i) {
    if (!options.Take(context, i)) return context.reply().Error(err::kSyntax);
  }
  if (!options.consistent()) return context.reply().Error(err::kSyntax);
  if (options.abort) return context.reply().Error("ERR No shutdown in progress.");
  if (options.save && !options.force) {
    // Who asks for it counts on it, so the data must not go with an exit status of 0.
    context.server().log().Warning(
        "SHUTDOWN SAVE refused: this version of aeris cannot save. SHUTDOWN NOSAVE ends it.");
    return context.reply().Error("ERR Errors trying to SHUTDOWN. Check logs.");
  }
  context.client().close_after_reply = true;  // what it sent after this is not run
  context.server().Shutdown();
}

// REPLICAOF and SLAVEOF host port | NO ONE. Replies OK to NO ONE, which changes nothing.
void ReplicaOf(CommandContext& context) {
  if (context.ArgIs(1, "no") && context.ArgIs(2, "one")) return context.reply().Ok();
  constexpr std::int64_t kPortMax = 65535;
  if (!context.IntegerArg(2, 0, kPortMax, "ERR Invalid master port")) return;
  context.reply().Error("ERR This version of aeris cannot be a replica");
}

// MODULE LIST. Replies an array, empty.
void ModuleList(CommandContext& context) { context.reply().EmptyArray(); }

// MODULE LOAD path [arg ...] and LOADEX path [CONFIG name value ...] [ARGS arg ...]. Replies an
// error: modules are made for Redis's insides.
void ModuleLoad(CommandContext& context) {
  context.server().log().Warning("Module {} failed to load: aeris has no modules", context.arg(2));
  context.reply().Error("ERR Error loading the extension. Please check the server logs.");
}

// MODULE UNLOAD name. Replies an error.
void ModuleUnload(CommandContext& context) {
  context.reply().Error("ERR Error unloading module: no such module with that name");
}

void ModuleHelp(CommandContext& context) {
  static constexpr std::string_view kLines[] = {
      "LIST",
      "    Return a list of loaded modules.",
      "LOAD <path> [<arg> ...]",
      "    Load a module library from <path>, passing to it any optional arguments.",
      "LOADEX <path> [[CONFIG NAME VALUE] [CONFIG NAME VALUE]] [ARGS ...]",
      "    Load a module library from <path>, while passing it module configurations and optional "
      "arguments.",
      "UNLOAD <name>",
      "    Unload a module.",
  };
  ReplyHelp(context, kLines);
}

// Gusts of wind: two waves of different lengths, one character per place.
std::string Gusts(std::int64_t columns, std::int64_t rows) {
  constexpr std::string_view kShades = " .-~=";
  constexpr double kLong = 17;
  constexpr double kShort = 5;
  std::string art;
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; ++column) {
      const double x = static_cast<double>(column) / kLong + static_cast<double>(row) / kShort;
      const double height = std::sin(2 * std::numbers::pi * x) +
                            std::sin(static_cast<double>(column * row) / kShort) / 2;
      const double shade = (height + 1.5) / 3 * static_cast<double>(kShades.size());
      art += kShades[std::min(static_cast<std::size_t>(std::max(shade, 0.0)), kShades.size() - 1)];
    }
    art += '\n';
  }
  return art;
}

// LOLWUT [VERSION version [columns [rows]]]. Replies verbatim text; with version 5 or 6 a picture
// above the version. Redis's other argument of version 5 is checked and not used.
void Lolwut(CommandContext& context) {
  std::array<std::int64_t, 3> size = {64, 8, 1};
  std::string art;
  if (context.argc() >= 3 && context.ArgIs(1, "version")) {
    const auto version = context.IntegerArg(2);
    if (!version) return;
    if (*version == 5 || *version == 6) {
      const std::size_t used = *version == 5 ? 3 : 2;
      for (std::size_t i = 0; i < used && i + 3 < context.argc(); ++i) {
        const auto given = context.IntegerArg(i + 3);
        if (!given) return;
        size[i] = std::clamp<std::int64_t>(*given, 1, 200);
      }
      art = Gusts(size[0], size[1]) + '\n';
    }
  }
  context.reply().Verbatim(art + "Redis ver. " + std::string(kRedisVersion) + '\n', "txt");
}

constexpr Change kFlushAllHistory[] = {{"4.0.0", "Added the `ASYNC` flushing mode modifier."},
                                       {"6.2.0", "Added the `SYNC` flushing mode modifier."}};

constexpr Change kFlushDbHistory[] = {{"4.0.0", "Added the `ASYNC` flushing mode modifier."},
                                      {"6.2.0", "Added the `SYNC` flushing mode modifier."}};

constexpr Change kInfoHistory[] = {
    {"7.0.0", "Added support for taking multiple section arguments."}};

constexpr Change kShutdownHistory[] = {
    {"7.0.0", "Added the `NOW`, `FORCE` and `ABORT` modifiers."}};

constexpr std::string_view kDbSizeTips[] = {"request_policy:all_shards", "response_policy:agg_sum"};

constexpr std::string_view kFlushAllTips[] = {"request_policy:all_shards",
                                              "response_policy:all_succeeded"};

constexpr std::string_view kInfoTips[] = {"nondeterministic_output", "request_policy:all_shards",
                                          "response_policy:special"};

constexpr std::string_view kLastSaveTips[] = {"nondeterministic_output"};

constexpr std::string_view kModuleListTips[] = {"nondeterministic_output_order"};

constexpr std::string_view kWaitTips[] = {"request_policy:all_shards", "response_policy:agg_min"};

constexpr CommandSpec kModuleSubcommands[] = {
    {.name = "help",
     .handler = ModuleHelp,
     .arity = 2,
     .flags = Flag::kLoading | Flag::kStale,
     .group = Group::kServer,
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Show helpful text about the different subcommands"},
    {.name = "list",
     .handler = ModuleList,
     .arity = 2,
     .flags = Flag::kAdmin | Flag::kNoScript,
     .group = Group::kServer,
     .since = "4.0.0",
     .complexity = "O(N) where N is the number of loaded modules.",
     .summary = "List all modules loaded by the server",
     .tips = kModuleListTips},
    {.name = "load",
     .handler = ModuleLoad,
     .arity = -3,
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kProtected | Flag::kNoAsyncLoading,
     .group = Group::kServer,
     .since = "4.0.0",
     .complexity = "O(1)",
     .summary = "Load a module",
     .arguments = "path:string arg:string?*"},
    {.name = "loadex",
     .handler = ModuleLoad,
     .arity = -3,
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kProtected | Flag::kNoAsyncLoading,
     .group = Group::kServer,
     .since = "7.0.0",
     .complexity = "O(1)",
     .summary = "Load a module with extended parameters",
     .arguments = "path:string 'CONFIG' configs:block(name:string value:string)?+ 'ARGS' "
                  "args:block(arg:string)?*"},
    {.name = "unload",
     .handler = ModuleUnload,
     .arity = 3,
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kProtected | Flag::kNoAsyncLoading,
     .group = Group::kServer,
     .since = "4.0.0",
     .complexity = "O(1)",
     .summary = "Unload a module",
     .arguments = "name:string"},
};

constexpr CommandSpec kServerCommands[] = {
    {.name = "dbsize",
     .handler = DbSize,
     .arity = 1,
     .flags = Flag::kReadonly | Flag::kFast,
     .acl = Acl::kKeyspace,
     .group = Group::kServer,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Return the number of keys in the selected database",
     .tips = kDbSizeTips},
    {.name = "flushall",
     .handler = FlushAll,
     .arity = -1,
     .flags = Flag::kWrite,
     .acl = Acl::kKeyspace | Acl::kDangerous,
     .group = Group::kServer,
     .since = "1.0.0",
     .complexity = "O(N) where N is the total number of keys in all databases",
     .summary = "Remove all keys from all databases",
     .arguments = "async:oneof('ASYNC' async:pure-token@4.0.0|'SYNC' sync:pure-token@6.2.0)?",
     .history = kFlushAllHistory,
     .tips = kFlushAllTips},
    {.name = "flushdb",
     .handler = FlushDb,
     .arity = -1,
     .flags = Flag::kWrite,
     .acl = Acl::kKeyspace | Acl::kDangerous,
     .group = Group::kServer,
     .since = "1.0.0",
     .complexity = "O(N) where N is the number of keys in the selected database",
     .summary = "Remove all keys from the current database",
     .arguments = "async:oneof('ASYNC' async:pure-token@4.0.0|'SYNC' sync:pure-token@6.2.0)?",
     .history = kFlushDbHistory,
     .tips = kFlushAllTips},
    {.name = "info",
     .handler = Info,
     .arity = -1,
     .flags = Flag::kLoading | Flag::kStale,
     .acl = Acl::kDangerous,
     .group = Group::kServer,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Get information and statistics about the server",
     .arguments = "section:string?*",
     .history = kInfoHistory,
     .tips = kInfoTips},
    {.name = "lastsave",
     .handler = LastSave,
     .arity = 1,
     .flags = Flag::kLoading | Flag::kStale | Flag::kFast,
     .acl = Acl::kAdmin | Acl::kDangerous,
     .group = Group::kServer,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Get the UNIX time stamp of the last successful save to disk",
     .tips = kLastSaveTips},
    {.name = "lolwut",
     .handler = Lolwut,
     .arity = -1,
     .flags = Flag::kReadonly | Flag::kFast,
     .group = Group::kServer,
     .since = "5.0.0",
     .summary = "Display some computer art and the Redis version",
     .arguments = "'VERSION' version:integer?"},
    {.name = "module",
     .arity = -2,
     .group = Group::kServer,
     .since = "4.0.0",
     .complexity = "Depends on subcommand.",
     .summary = "A container for module commands",
     .subcommands = kModuleSubcommands},
    {.name = "replicaof",
     .handler = ReplicaOf,
     .arity = 3,
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kStale | Flag::kNoAsyncLoading,
     .group = Group::kServer,
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Make the server a replica of another instance, or promote it as master.",
     .arguments = "args:oneof(host-port:block(host:string port:integer)|no-one:block('NO' "
                  "no:pure-token 'ONE' one:pure-token))"},
    {.name = "role",
     .handler = Role,
     .arity = 1,
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale | Flag::kFast,
     .acl = Acl::kAdmin | Acl::kDangerous,
     .group = Group::kServer,
     .since = "2.8.12",
     .complexity = "O(1)",
     .summary = "Return the role of the instance in the context of replication"},
    {.name = "shutdown",
     .handler = Shutdown,
     .arity = -1,
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale | Flag::kNoMulti |
              Flag::kAllowBusy,
     .group = Group::kServer,
     .since = "1.0.0",
     .complexity = "O(N) when saving, where N is the total number of keys in all databases when "
                   "saving data, otherwise O(1)",
     .summary = "Synchronously save the dataset to disk and then shut down the server",
     .arguments =
         "nosave_save:oneof('NOSAVE' nosave:pure-token|'SAVE' save:pure-token)? 'NOW' "
         "now:pure-token?@7.0.0 'FORCE' force:pure-token?@7.0.0 'ABORT' abort:pure-token?@7.0.0",
     .history = kShutdownHistory},
    {.name = "slaveof",
     .handler = ReplicaOf,
     .arity = 3,
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kStale | Flag::kNoAsyncLoading,
     .group = Group::kServer,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Make the server a replica of another instance, or promote it as master.",
     .arguments = "args:oneof(host-port:block(host:string port:integer)|no-one:block('NO' "
                  "no:pure-token 'ONE' one:pure-token))",
     .deprecated_since = "5.0.0",
     .replaced_by = "`REPLICAOF`"},
    {.name = "swapdb",
     .handler = SwapDb,
     .arity = 3,
     .flags = Flag::kWrite | Flag::kFast,
     .acl = Acl::kKeyspace | Acl::kDangerous,
     .group = Group::kServer,
     .since = "4.0.0",
     .complexity =
         "O(N) where N is the count of clients watching or blocking on keys from both databases.",
     .summary = "Swaps two Redis databases",
     .arguments = "index1:integer index2:integer"},
    {.name = "time",
     .handler = Time,
     .arity = 1,
     .flags = Flag::kLoading | Flag::kStale | Flag::kFast,
     .group = Group::kServer,
     .since = "2.6.0",
     .complexity = "O(1)",
     .summary = "Return the current server time",
     .tips = kLastSaveTips},
    {.name = "wait",
     .handler = Wait,
     .arity = 3,
     .flags = Flag::kNoScript,
     .acl = Acl::kConnection,
     .group = Group::kGeneric,
     .since = "3.0.0",
     .complexity = "O(1)",
     .summary = "Wait for the synchronous replication of all the write commands sent in the "
                "context of the current connection",
     .arguments = "numreplicas:integer timeout:integer",
     .tips = kWaitTips},
};

}  // namespace

std::span<const CommandSpec> ServerCommands() { return kServerCommands; }

}  // namespace aeris
