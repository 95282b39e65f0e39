// Options whose value has a syntax of its own, and checks of texts.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "src/config_table.h"

namespace aeris::config_special {

using Arguments = std::span<const std::string_view>;

struct BindOption {  // addresses; "" listens nowhere
  static std::string Get(const Config& config);
  static ConfigResult Set(Config& config, Arguments arguments, ConfigOrigin origin);
};
struct DirectoryOption {  // dir: the text only, ConfigTable moves the process
  static std::string Get(const Config& config);
  static ConfigResult Set(Config& config, Arguments arguments, ConfigOrigin origin);
};
struct SaveOption {  // pairs of seconds and changes
  static std::string Get(const Config& config);
  static ConfigResult Set(Config& config, Arguments arguments, ConfigOrigin origin);
};
struct OutputLimitsOption {  // class, hard limit, soft limit, seconds; classes not named stay
  static std::string Get(const Config& config);
  static ConfigResult Set(Config& config, Arguments arguments, ConfigOrigin origin);
};
struct DatabaseLimitsOption {  // maxmemory-db: database, bytes, and a policy or none
  static std::string Get(const Config& config);
  static ConfigResult Set(Config& config, Arguments arguments, ConfigOrigin origin);
};
struct PercentilesOption {  // 0 to 100, any number of them
  static std::string Get(const Config& config);
  static ConfigResult Set(Config& config, Arguments arguments, ConfigOrigin origin);
};
struct KeyspaceEventsOption {  // letters of kKeyspaceEventClasses and A
  static std::string Get(const Config& config);
  static ConfigResult Set(Config& config, Arguments arguments, ConfigOrigin origin);
};
struct OomScoreAdjValuesOption {  // three numbers
  static std::string Get(const Config& config);
  static ConfigResult Set(Config& config, Arguments arguments, ConfigOrigin origin);
};
struct ReplicaOfOption {  // host and port, or "no one"
  static std::string Get(const Config& config);
  static ConfigResult Set(Config& config, Arguments arguments, ConfigOrigin origin);
};

// At most six decimals, none that say nothing: 99.900000 is 99.9.
std::string PercentileText(double percentile);

ConfigResult CheckProcTitleTemplate(std::string_view text);
ConfigResult CheckHostname(std::string_view text);
ConfigResult CheckDbFilename(std::string_view text);
ConfigResult CheckAppendFilename(std::string_view text);
ConfigResult CheckAppendDirname(std::string_view text);

}  // namespace aeris::config_special
