// CONFIG: the running configuration, its file, and the counters.
#include <fmt/format.h>

#include <cstring>
#include <string>
#include <vector>

#include "src/acl/acl_users.h"
#include "src/command_context.h"
#include "src/commands/families.h"
#include "src/commands/help.h"
#include "src/config_rewrite.h"
#include "src/error_replies.h"
#include "src/server.h"

namespace aeris {
namespace {

// CONFIG GET pattern [pattern ...]. Replies a map of directives to their values as text.
void ConfigGet(CommandContext& context) {
  const std::vector<ConfigValue> values =
      context.server().config_table().Get(context.args().subspan(2));
  context.reply().Map(values.size());
  for (const ConfigValue& each : values) {
    context.reply().Bulk(each.name);
    context.reply().Bulk(each.value);
  }
}

bool MaySetProtected(const CommandContext& context) {
  const Permission permission = context.server().config().enable_protected_configs;
  return permission == Permission::kYes ||
         (permission == Permission::kLocal && context.client().local());
}

// CONFIG SET directive value [directive value ...]. Replies OK when all were set; after an error
// none was.
void ConfigSet(CommandContext& context) {
  if (context.argc() % 2 != 0) return context.reply().Error(err::kSyntax);
  ConfigTable& table = context.server().config_table();
  std::vector<ConfigPair> pairs;
  for (std::size_t i = 2; i < context.argc(); i += 2) {
    pairs.push_back({.name = context.arg(i), .value = context.arg(i + 1)});
    const ConfigRow* row = table.Find(context.arg(i));
    if (row != nullptr && row->has(kConfigSensitive)) context.Redact(i + 1);
  }
  if (auto set = table.Set(pairs, {.protected_allowed = MaySetProtected(context)}); !set) {
    return context.reply().Error(set.error());
  }
  Log& log = context.server().log();
  for (const std::string& warning : table.TakeWarnings()) log.Warning("{}", warning);
  context.reply().Ok();
}

// CONFIG REWRITE. Replies OK.
void ConfigRewrite(CommandContext& context) {
  Server& server = context.server();
  if (server.config_file().empty()) {
    return context.reply().Error("ERR The server is running without a config file");
  }
  server.config_table().config().users = server.acl().ConfigLines();
  if (auto done = RewriteConfigFile(server.config_file(), server.config_table()); !done) {
    server.log().Warning("CONFIG REWRITE failed: {}", done.error().message);
    const std::string reason =
        done.error().sys_errno == 0 ? done.error().message : std::strerror(done.error().sys_errno);
    return context.reply().Error(fmt::format("ERR Rewriting config file: {}", reason));
  }
  server.log().Notice("CONFIG REWRITE executed with success.");
  context.reply().Ok();
}

// CONFIG RESETSTAT. Replies OK. Peak memory stays, as in Redis.
void ConfigResetStat(CommandContext& context) {
  Server& server = context.server();
  server.stats().Reset();
  server.eviction().ResetStats();
  server.databases().ResetStats();
  server.cache_stats().Reset();
  server.SampleCache();
  server.databases().context().reuse.ForgetRequests();
  server.commands().ResetStats();
  context.reply().Ok();
}

void ConfigHelp(CommandContext& context) {
  static constexpr std::string_view kLines[] = {
      "GET <pattern>",
      "    Return parameters matching the glob-like <pattern> and their values.",
      "SET <directive> <value>",
      "    Set the configuration <directive> to <value>.",
      "RESETSTAT",
      "    Reset statistics reported by the INFO command.",
      "REWRITE",
      "    Rewrite the configuration file.",
  };
  ReplyHelp(context, kLines);
}

constexpr Change kConfigGetHistory[] = {
    {"7.0.0", "Added the ability to pass multiple pattern parameters in one call"}};

constexpr Change kConfigSetHistory[] = {
    {"7.0.0", "Added the ability to set multiple parameters in one call."}};

constexpr std::string_view kConfigSetTips[] = {"request_policy:all_nodes",
                                               "response_policy:all_succeeded"};

constexpr CommandSpec kConfigSubcommands[] = {
    {.name = "get",
     .handler = ConfigGet,
     .arity = -3,
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .group = Group::kServer,
     .since = "2.0.0",
     .complexity = "O(N) when N is the number of configuration parameters provided",
     .summary = "Get the values of configuration parameters",
     .arguments = "parameter:block(parameter:string)*",
     .history = kConfigGetHistory},
    {.name = "help",
     .handler = ConfigHelp,
     .arity = 2,
     .flags = Flag::kLoading | Flag::kStale,
     .group = Group::kServer,
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Show helpful text about the different subcommands"},
    {.name = "resetstat",
     .handler = ConfigResetStat,
     .arity = 2,
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .group = Group::kServer,
     .since = "2.0.0",
     .complexity = "O(1)",
     .summary = "Reset the stats returned by INFO"},
    {.name = "rewrite",
     .handler = ConfigRewrite,
     .arity = 2,
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .group = Group::kServer,
     .since = "2.8.0",
     .complexity = "O(1)",
     .summary = "Rewrite the configuration file with the in memory configuration"},
    {.name = "set",
     .handler = ConfigSet,
     .arity = -4,
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .group = Group::kServer,
     .since = "2.0.0",
     .complexity = "O(N) when N is the number of configuration parameters provided",
     .summary = "Set configuration parameters to the given values",
     .arguments = "parameter_value:block(parameter:string value:string)*",
     .history = kConfigSetHistory,
     .tips = kConfigSetTips},
};

constexpr CommandSpec kConfigCommands[] = {
    {.name = "config",
     .arity = -2,
     .group = Group::kServer,
     .since = "2.0.0",
     .complexity = "Depends on subcommand.",
     .summary = "A container for server configuration commands",
     .subcommands = kConfigSubcommands},
};

}  // namespace

std::span<const CommandSpec> ConfigCommands() { return kConfigCommands; }

}  // namespace aeris
