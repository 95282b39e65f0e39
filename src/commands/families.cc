#include "src/commands/families.h"

namespace aeris {

std::vector<std::span<const CommandSpec>> AllFamilies() {
  // clang-format off: one a line, so that changes merge
  return {
      AclCommands(),
      BitmapCommands(),
      ClientCommands(),
      ClusterCommands(),
      CommandCommands(),
      ConfigCommands(),
      ConnectionCommands(),
      DebugCommands(),
      DumpCommands(),
      ExpireCommands(),
      FunctionCommands(),
      GenericCommands(),
      GeoCommands(),
      HashCommands(),
      HashDeadlineCommands(),
      HotKeyCommands(),
      HyperLogLogCommands(),
      LatencyCommands(),
      ListBlockingCommands(),
      ListCommands(),
      MemoryCommands(),
      MonitorCommands(),
      ObjectCommands(),
      PubsubCommands(),
      ServerCommands(),
      SetCommands(),
      SetOperationCommands(),
      SlowLogCommands(),
      SortCommands(),
      StreamCommands(),
      StreamGroupCommands(),
      StreamInfoCommands(),
      StreamReadCommands(),
      StringCommands(),
      StringCompareCommands(),
      StringMultiCommands(),
      TransactionCommands(),
      ZsetCommands(),
      ZsetPopCommands(),
      ZsetRangeCommands(),
      ZsetSetOperationCommands(),
  };
  // clang-format on
}

}  // namespace aeris
