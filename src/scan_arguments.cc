#include "src/scan_arguments.h"

#include <charconv>

#include "src/base/glob.h"
#include "src/base/number_text.h"
#include "src/error_replies.h"

namespace aeris {

std::optional<std::uint64_t> CursorArg(const CommandContext& context, std::size_t index) {
  std::string_view text = context.arg(index);
  if (text.empty()) return 0;
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  std::uint64_t cursor = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, cursor);
  if (error != std::errc() || at != end) {
    context.reply().Error("ERR invalid cursor");
    return std::nullopt;
  }
  return negative ? 0 - cursor : cursor;
}

bool ScanOptions::Matches(std::string_view name) const {
  return pattern == "*" || GlobMatch(pattern, name, GlobCase::kSensitive);
}

bool ParseScanOptions(const CommandContext& context, const ScanForm& form, ScanOptions& options) {
  for (std::size_t i = form.first; i < context.argc(); i += 2) {
    const bool has_value = i + 1 < context.argc();
    if (has_value && context.ArgIs(i, "count")) {
      const auto count = context.IntegerArg(i + 1);
      if (!count) return false;
      if (*count < 1) {
        context.reply().Error(err::kSyntax);
        return false;
      }
      options.count = static_cast<std::size_t>(*count);
    } else if (has_value && context.ArgIs(i, "match")) {
      options.pattern = context.arg(i + 1);
    } else if (has_value && form.type && context.ArgIs(i, "type")) {
      options.type = context.arg(i + 1);
    } else if (form.no_values && context.ArgIs(i, "novalues")) {
      options.no_values = true;
      --i;
    } else {
      context.reply().Error(err::kSyntax);
      return false;
    }
  }
  return true;
}

void ReplyScanHead(const CommandContext& context, std::uint64_t cursor, std::size_t count) {
  char text[kInt64TextMax];
  context.reply().Array(2);
  context.reply().Bulk({text, FormatUint64(text, cursor)});
  context.reply().Array(count);
}

}  // namespace aeris
