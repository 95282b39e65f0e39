#include "src/commands/pop_first.h"

#include <limits>
#include <numeric>
#include <vector>

#include "src/error_replies.h"

namespace aeris {

std::optional<MultiPop> MultiPopArgs(const CommandContext& context, std::size_t numkeys,
                                     EndWords words) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  const auto keys = context.IntegerArg(numkeys, 1, kMax, "ERR numkeys should be greater than 0");
  if (!keys) return std::nullopt;
  MultiPop pop{.first_key = numkeys + 1};
  const auto refuse = [&]() -> std::optional<MultiPop> {
    context.reply().Error(err::kSyntax);
    return std::nullopt;
  };
  // The end stands behind the keys.
  if (static_cast<std::uint64_t>(*keys) >= context.argc() - pop.first_key) return refuse();
  pop.keys = static_cast<std::size_t>(*keys);
  std::size_t i = pop.first_key + pop.keys;
  pop.from_back = context.ArgIs(i, words.back);
  if (!pop.from_back && !context.ArgIs(i, words.front)) return refuse();
  bool counted = false;
  for (++i; i < context.argc(); i += 2) {
    if (counted || !context.ArgIs(i, "count") || i + 1 == context.argc()) return refuse();
    const auto count = context.IntegerArg(i + 1, 1, kMax, "ERR count should be greater than 0");
    if (!count) return std::nullopt;
    counted = true;
    pop.count = static_cast<std::uint64_t>(*count);
  }
  return pop;
}

void BlockOnKeys(const CommandContext& context, storage::ValueType type, std::size_t first_key,
                 std::size_t keys, std::chrono::milliseconds timeout) {
  std::vector<std::size_t> waited(keys);
  std::iota(waited.begin(), waited.end(), first_key);
  context.BlockOn(waited, {.type = type, .timeout = timeout});
}

}  // namespace aeris
