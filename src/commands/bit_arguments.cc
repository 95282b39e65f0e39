#include "src/commands/bit_arguments.h"

#include <algorithm>
#include <string_view>

#include "src/base/number_text.h"
#include "src/server.h"

namespace aeris {

std::optional<std::uint64_t> BitOffsetArg(const CommandContext& context, std::size_t index,
                                          int field_bits) {
  std::string_view text = context.arg(index);
  std::int64_t unit = 1;
  if (field_bits > 0 && text.starts_with('#')) {
    text.remove_prefix(1);
    unit = field_bits;
  }
  const std::optional<std::int64_t> number = ParseInt64(text);
  std::int64_t offset = 0;
  if (!number || *number < 0 || __builtin_mul_overflow(*number, unit, &offset) ||
      static_cast<std::uint64_t>(offset) / 8 >= context.server().config().proto_max_bulk_len) {
    context.reply().Error("ERR bit offset is not an integer or out of range");
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(offset);
}

std::optional<std::span<char>> BitsForWrite(const CommandContext& context, storage::EntryView entry,
                                            std::uint64_t last_bit) {
  const std::size_t size = std::max<std::size_t>(entry ? entry.text_size() : 0, last_bit / 8 + 1);
  std::optional<std::span<char>> text;
  if (context.CouldHold(size)) {
    text = context.keyspace().ResizeString(context.Key(1), size, context.now());
  }
  if (!text) context.ReplyOutOfMemory();
  return text;
}

}  // namespace aeris
