#include "src/commands/hash_arguments.h"

#include "src/packed_reply.h"
#include "src/server.h"

namespace aeris {

storage::HashLimits HashLimitsOf(const CommandContext& context) {
  const Config& config = context.server().config();
  return {.packed_fields_max = config.hash_max_listpack_entries,
          .packed_bytes_max = config.hash_max_listpack_value};
}

bool AllFieldsExpired(const CommandContext& context, storage::EntryView entry) {
  if (entry.type() != storage::ValueType::kHash) return false;
  const storage::HashView hash(entry, context.now());
  if (hash.exact()) return false;
  bool alive = false;
  hash.ForEach([&](const storage::HashField&) { alive = true; });
  return !alive;
}

void ReplyFieldValue(const CommandContext& context, const storage::HashField& field) {
  if (storage::BlobRef pinned = field.PinnedValue()) return context.ReplyBlob(std::move(pinned));
  ReplyItem(context.reply(), field.value);
}

void ReplyValueOrNull(const CommandContext& context,
                      const std::optional<storage::HashField>& field) {
  if (!field) return context.reply().Null();
  ReplyFieldValue(context, *field);
}

void ReplyNulls(const CommandContext& context, std::size_t count) {
  context.reply().Array(count);
  for (std::size_t i = 0; i < count; ++i) context.reply().Null();
}

storage::HashEditor EditHash(const CommandContext& context, storage::EntryView entry) {
  return {context.keyspace(), context.Key(1), entry, HashLimitsOf(context), context.now()};
}

}  // namespace aeris
