// ACL: users, what they may do, and who was refused.
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/acl/acl_description.h"
#include "src/acl/acl_users.h"
#include "src/base/random.h"
#include "src/command_context.h"
#include "src/command_names.h"
#include "src/command_table.h"
#include "src/commands/families.h"
#include "src/commands/help.h"
#include "src/server.h"
#include "src/text.h"

namespace aeris {
namespace {

AclUsers& Users(const CommandContext& context) { return context.server().acl(); }

// ACL CAT [category]. Replies an array: of categories, or of the commands of one.
void AclCat(CommandContext& context) {
  if (context.argc() > 3) return ReplySubcommandSyntax(context);
  protocol::ReplyWriter& reply = context.reply();
  if (context.argc() == 2) {
    reply.Array(kAclCategoryNames.size());
    for (const std::string_view name : kAclCategoryNames) reply.Bulk(name);
    return;
  }
  const std::optional<AclCategory> category = FindAclCategory(context.arg(2));
  if (!category) {
    return reply.Error(fmt::format("ERR Unknown category '{}'", EchoedText(context.arg(2))));
  }
  const AclCatalogue& catalogue = Users(context).catalogue();
  const auto array = reply.BeginArray();
  std::size_t count = 0;
  for (const std::size_t id : catalogue.order()) {
    if (!catalogue[id].of_server || !catalogue[id].categories.has(*category)) continue;
    reply.Bulk(catalogue[id].name);
    ++count;
  }
  reply.EndArray(array, count);
}

// ACL DELUSER name ... Replies how many there were. Their clients are closed.
void AclDelUser(CommandContext& context) {
  std::int64_t deleted = 0;
  const auto names = context.args().subspan(2);
  for (const std::string_view name : names) {
    if (name == "default") return context.reply().Error("ERR The 'default' user cannot be removed");
  }
  for (const std::string_view name : names) {
    if (Users(context).DeleteUser(name, context.client())) ++deleted;
  }
  context.reply().Integer(deleted);
}

// The command that a request names; null for an unknown one or an unknown subcommand.
const Command* FindRequested(const CommandTable& table, std::span<const std::string_view> request) {
  const Command* const command = table.Find(request[0]);
  if (command == nullptr || command->subcommands().empty() || request.size() < 2) return command;
  return command->FindSubcommand(request[1]);
}

// ACL DRYRUN user command [argument ...]. Replies OK | a bulk string that says what it may not.
void AclDryRun(CommandContext& context) {
  protocol::ReplyWriter& reply = context.reply();
  const AclUser* const user = Users(context).Find(context.arg(2));
  if (user == nullptr) {
    return reply.Error(fmt::format("ERR User '{}' not found", EchoedText(context.arg(2))));
  }
  const auto request = context.args().subspan(3);
  const Command* const command = FindRequested(context.server().commands(), request);
  if (command == nullptr) {
    return reply.Error(fmt::format("ERR Command '{}' not found", EchoedText(request[0])));
  }
  if (!command->ArityMatches(request.size())) {
    return reply.Error(
        fmt::format("ERR wrong number of arguments for '{}' command", command->full_name()));
  }
  AclRequest asked(*command, request);
  const std::optional<AclDenial> denial = user->Check(asked);
  if (!denial) return reply.Ok();
  if (denial->reason == AclReason::kCommand) {
    return reply.Bulk(
        fmt::format("This user has no permissions to run the '{}' command", command->full_name()));
  }
  reply.Bulk(fmt::format("This user has no permissions to access the '{}' {}",
                         request[denial->argument],
                         denial->reason == AclReason::kKey ? "key" : "channel"));
}

// ACL GENPASS [bits]. Replies a bulk string of random hexadecimal digits.
void AclGenPass(CommandContext& context) {
  constexpr std::int64_t kBitsMax = 4096;
  if (context.argc() > 3) return ReplySubcommandSyntax(context);
  std::int64_t bits = 256;
  if (context.argc() == 3) {
    const auto asked = context.IntegerArg(2);
    if (!asked) return;
    bits = *asked;
  }
  if (bits <= 0 || bits > kBitsMax) {
    return context.reply().Error(fmt::format(
        "ERR ACL GENPASS argument must be the number of bits for the output password, a positive "
        "number up to {}",
        kBitsMax));
  }
  std::array<std::byte, kBitsMax / 8> secret;
  FillWithSecret(secret);
  std::string digits;
  for (const std::byte byte : secret) digits += fmt::format("{:02x}", static_cast<unsigned>(byte));
  digits.resize(static_cast<std::size_t>((bits + 3) / 4));
  context.reply().Bulk(digits);
}

// Commands, keys and channels of one selector: three fields of a map.
void ReplySelector(protocol::ReplyWriter& reply, const AclSelector& selector,
                   const AclCatalogue& catalogue) {
  reply.Bulk("commands");
  reply.Bulk(selector.commands().Describe(catalogue));
  reply.Bulk("keys");
  reply.Bulk(DescribeKeys(selector));
  reply.Bulk("channels");
  reply.Bulk(DescribeChannels(selector));
}

// ACL GETUSER name. Replies a map | null.
void AclGetUser(CommandContext& context) {
  protocol::ReplyWriter& reply = context.reply();
  const AclUser* const user = Users(context).Find(context.arg(2));
  if (user == nullptr) return reply.Null();
  const AclCatalogue& catalogue = Users(context).catalogue();
  const AclUser::Rights& rights = user->rights();
  reply.Map(6);
  reply.Bulk("flags");
  const std::vector<std::string_view> flags = FlagNames(rights);
  reply.Set(flags.size());
  for (const std::string_view flag : flags) reply.Bulk(flag);
  reply.Bulk("passwords");
  reply.Array(rights.passwords.size());
  for (const PasswordDigest& password : rights.passwords) reply.Bulk(DigestText(password));
  ReplySelector(reply, rights.selectors.front(), catalogue);
  reply.Bulk("selectors");
  reply.Array(rights.selectors.size() - 1);
  for (const AclSelector& selector : std::span(rights.selectors).subspan(1)) {
    reply.Map(3);
    ReplySelector(reply, selector, catalogue);
  }
}

// ACL LIST. Replies an array of lines as a file of users has them.
void AclList(CommandContext& context) {
  const AclUsers& users = Users(context);
  context.reply().Array(users.users().size());
  for (const auto& [name, user] : users.users()) {
    context.reply().Bulk(DescribeUser(*user, users.catalogue()));
  }
}

// False after the error reply.
bool HasFile(const CommandContext& context) {
  if (!context.server().config().aclfile.empty()) return true;
  context.reply().Error(
      "ERR This Redis instance is not configured to use an ACL file. You may want to specify users "
      "via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis "
      "configuration file set) in order to store users in the Redis configuration.");
  return false;
}

// ACL LOAD. Replies OK | an error that tells all that is wrong with the file; nothing changes then.
void AclLoad(CommandContext& context) {
  if (!HasFile(context)) return;
  if (const auto loaded = Users(context).Load(context.client()); !loaded) {
    return context.reply().Error(loaded.error());
  }
  context.reply().Ok();
}

void ReplyRecord(protocol::ReplyWriter& reply, const AclLog::Record& record, MonotonicTime now) {
  const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(now - record.time);
  reply.Map(7);
  reply.Bulk("count");
  reply.Integer(static_cast<std::int64_t>(record.count));
  reply.Bulk("reason");
  reply.Bulk(AclReasonName(record.reason));
  reply.Bulk("context");
  reply.Bulk(AclContextName(record.context));
  reply.Bulk("object");
  reply.Bulk(record.object);
  reply.Bulk("username");
  reply.Bulk(record.user);
  reply.Bulk("age-seconds");
  reply.Double(static_cast<double>(age.count()) / 1000);
  reply.Bulk("client-info");
  reply.Bulk(record.client_info);
}

// ACL LOG [count | RESET]. Replies an array of maps, newest first, 10 without a count | OK.
void AclLogCommand(CommandContext& context) {
  if (context.argc() > 3) return ReplySubcommandSyntax(context);
  AclLog& log = Users(context).log();
  std::size_t count = 10;
  if (context.argc() == 3) {
    if (context.ArgIs(2, "reset")) {
      log.Clear();
      return context.reply().Ok();
    }
    const auto asked = context.IntegerArg(2);
    if (!asked) return;
    count = static_cast<std::size_t>(std::max(*asked, std::int64_t{0}));
  }
  count = std::min(count, log.records().size());
  context.reply().Array(count);
  for (const AclLog::Record& record : log.records()) {
    if (count-- == 0) return;
    ReplyRecord(context.reply(), record, context.server().monotonic());
  }
}

// ACL SAVE. Replies OK.
void AclSave(CommandContext& context) {
  if (!HasFile(context)) return;
  if (const auto saved = Users(context).Save(); !saved) {
    context.server().log().Warning("Saving ACL file: {}", saved.error().message);
    return context.reply().Error(
        "ERR There was an error trying to save the ACLs. Please check the server logs for more "
        "information");
  }
  context.reply().Ok();
}

// ACL SETUSER name [rule ...]. Replies OK; after an error nothing has changed. What it says is for
// nobody's eyes: MONITOR and the slow log do not show it.
void AclSetUser(CommandContext& context) {
  const auto shown = context.args().subspan(2);
  const std::vector<std::string_view> arguments(shown.begin(), shown.end());
  for (std::size_t i = 2; i < context.argc(); ++i) context.Redact(i);
  const auto rules = std::span(arguments).subspan(1);
  const auto set = Users(context).SetUser(arguments[0], rules, context.client());
  if (!set) return context.reply().Error(set.error());
  context.reply().Ok();
}

// ACL USERS. Replies an array of names.
void AclUserNames(CommandContext& context) {
  const AclUserMap& users = Users(context).users();
  context.reply().Array(users.size());
  for (const auto& [name, user] : users) context.reply().Bulk(name);
}

// ACL WHOAMI. Replies a bulk string.
void AclWhoAmI(CommandContext& context) { context.reply().Bulk(UserNameOf(context.client())); }

void AclHelp(CommandContext& context) {
  static constexpr std::string_view kLines[] = {
      "CAT [<category>]",
      "    List all commands that belong to <category>, or all command categories",
      "    when no category is specified.",
      "DELUSER <username> [<username> ...]",
      "    Delete a list of users.",
      "DRYRUN <username> <command> [<arg> ...]",
      "    Returns whether the user can execute the given command without executing the command.",
      "GETUSER <username>",
      "    Get the user's details.",
      "GENPASS [<bits>]",
      "    Generate a secure 256-bit user password. The optional `bits` argument can",
      "    be used to specify a different size.",
      "LIST",
      "    Show users details in config file format.",
      "LOAD",
      "    Reload users from the ACL file.",
      "LOG [<count> | RESET]",
      "    Show the ACL log entries.",
      "SAVE",
      "    Save the current config to the ACL file.",
      "SETUSER <username> <attribute> [<attribute> ...]",
      "    Create or modify a user with the specified attributes.",
      "USERS",
      "    List all the registered usernames.",
      "WHOAMI",
      "    Return the current connection username.",
  };
  ReplyHelp(context, kLines);
}

constexpr Change kGetUserHistory[] = {
    {"6.2.0", "Added Pub/Sub channel patterns."},
    {"7.0.0",
     "Added selectors and changed the format of key and channel patterns from a list to their rule "
     "representation."}};

constexpr Change kSetUserHistory[] = {{"6.2.0", "Added Pub/Sub channel patterns."},
                                      {"7.0.0", "Added selectors and key based permissions."}};

constexpr CommandFlags kAnybody = Flag::kNoScript | Flag::kLoading | Flag::kStale | Flag::kSentinel;
constexpr CommandFlags kAdministrators = kAnybody | Flag::kAdmin;

constexpr CommandSpec kAclSubcommands[] = {
    {.name = "cat",
     .handler = AclCat,
     .arity = -2,
     .flags = kAnybody,
     .group = Group::kServer,
     .since = "6.0.0",
     .complexity = "O(1) since the categories and commands are a fixed set.",
     .summary = "List the ACL categories or the commands inside a category",
     .arguments = "categoryname:string?"},
    {.name = "deluser",
     .handler = AclDelUser,
     .arity = -3,
     .flags = kAdministrators,
     .group = Group::kServer,
     .since = "6.0.0",
     .complexity = "O(1) amortized time considering the typical user.",
     .summary = "Remove the specified ACL users and the associated rules",
     .arguments = "username:string*"},
    {.name = "dryrun",
     .handler = AclDryRun,
     .arity = -4,
     .flags = kAdministrators,
     .group = Group::kServer,
     .since = "7.0.0",
     .complexity = "O(1).",
     .summary =
         "Returns whether the user can execute the given command without executing the command.",
     .arguments = "username:string command:string arg:string?*"},
    {.name = "genpass",
     .handler = AclGenPass,
     .arity = -2,
     .flags = kAnybody,
     .group = Group::kServer,
     .since = "6.0.0",
     .complexity = "O(1)",
     .summary = "Generate a pseudorandom secure password to use for ACL users",
     .arguments = "bits:integer?"},
    {.name = "getuser",
     .handler = AclGetUser,
     .arity = 3,
     .flags = kAdministrators,
     .group = Group::kServer,
     .since = "6.0.0",
     .complexity = "O(N). Where N is the number of password, command and pattern rules that the "
                   "user has.",
     .summary = "Get the rules for a specific ACL user",
     .arguments = "username:string",
     .history = kGetUserHistory},
    {.name = "help",
     .handler = AclHelp,
     .arity = 2,
     .flags = Flag::kLoading | Flag::kStale | Flag::kSentinel,
     .group = Group::kServer,
     .since = "6.0.0",
     .complexity = "O(1)",
     .summary = "Show helpful text about the different subcommands"},
    {.name = "list",
     .handler = AclList,
     .arity = 2,
     .flags = kAdministrators,
     .group = Group::kServer,
     .since = "6.0.0",
     .complexity = "O(N). Where N is the number of configured users.",
     .summary = "List the current ACL rules in ACL config file format"},
    {.name = "load",
     .handler = AclLoad,
     .arity = 2,
     .flags = kAdministrators,
     .group = Group::kServer,
     .since = "6.0.0",
     .complexity = "O(N). Where N is the number of configured users.",
     .summary = "Reload the ACLs from the configured ACL file"},
    {.name = "log",
     .handler = AclLogCommand,
     .arity = -2,
     .flags = kAdministrators,
     .group = Group::kServer,
     .since = "6.0.0",
     .complexity = "O(N) with N being the number of entries shown.",
     .summary = "List latest events denied because of ACLs in place",
     .arguments = "operation:oneof(count:integer|'RESET' reset:pure-token)?"},
    {.name = "save",
     .handler = AclSave,
     .arity = 2,
     .flags = kAdministrators,
     .group = Group::kServer,
     .since = "6.0.0",
     .complexity = "O(N). Where N is the number of configured users.",
     .summary = "Save the current ACL rules in the configured ACL file"},
    {.name = "setuser",
     .handler = AclSetUser,
     .arity = -3,
     .flags = kAdministrators,
     .group = Group::kServer,
     .since = "6.0.0",
     .complexity = "O(N). Where N is the number of rules provided.",
     .summary = "Modify or create the rules for a specific ACL user",
     .arguments = "username:string rule:string?*",
     .history = kSetUserHistory},
    {.name = "users",
     .handler = AclUserNames,
     .arity = 2,
     .flags = kAdministrators,
     .group = Group::kServer,
     .since = "6.0.0",
     .complexity = "O(N). Where N is the number of configured users.",
     .summary = "List the username of all the configured ACL rules"},
    {.name = "whoami",
     .handler = AclWhoAmI,
     .arity = 2,
     .flags = kAnybody,
     .group = Group::kServer,
     .since = "6.0.0",
     .complexity = "O(1)",
     .summary = "Return the name of the user associated to the current connection"},
};

constexpr CommandSpec kAclCommands[] = {
    {.name = "acl",
     .arity = -2,
     .flags = Flag::kSentinel,
     .group = Group::kServer,
     .since = "6.0.0",
     .complexity = "Depends on subcommand.",
     .summary = "A container for Access List Control commands ",
     .subcommands = kAclSubcommands},
};

}  // namespace

std::span<const CommandSpec> AclCommands() { return kAclCommands; }

}  // namespace aeris
