#include "src/slow_log.h"

#include <fmt/format.h>

#include <algorithm>

namespace aeris {
namespace {

std::string Cut(std::string_view argument) {
  if (argument.size() <= SlowLog::kArgumentBytesMax) return std::string(argument);
  return fmt::format("{}... ({} more bytes)", argument.substr(0, SlowLog::kArgumentBytesMax),
                     argument.size() - SlowLog::kArgumentBytesMax);
}

}  // namespace

void SlowLog::Add(const Command& command, std::size_t records_max) {
  Record record{.id = next_id_++,
                .unix_seconds = command.unix_seconds,
                .microseconds = command.microseconds,
                .arguments = {},
                .peer = std::string(command.peer),
                .client_name = std::string(command.client_name)};
  const std::size_t count = command.arguments.size();
  const std::size_t kept = std::min(count, kArgumentsMax);
  record.arguments.reserve(kept);
  for (std::size_t i = 0; i < kept; ++i) {
    if (count > kArgumentsMax && i == kArgumentsMax - 1) {
      record.arguments.push_back(fmt::format("... ({} more arguments)", count - kArgumentsMax + 1));
    } else {
      record.arguments.push_back(Cut(command.arguments[i]));
    }
  }
  records_.push_front(std::move(record));
  Trim(records_max);
}

void SlowLog::Trim(std::size_t records_max) {
  while (records_.size() > records_max) records_.pop_back();
}

}  // namespace aeris
