// Hashes: reading, writing, counting. HRANDFIELD and deadlines of fields have files of their own.
#include <array>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "src/base/number_text.h"
#include "src/command_context.h"
#include "src/commands/families.h"
#include "src/commands/gathered_memory.h"
#include "src/commands/hash_arguments.h"
#include "src/commands/hash_random.h"
#include "src/commands/key_specs.h"
#include "src/error_replies.h"
#include "src/packed_reply.h"
#include "src/scan_arguments.h"
#include "src/server.h"
#include "storage/hash_value.h"

namespace aeris {
namespace {

using storage::EntryView;
using storage::HashEditor;
using storage::HashField;
using storage::HashView;
using storage::IntegerText;
using storage::ValueType;

// HGET key field. Replies bulk string | null.
void HGet(CommandContext& context) {
  EntryView entry;
  if (!context.FindForRead(1, ValueType::kHash, entry)) return;
  if (!entry) return context.reply().Null();
  ReplyValueOrNull(context, HashView(entry, context.now()).Find(context.arg(2)));
}

// HMGET key field ...: an array of bulk strings | null.
void HMGet(CommandContext& context) {
  EntryView entry;
  if (!context.FindForRead(1, ValueType::kHash, entry)) return;
  const std::size_t count = context.argc() - 2;
  if (!entry) return ReplyNulls(context, count);
  context.reply().Array(count);
  HashView(entry, context.now())
      .FindEach(context.args().subspan(2),
                [&](const std::optional<HashField>& field) { ReplyValueOrNull(context, field); });
}

// HEXISTS key field. Replies 1 | 0.
void HExists(CommandContext& context) {
  EntryView entry;
  if (!context.FindForRead(1, ValueType::kHash, entry)) return;
  const bool exists = entry && HashView(entry, context.now()).Find(context.arg(2));
  context.reply().Integer(exists ? 1 : 0);
}

// HSTRLEN key field. Replies the length of the value, 0 when absent.
void HStrLen(CommandContext& context) {
  EntryView entry;
  if (!context.FindForRead(1, ValueType::kHash, entry)) return;
  if (!entry) return context.reply().Integer(0);
  const auto field = HashView(entry, context.now()).Find(context.arg(2));
  IntegerText scratch;
  context.reply().Integer(field ? static_cast<std::int64_t>(field->value.Text(scratch).size()) : 0);
}

// HLEN key. Replies the number of fields; those that have expired may count until they are removed,
// for up to 100 ms.
void HLen(CommandContext& context) {
  EntryView entry;
  if (!context.FindForRead(1, ValueType::kHash, entry)) return;
  context.reply().Integer(entry ? static_cast<std::int64_t>(entry.element_count()) : 0);
}

// What HGETALL, HKEYS and HVALS show of each field.
enum class Shown : std::uint8_t { kNames, kValues, kBoth };

void ReplyField(const CommandContext& context, const HashField& field, Shown shown) {
  if (shown != Shown::kValues) ReplyItem(context.reply(), field.name);
  if (shown != Shown::kNames) ReplyFieldValue(context, field);
}

void ReplyFields(CommandContext& context, Shown shown) {
  protocol::ReplyWriter& reply = context.reply();
  EntryView entry;
  if (!context.FindForRead(1, ValueType::kHash, entry)) return;
  const bool map = shown == Shown::kBoth;
  if (!entry) return map ? reply.Map(0) : reply.EmptyArray();
  const HashView hash(entry, context.now());
  if (hash.exact()) {
    map ? reply.Map(hash.size()) : reply.Array(hash.size());
    return hash.ForEach([&](const HashField& field) { ReplyField(context, field, shown); });
  }
  auto all = map ? reply.BeginMap() : reply.BeginArray();
  std::size_t count = 0;
  hash.ForEach([&](const HashField& field) {
    ReplyField(context, field, shown);
    ++count;
  });
  map ? reply.EndMap(std::move(all), count) : reply.EndArray(std::move(all), count);
}

// HGETALL key. Replies a map of bulk strings (RESP2: an array). O(n)
void HGetAll(CommandContext& context) { ReplyFields(context, Shown::kBoth); }
// HKEYS key and HVALS key. Reply arrays of bulk strings. O(n)
void HKeys(CommandContext& context) { ReplyFields(context, Shown::kNames); }
void HVals(CommandContext& context) { ReplyFields(context, Shown::kValues); }

// HSCAN key cursor [MATCH pattern] [COUNT n] [NOVALUES]. Replies the next cursor and an array of
// fields and values, or of fields.
void HScan(CommandContext& context) {
  const auto cursor = CursorArg(context, 2);
  if (!cursor) return;
  EntryView entry;
  if (!context.FindForRead(1, ValueType::kHash, entry)) return;
  if (!entry) return ReplyScanHead(context, 0, 0);
  ScanOptions options;
  if (!ParseScanOptions(context, {.first = 3, .no_values = true}, options)) return;
  const HashView hash(entry, context.now());
  // The cursor comes before the fields, so they are gathered first.
  std::vector<HashField> fields;
  GatheredMemory memory(context);
  const std::uint64_t next = hash.Scan(*cursor, options.count, [&](const HashField& field) {
    IntegerText scratch;
    if (!options.Matches(field.name.Text(scratch))) return;
    if (memory.Take(sizeof field)) fields.push_back(field);
  });
  if (memory.refused()) return;
  ReplyScanHead(context, next, options.no_values ? fields.size() : 2 * fields.size());
  const Shown shown = options.no_values ? Shown::kNames : Shown::kBoth;
  for (const HashField& field : fields) ReplyField(context, field, shown);
}

// Sets the pairs from argument 2 on, as far as memory reaches. Gives the number of fields that are
// new; nullopt after an error reply.
std::optional<std::int64_t> SetPairs(CommandContext& context) {
  if (context.argc() % 2 != 0) {
    context.ReplyWrongArity();
    return std::nullopt;
  }
  EntryView entry;
  if (!context.FindForWrite(1, ValueType::kHash, entry)) return std::nullopt;
  HashEditor hash = EditHash(context, entry);
  std::int64_t created = 0;
  std::size_t i = 2;
  for (; i < context.argc(); i += 2) {
    const auto put = hash.Set(context.arg(i), context.arg(i + 1), false);
    if (put == HashEditor::Put::kNoMemory) break;
    if (put == HashEditor::Put::kCreated) ++created;
  }
  if (!context.Stored(hash.Commit())) return std::nullopt;
  context.Changed((i - 2) / 2);
  if (i > 2) context.Notify(KeyEvent::kHash, "hset", 1);
  if (i == context.argc()) return created;
  context.ReplyOutOfMemory();
  return std::nullopt;
}

// HSET key field value ... Replies the number of new fields.
void HSet(CommandContext& context) {
  if (const auto created = SetPairs(context)) context.reply().Integer(*created);
}

// HMSET key field value ... Replies OK.
void HMSet(CommandContext& context) {
  if (SetPairs(context)) context.reply().Ok();
}

// Sets one field, ends the edit, counts the change and tells of it. False after an error reply.
bool SetOne(CommandContext& context, HashEditor& hash, std::string_view value, bool keep_deadline,
            std::string_view event) {
  const auto put = hash.Set(context.arg(2), value, keep_deadline);
  if (!context.Stored(hash.Commit())) return false;
  if (put == HashEditor::Put::kNoMemory) {
    context.ReplyOutOfMemory();
    return false;
  }
  context.Changed();
  context.Notify(KeyEvent::kHash, event, 1);
  return true;
}

// HSETNX key field value. Replies 1 | 0 when the field existed.
void HSetNx(CommandContext& context) {
  EntryView entry;
  if (!context.FindForWrite(1, ValueType::kHash, entry)) return;
  if (entry && HashView(entry, context.now()).Find(context.arg(2))) {
    return context.reply().Integer(0);
  }
  HashEditor hash = EditHash(context, entry);
  if (SetOne(context, hash, context.arg(3), false, "hset")) context.reply().Integer(1);
}

// HDEL key field ... Replies how many were there; the key goes with its last field.
void HDel(CommandContext& context) {
  EntryView entry;
  if (!context.FindForWrite(1, ValueType::kHash, entry)) return;
  if (!entry) return context.reply().Integer(0);
  HashEditor hash = EditHash(context, entry);
  std::int64_t erased = 0;
  for (std::size_t i = 2; i < context.argc(); ++i) {
    if (hash.Erase(context.arg(i))) ++erased;
  }
  if (!context.Stored(hash.Commit())) return;
  if (erased > 0) {
    context.Changed(static_cast<std::uint64_t>(erased));
    context.NotifyTaken(KeyEvent::kHash, "hdel", 1);
  }
  context.reply().Integer(erased);
}

// HINCRBY key field increment. Replies the new value; the field's deadline stays.
void HIncrBy(CommandContext& context) {
  const auto by = context.IntegerArg(3);
  if (!by) return;
  EntryView entry;
  if (!context.FindForWrite(1, ValueType::kHash, entry)) return;
  std::int64_t value = 0;
  if (entry) {
    if (const auto field = HashView(entry, context.now()).Find(context.arg(2))) {
      const auto stored =
          field->value.is_integer ? field->value.integer : ParseInt64(field->value.text);
      if (!stored) return context.reply().Error("ERR hash value is not an integer");
      value = *stored;
    }
  }
  if (__builtin_add_overflow(value, *by, &value)) return context.reply().Error(err::kWouldOverflow);
  char text[kInt64TextMax];
  HashEditor hash = EditHash(context, entry);
  if (SetOne(context, hash, {text, FormatInt64(text, value)}, true, "hincrby")) {
    context.reply().Integer(value);
  }
}

// HINCRBYFLOAT key field increment. Replies the new value as bulk string, in plain decimal
// notation; the field's deadline stays.
void HIncrByFloat(CommandContext& context) {
  const auto by = ParseLongDouble(context.arg(3));
  if (!by) return context.reply().Error(err::kNotFloat);
  if (std::isnan(*by) || std::isinf(*by)) {
    return context.reply().Error("ERR value is NaN or Infinity");
  }
  EntryView entry;
  if (!context.FindForWrite(1, ValueType::kHash, entry)) return;
  long double value = 0;
  if (entry) {
    if (const auto field = HashView(entry, context.now()).Find(context.arg(2))) {
      IntegerText scratch;
      const auto stored = ParseLongDouble(field->value.Text(scratch));
      if (!stored) return context.reply().Error("ERR hash value is not a float");
      value = *stored;
    }
  }
  value += *by;
  if (std::isnan(value) || std::isinf(value)) return context.reply().Error(err::kNaNOrInfinity);
  const std::string text = LongDoubleText(value);
  HashEditor hash = EditHash(context, entry);
  if (SetOne(context, hash, text, true, "hincrbyfloat")) context.reply().Bulk(text);
}

constexpr std::string_view kAnyOrder[] = {"nondeterministic_output_order"};
constexpr std::string_view kAnyOutput[] = {"nondeterministic_output"};

constexpr Change kHDelHistory[] = {{"2.4.0", "Accepts multiple `field` arguments."}};
constexpr Change kHSetHistory[] = {{"4.0.0", "Accepts multiple `field` and `value` arguments."}};

constexpr CommandSpec kHashCommands[] = {
    {.name = "hdel",
     .handler = HDel,
     .arity = -3,
     .flags = Flag::kWrite | Flag::kFast,
     .acl = Acl::kHash,
     .keys = kDeleteKey,
     .group = Group::kHash,
     .since = "2.0.0",
     .complexity = "O(N) where N is the number of fields to be removed.",
     .summary = "Delete one or more hash fields",
     .arguments = "key:key#0 field:string*",
     .history = kHDelHistory,
     .member = 2,
     .brief_args_max = 3},
    {.name = "hexists",
     .handler = HExists,
     .arity = 3,
     .flags = Flag::kReadonly | Flag::kFast,
     .acl = Acl::kHash,
     .keys = kInspectKey,
     .group = Group::kHash,
     .since = "2.0.0",
     .complexity = "O(1)",
     .summary = "Determine if a hash field exists",
     .arguments = "key:key#0 field:string",
     .member = 2,
     .brief_args_max = 3},
    {.name = "hget",
     .handler = HGet,
     .arity = 3,
     .flags = Flag::kReadonly | Flag::kFast,
     .acl = Acl::kHash,
     .keys = kReadKey,
     .group = Group::kHash,
     .since = "2.0.0",
     .complexity = "O(1)",
     .summary = "Get the value of a hash field",
     .arguments = "key:key#0 field:string",
     .member = 2,
     .brief_args_max = 3},
    {.name = "hgetall",
     .handler = HGetAll,
     .arity = 2,
     .flags = Flag::kReadonly,
     .acl = Acl::kHash,
     .keys = kReadKey,
     .group = Group::kHash,
     .since = "2.0.0",
     .complexity = "O(N) where N is the size of the hash.",
     .summary = "Get all the fields and values in a hash",
     .arguments = "key:key#0",
     .tips = kAnyOrder},
    {.name = "hincrby",
     .handler = HIncrBy,
     .arity = 4,
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .acl = Acl::kHash,
     .keys = kReadUpdateKey,
     .group = Group::kHash,
     .since = "2.0.0",
     .complexity = "O(1)",
     .summary = "Increment the integer value of a hash field by the given number",
     .arguments = "key:key#0 field:string increment:integer",
     .member = 2,
     .brief_args_max = 4},
    {.name = "hincrbyfloat",
     .handler = HIncrByFloat,
     .arity = 4,
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .acl = Acl::kHash,
     .keys = kReadUpdateKey,
     .group = Group::kHash,
     .since = "2.6.0",
     .complexity = "O(1)",
     .summary = "Increment the float value of a hash field by the given amount",
     .arguments = "key:key#0 field:string increment:double"},
    {.name = "hkeys",
     .handler = HKeys,
     .arity = 2,
     .flags = Flag::kReadonly,
     .acl = Acl::kHash,
     .keys = kReadKey,
     .group = Group::kHash,
     .since = "2.0.0",
     .complexity = "O(N) where N is the size of the hash.",
     .summary = "Get all the fields in a hash",
     .arguments = "key:key#0",
     .tips = kAnyOrder},
    {.name = "hlen",
     .handler = HLen,
     .arity = 2,
     .flags = Flag::kReadonly | Flag::kFast,
     .acl = Acl::kHash,
     .keys = kInspectKey,
     .group = Group::kHash,
     .since = "2.0.0",
     .complexity = "O(1)",
     .summary = "Get the number of fields in a hash",
     .arguments = "key:key#0"},
    {.name = "hmget",
     .handler = HMGet,
     .arity = -3,
     .flags = Flag::kReadonly | Flag::kFast,
     .acl = Acl::kHash,
     .keys = kReadKey,
     .group = Group::kHash,
     .since = "2.0.0",
     .complexity = "O(N) where N is the number of fields being requested.",
     .summary = "Get the values of all the given hash fields",
     .arguments = "key:key#0 field:string*"},
    {.name = "hmset",
     .handler = HMSet,
     .arity = -4,
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .acl = Acl::kHash,
     .keys = kUpdateKey,
     .group = Group::kHash,
     .since = "2.0.0",
     .complexity = "O(N) where N is the number of fields being set.",
     .summary = "Set multiple hash fields to multiple values",
     .arguments = "key:key#0 field_value:block(field:string value:string)*",
     .deprecated_since = "4.0.0",
     .replaced_by = "`HSET` with multiple field-value pairs"},
    {.name = "hrandfield",
     .handler = HRandField,
     .arity = -2,
     .flags = Flag::kReadonly,
     .acl = Acl::kHash,
     .keys = kReadKey,
     .group = Group::kHash,
     .since = "6.2.0",
     .complexity = "O(N) where N is the number of fields returned",
     .summary = "Get one or multiple random fields from a hash",
     .arguments = "key:key#0 options:block(count:integer 'WITHVALUES' withvalues:pure-token?)?",
     .tips = kAnyOutput},
    {.name = "hscan",
     .handler = HScan,
     .arity = -3,
     .flags = Flag::kReadonly,
     .acl = Acl::kHash,
     .keys = kReadKey,
     .group = Group::kHash,
     .since = "2.8.0",
     .complexity =
         "O(1) for every call. O(N) for a complete iteration, including enough command calls for "
         "the cursor to return back to 0. N is the number of elements inside the collection..",
     .summary = "Incrementally iterate hash fields and associated values",
     .arguments = "key:key#0 cursor:integer 'MATCH' pattern:pattern? 'COUNT' count:integer?",
     .tips = kAnyOutput},
    {.name = "hset",
     .handler = HSet,
     .arity = -4,
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .acl = Acl::kHash,
     .keys = kUpdateKey,
     .group = Group::kHash,
     .since = "2.0.0",
     .complexity = "O(1) for each field/value pair added, so O(N) to add N field/value pairs when "
                   "the command is called with multiple field/value pairs.",
     .summary = "Set the string value of a hash field",
     .arguments = "key:key#0 field_value:block(field:string value:string)*",
     .history = kHSetHistory,
     .member = 2,
     .brief_args_max = 4},
    {.name = "hsetnx",
     .handler = HSetNx,
     .arity = 4,
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .acl = Acl::kHash,
     .keys = kInsertKey,
     .group = Group::kHash,
     .since = "2.0.0",
     .complexity = "O(1)",
     .summary = "Set the value of a hash field, only if the field does not exist",
     .arguments = "key:key#0 field:string value:string",
     .member = 2,
     .brief_args_max = 4},
    {.name = "hstrlen",
     .handler = HStrLen,
     .arity = 3,
     .flags = Flag::kReadonly | Flag::kFast,
     .acl = Acl::kHash,
     .keys = kInspectKey,
     .group = Group::kHash,
     .since = "3.2.0",
     .complexity = "O(1)",
     .summary = "Get the length of the value of a hash field",
     .arguments = "key:key#0 field:string",
     .member = 2},
    {.name = "hvals",
     .handler = HVals,
     .arity = 2,
     .flags = Flag::kReadonly,
     .acl = Acl::kHash,
     .keys = kReadKey,
     .group = Group::kHash,
     .since = "2.0.0",
     .complexity = "O(N) where N is the size of the hash.",
     .summary = "Get all the values in a hash",
     .arguments = "key:key#0",
     .tips = kAnyOrder},
};

}  // namespace

std::span<const CommandSpec> HashCommands() { return kHashCommands; }

}  // namespace aeris
