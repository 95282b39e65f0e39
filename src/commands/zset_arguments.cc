#include "src/commands/zset_arguments.h"

#include <cmath>
#include <cstdlib>
#include <string>

#include "src/base/number_text.h"
#include "src/error_replies.h"
#include "src/server.h"

namespace aeris {
namespace {

struct ScoreEnd {
  double score = 0;
  bool exclusive = false;
};

// Redis gives the text to strtod(3) as it is: blanks before it, nothing at all and what overflows
// are taken, and a NUL ends it.
std::optional<ScoreEnd> ParseScoreEnd(std::string_view text) {
  const bool exclusive = text.starts_with('(');
  if (exclusive) text.remove_prefix(1);
  if (const auto plain = ParseDouble(text)) return ScoreEnd{*plain, exclusive};
  const std::string terminated(text);
  char* end = nullptr;
  const double score = std::strtod(terminated.c_str(), &end);
  if (*end != '\0' || std::isnan(score)) return std::nullopt;
  return ScoreEnd{score, exclusive};
}

std::optional<storage::LexBound> ParseLexBound(std::string_view text) {
  using Kind = storage::LexBound::Kind;
  if (text.empty()) return std::nullopt;
  // As with numbers, a NUL ends the text.
  const bool alone = text.size() == 1 || text[1] == '\0';
  switch (text.front()) {
    case '-':
      if (alone) return storage::LexBound{.kind = Kind::kLowest};
      return std::nullopt;
    case '+':
      if (alone) return storage::LexBound{.kind = Kind::kHighest};
      return std::nullopt;
    case '[':
      return storage::LexBound{.kind = Kind::kInclusive, .text = text.substr(1)};
    case '(':
      return storage::LexBound{.kind = Kind::kExclusive, .text = text.substr(1)};
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<double> FloatArg(const CommandContext& context, std::size_t index,
                               std::string_view error) {
  const std::optional<double> value = ParseDouble(context.arg(index));
  if (!value) context.reply().Error(error);
  return value;
}

std::optional<storage::ScoreRange> ScoreRangeArgs(const CommandContext& context, std::size_t min,
                                                  std::size_t max) {
  const auto low = ParseScoreEnd(context.arg(min));
  const auto high = low ? ParseScoreEnd(context.arg(max)) : std::nullopt;
  if (!high) {
    context.reply().Error(err::kNotScoreRange);
    return std::nullopt;
  }
  return storage::ScoreRange{.min = low->score,
                             .max = high->score,
                             .min_exclusive = low->exclusive,
                             .max_exclusive = high->exclusive};
}

std::optional<storage::LexRange> LexRangeArgs(const CommandContext& context, std::size_t min,
                                              std::size_t max) {
  const auto low = ParseLexBound(context.arg(min));
  const auto high = low ? ParseLexBound(context.arg(max)) : std::nullopt;
  if (!high) {
    context.reply().Error(err::kNotLexRange);
    return std::nullopt;
  }
  return storage::LexRange{.min = *low, .max = *high};
}

storage::ZsetLimits ZsetLimitsOf(const CommandContext& context) {
  const Config& config = context.server().config();
  return {.packed_elements_max = config.zset_max_listpack_entries,
          .packed_member_bytes_max = config.zset_max_listpack_value};
}

storage::ZsetEditor EditZset(const CommandContext& context, std::size_t key,
                             storage::EntryView entry) {
  return {context.keyspace(), context.Key(key), entry, ZsetLimitsOf(context), context.now()};
}

void StoreAndReply(const CommandContext& context, std::size_t key, std::string_view event,
                   std::vector<storage::ScoredMember>& elements) {
  const bool existed{context.FindForWrite(key)};
  const std::size_t count = elements.size();
  if (!context.Stored(storage::StoreZset(context.keyspace(), context.Key(key), elements,
                                         ZsetLimitsOf(context), context.now()))) {
    return;
  }
  if (count != 0 || existed) context.Changed();
  if (count != 0) {
    context.SignalReady(key);
    context.Notify(KeyEvent::kZset, event, key);
  } else if (existed) {
    context.Notify(KeyEvent::kGeneric, "del", key);
  }
  context.reply().Integer(static_cast<std::int64_t>(count));
}

}  // namespace aeris
