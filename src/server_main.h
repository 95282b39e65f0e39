// From a configuration that has been read to a server that has ended.
#pragma once

#include <string>

#include "src/config_file.h"
#include "src/config_table.h"

namespace aeris {

// How the process was started. The paths are absolute: `dir` moves the process elsewhere.
struct Invocation {
  std::string program;  // as it was called
  std::string executable;
  std::string config_file;  // empty: none
};
// To be asked before the configuration is read.
Invocation InvocationOf(const std::string& program, const ConfigSource& source);

// Opens the log, becomes a daemon when configured, serves, cleans up. Returns the exit status.
int RunServer(ConfigTable& table, const Invocation& invocation);

}  // namespace aeris
