// Transactions: commands that are queued and run together, if none of the keys that the client
// watches has changed.
#include "src/client.h"
#include "src/command_context.h"
#include "src/commands/families.h"
#include "src/commands/key_specs.h"
#include "src/server.h"
#include "src/transaction.h"
#include "src/watched_keys.h"

namespace aeris {
namespace {

// MULTI. Replies OK; what follows is queued and replies QUEUED, as a simple string, until EXEC or
// DISCARD.
void Multi(CommandContext& context) {
  if (context.client().transaction) {
    return context.reply().Error("ERR MULTI calls can not be nested");
  }
  context.server().dispatcher().BeginTransaction(context.client());
  context.reply().Ok();
}

// EXEC. Runs what was queued and replies an array of its replies | a null array when a watched key
// has changed | EXECABORT when a command could not be queued.
void Exec(CommandContext& context) {
  Client& client = context.client();
  if (!client.transaction) return context.reply().Error("ERR EXEC without MULTI");
  Dispatcher& dispatcher = context.server().dispatcher();
  const bool changed = context.server().watched_keys().Changed(client);
  if (client.transaction->aborted()) {
    context.reply().Error("EXECABORT Transaction discarded because of previous errors.");
  } else if (changed) {
    context.reply().NullArray();
  } else {
    client.watch.reset();
    context.reply().Array(client.transaction->size());
    dispatcher.RunQueued(context);
  }
  dispatcher.EndTransaction(client);
}

// DISCARD. Replies OK.
void Discard(CommandContext& context) {
  if (!context.client().transaction) return context.reply().Error("ERR DISCARD without MULTI");
  context.server().dispatcher().EndTransaction(context.client());
  context.reply().Ok();
}

// WATCH key [key ...]. Replies OK. O(1) for each key.
void WatchKeys(CommandContext& context) {
  if (context.client().transaction) {
    return context.reply().Error("ERR WATCH inside MULTI is not allowed");
  }
  for (std::size_t i = 1; i < context.argc(); ++i) {
    context.server().watched_keys().Add(context.client(), context.arg(i));
  }
  context.server().clients().sizes().Count(context.client());
  context.reply().Ok();
}

// UNWATCH. Replies OK.
void Unwatch(CommandContext& context) {
  context.client().watch.reset();
  context.reply().Ok();
}

constexpr CommandFlags kFlags = Flag::kNoScript | Flag::kLoading | Flag::kStale;

constexpr CommandSpec kTransactionCommands[] = {
    {.name = "discard",
     .handler = Discard,
     .arity = 1,
     .flags = kFlags | Flag::kFast | Flag::kAllowBusy | Flag::kNotQueued,
     .acl = Acl::kTransaction,
     .group = Group::kTransactions,
     .since = "2.0.0",
     .complexity = "O(N), when N is the number of queued commands",
     .summary = "Discard all commands issued after MULTI"},
    {.name = "exec",
     .handler = Exec,
     .arity = 1,
     .flags = kFlags | Flag::kSkipSlowlog | Flag::kNotQueued,
     .acl = Acl::kTransaction,
     .group = Group::kTransactions,
     .since = "1.2.0",
     .complexity = "Depends on commands in the transaction",
     .summary = "Execute all commands issued after MULTI"},
    {.name = "multi",
     .handler = Multi,
     .arity = 1,
     .flags = kFlags | Flag::kFast | Flag::kAllowBusy | Flag::kNotQueued,
     .acl = Acl::kTransaction,
     .group = Group::kTransactions,
     .since = "1.2.0",
     .complexity = "O(1)",
     .summary = "Mark the start of a transaction block"},
    {.name = "unwatch",
     .handler = Unwatch,
     .arity = 1,
     .flags = kFlags | Flag::kFast | Flag::kAllowBusy,
     .acl = Acl::kTransaction,
     .group = Group::kTransactions,
     .since = "2.2.0",
     .complexity = "O(1)",
     .summary = "Forget about all watched keys"},
    {.name = "watch",
     .handler = WatchKeys,
     .arity = -2,
     .flags = kFlags | Flag::kFast | Flag::kAllowBusy | Flag::kNotQueued,
     .acl = Acl::kTransaction,
     .keys = kInspectKeys,
     .group = Group::kTransactions,
     .since = "2.2.0",
     .complexity = "O(1) for every key.",
     .summary = "Watch the given keys to determine execution of the MULTI/EXEC block",
     .arguments = "key:key*#0"},
};

}  // namespace

std::span<const CommandSpec> TransactionCommands() { return kTransactionCommands; }

}  // namespace aeris
