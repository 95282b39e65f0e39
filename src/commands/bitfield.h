// BITFIELD, whose little language is a file of its own.
#pragma once

namespace aeris {

class CommandContext;

// BITFIELD key [GET type offset | SET type offset value | INCRBY type offset increment |
// OVERFLOW WRAP|SAT|FAIL] ... Replies an array with one integer for each GET (the field), SET (the
// old field) and INCRBY (the new one), null where OVERFLOW FAIL kept a field as it was.
void BitField(CommandContext& context);

// BITFIELD_RO key [GET type offset] ... Replies likewise.
void BitFieldRo(CommandContext& context);

}  // namespace aeris
