// What a command is: one constexpr row beside its handler. COMMAND, COMMAND DOCS, key extraction,
// the arity check, MONITOR, the slow log and the statistics read the row; no handler repeats it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

namespace aeris {

class CommandContext;
class KeyPositions;
using CommandHandler = void (*)(CommandContext& context);

// A set of flags of one kind. `Enum` lists bit positions.
template <typename Enum>
class FlagSet {
 public:
  constexpr FlagSet() = default;
  constexpr FlagSet(Enum flag) : bits_(std::uint64_t{1} << static_cast<unsigned>(flag)) {}
  constexpr FlagSet operator|(FlagSet other) const { return FromBits(bits_ | other.bits_); }
  constexpr bool has(Enum flag) const { return (bits_ & FlagSet(flag).bits_) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr std::uint64_t bits() const { return bits_; }
  static constexpr FlagSet FromBits(std::uint64_t bits) {
    FlagSet set;
    set.bits_ = bits;
    return set;
  }

 private:
  std::uint64_t bits_ = 0;
};

// In the order in which COMMAND INFO lists them.
enum class CommandFlag : std::uint8_t {
  kWrite,
  kReadonly,
  kDenyOom,
  kModule,
  kAdmin,
  kPubsub,
  kNoScript,
  kBlocking,
  kLoading,
  kStale,
  kSkipMonitor,
  kSkipSlowlog,
  kAsking,
  kFast,
  kNoAuth,
  kMayReplicate,
  kSentinel,
  kOnlySentinel,
  kNoMandatoryKeys,
  kProtected,  // off unless enable-debug-command or its like allows it; not listed
  kNoAsyncLoading,
  kNoMulti,
  kMovableKeys,
  kAllowBusy,
  kNotQueued,  // runs at once inside MULTI; not listed
};
using CommandFlags = FlagSet<CommandFlag>;
constexpr CommandFlags operator|(CommandFlag a, CommandFlag b) { return CommandFlags(a) | b; }

// In the order in which COMMAND INFO lists them. @fast or @slow, @write, @read, @dangerous,
// @admin, @blocking, @pubsub follow from the flags and need not stand in a row.
enum class AclCategory : std::uint8_t {
  kKeyspace,
  kRead,
  kWrite,
  kSet,
  kSortedSet,
  kList,
  kHash,
  kString,
  kBitmap,
  kHyperLogLog,
  kGeo,
  kStream,
  kPubsub,
  kAdmin,
  kFast,
  kSlow,
  kBlocking,
  kDangerous,
  kConnection,
  kTransaction,
  kScripting,
};
using AclCategories = FlagSet<AclCategory>;
constexpr AclCategories operator|(AclCategory a, AclCategory b) { return AclCategories(a) | b; }

enum class KeyFlag : std::uint8_t {
  kReadOnly,       // RO
  kReadWrite,      // RW
  kOverwrite,      // OW
  kRemove,         // RM
  kAccess,         // access
  kUpdate,         // update
  kInsert,         // insert
  kDelete,         // delete
  kNotKey,         // not_key
  kIncomplete,     // incomplete
  kVariableFlags,  // variable_flags
};
using KeyFlags = FlagSet<KeyFlag>;
constexpr KeyFlags operator|(KeyFlag a, KeyFlag b) { return KeyFlags(a) | b; }

// Where a command's keys are among its arguments, as COMMAND INFO describes it.
struct KeySpec {
  enum class Begin : std::uint8_t { kIndex, kKeyword, kUnknown };
  enum class Find : std::uint8_t { kRange, kKeynum, kUnknown };

  KeyFlags flags = {};
  Begin begin = Begin::kIndex;
  int index = 1;  // kIndex: the first key's argument; kKeyword: where to search from
  std::string_view keyword = {};  // kKeyword
  Find find = Find::kRange;
  int last = 0;          // kRange: last key relative to the first; negative: from the end
  int step = 1;          // kRange and kKeynum: distance between keys
  int limit = 0;         // kRange with last -1: 2 means half of the arguments, 0 and 1 all
  int keynum_index = 0;  // kKeynum: where the count is, relative to `index`
  int first_key = 0;     // kKeynum: the first key, relative to `index`
  std::string_view notes = {};
};

// A line of COMMAND DOCS's history.
struct Change {
  std::string_view since;
  std::string_view what;
};

enum class CommandGroup : std::uint8_t {
  kGeneric,
  kString,
  kList,
  kSet,
  kSortedSet,
  kHash,
  kPubsub,
  kTransactions,
  kConnection,
  kServer,
  kScripting,
  kHyperLogLog,
  kCluster,
  kSentinel,
  kGeo,
  kStream,
  kBitmap,
};

// Short names for the rows.
using Flag = CommandFlag;
using Acl = AclCategory;
using Group = CommandGroup;

struct CommandSpec {
  std::string_view name = {};        // lower case; of a subcommand the second word alone
  CommandHandler handler = nullptr;  // null for a container that does nothing without a subcommand
  int arity = 0;                     // the name counts; negative means "at least"
  CommandFlags flags = {};
  AclCategories acl = {};  // those that do not follow from `flags`
  std::span<const KeySpec> keys = {};
  CommandGroup group = CommandGroup::kGeneric;
  std::string_view since = {};
  std::string_view complexity = {};
  std::string_view summary = {};
  std::string_view arguments = {};  // in the notation of command_docs.h; empty without arguments
  std::span<const Change> history = {};
  std::span<const std::string_view> tips = {};
  std::string_view deprecated_since = {};
  std::string_view replaced_by = {};
  bool syscmd = false;  // doc_flags: syscmd
  std::span<const CommandSpec> subcommands = {};
  // Finds the keys where key specs do not suffice: keys without fixed positions (kMovableKeys), and
  // key flags that depend on options (KeyFlag::kVariableFlags). Returns false when the arguments
  // make no sense.
  bool (*find_keys)(std::span<const std::string_view> arguments, KeyPositions& positions) = nullptr;
  // The argument that usually is a member or field of the first key, 0 for none: a batch fetches it
  // from memory ahead. A hint, so options may stand there.
  std::uint8_t member = 0;
  // Brief with at most so many arguments, the name among them: takes some microseconds whatever the
  // value is, replies at once, and changes nothing but its key. 0: never. Requests that are brief
  // need fewer checks, and one reading of the clock for several (dispatch.h).
  std::uint8_t brief_args_max = 0;
};

}  // namespace aeris
