// LCS: dynamic programming over a matrix of lengths, walked backwards from its last corner.
#include "src/commands/lcs.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/memory_probe.h"
#include "src/command_context.h"
#include "src/error_replies.h"
#include "src/server.h"

namespace aeris {
namespace {

struct Options {
  bool length_only = false;
  bool ranges = false;
  bool with_match_length = false;
  std::int64_t match_length_min = 0;
};

// False after an error reply.
bool ParseOptions(const CommandContext& context, Options& options) {
  for (std::size_t i = 3; i < context.argc(); ++i) {
    if (context.ArgIs(i, "idx")) {
      options.ranges = true;
    } else if (context.ArgIs(i, "len")) {
      options.length_only = true;
    } else if (context.ArgIs(i, "withmatchlen")) {
      options.with_match_length = true;
    } else if (context.ArgIs(i, "minmatchlen") && i + 1 < context.argc()) {
      const auto length = context.IntegerArg(++i);
      if (!length) return false;
      options.match_length_min = *length < 0 ? 0 : *length;
    } else {
      context.reply().Error(err::kSyntax);
      return false;
    }
  }
  if (!options.ranges || !options.length_only) return true;
  context.reply().Error("ERR If you want both the length and indexes, please just use IDX.");
  return false;
}

// Lengths of the longest common subsequences of all pairs of prefixes.
class Lengths {
 public:
  Lengths(std::string_view a, std::string_view b)
      : columns_(b.size() + 1), cells_((a.size() + 1) * columns_) {
    for (std::size_t i = 1; i <= a.size(); ++i) {
      for (std::size_t j = 1; j <= b.size(); ++j) {
        cells_[i * columns_ + j] =
            a[i - 1] == b[j - 1] ? At(i - 1, j - 1) + 1 : std::max(At(i - 1, j), At(i, j - 1));
      }
    }
  }
  std::uint32_t At(std::size_t i, std::size_t j) const { return cells_[i * columns_ + j]; }

 private:
  std::size_t columns_;
  std::vector<std::uint32_t> cells_;
};

void ReplyRange(const CommandContext& context, std::size_t begin, std::size_t length) {
  context.reply().Array(2);
  context.reply().Integer(static_cast<std::int64_t>(begin));
  context.reply().Integer(static_cast<std::int64_t>(begin + length - 1));
}

// Calls visit(i, j, length) for each maximal run of the subsequence, the last one first.
template <typename Visit>
void ForEachRun(std::string_view a, std::string_view b, const Lengths& lengths, Visit&& visit) {
  std::size_t i = a.size();
  std::size_t j = b.size();
  while (i > 0 && j > 0) {
    if (a[i - 1] != b[j - 1]) {
      lengths.At(i - 1, j) > lengths.At(i, j - 1) ? --i : --j;
      continue;
    }
    std::size_t run = 0;
    for (; i > 0 && j > 0 && a[i - 1] == b[j - 1]; ++run) {
      --i;
      --j;
    }
    visit(i, j, run);
  }
}

void ReplyRanges(const CommandContext& context, std::string_view a, std::string_view b,
                 const Lengths& lengths, const Options& options) {
  protocol::ReplyWriter& reply = context.reply();
  reply.Map(2);
  reply.Bulk("matches");
  auto matches = reply.BeginArray();
  std::size_t count = 0;
  ForEachRun(a, b, lengths, [&](std::size_t i, std::size_t j, std::size_t run) {
    if (static_cast<std::int64_t>(run) < options.match_length_min) return;
    ++count;
    reply.Array(options.with_match_length ? 3 : 2);
    ReplyRange(context, i, run);
    ReplyRange(context, j, run);
    if (options.with_match_length) reply.Integer(static_cast<std::int64_t>(run));
  });
  reply.EndArray(matches, count);
  reply.Bulk("len");
  reply.Integer(lengths.At(a.size(), b.size()));
}

}  // namespace

void Lcs(CommandContext& context) {
  bool strings = true;
  for (std::size_t i = 1; i <= 2; ++i) {
    const storage::EntryView entry = context.FindForRead(i);
    strings &= !entry || entry.type() == storage::ValueType::kString;
  }
  if (!strings) return context.reply().Error("ERR The specified keys must contain string values");
  Options options;
  if (!ParseOptions(context, options)) return;
  // A lookup may remove what has expired, so views are taken when all of that is done.
  std::string_view texts[2];
  storage::IntegerText scratch[2];
  for (std::size_t i = 0; i < 2; ++i) {
    const auto entry = context.keyspace().Find(context.Key(i + 1), context.now(), storage::kPeek);
    if (entry) texts[i] = entry.Text(scratch[i]);
  }
  const auto& [a, b] = texts;
  std::uint64_t bytes = 0;
  const bool wraps =
      __builtin_mul_overflow((a.size() + 1) * sizeof(std::uint32_t), b.size() + 1, &bytes);
  if (wraps || bytes > context.server().config().proto_max_bulk_len) {
    return context.reply().Error(
        "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
  }
  if (!CanAllocate(bytes + std::min(a.size(), b.size()))) {
    return context.reply().Error(
        "ERR Insufficient memory, failed allocating transient memory for LCS");
  }
  const Lengths lengths(a, b);
  const std::uint32_t length = lengths.At(a.size(), b.size());
  if (options.length_only) return context.reply().Integer(length);
  if (options.ranges) return ReplyRanges(context, a, b, lengths, options);
  std::string subsequence(length, '\0');
  std::size_t end = length;
  ForEachRun(a, b, lengths, [&](std::size_t i, std::size_t, std::size_t run) {
    end -= run;
    a.copy(subsequence.data() + end, run, i);
  });
  context.reply().Bulk(subsequence);
}

}  // namespace aeris
