// Adding members to a sorted set: ZADD, ZINCRBY and GEOADD.
#pragma once

#include <cstddef>
#include <span>

#include "src/command_context.h"

namespace aeris {

struct AddOptions {
  bool only_if_absent = false;
  bool only_if_present = false;
  bool only_if_greater = false;
  bool only_if_less = false;
  bool count_changed = false;
  bool increment = false;
};

// Which arguments are the members.
struct AddedMembers {
  std::size_t first = 0;
  std::size_t step = 2;
};

// Adds a member for each of these scores to the key at argument 1, or changes it. Replies as ZADD.
void AddMembers(const CommandContext& context, const AddOptions& options, AddedMembers members,
                std::span<const double> scores);

}  // namespace aeris
