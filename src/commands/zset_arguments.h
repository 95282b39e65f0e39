// What the commands of sorted sets and of places (GEO) share: arguments and replies.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "src/command_context.h"
#include "storage/zset_value.h"

namespace aeris {

namespace err {
inline constexpr std::string_view kNotScoreRange = "ERR min or max is not a float";
inline constexpr std::string_view kNotLexRange = "ERR min or max not valid string range item";
inline constexpr std::string_view kScoreIsNaN = "ERR resulting score is not a number (NaN)";
}  // namespace err

// --- Arguments. None of these gives a value after an error reply.

// A float as strtod(3) reads it, to its end.
std::optional<double> FloatArg(const CommandContext& context, std::size_t index,
                               std::string_view error);
// The ends of a range of scores at two arguments: a float, exclusive behind '('.
std::optional<storage::ScoreRange> ScoreRangeArgs(const CommandContext& context, std::size_t min,
                                                  std::size_t max);
// The ends of a range of members: '-', '+', or text behind '[' or '('.
std::optional<storage::LexRange> LexRangeArgs(const CommandContext& context, std::size_t min,
                                              std::size_t max);

// --- Values.

storage::ZsetLimits ZsetLimitsOf(const CommandContext& context);
storage::ZsetEditor EditZset(const CommandContext& context, std::size_t key,
                             storage::EntryView entry);
// Makes the key at argument `key` the sorted set of these elements, tells of it as `event`, and
// replies their number; without any the key is removed.
void StoreAndReply(const CommandContext& context, std::size_t key, std::string_view event,
                   std::vector<storage::ScoredMember>& elements);

// --- Replies.

// Members, with their scores or without. With scores RESP2 has one flat array, RESP3 an array of
// pairs.
class ElementsReply {
 public:
  ElementsReply(const CommandContext& context, bool with_scores)
      : reply_(context.reply()), with_scores_(with_scores) {}

  void Begin(std::size_t count) const {
    reply_.Array(with_scores_ && reply_.resp() == 2 ? 2 * count : count);
  }
  void Element(std::string_view member, double score) const {
    if (with_scores_ && reply_.resp() != 2) reply_.Array(2);
    reply_.Bulk(member);
    if (with_scores_) reply_.Double(score);
  }

 private:
  protocol::ReplyWriter& reply_;
  bool with_scores_;
};

}  // namespace aeris
