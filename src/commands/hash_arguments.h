// What the commands of hashes share: finding one, its limits, replying fields.
#pragma once

#include <cstddef>
#include <optional>

#include "src/command_context.h"
#include "storage/hash_value.h"

namespace aeris {

// The thresholds that are configured.
storage::HashLimits HashLimitsOf(const CommandContext& context);

// Whether a value is a hash whose fields have all expired, with none of them removed yet: as good
// as no key. O(n) where a field may have expired, O(1) for all others.
bool AllFieldsExpired(const CommandContext& context, storage::EntryView entry);

// The value of a field as bulk string, without a copy where it is large.
void ReplyFieldValue(const CommandContext& context, const storage::HashField& field);
// The same | null without a field.
void ReplyValueOrNull(const CommandContext& context,
                      const std::optional<storage::HashField>& field);
// An array of nulls: the values of a hash that does not exist.
void ReplyNulls(const CommandContext& context, std::size_t count);

// The hash at argument 1 as an editor for one command; `entry` is what FindForWrite() gave.
storage::HashEditor EditHash(const CommandContext& context, storage::EntryView entry);

}  // namespace aeris
