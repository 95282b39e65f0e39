// Strings: reading, writing, counting. Commands of many keys, of comparisons and of bitmaps have
// files of their own.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "src/base/number_text.h"
#include "src/command_context.h"
#include "src/command_keys.h"
#include "src/commands/families.h"
#include "src/commands/index_range.h"
#include "src/commands/key_specs.h"
#include "src/commands/lcs.h"
#include "src/commands/string_options.h"
#include "src/deadline_argument.h"
#include "src/error_replies.h"
#include "src/server.h"
#include "storage/entry_codec.h"

namespace aeris {
namespace {

using storage::EntryView;
using storage::IntegerText;

// Whether a string of `size` bytes, `more` bytes longer, may exist; replies when not.
bool LengthAllowed(const CommandContext& context, std::uint64_t size, std::uint64_t more) {
  std::uint64_t total = 0;
  const bool wraps = __builtin_add_overflow(size, more, &total);
  if (wraps || total > context.server().config().proto_max_bulk_len) {
    context.reply().Error(err::kStringTooLong);
    return false;
  }
  if (context.CouldHold(total)) return true;
  context.ReplyOutOfMemory();
  return false;
}

// A string as it was before it is replaced: the reply of a command that returns the old value is
// written when the new one is in place.
class HeldString {
 public:
  // `entry` is a string or none.
  explicit HeldString(EntryView entry) : exists_(entry) {
    if (!exists_) return;
    pinned_ = storage::PinnedText(entry);
    if (pinned_) return;
    IntegerText scratch;
    const std::string_view text = entry.Text(scratch);
    size_ = text.copy(bytes_.data(), bytes_.size());
  }
  void Reply(const CommandContext& context) && {
    if (!exists_) return context.reply().Null();
    if (pinned_) return context.ReplyBlob(std::move(pinned_));
    context.reply().Bulk({bytes_.data(), size_});
  }

 private:
  bool exists_;
  storage::BlobRef pinned_;
  std::array<char, storage::kInlineValueMax> bytes_;
  std::size_t size_ = 0;
};

// APPEND key value. Replies the new length.
void Append(CommandContext& context) {
  EntryView entry;
  if (!context.FindStringForWrite(1, entry)) return;
  const std::string_view value = context.arg(2);
  const std::size_t old_size = entry ? entry.text_size() : 0;
  const std::size_t size = old_size + value.size();
  if (!entry) {
    if (!context.Stored(context.keyspace().SetString(context.Key(1), value, context.now(), {}))) {
      return;
    }
  } else {
    if (!LengthAllowed(context, old_size, value.size())) return;
    const auto text = context.keyspace().ResizeString(context.Key(1), size, context.now());
    if (!text) return context.ReplyOutOfMemory();
    std::ranges::copy(value, text->begin() + static_cast<std::ptrdiff_t>(old_size));
  }
  context.Changed();
  context.Notify(KeyEvent::kString, "append", 1);
  context.reply().Integer(static_cast<std::int64_t>(size));
}

// The four integer counters. Replies the new value.
void AddInteger(CommandContext& context, std::int64_t by) {
  EntryView entry;
  if (!context.FindStringForWrite(1, entry)) return;
  std::int64_t value = 0;
  if (entry && entry.is_integer()) {
    value = entry.integer();
  } else if (entry) {
    const std::optional<std::int64_t> parsed = ParseInt64(entry.text());
    if (!parsed) return context.reply().Error(err::kNotInteger);
    value = *parsed;
  }
  if (__builtin_add_overflow(value, by, &value)) return context.reply().Error(err::kWouldOverflow);
  if (!context.Stored(context.keyspace().SetInteger(context.Key(1), value, context.now()))) return;
  context.Changed();
  context.Notify(KeyEvent::kString, "incrby", 1);
  context.reply().Integer(value);
}

void Decr(CommandContext& context) { AddInteger(context, -1); }
void Incr(CommandContext& context) { AddInteger(context, 1); }

void IncrBy(CommandContext& context) {
  if (const auto by = context.IntegerArg(2)) AddInteger(context, *by);
}

void DecrBy(CommandContext& context) {
  const auto by = context.IntegerArg(2);
  if (!by) return;
  if (*by == std::numeric_limits<std::int64_t>::min()) {
    return context.reply().Error("ERR decrement would overflow");
  }
  AddInteger(context, -*by);
}

// INCRBYFLOAT key increment. Replies the new value as bulk string, in plain decimal notation.
void IncrByFloat(CommandContext& context) {
  EntryView entry;
  if (!context.FindStringForWrite(1, entry)) return;
  IntegerText scratch;
  const auto value =
      entry ? ParseLongDouble(entry.Text(scratch)) : std::optional<long double>(0.0L);
  const auto by = value ? ParseLongDouble(context.arg(2)) : std::nullopt;
  if (!by) return context.reply().Error(err::kNotFloat);
  const long double sum = *value + *by;
  if (std::isnan(sum) || std::isinf(sum)) return context.reply().Error(err::kNaNOrInfinity);
  const std::string text = LongDoubleText(sum);
  if (!context.Stored(context.keyspace().SetString(
          context.Key(1), text, context.now(), {.keep_deadline = true, .find_integer = false}))) {
    return;
  }
  context.Changed();
  context.Notify(KeyEvent::kString, "incrbyfloat", 1);
  context.reply().Bulk(text);
}

// GET key. Replies bulk string | null.
void Get(CommandContext& context) {
  EntryView entry;
  if (!context.FindStringForRead(1, entry)) return;
  if (!entry) return context.reply().Null();
  context.ReplyString(entry);
}

// GETDEL key. Replies bulk string | null.
void GetDel(CommandContext& context) {
  EntryView entry;
  if (!context.FindStringForRead(1, entry)) return;
  if (!entry) return context.reply().Null();
  context.ReplyString(entry);
  context.keyspace().Delete(context.Key(1), context.now());
  context.Changed();
  context.Notify(KeyEvent::kGeneric, "del", 1);
}

// GETEX key [PERSIST | EX | PX | EXAT | PXAT]. Replies bulk string | null.
void GetEx(CommandContext& context) {
  StringOptions options;
  if (!options.Parse(context, 2, StringOptionsOf::kGetEx)) {
    return context.reply().Error(err::kSyntax);
  }
  EntryView entry;
  if (!context.FindStringForRead(1, entry)) return;
  if (!entry) return context.reply().Null();
  UnixMs deadline;
  if (!options.Deadline(context, deadline)) return;
  const bool dies = options.has_deadline() && context.now() >= deadline;
  if (!dies && (options.has_deadline() || (options.persist && entry.deadline() != kNoDeadline))) {
    if (!context.Stored(context.keyspace().SetDeadline(context.Key(1), deadline, context.now()))) {
      return;
    }
    context.Changed();
    context.Notify(KeyEvent::kGeneric, options.persist ? "persist" : "expire", 1);
    // The entry may have moved.
    entry = context.keyspace().Find(context.Key(1), context.now(), storage::kPeek);
  }
  context.ReplyString(entry);
  if (dies) {
    context.keyspace().Delete(context.Key(1), context.now());
    context.Changed();
    context.Notify(KeyEvent::kGeneric, "del", 1);
  }
}

// GETRANGE key start end, SUBSTR likewise. Negative positions count from the end. Replies bulk.
void GetRange(CommandContext& context) {
  const auto ends = IndexEndsArgs(context, 2, 3);
  if (!ends) return;
  EntryView entry;
  if (!context.FindStringForRead(1, entry)) return;
  if (!entry || ends->crossed_from_end()) return context.reply().EmptyBulk();
  IntegerText scratch;
  const std::string_view text = entry.Text(scratch);
  const IndexRange range = ends->OfText(text.size());
  context.reply().Bulk(text.substr(range.first, range.size()));
}

void SubStr(CommandContext& context) { GetRange(context); }

// GETSET key value. Replies the old value as bulk string | null.
void GetSet(CommandContext& context) {
  EntryView entry;
  if (!context.FindStringForRead(1, entry)) return;
  HeldString old(entry);
  if (!context.Stored(context.keyspace().SetString(context.Key(1), context.arg(2), context.now(),
                                                   {.loose = context.LooseArg(2)}))) {
    return;
  }
  context.Changed();
  context.Notify(KeyEvent::kString, "set", 1);
  std::move(old).Reply(context);
}

// What was set, then its deadline if it got one.
void NotifySet(const CommandContext& context, bool with_deadline) {
  context.Notify(KeyEvent::kString, "set", 1);
  if (with_deadline) context.Notify(KeyEvent::kGeneric, "expire", 1);
}

// Whether SET may replace `entry`, which is a string or none where options look at its value.
// nullopt after the error reply.
std::optional<bool> MaySet(const CommandContext& context, const StringOptions& options,
                           EntryView entry) {
  if (!options.condition.is_set()) {
    return !(entry ? options.only_if_absent : options.only_if_present);
  }
  if (!entry) return options.condition.HoldsWhenAbsent();
  return options.condition.Holds(context, entry);
}

// SET with GET: replies the old value | null, whether the condition holds or not.
void SetAndGet(CommandContext& context, const StringOptions& options,
               const storage::Keyspace::SetOptions& how) {
  EntryView entry;
  if (!context.FindStringForRead(1, entry)) return;
  const std::optional<bool> may_set = MaySet(context, options, entry);
  if (!may_set) return;
  HeldString old(entry);
  if (*may_set) {
    if (!context.Stored(
            context.keyspace().SetString(context.Key(1), context.arg(2), context.now(), how))) {
      return;
    }
    context.Changed();
    NotifySet(context, options.has_deadline());
  }
  std::move(old).Reply(context);
}

// SET key value [NX | XX | IFEQ | IFNE value | IFDEQ | IFDNE digest] [GET] [EX | PX | EXAT | PXAT |
// KEEPTTL]. Replies OK | null when the condition does not hold; with GET the old value | null.
void Set(CommandContext& context) {
  StringOptions options;
  if (!options.Parse(context, 3, StringOptionsOf::kSet)) {
    return context.reply().Error(err::kSyntax);
  }
  UnixMs deadline;
  if (!options.Deadline(context, deadline)) return;
  const storage::Keyspace::SetOptions how{
      .deadline = deadline, .keep_deadline = options.keep_ttl, .loose = context.LooseArg(2)};
  if (options.get) return SetAndGet(context, options, how);
  if (options.has_existence() || options.condition.is_set()) {
    EntryView entry;
    if (!options.condition.is_set()) {
      entry = context.FindForWrite(1);
    } else if (!context.FindStringForWrite(1, entry)) {
      return;
    }
    const std::optional<bool> may_set = MaySet(context, options, entry);
    if (!may_set) return;
    if (!*may_set) return context.reply().Null();
  }
  if (!context.Stored(
          context.keyspace().SetString(context.Key(1), context.arg(2), context.now(), how))) {
    return;
  }
  context.Changed();
  NotifySet(context, options.has_deadline());
  context.reply().Ok();
}

// SETEX key seconds value and PSETEX key milliseconds value. Reply OK.
void SetWithDeadline(CommandContext& context, DeadlineUnit unit) {
  const auto deadline = PositiveDeadlineArg(context, 2, unit);
  if (!deadline) return;
  if (!context.Stored(
          context.keyspace().SetString(context.Key(1), context.arg(3), context.now(),
                                       {.deadline = *deadline, .loose = context.LooseArg(3)}))) {
    return;
  }
  context.Changed();
  NotifySet(context, true);
  context.reply().Ok();
}

void SetEx(CommandContext& context) { SetWithDeadline(context, {.seconds = true}); }
void PSetEx(CommandContext& context) { SetWithDeadline(context, {.seconds = false}); }

// SETNX key value. Replies 1 | 0 when the key existed.
void SetNx(CommandContext& context) {
  if (context.FindForWrite(1)) return context.reply().Integer(0);
  if (!context.Stored(context.keyspace().SetString(context.Key(1), context.arg(2), context.now(),
                                                   {.loose = context.LooseArg(2)}))) {
    return;
  }
  context.Changed();
  NotifySet(context, false);
  context.reply().Integer(1);
}

// SETRANGE key offset value. Replies the length of the string. Nothing to write creates nothing.
void SetRange(CommandContext& context) {
  const auto offset = context.IntegerArg(2);
  if (!offset) return;
  if (*offset < 0) return context.reply().Error(err::kOffsetOutOfRange);
  EntryView entry;
  if (!context.FindStringForWrite(1, entry)) return;
  const std::string_view value = context.arg(3);
  const std::size_t old_size = entry ? entry.text_size() : 0;
  if (value.empty()) return context.reply().Integer(static_cast<std::int64_t>(old_size));
  const auto begin = static_cast<std::size_t>(*offset);
  if (!LengthAllowed(context, begin, value.size())) return;
  const std::size_t size = std::max(old_size, begin + value.size());
  const auto text = context.keyspace().ResizeString(context.Key(1), size, context.now());
  if (!text) return context.ReplyOutOfMemory();
  std::ranges::copy(value, text->begin() + static_cast<std::ptrdiff_t>(begin));
  context.Changed();
  context.Notify(KeyEvent::kString, "setrange", 1);
  context.reply().Integer(static_cast<std::int64_t>(size));
}

// STRLEN key. Replies the length, 0 when absent.
void StrLen(CommandContext& context) {
  EntryView entry;
  if (!context.FindStringForRead(1, entry)) return;
  context.reply().Integer(entry ? static_cast<std::int64_t>(entry.text_size()) : 0);
}

constexpr KeySpec kGetExKeys[] = {
    {.flags = KeyFlag::kReadWrite | KeyFlag::kAccess | KeyFlag::kUpdate,
     .notes = "RW and UPDATE because it changes the TTL"}};

constexpr KeySpec kLcsKeys[] = {{.flags = KeyFlag::kReadOnly | KeyFlag::kAccess, .last = 1}};

constexpr KeySpec kSetKeys[] = {
    {.flags = KeyFlag::kReadWrite | KeyFlag::kAccess | KeyFlag::kUpdate | KeyFlag::kVariableFlags,
     .notes = "RW and ACCESS due to the optional `GET` argument"}};

constexpr KeySpec kSetNxKeys[] = {{.flags = KeyFlag::kOverwrite | KeyFlag::kInsert}};

constexpr Change kSetHistory[] = {
    {"2.6.12", "Added the `EX`, `PX`, `NX` and `XX` options."},
    {"6.0.0", "Added the `KEEPTTL` option."},
    {"6.2.0", "Added the `GET`, `EXAT` and `PXAT` option."},
    {"7.0.0", "Allowed the `NX` and `GET` options to be used together."}};

constexpr CommandSpec kStringCommands[] = {
    {.name = "append",
     .handler = Append,
     .arity = 3,
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .acl = Acl::kString,
     .keys = kInsertKey,
     .group = Group::kString,
     .since = "2.0.0",
     .complexity =
         "O(1). The amortized time complexity is O(1) assuming the appended value is small and the "
         "already present value is of any size, since the dynamic string library used by Redis "
         "will double the free space available on every reallocation.",
     .summary = "Append a value to a key",
     .arguments = "key:key#0 value:string"},
    {.name = "decr",
     .handler = Decr,
     .arity = 2,
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .acl = Acl::kString,
     .keys = kReadUpdateKey,
     .group = Group::kString,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Decrement the integer value of a key by one",
     .arguments = "key:key#0",
     .brief_args_max = 2},
    {.name = "decrby",
     .handler = DecrBy,
     .arity = 3,
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .acl = Acl::kString,
     .keys = kReadUpdateKey,
     .group = Group::kString,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Decrement the integer value of a key by the given number",
     .arguments = "key:key#0 decrement:integer",
     .brief_args_max = 3},
    {.name = "get",
     .handler = Get,
     .arity = 2,
     .flags = Flag::kReadonly | Flag::kFast,
     .acl = Acl::kString,
     .keys = kReadKey,
     .group = Group::kString,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Get the value of a key",
     .arguments = "key:key#0",
     .brief_args_max = 2},
    {.name = "getdel",
     .handler = GetDel,
     .arity = 2,
     .flags = Flag::kWrite | Flag::kFast,
     .acl = Acl::kString,
     .keys = kTakeKey,
     .group = Group::kString,
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Get the value of a key and delete the key",
     .arguments = "key:key#0",
     .brief_args_max = 2},
    {.name = "getex",
     .handler = GetEx,
     .arity = -2,
     .flags = Flag::kWrite | Flag::kFast,
     .acl = Acl::kString,
     .keys = kGetExKeys,
     .group = Group::kString,
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Get the value of a key and optionally set its expiration",
     .arguments = "key:key#0 expiration:oneof('EX' seconds:integer|'PX' "
                  "milliseconds:integer|'EXAT' unix-time-seconds:unix-time|'PXAT' "
                  "unix-time-milliseconds:unix-time|'PERSIST' persist:pure-token)?",
     .brief_args_max = 4},
    {.name = "getrange",
     .handler = GetRange,
     .arity = 4,
     .flags = Flag::kReadonly,
     .acl = Acl::kString,
     .keys = kReadKey,
     .group = Group::kString,
     .since = "2.4.0",
     .complexity =
         "O(N) where N is the length of the returned string. The complexity is ultimately "
         "determined by the returned length, but because creating a substring from an existing "
         "string is very cheap, it can be considered O(1) for small strings.",
     .summary = "Get a substring of the string stored at a key",
     .arguments = "key:key#0 start:integer end:integer"},
    {.name = "getset",
     .handler = GetSet,
     .arity = 3,
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .acl = Acl::kString,
     .keys = kReadUpdateKey,
     .group = Group::kString,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Set the string value of a key and return its old value",
     .arguments = "key:key#0 value:string",
     .deprecated_since = "6.2.0",
     .replaced_by = "`SET` with the `!GET` argument",
     .brief_args_max = 3},
    {.name = "incr",
     .handler = Incr,
     .arity = 2,
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .acl = Acl::kString,
     .keys = kReadUpdateKey,
     .group = Group::kString,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Increment the integer value of a key by one",
     .arguments = "key:key#0",
     .brief_args_max = 2},
    {.name = "incrby",
     .handler = IncrBy,
     .arity = 3,
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .acl = Acl::kString,
     .keys = kReadUpdateKey,
     .group = Group::kString,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Increment the integer value of a key by the given amount",
     .arguments = "key:key#0 increment:integer",
     .brief_args_max = 3},
    {.name = "incrbyfloat",
     .handler = IncrByFloat,
     .arity = 3,
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .acl = Acl::kString,
     .keys = kReadUpdateKey,
     .group = Group::kString,
     .since = "2.6.0",
     .complexity = "O(1)",
     .summary = "Increment the float value of a key by the given amount",
     .arguments = "key:key#0 increment:double",
     .brief_args_max = 3},
    {.name = "lcs",
     .handler = Lcs,
     .arity = -3,
     .flags = Flag::kReadonly,
     .acl = Acl::kString,
     .keys = kLcsKeys,
     .group = Group::kString,
     .since = "7.0.0",
     .complexity = "O(N*M) where N and M are the lengths of s1 and s2, respectively",
     .summary = "Find longest common substring",
     .arguments = "key1:key#0 key2:key#0 'LEN' len:pure-token? 'IDX' idx:pure-token? 'MINMATCHLEN' "
                  "len:integer? 'WITHMATCHLEN' withmatchlen:pure-token?"},
    {.name = "psetex",
     .handler = PSetEx,
     .arity = 4,
     .flags = Flag::kWrite | Flag::kDenyOom,
     .acl = Acl::kString,
     .keys = kOverwriteKey,
     .group = Group::kString,
     .since = "2.6.0",
     .complexity = "O(1)",
     .summary = "Set the value and expiration in milliseconds of a key",
     .arguments = "key:key#0 milliseconds:integer value:string",
     .brief_args_max = 4},
    {.name = "set",
     .handler = Set,
     .arity = -3,
     .flags = Flag::kWrite | Flag::kDenyOom,
     .acl = Acl::kString,
     .keys = kSetKeys,
     .group = Group::kString,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Set the string value of a key",
     .arguments =
         "key:key#0 value:string condition:oneof('NX' nx:pure-token|'XX' xx:pure-token)?@2.6.12 "
         "'GET' get:pure-token?@6.2.0 expiration:oneof('EX' seconds:integer@2.6.12|'PX' "
         "milliseconds:integer@2.6.12|'EXAT' unix-time-seconds:unix-time@6.2.0|'PXAT' "
         "unix-time-milliseconds:unix-time@6.2.0|'KEEPTTL' keepttl:pure-token@6.0.0)?",
     .history = kSetHistory,
     .find_keys = FindSetKeys,
     .brief_args_max = 6},
    {.name = "setex",
     .handler = SetEx,
     .arity = 4,
     .flags = Flag::kWrite | Flag::kDenyOom,
     .acl = Acl::kString,
     .keys = kOverwriteKey,
     .group = Group::kString,
     .since = "2.0.0",
     .complexity = "O(1)",
     .summary = "Set the value and expiration of a key",
     .arguments = "key:key#0 seconds:integer value:string",
     .brief_args_max = 4},
    {.name = "setnx",
     .handler = SetNx,
     .arity = 3,
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .acl = Acl::kString,
     .keys = kSetNxKeys,
     .group = Group::kString,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Set the value of a key, only if the key does not exist",
     .arguments = "key:key#0 value:string",
     .brief_args_max = 3},
    {.name = "setrange",
     .handler = SetRange,
     .arity = 4,
     .flags = Flag::kWrite | Flag::kDenyOom,
     .acl = Acl::kString,
     .keys = kUpdateKey,
     .group = Group::kString,
     .since = "2.2.0",
     .complexity = "O(1), not counting the time taken to copy the new string in place. Usually, "
                   "this string is very small so the amortized complexity is O(1). Otherwise, "
                   "complexity is O(M) with M being the length of the value argument.",
     .summary = "Overwrite part of a string at key starting at the specified offset",
     .arguments = "key:key#0 offset:integer value:string"},
    {.name = "strlen",
     .handler = StrLen,
     .arity = 2,
     .flags = Flag::kReadonly | Flag::kFast,
     .acl = Acl::kString,
     .keys = kInspectKey,
     .group = Group::kString,
     .since = "2.2.0",
     .complexity = "O(1)",
     .summary = "Get the length of the value stored in a key",
     .arguments = "key:key#0",
     .brief_args_max = 2},
    {.name = "substr",
     .handler = SubStr,
     .arity = 4,
     .flags = Flag::kReadonly,
     .acl = Acl::kString,
     .keys = kReadKey,
     .group = Group::kString,
     .since = "1.0.0",
     .complexity =
         "O(N) where N is the length of the returned string. The complexity is ultimately "
         "determined by the returned length, but because creating a substring from an existing "
         "string is very cheap, it can be considered O(1) for small strings.",
     .summary = "Get a substring of the string stored at a key",
     .arguments = "key:key#0 start:integer end:integer",
     .deprecated_since = "2.0.0",
     .replaced_by = "`GETRANGE`"},
};

}  // namespace

std::span<const CommandSpec> StringCommands() { return kStringCommands; }

}  // namespace aeris
