#include "src/database_argument.h"

#include <fmt/format.h>

#include <cstdint>
#include <limits>

#include "src/error_replies.h"
#include "src/server.h"

namespace aeris {

std::optional<std::size_t> DatabaseArg(const CommandContext& context, std::size_t index) {
  const auto number = context.IntegerArg(index);
  if (!number) return std::nullopt;
  constexpr std::int64_t kMin = std::numeric_limits<int>::min();
  constexpr std::int64_t kMax = std::numeric_limits<int>::max();
  if (*number < kMin || *number > kMax) {
    context.reply().Error(
        fmt::format("ERR value is out of range, value must between {} and {}", kMin, kMax));
    return std::nullopt;
  }
  if (*number < 0 || static_cast<std::size_t>(*number) >= context.server().databases().count()) {
    context.reply().Error(err::kDbIndexOutOfRange);
    return std::nullopt;
  }
  return static_cast<std::size_t>(*number);
}

}  // namespace aeris
