// What the commands of hashes share: finding one, its limits, replying fields.
#pragma once

#include "src/command_context.h"
#include "storage/hash_value.h"

namespace aeris {

// The thresholds that are configured.
storage::HashLimits HashLimitsOf(const CommandContext& context);

// Value or name of a field as bulk string, without a copy where it is large.
void ReplyItem(const CommandContext& context, const storage::PackedItem& item);
void ReplyFieldValue(const CommandContext& context, const storage::HashField& field);

// The hash at argument 1 as an editor for one command; `entry` is what FindForWrite() gave.
storage::HashEditor EditHash(const CommandContext& context, storage::EntryView entry);

}  // namespace aeris
