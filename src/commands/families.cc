#include "src/commands/families.h"

namespace aeris {

std::vector<std::span<const CommandSpec>> AllFamilies() {
  return {
      ClusterCommands(),
      CommandCommands(),
      ConnectionCommands(),
      StringCommands(),
      ClusterCommands(), ConnectionCommands(), DumpCommands(),   ExpireCommands(),
      GenericCommands(), ObjectCommands(),     StringCommands(),
  };
}

}  // namespace aeris
