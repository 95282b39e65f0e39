// OBJECT: what is known about a key beside its value.
#include "src/client.h"
#include "src/command_context.h"
#include "src/commands/families.h"
#include "src/commands/help.h"
#include "src/commands/key_specs.h"
#include "src/server.h"

namespace aeris {
namespace {

using storage::EntryView;

// Redis shares the objects of small integers and says so with this count; tools know it.
constexpr std::int64_t kSharedReferences = 2147483647;
constexpr std::int64_t kSharedIntegersEnd = 10000;

// Not within a limit with a policy that wants to know of each key when it was used.
bool SharesIntegers(const CommandContext& context) {
  const storage::EvictionOrder order = context.keyspace().eviction_policy().order;
  const bool by_use = order == storage::EvictionOrder::kLeastRecent ||
                      order == storage::EvictionOrder::kLeastFrequent;
  return !by_use || context.server().config().maxmemory == 0;
}

// Looks at the key of argument 2 without touching it; replies null when it is absent.
EntryView Inspect(CommandContext& context) {
  const EntryView entry = context.keyspace().Find(context.Key(2), context.now(), storage::kPeek);
  if (!entry) context.reply().Null();
  return entry;
}

// OBJECT ENCODING key. Replies the name as bulk string | null.
void ObjectEncoding(CommandContext& context) {
  if (const EntryView entry = Inspect(context)) {
    context.reply().Bulk(storage::EncodingName(entry.encoding()));
  }
}

// OBJECT REFCOUNT key. Replies an integer | null.
void ObjectRefCount(CommandContext& context) {
  const EntryView entry = Inspect(context);
  if (!entry) return;
  const bool shared = entry.is_integer() && entry.integer() >= 0 &&
                      entry.integer() < kSharedIntegersEnd && SharesIntegers(context);
  context.reply().Integer(shared ? kSharedReferences : 1);
}

// The policy of the client's database.
bool LfuSelected(const CommandContext& context) {
  return context.keyspace().eviction_policy().order == storage::EvictionOrder::kLeastFrequent;
}

// OBJECT IDLETIME key. Replies seconds | null.
void ObjectIdleTime(CommandContext& context) {
  const EntryView entry = Inspect(context);
  if (!entry) return;
  if (LfuSelected(context)) {
    return context.reply().Error(
        "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when "
        "switching between policies at runtime LRU and LFU data will take some time to adjust.");
  }
  context.reply().Integer(static_cast<std::int64_t>(storage::IdleSeconds(
      entry.access_clock(), context.keyspace().context().AgeTime(context.now()))));
}

// OBJECT FREQ key. Replies the logarithmic counter | null. Under policies that do not keep one, it
// is what the requests that HOTKEYS knows of have made of it, 0 for a key that is not hot: Redis
// replies an error there, with which `redis-cli --hotkeys` ends.
void ObjectFreq(CommandContext& context) {
  const EntryView entry = Inspect(context);
  if (!entry) return;
  const storage::KeyspaceContext& keyspaces = context.keyspace().context();
  if (!LfuSelected(context)) {
    const auto database = static_cast<std::size_t>(context.client().database);
    const std::uint64_t requests = context.server().hot_keys().RequestsTo(database, context.Key(2));
    return context.reply().Integer(storage::FrequencyOfUses(requests, keyspaces.lfu_log_factor));
  }
  context.reply().Integer(storage::LfuFrequency(
      entry.access_clock(), keyspaces.AgeTime(context.now()), keyspaces.lfu_decay_minutes));
}

void ObjectHelp(CommandContext& context) {
  static constexpr std::string_view kLines[] = {
      "ENCODING <key>",
      "    Return the kind of internal representation used in order to store the value",
      "    associated with a <key>.",
      "FREQ <key>",
      "    Return the access frequency index of the <key>. The returned integer is",
      "    proportional to the logarithm of the recent access frequency of the key.",
      "IDLETIME <key>",
      "    Return the idle time of the <key>, that is the approximated number of",
      "    seconds elapsed since the last access to the key.",
      "REFCOUNT <key>",
      "    Return the number of references of the value associated with the specified",
      "    <key>.",
  };
  ReplyHelp(context, kLines);
}

constexpr std::string_view kObjectEncodingTips[] = {"nondeterministic_output"};

constexpr CommandSpec kObjectSubcommands[] = {
    {.name = "encoding",
     .handler = ObjectEncoding,
     .arity = 3,
     .flags = Flag::kReadonly,
     .acl = Acl::kKeyspace,
     .keys = kInspectSubcommandKey,
     .group = Group::kGeneric,
     .since = "2.2.3",
     .complexity = "O(1)",
     .summary = "Inspect the internal encoding of a Redis object",
     .arguments = "key:key#0",
     .tips = kObjectEncodingTips},
    {.name = "freq",
     .handler = ObjectFreq,
     .arity = 3,
     .flags = Flag::kReadonly,
     .acl = Acl::kKeyspace,
     .keys = kInspectSubcommandKey,
     .group = Group::kGeneric,
     .since = "4.0.0",
     .complexity = "O(1)",
     .summary = "Get the logarithmic access frequency counter of a Redis object",
     .arguments = "key:key#0",
     .tips = kObjectEncodingTips},
    {.name = "help",
     .handler = ObjectHelp,
     .arity = 2,
     .flags = Flag::kLoading | Flag::kStale,
     .acl = Acl::kKeyspace,
     .group = Group::kGeneric,
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Show helpful text about the different subcommands"},
    {.name = "idletime",
     .handler = ObjectIdleTime,
     .arity = 3,
     .flags = Flag::kReadonly,
     .acl = Acl::kKeyspace,
     .keys = kInspectSubcommandKey,
     .group = Group::kGeneric,
     .since = "2.2.3",
     .complexity = "O(1)",
     .summary = "Get the time since a Redis object was last accessed",
     .arguments = "key:key#0",
     .tips = kObjectEncodingTips},
    {.name = "refcount",
     .handler = ObjectRefCount,
     .arity = 3,
     .flags = Flag::kReadonly,
     .acl = Acl::kKeyspace,
     .keys = kInspectSubcommandKey,
     .group = Group::kGeneric,
     .since = "2.2.3",
     .complexity = "O(1)",
     .summary = "Get the number of references to the value of the key",
     .arguments = "key:key#0",
     .tips = kObjectEncodingTips},
};

constexpr CommandSpec kObjectCommands[] = {
    {.name = "object",
     .arity = -2,
     .group = Group::kGeneric,
     .since = "2.2.3",
     .complexity = "Depends on subcommand.",
     .summary = "A container for object introspection commands",
     .subcommands = kObjectSubcommands},
};

}  // namespace

std::span<const CommandSpec> ObjectCommands() { return kObjectCommands; }

}  // namespace aeris
