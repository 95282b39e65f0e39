// Lists: the commands that wait for an item.
#include <array>

#include "src/commands/families.h"
#include "src/commands/key_specs.h"
#include "src/commands/list_commands.h"

namespace aeris {
namespace {

using storage::EntryView;
using storage::ListEnd;
using storage::ValueType;

void BlockingPop(CommandContext& context, ListEnd end) {
  const std::size_t keys = context.argc() - 2;
  const auto timeout = TimeoutSecondsArg(context, context.argc() - 1);
  if (!timeout) return;
  const auto pop = [&](std::size_t key, EntryView entry) {
    PopOne(context, key, entry, end, true);
  };
  if (!PopFirst(context, ValueType::kList, 1, keys, pop)) {
    BlockOnKeys(context, ValueType::kList, 1, keys, *timeout);
  }
}

// BLPOP and BRPOP key ... timeout. Reply an array of the first key that has an item and the item |
// null array at the timeout.
void BLPop(CommandContext& context) { BlockingPop(context, ListEnd::kHead); }
void BRPop(CommandContext& context) { BlockingPop(context, ListEnd::kTail); }

void BlockingMove(CommandContext& context, ListEnd from, ListEnd to,
                  std::chrono::milliseconds timeout) {
  EntryView entry;
  if (!context.FindForWrite(1, ValueType::kList, entry)) return;
  if (entry) return MoveItem(context, 1, 2, entry, from, to);
  constexpr std::array<std::size_t, 1> kSource{1};
  context.BlockOn(kSource,
                  {.type = ValueType::kList, .timeout = timeout, .null_when_denied = true});
}

// BLMOVE source destination LEFT | RIGHT LEFT | RIGHT timeout. Replies the item as bulk string |
// null array at the timeout.
void BLMove(CommandContext& context) {
  const auto from = ListEndArg(context, 3);
  if (!from) return;
  const auto to = ListEndArg(context, 4);
  if (!to) return;
  const auto timeout = TimeoutSecondsArg(context, 5);
  if (timeout) BlockingMove(context, *from, *to, *timeout);
}

// BRPOPLPUSH source destination timeout. As BLMOVE source destination RIGHT LEFT.
void BRPopLPush(CommandContext& context) {
  const auto timeout = TimeoutSecondsArg(context, 3);
  if (timeout) BlockingMove(context, ListEnd::kTail, ListEnd::kHead, *timeout);
}

// BLMPOP timeout numkeys key ... LEFT | RIGHT [COUNT count]. Replies as LMPOP, a null array at the
// timeout.
void BLMPop(CommandContext& context) {
  const auto pop = MultiPopArgs(context, 2, kListEnds);
  if (!pop) return;
  const auto timeout = TimeoutSecondsArg(context, 1);
  if (!timeout) return;
  if (!PopMany(context, *pop)) {
    BlockOnKeys(context, ValueType::kList, pop->first_key, pop->keys, *timeout);
  }
}

constexpr CommandSpec kListBlockingCommands[] = {
    {.name = "blmove",
     .handler = BLMove,
     .arity = 6,
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kNoScript | Flag::kBlocking,
     .acl = Acl::kList,
     .keys = kMoveKeys,
     .group = Group::kList,
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Pop an element from a list, push it to another list and return it; or block until "
                "one is available",
     .arguments = "source:key#0 destination:key#1 wherefrom:oneof('LEFT' left:pure-token|'RIGHT' "
                  "right:pure-token) whereto:oneof('LEFT' left:pure-token|'RIGHT' "
                  "right:pure-token) timeout:double"},
    {.name = "blmpop",
     .handler = BLMPop,
     .arity = -5,
     .flags = Flag::kWrite | Flag::kBlocking | Flag::kMovableKeys,
     .acl = Acl::kList,
     .keys = kBlockingMultiPopKeys,
     .group = Group::kList,
     .since = "7.0.0",
     .complexity =
         "O(N+M) where N is the number of provided keys and M is the number of elements returned.",
     .summary = "Pop elements from a list, or block until one is available",
     .arguments = "timeout:double numkeys:integer key:key*#0 where:oneof('LEFT' "
                  "left:pure-token|'RIGHT' right:pure-token) 'COUNT' count:integer?"},
    {.name = "blpop",
     .handler = BLPop,
     .arity = -3,
     .flags = Flag::kWrite | Flag::kNoScript | Flag::kBlocking,
     .acl = Acl::kList,
     .keys = kBlockingPopKeys,
     .group = Group::kList,
     .since = "2.0.0",
     .complexity = "O(N) where N is the number of provided keys.",
     .summary = "Remove and get the first element in a list, or block until one is available",
     .arguments = "key:key*#0 timeout:double",
     .history = kTimeoutHistory},
    {.name = "brpop",
     .handler = BRPop,
     .arity = -3,
     .flags = Flag::kWrite | Flag::kNoScript | Flag::kBlocking,
     .acl = Acl::kList,
     .keys = kBlockingPopKeys,
     .group = Group::kList,
     .since = "2.0.0",
     .complexity = "O(N) where N is the number of provided keys.",
     .summary = "Remove and get the last element in a list, or block until one is available",
     .arguments = "key:key*#0 timeout:double",
     .history = kTimeoutHistory},
    {.name = "brpoplpush",
     .handler = BRPopLPush,
     .arity = 4,
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kNoScript | Flag::kBlocking,
     .acl = Acl::kList,
     .keys = kMoveKeys,
     .group = Group::kList,
     .since = "2.2.0",
     .complexity = "O(1)",
     .summary = "Pop an element from a list, push it to another list and return it; or block until "
                "one is available",
     .arguments = "source:key#0 destination:key#1 timeout:double",
     .history = kTimeoutHistory,
     .deprecated_since = "6.2.0",
     .replaced_by = "`BLMOVE` with the `RIGHT` and `LEFT` arguments"},
};

}  // namespace

std::span<const CommandSpec> ListBlockingCommands() { return kListBlockingCommands; }

}  // namespace aeris
