#include "src/commands/families.h"

namespace aeris {

std::vector<std::span<const CommandSpec>> AllFamilies() {
  return {
      ClusterCommands(),
      CommandCommands(),
      ConnectionCommands(),
      StringCommands(),
  };
}

}  // namespace aeris
