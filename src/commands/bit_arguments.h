// What SETBIT, GETBIT and BITFIELD have in common: the argument that names a bit, and the string
// that must be long enough for it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "src/command_context.h"

namespace aeris {

// Argument `index` as the offset of a bit, below 8 times proto-max-bulk-len; nullopt after the
// error reply. With `field_bits` the form "#n" is allowed: the n-th field of that many bits.
std::optional<std::uint64_t> BitOffsetArg(const CommandContext& context, std::size_t index,
                                          int field_bits = 0);

// The string of argument 1, made raw and long enough to hold `last_bit`, zero bytes behind the old
// ones. `entry` is what the key held, a string or nothing. Valid until the next call of the
// keyspace; none after the OOM reply.
std::optional<std::span<char>> BitsForWrite(const CommandContext& context, storage::EntryView entry,
                                            std::uint64_t last_bit);

}  // namespace aeris
