// Taking elements from the first of several keys that has any: what [B]LMPOP, [B]ZMPOP, BLPOP and
// BZPOPMIN share, whatever the type.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "src/command_context.h"

namespace aeris {

// "numkeys key ... END [COUNT n]".
struct MultiPop {
  std::size_t first_key = 0;
  std::size_t keys = 0;
  bool from_back = false;
  std::uint64_t count = 1;
};

// What the two ends are called.
struct EndWords {
  std::string_view front;
  std::string_view back;
};

// From argument `numkeys` to the last one; nullopt after the error reply.
std::optional<MultiPop> MultiPopArgs(const CommandContext& context, std::size_t numkeys,
                                     EndWords words);

// Calls `pop(key, entry)` for the first of the keys (arguments) that exists; of a command that runs
// again for a blocked client only the key that became ready counts. False when none exists; true
// also after an error reply.
template <typename Pop>
bool PopFirst(const CommandContext& context, storage::ValueType type, std::size_t first_key,
              std::size_t keys, Pop&& pop) {
  const auto served = context.served_key();
  for (std::size_t key = first_key; key < first_key + keys; ++key) {
    if (served && key != *served) continue;
    storage::EntryView entry;
    if (!context.FindForWrite(key, type, entry)) return true;
    if (!entry) continue;
    pop(key, entry);
    return true;
  }
  return false;
}

// Waits until one of the keys exists; the reply at the timeout is a null array.
void BlockOnKeys(const CommandContext& context, storage::ValueType type, std::size_t first_key,
                 std::size_t keys, std::chrono::milliseconds timeout);

}  // namespace aeris
