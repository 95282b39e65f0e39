// redis.conf: lines of `directive argument ...`, comments, quotes, include.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/error.h"
#include "src/config_table.h"

namespace aeris {

// Includes inside includes; a file that includes itself ends here with an error.
inline constexpr int kConfigIncludeDepthMax = 16;

struct ConfigSource {
  std::string file = {};  // path; empty: no file
  bool standard_input = false;
  std::string overrides = {};  // lines from the command line, read last, so that they win
};

// Reads the sources in the order file, standard input, overrides into the table's Config. Stops at
// the first fault; Error::message then is what goes to standard error, several lines:
//   *** FATAL CONFIG FILE ERROR (aeris <version>) ***
//   Reading the configuration file, at line 3
//   >>> 'prot 6379'
//   Bad directive or wrong number of arguments
// Warnings are in table.TakeWarnings().
std::expected<void, Error> LoadConfig(ConfigTable& table, const ConfigSource& source,
                                      std::string_view version);

// As above for text that is already here. `line` of an error counts from 1.
std::expected<void, Error> LoadConfigText(ConfigTable& table, std::string_view text,
                                          std::string_view version);

// The values that reading `text` would give, faults passed over, and without a trace: the process
// stays in its directory (a relative include is looked for there), nothing is warned about.
Config ConfigAfterReading(std::string_view text);

// The fault text above, for faults that only the server can see (rename-command).
std::string FatalConfigText(int line, std::string_view text, std::string_view reason,
                            std::string_view version);

// Words of a line, as protocol/inline_parser.h reads them. QuotedText() of quoted_text.h is the way
// back. Fails on open quotes.
std::expected<std::vector<std::string>, Error> SplitConfigLine(std::string_view line);

}  // namespace aeris
