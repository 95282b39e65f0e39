// From a configuration that has been read to a server that has ended.
#pragma once

#include <string>

#include "src/config_file.h"
#include "src/config_table.h"

namespace aeris {

// Opens the log, becomes a daemon when configured, serves, cleans up. Returns the exit status.
int RunServer(ConfigTable& table, const ConfigSource& source, const std::string& program);

}  // namespace aeris
