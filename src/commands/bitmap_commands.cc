// Bitmaps: strings as arrays of bits. BITFIELD has a file of its own.
#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "src/command_context.h"
#include "src/command_keys.h"
#include "src/commands/bit_arguments.h"
#include "src/commands/bitfield.h"
#include "src/commands/families.h"
#include "src/commands/index_range.h"
#include "src/commands/key_specs.h"
#include "src/error_replies.h"
#include "storage/bit_ops.h"

namespace aeris {
namespace {

using storage::BitOperation;
using storage::EntryView;
using storage::IntegerText;

// Positions of BITCOUNT and BITPOS as the client gave them.
struct Positions {
  IndexEnds ends;
  bool in_bits = false;

  // The bits that they mean in a text of `size` bytes.
  IndexRange Bits(std::size_t size) const {
    if (in_bits) return ends.OfText(size * 8);
    const IndexRange bytes = ends.OfText(size);
    return {bytes.first * 8, bytes.end * 8};
  }
};

// BYTE or BIT at `index`. False after an error reply.
bool ParseUnit(const CommandContext& context, std::size_t index, bool& in_bits) {
  in_bits = context.ArgIs(index, "bit");
  if (in_bits || context.ArgIs(index, "byte")) return true;
  context.reply().Error(err::kSyntax);
  return false;
}

// BITCOUNT key [start end [BYTE | BIT]]. Replies how many bits are set.
void BitCount(CommandContext& context) {
  EntryView entry;
  if (!context.FindStringForRead(1, entry)) return;
  if (!entry) return context.reply().Integer(0);
  const std::size_t argc = context.argc();
  if (argc == 3 || argc > 5) return context.reply().Error(err::kSyntax);
  Positions positions;
  if (argc > 3) {
    const auto ends = IndexEndsArgs(context, 2, 3);
    if (!ends) return;
    if (ends->crossed_from_end()) return context.reply().Integer(0);
    positions.ends = *ends;
  }
  if (argc == 5 && !ParseUnit(context, 4, positions.in_bits)) return;
  IntegerText scratch;
  const std::string_view text = entry.Text(scratch);
  const IndexRange bits = positions.Bits(text.size());
  const std::uint64_t count =
      bits.size() != 0 ? storage::CountBits(text, bits.first, bits.end - 1) : 0;
  context.reply().Integer(static_cast<std::int64_t>(count));
}

// The arguments of BITPOS behind the bit, in the order in which Redis looks at them.
bool ParsePositions(const CommandContext& context, Positions& positions) {
  const std::size_t argc = context.argc();
  if (argc > 6) {
    context.reply().Error(err::kSyntax);
    return false;
  }
  if (argc > 3) {
    const auto start = context.IntegerArg(3);
    if (!start) return false;
    positions.ends.start = *start;
  }
  if (argc == 6 && !ParseUnit(context, 5, positions.in_bits)) return false;
  if (argc > 4) {
    const auto end = context.IntegerArg(4);
    if (!end) return false;
    positions.ends.stop = *end;
  }
  return true;
}

// BITPOS key bit [start [end [BYTE | BIT]]]. Replies the position of the first such bit, -1 when
// there is none. Without an end, clear bits follow the last byte.
void BitPos(CommandContext& context) {
  const auto bit = context.IntegerArg(2);
  if (!bit) return;
  if (*bit != 0 && *bit != 1) {
    return context.reply().Error("ERR The bit argument must be 1 or 0.");
  }
  EntryView entry;
  if (!context.FindStringForRead(1, entry)) return;
  if (!entry) return context.reply().Integer(*bit == 1 ? -1 : 0);
  Positions positions;
  if (!ParsePositions(context, positions)) return;
  IntegerText scratch;
  const std::string_view text = entry.Text(scratch);
  const IndexRange bits = positions.Bits(text.size());
  if (bits.size() == 0) return context.reply().Integer(-1);
  const auto found = storage::FindBit(text, *bit == 1, bits.first, bits.end - 1);
  if (found) return context.reply().Integer(static_cast<std::int64_t>(*found));
  const bool end_given = context.argc() > 4;
  context.reply().Integer(*bit == 1 || end_given ? -1 : static_cast<std::int64_t>(text.size() * 8));
}

std::optional<BitOperation> BitOperationArg(const CommandContext& context, std::size_t index) {
  if (context.ArgIs(index, "and")) return BitOperation::kAnd;
  if (context.ArgIs(index, "or")) return BitOperation::kOr;
  if (context.ArgIs(index, "xor")) return BitOperation::kXor;
  if (context.ArgIs(index, "not")) return BitOperation::kNot;
  context.reply().Error(err::kSyntax);
  return std::nullopt;
}

// Writes the combination of the keys from argument 3 on, whose longest text has `size` bytes, to
// the key at argument 2. The keys have been looked up at this moment already, so finding them
// again expires nothing and the texts stay where they are. False after the OOM reply.
bool Combine(const CommandContext& context, BitOperation operation, std::size_t size) {
  storage::Keyspace& keyspace = context.keyspace();
  const storage::HashedKey destination = context.Key(2);
  // In place when the destination is a source too; otherwise its old text is of no use.
  const auto sources_given = context.args().subspan(3);
  const bool in_place = std::ranges::find(sources_given, context.arg(2)) != sources_given.end();
  const auto out = in_place ? keyspace.ResizeString(destination, size, context.now())
                            : keyspace.SetZeros(destination, size, context.now());
  if (!out) {
    context.ReplyOutOfMemory();
    return false;
  }
  std::vector<std::string_view> sources(sources_given.size());
  std::vector<IntegerText> integers(sources_given.size());
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const EntryView entry =
        keyspace.Find(keyspace.Hash(sources_given[i]), context.now(), storage::kPeek);
    if (entry) sources[i] = entry.Text(integers[i]);
  }
  storage::CombineBits(operation, sources, *out);
  return context.Stored(keyspace.SetDeadline(destination, kNoDeadline, context.now()));
}

// BITOP AND | OR | XOR | NOT destkey key ... Replies the length of the result, which replaces
// destkey; an empty result deletes it.
void BitOp(CommandContext& context) {
  const auto operation = BitOperationArg(context, 1);
  if (!operation) return;
  if (*operation == BitOperation::kNot && context.argc() != 4) {
    return context.reply().Error("ERR BITOP NOT must be called with a single source key.");
  }
  std::size_t size = 0;
  for (std::size_t i = 3; i < context.argc(); ++i) {
    EntryView entry;
    if (!context.FindStringForRead(i, entry)) return;
    if (entry) size = std::max(size, entry.text_size());
  }
  if (size != 0) {
    if (!Combine(context, *operation, size)) return;
    context.Changed();
    context.Notify(KeyEvent::kString, "set", 2);
  } else if (context.keyspace().Delete(context.Key(2), context.now())) {
    context.Changed();
    context.Notify(KeyEvent::kGeneric, "del", 2);
  }
  context.reply().Integer(static_cast<std::int64_t>(size));
}

// GETBIT key offset. Replies the bit, 0 beyond the end.
void GetBit(CommandContext& context) {
  const auto offset = BitOffsetArg(context, 2);
  if (!offset) return;
  EntryView entry;
  if (!context.FindStringForRead(1, entry)) return;
  if (!entry) return context.reply().Integer(0);
  IntegerText scratch;
  context.reply().Integer(storage::GetBit(entry.Text(scratch), *offset) ? 1 : 0);
}

// SETBIT key offset value. Replies the old bit.
void SetBit(CommandContext& context) {
  const auto offset = BitOffsetArg(context, 2);
  if (!offset) return;
  const auto bit = context.IntegerArg(3, 0, 1, "ERR bit is not an integer or out of range");
  if (!bit) return;
  EntryView entry;
  if (!context.FindStringForWrite(1, entry)) return;
  const std::size_t old_size = entry ? entry.text_size() : 0;
  const auto bits = BitsForWrite(context, entry, *offset);
  if (!bits) return;
  const std::span<char> text = *bits;
  const bool old = storage::SetBit(text, *offset, *bit == 1);
  if (old != (*bit == 1) || text.size() != old_size) {
    context.Changed();
    context.Notify(KeyEvent::kString, "setbit", 1);
  }
  context.reply().Integer(old ? 1 : 0);
}

constexpr KeySpec kBitFieldKeys[] = {
    {.flags = KeyFlag::kReadWrite | KeyFlag::kAccess | KeyFlag::kUpdate | KeyFlag::kVariableFlags,
     .notes = "This command allows both access and modification of the key"}};

constexpr KeySpec kBitOpKeys[] = {
    {.flags = KeyFlag::kOverwrite | KeyFlag::kUpdate, .index = 2},
    {.flags = KeyFlag::kReadOnly | KeyFlag::kAccess, .index = 3, .last = -1}};

constexpr Change kUnitHistory[] = {{"7.0.0", "Added the `BYTE|BIT` option."}};

constexpr CommandSpec kBitmapCommands[] = {
    {.name = "bitcount",
     .handler = BitCount,
     .arity = -2,
     .flags = Flag::kReadonly,
     .acl = Acl::kBitmap,
     .keys = kReadKey,
     .group = Group::kBitmap,
     .since = "2.6.0",
     .complexity = "O(N)",
     .summary = "Count set bits in a string",
     .arguments = "key:key#0 index:block(start:integer end:integer index_unit:oneof('BYTE' "
                  "byte:pure-token|'BIT' bit:pure-token)?@7.0.0)?",
     .history = kUnitHistory},
    {.name = "bitfield",
     .handler = BitField,
     .arity = -2,
     .flags = Flag::kWrite | Flag::kDenyOom,
     .acl = Acl::kBitmap,
     .keys = kBitFieldKeys,
     .group = Group::kBitmap,
     .since = "3.2.0",
     .complexity = "O(1) for each subcommand specified",
     .summary = "Perform arbitrary bitfield integer operations on strings",
     .arguments =
         "key:key#0 operation:oneof('GET' encoding_offset:block(encoding:string "
         "offset:integer)|write:block('OVERFLOW' wrap_sat_fail:oneof('WRAP' wrap:pure-token|'SAT' "
         "sat:pure-token|'FAIL' fail:pure-token)? write_operation:oneof('SET' "
         "encoding_offset_value:block(encoding:string offset:integer value:integer)|'INCRBY' "
         "encoding_offset_increment:block(encoding:string offset:integer increment:integer))))?*",
     .find_keys = FindBitFieldKeys},
    {.name = "bitfield_ro",
     .handler = BitFieldRo,
     .arity = -2,
     .flags = Flag::kReadonly | Flag::kFast,
     .acl = Acl::kBitmap,
     .keys = kReadKey,
     .group = Group::kBitmap,
     .since = "6.0.0",
     .complexity = "O(1) for each subcommand specified",
     .summary =
         "Perform arbitrary bitfield integer operations on strings. Read-only variant of BITFIELD",
     .arguments = "key:key#0 'GET' encoding_offset:block(encoding:string offset:integer)?+"},
    {.name = "bitop",
     .handler = BitOp,
     .arity = -4,
     .flags = Flag::kWrite | Flag::kDenyOom,
     .acl = Acl::kBitmap,
     .keys = kBitOpKeys,
     .group = Group::kBitmap,
     .since = "2.6.0",
     .complexity = "O(N)",
     .summary = "Perform bitwise operations between strings",
     .arguments = "operation:string destkey:key#0 key:key*#1"},
    {.name = "bitpos",
     .handler = BitPos,
     .arity = -3,
     .flags = Flag::kReadonly,
     .acl = Acl::kBitmap,
     .keys = kReadKey,
     .group = Group::kBitmap,
     .since = "2.8.7",
     .complexity = "O(N)",
     .summary = "Find first bit set or clear in a string",
     .arguments = "key:key#0 bit:integer index:block(start:integer end_index:block(end:integer "
                  "index_unit:oneof('BYTE' byte:pure-token|'BIT' bit:pure-token)?@7.0.0)?)?",
     .history = kUnitHistory},
    {.name = "getbit",
     .handler = GetBit,
     .arity = 3,
     .flags = Flag::kReadonly | Flag::kFast,
     .acl = Acl::kBitmap,
     .keys = kReadKey,
     .group = Group::kBitmap,
     .since = "2.2.0",
     .complexity = "O(1)",
     .summary = "Returns the bit value at offset in the string value stored at key",
     .arguments = "key:key#0 offset:integer"},
    {.name = "setbit",
     .handler = SetBit,
     .arity = 4,
     .flags = Flag::kWrite | Flag::kDenyOom,
     .acl = Acl::kBitmap,
     .keys = kReadUpdateKey,
     .group = Group::kBitmap,
     .since = "2.2.0",
     .complexity = "O(1)",
     .summary = "Sets or clears the bit at offset in the string value stored at key",
     .arguments = "key:key#0 offset:integer value:integer"},
};

}  // namespace

std::span<const CommandSpec> BitmapCommands() { return kBitmapCommands; }

}  // namespace aeris
