// Ranges of positions as commands take them: both ends belong to it, and negative ones count from
// the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "src/command_context.h"

namespace aeris {

struct IndexRange {
  std::uint64_t first = 0;
  std::uint64_t end = 0;  // not part of it

  std::uint64_t size() const { return end - first; }
};

struct IndexEnds {
  std::int64_t start = 0;
  std::int64_t stop = -1;

  // Of that many items (LRANGE, ZRANGE): one that stops before the first item is empty.
  IndexRange OfItems(std::size_t size) const;
  // Of that many bytes or bits (GETRANGE, BITPOS): one that stops before the first one stops at it.
  IndexRange OfText(std::size_t size) const;
  // Both count from the end, and in the wrong order: GETRANGE and BITCOUNT find nothing then.
  bool crossed_from_end() const { return start < 0 && stop < 0 && start > stop; }
};

// nullopt after the error reply.
std::optional<IndexEnds> IndexEndsArgs(const CommandContext& context, std::size_t start,
                                       std::size_t stop);

}  // namespace aeris
