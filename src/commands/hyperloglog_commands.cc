// HyperLogLogs: strings that count different elements.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "src/command_context.h"
#include "src/commands/families.h"
#include "src/commands/key_specs.h"
#include "src/config.h"
#include "src/error_replies.h"
#include "src/server.h"
#include "src/text.h"
#include "storage/hyperloglog.h"
#include "storage/hyperloglog_self_test.h"
#include "storage/hyperloglog_sparse.h"

namespace aeris {
namespace {

namespace hyperloglog = storage::hyperloglog;
using hyperloglog::Observation;
using hyperloglog::Observe;
using hyperloglog::RaiseResult;
using hyperloglog::Registers;
using storage::EntryView;

constexpr std::string_view kNotHyperLogLog =
    "WRONGTYPE Key is not a valid HyperLogLog string value.";
constexpr std::string_view kCorrupted = "INVALIDOBJ Corrupted HLL object detected";

// The bytes of an entry's value. False after the error reply when they are no HyperLogLog; no entry
// gives true and no bytes.
bool ValueOf(const CommandContext& context, EntryView entry, std::string_view& value) {
  if (!entry) return true;
  // An integer's text cannot begin as a HyperLogLog does.
  if (!entry.is_integer()) value = entry.text();
  if (hyperloglog::IsHyperLogLog(value)) return true;
  context.reply().Error(kNotHyperLogLog);
  return false;
}

bool ValueForRead(const CommandContext& context, std::size_t index, std::string_view& value) {
  EntryView entry;
  return context.FindStringForRead(index, entry) && ValueOf(context, entry, value);
}

// The value at the key, `size` bytes long, to be changed in place; nullopt after the OOM reply.
// What fits stays as it is, and so does the deadline.
std::optional<std::span<char>> Writable(const CommandContext& context, std::size_t index,
                                        std::size_t size) {
  auto bytes = context.keyspace().ResizeString(context.Key(index), size, context.now());
  if (!bytes) context.ReplyOutOfMemory();
  return bytes;
}

// What Redis does before it looks at a value that it may change: a string that has been set as
// embstr is raw from then on, whatever comes of the command. False after an error reply.
bool ValueToChange(const CommandContext& context, std::size_t index, EntryView entry,
                   std::string_view& value) {
  if (!ValueOf(context, entry, value)) return false;
  if (!entry || entry.encoding() != storage::Encoding::kEmbstr) [[likely]]
    return true;
  const auto bytes = Writable(context, index, value.size());
  if (bytes) value = {bytes->data(), bytes->size()};
  return bytes.has_value();
}

bool ValueForWrite(const CommandContext& context, std::size_t index, std::string_view& value) {
  EntryView entry;
  return context.FindStringForWrite(index, entry) && ValueToChange(context, index, entry, value);
}

// False after the OOM reply.
bool Store(const CommandContext& context, std::size_t index, std::string_view value) {
  const auto bytes = Writable(context, index, value.size());
  if (bytes) std::ranges::copy(value, bytes->begin());
  return bytes.has_value();
}

// Registers are changed where they are. Elements that change none cost no more than their hash.
void AddToDense(const CommandContext& context, std::string_view value) {
  std::size_t i = 2;
  for (; i < context.argc(); ++i) {
    const Observation observation = Observe(context.arg(i));
    if (hyperloglog::DenseRank(value, observation.index) < observation.rank) break;
  }
  if (i == context.argc()) return context.reply().Integer(0);
  const auto bytes = Writable(context, 1, value.size());
  if (!bytes) return;
  std::uint64_t raised = 0;
  for (; i < context.argc(); ++i) {
    if (hyperloglog::RaiseDense(*bytes, Observe(context.arg(i)))) ++raised;
  }
  hyperloglog::Invalidate(*bytes);
  context.Changed(raised);
  context.Notify(KeyEvent::kString, "pfadd", 1);
  context.reply().Integer(1);
}

// A value that turns out to be corrupted keeps what the elements before have raised, as in Redis.
void AddToSparse(const CommandContext& context, std::string value, std::uint64_t raised) {
  hyperloglog::SparseEditor editor(value, context.server().config().hll_sparse_max_bytes);
  bool corrupted = false;
  for (std::size_t i = 2; i < context.argc() && !corrupted; ++i) {
    const RaiseResult result = editor.Raise(Observe(context.arg(i)));
    if (result == RaiseResult::kRaised) ++raised;
    corrupted = result == RaiseResult::kCorrupted;
  }
  if (raised > 0) {
    hyperloglog::Invalidate(value);
    if (!Store(context, 1, value)) return;
  }
  if (corrupted) return context.reply().Error(kCorrupted);
  if (raised > 0) {
    context.Changed(raised);
    context.Notify(KeyEvent::kString, "pfadd", 1);
  }
  context.reply().Integer(raised > 0 ? 1 : 0);
}

// PFADD key [element ...]. Replies 1 when the key is new or a register has changed, else 0. O(1)
// for each element; O(bytes) while the value is sparse.
void PfAdd(CommandContext& context) {
  std::string_view value;
  if (!ValueForWrite(context, 1, value)) return;
  if (value.empty()) return AddToSparse(context, hyperloglog::Empty(), 1);
  if (hyperloglog::IsDense(value)) return AddToDense(context, value);
  AddToSparse(context, std::string(value), 0);
}

void CountOne(const CommandContext& context) {
  EntryView entry;
  std::string_view value;
  if (!context.FindStringForRead(1, entry) || !ValueToChange(context, 1, entry, value)) return;
  if (value.empty()) return context.reply().Integer(0);
  if (const auto cached = hyperloglog::CachedCount(value)) {
    return context.reply().Integer(static_cast<std::int64_t>(*cached));
  }
  const auto count = hyperloglog::Count(value);
  if (!count) return context.reply().Error(kCorrupted);
  // Without memory for a copy of its own the value goes without the count.
  const auto bytes = context.keyspace().ResizeString(context.Key(1), value.size(), context.now());
  if (bytes) {
    hyperloglog::StoreCount(*bytes, static_cast<std::uint64_t>(*count));
    context.Changed();
    context.NoteChange(1);
  }
  context.reply().Integer(*count);
}

// What the values of all arguments from 1 on have seen together. False after an error reply.
bool MergeArguments(const CommandContext& context, Registers& registers, bool& any_dense) {
  for (std::size_t i = 1; i < context.argc(); ++i) {
    context.PrefetchAhead(i);
    std::string_view value;
    if (!ValueForRead(context, i, value)) return false;
    if (value.empty()) continue;
    any_dense = any_dense || hyperloglog::IsDense(value);
    if (!hyperloglog::MergeInto(registers, value)) {
      context.reply().Error(kCorrupted);
      return false;
    }
  }
  return true;
}

// PFCOUNT key [key ...]. Replies the estimated number of different elements that the keys have seen
// together. Of one key the value keeps the count until a register changes: O(1) then.
void PfCount(CommandContext& context) {
  if (context.argc() == 2) return CountOne(context);
  Registers registers;
  bool any_dense = false;
  if (!MergeArguments(context, registers, any_dense)) return;
  context.reply().Integer(hyperloglog::Count(registers));
}

// The merged registers become the dense value of argument 1, whose header stays if there is one.
bool StoreMergedDense(const CommandContext& context, bool exists, const Registers& registers) {
  const auto bytes = Writable(context, 1, hyperloglog::kDenseBytes);
  if (!bytes) return false;
  if (!exists) hyperloglog::WriteEmptyDense(*bytes);
  hyperloglog::StoreDense(*bytes, registers);
  hyperloglog::Invalidate(*bytes);
  return true;
}

// `value` has been merged already, so it is not corrupted.
bool StoreMergedSparse(const CommandContext& context, std::string value,
                       const Registers& registers) {
  hyperloglog::SparseEditor editor(value, context.server().config().hll_sparse_max_bytes);
  if (!editor.RaiseAll(registers)) {
    context.reply().Error(kCorrupted);
    return false;
  }
  hyperloglog::Invalidate(value);
  return Store(context, 1, value);
}

// PFMERGE destkey [sourcekey ...]. Replies OK. The destination is one of the sources; it becomes
// dense when one of them is.
void PfMerge(CommandContext& context) {
  Registers registers;
  bool any_dense = false;
  if (!MergeArguments(context, registers, any_dense)) return;
  std::string_view value;
  if (!ValueForWrite(context, 1, value)) return;
  const bool made = value.empty();
  const bool stored =
      any_dense
          ? StoreMergedDense(context, !value.empty(), registers)
          : StoreMergedSparse(context, value.empty() ? hyperloglog::Empty() : std::string(value),
                              registers);
  if (!stored) return;
  context.Changed();
  // Without sources the command has no keys that could be noted before it runs.
  if (made) context.Notify(KeyEvent::kNew, "new", 1);
  context.Notify(KeyEvent::kString, "pfadd", 1);
  context.reply().Ok();
}

// Makes the value at argument 2 dense. False after an error reply.
bool Densify(const CommandContext& context, std::string_view value) {
  if (hyperloglog::IsDense(value)) return true;
  std::string dense(value);
  if (!hyperloglog::MakeDense(dense)) {
    context.reply().Error(kCorrupted);
    return false;
  }
  if (!Store(context, 2, dense)) return false;
  context.Changed();
  return true;
}

void DebugGetReg(const CommandContext& context, std::string_view value) {
  Registers registers;
  // Redis leaves the value dense.
  if (!Densify(context, value)) return;
  EntryView entry = context.keyspace().Find(context.Key(2), context.now(), storage::kPeek);
  if (!hyperloglog::MergeInto(registers, entry.text())) return context.reply().Error(kCorrupted);
  context.reply().Array(registers.ranks.size());
  for (const std::uint8_t rank : registers.ranks) context.reply().Integer(rank);
}

void DebugDecode(const CommandContext& context, std::string_view value) {
  if (hyperloglog::IsDense(value)) return context.reply().Error("ERR HLL encoding is not sparse");
  context.reply().Bulk(hyperloglog::DescribeSparse(value));
}

// PFDEBUG GETREG | DECODE | ENCODING | TODENSE key. Replies the registers as an array of integers,
// the opcodes as a bulk string, the encoding as a simple string, 1 when the encoding has changed.
void PfDebug(CommandContext& context) {
  std::string_view value;
  if (!ValueForWrite(context, 2, value)) return;
  if (value.empty()) return context.reply().Error("ERR The specified key does not exist");
  if (context.ArgIs(1, "getreg")) return DebugGetReg(context, value);
  if (context.ArgIs(1, "decode")) return DebugDecode(context, value);
  const bool dense = hyperloglog::IsDense(value);
  if (context.ArgIs(1, "encoding")) return context.reply().SimpleString(dense ? "dense" : "sparse");
  if (context.ArgIs(1, "todense")) {
    if (Densify(context, value)) context.reply().Integer(dense ? 0 : 1);
    return;
  }
  const std::string_view given = context.arg(1);
  context.reply().Error(
      fmt::format("ERR Unknown PFDEBUG subcommand '{}'", EchoedText(given, given.size())));
}

// PFSELFTEST. Replies OK, or an error that says what is wrong.
void PfSelfTest(CommandContext& context) {
  const auto fault = hyperloglog::SelfTest();
  if (fault) return context.reply().Error("TESTFAILED " + *fault);
  context.reply().Ok();
}

constexpr KeySpec kPfCountKeys[] = {
    {.flags = KeyFlag::kReadWrite | KeyFlag::kAccess,
     .last = -1,
     .notes = "RW because it may change the internal representation of the key, and propagate to "
              "replicas"}};

constexpr KeySpec kPfDebugKeys[] = {{.flags = KeyFlag::kReadWrite | KeyFlag::kAccess, .index = 2}};

constexpr KeySpec kPfMergeKeys[] = {
    {.flags = KeyFlag::kReadWrite | KeyFlag::kAccess | KeyFlag::kInsert},
    {.flags = KeyFlag::kReadOnly | KeyFlag::kAccess, .index = 2, .last = -1}};

constexpr CommandSpec kHyperLogLogCommands[] = {
    {.name = "pfadd",
     .handler = PfAdd,
     .arity = -2,
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .acl = Acl::kHyperLogLog,
     .keys = kInsertKey,
     .group = Group::kHyperLogLog,
     .since = "2.8.9",
     .complexity = "O(1) to add every element.",
     .summary = "Adds the specified elements to the specified HyperLogLog.",
     .arguments = "key:key#0 element:string?*"},
    {.name = "pfcount",
     .handler = PfCount,
     .arity = -2,
     .flags = Flag::kReadonly | Flag::kMayReplicate,
     .acl = Acl::kHyperLogLog,
     .keys = kPfCountKeys,
     .group = Group::kHyperLogLog,
     .since = "2.8.9",
     .complexity = "O(1) with a very small average constant time when called with a single key. "
                   "O(N) with N being the number of keys, and much bigger constant times, when "
                   "called with multiple keys.",
     .summary = "Return the approximated cardinality of the set(s) observed by the HyperLogLog at "
                "key(s).",
     .arguments = "key:key*#0"},
    {.name = "pfdebug",
     .handler = PfDebug,
     .arity = 3,
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kAdmin,
     .acl = Acl::kHyperLogLog,
     .keys = kPfDebugKeys,
     .group = Group::kHyperLogLog,
     .since = "2.8.9",
     .complexity = "N/A",
     .summary = "Internal commands for debugging HyperLogLog values",
     .arguments = "subcommand:string key:key#0",
     .syscmd = true},
    {.name = "pfmerge",
     .handler = PfMerge,
     .arity = -2,
     .flags = Flag::kWrite | Flag::kDenyOom,
     .acl = Acl::kHyperLogLog,
     .keys = kPfMergeKeys,
     .group = Group::kHyperLogLog,
     .since = "2.8.9",
     .complexity = "O(N) to merge N HyperLogLogs, but with high constant times.",
     .summary = "Merge N different HyperLogLogs into a single one.",
     .arguments = "destkey:key#0 sourcekey:key*#1"},
    {.name = "pfselftest",
     .handler = PfSelfTest,
     .arity = 1,
     .flags = Flag::kAdmin,
     .acl = Acl::kHyperLogLog,
     .group = Group::kHyperLogLog,
     .since = "2.8.9",
     .complexity = "N/A",
     .summary = "An internal command for testing HyperLogLog values",
     .syscmd = true},
};

}  // namespace

std::span<const CommandSpec> HyperLogLogCommands() { return kHyperLogLogCommands; }

}  // namespace aeris
