// The command line, as redis-server takes it:
//   aeris-server [config-file] [-] [--directive value ...]
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "src/base/error.h"
#include "src/config_file.h"

namespace aeris {

struct CommandLine {
  enum class Action : std::uint8_t { kRun, kVersion, kHelp, kCheckSystem };
  Action action = Action::kRun;
  ConfigSource source;  // for kRun: what LoadConfig reads
};

// `arguments` without the program's name. Errors (for standard error, exit status 1): --sentinel,
// --test-memory, and words that are no option where one is expected.
std::expected<CommandLine, Error> ParseCommandLine(std::span<const std::string_view> arguments);

std::string HelpText(std::string_view program);
std::string VersionText(std::string_view version);

struct SystemReport {
  std::string text;  // one line per check, what to do about it where it failed
  bool good = true;  // false: exit status 1
};
// --check-system: the settings of this machine that make a cache slow or let it be killed.
SystemReport CheckSystem();

}  // namespace aeris
