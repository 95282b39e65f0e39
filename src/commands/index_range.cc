#include "src/commands/index_range.h"

#include <algorithm>

namespace aeris {
namespace {

// Ends that count from the beginning; `start` is not negative.
IndexRange Between(std::int64_t start, std::int64_t stop, std::int64_t size) {
  stop = std::min(stop, size - 1);
  if (start > stop) return {};
  return {static_cast<std::uint64_t>(start), static_cast<std::uint64_t>(stop) + 1};
}

std::int64_t FromEnd(std::int64_t index, std::int64_t size) {
  return index < 0 ? index + size : index;
}

}  // namespace

IndexRange IndexEnds::OfItems(std::size_t size) const {
  const auto items = static_cast<std::int64_t>(size);
  return Between(std::max<std::int64_t>(FromEnd(start, items), 0), FromEnd(stop, items), items);
}

IndexRange IndexEnds::OfText(std::size_t size) const {
  const auto bytes = static_cast<std::int64_t>(size);
  return Between(std::max<std::int64_t>(FromEnd(start, bytes), 0),
                 std::max<std::int64_t>(FromEnd(stop, bytes), 0), bytes);
}

std::optional<IndexEnds> IndexEndsArgs(const CommandContext& context, std::size_t start,
                                       std::size_t stop) {
  const auto first = context.IntegerArg(start);
  const auto last = first ? context.IntegerArg(stop) : std::nullopt;
  if (!last) return std::nullopt;
  return IndexEnds{*first, *last};
}

}  // namespace aeris
