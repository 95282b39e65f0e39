#include "src/commands/hash_arguments.h"

#include "src/server.h"

namespace aeris {

storage::HashLimits HashLimitsOf(const CommandContext& context) {
  const Config& config = context.server().config();
  return {.packed_fields_max = config.hash_max_listpack_entries,
          .packed_bytes_max = config.hash_max_listpack_value};
}

void ReplyItem(const CommandContext& context, const storage::PackedItem& item) {
  if (item.is_integer) return context.reply().BulkInteger(item.integer);
  context.reply().Bulk(item.text);
}

void ReplyFieldValue(const CommandContext& context, const storage::HashField& field) {
  if (storage::BlobRef pinned = field.PinnedValue()) return context.ReplyBlob(std::move(pinned));
  ReplyItem(context, field.value);
}

storage::HashEditor EditHash(const CommandContext& context, storage::EntryView entry) {
  return {context.keyspace(), context.Key(1), entry, HashLimitsOf(context), context.now()};
}

}  // namespace aeris
