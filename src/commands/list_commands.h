// What the commands on lists and their blocking forms share.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "src/command_context.h"
#include "src/commands/pop_first.h"
#include "storage/list_value.h"

namespace aeris {

storage::ListLimits ListLimitsOf(const CommandContext& context);

// LEFT or RIGHT; nullopt after a syntax error.
std::optional<storage::ListEnd> ListEndArg(const CommandContext& context, std::size_t index);

// Takes one item off the list at argument `index`, which exists, and replies with it. With `key`
// the reply is an array of the key's name and the item. False without memory, after the reply.
bool PopOne(CommandContext& context, std::size_t index, storage::EntryView entry,
            storage::ListEnd end, bool with_key);
// Takes up to `count` items off and replies with an array of them, behind the key's name if asked.
void PopMany(CommandContext& context, std::size_t index, storage::EntryView entry,
             storage::ListEnd end, std::size_t count, bool with_key);

// Moves one item between the lists at two arguments and replies with it. The first one exists.
void MoveItem(CommandContext& context, std::size_t from, std::size_t to, storage::EntryView entry,
              storage::ListEnd from_end, storage::ListEnd to_end);

// [B]LMPOP: from the first list that exists, with its name. False when there is none.
inline constexpr EndWords kListEnds{.front = "left", .back = "right"};
bool PopMany(CommandContext& context, const MultiPop& form);

}  // namespace aeris
