#include "src/commands/zset_add.h"

#include <cmath>
#include <cstdint>
#include <optional>

#include "src/commands/zset_arguments.h"
#include "src/error_replies.h"

namespace aeris {
namespace {

using storage::ZsetChange;

// What one pair has come to.
struct AddResult {
  std::optional<double> score;  // the member's, unless the options forbade the change
  bool is_nan = false;
};

// The member's score after `given`, with its old one; nullopt leaves the member as it is.
std::optional<double> NewScore(const AddOptions& options, double given, std::optional<double> old,
                               AddResult& result) {
  if (old ? options.only_if_absent : options.only_if_present) return std::nullopt;
  double score = given;
  if (old && options.increment) score += *old;
  if (std::isnan(score)) {
    result.is_nan = true;
    return std::nullopt;
  }
  if (old &&
      ((options.only_if_less && score >= *old) || (options.only_if_greater && score <= *old))) {
    return std::nullopt;
  }
  result.score = score;
  return score;
}

}  // namespace

void AddMembers(const CommandContext& context, const AddOptions& options, AddedMembers members,
                std::span<const double> scores) {
  storage::EntryView entry;
  if (!context.FindForWrite(1, storage::ValueType::kZset, entry)) return;
  const bool existed{entry};
  AddResult result;
  std::uint64_t added = 0, updated = 0;
  bool out_of_memory = false;
  if (entry || !options.only_if_present) {
    storage::ZsetEditor editor = EditZset(context, 1, entry);
    for (std::size_t i = 0; i < scores.size(); ++i) {
      const auto change = editor.Update(
          context.arg(members.first + members.step * i),
          [&](std::optional<double> old) { return NewScore(options, scores[i], old, result); });
      if (result.is_nan) return context.reply().Error(err::kScoreIsNaN);
      if (change == ZsetChange::kNoMemory) {
        out_of_memory = true;
        break;
      }
      if (change == ZsetChange::kAdded) ++added;
      if (change == ZsetChange::kUpdated) ++updated;
    }
    if (added + updated != 0) {
      if (!context.Stored(editor.Commit())) return;
      context.Changed(added + updated);
      if (!existed) context.SignalReady(1);
      context.Notify(KeyEvent::kZset, options.increment ? "zincr" : "zadd", 1);
    }
    // The members before the one that did not fit stay.
    if (out_of_memory) return context.ReplyOutOfMemory();
  }
  if (!options.increment) {
    const std::uint64_t count = options.count_changed ? added + updated : added;
    return context.reply().Integer(static_cast<std::int64_t>(count));
  }
  if (!result.score) return context.reply().Null();
  context.reply().Double(*result.score);
}

}  // namespace aeris
