#include "src/commands/random_draws.h"

#include <algorithm>
#include <limits>

#include "src/error_replies.h"
#include "src/server.h"

namespace aeris {
namespace {

constexpr std::int64_t kCountMax = std::numeric_limits<std::int64_t>::max();

}  // namespace

std::optional<DrawForm> DrawFormArgs(const CommandContext& context, std::string_view option) {
  const auto count = context.IntegerArg(2);
  if (!count) return std::nullopt;
  const auto fail = [&](std::string_view error) {
    context.reply().Error(error);
    return std::nullopt;
  };
  if (*count < -kCountMax) {
    return fail(
        "ERR value is out of range, value must between -9223372036854775807 and "
        "9223372036854775807");
  }
  const bool whole = context.argc() > 3;
  if (context.argc() > 4 || (whole && !context.ArgIs(3, option))) return fail(err::kSyntax);
  if (whole && (*count < -kCountMax / 2 || *count > kCountMax / 2)) return fail(err::kOutOfRange);
  const bool repeated = *count < 0;
  return DrawForm{.count = static_cast<std::uint64_t>(repeated ? -*count : *count),
                  .repeated = repeated,
                  .whole = whole};
}

void BoundReply(const CommandContext& context, std::size_t bytes) {
  context.reply().buffer().set_memory_max(
      std::min(context.server().io().ReplyBytesMax(context.client()), bytes));
}

}  // namespace aeris
