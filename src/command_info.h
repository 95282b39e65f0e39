// What COMMAND INFO and COMMAND DOCS tell about one command, from its row.
#pragma once

#include "protocol/reply_writer.h"
#include "src/command_table.h"

namespace aeris {

// An array of ten: name, arity, flags, first key, last key, step, ACL categories, tips, key specs,
// subcommands, which are arrays of the same kind.
void ReplyCommandInfo(const Command& command, protocol::ReplyWriter& reply);

// Two elements of a map: the full name, and a map of what the row documents. Fields that the row
// leaves empty are left out.
void ReplyCommandDocs(const Command& command, protocol::ReplyWriter& reply);

// The names of the flags of a key as a set ("RW", "access", "update").
void ReplyKeyFlags(KeyFlags flags, protocol::ReplyWriter& reply);

}  // namespace aeris
