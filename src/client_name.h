// What a name that a client gives itself may look like.
#pragma once

#include <algorithm>
#include <string_view>

namespace aeris {

// Printable, no spaces, so that it fits into a line of CLIENT LIST.
inline bool IsValidClientName(std::string_view name) {
  return std::ranges::all_of(name, [](char c) { return c >= '!' && c <= '~'; });
}

}  // namespace aeris
