// Arguments, configuration, process, then the server.
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/command_line.h"
#include "src/config_file.h"
#include "src/config_table.h"
#include "src/process.h"
#include "src/server_main.h"
#include "src/version.h"

int main(int argc, char** argv) {
  using namespace aeris;
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  const std::string program = argv[0];
  const auto line = ParseCommandLine(arguments);
  if (!line) {
    std::fprintf(stderr, "%s\n", line.error().message.c_str());
    return 1;
  }
  switch (line->action) {
    case CommandLine::Action::kVersion:
      std::fputs(VersionText(kVersion).c_str(), stdout);
      return 0;
    case CommandLine::Action::kHelp:
      std::fputs(HelpText(program).c_str(), stdout);
      return 0;
    case CommandLine::Action::kCheckSystem: {
      const SystemReport report = CheckSystem();
      std::fputs(report.text.c_str(), stdout);
      return report.good ? 0 : 1;
    }
    case CommandLine::Action::kRun:
      break;
  }
  InitProcessTitle(argc, argv);
  const Invocation invocation = InvocationOf(program, line->source);
  Config config;
  ConfigTable table(config);
  if (auto loaded = LoadConfig(table, line->source, kVersion); !loaded) {
    std::fprintf(stderr, "\n%s\n", loaded.error().message.c_str());
    return 1;
  }
  return RunServer(table, invocation);
}
