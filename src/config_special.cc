#include "src/config_special.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "src/config_value.h"
#include "src/text.h"

namespace aeris::config_special {
namespace {

constexpr std::size_t kBindAddressesMax = 16;
constexpr std::size_t kHostnameBytesMax = 255;

std::unexpected<std::string> Fault(std::string_view text) {
  return std::unexpected(std::string(text));
}

// `""` in a file and an empty value of CONFIG SET: no words at all.
Arguments Words(Arguments arguments) {
  return arguments.size() == 1 && arguments[0].empty() ? Arguments{} : arguments;
}

template <typename Item, typename ToText>
std::string Joined(const Item& items, ToText to_text) {
  std::string text;
  for (const auto& item : items) {
    if (!text.empty()) text += ' ';
    text += to_text(item);
  }
  return text;
}

std::optional<std::int64_t> Whole(std::string_view text) {
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, fault] = std::from_chars(text.data(), end, value);
  if (fault != std::errc{} || rest != end) return std::nullopt;
  return value;
}

}  // namespace

// ---- bind

std::string BindOption::Get(const Config& config) {
  return Joined(config.bind, [](const std::string& address) { return address; });
}

ConfigResult BindOption::Set(Config& config, Arguments arguments, ConfigOrigin /*origin*/) {
  const Arguments addresses = Words(arguments);
  if (addresses.size() > kBindAddressesMax) return Fault("Too many bind addresses specified.");
  for (const std::string_view address : addresses) {
    if (address.empty()) return Fault("Failed to bind to specified addresses.");
  }
  config.bind.assign(addresses.begin(), addresses.end());
  return {};
}

// ---- dir

std::string DirectoryOption::Get(const Config& config) {
  if (!config.dir.empty()) return config.dir;
  std::error_code ignored;
  return std::filesystem::current_path(ignored).string();
}

// Only the text: ConfigTable moves the process there, then makes the text absolute.
ConfigResult DirectoryOption::Set(Config& config, Arguments arguments, ConfigOrigin /*origin*/) {
  if (arguments.size() != 1) return Fault("wrong number of arguments");
  config.dir = arguments[0];
  return {};
}

// ---- save

std::string SaveOption::Get(const Config& config) {
  return Joined(config.save, [](const SavePoint& point) {
    return std::to_string(point.seconds) + ' ' + std::to_string(point.changes);
  });
}

ConfigResult SaveOption::Set(Config& config, Arguments arguments, ConfigOrigin origin) {
  const Arguments words = Words(arguments);
  if (words.size() % 2 != 0) return Fault("Invalid save parameters");
  std::vector<SavePoint> points;
  for (std::size_t i = 0; i < words.size(); i += 2) {
    const auto seconds = Whole(words[i]);
    const auto changes = Whole(words[i + 1]);
    if (!seconds || *seconds < 1 || !changes || *changes < 0 || *changes > INT32_MAX) {
      return Fault("Invalid save parameters");
    }
    points.push_back({*seconds, *changes});
  }
  // The first line of a file replaces the default, the others add to it; `save ""` empties.
  if (origin != ConfigOrigin::kFileAgain || words.empty()) config.save.clear();
  config.save.insert(config.save.end(), points.begin(), points.end());
  return {};
}

// ---- client-output-buffer-limit

namespace {

constexpr std::array<std::string_view, kOutputLimitClasses> kOutputClassNames = {"normal", "slave",
                                                                                 "pubsub"};

std::optional<std::size_t> OutputClass(std::string_view name) {
  if (EqualsIgnoringCase(name, "replica")) name = "slave";
  for (std::size_t i = 0; i < kOutputLimitClasses; ++i) {
    if (EqualsIgnoringCase(name, kOutputClassNames[i])) return i;
  }
  return std::nullopt;
}

}  // namespace

std::string OutputLimitsOption::Get(const Config& config) {
  std::string text;
  for (std::size_t i = 0; i < kOutputLimitClasses; ++i) {
    const OutputLimit& limit = config.client_output_buffer_limit[i];
    if (i > 0) text += ' ';
    text += kOutputClassNames[i];
    text += ' ' + std::to_string(limit.hard_bytes) + ' ' + std::to_string(limit.soft_bytes) + ' ' +
            std::to_string(limit.soft_seconds);
  }
  return text;
}

ConfigResult OutputLimitsOption::Set(Config& config, Arguments arguments, ConfigOrigin /*origin*/) {
  const Arguments words = Words(arguments);
  if (words.size() % 4 != 0) {
    return Fault("Wrong number of arguments in buffer limit configuration.");
  }
  auto limits = config.client_output_buffer_limit;
  for (std::size_t i = 0; i < words.size(); i += 4) {
    const auto index = OutputClass(words[i]);
    if (!index) return Fault("Invalid client class specified in buffer limit configuration.");
    const auto hard = ParseConfigBytes(words[i + 1]);
    const auto soft = ParseConfigBytes(words[i + 2]);
    const auto seconds = Whole(words[i + 3]);
    if (!hard || !soft || !seconds || *seconds < 0 || *seconds > INT32_MAX) {
      return Fault("Error in hard, soft or soft_seconds setting in buffer limit configuration.");
    }
    limits[*index] = {*hard, *soft, *seconds};
  }
  config.client_output_buffer_limit = limits;
  return {};
}

// ---- maxmemory-db

std::string DatabaseLimitsOption::Get(const Config& config) {
  return Joined(config.maxmemory_db, [](const DatabaseLimit& limit) {
    std::string text = std::to_string(limit.database) + ' ' + std::to_string(limit.bytes);
    if (limit.policy) text.append(" ").append(RowOf(*limit.policy).name);
    return text;
  });
}

ConfigResult DatabaseLimitsOption::Set(Config& config, Arguments arguments, ConfigOrigin origin) {
  Arguments words = Words(arguments);
  // As `save`: CONFIG SET replaces, the lines of a file add up; an empty one empties.
  std::vector<DatabaseLimit> limits;
  if (origin == ConfigOrigin::kFileAgain && !words.empty()) limits = config.maxmemory_db;
  while (!words.empty()) {
    const auto database = Whole(words[0]);
    const auto bytes = words.size() > 1 ? ParseConfigBytes(words[1]) : std::nullopt;
    if (!database || *database < 0 || *database > INT32_MAX || !bytes) {
      return Fault("maxmemory-db takes a database, bytes, and a policy or none");
    }
    DatabaseLimit limit{.database = static_cast<std::size_t>(*database), .bytes = *bytes};
    words = words.subspan(2);
    if (!words.empty() && !Whole(words[0])) {
      limit.policy = MaxmemoryPolicyNamed(words[0]);
      if (!limit.policy) return Fault("Invalid policy in maxmemory-db");
      words = words.subspan(1);
    }
    std::erase_if(limits,
                  [&](const DatabaseLimit& other) { return other.database == limit.database; });
    limits.push_back(limit);
  }
  std::ranges::sort(limits, {}, &DatabaseLimit::database);
  config.maxmemory_db = std::move(limits);
  return {};
}

// ---- latency-tracking-info-percentiles

std::string PercentileText(double percentile) {
  char digits[64];
  const auto [end, fault] =
      std::to_chars(digits, digits + sizeof digits, percentile, std::chars_format::fixed, 6);
  if (fault != std::errc{}) return "0";
  std::string text(digits, end);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

std::string PercentilesOption::Get(const Config& config) {
  return Joined(config.latency_tracking_info_percentiles, PercentileText);
}

ConfigResult PercentilesOption::Set(Config& config, Arguments arguments, ConfigOrigin /*origin*/) {
  std::vector<double> percentiles;
  for (const std::string_view word : Words(arguments)) {
    // strtod() and not from_chars(): Redis takes "+5" and "0x10" here, and files may hold them.
    const std::string text(word);
    char* end = nullptr;
    const double percentile = std::strtod(text.c_str(), &end);
    if (text.empty() || end != text.c_str() + text.size() || percentile != percentile) {
      return Fault("Invalid latency-tracking-info-percentiles parameters");
    }
    if (percentile < 0.0 || percentile > 100.0) {
      return Fault("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]");
    }
    percentiles.push_back(percentile);
  }
  config.latency_tracking_info_percentiles = std::move(percentiles);
  return {};
}

// ---- notify-keyspace-events

namespace {

constexpr std::size_t kAllEvents = 10;  // the classes that "A" stands for
constexpr std::size_t kNewKey = 10;     // position of "n", shown only when "A" is not

}  // namespace

std::string KeyspaceEventsOption::Get(const Config& config) {
  constexpr unsigned kAll = (1U << kAllEvents) - 1;
  const bool all = (config.notify_keyspace_events & kAll) == kAll;
  std::string text = all ? "A" : "";
  for (std::size_t i = all ? kNewKey + 1 : 0; i < kKeyspaceEventClasses.size(); ++i) {
    if ((config.notify_keyspace_events >> i & 1U) != 0) text += kKeyspaceEventClasses[i];
  }
  return text;
}

ConfigResult KeyspaceEventsOption::Set(Config& config, Arguments arguments,
                                       ConfigOrigin /*origin*/) {
  if (arguments.size() != 1) return Fault("wrong number of arguments");
  unsigned classes = 0;
  for (const char letter : arguments[0]) {
    const std::size_t index = kKeyspaceEventClasses.find(letter);
    if (letter == 'A') {
      classes |= (1U << kAllEvents) - 1;
    } else if (index != std::string_view::npos) {
      classes |= 1U << index;
    } else {
      return Fault("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
    }
  }
  config.notify_keyspace_events = classes;
  return {};
}

// ---- oom-score-adj-values

std::string OomScoreAdjValuesOption::Get(const Config& config) {
  return Joined(config.oom_score_adj_values, [](int value) { return std::to_string(value); });
}

ConfigResult OomScoreAdjValuesOption::Set(Config& config, Arguments arguments,
                                          ConfigOrigin /*origin*/) {
  std::array<int, 3> values{};
  if (arguments.size() != values.size()) return Fault("wrong number of arguments");
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto value = Whole(arguments[i]);
    if (!value || *value < -2000 || *value > 2000) {
      return Fault("Invalid oom-score-adj-values, elements must be between -2000 and 2000.");
    }
    values[i] = static_cast<int>(*value);
  }
  config.oom_score_adj_values = values;
  return {};
}

// ---- replicaof

std::string ReplicaOfOption::Get(const Config& config) {
  if (config.replicaof_host.empty()) return {};
  return config.replicaof_host + ' ' + std::to_string(config.replicaof_port);
}

ConfigResult ReplicaOfOption::Set(Config& config, Arguments arguments, ConfigOrigin /*origin*/) {
  if (arguments.size() != 2) return Fault("wrong number of arguments");
  if (EqualsIgnoringCase(arguments[0], "no") && EqualsIgnoringCase(arguments[1], "one")) {
    config.replicaof_host.clear();
    config.replicaof_port = 0;
    return {};
  }
  const auto port = Whole(arguments[1]);
  if (!port || *port < 0 || *port > 65535) return Fault("Invalid master port");
  config.replicaof_host = arguments[0];
  config.replicaof_port = static_cast<int>(*port);
  return {};
}

// ---- checks of texts

namespace {

ConfigResult CheckPlainName(std::string_view text, std::string_view option, std::string_view kind) {
  if (text.empty()) return std::unexpected(std::string(option) + " can't be empty");
  if (text.find('/') != text.npos || text == "." || text == "..") {
    return std::unexpected(std::string(option) + " can't be a path, just a " + std::string(kind));
  }
  return {};
}

}  // namespace

// Names in braces, "{{" for a brace; something that can be seen must come out.
ConfigResult CheckProcTitleTemplate(std::string_view text) {
  constexpr std::array<std::string_view, 7> kNames = {
      "title", "listen-addr", "server-mode", "port", "tls-port", "unixsocket", "config-file"};
  const auto fault = Fault("template format is invalid or contains unknown variables");
  if (text.find_first_not_of(" \t") == text.npos) return fault;
  for (std::size_t at = text.find('{'); at != text.npos; at = text.find('{', at)) {
    if (at + 1 < text.size() && text[at + 1] == '{') {
      at += 2;
      continue;
    }
    const std::size_t end = text.find('}', at);
    if (end == text.npos) return fault;
    const std::string_view name = text.substr(at + 1, end - at - 1);
    bool known = false;
    for (const std::string_view candidate : kNames) known |= candidate == name;
    if (!known) return fault;
    at = end + 1;
  }
  return {};
}

ConfigResult CheckHostname(std::string_view text) {
  if (text.size() > kHostnameBytesMax) return Fault("Hostnames must be less than 256 characters");
  for (const char byte : text) {
    const bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
    const bool digit = byte >= '0' && byte <= '9';
    if (!letter && !digit && byte != '-' && byte != '.') {
      return Fault("Hostnames may only contain alphanumeric characters, hyphens or dots");
    }
  }
  return {};
}

ConfigResult CheckDbFilename(std::string_view text) {
  if (text.empty()) return {};
  return CheckPlainName(text, "dbfilename", "filename");
}
ConfigResult CheckAppendFilename(std::string_view text) {
  return CheckPlainName(text, "appendfilename", "filename");
}
ConfigResult CheckAppendDirname(std::string_view text) {
  return CheckPlainName(text, "appenddirname", "dirname");
}

}  // namespace aeris::config_special
