// Deadlines of a hash's fields, of Redis 7.4, and the commands of 8.0 that read or write fields and
// their deadlines at once.
#include <fmt/format.h>

#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "src/base/number_text.h"
#include "src/command_context.h"
#include "src/commands/families.h"
#include "src/commands/hash_arguments.h"
#include "src/commands/key_specs.h"
#include "src/deadline_argument.h"
#include "src/error_replies.h"
#include "storage/hash_value.h"

namespace aeris {
namespace {

using storage::DeadlineCondition;
using storage::EntryView;
using storage::HashEditor;
using storage::HashField;
using storage::HashView;
using storage::ValueType;
using Fields = std::span<const std::string_view>;

constexpr UnixMs kDeadlineMax = (UnixMs{1} << 46) - 1;  // of Redis: the year 4199
constexpr std::int64_t kNoSuchField = -2;
constexpr std::int64_t kWithoutDeadline = -1;

// Argument `index` as a deadline of fields; nullopt after the error reply.
std::optional<UnixMs> FieldDeadlineArg(const CommandContext& context, std::size_t index,
                                       DeadlineUnit unit) {
  const auto value = context.IntegerArg(index);
  if (!value) return std::nullopt;
  if (*value < 0) {
    context.reply().Error("ERR invalid expire time, must be >= 0");
    return std::nullopt;
  }
  const auto deadline = DeadlineFrom(*value, unit, context.now());
  if (deadline && *deadline <= kDeadlineMax) return deadline;
  ReplyInvalidExpire(context);
  return std::nullopt;
}

// "FIELDS n field ..." from argument `index` to the end; nullopt after the error reply.
std::optional<Fields> FieldsFrom(const CommandContext& context, std::size_t index,
                                 std::string_view count_error) {
  if (index + 1 >= context.argc() || !context.ArgIs(index, "fields")) {
    context.reply().Error("ERR Mandatory argument FIELDS is missing or not at the right position");
    return std::nullopt;
  }
  const auto count =
      context.IntegerArg(index + 1, 1, std::numeric_limits<std::int64_t>::max(), count_error);
  if (!count) return std::nullopt;
  const Fields fields = context.args().subspan(index + 2);
  if (static_cast<std::uint64_t>(*count) == fields.size()) return fields;
  context.reply().Error("ERR The `numfields` parameter must match the number of arguments");
  return std::nullopt;
}

constexpr std::string_view kCountMustBePositive = "ERR Number of fields must be a positive integer";

void ReplyForEach(const CommandContext& context, Fields fields, std::int64_t code) {
  context.reply().Array(fields.size());
  for (std::size_t i = 0; i < fields.size(); ++i) context.reply().Integer(code);
}

// --- HEXPIRE and its kin

std::optional<DeadlineCondition> ConditionArg(const CommandContext& context, std::size_t index) {
  if (context.ArgIs(index, "nx")) return DeadlineCondition::kNone;
  if (context.ArgIs(index, "xx")) return DeadlineCondition::kAny;
  if (context.ArgIs(index, "gt")) return DeadlineCondition::kLater;
  if (context.ArgIs(index, "lt")) return DeadlineCondition::kEarlier;
  return std::nullopt;
}

// HEXPIRE key time [NX | XX | GT | LT] FIELDS n field ...: an array of integers, for each field -2
// when it does not exist, 0 when the condition does not hold, 1 when the deadline is set, 2 when it
// has passed and the field is deleted.
void ExpireFields(CommandContext& context, DeadlineUnit unit) {
  EntryView entry;
  if (!context.FindForWrite(1, ValueType::kHash, entry)) return;
  const auto deadline = FieldDeadlineArg(context, 2, unit);
  if (!deadline) return;
  const auto condition = ConditionArg(context, 3);
  const auto fields =
      FieldsFrom(context, condition ? 4 : 3, "ERR Parameter `numFields` should be greater than 0");
  if (!fields) return;
  if (!entry) return ReplyForEach(context, *fields, kNoSuchField);
  HashEditor hash = EditHash(context, entry);
  std::vector<HashEditor::Dated> results;
  results.reserve(fields->size());
  std::uint64_t changed = 0;
  std::uint64_t erased = 0;
  for (const std::string_view field : *fields) {
    const auto result =
        hash.SetDeadline(field, *deadline, condition.value_or(DeadlineCondition::kAlways));
    if (result == HashEditor::Dated::kNoMemory) break;
    results.push_back(result);
    if (result == HashEditor::Dated::kDone) ++changed;
    if (result == HashEditor::Dated::kErased) ++erased;
  }
  if (!context.Stored(hash.Commit())) return;
  if (changed + erased > 0) context.Changed(changed + erased);
  if (changed > 0) context.Notify(KeyEvent::kHash, "hexpire", 1);
  if (erased > 0) context.NotifyTaken(KeyEvent::kHash, "hdel", 1);
  if (results.size() != fields->size()) return context.ReplyOutOfMemory();
  context.reply().Array(results.size());
  for (const auto result : results) context.reply().Integer(static_cast<std::int64_t>(result));
}

void HExpire(CommandContext& context) { ExpireFields(context, {.seconds = true}); }
void HPExpire(CommandContext& context) { ExpireFields(context, {.seconds = false}); }
void HExpireAt(CommandContext& context) {
  ExpireFields(context, {.seconds = true, .absolute = true});
}
void HPExpireAt(CommandContext& context) {
  ExpireFields(context, {.seconds = false, .absolute = true});
}

// HTTL key FIELDS n field ...: an array of integers, for each field -2 when it does not exist, -1
// without a deadline, else the time in `unit`, seconds rounded up.
void ReplyDeadlines(CommandContext& context, DeadlineUnit unit) {
  EntryView entry;
  if (!context.FindForRead(1, ValueType::kHash, entry)) return;
  const auto fields = FieldsFrom(context, 2, kCountMustBePositive);
  if (!fields) return;
  if (!entry) return ReplyForEach(context, *fields, kNoSuchField);
  context.reply().Array(fields->size());
  HashView(entry, context.now()).FindEach(*fields, [&](const std::optional<HashField>& field) {
    if (!field) return context.reply().Integer(kNoSuchField);
    const UnixMs deadline = field->deadline();
    if (deadline == kNoDeadline) return context.reply().Integer(kWithoutDeadline);
    const std::int64_t time = unit.absolute ? deadline : deadline - context.now();
    context.reply().Integer(unit.seconds ? (time + 999) / 1000 : time);
  });
}

void HTtl(CommandContext& context) { ReplyDeadlines(context, {.seconds = true}); }
void HPTtl(CommandContext& context) { ReplyDeadlines(context, {.seconds = false}); }
void HExpireTime(CommandContext& context) {
  ReplyDeadlines(context, {.seconds = true, .absolute = true});
}
void HPExpireTime(CommandContext& context) {
  ReplyDeadlines(context, {.seconds = false, .absolute = true});
}

// HPERSIST key FIELDS n field ...: an array of integers, for each field -2 when it does not exist,
// -1 without a deadline, 1 when it was removed.
void HPersist(CommandContext& context) {
  EntryView entry;
  if (!context.FindForWrite(1, ValueType::kHash, entry)) return;
  const auto fields = FieldsFrom(context, 2, kCountMustBePositive);
  if (!fields) return;
  if (!entry) return ReplyForEach(context, *fields, kNoSuchField);
  HashEditor hash = EditHash(context, entry);
  std::uint64_t changed = 0;
  context.reply().Array(fields->size());
  for (const std::string_view field : *fields) {
    if (hash.ClearDeadline(field)) {
      ++changed;
      context.reply().Integer(1);
    } else {
      context.reply().Integer(hash.Find(field) ? kWithoutDeadline : kNoSuchField);
    }
  }
  // What it did takes no memory.
  static_cast<void>(hash.Commit());
  if (changed == 0) return;
  context.Changed(changed);
  context.Notify(KeyEvent::kHash, "hpersist", 1);
}

// --- Values and deadlines at once

// Options of HGETEX and HSETEX, in any order before FIELDS.
struct FieldOptions {
  bool only_if_absent = false;
  bool only_if_present = false;
  bool persist = false;
  bool keep_ttl = false;
  std::optional<UnixMs> deadline;
  Fields fields{};  // for HSETEX, of pairs

  bool has_expiration() const { return persist || keep_ttl || deadline.has_value(); }
};

// What tells the two commands apart.
struct FieldOptionsForm {
  bool sets = false;  // HSETEX
  std::size_t step() const { return sets ? 2 : 1; }
  std::string_view two_expirations() const {
    return sets ? "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified"
                : "ERR Only one of EX, PX, EXAT, PXAT or PERSIST arguments can be specified";
  }
};

// "FIELDS n ..." at `index`, which takes all that follows. False after an error reply.
bool ParseFields(const CommandContext& context, std::size_t index, FieldOptionsForm form,
                 FieldOptions& options) {
  const auto count = index + 1 < context.argc() ? ParseInt64(context.arg(index + 1)) : std::nullopt;
  if (!count || *count < 1 || *count > std::numeric_limits<std::int32_t>::max()) {
    context.reply().Error("ERR invalid number of fields");
    return false;
  }
  options.fields = context.args().subspan(index + 2);
  if (options.fields.size() == static_cast<std::size_t>(*count) * form.step()) return true;
  context.reply().Error("ERR wrong number of arguments");
  return false;
}

// EX, PX, EXAT, PXAT at `index` and the time behind it, which `index` then names. False after an
// error reply.
bool ParseExpiration(const CommandContext& context, std::size_t& index, FieldOptionsForm form,
                     DeadlineUnit unit, FieldOptions& options) {
  if (options.has_expiration()) {
    context.reply().Error(form.two_expirations());
    return false;
  }
  if (++index == context.argc()) {
    context.reply().Error("ERR missing expire time");
    return false;
  }
  options.deadline = FieldDeadlineArg(context, index, unit);
  return options.deadline.has_value();
}

// FNX, FXX, PERSIST, KEEPTTL. False after an error reply.
bool ParseWord(const CommandContext& context, std::size_t index, FieldOptionsForm form,
               FieldOptions& options) {
  const bool absent = form.sets && context.ArgIs(index, "fnx");
  const bool present = form.sets && context.ArgIs(index, "fxx");
  const bool keep = form.sets && context.ArgIs(index, "keepttl");
  const bool persist = !form.sets && context.ArgIs(index, "persist");
  if (absent || present) {
    if (options.only_if_absent || options.only_if_present) {
      context.reply().Error("ERR Only one of FXX or FNX arguments can be specified");
      return false;
    }
    (absent ? options.only_if_absent : options.only_if_present) = true;
    return true;
  }
  if (!keep && !persist) {
    context.reply().Error(fmt::format("ERR unknown argument: {}", context.arg(index)));
    return false;
  }
  if (options.has_expiration()) {
    context.reply().Error(form.two_expirations());
    return false;
  }
  (keep ? options.keep_ttl : options.persist) = true;
  return true;
}

// All arguments from 2 on. False after an error reply.
bool ParseFieldOptions(const CommandContext& context, FieldOptionsForm form,
                       FieldOptions& options) {
  for (std::size_t i = 2; i < context.argc(); ++i) {
    if (context.ArgIs(i, "fields")) return ParseFields(context, i, form, options);
    if (const auto unit = DeadlineUnitArg(context, i)) {
      if (!ParseExpiration(context, i, form, *unit, options)) return false;
    } else if (!ParseWord(context, i, form, options)) {
      return false;
    }
  }
  context.reply().Error("ERR missing FIELDS argument");
  return false;
}

// Sets or removes deadlines of those fields that exist, which stay. False without memory.
bool ChangeDeadlines(CommandContext& context, EntryView entry, const FieldOptions& options) {
  HashEditor hash = EditHash(context, entry);
  std::uint64_t changed = 0;
  bool fits = true;
  for (std::size_t i = 0; i < options.fields.size() && fits; ++i) {
    const std::string_view field = options.fields[i];
    if (options.persist) {
      if (hash.ClearDeadline(field)) ++changed;
      continue;
    }
    const auto result = hash.SetDeadline(field, *options.deadline, DeadlineCondition::kAlways);
    if (result == HashEditor::Dated::kDone) ++changed;
    fits = result != HashEditor::Dated::kNoMemory;
  }
  fits = hash.Commit() != storage::StoreResult::kNoMemory && fits;
  if (changed > 0) {
    context.Changed(changed);
    context.Notify(KeyEvent::kHash, options.persist ? "hpersist" : "hexpire", 1);
  }
  return fits;
}

// Replies the values and erases the fields, which takes no memory.
void ReplyAndErase(CommandContext& context, EntryView entry, Fields fields) {
  HashEditor hash = EditHash(context, entry);
  std::uint64_t changed = 0;
  context.reply().Array(fields.size());
  for (const std::string_view field : fields) {
    ReplyValueOrNull(context, hash.Find(field));
    if (hash.Erase(field)) ++changed;
  }
  static_cast<void>(hash.Commit());
  if (changed == 0) return;
  context.Changed(changed);
  context.NotifyTaken(KeyEvent::kHash, "hdel", 1);
}

// HGETDEL key FIELDS n field ...: an array of bulk strings | null.
void HGetDel(CommandContext& context) {
  EntryView entry;
  if (!context.FindForWrite(1, ValueType::kHash, entry)) return;
  const auto fields = FieldsFrom(context, 2, kCountMustBePositive);
  if (!fields) return;
  if (!entry) return ReplyNulls(context, fields->size());
  ReplyAndErase(context, entry, *fields);
}

// HGETEX key [EX | PX | EXAT | PXAT | PERSIST] FIELDS n field ...: an array of bulk strings | null.
// A deadline that has passed deletes the fields.
void HGetEx(CommandContext& context) {
  FieldOptions options;
  EntryView entry;
  if (!context.FindForWrite(1, ValueType::kHash, entry)) return;
  if (!ParseFieldOptions(context, {.sets = false}, options)) return;
  if (!entry) return ReplyNulls(context, options.fields.size());
  if (options.deadline && *options.deadline <= context.now()) {
    return ReplyAndErase(context, entry, options.fields);
  }
  if (options.has_expiration()) {
    // What can fail comes before the reply.
    if (!ChangeDeadlines(context, entry, options)) return context.ReplyOutOfMemory();
    entry = context.keyspace().Find(context.Key(1), context.now(), storage::kPeek);
    if (!entry) return ReplyNulls(context, options.fields.size());
  }
  context.reply().Array(options.fields.size());
  HashView(entry, context.now())
      .FindEach(options.fields,
                [&](const std::optional<HashField>& field) { ReplyValueOrNull(context, field); });
}

// Whether FNX or FXX lets the fields be set.
bool ConditionHolds(EntryView entry, const CommandContext& context, const FieldOptions& options) {
  if (!options.only_if_absent && !options.only_if_present) return true;
  for (std::size_t i = 0; i < options.fields.size(); i += 2) {
    const bool exists = entry && HashView(entry, context.now()).Find(options.fields[i]);
    if (exists ? options.only_if_absent : options.only_if_present) return false;
  }
  return true;
}

// One field of HSETEX. False without memory.
bool SetField(HashEditor& hash, const FieldOptions& options, std::string_view field,
              std::string_view value, bool dies) {
  if (dies) {
    hash.Erase(field);
    return true;
  }
  if (hash.Set(field, value, options.keep_ttl) == HashEditor::Put::kNoMemory) return false;
  if (!options.deadline) return true;
  return hash.SetDeadline(field, *options.deadline, DeadlineCondition::kAlways) ==
         HashEditor::Dated::kDone;
}

// HSETEX key [FNX | FXX] [EX | PX | EXAT | PXAT | KEEPTTL] FIELDS n field value ... Replies 1 | 0
// when the condition does not hold. A deadline that has passed deletes the fields.
void HSetEx(CommandContext& context) {
  FieldOptions options;
  EntryView entry;
  if (!context.FindForWrite(1, ValueType::kHash, entry)) return;
  if (!ParseFieldOptions(context, {.sets = true}, options)) return;
  if (!ConditionHolds(entry, context, options)) return context.reply().Integer(0);
  const bool dies = options.deadline && *options.deadline <= context.now();
  HashEditor hash = EditHash(context, entry);
  std::size_t i = 0;
  for (; i < options.fields.size(); i += 2) {
    if (!SetField(hash, options, options.fields[i], options.fields[i + 1], dies)) break;
  }
  if (!context.Stored(hash.Commit())) return;
  context.Changed(i / 2);
  if (i > 0 && dies) {
    context.Notify(KeyEvent::kHash, "hdel", 1);
    if (entry) context.NotifyIfGone(1);
  } else if (i > 0) {
    context.Notify(KeyEvent::kHash, "hset", 1);
    if (options.deadline) context.Notify(KeyEvent::kHash, "hexpire", 1);
  }
  if (i < options.fields.size()) return context.ReplyOutOfMemory();
  context.reply().Integer(1);
}

constexpr CommandSpec kHashDeadlineCommands[] = {
    {.name = "hexpire",
     .handler = HExpire,
     .arity = -6,
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .acl = Acl::kHash,
     .keys = kUpdateKey,
     .group = Group::kHash,
     .since = "7.4.0",
     .complexity = "O(N) where N is the number of specified fields",
     .summary = "Set a deadline for fields of a hash, in seconds from now",
     .arguments = "key:key#0 seconds:integer condition:oneof('NX' nx:pure-token|'XX' "
                  "xx:pure-token|'GT' gt:pure-token|'LT' lt:pure-token)? 'FIELDS' "
                  "fields:block(numfields:integer field:string*)"},
    {.name = "hexpireat",
     .handler = HExpireAt,
     .arity = -6,
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .acl = Acl::kHash,
     .keys = kUpdateKey,
     .group = Group::kHash,
     .since = "7.4.0",
     .complexity = "O(N) where N is the number of specified fields",
     .summary = "Set a deadline for fields of a hash, in seconds since 1970",
     .arguments = "key:key#0 unix-time-seconds:unix-time condition:oneof('NX' nx:pure-token|'XX' "
                  "xx:pure-token|'GT' gt:pure-token|'LT' lt:pure-token)? 'FIELDS' "
                  "fields:block(numfields:integer field:string*)"},
    {.name = "hexpiretime",
     .handler = HExpireTime,
     .arity = -5,
     .flags = Flag::kReadonly | Flag::kFast,
     .acl = Acl::kHash,
     .keys = kReadKey,
     .group = Group::kHash,
     .since = "7.4.0",
     .complexity = "O(N) where N is the number of specified fields",
     .summary = "Get the deadlines of fields of a hash, in seconds since 1970",
     .arguments = "key:key#0 'FIELDS' fields:block(numfields:integer field:string*)"},
    {.name = "hgetdel",
     .handler = HGetDel,
     .arity = -5,
     .flags = Flag::kWrite | Flag::kFast,
     .acl = Acl::kHash,
     .keys = kTakeKey,
     .group = Group::kHash,
     .since = "8.0.0",
     .complexity = "O(N) where N is the number of specified fields",
     .summary = "Get the values of fields of a hash and delete the fields",
     .arguments = "key:key#0 'FIELDS' fields:block(numfields:integer field:string*)"},
    {.name = "hgetex",
     .handler = HGetEx,
     .arity = -5,
     .flags = Flag::kWrite | Flag::kFast,
     .acl = Acl::kHash,
     .keys = kUpdateKey,
     .group = Group::kHash,
     .since = "8.0.0",
     .complexity = "O(N) where N is the number of specified fields",
     .summary = "Get the values of fields of a hash, and optionally set or remove their deadlines",
     .arguments =
         "key:key#0 expiration:oneof('EX' seconds:integer|'PX' milliseconds:integer|'EXAT' "
         "unix-time-seconds:unix-time|'PXAT' unix-time-milliseconds:unix-time|'PERSIST' "
         "persist:pure-token)? 'FIELDS' fields:block(numfields:integer field:string*)"},
    {.name = "hpersist",
     .handler = HPersist,
     .arity = -5,
     .flags = Flag::kWrite | Flag::kFast,
     .acl = Acl::kHash,
     .keys = kUpdateKey,
     .group = Group::kHash,
     .since = "7.4.0",
     .complexity = "O(N) where N is the number of specified fields",
     .summary = "Remove the deadlines of fields of a hash",
     .arguments = "key:key#0 'FIELDS' fields:block(numfields:integer field:string*)"},
    {.name = "hpexpire",
     .handler = HPExpire,
     .arity = -6,
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .acl = Acl::kHash,
     .keys = kUpdateKey,
     .group = Group::kHash,
     .since = "7.4.0",
     .complexity = "O(N) where N is the number of specified fields",
     .summary = "Set a deadline for fields of a hash, in milliseconds from now",
     .arguments = "key:key#0 milliseconds:integer condition:oneof('NX' nx:pure-token|'XX' "
                  "xx:pure-token|'GT' gt:pure-token|'LT' lt:pure-token)? 'FIELDS' "
                  "fields:block(numfields:integer field:string*)"},
    {.name = "hpexpireat",
     .handler = HPExpireAt,
     .arity = -6,
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .acl = Acl::kHash,
     .keys = kUpdateKey,
     .group = Group::kHash,
     .since = "7.4.0",
     .complexity = "O(N) where N is the number of specified fields",
     .summary = "Set a deadline for fields of a hash, in milliseconds since 1970",
     .arguments = "key:key#0 unix-time-milliseconds:unix-time condition:oneof('NX' "
                  "nx:pure-token|'XX' xx:pure-token|'GT' gt:pure-token|'LT' lt:pure-token)? "
                  "'FIELDS' fields:block(numfields:integer field:string*)"},
    {.name = "hpexpiretime",
     .handler = HPExpireTime,
     .arity = -5,
     .flags = Flag::kReadonly | Flag::kFast,
     .acl = Acl::kHash,
     .keys = kReadKey,
     .group = Group::kHash,
     .since = "7.4.0",
     .complexity = "O(N) where N is the number of specified fields",
     .summary = "Get the deadlines of fields of a hash, in milliseconds since 1970",
     .arguments = "key:key#0 'FIELDS' fields:block(numfields:integer field:string*)"},
    {.name = "hpttl",
     .handler = HPTtl,
     .arity = -5,
     .flags = Flag::kReadonly | Flag::kFast,
     .acl = Acl::kHash,
     .keys = kReadKey,
     .group = Group::kHash,
     .since = "7.4.0",
     .complexity = "O(N) where N is the number of specified fields",
     .summary = "Get the time left for fields of a hash, in milliseconds",
     .arguments = "key:key#0 'FIELDS' fields:block(numfields:integer field:string*)"},
    {.name = "hsetex",
     .handler = HSetEx,
     .arity = -6,
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .acl = Acl::kHash,
     .keys = kUpdateKey,
     .group = Group::kHash,
     .since = "8.0.0",
     .complexity = "O(N) where N is the number of specified fields",
     .summary = "Set fields of a hash, and optionally their deadlines",
     .arguments = "key:key#0 condition:oneof('FNX' fnx:pure-token|'FXX' fxx:pure-token)? "
                  "expiration:oneof('EX' seconds:integer|'PX' milliseconds:integer|'EXAT' "
                  "unix-time-seconds:unix-time|'PXAT' unix-time-milliseconds:unix-time|'KEEPTTL' "
                  "keepttl:pure-token)? 'FIELDS' fields:block(numfields:integer "
                  "data:block(field:string value:string)*)"},
    {.name = "httl",
     .handler = HTtl,
     .arity = -5,
     .flags = Flag::kReadonly | Flag::kFast,
     .acl = Acl::kHash,
     .keys = kReadKey,
     .group = Group::kHash,
     .since = "7.4.0",
     .complexity = "O(N) where N is the number of specified fields",
     .summary = "Get the time left for fields of a hash, in seconds",
     .arguments = "key:key#0 'FIELDS' fields:block(numfields:integer field:string*)"},
};

}  // namespace

std::span<const CommandSpec> HashDeadlineCommands() { return kHashDeadlineCommands; }

}  // namespace aeris
